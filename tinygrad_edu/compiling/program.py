"""Program: what a trace computes, as text and as a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from types import MappingProxyType
from typing import Any


class Program:
    """A program as text.

    Args:
        name: of its function.
        written: computes `source`.
        constants: what it refers to by name and text cannot say: captured arrays by reference, opaque functions.
        needs: why it needs more than NumPy: the opaque functions.
        text: what runs in place of the source, if that is not the source itself.
        bound: what the text refers to by name.

    Attributes:
        source: the definition of the function, and of what it calls.
    """

    def __init__(
        self,
        name: str,
        written: Callable[[], str],
        constants: dict[str, Any],
        needs: list[str],
        text: str = "",
        bound: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.name, self.constants, self.text, self.bound = name, constants, text, bound
        self._needs, self._written, self._source, self._lock = needs, written, "", Lock()

    @property
    def source(self) -> str:
        """The text for reading, written when it is first asked for."""
        with self._lock:
            self._source = self._source or self._written()
        return self._source

    @property
    def needs(self) -> list[str]:
        """Why the source needs more than NumPy: the opaque functions."""
        return self._needs if self.source else []
