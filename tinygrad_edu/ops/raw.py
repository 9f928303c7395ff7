"""Functions of the numbers alone: they take Values or arrays, and return plain integers, with nothing to differentiate."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import data_of


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
