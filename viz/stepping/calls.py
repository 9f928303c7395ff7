"""Networks, step by step: the trace of one run, with a frame around what each call of a module computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, takewhile
from typing import Any, TypeAlias

import numpy as np

from nn import Module
from nn.calls import Call
from tinygrad_edu import DTypeError, GraphError, ShapeError, Value

from ..drawing import Drawing, Group, Kind
from ..reading.models import check_run
from ..reading.run import Run
from ..text import entitled, tail
from .notation import LONGEST_LABEL
from .trace import Trace, trace

Trail: TypeAlias = "tuple[Call, ...]"  # the calls around a node, outermost first, without the model's own


def trace_of_model(
    model: Any,
    inputs: Sequence[Any],
    loss: Callable[[Any], Any] | None = None,
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
) -> Trace:
    """The trace of one run of a model, with frames around its layers. It runs in the mode that it is in, and is left as it was
    (modules that only the loss uses are not).

    Args:
        model: any module.
        inputs: what to call it with.
        loss: what makes a single number of its output; None to take the output.
        names: what Values and arrays are called; parameters are called by their paths.
        title: stands above the page; the type of the model if None.

    Raises:
        DTypeError: if `model` is no Module, the result no Value, or another argument of another type.
        ShapeError: if the result is not a single number.
        GraphError: if there are no parameters, or all are frozen, and as `trace`.
        Exception: what the run raises.
    """
    if not isinstance(model, Module):
        raise DTypeError(f"step: got {type(model).__name__}, expected a Value, or a Module and its inputs")
    check_run("step", model, inputs, loss, "step(model, x)")
    run = Run("step", model, inputs, names, loss)
    if not any(run.trained) and not any(p.requires_grad for p in model.parameters()):
        name = type(model).__name__
        if not model.parameters():
            raise GraphError(f"step: {name} has no parameters, so no gradient flows")
        raise GraphError(f"step: all parameters of {name} are frozen, so no gradient flows; see Module.freeze")
    if run.error is not None:
        raise run.error
    result = _single_number(run.output, "the model" if loss is None else "loss")
    paths = {p: tail(path, LONGEST_LABEL) for path, p in model.named_parameters()}

    def by_layer(drawing: Drawing, data: list[Any], places: dict[Value, int], sources: list[list[int]]) -> Drawing:
        nodes = list(drawing.nodes)
        for p, path in paths.items():
            if p in places:
                nodes[places[p]] = replace(nodes[places[p]], kind=Kind.PARAMETER, name=path)
        nodes[-1] = replace(nodes[-1], name=nodes[-1].name or ("output" if loss is None else "loss"))
        outside = {places[x] for _, x in run.inputs if isinstance(x, Value) and x in places}
        for i, x in enumerate(data):
            if isinstance(x, np.ndarray) and nodes[i].kind is Kind.CONSTANT and (given := run.viewed(x)):
                outside.add(i)
                nodes[i] = replace(nodes[i], name=given[0] if given[1] is x else f"view of {given[0]}", kind=Kind.DATA)
        return replace(
            drawing, nodes=tuple(nodes), groups=_groups(run.calls, _trails(run.calls, places, sources, outside))
        )

    called = {**(names or {}), **dict(run.inputs)}
    return trace(result, called, f"{type(model).__name__}, step by step" if title is None else title, by_layer)


def _single_number(result: Any, source: str) -> Value:
    """The result. Raises DTypeError or ShapeError unless it is a Value that is a single number."""
    if not isinstance(result, Value):
        raise DTypeError(
            f"step: {source} returned {type(result).__name__}, expected a Value that is a single number; give a loss="
        )
    if result.size != 1:
        raise ShapeError(
            f"step: {source} returned shape {result.shape}, expected a single number; give a loss=, such as lambda y: y.mean()"
        )
    return result


def _groups(run: Call, trails: Sequence[Trail]) -> tuple[Group, ...]:
    """A frame for each call that computed something, for the loss if it took several operations; closed, save one that holds all.

    Args:
        run: around all calls.
        trails: of each node.
    """
    counts = Counter(call for trail in trails for call in trail)
    model, *others = run.inside
    order = [
        *model.within(),
        *(call for call in counts if call.module is None),
        *(x for o in others for x in o.within()),
    ]
    shown = [call for call in order if counts[call] > (call.module is None)]
    ids = {call: f"g{i}" for i, call in enumerate(shown)}
    members: dict[Call, list[str]] = {call: [] for call in shown}
    parents: dict[Call, str] = {}
    for i, trail in enumerate(trails):
        around = [call for call in trail if call in ids]
        parents.update({inner: ids[outer] for outer, inner in pairwise(around)})
        if around:
            members[around[-1]].append(f"n{i}")
    outermost = [call for call in shown if call not in parents and call.module is not None]
    wraps = outermost[0] if len(outermost) == 1 and ids[outermost[0]] in parents.values() else None
    return tuple(
        Group(ids[call], _title(call), tuple(members[call]), parent=parents.get(call, ""), closed=call is not wraps)
        for call in shown
    )


def _title(call: Call) -> str:
    """Where the module is in the model, and what it is: "0: Linear(4, 8)"."""
    if call.module is None:
        return "loss"
    again = f", call {call.nth}" if call.nth > 1 else ""
    return entitled(call.path, f"{type(call.module).__name__}({call.module.describe()}){again}")


def _trails(run: Call, values: Mapping[Value, int], sources: Sequence[Sequence[int]], outside: set[int]) -> list[Trail]:
    """The calls around each node; what is not computed stands with its users.

    Args:
        run: around all calls.
        values: for each Value the number of its node.
        sources: for each node the numbers of its operands.
        outside: nodes that stay outside of all calls.
    """
    innermost, model, loss = run.innermost(), run.inside[0], Call(around=run)
    trails: list[Trail] = [()] * len(sources)
    for value, i in values.items():
        if value.grad_fn is not None:
            trail = innermost(value.tick).trail()
            if trail[:1] == [model]:
                trails[i] = tuple(trail[1:])
            elif value.tick > model.end:
                trails[i] = (loss, *trail)
    users: list[list[int]] = [[] for _ in sources]
    for i, operands in enumerate(sources):
        for k in operands:
            users[k].append(i)
    for i, operands in enumerate(sources):
        if not operands and i not in outside:
            levels = zip(*(trails[k] for k in users[i]), strict=False)
            trails[i] = tuple(level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels))
    return trails
