"""Frames: which functions run now, as Python's stack tells, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import currentframe
from traceback import walk_stack
from types import FrameType

from nn import Module
from tinygrad_edu import Value

from .steps import parts


def stack() -> list[FrameType]:
    """The functions that run now, outermost first."""
    return [frame for frame, _ in walk_stack(currentframe())][::-1]


def calls_among(frames: Iterable[FrameType]) -> list[FrameType]:
    """Those that are calls of modules."""
    return [frame for frame in frames if frame.f_code is Module.__call__.__code__]


def values_in(frame: FrameType) -> list[Value]:
    """The Values that the local variables of a function hold."""
    return [x for x in parts(list(frame.f_locals.values())) if isinstance(x, Value)]
