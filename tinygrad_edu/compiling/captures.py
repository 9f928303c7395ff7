"""Captures: what a function uses besides its arguments, and whether that is still what a program was compiled with.

Arrays are read by reference: a program refers to the array itself. Numbers, strings and functions are part of a program, so it
is compiled anew when a variable around the function, or an attribute that its code names, refers to another object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from ..node import Node

_MISSING = object()
_LARGEST = 1000  # objects that are looked at


class Captures:
    """What f uses: found by the names in its code, and in that of the functions that it uses."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self._found: list[tuple[Callable[[], Any], Any, Any]] = []  # how to look, what was there, its contents
        self._named: dict[int, tuple[str, Any]] = {}
        self._generators: list[np.random.Generator] = []
        self._seen: set[int] = set()
        self._function(f)

    def changed(self) -> bool:
        """Whether anything is another object, or a small container has other contents."""
        for look, before, contents in self._found:
            now = look()
            if now is not before and not (
                type(now) in (float, int, str, bool) and type(now) is type(before) and now == before
            ):
                return True
            if contents is not None and contents != _contents(now):
                return True
        return False

    def arrays(self) -> tuple[list[np.ndarray[Any, Any]], dict[int, str]]:
        """The arrays that are captured, and what they are called."""
        return [x for _, x in self._named.values()], {key: name for key, (name, _) in self._named.items()}

    def generators_kept(self) -> AbstractContextManager[None]:
        """While this is open random numbers are drawn; then the generators are as before."""
        return generators_kept(self._generators)

    def _function(self, f: Any) -> None:
        if isinstance(f, MethodType):
            self._object("self", f.__self__, f.__func__.__code__)
            f = f.__func__
        if not isinstance(f, FunctionType) or id(f) in self._seen:
            return
        self._seen.add(id(f))
        code, held = f.__code__, f.__globals__
        for name, cell in zip(code.co_freevars, f.__closure__ or (), strict=True):
            self._note(name, partial(_cell, cell), code)
        if _top(f) not in ("tinygrad_edu", "numpy"):
            for name in _names(code):
                if name in held:
                    self._note(name, partial(held.get, name, _MISSING), code)
        for default in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
            self._contents("default", default, code)

    def _note(self, name: str, look: Callable[[], Any], code: CodeType) -> None:
        x = look()
        if isinstance(x, type(np)) or len(self._found) > _LARGEST:
            return
        self._found.append((look, x, _contents(x)))
        self._contents(name, x, code)

    def _contents(self, name: str, x: Any, code: CodeType) -> None:
        """What an object holds that matters."""
        if isinstance(x, np.ndarray):
            self._named.setdefault(id(x), (name, x))
        elif isinstance(x, np.random.Generator):
            self._generators.append(x)
        elif isinstance(x, Node):
            self._found.append((lambda: x.raw, x.raw, None))
            self._contents(x.extra.get("name", name) if x.extra else name, x.raw, code)
        elif isinstance(x, (FunctionType, MethodType)):
            self._function(x)
        elif isinstance(x, (list, tuple)) and len(x) < _LARGEST:
            for i, part in enumerate(x):
                self._contents(f"{name}_{i}", part, code)
        elif isinstance(x, dict) and len(x) < _LARGEST:
            for key, part in x.items():
                self._contents(key if isinstance(key, str) and key.isidentifier() else name, part, code)
        elif hasattr(x, "__dict__") and not isinstance(x, type):
            self._object(name, x, code)

    def _object(self, name: str, x: Any, code: CodeType) -> None:
        """The attributes of an object, and the method that a call of it runs."""
        if id(x) in self._seen or _top(type(x)) in ("tinygrad_edu", "numpy"):
            return
        self._seen.add(id(x))
        held = vars(x)
        for key in list(held):
            if len(self._found) < _LARGEST:
                self._note(key, partial(held.get, key, _MISSING), code)
        call = type(x).__call__ if callable(x) else None
        if isinstance(call, FunctionType):
            self._function(call)


@contextmanager
def generators_kept(generators: Sequence[np.random.Generator]) -> Iterator[None]:
    """While this is open random numbers are drawn; then the generators are as before."""
    states = [generator.bit_generator.state for generator in generators]
    try:
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state


def _top(x: Any) -> str:
    return str(getattr(x, "__module__", "")).partition(".")[0]


def _cell(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _names(code: CodeType) -> set[str]:
    """The names that a function's code looks up, with those of the functions inside it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


def _contents(x: Any) -> Any:
    """The contents of a small list, tuple or dictionary of plain numbers and texts, which may change inside; else None."""
    if type(x) is dict and len(x) <= 20:
        x, keys = list(x.values()), tuple(x)
    elif type(x) in (list, tuple) and len(x) <= 20:
        keys = ()
    else:
        return None
    if not all(type(part) in (float, int, str, bool, type(None)) for part in x):
        return keys, tuple(map(id, x))
    return keys, tuple(x)
