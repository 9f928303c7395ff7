"""The calls of a run: which modules were called inside which, with what, and what they returned.

Every recording advances one clock, so the operations of a call are those recorded between its start and its end.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_edu import Value, no_grad, tree_map

from .checks import data_of, explaining
from .module import Module
from .running import Observer, observer
from .training.kept import Kept


@dataclass(eq=False, slots=True)
class Call:
    """One call of a module, or a whole run, which is around all others.

    Args:
        module: the module; None for the run.
        path: the place of the module in the model, such as "layers.0"; of a module with several places the one in the module
            around it, which each call takes in turn. "" for the model itself, and for modules outside of it.
        around: the call in which it was made; None for the run.
        inputs, options: the arguments.
        nth: 1 for the first call of this module in the run.
        start, end: the ticks between which its operations were recorded.
        output: the returned object; None if it raised an error.
        error: that error.
        inside: the calls that it made, in order.
    """

    module: Module | None = None
    path: str = ""
    around: Call | None = None
    inputs: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    nth: int = 1
    start: int = 0
    end: int = 0
    output: Any = None
    error: BaseException | None = None
    inside: list[Call] = field(default_factory=list)

    def within(self) -> Iterator[Call]:
        """This call and all inside it, in the order of their starts."""
        waiting = [self]
        while waiting:
            call = waiting.pop()
            yield call
            waiting += reversed(call.inside)

    def trail(self) -> list[Call]:
        """The calls around it, outermost first, and this call; without the run."""
        trail = [self]
        while (around := trail[-1].around) is not None:
            trail.append(around)
        return trail[-2::-1]

    def innermost(self) -> Callable[[int], Call]:
        """A function that returns the innermost call at a tick; outside of this call, this call itself."""
        changes = list(_changes(self))
        ticks = [tick for tick, _ in changes]
        return lambda tick: changes[bisect(ticks, tick) - 1][1] if tick > self.start else self


def _changes(call: Call) -> Iterator[tuple[int, Call]]:
    """The ticks after which another call is the innermost one, and that call."""
    waiting: list[tuple[Call, Iterator[Call]]] = [(call, iter(call.inside))]
    yield call.start, call
    while waiting:
        around, inside = waiting[-1]
        inner = next(inside, None)
        if inner is not None:
            waiting.append((inner, iter(inner.inside)))
            yield inner.start, inner
        else:
            waiting.pop()
            yield around.end, waiting[-1][0] if waiting else call


@contextmanager
def reading(model: Module, over: Callable[[Call], None] = lambda _: None) -> Iterator[Call]:
    """While this is open, all calls of modules are read; returns the run, a Call around them, with the calls so far inside.

    Args:
        model: tells the paths.
        over: called with each call when it ends.
    """
    reader = _Reader(model, over)
    token = observer.set(Observer(reader.enter, reader.leave))
    try:
        yield reader.run
    finally:
        observer.reset(token)
        reader.run.end = _now()


class _Reader:
    """What modules tell when they are called, as a tree of calls."""

    def __init__(self, model: Module, over: Callable[[Call], None]) -> None:
        self.run = self.now = Call(start=_now())
        self.over = over
        self.paths = {id(module): path for path, module in model.named_modules()}
        self.times: Counter[int] = Counter()
        self.places: dict[Call, dict[int, list[str]]] = {}

    def enter(self, module: Module, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> None:
        """A module begins to compute."""
        self.times[id(module)] += 1
        call = Call(module, self._path(module), self.now, inputs, options, self.times[id(module)], _now())
        self.now.inside.append(call)
        self.now = call

    def leave(self, module: Module, inputs: tuple[Any, ...], output: Any, error: BaseException | None) -> None:
        """The module that began last has ended."""
        call, around = self.now, self.now.around
        assert around is not None
        call.end, call.output, call.error, self.now = _now(), output, error, around
        self.places.pop(call, None)
        self.over(call)

    def _path(self, module: Module) -> str:
        """Where a module is that is called now; of a shared one, the next of its places in the module around it."""
        around = self.now
        if around.module is not None:
            if around not in self.places:
                self.places[around] = {}
                for path, child in around.module.children():
                    self.places[around].setdefault(id(child), []).append(path)
            here = self.places[around].get(id(module))
            if here:
                place = here.pop(0) if len(here) > 1 else here[0]
                return f"{around.path}.{place}" if around.path else place
        return self.paths.get(id(module), "")


def _now() -> int:
    """The current tick of the clock."""
    return Value(0.0).tick


@contextmanager
def left_as_it_was(model: Module, recorded: bool = False) -> Iterator[None]:
    """Restores a model's attributes, buffers and random generators afterwards.

    Args:
        model: any module.
        recorded: whether operations on frozen parameters are recorded too; then graphs recorded before become stale.
    """
    attributes = [(vars(module), dict(vars(module))) for _, module in model.named_modules()]
    kept = Kept(model)
    frozen = [p for p in model.parameters() if recorded and not p.requires_grad and p.dtype.kind == "f"]
    for parameter in frozen:
        parameter.requires_grad = True
    try:
        yield
    finally:
        kept.restore()
        for now, before in attributes:
            now.clear()
            now.update(before)
        for parameter in frozen:
            parameter.requires_grad = False


def parts(tree: Any, keys: tuple[int | str, ...] = ()) -> Iterator[tuple[tuple[int | str, ...], Any]]:
    """The contents of nested tuples, lists and dictionaries, each with its positions, keys and fields of named tuples."""
    if isinstance(tree, dict):
        items: Any = [(str(key), part) for key, part in tree.items()]
    elif isinstance(tree, (tuple, list)):
        items = zip(tree._fields, tree, strict=True) if hasattr(tree, "_fields") else enumerate(tree)
    else:
        yield keys, tree
        return
    for key, part in items:
        yield from parts(part, (*keys, key))


def own_parameters(module: Module) -> dict[str, Value]:
    """The parameters of a module that are not those of a module inside it, by path."""
    inside = {id(p) for _, child in module.children() for p in child.parameters()}
    return {path: p for path, p in module.named_parameters() if id(p) not in inside}


def is_array(x: Any) -> bool:
    """Whether it is a Value or an array: unlike a plain number, it can be told apart from all others."""
    return isinstance(x, (Value, np.ndarray))


def _copied(x: Any) -> Any:
    return np.array(data_of(x)) if is_array(x) else x


@explaining
def activations(model: Module, *inputs: Any, **options: Any) -> dict[str, Any]:
    """The outputs of all modules in one run, as plain arrays by path, in the order in which they were computed.

    The model runs once, in its current mode and without recording, and is left as it was. Its own output is the last, under
    "". Further calls of a module are under "path, call 2", "path, call 3", ...; a module with several places, called once
    for each, is under each of them; one outside of the model is under the name of its class.

    Args:
        model: any module.
        inputs, options: what to call it with.

    Returns:
        copies of the arrays; of a module that returns several, they are in the same tuple, list or dictionary.
    """
    found: dict[str, Any] = {}
    times: Counter[str] = Counter()

    def over(call: Call) -> None:
        if call.error is None:
            name = call.path if call.path or call.module is model else type(call.module).__name__
            is_run = len(call.trail()) == 1  # which ends last; calls of the model inside it are further ones
            times[name] += 1
            number = 1 if is_run else times[name] + (not name)
            found[f"{name}, call {number}" if number > 1 else name] = tree_map(_copied, call.output)

    with left_as_it_was(model), no_grad(), reading(model, over):
        model(*inputs, **options)
    return found
