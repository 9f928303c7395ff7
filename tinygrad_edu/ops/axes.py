"""Axes as users give them: from the front or the back, one or several; checked, and counted from 0."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.lib.array_utils import normalize_axis_tuple

from ..domain import Shape
from ..errors import ShapeError


def checked_axes(name: str, shape: Shape, axes: int | Sequence[int]) -> Shape:
    """The axes as numbers from 0, for the op of this name and an input of this shape.

    Raises ShapeError for an axis that the shape does not have, or that is named twice.
    """
    n = len(shape)
    try:
        return normalize_axis_tuple(axes, n)
    except (ValueError, TypeError):
        expected = f"expected integers from {-n} to {n - 1}, each axis once" if n else "which has no axes"
        raise ShapeError(f"{name}: got axis {axes!r:.40} for an input of shape {shape}, {expected}") from None


def checked_axis(name: str, shape: Shape, axis: int) -> int:
    """The same for a single axis."""
    return checked_axes(name, shape, (axis,))[0]


def along(axis: int, index: object) -> tuple[object, ...]:
    """The index that applies `index` to one axis, counted from 0, and takes all of the others."""
    return (slice(None),) * axis + (index,)
