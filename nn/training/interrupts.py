"""Ctrl-C while a step changes parameters waits until it has changed all of them."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Any


class Interrupts:
    """While this is open, Ctrl-C raises KeyboardInterrupt as ever, but not between `hold` and `release`: then at `release`."""

    def __init__(self) -> None:
        self.holding = self.waiting = False
        self.before: Any = None

    def hold(self) -> None:
        """From here on an interrupt waits."""
        self.holding = True

    def release(self) -> None:
        """An interrupt that waits goes on."""
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
            with suppress(ValueError):  # in an interpreter within the interpreter
                self.before = handler
                signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        if self.before is not None and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, self.before)
