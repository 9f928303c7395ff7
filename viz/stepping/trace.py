"""The forward and the backward pass of a recorded expression as a list of steps: plain data, ready for a page.

All numbers are the engine's: values as recorded, gradients from a backward pass, and what each operation passes on to each of
its inputs from a backward pass of that operation alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from tinygrad_edu import ShapeError, Value

from ..drawing import Drawing, Kind
from ..drawings.expression import drawing_of
from ..reading.passing import passed_on
from ..text import data_of, listed, statistics
from .formulas import rule_text
from .javascript import formula, why_not
from .notation import applied, labels_of, named, template, whole

# Takes a drawing, the data of each node, which node each Value is, and the operands of each node.
Arrange: TypeAlias = "Callable[[Drawing, list[Any], dict[Value, int], list[list[int]]], Drawing]"
Numbers: TypeAlias = tuple[float, ...]  # a scalar's one, an array's mean, least and largest; () of an empty array


@dataclass(frozen=True, slots=True)
class NodeData:
    """One node of the drawing in numbers and words.

    Args:
        label: its name; without one v1, v2, ... for results in the order of their computation, x1, x2, ... for inputs,
            c1, c2, ... for constant arrays, and the number itself for constant numbers.
        kind: as drawn.
        form: shape and dtype of an array, "" for a scalar.
        value: its numbers.
        gradient: its numbers after the backward pass; None if no gradient reaches it.
        value_listed, gradient_listed: all numbers of a small array, see `text.listed`.
        op: the operation's name, "" for what is not computed.
        text: the operation's notation, with {0}, {1}, ... for the operands.
        inputs: its operands, by position among the nodes.
        formula: the operation in JavaScript, "" if the page cannot compute it.
    """

    label: str
    kind: Kind
    form: str
    value: Numbers
    gradient: Numbers | None = None
    value_listed: str = ""
    gradient_listed: str = ""
    op: str = ""
    text: str = ""
    inputs: tuple[int, ...] = ()
    formula: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """What one operation passes on to one of its inputs in the backward pass.

    Args:
        result: the node that was computed, whose gradient comes in.
        operand: which of its inputs gets the share.
        source: that input's node.
        rule: the formula, see `formulas.rule_text`.
        is_factor: whether the formula is a factor of the incoming gradient, as for elementwise operations, or the whole share.
        factor: that factor as a number, where all are scalars; None else.
        share: the numbers of the share.
        total: the numbers of the source's gradient with this share added.
        share_listed, total_listed: all numbers of small arrays.
    """

    result: int
    operand: int
    source: int
    rule: str
    is_factor: bool
    factor: float | None
    share: Numbers
    total: Numbers
    share_listed: str = ""
    total_listed: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole story of one expression.

    Args:
        drawing: its graph.
        nodes: one for each drawn node.
        forward: the nodes that operations compute, in the order in which that was recorded.
        backward: the shares in the order in which the backward pass hands them out.
        expression: the whole expression in HTML, see `notation.Term`.
        fixed: why other inputs cannot be tried, "" if they can.
    """

    drawing: Drawing
    nodes: tuple[NodeData, ...]
    forward: tuple[int, ...]
    backward: tuple[Share, ...]
    expression: str
    fixed: str


def trace(
    output: Value, names: Mapping[str, Any] | None = None, title: str | None = None, arrange: Arrange | None = None
) -> Trace:
    """Take `output` and its gradients apart. The `.grad` of all Values stays as it is; hooks run, as in any backward pass.

    Args:
        output: the result, a single number.
        names: what Values and arrays are called.
        title: stands above the page.
        arrange: changes names and groups of the drawing.

    Raises:
        DTypeError: as `viz.graph`.
        ShapeError: if `output` is not a single number.
        GraphError: if it does not require grad, the graph was released, or a leaf was changed in place meanwhile.
    """
    if isinstance(output, Value) and output.size != 1:
        raise ShapeError(
            f"step: got a Value of shape {output.shape}, expected a single number; step through its .sum()"
        )
    drawing = drawing_of(output, names, title)
    sources = _sources(drawing)
    data, places = _matched(output, sources)
    if arrange is not None:
        drawing = arrange(drawing, data, places, sources)
    order = sorted((x for x in places if x.requires_grad), key=lambda x: x.tick)
    gradients = _gradients(output, order)
    computed = [x for x in order if x.grad_fn is not None]
    labels = labels_of(drawing, [places[x] for x in computed])
    nodes = [
        NodeData(
            labels[i],
            node.kind,
            node.form,
            _numbers(data[i]),
            value_listed=listed(data[i]),
            inputs=tuple(sources[i]),
        )
        for i, node in enumerate(drawing.nodes)
    ]
    for x in order:
        g, i = gradients[x], places[x]
        numbers, all_numbers = (None, "") if g is None else (_numbers(g), listed(g))
        nodes[i] = replace(nodes[i], gradient=numbers, gradient_listed=all_numbers, **_operation(x))
    terms = [named(label, i) for i, label in enumerate(labels)]
    for x in computed:
        i = places[x]
        terms[i] = whole(applied(x, [terms[k] for k in sources[i]]), labels[i], i)
    last = places[output]
    if computed and terms[last].text == labels[last]:
        terms[last] = applied(output, [named(labels[k], k) for k in sources[last]])
    return Trace(
        drawing,
        tuple(nodes),
        forward=tuple(places[x] for x in computed),
        backward=tuple(_backward(computed, gradients, places)),
        expression=f"{named(labels[last], last).markup} = {terms[last].markup}" if computed else terms[last].markup,
        fixed=_why_fixed(order),
    )


def _sources(drawing: Drawing) -> list[list[int]]:
    """For each drawn node the positions of its operands, in their order."""
    position = {node.id: i for i, node in enumerate(drawing.nodes)}
    sources: list[list[int]] = [[] for _ in drawing.nodes]
    for edge in drawing.edges:
        sources[position[edge.target]].append(position[edge.source])
    return sources


def _matched(output: Value, sources: list[list[int]]) -> tuple[list[Any], dict[Value, int]]:
    """The data of each drawn node, and which node each Value is: found along the arrows from the output, which is drawn last."""
    data: list[Any] = [None] * len(sources)
    places: dict[Value, int] = {}
    waiting: list[tuple[Any, int]] = [(output, len(sources) - 1)]
    while waiting:
        x, i = waiting.pop()
        if not isinstance(x, Value):
            data[i] = x
        elif x not in places:
            places[x], data[i] = i, x.data
            waiting += zip(x.inputs, sources[i], strict=True)
    return data, places


def _gradients(output: Value, order: Sequence[Value]) -> dict[Value, Any]:
    """The gradient of each Value, by the engine's backward pass; the Values' own are put back."""
    kept = [(x, x.grad) for x in order]
    try:
        for x in order:
            x.grad = None  # leaves would add to theirs
        output.backward()
        return {x: x.grad for x in order}
    finally:
        for x, grad in kept:
            x.grad = grad


def _backward(computed: Sequence[Value], gradients: Mapping[Value, Any], places: Mapping[Value, int]) -> list[Share]:
    """The shares in the engine's order: results latest first, operands in their order."""
    totals: dict[Value, Any] = {}
    shares = []
    for value in reversed(computed):
        op, g = value.grad_fn, gradients[value]
        if op is None or g is None:
            continue
        scalar = op.elementwise and not any(np.ndim(data_of(x)) for x in value.inputs)
        factors = passed_on(value, 1.0) if scalar else None
        for i, (x, share) in enumerate(zip(value.inputs, passed_on(value, g), strict=True)):
            if share is None:
                continue
            totals[x] = totals[x] + share if x in totals else share
            factor = float(factors[i]) if factors else None
            rule = rule_text(op, i)
            place = places[value], i, places[x]
            total = totals[x]
            shares.append(
                Share(
                    *place,
                    rule,
                    op.elementwise,
                    factor,
                    _numbers(share),
                    _numbers(total),
                    share_listed=listed(share),
                    total_listed=listed(total),
                )
            )
    return shares


def _operation(x: Value) -> dict[str, Any]:
    """The fields of a NodeData that tell how a Value was computed."""
    if x.grad_fn is None:
        return {}
    op = x.grad_fn
    computable = type(x.data) is float and not why_not(op, x.params)
    return {"op": op.name, "text": template(x), "formula": formula(op, x.params) if computable else ""}


def _numbers(data: Any) -> Numbers:
    return tuple(map(float, statistics([data])))


def _why_fixed(order: Sequence[Value]) -> str:
    """Why the page cannot compute with other inputs, "" if it can: it knows single float64 numbers, and what can be read."""
    for x in order:
        op = x.grad_fn
        if type(x.data) is not float:
            what = "an input" if op is None else op.name
            return (
                f"{what} is {'an array' if x.ndim else x.dtype}, and the page computes with single float64 numbers only"
            )
        if op is not None and (reason := why_not(op, x.params)):
            return f"the page has no formula for {op.name}: {reason}"
        if "hooks" in (x.extra or {}):
            return "a hook changes gradients on the way"
    return ""
