"""Functions with plain results, for Values or arrays: indices, and constant arrays. Not differentiable, hence not ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...binding import named
from ...data import raw_of
from ...domain import Shape
from ...node import Node
from ...signatures import Axis, Plain, Raw

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "argpartition",
    "argsort",
    "full_like",
    "nonzero",
    "ones_like",
    "searchsorted",
    "zeros_like",
]


@named("argmax")
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the maximum along an axis, or in flattened x; the first of ties, or the first NaN."""
    return np.argmax(raw_of(x), axis=axis, keepdims=keepdims)


@named("argmin")
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Index of the minimum along an axis, or in flattened x; the first of ties, or the first NaN."""
    return np.argmin(raw_of(x), axis=axis, keepdims=keepdims)


@named("argsort")
def argsort(x: Any, axis: int | None = -1, stable: bool = True) -> Any:
    """Indices that sort x along an axis, or flattened x; NaN last.

    Equal numbers keep their order unless stable=False, which may be faster.
    """
    return np.argsort(raw_of(x), axis=axis, stable=stable)


@named("argpartition")
def argpartition(x: Any, kth: int | Sequence[int], axis: int | None = -1) -> Any:
    """Indices that partition x along an axis: the kth smallest number at position kth, smaller ones before it."""
    return np.argpartition(raw_of(x), kth, axis=axis)


@named("nonzero")
def nonzero(x: Any) -> tuple[Any, ...]:
    """Indices of the nonzero elements: an array of integers for each axis."""
    return np.nonzero(np.atleast_1d(raw_of(x)) if not np.ndim(raw_of(x)) else raw_of(x))


@named("searchsorted")
def searchsorted(x: Any, v: Any, side: Literal["left", "right"] = "left") -> Any:
    """Indices at which to insert v into the sorted vector x to keep it sorted: left or right of equal numbers."""
    return np.searchsorted(raw_of(x), raw_of(v), side=side)


@named("all")
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether all elements along axes are nonzero."""
    return np.all(raw_of(x), axis=axis, keepdims=keepdims)


@named("any")
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether any element along axes is nonzero."""
    return np.any(raw_of(x), axis=axis, keepdims=keepdims)


@named("full_like")
def full_like(x: Node | Raw, fill_value: Any, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Plain:
    """A plain array filled with a number, with the shape and dtype of a Value or array unless others are given.

    A Python float if the shape is () and the dtype float64.
    """
    y = np.full_like(raw_of(x), fill_value, dtype=dtype, shape=shape)[()]
    return float(y) if isinstance(y, np.float64) else y


@named("zeros_like")
def zeros_like(x: Node | Raw, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Plain:
    """Plain zeros, with the shape and dtype of a Value or array unless others are given."""
    return full_like(x, 0, dtype, shape)


@named("ones_like")
def ones_like(x: Node | Raw, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Plain:
    """Plain ones, with the shape and dtype of a Value or array unless others are given."""
    return full_like(x, 1, dtype, shape)
