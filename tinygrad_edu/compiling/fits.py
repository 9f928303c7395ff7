"""A flat test, as text, whether arguments are of the kind that a program was compiled for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .program import defined


def fitting(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[Any, Any], bool] | None:
    """A test of (args, kwargs) that only such arguments pass; None if they hold something that takes more than a look.

    Arguments of the same kind may fail it, as arrays of another memory layout in which an axis has length 1.
    """
    test = _Test()
    try:
        test.parts("args", args, "args")
        test.parts("kwargs.values()", list(kwargs.values()), "kwargs")
    except _DeepError:
        return None
    names = f"(*kwargs,) != {tuple(kwargs)!r}" if kwargs else "kwargs"
    start = [f"if len(args) != {len(args)} or {names}:", "    return False"]
    lines = [f"    {line}\n" for line in (*start, *test.lines, "return True")]
    return defined("fits", f"def fits(args, kwargs):\n{''.join(lines)}", {"ndarray": np.ndarray, **test.bound})


class _DeepError(Exception):
    """An argument that has no flat test."""


class _Test:
    """The lines of a test, which return False at the first part that differs."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.bound: dict[str, Any] = {}

    def visit(self, name: str, x: Any) -> None:
        """Test the part of this name, which is x."""
        own = type(x)
        if own is np.ndarray:
            self._refuse(
                f"type({name}) is ndarray and {name}.dtype is {self._name(x.dtype)} and {name}.shape == {x.shape} "
                f"and {name}.strides == {x.strides}"
            )
        elif own is dict and all(type(key) is str for key in x):
            self._refuse(f"type({name}) is dict and (*{name},) == {tuple(x)!r}")
            self.parts(f"{name}.values()", list(x.values()), name)
        elif own in (tuple, list):
            self._refuse(f"type({name}) is {own.__name__} and len({name}) == {len(x)}")
            self.parts(name, x, name)
        elif own is float or issubclass(own, np.floating):
            self._refuse(f"type({name}) is {self._name(own)}")
        elif x is None or own is bool:
            self._refuse(f"{name} is {x}")
        elif own in (int, str):
            self._refuse(f"type({name}) is {own.__name__} and {name} == {x!r}")
        else:
            raise _DeepError

    def parts(self, container: str, parts: Any, name: str) -> None:
        """Test the parts of a container, which are called as it is, with a number."""
        if len(parts):
            names = [f"{name}_{i}" for i in range(len(parts))]
            self.lines.append(f"{', '.join(names)}{',' * (len(names) == 1)} = {container}")
            for own, part in zip(names, parts, strict=True):
                self.visit(own, part)

    def _refuse(self, condition: str) -> None:
        self.lines += [f"if not ({condition}):", "    return False"]

    def _name(self, x: Any) -> str:
        return next((name for name, y in self.bound.items() if y is x), None) or self._bind(x)

    def _bind(self, x: Any) -> str:
        name = f"k_{len(self.bound)}"
        self.bound[name] = x
        return name
