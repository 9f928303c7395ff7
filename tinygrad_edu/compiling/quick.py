"""A quick test, as text, whether captured variables and containers hold the very objects that they held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .program import defined

_MOST = 1_000  # comparisons


def quick_test(
    places: Sequence[Any],
    containers: Sequence[Any],
    absent: Sequence[tuple[dict[str, Any], set[str]]],
    arrays: Sequence[np.ndarray[Any, Any]],
    watched: Sequence[tuple[np.ndarray[Any, Any], bytes]],
    same: Callable[[Any, Any], bool],
) -> Callable[[], bool]:
    """A test whether all variables and containers hold the same objects as they did, and arrays the same numbers.

    It is true only if nothing has changed; an equal number in place of another makes it false too.

    Args:
        places: variables, with what they held; see `captures.Place`.
        containers: with their contents; see `captures.Container`.
        absent: namespaces, with names that they do not have.
        arrays: whose shape, strides and dtype may be set in place.
        watched: arrays, with the bytes of their numbers. More may be added later.
        same: whether a container has the contents that it had.
    """
    test = _Test()
    for place in places:
        test.place(place.read, place.before)
    for _, holder, contents in containers:
        test.container(holder, contents)
    test.absent(absent)
    for x in arrays:
        test.form(x)
    if len(test.lines) > _MOST:
        return lambda: False
    lines = "".join(f"        if {line}:\n            return False\n" for line in test.lines)
    text = (
        f"def unchanged():\n    try:\n{lines or '        pass'}\n"
        "    except (LookupError, ValueError, AttributeError):  # deleted\n        return False\n"
        "    return not watched or all(x.tobytes() == numbers for x, numbers in watched)\n"
    )
    return defined("unchanged", text, {"watched": watched, "same": same, **test.bound})


def form_of(x: np.ndarray[Any, Any]) -> tuple[tuple[int, ...], tuple[int, ...], np.dtype[Any]]:
    """What may be set in place besides the numbers: the shape, the strides and the dtype."""
    return x.shape, x.strides, x.dtype


class _Test:
    """Comparisons, as text, that are true if something has changed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.bound: dict[str, Any] = {}

    def place(self, read: Callable[[], Any], before: Any) -> None:
        """A variable: of a cell, an object or a dictionary where that can be read off, else by a call."""
        text = f"{self._name(read)}()"
        if type(read) is partial:
            owner = getattr(read.func, "__self__", None)
            if read.func is getattr and read.args[1].isidentifier():
                text = f"{self._name(read.args[0])}.{read.args[1]}"
            elif type(owner) is dict and read.func.__name__ == "get":
                text = f"{self._name(owner)}[{self._name(read.args[0])}]"
        self.lines.append(f"{text} is not {self._name(before)}")

    def container(self, holder: Any, contents: Any) -> None:
        """A list, or a dictionary by its keys and then its values; another container as a whole."""
        name = self._name(holder)
        if type(contents) is tuple and all(type(key) is str for key in contents[0]):
            keys, values = contents
            self.lines.append(f"(*{name},) != {self._name(tuple(keys))}")
            self.lines += [f"{name}[{key!r}] is not {self._name(x)}" for key, x in zip(keys, values, strict=True)]
        elif type(contents) is list and isinstance(holder, list):
            self.lines.append(f"len({name}) != {len(contents)}")
            self.lines += [f"{name}[{i}] is not {self._name(x)}" for i, x in enumerate(contents)]
        else:
            self.lines.append(f"not same({name}, {self._name(contents)})")

    def absent(self, absent: Sequence[tuple[dict[str, Any], set[str]]]) -> None:
        """Names that are still not defined, all those of a namespace at once."""
        together: dict[int, tuple[dict[str, Any], set[str]]] = {}
        for held, names in absent:
            together.setdefault(id(held), (held, set()))[1].update(names)
        for held, names in together.values():
            if names:
                self.lines.append(f"not {self._name(held.keys())}.isdisjoint({self._name(names)})")

    def form(self, x: np.ndarray[Any, Any]) -> None:
        """What form_of compares."""
        name, (shape, strides, dtype) = self._name(x), form_of(x)
        self.lines.append(
            f"{name}.shape != {shape} or {name}.strides != {strides} or {name}.dtype is not {self._name(dtype)}"
        )

    def _name(self, x: Any) -> str:
        """The name of an object."""
        name = f"k_{len(self.bound)}"
        self.bound[name] = x
        return name
