"""Interrupts: a Ctrl-C during a parameter update waits for the end of the update."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Any


class Interrupts:
    """A context in which Ctrl-C raises KeyboardInterrupt at once, or at `release` if it comes between `hold` and `release`."""

    def __init__(self) -> None:
        self.holding = self.waiting = False
        self.before: Any = None

    def hold(self) -> None:
        """Delay interrupts until `release`."""
        self.holding = True

    def release(self) -> None:
        """Stop delaying interrupts, and raise the one that waits, if any."""
        self.holding = False
        if self.waiting:
            self.waiting = False
            self.before(signal.SIGINT, None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.holding:
            self.waiting = True
        else:
            self.before(number, frame)

    def __enter__(self) -> Interrupts:
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler) and threading.current_thread() is threading.main_thread():
            with suppress(ValueError):  # in a subinterpreter
                self.before = handler
                signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        if self.before is not None and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, self.before)
