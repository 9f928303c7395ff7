"""Ending by SIGTERM as by Ctrl-C: an exception, so that files are closed, and models and terminals left in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any, NoReturn


@contextmanager
def terminable() -> Iterator[None]:
    """While this is open, SIGTERM raises SystemExit, with the exit code of a shell; unless the program handles it itself."""
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is _terminate:  # else the program has set another one meanwhile
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, _frame: Any) -> NoReturn:
    raise SystemExit(128 + number)
