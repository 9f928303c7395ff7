"""Results: trees of numbers and arrays that a program returns; whether two are equal to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..errors import UnreadableError
from ..node import Node
from .expressions import quoted
from .runs import called
from .source import Writer
from .traced import Traced


def collect(tree: Any, found: list[Any], f: Callable[..., Any]) -> None:
    """The leaves of a result of f that are numbers or arrays. Raises UnreadableError for what a program cannot return."""
    if type(tree) is dict:
        for part in tree.values():
            collect(part, found, f)
    elif type(tree) in (tuple, list) or hasattr(tree, "_make"):
        for part in tree:
            collect(part, found, f)
    elif isinstance(tree, (Traced, np.ndarray, np.generic, float)):
        found.append(tree)
    elif isinstance(tree, Node):
        raise UnreadableError(
            f"compile: {called(f)} returned a Value, which would not be connected to its graph; return plain numbers, as "
            "value_and_grad does, or the data: compile(lambda *args: f(*args).data)"
        )
    elif type(tree) not in (int, bool, str, type(None)):
        raise UnreadableError(
            f"compile: {called(f)} returned a {type(tree).__name__}, expected numbers, arrays or tuples, lists, dicts of them; "
            "make it of the result"
        )


def returned_text(tree: Any, leaf: Callable[[Any], str], writer: Writer, places: Iterator[int]) -> str:
    """The expression that builds the tree of results."""
    if type(tree) is dict:
        return (
            "{"
            + ", ".join(f"{quoted(key)}: {returned_text(part, leaf, writer, places)}" for key, part in tree.items())
            + "}"
        )
    if hasattr(tree, "_make"):
        inner = ", ".join(returned_text(part, leaf, writer, places) for part in tree)
        return f"{writer.value(type(tree)._make).text}(({inner},))"
    if isinstance(tree, (tuple, list)):
        inner = ", ".join(returned_text(part, leaf, writer, places) for part in tree)
        return f"[{inner}]" if isinstance(tree, list) else f"({inner}{',' * (len(tree) == 1)})"
    if isinstance(tree, (Traced, np.ndarray, np.generic, float)):
        return leaf(next(places))
    return quoted(tree)


def equal(a: Any, b: Any) -> bool:
    """Whether two trees are of the same numbers, to the last bit; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype and (a.tobytes() == b.tobytes() or _alike(a, b))
    if isinstance(a, (float, np.floating)):
        return bool(a == b and math.copysign(1, a) == math.copysign(1, b)) or bool(a != a and b != b)
    return a is b or bool(np.all(a == b))


def _alike(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    return a.dtype.kind == "f" and np.array_equal(a, b, equal_nan=True) and bool(np.all(np.signbit(a) == np.signbit(b)))
