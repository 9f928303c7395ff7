"""Calls that are the same, and calls that are one of their operands: to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..term import Term

AS_SIGN = {"np.multiply": "*", "np.divide": "/"}
SHORTENED = {"*", "/", "**", "-", "+", "np.positive", "float", ".astype", "np.reshape", ".reshape", "np.broadcast_to"}


def one_way(args: tuple[Any, ...], params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a reduction, its axes counted from the first, so that equal ones look equal."""
    axis = params.get("axis")
    if axis is None or len(args) != 1 or not isinstance(args[0], Term):
        return params
    axes = tuple([i % args[0].ndim for i in (axis if isinstance(axis, tuple) else (axis,))]) if args[0].ndim else ()
    given = {key: x for key, x in params.items() if not (key == "dtype" and x is None)}
    return given | {"axis": axes[0] if len(axes) == 1 else axes}


def _is_one(x: Any) -> bool:
    return type(x) in (int, float) and x == 1


def _are_ones(x: Any, y: Term) -> bool:
    """Whether x is an array of ones that does not change the shape, dtype or memory layout of y."""
    return (
        type(x) is type(y.behind) is np.ndarray
        and x.dtype == y.dtype
        and x.shape == y.shape
        and x.strides == y.behind.strides  # else sums of the product add up in another order
        and bool((x == 1).all())
    )


def _is_packed(x: Term) -> bool:
    """Whether the result of an operation with a number has the memory layout of x, and so the order of its sums."""
    flags = getattr(x.behind, "flags", None)
    return flags is None or flags.c_contiguous or flags.f_contiguous


def simpler(spelling: str, args: tuple[Any, ...]) -> Any:
    """The operand that the result equals to the last bit; None if there is none."""
    if spelling in ("*", "/", "**") and len(args) == 2:
        a, b = args
        if isinstance(a, Term) and isinstance(b, Term):
            return None
        if _is_one(b) and isinstance(a, Term) and a.dtype.kind == "f" and _is_packed(a):
            return a
        if spelling == "*" and isinstance(b, Term) and ((_is_one(a) and _is_packed(b)) or _are_ones(a, b)):
            return b if b.dtype.kind == "f" else None
        if spelling == "*" and isinstance(a, Term) and _are_ones(b, a):
            return a
    if not args or not isinstance(args[0], Term):
        return None
    x: Any = args[0]
    if spelling == "-" and len(args) == 1 and x.spelling == "-" and len(x.args) == 1 and _is_packed(x.args[0]):
        return x.args[0]
    if (spelling == "+" and len(args) == 1) or spelling == "np.positive":
        return x if x.dtype.kind == "f" and _is_packed(x) else None
    if spelling == "float" and type(x.behind) is float:
        return x
    if spelling == ".astype" and isinstance(x.behind, (np.ndarray, np.generic)) and np.dtype(args[1]) == x.dtype:
        return x if _is_packed(x) else None
    if (
        spelling in ("np.reshape", ".reshape", "np.broadcast_to")
        and args[1] == x.shape
        and isinstance(x.behind, np.ndarray)
    ):
        return x
    return None


def key_of(x: Any, captured: frozenset[int], kept: list[Any]) -> Any:
    """What tells arguments apart, to the last bit: arrays that are captured, or large, by their ids, which `kept` keeps."""
    if isinstance(x, Term):
        return id(x)
    if type(x) in (tuple, list):
        return type(x), *[key_of(part, captured, kept) for part in x]
    if type(x) in (float, int, bool, str, type(None), type, type(Ellipsis), np.dtype):
        return type(x), repr(x)
    if isinstance(x, slice):
        return slice, key_of((x.start, x.stop, x.step), captured, kept)
    if isinstance(x, np.generic):
        return x.dtype.str, x.tobytes()
    if isinstance(x, np.ndarray) and x.size <= 64 and id(x) not in captured and id(x.base) not in captured:
        return x.dtype.str, x.shape, x.tobytes()
    kept.append(x)
    return type(x), id(x)
