"""From a recorded expression to a Drawing of its backward pass: the graph of gradients, beside the graph of values."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_edu import GraphError, Value, rule_formula

from ..drawing import Drawing, DrawnNode, Edge, Group, Kind
from ..magnitudes import magnitude, scale
from ..reading.operands import derivative, ordinal
from ..reading.origins import arisen, is_finite, told
from ..reading.passing import passed_on
from ..reading.recorded import Recorded, recorded
from ..stepping.notation import labels_of
from ..text import constant, data_of, form, number, statistics
from ..words import description
from .expression import drawing_of
from .paths import Paths, factor

MOST_RECORDED = 500  # Values and constants; the gradients are as many again
_OPERAND = re.compile(r"(?<![A-Za-z_])[abxy](?![A-Za-z0-9_(])")  # a name in a rule, such as the b of "a / b²"
_INCOMING = re.compile(r"(?<![A-Za-z_])g(?![A-Za-z0-9_(])")
_MOST_TERMS = 3  # of a sum that is written out


def drawing_of_backward(
    output: Value,
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
    derivatives: bool = False,
    magnitudes: bool = False,
    own_names: bool = True,
) -> Drawing:
    """Draw the chain rule at work on `output`: for each use of each Value the product that is its share of the gradient.

    The gradients are those of the sum of `output`. They are computed on a copy of the graph: no `.grad` changes, and no hook
    is called. Values without a name are called v1, v2, ... in both halves, and the output y.

    Args:
        output: what to differentiate.
        names: what Values are called, such as locals().
        title: stands above the picture.
        derivatives: whether arrows of the forward half tell local derivatives.
        magnitudes: whether gradients carry their size, for the colour scale.
        own_names: whether the name that a Value carries comes before the one in `names`.

    Raises:
        DTypeError: if an argument is of another type.
        GraphError: if no gradient flows to anything, the graph was released or changed in place, or it is too large to read.
    """
    forward = drawing_of(output, names, title, derivatives, own_names, gradients=False)
    record = recorded(output, numbers_inside=False)
    items = record.items
    if len(items) > MOST_RECORDED:
        raise GraphError(
            f"graph: detail='backward' draws at most {MOST_RECORDED:,} recorded nodes, got {len(items):,}; draw the graph of a "
            "Value inside, or leave detail out"
        )
    if not output.requires_grad:
        raise GraphError(
            "graph: detail='backward' needs a Value that gradient flows to; this one does not require grad"
        )
    _check(record)
    nodes = list(forward.nodes)
    if not nodes[-1].name and "y" not in {node.name for node in nodes}:
        nodes[-1] = replace(nodes[-1], name="y")
    called = labels_of(replace(forward, nodes=tuple(nodes)), [i for i, x in enumerate(items) if _is_result(x)])
    nodes = [
        x if x.kind is Kind.CONSTANT and not x.form else replace(x, name=name)
        for x, name in zip(nodes, called, strict=True)
    ]
    sketch = _Sketch(items, called, magnitudes)
    sketch.draw(output)
    groups = (
        Group("g0", "forward", tuple(node.id for node in nodes)),
        Group("g1", "backward", tuple(node.id for node in sketch.nodes)),
    )
    shares = "; ".join(f"{node.symbol} {node.name}: {' '.join(node.value)}" for node in sketch.nodes[:40])
    lines = tuple(sketch.chains())
    words = [
        f"Forward: {description(nodes, edges=forward.edges)}",
        f"Backward, from the output to the inputs: {shares}.",
        *(f"{x}." for x in lines),
        scale(sketch.nodes),
    ]
    return Drawing(
        forward.title or "forward and backward",
        " ".join(filter(None, words)),
        (*nodes, *sketch.nodes),
        (*forward.edges, *sketch.edges),
        groups,
        lines=lines,
        beside=tuple(sketch.beside),
    )


def _is_result(x: Any) -> bool:
    return isinstance(x, Value) and x.grad_fn is not None


class _Sketch:
    """The backward half of the drawing.

    Args:
        items: all that was recorded, inputs before results.
        called: what each is called.
        magnitudes: whether nodes carry the size of the gradient.

    Attributes:
        beside: for each Value its node and that of its gradient.
    """

    def __init__(self, items: list[Any], called: Sequence[str], magnitudes: bool) -> None:
        self.values = [x for x in items if isinstance(x, Value) and x.requires_grad]
        self.called = {id(x): name for x, name in zip(items, called, strict=True)}
        self.ids = {id(x): f"n{i}" for i, x in enumerate(items)}
        self.magnitudes, self.start = magnitudes, len(items)
        output = items[-1]
        self.top = f"Σ{self.called[id(output)]}" if output.shape else self.called[id(output)]  # what is differentiated
        self.nodes: list[DrawnNode] = []
        self.edges: list[Edge] = []
        self.beside: list[tuple[str, str]] = []
        self.paths = Paths(output)

    def draw(self, output: Value) -> None:
        """All of it, from the output to the leaves."""
        self.totals, shares = _gradients(self.values)
        seed = "1" if not output.shape else "ones"
        arriving: dict[int, list[tuple[str, str, Any]]] = defaultdict(list)  # by id of a Value: node, product, share
        node = self._add(self._by(output), f"= {seed}", self.totals[id(output)], ("start here",))
        arriving[id(output)] = [(node, seed, self.totals[id(output)])]
        counts = Counter(id(x) for v in self.values for k, x in enumerate(v.inputs) if (id(v), k) in shares)
        for value in reversed(self.values):
            incoming = arriving[id(value)]
            if not incoming:
                continue
            total = incoming[0][0] if len(incoming) == 1 else self._sum(value, incoming)
            self.beside.append((self.ids[id(value)], total))
            for k, x in enumerate(value.inputs):
                if (id(value), k) not in shares:
                    continue
                share, slope = shares[id(value), k], derivative(value, k)
                partial = self._partial(value, k)
                text, rule = self._rule(value, k)
                notes = [f"{partial} = {rule}"] if rule else []
                notes += [f"{number(self.totals[id(value)])} · {factor(slope)}"] if slope else []
                through = f" through {self.called[id(value)]}{self._which(value, k)}" if counts[id(x)] > 1 else ""
                read = [self.totals[id(value)], *map(data_of, (value, *value.inputs))]
                begins = arisen([share], read)
                node = self._add(f"{self._by(x)}{through}", f"= {text}", share, tuple(notes), begins)
                self.edges.append(Edge(total, node, alarm=not is_finite(self.totals[id(value)])))
                arriving[id(x)].append((node, text, share))
                self.paths.extend(value, x, partial, slope)

    def chains(self) -> list[str]:
        """For each leaf, if they are few, the product along each path to it."""
        leaves = [x for x in self.values if x.grad_fn is None and not x.shape and id(x) in self.totals]
        return self.paths.lines([(x, self._by(x), number(self.totals[id(x)])) for x in leaves])

    def _sum(self, value: Value, shares: list[tuple[str, str, Any]]) -> str:
        """The node where the shares of a Value that is used several times add up."""
        is_short = len(shares) <= _MOST_TERMS
        text = " + ".join(product for _, product, _ in shares) if is_short else f"sum over {len(shares)} uses"
        parts, total = [share for _, _, share in shares], self.totals[id(value)]
        notes = [f"{len(shares)} uses: their shares add up"]
        if is_short and not value.shape:
            notes = [" + ".join([number(parts[0]), *(factor(number(x)) for x in parts[1:])]), *notes]
        node = self._add(self._by(value), f"= {text}", total, tuple(notes), arisen([total], parts))
        self.edges += [Edge(source, node, alarm=not is_finite(share)) for source, _, share in shares]
        return node

    def _add(self, symbol: str, name: str, gradient: Any, notes: tuple[str, ...], origin: str = "") -> str:
        id = f"n{self.start + len(self.nodes)}"
        found = statistics([gradient])
        self.nodes.append(
            DrawnNode(
                id,
                Kind.GRADIENT,
                tuple(map(number, found)),
                symbol=symbol,
                name=name,
                form=form(gradient),
                notes=(*notes, *told([gradient])),
                alarm=not is_finite(gradient),
                magnitude=magnitude(found[-2:]) if self.magnitudes else None,
                origin=origin,
            )
        )
        return id

    def _by(self, x: Value) -> str:
        """The gradient of a Value, along all paths: "dy/dx"."""
        return f"d{self.top}/d{self.called[id(x)]}"

    def _partial(self, value: Value, k: int) -> str:
        """The local derivative by operand k, all else being constant: "∂v1/∂x", or if x is several operands "∂v1/∂x, 2nd"."""
        return f"∂{self.called[id(value)]}/∂{self.called[id(value.inputs[k])]}{self._which(value, k)}"

    def _which(self, value: Value, k: int) -> str:
        """Which operand it is, where one Value is several."""
        again = sum(operand is value.inputs[k] for operand in value.inputs) > 1
        return f", {ordinal(k + 1)}" if again else ""

    def _rule(self, value: Value, k: int) -> tuple[str, str]:
        """The gradient that operand k gets, as a product or in the words of the rule, and what the local derivative is."""
        op, g = value.grad_fn, self._by(value)
        assert op is not None
        text = "" if op.shares is None and op.rules[k] is None else rule_formula(op, k).replace("-", "−")
        operands = dict(zip(op.arrays, value.inputs, strict=False)) | {"y": value}
        text = _OPERAND.sub(lambda match: self._called(operands.get(match[0]), match[0]), text)
        if op.elementwise:
            partial, sums = (
                self._partial(value, k),
                "Σ " * (value.inputs[k].shape != value.shape),
            )  # where it was broadcast
            return f"{sums}{g} · ({partial})" if "," in partial else f"{sums}{g} · {partial}", text
        return (_INCOMING.sub(lambda _: g, text) if text else f"{g} through {op.name}"), ""

    def _called(self, x: Any, letter: str) -> str:
        """What an operand reads as in a rule: its name, or a plain number itself."""
        if x is None:
            return letter
        is_number = not isinstance(x, Value) and not np.ndim(x)
        return factor(constant(x)) if is_number else self.called.get(id(x), letter)


def _gradients(values: list[Value]) -> tuple[dict[int, Any], dict[tuple[int, int], Any]]:
    """The gradient of each Value, by id, and the share of each use, by id of the result and number of the operand."""
    output = values[-1]
    totals: dict[int, Any] = {id(output): np.ones(output.shape, output.dtype) if output.shape else 1.0}
    shares: dict[tuple[int, int], Any] = {}
    for value in reversed(values):
        if value.grad_fn is None or id(value) not in totals:
            continue
        for k, (x, share) in enumerate(zip(value.inputs, passed_on(value, totals[id(value)]), strict=True)):
            if share is not None:
                shares[id(value), k] = share
                totals[id(x)] = totals[id(x)] + share if id(x) in totals else share
    return totals, shares


def _check(record: Recorded) -> None:
    """Raises GraphError if there is no chain rule to draw any more. Of constant arrays that were written to copies are kept."""
    if any(_is_result(x) and not x.inputs for x in record.items):
        raise GraphError("graph: a part of the graph was released by backward(retain_graph=False); record it again")
    if record.outdated or any(isinstance(record.items[i], Value) for i in record.changed):
        raise GraphError(
            "graph: a leaf was changed in place after it was used, so its gradient would be wrong; record the expression again"
        )
