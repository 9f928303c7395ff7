"""Validation of axes and integers. Axes may be negative, one or several; the results are non-negative."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ...data import to_array
from ...domain import Sample, Shape
from ...errors import DTypeError, OutOfBoundsError, ShapeError
from ...misuse import described, integer_of, is_number
from ...node import Node


def checked_axes(shape: Shape, axis: int | Sequence[int] | None, new: int = 0) -> Shape:
    """The axes of an input of this shape as non-negative numbers; None selects all of them.

    Raises ShapeError for an axis that the shape, with `new` more axes, does not have, or for a repeated axis.
    """
    n = len(shape) + new
    if axis is None:
        return tuple(range(n))
    if type(axis) is int and -n <= axis < n:
        return (axis % n,)
    try:
        if any(isinstance(i, (bool, np.bool)) for i in (axis if isinstance(axis, (tuple, list)) else (axis,))):
            raise TypeError("a boolean is no axis")  # True is 1 to Python
        return normalize_axis_tuple(axis, n)
    except (ValueError, TypeError):
        got = f"axis {axis!r:.40} for an input of shape {shape}" + (f" and {new} new axes" if new else "")
        expected = f"expected integers from {-n} to {n - 1}, each axis once" if n else "which has no axes"
        raise ShapeError(f"got {got}, {expected}") from None


def checked_axis(shape: Shape, axis: int) -> int:
    """A single axis as a non-negative number. Raises ShapeError for None and tuples too."""
    try:
        (i,) = checked_axes(shape, integer_of(axis))
    except TypeError:
        raise ShapeError(f"got axis {axis!r:.40} for an input of shape {shape}, expected one integer") from None
    return i


def along(axis: int, index: object) -> tuple[object, ...]:
    """The index that applies `index` to one axis (non-negative) and a full slice to the others."""
    return (slice(None),) * axis + (index,)


def cut(x: Any, axis: int, start: int | None = None, stop: int | None = None, step: int | None = None) -> Any:
    """The slice start:stop:step of x along one axis (non-negative)."""
    return x[along(axis, slice(start, stop, step))]


def each_axis(shape: Shape) -> range:
    """For samples: the axes of a shape, and -1."""
    return range(-1, len(shape)) if shape else range(0)


def along_each_axis(shape: Shape, **params: Any) -> Iterator[Sample]:
    """Samples of an op along an axis: each axis of the shape."""
    return (Sample((shape,), {"axis": axis, **params}) for axis in each_axis(shape))


def integer(what: str, given: Any) -> int:
    """`given` as an integer; `what` names the argument in errors. Raises DTypeError for anything else."""
    try:
        return integer_of(given)
    except TypeError:
        raise DTypeError(f"got {what}={given!r:.40}, expected an integer") from None


def real(what: str, given: Any) -> Any:
    """`given`, a real number. Raises DTypeError for anything else."""
    if not is_number(given):
        raise DTypeError(f"got {what}={described(given)}, expected a real number")
    return given


def integers(what: str, given: Any, count: int | None = None) -> Any:
    """Integers as an array, of any sign; with a count, from 0 to count - 1.

    Raises:
        DTypeError: if they are not integers, or a Value, which holds floats.
        IndexError: if one is out of range.
    """
    if isinstance(given, Node):
        raise DTypeError(f"{what} are a Value, expected plain integers; write i.data.astype(int)")
    numbers = to_array(given)
    if not numbers.size:
        numbers = numbers.astype(int)
    if numbers.dtype.kind not in "iu":
        raise DTypeError(f"{what} are {numbers.dtype}, expected integers; cast them with .astype(int)")
    if count is not None and numbers.size and (numbers.min() < 0 or numbers.max() >= count):
        got = f"{what} from {numbers.min()} to {numbers.max()}"
        raise OutOfBoundsError(f"got {got}, expected 0 to {count - 1}")
    return numbers
