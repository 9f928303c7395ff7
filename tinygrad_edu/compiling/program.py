"""Program: what a trace computes, as text and as a function."""

from __future__ import annotations

import builtins
import linecache
import math
from collections.abc import Callable, Mapping
from itertools import count
from threading import Lock
from typing import Any

import numpy as np

_numbered = count(1)


class GuardError(RuntimeError):
    """A compiled program met numbers for which it does not hold; the function itself must run."""


class Program:
    """A program, as text to be read and as text that runs.

    Args:
        name: of its function.
        written: computes `source`.
        constants: what the source refers to by name: captured arrays by reference, opaque functions.
        needs: why the source needs more than NumPy: the opaque functions.
        text: what runs: the fast form, or a call of levels.
        bound: what the text refers to by name.
        is_by_levels: whether the text is a call of levels.
    """

    def __init__(
        self,
        name: str,
        written: Callable[[], str],
        constants: dict[str, Any],
        needs: list[str],
        text: str,
        bound: Mapping[str, Any],
        is_by_levels: bool,
    ) -> None:
        self.name, self.constants, self.text, self.bound, self.is_by_levels = name, constants, text, bound, is_by_levels
        self._needs, self._written, self._source, self._lock = needs, written, "", Lock()

    @property
    def source(self) -> str:
        """The text to be read, written when it is first asked for: the definition of the function, and of what it calls."""
        with self._lock:
            self._source = self._source or self._written()
        return self._source

    @property
    def needs(self) -> list[str]:
        """Why the source needs more than NumPy: the opaque functions."""
        return self._needs if self.source else []

    def loaded(self, readable: bool = False) -> Callable[..., Any]:
        """The function that the text defines, or the source."""
        text = self.source if readable else self.text
        namespace = {"np": np, "math": math, "GuardError": GuardError, **self.constants}
        namespace |= {} if readable else self.bound
        return defined(self.name, text, namespace)


def defined(name: str, text: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """The function of this name that a text defines; tracebacks show its lines."""
    file = f"<compiled {name} {next(_numbered)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(builtins.compile(text, file, "exec"), namespace)  # our own text
    function: Callable[..., Any] = namespace[name]
    return function
