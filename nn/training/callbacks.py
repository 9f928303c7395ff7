"""Callbacks: functions of the time and the history, which fit calls after each step or each epoch; among them EarlyStopping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from inspect import signature
from itertools import chain
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

import numpy as np

from tinygrad_edu import TinygradError

from ..checks import FUNCTION, MODULE, Explaining, checked, size
from ..module import Module
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from .history import History

Callback: TypeAlias = Callable[[int, History], Any]
Schedule: TypeAlias = LRScheduler | ReduceLROnPlateau


class Stateful(Protocol):
    """An object that returns its state as plain data, and restores it."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None: ...


class Callbacks:
    """The callbacks of fit, as a context of those that are contexts.

    Those with a state change together with the history, so Ctrl-C waits while they run.

    Args:
        first: callbacks of epochs that are called before the given ones.
        given: the arguments of fit.

    Attributes:
        every: all of them, by event, "on_step" or "on_epoch".
        stateful: those with a state, by event.
        others: the others, by event.

    Raises TinygradError if one is not callable with a time and a history.
    """

    def __init__(self, first: Sequence[Callback], **given: Callback | Sequence[Callback] | None) -> None:
        self.every = {event: list(_callables(event, some)) for event, some in given.items()}
        self.every["on_epoch"][:0] = first
        self.stateful = {event: [each for each in some if _has_state(each)] for event, some in self.every.items()}
        self.others = {event: [each for each in some if not _has_state(each)] for event, some in self.every.items()}

    def __enter__(self) -> Self:
        with ExitStack() as contexts:
            for each in chain(*self.every.values()):
                if isinstance(each, AbstractContextManager):
                    contexts.enter_context(each)
            self.entered = contexts.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return self.entered.__exit__(kind, error, traceback) is True


def _callables(event: str, given: Any) -> Iterator[Callback]:
    for each in () if given is None else given if isinstance(given, (list, tuple)) else (given,):
        callback = checked("fit", event, each, FUNCTION)
        time = event.removeprefix("on_")
        try:
            signature(callback).bind(1, None)
        except TypeError:
            expected = f"a function of ({time}, history), as in {event}=lambda {time}, history: ..."
            raise TinygradError(
                f"fit: got {event}=, a function of {signature(callback)}, expected {expected}"
            ) from None
        except ValueError:  # written in C
            pass
        yield callback


def _has_state(x: Any) -> bool:
    return callable(getattr(x, "state_dict", None)) and callable(getattr(x, "load_state_dict", None))


def called(callbacks: list[Callback], time: int, history: History) -> bool:
    """Call all of them; returns whether one of them asks for the end: by True, not by a path that it has saved to."""
    answers = [each(time, history) for each in callbacks]
    return any(answer for answer in answers if isinstance(answer, (bool, np.bool_)))


class EarlyStopping(Explaining):
    """A callback of `fit(on_epoch=...)`: ends training `patience` epochs after the best one, and restores its weights.

    The best epoch is that of the curve `fit(monitor=...)`. Its weights are also restored if training ends in another way: after
    the last epoch, by Ctrl-C, or by an error.

    Args:
        model: the model that fit trains.
        patience: epochs without a better number, from 1.

    Attributes:
        best_weights: the model's parameters and buffers after the best epoch so far; None before the first, and after training.

    Raises:
        TinygradError: if the model is not a Module.
        ShapeError: if patience is not an integer from 1 on.
    """

    def __init__(self, model: Module, patience: int) -> None:
        self.model = checked("EarlyStopping", "model", model, MODULE)
        self.patience = size("EarlyStopping", "patience", patience)
        self.best_weights: dict[str, Any] | None = None

    def __call__(self, epoch: int, history: History) -> bool:
        """Keep the weights of the best epoch; returns whether `patience` epochs have passed since."""
        if epoch == history.best_epoch:
            self.best_weights = self.model.state_dict()
        return epoch - history.best_epoch >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """The weights of the best epoch."""
        return {"best_weights": self.best_weights}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore the weights of the best epoch, not yet to the model."""
        self.best_weights = state_dict["best_weights"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        best, self.best_weights = self.best_weights, None
        if best is not None:
            known = self.model.state_dict()  # with buffers that were registered later
            self.model.load_state_dict(known | best)
