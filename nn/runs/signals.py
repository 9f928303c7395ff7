"""SIGTERM as an exception, as Ctrl-C is, so that files are closed, and models and terminals restored."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any, NoReturn


@contextmanager
def terminable() -> Iterator[None]:
    """A context in which SIGTERM raises SystemExit with a shell's exit code, unless the program handles SIGTERM itself."""
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is _terminate:  # otherwise the program has set its handler meanwhile
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, _frame: Any) -> NoReturn:
    raise SystemExit(128 + number)
