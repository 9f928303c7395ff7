"""Calls of modules: which operations of a run each of them recorded, so that a network is stepped through by layer.

Every recording advances one clock, so the operations of a call are those recorded between its beginning and its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nn import Module, observing
from tinygrad_edu import DTypeError, GraphError, ShapeError, Value, enable_grad

from ..drawing import Drawing, Group, Kind
from ..reading.models import as_arrays, check_run, input_names
from ..reading.restore import left_as_it_was
from ..reading.steps import is_data
from ..text import data_of, entitled, tail
from .notation import LONGEST_LABEL
from .trace import Trace, trace


@dataclass(eq=False, slots=True)
class Call:
    """One call of a module.

    Args:
        title: where the module is in the model, and what it is: "0: Linear(4, 8)".
        around: the call in which it was made; None for the outermost.
        start, end: the ticks between which its operations were recorded.
        is_loss: whether it is that of the loss.
    """

    title: str
    around: Call | None
    start: int
    is_loss: bool = False
    end: int = 0

    def within(self) -> list[Call]:
        """The calls around it, outermost first, and itself."""
        return [*(self.around.within() if self.around else ()), self]


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
        GraphError: if all parameters are frozen, and as `trace`.
        Exception: what the run raises.
    """
    if not isinstance(model, Module):
        raise DTypeError(f"step: got {type(model).__name__}, expected a Value, or a Module and its inputs")
    check_run("step", model, inputs, loss, "step(model, x)")
    if not any(x.requires_grad for x in (*model.parameters(), *inputs) if isinstance(x, Value)):
        raise GraphError(
            f"step: all parameters of {type(model).__name__} are frozen, so no gradient flows; see Module.freeze"
        )
    given = list(_named(model, inputs, names or {}))
    result, calls = _run(model, given, loss)
    paths = {p: tail(path, LONGEST_LABEL) for path, p in model.named_parameters()}
    own = {id(data_of(x)) for x in given if is_data(x)}

    def by_layer(drawing: Drawing, data: list[Any], places: dict[Value, int], sources: list[list[int]]) -> Drawing:
        nodes = list(drawing.nodes)
        for p, path in paths.items():
            if p in places:
                nodes[places[p]] = replace(nodes[places[p]], kind=Kind.PARAMETER, name=path)
        nodes[-1] = replace(nodes[-1], name=nodes[-1].name or ("output" if loss is None else "loss"))
        outside = {i for i, x in enumerate(data) if id(x) in own}
        outside |= {
            i for x, i in places.items() if not x.requires_grad and x not in paths
        }  # computed from the inputs alone
        homes = _homes(places, sources, calls, outside)
        return replace(drawing, nodes=tuple(nodes), groups=_groups(homes, calls))

    return trace(result, names, f"{type(model).__name__}, step by step" if title is None else title, by_layer)


def _named(model: Module, inputs: Sequence[Any], names: Mapping[str, Any]) -> Iterator[Any]:
    """The inputs; arrays of floats as Values, so that they have a name and a node of their own."""
    given = as_arrays(inputs)
    for x, name in zip(given, input_names(model.forward, given, names), strict=True):
        is_plain = isinstance(x, np.ndarray) and x.dtype.kind == "f"
        yield Value(x, requires_grad=False, copy=False, name=name) if is_plain else x


def _run(model: Module, inputs: Sequence[Any], loss: Callable[[Any], Any] | None) -> tuple[Value, list[Call]]:
    """The number that a model and a loss come to, and the calls, in the order in which they began, without the model's own."""
    paths = {id(module): path for path, module in model.named_modules()}
    calls: list[Call] = []
    running: list[Call] = []
    times: Counter[Module] = Counter()

    def begin(title: str, is_loss: bool = False) -> None:
        calls.append(Call(title, running[-1] if running else None, _now(), is_loss))
        running.append(calls[-1])

    def end(_: Any = None) -> None:
        running.pop().end = _now()

    def enter(module: Module) -> None:
        path, told = paths.get(id(module), ""), f"{type(module).__name__}({module.describe()})"
        times[module] += 1
        again = f", call {times[module]}" if times[module] > 1 else ""
        begin(entitled(path, f"{told}{again}"))

    with left_as_it_was(model), enable_grad(), observing(enter=enter, leave=end):
        result = model(*inputs)
        if loss is not None:
            begin("loss", is_loss=True)
            result = loss(result)
            end()
    source = "the model" if loss is None else "loss"
    if not isinstance(result, Value):
        raise DTypeError(
            f"step: {source} returned {type(result).__name__}, expected a Value that is a single number; give a loss="
        )
    if result.size != 1:
        raise ShapeError(
            f"step: {source} returned shape {result.shape}, expected a single number; give a loss=, such as lambda y: y.mean()"
        )
    for call in calls[1:]:
        call.around = None if call.around is calls[0] else call.around
    return result, calls[1:]


def _now() -> int:
    """The tick that a Value gets which is made now."""
    return Value(0.0).tick


def _groups(homes: Sequence[Call | None], calls: Sequence[Call]) -> tuple[Group, ...]:
    """A frame for each call that computed something, for the loss if it took several operations; closed, save one that holds all.

    Args:
        homes: for each node the innermost call that it belongs to.
        calls: all of them.
    """
    counts = Counter(call for home in homes if home for call in home.within())
    shown = [call for call in calls if counts[call] > call.is_loss]
    ids = {call: f"g{i}" for i, call in enumerate(shown)}
    members: dict[Call, list[str]] = {call: [] for call in shown}
    for i, home in enumerate(homes):
        around = [call for call in home.within() if call in ids] if home else []
        if around:
            members[around[-1]].append(f"n{i}")
    outermost = [call for call in shown if call.around is None and not call.is_loss]
    is_wrapped = len(outermost) == 1 and any(call.around is outermost[0] for call in shown)
    return tuple(
        Group(
            ids[call],
            call.title,
            tuple(members[call]),
            parent=ids[call.around] if call.around else "",
            closed=not (is_wrapped and call is outermost[0]),
        )
        for call in shown
    )


def _homes(
    values: Mapping[Value, int], sources: Sequence[Sequence[int]], calls: Sequence[Call], outside: set[int]
) -> list[Call | None]:
    """For each node the innermost call that it belongs to; what is not computed stands with its users.

    Args:
        values: for each Value the number of its node.
        sources: for each node the numbers of its operands.
        calls: in the order in which they began.
        outside: nodes that stay outside of all calls.
    """
    homes: list[Call | None] = [None] * len(sources)
    for value, i in values.items():
        if value.grad_fn is not None:
            around = [call for call in calls if call.start < value.tick < call.end]
            homes[i] = around[-1] if around else None  # the one that began last
    users: list[list[int]] = [[] for _ in sources]
    for i, operands in enumerate(sources):
        for k in operands:
            users[k].append(i)
    for i, operands in enumerate(sources):
        if not operands and i not in outside:
            homes[i] = _common([homes[k] for k in users[i]])
    return homes


def _common(homes: Sequence[Call | None]) -> Call | None:
    """The innermost call around all of these."""
    trails = [home.within() if home else [] for home in homes]
    same = [levels[0] for levels in zip(*trails, strict=False) if len(set(levels)) == 1]
    return same[-1] if same else None
