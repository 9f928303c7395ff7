"""From a recorded expression to a Drawing of its backward pass: the graph of gradients, beside the graph of values."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_edu import GraphError, Value, rule_formula

from .drawing import Drawing, DrawnNode, Edge, Group, Kind
from .expression import drawing_of
from .operands import derivative
from .origins import arisen, is_finite, told
from .passing import passed_on
from .recorded import recorded
from .text import constant, data_of, form, number, statistics

MOST_RECORDED = 500  # Values and constants; the gradients are as many again
_LETTER = re.compile(r"(?<![A-Za-z_])[abxy](?![A-Za-z0-9_(])")  # an operand's name in a rule, such as the b of "a / b²"
_FREE = "uvwpqrst"
_LOOSE = re.compile(r"^−| [−+/] | if ")  # what a product with g needs brackets around
_SIGNS = {"1": "g", "−1": "−g", "0": "0"}


def drawing_of_backward(output: Value, names: Mapping[str, Any] | None = None, title: str | None = None) -> Drawing:
    """Draw the chain rule at work on `output`: for each use of each Value the rule and the share of gradient that it yields.

    The gradients are those of the sum of `output`. They are computed on a copy of the graph: no `.grad` changes, and no hook
    is called.

    Args:
        output: what to differentiate.
        names: what Values are called, such as locals().
        title: stands above the picture.

    Raises:
        DTypeError: if an argument is of another type.
        GraphError: if no gradient flows to anything, the graph was released or changed in place, or it is too large to read.
    """
    forward = drawing_of(output, names, title, gradients=False)
    items = recorded(output, numbers_inside=False).items
    if len(items) > MOST_RECORDED:
        raise GraphError(
            f"graph: detail='backward' draws at most {MOST_RECORDED:,} recorded nodes, got {len(items):,}; draw the graph of a "
            "Value inside, or leave detail out"
        )
    called = {id(x): node.name for x, node in zip(items, forward.nodes, strict=True)}
    if not output.requires_grad:
        raise GraphError(
            "graph: detail='backward' needs a Value that gradient flows to; this one does not require grad"
        )
    sketch = _Sketch([x for x in items if isinstance(x, Value) and x.requires_grad], called, len(items))
    sketch.draw(output)
    groups = (
        Group("g0", "forward", tuple(node.id for node in forward.nodes)),
        Group("g1", "backward", tuple(node.id for node in sketch.nodes)),
    )
    told = "; ".join(f"{node.name}: {node.symbol} {' '.join(node.value)}" for node in sketch.nodes[:40])
    return Drawing(
        forward.title or "forward and backward",
        f"Forward: {forward.description} Backward, from the output to the inputs: {told}.",
        (*forward.nodes, *sketch.nodes),
        (*forward.edges, *sketch.edges),
        groups,
    )


class _Sketch:
    """The backward half of the drawing.

    Args:
        values: those that gradient flows to, inputs before results.
        called: names, by id.
        start: the number of the first node.
    """

    def __init__(self, values: list[Value], called: dict[int, str], start: int) -> None:
        self.values, self.called, self.start = values, called, start
        self.taken = set(called.values())
        self.nodes: list[DrawnNode] = []
        self.edges: list[Edge] = []

    def draw(self, output: Value) -> None:
        """All of it, from the output to the leaves."""
        totals, shares = _gradients(self.values)
        seed = "1" if not output.shape else "ones"
        arriving: dict[int, list[str]] = defaultdict(list)  # by id of a Value, the nodes of its shares
        arriving[id(output)] = [
            self._add(seed, f"gradient of {self._label(output)}", totals[id(output)], ("start here",))
        ]
        counts = Counter(id(x) for v in self.values for k, x in enumerate(v.inputs) if (id(v), k) in shares)
        for value in reversed(self.values):
            incoming = arriving[id(value)]
            if not incoming:
                continue
            total = incoming[0] if len(incoming) == 1 else self._sum(value, totals[id(value)], incoming)
            for k, x in enumerate(value.inputs):
                if (id(value), k) in shares:
                    what = "gradient" if counts[id(x)] == 1 else "share"
                    rule, legend = self._rule(value, k)
                    slope = derivative(value, k)
                    product = [f"{number(totals[id(value)])} · {_factor(slope)}"] if slope else []
                    name = f"{what} of {self._label(x)}"
                    read = [totals[id(value)], *map(data_of, (value, *value.inputs))]
                    begins = arisen([shares[id(value), k]], read)
                    node = self._add(rule, name, shares[id(value), k], (*product, *legend), begins)
                    self.edges.append(Edge(total, node))
                    arriving[id(x)].append(node)

    def _sum(self, value: Value, total: Any, shares: list[str]) -> str:
        """The node where the shares of a Value that is used several times add up."""
        note = f"{len(shares)} uses"
        node = self._add("+", f"gradient of {self._label(value)}", total, (note,))
        self.edges += [Edge(share, node) for share in shares]
        return node

    def _add(self, symbol: str, name: str, gradient: Any, notes: tuple[str, ...], origin: str = "") -> str:
        id = f"n{self.start + len(self.nodes)}"
        numbers = tuple(map(number, statistics([gradient])))
        self.nodes.append(
            DrawnNode(
                id,
                Kind.GRADIENT,
                numbers,
                symbol=symbol,
                name=name,
                form=form(gradient),
                notes=(*notes, *told([gradient])),
                alarm=not is_finite(gradient),
                origin=origin,
            )
        )
        return id

    def _rule(self, value: Value, k: int) -> tuple[str, list[str]]:
        """The op's rule for its k-th operand, times the incoming gradient g, and what its letters stand for.

        Operands read as the user calls them. Those without a name keep the rule's own letter, unless something else has it.
        """
        op = value.grad_fn
        if op is None or (op.shares is None and op.rules[k] is None):
            return "", []
        text, legend = rule_formula(op, k).replace("-", "−"), []
        if not text:  # a rule that cannot be read as a formula
            return f"g · ∂{op.name}" if op.elementwise else f"gradient of {op.name}", []
        operands = dict(zip(op.arrays, value.inputs, strict=False)) | {"y": value}
        free = (letter for letter in _FREE if letter not in self.taken)
        for letter in dict.fromkeys(_LETTER.findall(text)):
            operand = operands.get(letter)
            own = self._called(operand)
            if not own and operand is not None:
                own = letter if letter not in self.taken else next(free)
                legend.append(f"{own} is the result of {self._label(operand)}")
            operands[letter] = own or letter
        text = _LETTER.sub(lambda match: str(operands[match[0]]), text)
        if op.elementwise:
            text = _SIGNS.get(text) or (f"g · ({text})" if _LOOSE.search(text) else f"g · {text}")
        return text, legend

    def _called(self, x: Any) -> str:
        """What an operand reads as in a rule: its name, or a plain number itself."""
        if isinstance(x, Value):
            return self.called.get(id(x), "")
        return "" if x is None or np.ndim(x) else _factor(constant(x))

    def _label(self, x: Any) -> str:
        """What a Value is called, or the operation that computed it."""
        data, op = (x.data, x.grad_fn) if isinstance(x, Value) else (x, None)
        return self.called.get(id(x)) or (op.symbol if op is not None else form(data) or number(data))


def _factor(text: str) -> str:
    return f"({text})" if text.startswith("−") else text


def _gradients(values: list[Value]) -> tuple[dict[int, Any], dict[tuple[int, int], Any]]:
    """The gradient of each Value, by id, and the share of each use, by id of the result and number of the operand."""
    output = values[-1]
    totals: dict[int, Any] = {id(output): np.ones(output.shape, output.dtype) if output.shape else 1.0}
    shares: dict[tuple[int, int], Any] = {}
    for value in reversed(values):
        _check(value)
        if value.grad_fn is None or id(value) not in totals:
            continue
        for k, (x, share) in enumerate(zip(value.inputs, passed_on(value, totals[id(value)]), strict=True)):
            if share is not None:
                shares[id(value), k] = share
                totals[id(x)] = totals[id(x)] + share if id(x) in totals else share
    return totals, shares


def _check(value: Value) -> None:
    """Raises GraphError if there is no chain rule to draw any more."""
    if value.grad_fn is not None and not value.inputs:
        raise GraphError("graph: a part of the graph was released by backward(retain_graph=False); record it again")
    if any(isinstance(x, Value) and x.tick >= value.tick for x in value.inputs):
        raise GraphError(
            "graph: a leaf was changed in place after it was used, so its gradient would be wrong; record the expression again"
        )
