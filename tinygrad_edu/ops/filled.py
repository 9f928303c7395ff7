"""Plain arrays of one number, in the shape of another array: nothing to differentiate, so these are no ops."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..data import numbers_of
from ..domain import Shape
from ..node import Node
from ..signatures import Plain, Raw


def full_like(x: Node | Raw, fill_value: Any, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Plain:
    """A plain array filled with a number, of the shape and type of a Value or array unless others are given.

    A Python float if the shape is () and the type float64.
    """
    y = np.full_like(numbers_of(x), fill_value, dtype=dtype, shape=shape)[()]
    return float(y) if isinstance(y, np.float64) else y


def zeros_like(x: Node | Raw, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Plain:
    """Plain zeros, of the shape and type of a Value or array unless others are given."""
    return full_like(x, 0, dtype, shape)


def ones_like(x: Node | Raw, dtype: DTypeLike | None = None, shape: Shape | None = None) -> Plain:
    """Plain ones, of the shape and type of a Value or array unless others are given."""
    return full_like(x, 1, dtype, shape)
