"""Running sums and products under the array standard's names, which can start with the empty one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import Sample, Shape
from ..errors import ShapeError
from ..registry import derived
from ..signatures import Array, Plain
from .cumulative import cumprod, cumsum
from .joining import concatenate
from .shape import atleast_1d


def _along_an_axis(shape: Shape) -> Iterator[Sample]:
    if len(shape) < 2:
        yield Sample((shape,), {})
        yield Sample((shape,), {"include_initial": True})
    for axis in range(-1, len(shape)):
        if shape:
            yield Sample((shape,), {"axis": axis})
            yield Sample((shape,), {"axis": axis, "include_initial": True})


@derived(symbol="Σ…", samples=_along_an_axis)
def cumulative_sum(x: Array, axis: int | None = None, include_initial: bool = False) -> Plain:
    """Running sum along an axis; with include_initial it starts with 0, and is one number longer.

    Raises ShapeError for several axes if none is named; cumsum flattens them.
    """
    y, axis = atleast_1d(x), _axis("cumulative_sum", x, axis)
    return _after(0, cumsum(y, axis=axis), axis) if include_initial else cumsum(y, axis=axis)


@derived(symbol="Π…", samples=_along_an_axis)
def cumulative_prod(x: Array, axis: int | None = None, include_initial: bool = False) -> Plain:
    """Running product along an axis; with include_initial it starts with 1, and is one number longer.

    Raises ShapeError for several axes if none is named; cumprod flattens them.
    """
    y, axis = atleast_1d(x), _axis("cumulative_prod", x, axis)
    return _after(1, cumprod(y, axis=axis), axis) if include_initial else cumprod(y, axis=axis)


def _axis(name: str, x: Any, axis: int | None) -> int:
    if axis is None and len(shape_of(x)) > 1:
        raise ShapeError(f"{name}: got an array of shape {shape_of(x)} and no axis, expected axis=")
    return 0 if axis is None else axis


def _after(start: int, y: Any, axis: int) -> Any:
    """y with one number more in front along the axis."""
    shape = list(y.shape)
    shape[axis] = 1
    return concatenate([np.full(shape, start, y.dtype), y], axis=axis)
