"""From a recorded expression to a Drawing of it: nodes for Values and constants, or for many of them, and arrows for operands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from tinygrad_edu import DTypeError, Value

from .describing import Describer
from .drawing import Drawing, DrawnNode, Edge, Kind
from .fold import Folding, fold
from .names import by_id, check
from .operands import derivative, labels
from .parts import MOST_ROLES, Graph, Part
from .recorded import INSIDE, Recorded, recorded
from .text import data_of, not_finite
from .words import description, folded

DETAILS = ("auto", "scalar", "tensor")
READABLE = 120  # nodes that fit on a page


def drawing_of(
    output: Value,
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
    detail: str = "scalar",
    derivatives: bool = False,
    magnitudes: bool = False,
    limit: int | None = None,
) -> Drawing:
    """Draw what `output` was computed from; see `viz.graph`.

    Args:
        limit: the most nodes that may be drawn, at least 60; None for all.
    """
    _check(output, names, title, detail)
    record = recorded(output, numbers_inside=detail != "scalar")
    if detail == "auto":
        limit = min(limit or READABLE, READABLE)
        if record.total() <= limit:
            record = recorded(output, numbers_inside=False)
    called = by_id(names or {})
    graph = _graph(record, called)
    folding = fold(graph, lambda i: _gradient_of(record.items[i]), limit or len(record.items))
    describe = Describer(record, graph.uses, called, magnitudes)
    nodes = [describe(part, f"n{k}") for k, part in enumerate(folding.parts)]
    edges = _edges(record, folding, nodes, derivatives)
    told = folded(record.total(), folding, nodes)
    return Drawing(title or "", description(nodes, told), tuple(nodes), tuple(edges), folded=told)


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
        if id(x) in called or (isinstance(x, Value) and x.extra and x.name):
            pinned.append(i)
    return Graph(keys, record.inputs, record.uses(), frozenset(pinned))


def _gradient_of(x: Any) -> float:
    """The largest |gradient| of a leaf, NaN as the largest of all; 0 without a gradient."""
    data = data_of(x.grad) if isinstance(x, Value) else None
    if data is None or not np.size(data):
        return 0.0
    largest = float(np.max(np.abs(data)))
    return largest if largest == largest else float("inf")


Operand: TypeAlias = "tuple[DrawnNode, int, int]"  # where it comes from; it is the k-th of node number j


def _edges(record: Recorded, folding: Folding, nodes: list[DrawnNode], derivatives: bool) -> list[Edge]:
    """One arrow for each operand of what is drawn by itself, one from each source of what is folded."""
    edges: list[Edge] = []
    for target, part in zip(nodes, folding.parts, strict=True):
        operands = [
            (nodes[folding.owner[i]], j, k)
            for block in part.blocks
            for j in block
            for k, i in enumerate(record.inputs[j])
            if i != INSIDE
        ]
        crowded = len(operands) > MOST_ROLES and any(source.count > 1 for source, _, _ in operands)
        if part.size() > 1 or crowded:
            edges += _from_each_source(record, part, target, operands)
        else:
            edges += _from_each_operand(record, target, operands, derivatives)
    return edges


def _from_each_operand(
    record: Recorded, target: DrawnNode, operands: list[Operand], derivatives: bool
) -> Iterator[Edge]:
    for source, j, k in operands:
        steep = not_finite(source.gradient) and not_finite([derivative(record.items[j], k)])
        slope = derivative(record.items[j], k) if derivatives else ""
        yield _edge(source, target, _label(record, j, k), slope, steep)


def _from_each_source(record: Recorded, part: Part, target: DrawnNode, operands: list[Operand]) -> Iterator[Edge]:
    """Arrows that tell how many come from the source to each block, if all blocks have equally many."""
    first = part.blocks[0]
    told = len(first) == 1 and len(record.inputs[first[0]]) <= MOST_ROLES
    sources = {source.id: source for source, _, _ in operands if source is not target}
    counts = Counter((s.id, _label(record, j, k) if told else "") for s, j, k in operands if s is not target)
    for (id, label), count in counts.items():
        each, left = divmod(count, len(part.blocks))
        many = f"×{each:,}" if each > 1 and not left and not part.loose else ""
        yield _edge(sources[id], target, label or many)


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
