"""From a recorded expression to a Drawing of it: one node for each Value and constant, one arrow for each operand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from tinygrad_edu import DTypeError, Node, Op, Value

from .drawing import NO_GRADIENT, STATISTICS, Drawing, DrawnNode, Edge, Kind
from .text import form, parameters, plain, summary

_RELEASED = "released"
_CHANGED = "changed in place since"  # so its results were computed from other numbers
_MOST_TOLD = 40  # nodes that the description goes through one by one; nobody listens to more
_PROBE = (0.3, 0.7)  # in the domain of most operations, and where none is symmetric by accident (as 2**4 is)


def drawing_of(output: Value, names: Mapping[str, Any] | None = None, title: str | None = None) -> Drawing:
    """Draw what `output` was computed from; see `viz.graph`."""
    _check(output, names, title)
    values = _inputs_first(output)
    called = _names(names or {})
    changed = {id(x) for value in values for x in value.inputs if isinstance(x, Value) and x.tick >= value.tick}
    ids: dict[int, str] = {}  # by identity, of Values and of arrays: equal numbers need not be the same number
    nodes: list[DrawnNode] = []
    edges: list[Edge] = []
    for value in values:
        sources = []
        for x in value.inputs:
            source = ids.get(id(x)) if isinstance(x, (Value, np.ndarray)) else None
            if source is None:
                source = f"n{len(nodes)}"
                nodes.append(DrawnNode(source, Kind.CONSTANT, summary(x), name=called.get(id(x), ""), form=form(x)))
                ids[id(x)] = source
            sources.append(source)
        target = ids[id(value)] = f"n{len(nodes)}"
        nodes.append(_node(value, target, called.get(id(value), ""), value is output, id(value) in changed))
        labels = _operands(value.grad_fn, len(sources))
        edges += [Edge(source, target, label) for source, label in zip(sources, labels, strict=True)]
    return Drawing(title or "", _description(nodes), tuple(nodes), tuple(edges))


def _check(output: Value, names: Mapping[str, Any] | None, title: str | None) -> None:
    got = type(output).__name__
    if not isinstance(output, Value):
        raise DTypeError(f"graph: got {got}, expected a Value; compute the number from Values and pass the result")
    if names is not None and not isinstance(names, Mapping):
        raise DTypeError(
            f"graph: got names of type {type(names).__name__}, expected a mapping from name to Value; locals() is one"
        )
    if title is not None and not isinstance(title, str):
        raise DTypeError(f"graph: got a title of type {type(title).__name__}, expected text")


def _inputs_first(output: Value) -> list[Value]:
    """All Values that `output` was computed from, each after its inputs, operands in their order, `output` last."""
    found: dict[Value, None] = {}
    stack = [output]
    while stack:
        value = stack[-1]
        pending = [x for x in value.inputs if isinstance(x, Value) and x not in found]
        if pending:
            stack += reversed(pending)
        else:
            found[stack.pop()] = None
    return list(found)


def _names(names: Mapping[str, Any]) -> dict[int, str]:
    """What Values and arrays are called, by identity: the first of several names, IPython's _ and _12 last."""
    called: dict[int, str] = {}
    for name, x in sorted(names.items(), key=lambda item: str(item[0]).startswith("_")):
        if isinstance(x, (Value, np.ndarray)):
            called.setdefault(id(x), str(name))
    return called


def _node(value: Value, id: str, name: str, is_output: bool, is_changed: bool) -> DrawnNode:
    op, grad = value.grad_fn, value.grad
    notes = []
    if op is None:
        kind = Kind.LEAF if value.requires_grad else Kind.DATA
    else:
        kind = Kind.OUTPUT if is_output else Kind.RESULT
    if op is not None and not value.inputs:
        notes.append(_RELEASED)  # and with the graph went the gradients of all but leaves
    elif value.requires_grad and grad is None:
        notes.append(NO_GRADIENT)
    if is_changed:
        notes.append(_CHANGED)
    return DrawnNode(
        id,
        kind,
        summary(value.data),
        symbol="" if op is None else op.symbol,
        params=parameters(value),
        name=str(value.name or name),
        form=form(value.data),
        gradient=() if grad is None else summary(grad.data if isinstance(grad, Node) else grad),
        notes=tuple(notes),
    )


def _operands(op: Op | None, count: int) -> Sequence[str]:
    """Labels for the arrows to an operation: which operand each brings, if they may not change places.

    One-letter names such as a and b would be taken for the user's own variables, so those read 1st and 2nd.
    """
    if op is None or count < 2 or _commutes(op, count):
        return [""] * count
    arguments = [] if op.variadic else list(signature(op.forward).parameters)[:count]
    named = {i: name for i, name in enumerate(arguments) if len(name) > 1}
    return [named.get(i, _ordinal(i + 1)) for i in range(count)]


def _commutes(op: Op, count: int) -> bool:
    """Whether the operands may change places. The operation itself is asked, so that there is no list of names to keep."""
    if not op.elementwise or count != 2:
        return False
    a, b = _PROBE
    try:
        with np.errstate(all="ignore"):
            return bool(op.forward(a, b) == op.forward(b, a))
    except (ArithmeticError, ValueError):
        return False


def _ordinal(n: int) -> str:
    suffix = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"


def _description(nodes: Sequence[DrawnNode]) -> str:
    """The drawing in words. Of a large one only the output."""
    told = nodes if len(nodes) <= _MOST_TOLD else nodes[-1:]
    count = f"{len(nodes)} nodes" if len(nodes) > 1 else "1 node"
    return f"{count}, from the inputs on the left to the output on the right. " + "; ".join(map(_in_words, told)) + "."


def _in_words(node: DrawnNode) -> str:
    what = " ".join(filter(None, (node.kind, plain(node.name), node.symbol, node.params)))
    numbers = [_numbers("value", node.value), _numbers("gradient", node.gradient)]
    return f"{what}: " + ", ".join(filter(None, (node.form, *numbers, *node.notes)))


def _numbers(what: str, numbers: tuple[str, ...]) -> str:
    """As "value 2", or of an array "value mean 2, min 1, max 3"."""
    if len(numbers) <= 1:
        return " ".join((what, *numbers)) if numbers else ""
    return f"{what} " + ", ".join(map(" ".join, zip(STATISTICS, numbers, strict=True)))
