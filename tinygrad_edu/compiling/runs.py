"""Runs: a function run on terms, and the errors of functions that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..errors import UnreadableError
from ..term import Term
from .arguments import mapped
from .captures import Captures
from .lines import OURS, Line
from .source import title_of
from .traced import Escape, Trace, Traced, tracing

Run = tuple[Trace, list[Traced], list[Any]]


def traced_run(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    arrays: Sequence[np.ndarray[Any, Any]] = (),
    is_placed: bool = True,
    is_merging: bool = True,
) -> tuple[Trace, list[Traced], Any]:
    """Run f on terms with the numbers of the arguments.

    Args:
        arrays: those that are read by reference.
        is_placed: whether terms know their lines.
        is_merging: whether equal calls are one term; if it matters that they are not, f runs again.

    Raises:
        UnreadableError: if f looks at numbers or writes into arrays, also if f catches that.
        Escape: if Python's numbers raise.
        FailedError: from any other exception.
    """
    with tracing() as trace:
        symbols: list[Traced] = []

        def stand_in(x: Any) -> Any:
            symbols.append(trace.symbol(f"x{len(symbols)}", x))
            return symbols[-1]

        trace.is_placed, trace.is_merging = is_placed, is_merging
        trace.captured = frozenset(id(y) for x in arrays for y in (x, x.base) if y is not None)
        given = mapped(stand_in, (args, kwargs))
        failure: Exception | None = None
        result = None
        try:
            result = f(*given[0], **given[1])
        except Exception as error:
            failure = error
    if trace.escaped:  # also if f caught that
        raise Escape
    if trace.refusals:
        refusal = trace.refusals[0]
        raise refused(f, title_of(refusal.line), refusal.error) from failure
    if failure is not None:
        cause: BaseException | None = failure
        while cause is not None and not isinstance(cause, UnreadableError):
            cause = cause.__cause__
        title = title_of(_last_line(failure))
        if cause is not None:
            raise refused(f, title, cause) from failure
        raise FailedError(title) from failure
    if trace.is_ambiguous:
        return traced_run(f, args, kwargs, arrays, is_placed, is_merging=False)
    return trace, symbols, _latest_terms(trace, result)


class ChangingError(UnreadableError):
    """The function changes a variable around it."""


class FailedError(Exception):
    """The function raised an exception, perhaps since its arguments are terms."""


def refused(f: Callable[..., Any], title: str, error: BaseException | str) -> UnreadableError:
    """An error with the name of the function and the user's line."""
    text = str(error)
    where = f", in `{title}`" if title else ""
    remedy = "" if ";" in text else "; compute with this package's functions and NumPy's, or run it without compile"
    return UnreadableError(f"compile: {called(f)}{where}: {text}{remedy}")


def _last_line(error: BaseException) -> Line | None:
    """The line of the user at which an exception was raised."""
    line = None
    step = error.__traceback__
    while step is not None:
        if str(step.tb_frame.f_globals.get("__name__", "")).partition(".")[0] not in OURS:
            line = Line(step.tb_frame.f_code.co_filename, step.tb_lineno)
        step = step.tb_next
    return line


def called(f: Any) -> str:
    """A function's name, for messages."""
    while isinstance(f, partial):
        f = f.func
    return str(getattr(f, "__name__", type(f).__name__))


def arrays_of(around: Sequence[Captures]) -> list[np.ndarray[Any, Any]]:
    """The arrays that are read by reference."""
    return [x for captures in around for _, x in captures.arrays.values()]


def _latest_terms(trace: Trace, tree: Any) -> Any:
    """A tree of results with arrays as they are at the end."""
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return tree._make(_latest_terms(trace, part) for part in tree)
    if type(tree) in (tuple, list):
        return type(tree)([_latest_terms(trace, part) for part in tree])
    if type(tree) is dict:
        return {key: _latest_terms(trace, part) for key, part in tree.items()}
    return trace.latest_of(tree) if isinstance(tree, Term) else tree
