"""How a model is run: looked at from outside, and in training or in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple


class Observer(NamedTuple):
    """What is called when a module begins to compute, when it has, and when it ends, be it by an error."""

    look: Callable[[Any, tuple[Any, ...], Any], None]
    enter: Callable[[Any], None]
    leave: Callable[[Any], None]


observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observing(
    look: Callable[[Any, tuple[Any, ...], Any], None] = lambda *_: None,
    enter: Callable[[Any], None] = lambda _: None,
    leave: Callable[[Any], None] = lambda _: None,
) -> Iterator[None]:
    """While this is open, call look(module, inputs, output) whenever a module has computed its output, innermost first.

    For looking at what flows through a network; it costs nothing while it is closed.

    Args:
        look: not called for a module that raises an error.
        enter: is called with each module before it computes, outermost first.
        leave: is called with each module that was entered, innermost first, also if it raised an error.
    """
    token = observer.set(Observer(look, enter, leave))
    try:
        yield
    finally:
        observer.reset(token)


@contextmanager
def mode_of(model: Any, training: bool) -> Iterator[None]:
    """All modules of a model in training or in use while this is open, and as they were afterwards."""
    before = [(module, module.training) for _, module in model.named_modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was in before:
            module.training = was
