"""Modes: whether operations are recorded, in this thread or async task, and whether a transform runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import (
    CO_ASYNC_GENERATOR,
    CO_COROUTINE,
    CO_GENERATOR,
    isasyncgenfunction,
    iscoroutinefunction,
    isgeneratorfunction,
)
from types import FrameType
from typing import Any

_recording: ContextVar[Any] = ContextVar("recording", default=True)
is_recording = _recording.get  # true if operations on Values are recorded: false inside no_grad()
_transforming: ContextVar[bool] = ContextVar("transforming", default=False)
is_transforming = _transforming.get  # whether a transform is running its function
_SUSPENDS = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


class _Setting:
    """Recording is on; `outer` is the setting around it. True without __bool__, which would cost 3% of a scalar operation."""

    __slots__ = ("outer",)

    def __init__(self, outer: Any) -> None:
        self.outer = outer


class _Off(_Setting):
    __slots__ = ()

    def __bool__(self) -> bool:
        return False


class _InGenerator(_Setting):
    """A setting made in the frame of a generator or coroutine: in effect while that runs, not in its caller after a `yield`."""

    __slots__ = ("frame", "inner")

    def __init__(self, outer: Any, inner: bool, frame: FrameType) -> None:
        super().__init__(outer)
        self.inner, self.frame = inner, frame

    def __bool__(self) -> bool:
        return self.inner if self.frame.f_back is not None else bool(self.outer)


class _Mode:
    """Context manager and decorator that sets whether operations are recorded."""

    on: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        mode = super().__new__(cls)
        return mode if function is None else mode(function)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self._entered: list[_Setting] = []

    def __enter__(self) -> None:
        outer, frame = _recording.get(), sys._getframe(1)
        caller = frame.f_back
        # a function decorated with @contextmanager is a generator too, but sets the mode for the body of its `with`
        managed = caller is not None and caller.f_globals.get("__name__") == "contextlib"
        if frame.f_code.co_flags & _SUSPENDS and not managed:
            setting: _Setting = _InGenerator(outer, self.on, frame)
        else:
            setting = _Setting(outer) if self.on else _Off(outer)
        self._entered.append(setting)
        _recording.set(setting)

    def __exit__(self, *error: object) -> None:
        ended, setting = self._entered.pop(), _recording.get()
        if setting is ended:
            _recording.set(ended.outer)
        while isinstance(setting, _Setting):  # generators may end in any order
            if setting.outer is ended:
                setting.outer = ended.outer
            setting = setting.outer

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with the mode set while it runs."""
        mode = type(self)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with mode():
                return function(*args, **kwargs)

        @wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            with mode():
                return (yield from function(*args, **kwargs))

        @wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with mode():
                return await function(*args, **kwargs)

        @wraps(function)
        async def async_generator(*args: Any, **kwargs: Any) -> Any:
            with mode():
                async for item in function(*args, **kwargs):
                    yield item

        if isasyncgenfunction(function):
            return async_generator
        if iscoroutinefunction(function):
            return coroutine
        return generator if isgeneratorfunction(function) else call


class no_grad(_Mode):
    """Compute without recording, in this thread or async task: results are Values without inputs.

    Use it as `with no_grad():`, or as a decorator, with or without brackets, of a function, generator or coroutine. Inside a
    generator it holds while the generator runs, not for the caller between its results.
    """

    on = False


class enable_grad(_Mode):
    """Enable recording inside no_grad(), in this thread or async task; used as no_grad is."""

    on = True


@contextmanager
def transforming() -> Iterator[None]:
    """Record within a transform, where converting a Value to a plain number raises: it would silently become a constant."""
    inside, recording = _transforming.set(True), _recording.set(True)
    try:
        yield
    finally:
        _recording.reset(recording)
        _transforming.reset(inside)
