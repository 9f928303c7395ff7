"""From a recorded expression to a Drawing of it: nodes for Values and constants, or for many of them, and arrows for operands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_edu import DTypeError, Value

from ..drawing import Drawing, DrawnNode, Edge, Group, Kind, Sizes
from ..folding.fold import Folding, fold
from ..folding.parts import MOST_ROLES, Graph, Part
from ..reading.names import by_id, check, distinct
from ..reading.operands import derivative, labels
from ..reading.recorded import INSIDE, Recorded, recorded
from ..text import data_of, not_finite
from ..words import description, folded
from .describing import REFUSED, Describer
from .scalars import apart, has_arrays

DETAILS = ("auto", "scalar", "tensor", "backward")  # the last one is drawn by backward.py
READABLE = 120  # nodes that fit on a page
_LONGEST_OPENED = 40  # operations of a run that a page opens to; nobody reads on for more


def drawing_of(
    output: Value,
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
    derivatives: bool = False,
    own_names: bool = True,
    gradients: bool = True,
) -> Drawing:
    """Draw all that `output` was computed from, each operation and each number; see `viz.graph`.

    Args:
        own_names: whether the name that a Value carries comes before the one in `names`.
        gradients: whether the gradients that are stored are told.
    """
    _check(output, names, title, "scalar")
    record = recorded(output, numbers_inside=False)
    called = distinct(record.items, by_id(names or {}), own_names)
    sheet = _Sheet(record, called, title or "", derivatives, gradients=gradients)
    return _checked(sheet.drawing(sheet.fold(len(record.items))), derivatives)


def drawings_of(
    output: Value | list[Value],
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
    detail: str = "scalar",
    derivatives: bool = False,
    magnitudes: bool = False,
    own_names: bool = True,
    *,
    limits: tuple[int, int],
) -> Sizes:
    """Draw what `output` was computed from; see `viz.graph`.

    Args:
        output: a Value, or several.
        own_names: whether the name that a Value carries comes before the one in `names`.
        limits: the most nodes that may be drawn, and the most in a PNG file, at least 60.
    """
    outputs: Sequence[Any] = output if isinstance(output, list) else [output]
    for each in outputs:
        _check(each, names, title, detail)
    record = recorded(*outputs, numbers_inside=detail != "scalar")
    if detail == "auto":
        limits = min(limits[0], READABLE), min(limits[1], READABLE)
        if record.total() <= limits[0]:
            record = recorded(*outputs, numbers_inside=False)
    called = distinct(record.items, by_id(names or {}), own_names)
    if detail == "scalar" and has_arrays(record):
        record, called = apart(record, called)
    sheet = _Sheet(record, called, title or "", derivatives, magnitudes)
    folding = sheet.fold(limits[0])
    smaller = sheet.drawing(sheet.fold(limits[1])) if len(folding.parts) > limits[1] else None
    drawing = _checked(sheet.drawing(folding), derivatives)
    return Sizes(drawing, smaller, sheet.opened(folding, drawing))


def _checked(drawing: Drawing, derivatives: bool) -> Drawing:
    """The drawing. Raises DTypeError if it has operations, and none has the local derivatives asked for, or says why."""
    told = any(edge.derivative for edge in drawing.edges) or any(
        note.startswith(REFUSED) for node in drawing.nodes for note in node.notes
    )
    if derivatives and drawing.edges and not told:
        raise DTypeError(
            "graph: got derivatives=True, which labels operations on scalars, and none is drawn here; "
            "use detail='scalar' with a small graph, or leave it out"
        )
    return drawing


class _Sheet:
    """A record that is to be drawn.

    Args:
        record: of the output.
        called: names by identity of Values and arrays, no two alike.
        title, derivatives, magnitudes: as in `viz.graph`.
        gradients: whether gradients are told.
    """

    def __init__(
        self,
        record: Recorded,
        called: Mapping[int, str],
        title: str,
        derivatives: bool = False,
        magnitudes: bool = False,
        gradients: bool = True,
    ) -> None:
        self.record, self.title, self.derivatives = record, title, derivatives
        self.graph = _graph(record, called)
        self.describe = Describer(record, self.graph.uses, called, magnitudes, derivatives, gradients)

    def fold(self, limit: int) -> Folding:
        """What is to be drawn, in at most so many nodes."""
        return fold(self.graph, lambda i: _gradient_of(self.record.items[i]), limit)

    def drawing(self, folding: Folding) -> Drawing:
        """The drawing of what was folded."""
        nodes = tuple(self.describe(part, f"n{k}") for k, part in enumerate(folding.parts))
        told = folded(self.record.total(), folding, nodes)
        edges = self._edges(folding, nodes)
        return Drawing(self.title, description(nodes, told, edges=edges), nodes, edges, folded=told)

    def opened(self, folding: Folding, drawing: Drawing) -> Drawing | None:
        """The same drawing with the operations of short runs, in groups; None if there are no such runs."""
        parts: list[Part] = []
        nodes: list[DrawnNode] = []
        groups: list[Group] = []
        for part, node in zip(folding.parts, drawing.nodes, strict=True):
            start = len(nodes)
            if part.loose or not 1 < len(part.blocks[0]) <= _LONGEST_OPENED:
                parts.append(part)
                nodes.append(replace(node, id=f"n{start}"))
                continue
            steps = _steps(part)
            parts += steps
            nodes += [self.describe(step, f"n{start + k}") for k, step in enumerate(steps)]
            ids = tuple(inner.id for inner in nodes[start:])
            groups.append(
                Group(f"g{len(groups)}", f"{node.symbol} {node.params}", ids, closed=True, lines=_lines(node))
            )
        if not groups:
            return None
        inside = folding._replace(parts=parts, owner=self.graph.owner([part.blocks for part in parts]))
        return replace(drawing, nodes=tuple(nodes), edges=self._edges(inside, nodes), groups=tuple(groups))

    def _edges(self, folding: Folding, nodes: Sequence[DrawnNode]) -> tuple[Edge, ...]:
        return tuple(_edges(self.record, folding, nodes, self.derivatives))


def _steps(part: Part) -> list[Part]:
    """The operations of a part one by one, each as often as the part occurs."""
    steps = [Part(list(step)) for step in zip(*([(i,) for i in block] for block in part.blocks), strict=True)]
    return [*steps[:-1], steps[-1]._replace(handed=part.handed)]


def _lines(node: DrawnNode) -> tuple[str, ...]:
    """What a run of operations comes to."""
    told = " mean" if len(node.value) > 1 else ""
    numbers = [f"{what}{told} {x[0]}" for what, x in (("value", node.value), ("gradient", node.gradient)) if x]
    return tuple(filter(None, (node.form, *numbers)))


def _check(output: Value, called: Mapping[str, Any] | None, title: str | None, detail: str) -> None:
    got = type(output).__name__
    if not isinstance(output, Value):
        raise DTypeError(
            f"graph: got {got}, expected a Value, or a model and its input; compute the number from Values and pass the result"
        )
    check(called, title)
    if detail not in DETAILS:
        raise DTypeError(f"graph: got detail={detail!r}, expected one of {', '.join(map(repr, DETAILS))} for a Value")


def _graph(record: Recorded, called: Mapping[int, str]) -> Graph:
    """The record as numbers, for folding: the same number for the same operation on the same shape and dtype."""
    numbers: dict[Hashable, int] = {}
    keys, pinned = [], []
    for i, x in enumerate(record.items):
        data, what = (x.data, x.grad_fn or x.requires_grad) if isinstance(x, Value) else (x, None)
        key = (what, data.shape, data.dtype) if isinstance(data, np.ndarray) else what
        keys.append(numbers.setdefault(key, len(numbers)))
        if id(x) in called:
            pinned.append(i)
    return Graph(keys, record.inputs, record.uses(), frozenset(pinned))


def _gradient_of(x: Any) -> float:
    """The largest |gradient| of a leaf, NaN as the largest of all; 0 without a gradient."""
    data = data_of(x.grad) if isinstance(x, Value) else None
    if data is None:
        return 0.0
    largest = abs(data) if isinstance(data, float) else float(np.max(np.abs(data), initial=0.0))
    return largest if largest == largest else float("inf")


def _edges(record: Recorded, folding: Folding, nodes: Sequence[DrawnNode], derivatives: bool) -> list[Edge]:
    """One arrow for each operand of what is drawn by itself, one from each source of what is folded."""
    edges: list[Edge] = []
    for q, part in enumerate(folding.parts):
        j = part.blocks[0][0]
        operands = [(nodes[folding.owner[i]], k) for k, i in enumerate(record.inputs[j]) if i != INSIDE]
        crowded = len(operands) > MOST_ROLES and any(source.count > 1 for source, _ in operands)
        if part.size() > 1 or crowded:
            edges += _from_each_source(record, folding, nodes, q)
        else:
            edges += _from_each_operand(record, j, nodes[q], operands, derivatives)
    return edges


def _from_each_operand(
    record: Recorded, j: int, target: DrawnNode, operands: list[tuple[DrawnNode, int]], derivatives: bool
) -> Iterator[Edge]:
    """Arrows to node j. Of each operand, where it comes from and which one it is."""
    for source, k in operands:
        steep = not_finite(source.gradient) and not_finite([derivative(record.items[j], k)])
        slope = derivative(record.items[j], k) if derivatives else ""
        yield _edge(source, target, _label(record, j, k), slope, steep)


def _from_each_source(record: Recorded, folding: Folding, nodes: Sequence[DrawnNode], q: int) -> Iterator[Edge]:
    """Arrows to part q that tell how many come from the source to each block, if all blocks have equally many."""
    part = folding.parts[q]
    first = part.blocks[0]
    told = len(first) == 1 and len(record.inputs[first[0]]) <= MOST_ROLES
    loops = bool(folding.turns)  # asked once, as a layer may have a million arrows
    arrows = Counter(
        (folding.owner[i], k if told else 0)
        for block in part.blocks
        for j in block
        for k, i in enumerate(record.inputs[j])
        if i != INSIDE and not (loops and folding.hands_on(i, j))
    )
    counts: Counter[tuple[int, str]] = Counter()
    for (p, k), count in arrows.items():
        counts[p, _label(record, first[0], k) if told else ""] += count
    for (p, label), count in counts.items():
        each, left = divmod(count, len(part.blocks))
        many = f"×{each:,}" if each > 1 and not left and not part.loose else ""
        if p != q:
            yield _edge(nodes[p], nodes[q], label or many)


def _label(record: Recorded, j: int, k: int) -> str:
    """Which operand of node j the k-th one is; a single arrow needs no label."""
    sources = record.inputs[j]
    return labels(record.items[j].grad_fn, len(sources))[k] if len(sources) - sources.count(INSIDE) > 1 else ""


def _edge(source: DrawnNode, target: DrawnNode, label: str, slope: str = "", steep: bool = False) -> Edge:
    """An arrow; NaN and infinity pass along it as a value, or on the way back as a gradient, or arise where it is `steep`."""
    carries = source.kind not in (Kind.CONSTANT, Kind.DATA)
    arrives = source.uses == 1 and not_finite(source.gradient)  # of several uses it is not known which one brought it
    alarm = steep or arrives or not_finite(source.value) or (carries and not_finite(target.gradient))
    return Edge(source.id, target.id, label, slope, alarm)
