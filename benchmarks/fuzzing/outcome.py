"""Judging a call: which exception it raised, and whether that is an error of the package that names the call."""

from __future__ import annotations

import gc
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu import TinygradError

SECONDS = 5  # a call that takes longer hangs


class Hanging(BaseException):
    """A call that does not end."""


class Call(NamedTuple):
    """One call to judge.

    Attributes:
        name: of the operation, layer or function.
        names: the beginnings of a message that name it.
        run: the forward computation; the result is passed to `after`.
        after: the backward computation.
        text: the call as a reader sees it.
    """

    name: str
    names: tuple[str, ...]
    run: Callable[[], Any]
    after: Callable[[Any], None]
    text: Callable[[], str]


class Outcome(NamedTuple):
    """The outcome of a call: its kind, "" if it is as it should be, and the error as text."""

    kind: str
    error: str = ""
    refused: bool = False


def judged(call: Call) -> Outcome:
    """Run a call forward and backward. Errors forward must be the package's and name the call; backward must raise none."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), redirect_stdout(StringIO()), _limited():
        warnings.simplefilter("ignore")
        try:
            result = call.run()
        except (Exception, Hanging) as error:
            return _of_forward(call, error)
        try:
            call.after(result)
        except (Exception, Hanging) as error:
            kind = _kind(("backward",), error)
            ours = (
                isinstance(error, TinygradError) and not kind and type(error).__name__ in ("GraphError", "MatrixError")
            )
            return (
                Outcome("", refused=True)
                if ours
                else Outcome(f"backward: {kind or type(error).__name__}", _text(error))
            )
    return Outcome("")


def _of_forward(call: Call, error: BaseException) -> Outcome:
    kind = _kind(call.names, error)
    return Outcome(kind, _text(error) if kind else "", refused=True)


def _kind(names: tuple[str, ...], error: BaseException) -> str:
    """What is wrong with an error; "" if nothing."""
    if isinstance(error, Hanging):
        return "hangs"
    text = str(error)
    if isinstance(error, MemoryError) and any(
        name in note for note in getattr(error, "__notes__", ()) for name in names
    ):
        return ""
    if not isinstance(error, TinygradError):
        if text.startswith(("len()", "hostile.")):
            return ""  # of a function that was given
        return "" if _before(error) else f"bare {type(error).__name__}"
    begins = [name for name in names if text.startswith((f"{name}: ", f"{name} "))]
    if not begins:
        return "unnamed"
    context = error.__context__
    alone = context is not None and not isinstance(context, TinygradError) and text == f"{begins[0]}: {context}"
    return "foreign text alone" if alone else ""


def _before(error: BaseException) -> bool:
    """Whether Python or NumPy refused the arguments before the package's code ran: an error that names the function."""
    frames, tops = error.__traceback__, [""]
    while frames is not None:
        tops.append(frames.tb_frame.f_globals.get("__name__", "").partition(".")[0])
        frames = frames.tb_next
    return not {"tinygrad_edu", "nn"} & set(tops) and (isinstance(error, TypeError) or tops[-1] == "numpy")


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


@contextmanager
def _limited() -> Iterator[None]:
    """Interrupt what takes longer than SECONDS."""

    def interrupt(_: int, frame: FrameType | None) -> None:
        if frame is None or frame.f_code not in [getattr(each, "__code__", None) for each in gc.callbacks]:
            raise Hanging
        signal.setitimer(signal.ITIMER_REAL, 0.05)  # the collector would drop the error, and report it

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
