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
        readable: computes `source` and `constants`.
        text: what runs: the fast form, or a call of levels.
        bound: what the text refers to by name.
        is_by_levels: whether the text is a call of levels.
        arguments: by parameter what it is compiled for, as `arguments.described` says it.
    """

    def __init__(
        self,
        name: str,
        readable: Callable[[], tuple[str, dict[str, Any]]],
        text: str,
        bound: Mapping[str, Any],
        is_by_levels: bool,
        arguments: Mapping[str, Any],
    ) -> None:
        self.name, self.text, self.bound, self.is_by_levels = name, text, bound, is_by_levels
        self.arguments = arguments
        self._readable: Callable[[], tuple[str, dict[str, Any]]] | None = readable
        self._lock = Lock()
        self._written: tuple[str, dict[str, Any]] | None = None

    def _parts(self) -> tuple[str, dict[str, Any]]:
        """The text to be read and what belongs to it, made when they are first asked for."""
        with self._lock:
            if self._written is None:
                assert self._readable is not None
                self._written, self._readable = self._readable(), None  # which holds the numbers of the run
            return self._written

    @property
    def source(self) -> str:
        """The text to be read: the definition of the function, and of what it calls."""
        return self._parts()[0]

    @property
    def constants(self) -> dict[str, Any]:
        """What the source refers to by name: captured arrays by reference, opaque functions."""
        return self._parts()[1]

    def loaded(self, readable: bool = False) -> Callable[..., Any]:
        """The function that the text defines, or the source."""
        text, bound = (self.source, self.constants) if readable else (self.text, self.bound)
        return defined(self.name, text, {"np": np, "math": math, "GuardError": GuardError, **bound})


def defined(name: str, text: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """The function of this name that a text defines; tracebacks show its lines."""
    file = f"<compiled {name} {next(_numbered)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(builtins.compile(text, file, "exec"), namespace)  # our own text
    function: Callable[..., Any] = namespace[name]
    return function
