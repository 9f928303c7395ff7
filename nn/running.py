"""Running a model: observing its calls, leaving it as it was, and switching between training and evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple


class Observer(NamedTuple):
    """What every module calls before it computes, and when it ends."""

    enter: Callable[[Any, tuple[Any, ...], Mapping[str, Any]], None]
    leave: Callable[[Any, tuple[Any, ...], Any, BaseException | None], None]


observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observing(
    look: Callable[[Any, tuple[Any, ...], Any], None] = lambda *_: None,
    enter: Callable[[Any, tuple[Any, ...], Mapping[str, Any]], None] = lambda *_: None,
    leave: Callable[[Any, Any, BaseException | None], None] = lambda *_: None,
) -> Iterator[None]:
    """While this is open, call look(module, inputs, output) whenever a module has computed its output, innermost first.

    It costs nothing while it is closed. `nn.activations` returns the outputs by path.

    Args:
        look: not called for a module that raises an error.
        enter: called as enter(module, inputs, options) before each module computes, outermost first.
        leave: called as leave(module, output, error) when each module ends, innermost first; the output is None if it raised
            an error, the error None if it did not.
    """

    def left(module: Any, inputs: tuple[Any, ...], output: Any, error: BaseException | None) -> None:
        leave(module, output, error)
        if error is None:
            look(module, inputs, output)

    token = observer.set(Observer(enter, left))
    try:
        yield
    finally:
        observer.reset(token)


@contextmanager
def mode_of(model: Any, training: bool) -> Iterator[None]:
    """All modules of a model in training or evaluation mode while this is open, and in their own modes afterwards."""
    before = [(module, module.training) for _, module in model.named_modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was in before:
            module.training = was
