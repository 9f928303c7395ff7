"""Some numbers of an array, chosen along an axis by integers: taken, or left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import Sample, Shape
from ..errors import ShapeError, UnsupportedError
from ..registry import derived
from ..signatures import Array
from .axes import along, along_each_axis, checked_axis, each_axis
from .indexing import getitem
from .integers import integers
from .shape import ravel


def _taken(shape: Shape) -> Iterator[Sample]:
    for indices in (0, [0, -1, 0], np.array([[0, -1]]), []):
        if np.prod(shape) or not np.size(indices):
            yield Sample((shape,), {"indices": np.asarray(indices, int), "axis": None})
            yield from along_each_axis(shape, indices=np.asarray(indices, int))


@derived(arrays=1, samples=_taken)
def take(x: Array, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """The numbers of x at the indices along an axis, or in the row of all its numbers; indices may have any shape.

    Raises IndexError for indices out of range: NumPy's other modes are not recorded.
    """
    if mode != "raise":
        raise UnsupportedError(f"take: got mode={mode!r}, expected 'raise'; apply np.clip or % to the indices yourself")
    indices = integers("take", "indices", indices)
    if axis is None:
        return getitem(ravel(x), indices)
    return getitem(x, along(checked_axis("take", shape_of(x), axis), indices))


def _along(shape: Shape) -> Iterator[Sample]:
    for axis in each_axis(shape):
        if all(shape):
            indices = np.arange(int(np.prod(shape))).reshape(shape) * 7 % shape[axis]
            yield Sample((shape,), {"indices": indices, "axis": axis})
            few = np.zeros([1 if i == axis % len(shape) else n for i, n in enumerate(shape)], int)
            yield Sample((shape,), {"indices": few - 1, "axis": axis})
    if shape and all(shape):
        yield Sample((shape,), {"indices": np.array([0, -1, 0]), "axis": None})


@derived(arrays=1, samples=_along)
def take_along_axis(x: Array, indices: Any, axis: int | None = -1) -> Any:
    """The numbers of x at the indices along an axis, which are arranged like x: what argsort or argmax found, say.

    indices have as many axes as x; all but the one named are of the same size, or 1. None: x and the indices in a row.
    """
    indices = integers("take_along_axis", "indices", indices)
    if axis is None:
        x, axis = ravel(x), 0
    shape = shape_of(x)
    if indices.ndim != len(shape):
        raise ShapeError(
            f"take_along_axis: got indices of shape {indices.shape} for an input of shape {shape}, "
            "expected as many axes; use take() for the same indices everywhere"
        )
    return getitem(x, places_along(shape, indices, checked_axis("take_along_axis", shape, axis)))


def places_along(shape: Shape, indices: Any, axis: int) -> tuple[Any, ...]:
    """The index, for an array of this shape, of the places that the indices name along an axis."""
    places: list[Any] = list(np.indices(shape, sparse=True))
    places[axis] = indices
    return tuple(places)


def _deletions(shape: Shape) -> Iterator[Sample]:
    places: tuple[Any, ...] = (0, -1, slice(None, None, 2), np.array([0, -1, 0]), [])
    for obj in places:
        if np.prod(shape):
            yield Sample((shape,), {"obj": obj})
            yield from along_each_axis(shape, obj=obj)


@derived(arrays=1, samples=_deletions)
def delete(x: Array, obj: Any, axis: int | None = None) -> Any:
    """x without the places that an integer, a slice or an array names along an axis; None: in the row of all its numbers."""
    if axis is None:
        x, axis = ravel(x), 0
    i = checked_axis("delete", shape_of(x), axis)
    kept = np.ones(shape_of(x)[i], bool)
    obj = obj if isinstance(obj, slice) or np.asarray(obj).dtype == bool else integers("delete", "places", obj)
    try:
        kept[obj] = False
    except IndexError as error:
        raise IndexError(f"delete: {error}") from None
    return getitem(x, along(i, kept))
