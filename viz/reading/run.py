"""Run: one run of a model as a tree of steps, which are calls of modules and the operations between them.

`nn.observing` tells of every call when it is over, innermost first. Which calls are still open around it, and around an
operation that raised an error, stand on Python's stack: they are the frames of `Module.__call__`. What was computed between
two calls is found by walking back from their inputs and outputs, through what each Value was computed from, to results
that are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from traceback import walk_tb
from types import FrameType
from typing import Any

import numpy as np

from nn import Module, observing
from tinygrad_edu import DTypeError, Op, Value, enable_grad

from ..drawing import Kind
from .frames import calls_among, stack, values_in
from .models import as_arrays, input_names
from .restore import left_as_it_was
from .steps import Step, inputs_of, is_data, parts


@dataclass(eq=False, slots=True)
class _Open:
    """A call that has not returned: its frame, its step, and the Values that passed through a module inside it, as they were."""

    frame: FrameType
    step: Step
    passed: list[tuple[Any, Step]] = field(default_factory=list)


class Run:
    """Runs a model once, recorded, in the mode that it is in, and leaves it as it was.

    Args:
        model: what to run.
        inputs: plain arrays, numbers or Values, as many as the model takes.
        names: what Values and arrays are called.
        loss: a function of what the model returns, to run after it; None for none.

    Attributes:
        inputs: a step for each input that holds numbers.
        steps: what happened, in order: the call of the model itself, around all else but the loss.
        outputs: a step for each array that came out; none if an error was raised.
    """

    def __init__(
        self,
        model: Module,
        inputs: tuple[Any, ...],
        names: Mapping[str, Any],
        loss: Callable[[Any], Any] | None = None,
    ) -> None:
        self.loss = loss
        self.model, self.steps, self.outputs = model, list[Step](), list[Step]()
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._first: dict[int, str] = {}  # of each module that was called, by id: where it was called first
        self._made: dict[Any, Step] = {p: Step(Kind.PARAMETER, weights=(path,)) for path, p in model.named_parameters()}
        self._memory: dict[int, Step] = {}  # by id, inputs that are plain arrays: any view of one is that input
        self._open: list[_Open] = []
        self._kept: list[Any] = []  # what ids refer to, so that they stay its own
        plain = as_arrays(inputs)
        self._given = [_recordable(x) for x in plain]
        self._lent = [given for x, given in zip(plain, self._given, strict=True) if x is not given]
        self.inputs = list(self._name(plain, input_names(model.forward, plain, names)))

    def __call__(self) -> None:
        """Run the model. If it raises an error, so does this; the steps then end in one that failed."""
        self._below = len(calls_among(stack()))
        with left_as_it_was(self.model), enable_grad(), observing(self._look):
            try:
                output = self.model(*self._given)
                output = output if self.loss is None else _drawable(self.loss(output))
            except Exception as error:
                self._fail(error)
                raise
            finally:
                for given in self._lent:  # data from now on, as they were
                    given.requires_grad = False
        results, name = [x for x in parts(output) if is_data(x)], "output" if self.loss is None else "loss"
        for i, x in enumerate(results):
            path = f"{name} {i + 1}" if len(results) > 1 else name
            self.outputs.append(Step(Kind.OUTPUT, x, path, sources=[self.source(x)]))

    def source(self, x: Any) -> Step:
        """The step that x came from. Operations not seen before become steps of the innermost open call."""
        waiting = [x]
        while waiting:
            step = self._known(waiting[-1])
            pending = [] if step else [i for i in inputs_of(waiting[-1]) if is_data(i) and not self._known(i)]
            waiting += reversed(pending)
            if not pending:
                last = waiting.pop()
                if step is None:
                    self._make(last, self._new(last))
        return self._known(x) or self._new(x)

    def _name(self, inputs: list[Any], names: list[str]) -> Iterator[Step]:
        """A step for each input that holds numbers."""
        for x, given, name in zip(inputs, self._given, names, strict=True):
            if is_data(given):
                kind = Kind.LEAF if isinstance(x, Value) and x.requires_grad else Kind.DATA
                step = Step(kind, given, path=name)
                self._make(given, step)
                if isinstance(given, np.ndarray):
                    self._memory[id(_memory(given))] = step
                yield step

    def _known(self, x: Any) -> Step | None:
        if isinstance(x, np.ndarray):
            return self._made.get(id(x)) or self._memory.get(id(_memory(x)))
        return self._made.get(x) if isinstance(x, Value) else None

    def _make(self, x: Any, step: Step) -> None:
        self._kept.append(x)
        if is_data(x):
            self._made[x if isinstance(x, Value) else id(x)] = step

    def _new(self, x: Any) -> Step:
        """A step for what no module computed, its inputs being known; parameters of a module around it only get a mention."""
        if not inputs_of(x):
            return Step((Kind.LEAF if x.requires_grad else Kind.DATA) if isinstance(x, Value) else Kind.CONSTANT, x)
        operands = filter(is_data, x.inputs)  # plain numbers are part of the operation
        sources = [self._known(operand) or self._new(operand) for operand in operands]
        weights = tuple(dict.fromkeys(path for step in sources if step.kind is Kind.PARAMETER for path in step.weights))
        if weights and all(step.kind in (Kind.PARAMETER, Kind.CONSTANT) for step in sources):
            return Step(Kind.PARAMETER, weights=weights)
        sources = [step for step in sources if step.kind is not Kind.PARAMETER]
        step = Step(Kind.RESULT, x, op=x.grad_fn, sources=sources, weights=weights)
        (self._open[-1].step.inside if self._open else self.steps).append(step)
        return step

    # -- Calls ---------------------------------------------------------------------------------------------------------

    def _look(self, module: Module, inputs: tuple[Any, ...], output: Any) -> None:
        """A call is over: its output is known from now on."""
        self._enter(calls_among(stack())[self._below :])
        results = [x for x in parts(output) if is_data(x)]
        call = self._open[-1]
        step = call.step
        step.result = results[0] if len(results) == 1 else tuple(results)
        if step.inside:
            made = [self.source(x) for x in results]
            for x, before in reversed(call.passed):  # as the paths around this call find it
                self._make(x, before)
            self._open.pop()
        else:
            step.sources = list(dict.fromkeys([*step.sources, *self._reached(results)]))
            made = [step] * len(results)
            self._open.pop()
        for x, source in zip(results, made, strict=True):
            before = self._known(x)
            if before is not None and before is not source and self._open:
                self._open[-1].passed.append((x, before))
            self._make(x, source)
        self._close(step)

    def _enter(self, calls: Sequence[FrameType]) -> None:
        """Open those of the calls, outermost first, that are not open yet; their inputs are known then."""
        same = 0
        while same < min(len(calls), len(self._open)) and calls[same] is self._open[same].frame:
            same += 1
        while len(self._open) > same:  # it raised an error that the model caught
            self._close(self._open.pop().step)
        for frame in calls[same:]:
            module, given = frame.f_locals["self"], frame.f_locals
            inputs = [x for x in parts((given["inputs"], given["options"])) if is_data(x)]
            sources = [step for step in map(self.source, inputs) if step.kind is not Kind.PARAMETER]
            path, first = self._path(module), self._first.get(id(module), "")
            self._first.setdefault(id(module), path)
            step = Step(Kind.MODULE, None, path, module, sources=list(dict.fromkeys(sources)), same_as=first)
            self._open.append(_Open(frame, step))

    def _close(self, step: Step) -> None:
        (self._open[-1].step.inside if self._open else self.steps).append(step)

    def _path(self, module: Module) -> str:
        """Where a module is that is called now; of a shared one, the next of its places in the module around it."""
        if self._open and (around := self._open[-1].step).module is not None:
            places = [path for path, child in around.module.children() if child is module]
            calls = sum(step.module is module for step in around.inside)
            if places:
                place = places[min(calls, len(places) - 1)]
                return f"{around.path}.{place}" if around.path else place
        return self._paths.get(id(module), "")

    def _reached(self, results: list[Any]) -> Iterator[Step]:
        """What is known of all that the results were computed from, parameters left out."""
        waiting = [x for x in results if not self._known(x)]
        seen = set(map(id, waiting))
        while waiting:
            for x in inputs_of(waiting.pop()):
                step = self._known(x)
                if step is None and isinstance(x, Value) and id(x) not in seen:
                    seen.add(id(x))
                    waiting.append(x)
                elif step is not None and step.kind is not Kind.PARAMETER:
                    yield step

    def _fail(self, error: Exception) -> None:
        """Mark what raised the error: the innermost open module if nothing was called in it, else an operation of its own."""
        frames = [frame for frame, _ in walk_tb(error.__traceback__)]
        self._enter(calls_among(frames))
        message = f"{type(error).__name__}: {error}"
        if self._open and not self._open[-1].step.inside:
            self._open[-1].step.kind, self._open[-1].step.error = Kind.FAILED, message
        elif self._open or self.steps:  # else the model could not even be called
            self._add_failed(frames, message)
        while self._open:
            self._close(self._open.pop().step)

    def _add_failed(self, frames: list[FrameType], message: str) -> None:
        """A step for an operation between modules, or of the loss, that failed: of what fails by itself, all that it holds."""
        last = self._open[-1] if self._open else None
        inner = frames[frames.index(last.frame) + 1 :] if last else frames[1:]
        held = [(frame.f_locals.get("op"), values_in(frame)) for frame in inner]
        calls = [(op, values) for op, values in held if values and isinstance(op, Op)]
        op, operands = calls[-1] if calls else (None, held[0][1] if held else [])
        sources = dict.fromkeys(step for step in map(self.source, operands) if step.kind is not Kind.PARAMETER)
        path, module = (last.step.path, last.step.module) if last else ("loss", None)
        self._close(Step(Kind.FAILED, path=path, module=module, op=op, error=message, sources=list(sources)))


def _memory(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array that a view is of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _drawable(lost: Any) -> Any:
    if not is_data(lost):
        raise DTypeError(f"graph: the loss returned {type(lost).__name__}, expected a Value computed from the output")
    return lost


def _recordable(x: Any) -> Any:
    """An input as a Value that gradient flows to, so that every operation on it is recorded; integers and options as they are."""
    if not is_data(x) or x.dtype.kind != "f" or (isinstance(x, Value) and x.requires_grad):
        return x
    return Value(x.data, copy=False, name=x.name) if isinstance(x, Value) else Value(x, copy=False)
