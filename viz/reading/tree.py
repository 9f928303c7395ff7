"""From the calls of a run and what it recorded to a tree of steps: calls of modules, and the operations between them.

Which call recorded an operation is known from the clock. Where an operand comes from is known from its identity, and, as
modules may return what they were given, from the clock again: from the last call that had returned it by then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from nn.calls import Call, is_array, parts
from tinygrad_edu import TinygradError, Value

from ..drawing import Kind
from .operands import labels
from .run import Run
from .steps import OUTSIDE, Step

_UNRECORDED = -1  # the tick of a result that was not recorded, which tells no time


class Tree:
    """The steps of a run.

    Args:
        run: which has ended, be it by an error.

    Attributes:
        inputs: a step for each input.
        steps: what happened, in order: the call of the model itself, around all but the operations of the loss, and those that
            were recorded before.
        outputs: a step for each array that came out; none if an error was raised.
        model: the step of the model's own call; None if it could not even be called.
        paths: those of the model's modules and parameters, by id.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.failed, self.inside = run, _failed(run), _drawn(run)
        self.innermost = run.calls.innermost()
        self.inputs = [
            Step(Kind.LEAF if trained else Kind.DATA, x, name)
            for (name, x), trained in zip(run.inputs, run.trained, strict=True)
        ]
        self.known: dict[int, Step] = {id(step.result): step for step in self.inputs}  # by id, what no call computed
        self.paths = {id(x): path for path, x in (*run.model.named_modules(), *run.model.named_parameters())}
        self.homes: dict[Value, Call] = {}  # for each operation the call that recorded it
        self.returned: dict[int, list[Call]] = defaultdict(list)
        for call in sorted(self.inside, key=attrgetter("end")):
            for x in _arrays(call.output):
                self.returned[id(x)].append(call)
        self._build()

    def _build(self) -> None:
        first: dict[int, Call] = {}
        made = {call: self._step(call, first.setdefault(id(call.module), call)) for call in self.inside}
        self.boxes = {call: step for call, step in made.items() if not self.inside[call] and call.module is not None}
        timed: dict[Call, list[tuple[float, Step]]] = {call: [] for call in made}
        homes: list[tuple[Value, Call, Step]] = []
        for x in self._recorded():
            call, name = self._home(x), x.grad_fn.name if x.grad_fn else ""
            self.homes[x] = call
            if call in self.boxes:
                self.boxes[call].ops.append(name)
            else:
                step = self.known[id(x)] = Step(Kind.RESULT, x, op=x.grad_fn, ops=[name])
                timed[call].append((x.tick, step))
                homes.append((x, call, step))
        for call, step in made.items():
            if call.around is not None:
                timed[call.around].append((call.start, step))
        for x, call, step in homes:
            operands = [operand for operand in x.inputs if is_array(operand)]  # plain numbers are part of the operation
            step.sources = [self._source(operand, call, x.tick) for operand in operands]
            step.roles = (
                list(labels(x.grad_fn, len(operands))) if len(operands) == len(x.inputs) else [""] * len(operands)
            )
        for call, step in self.boxes.items():
            step.sources = list(dict.fromkeys(self._sources(call)))
        top = self.run.calls
        self.outputs = [
            Step(Kind.OUTPUT, x, name, sources=[self._source(x, top, top.end)]) for name, x in self.run.outputs
        ]
        if self.failed in timed and self.failed not in self.boxes and (top.inside or self.failed is not top):
            timed[self.failed].append((float("inf"), self._failure(self.failed)))
        for call, steps in timed.items():
            made[call].inside = [step for _, step in sorted(steps, key=lambda pair: pair[0])]
        self._place(made[top])
        self.steps = made[top].inside
        self.model = made[top.inside[0]] if top.inside else None

    def _step(self, call: Call, first: Call) -> Step:
        """The step of a call, as yet without sources and inside."""
        results = list(_arrays(call.output))
        same = "" if call is first else first.path
        step = Step(
            Kind.MODULE, results[0] if len(results) == 1 else tuple(results), call.path, call.module, same_as=same
        )
        if call is self.failed and not self.inside[call]:
            step.kind, step.error = Kind.FAILED, _message(self.run.error)
        return step

    def _recorded(self) -> list[Value]:
        """The operations that led to the outputs of the run and to the inputs and outputs of its calls, in order."""
        waiting = [x for _, x in self.run.outputs]
        for call in self.inside:
            waiting += _arrays((call.inputs, call.options, call.output))
        if self.failed is not None and isinstance(self.run.error, TinygradError) and self.run.error.failed:
            waiting += self.run.error.failed[1]
        found: dict[Value, None] = {}
        while waiting:
            x = waiting.pop()
            if isinstance(x, Value) and x.inputs and x not in found and id(x) not in self.known:
                found[x] = None
                waiting += x.inputs
        return sorted(found, key=attrgetter("tick"))

    def _home(self, x: Value) -> Call:
        """The innermost of the drawn calls that recorded an operation."""
        call = self.innermost(x.tick)
        while call not in self.inside:
            assert call.around is not None
            call = call.around
        return call

    # -- Where things come from ----------------------------------------------------------------------------------------

    def _source(self, x: Any, call: Call | None, time: float) -> Step:
        """The step that an array comes from, seen from inside a call at a time."""
        here = self.returned.get(id(x), ())
        while here and call is not None:
            last = next((inner for inner in reversed(here) if inner.around is call and inner.end <= time), None)
            if last is None:
                time, call = call.start, call.around
            elif last in self.boxes:
                return self.boxes[last]
            else:
                time, call = last.end, last
        return self._origin(x)

    def _origin(self, x: Any) -> Step:
        """The step that made an array, or the array as a step of its own."""
        step = self.known.get(id(x)) or self._view(x)
        if step is None and isinstance(x, Value) and x.inputs:
            return self.boxes[self.homes[x]]
        if step is None:
            kind = Kind.CONSTANT if not isinstance(x, Value) else Kind.LEAF if x.requires_grad else Kind.DATA
            path = self.paths.get(id(x), "")
            step = Step(Kind.PARAMETER if path else kind, x, path or getattr(x, "name", None) or "")
            self.known[id(x)] = step
        return step

    def _view(self, x: Any) -> Step | None:
        """The input of which a plain array is a view."""
        given = self.run.viewed(x) if isinstance(x, np.ndarray) else None
        return self.known[id(given[1])] if given else None

    def _sources(self, call: Call) -> Iterator[Step]:
        """What a call without calls inside was given or read elsewhere, without its own parameters."""
        given = list(_arrays((call.inputs, call.options)))
        for x in given:
            yield self._source(x, call.around, call.start)
        seen = set(map(id, given)) | {id(p) for p in (call.module.parameters() if call.module else ())}
        waiting = list(_arrays(call.output))
        for x in waiting:  # which grows meanwhile
            if id(x) in seen:
                continue
            seen.add(id(x))
            if isinstance(x, Value) and self.homes.get(x) is call:
                waiting += filter(is_array, x.inputs)
            elif self._is_older(x, call.start):
                yield self._source(x, call.around, call.start)

    def _is_older(self, x: Any, time: int) -> bool:
        """Whether an array is known to be from before a time."""
        if id(x) in self.known or any(call.end <= time for call in self.returned.get(id(x), ())):
            return True
        if isinstance(x, Value):
            return bool(x.inputs) or (x.tick != _UNRECORDED and abs(x.tick) < time)
        return self._view(x) is not None

    # -- What failed ---------------------------------------------------------------------------------------------------

    def _failure(self, call: Call) -> Step:
        """The step of what failed between the modules of a call: with its operands, if it is an operation; else with the inputs
        of the call, and what was computed last in it.
        """
        error = self.run.error
        op, operands = (isinstance(error, TinygradError) and error.failed) or (
            None,
            (call.inputs, call.options, self.inside[call][-1].output),
        )
        sources = dict.fromkeys(self._source(x, call, float("inf")) for x in _arrays(operands))
        path = call.path if call.module else "loss"
        return Step(Kind.FAILED, None, path, call.module, op, list(sources), error=_message(error))

    # -- Places --------------------------------------------------------------------------------------------------------

    def _place(self, top: Step) -> None:
        """Put what comes from outside before its first use, into the innermost call around all of its uses."""
        around = dict.fromkeys(self.outputs, top)
        uses: dict[Step, dict[Step, None]] = {}
        inputs = set(self.inputs)
        for step in (*top.within(), *self.outputs):
            around.update(dict.fromkeys(step.inside, step))
            for source in step.sources:
                if source.kind in OUTSIDE and source not in inputs:
                    uses.setdefault(source, {})[step] = None
        before: dict[Step, list[Step]] = defaultdict(list)
        for source, users in uses.items():
            trails = [_trail(user, around) for user in users]
            levels = enumerate(zip(*trails, strict=False))
            before[trails[0][next((i for i, level in levels if len(set(level)) > 1), -1)]].append(source)
        for frame in dict.fromkeys(around.values()):
            frame.inside = [step for inner in frame.inside for step in (*before.pop(inner, ()), inner)]
        top.inside += [source for sources in before.values() for source in sources]  # which are outputs


def _trail(step: Step, around: dict[Step, Step]) -> list[Step]:
    """The steps around a step, outermost first, and itself."""
    trail = [step]
    while trail[-1] in around:
        trail.append(around[trail[-1]])
    return trail[::-1]


def _failed(run: Run) -> Call | None:
    """The innermost call that raised the error of the run; None if it ended well."""
    if run.error is None:
        return None
    call = run.calls
    while call.inside and call.inside[-1].error is run.error:
        call = call.inside[-1]
    return call


def _drawn(run: Run) -> dict[Call, list[Call]]:
    """The calls that are drawn, with those drawn inside; calls that raised an error are left out, if no call inside is drawn and
    the model caught the error.
    """
    inside: dict[Call, list[Call]] = {}
    failed = _failed(run)
    for call in reversed(list(run.calls.within())):
        calls = [inner for inner in call.inside if inner in inside]
        if calls or call.error is None or call is failed:
            inside[call] = calls
    return dict(reversed(inside.items()))


def _arrays(tree: Any) -> Iterator[Any]:
    return (x for _, x in parts(tree) if is_array(x))


def _message(error: Exception | None) -> str:
    return f"{type(error).__name__}: {error}"
