"""Plain results, of Values or arrays: places of numbers, and arrays of one number. Nothing to differentiate, so no ops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..data import data_of
from ..domain import Shape
from ..node import Node
from ..signatures import Plain, Raw


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the largest number along an axis, or in flattened x; the first one of equals, or the first NaN."""
    return np.argmax(data_of(x), axis=axis, keepdims=keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the smallest number along an axis, or in flattened x; the first one of equals, or the first NaN."""
    return np.argmin(data_of(x), axis=axis, keepdims=keepdims)


def argsort(x: Any, axis: int | None = -1, stable: bool = True) -> Any:
    """The places of the numbers in rising order along an axis, or in flattened x; NaN last.

    Equal numbers keep their order, unless stable=False, which may be faster.
    """
    return np.argsort(data_of(x), axis=axis, stable=stable)


def full_like(x: Node | Raw, fill_value: Any, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Plain:
    """A plain array filled with a number, of the shape and type of a Value or array unless others are given.

    A Python float if the shape is () and the type float64.
    """
    y = np.full_like(data_of(x), fill_value, dtype=dtype, shape=shape)[()]
    return float(y) if isinstance(y, np.float64) else y


def zeros_like(x: Node | Raw, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Plain:
    """Plain zeros, of the shape and type of a Value or array unless others are given."""
    return full_like(x, 0, dtype, shape)


def ones_like(x: Node | Raw, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Plain:
    """Plain ones, of the shape and type of a Value or array unless others are given."""
    return full_like(x, 1, dtype, shape)
