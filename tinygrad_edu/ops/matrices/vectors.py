"""Products of vectors along an axis: cross and inner products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...binding import Bound
from ...data import shape_of
from ...definition import operation
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...op import PRODUCT, rule
from ...signatures import Array, Plain
from ..arrays.axes import checked_axis
from ..arrays.shape import moveaxis

__all__ = ["cross", "vecdot"]


def _vectors(shape: Shape) -> Iterator[Sample]:
    yield Sample(((3,), (*shape, 3)))
    yield Sample(((*shape, 3), (*shape, 3)))
    if shape:
        yield Sample(((3, *shape), (*shape, 3)), {"axisa": 0, "axisc": 1})
        yield Sample(((3, *shape), (2, *shape, 3)), {"axisa": 0, "axisc": 0})
        yield Sample(((3, *shape), (3, *shape)), {"axis": 0})


def _cross_call(a: Any, b: Any, /, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Bound:
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    return (a, b), {"axisa": axisa, "axisb": axisb, "axisc": axisc}


def _from_right(axis: int, x: Any) -> int:
    """The axis as a negative number, which stays valid when broadcasting adds leading axes."""
    return int(axis) if axis < 0 else int(axis) - len(x.shape)


@operation(
    symbol="⨯",
    analytic=True,
    call=_cross_call,
    slices=PRODUCT,
    samples=_vectors,
    numpy=np.cross,
    also=(np.linalg.cross,),
    rules=(
        rule(lambda g, y, a, b, axisa, axisb, axisc: cross(b, g, axisb, axisc, _from_right(axisa, a)), says="b ⨯ g"),
        rule(lambda g, y, a, b, axisa, axisb, axisc: cross(g, a, axisc, axisa, _from_right(axisb, b)), says="g ⨯ a"),
    ),
)
def cross(a: Array, b: Array, /, axisa: int = -1, axisb: int = -1, axisc: int = -1) -> Plain:
    """Cross product of 3-vectors along axisa of a and axisb of b; the result's lie along axisc. Other axes broadcast.

    `axis`, if given, overrides all three. Vectors of two components, which NumPy deprecates, raise ShapeError.
    """
    for x, axis in ((a, axisa), (b, axisb)):
        size = shape_of(x)[checked_axis(shape_of(x), axis)]
        if size != 3:
            got = f"{size} components along axis {axis} of shape {shape_of(x)}"
            raise ShapeError(f"got vectors of {got}, expected 3; add a third component of 0")
    y: Plain = np.cross(a, b, axisa, axisb, axisc)
    checked_axis(shape_of(y), axisc)  # the rules use it: NumPy takes False for 0
    return y


def _along(shape: Shape) -> Iterator[Sample]:
    if shape:
        yield Sample((shape, shape))
        yield Sample((shape, shape[-1:]))
        yield Sample((shape, (2, *shape)), {"axis": -1})
        yield Sample((shape, shape), {"axis": 0})
        yield Sample((shape, (shape[0], 2, *shape[1:])), {"axis": 0})


def _vecdot_share(g: Any, x: Any, other: Any, axis: int) -> Any:
    """g times the other factor, with the summed axis restored in g."""
    if not shape_of(g):
        return g * other
    if axis == -1:
        return g[..., None] * other
    return moveaxis(g[..., None] * moveaxis(other, axis, -1), -1, _from_right(axis, x))


@operation(
    symbol="·",
    slices=PRODUCT,
    samples=_along,
    also=(np.linalg.vecdot,),
    rules=(
        lambda g, y, a, b, axis: _vecdot_share(g, a, b, axis),
        lambda g, y, a, b, axis: _vecdot_share(g, b, a, axis),
    ),
)
def vecdot(a: Array, b: Array, /, axis: int = -1) -> Plain:
    """Inner products of vectors along an axis; the other axes broadcast. Raises ShapeError if sizes differ."""
    i, j = [checked_axis(shape_of(x), axis) for x in (a, b)]
    if shape_of(a)[i] != shape_of(b)[j]:
        raise ShapeError(f"got vectors of {shape_of(a)[i]} and {shape_of(b)[j]} components, expected equal lengths")
    return np.vecdot(a, b, axis=axis)  # type: ignore[call-overload]  # NumPy's stubs lack axis
