"""Axes as users give them: from the front or the back, one or several; checked, and counted from 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import index
from typing import Any

from numpy.lib.array_utils import normalize_axis_tuple

from ..domain import Sample, Shape
from ..errors import ShapeError


def checked_axes(name: str, shape: Shape, axis: int | Sequence[int] | None, new: int = 0) -> Shape:
    """The axes as numbers from 0, for the op of this name and an input of this shape; None for all of them.

    Raises ShapeError for an axis that the shape, with so many new axes, does not have, or that is named twice.
    """
    n = len(shape) + new
    if axis is None:
        return tuple(range(n))
    if type(axis) is int and -n <= axis < n:
        return (axis % n,)
    try:
        return normalize_axis_tuple(axis, n)
    except (ValueError, TypeError):
        got = f"axis {axis!r:.40} for an input of shape {shape}" + (f" and {new} new axes" if new else "")
        expected = f"expected integers from {-n} to {n - 1}, each axis once" if n else "which has no axes"
        raise ShapeError(f"{name}: got {got}, {expected}") from None


def checked_axis(name: str, shape: Shape, axis: int) -> int:
    """The same for a single axis, which None and tuples are not."""
    try:
        (i,) = checked_axes(name, shape, index(axis))
    except TypeError:
        raise ShapeError(f"{name}: got axis {axis!r:.40} for an input of shape {shape}, expected one integer") from None
    return i


def along(axis: int, index: object) -> tuple[object, ...]:
    """The index that applies `index` to one axis, counted from 0, and takes all of the others."""
    return (slice(None),) * axis + (index,)


def cut(x: Any, axis: int, start: int | None = None, stop: int | None = None, step: int | None = None) -> Any:
    """The part start:stop:step of x along one axis, counted from 0."""
    return x[along(axis, slice(start, stop, step))]


def each_axis(shape: Shape) -> range:
    """For samples: the axes of a shape, and the last one counted from the back."""
    return range(-1, len(shape)) if shape else range(0)


def along_each_axis(shape: Shape, **params: Any) -> Iterator[Sample]:
    """Samples of an op along an axis: each axis of the shape."""
    return (Sample((shape,), {"axis": axis, **params}) for axis in each_axis(shape))
