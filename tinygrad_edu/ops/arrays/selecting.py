"""Selecting or deleting elements of an array, by integers or conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...data import raw_of, shape_of, to_array
from ...definition import derived
from ...domain import CONDITION, REAL, Sample, Shape
from ...errors import DTypeError, ShapeError, UnsupportedError
from ...signatures import Array, Plain
from ..numbers.choosing import where
from .axes import along, along_each_axis, checked_axis, each_axis, integers
from .indexing import getitem
from .shape import ravel

__all__ = ["compress", "delete", "extract", "select", "take", "take_along_axis"]


def _taken(shape: Shape) -> Iterator[Sample]:
    for indices in (0, [0, -1, 0], np.array([[0, -1]]), []):
        if np.prod(shape) or not np.size(indices):
            yield Sample((shape,), {"indices": np.asarray(indices, int), "axis": None})
            yield from along_each_axis(shape, indices=np.asarray(indices, int))


@derived(samples=_taken)
def take(x: Array, /, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """The elements of x at the indices along an axis, or of flattened x; indices may have any shape.

    Raises IndexError for indices out of range, UnsupportedError for NumPy's other modes.
    """
    if mode != "raise":
        raise UnsupportedError(f"got mode={mode!r}, expected 'raise'; apply np.clip or % to the indices yourself")
    indices = integers("indices", indices)
    if axis is None:
        return getitem(ravel(x), indices)
    return getitem(x, along(checked_axis(shape_of(x), axis), indices))


def _along(shape: Shape) -> Iterator[Sample]:
    for axis in each_axis(shape):
        if all(shape):
            indices = np.arange(int(np.prod(shape))).reshape(shape) * 7 % shape[axis]
            yield Sample((shape,), {"indices": indices, "axis": axis})
            few = np.zeros([1 if i == axis % len(shape) else n for i, n in enumerate(shape)], int)
            yield Sample((shape,), {"indices": few - 1, "axis": axis})
    if shape and all(shape):
        yield Sample((shape,), {"indices": np.array([0, -1, 0]), "axis": None})


@derived(samples=_along)
def take_along_axis(x: Array, /, indices: Any, axis: int | None = -1) -> Any:
    """The elements of x at the indices along an axis, arranged like x: for example the results of argsort or argmax.

    indices have the same number of axes as x; sizes other than along `axis` are equal or 1. None flattens x and the indices.
    """
    indices = integers("indices", indices)
    if axis is None:
        x, axis = ravel(x), 0
    shape = shape_of(x)
    if indices.ndim != len(shape):
        raise ShapeError(
            f"got indices of shape {indices.shape} for an input of shape {shape}, "
            "expected an equal number of axes; use take() for the same indices everywhere"
        )
    return getitem(x, places_along(shape, indices, checked_axis(shape, axis)))


def places_along(shape: Shape, indices: Any, axis: int) -> tuple[Any, ...]:
    """The full index, for an array of this shape, equivalent to indices along one axis."""
    places: list[Any] = list(np.indices(shape, sparse=True))
    places[axis] = indices
    return tuple(places)


def _deletions(shape: Shape) -> Iterator[Sample]:
    places: tuple[Any, ...] = (0, -1, slice(None, None, 2), np.array([0, -1, 0]), [])
    for obj in places:
        if np.prod(shape):
            yield Sample((shape,), {"obj": obj})
            yield from along_each_axis(shape, obj=obj)


@derived(samples=_deletions)
def delete(x: Array, /, obj: Any, axis: int | None = None) -> Any:
    """x without the elements that an integer, a slice or an array selects along an axis; None flattens x first."""
    if axis is None:
        x, axis = ravel(x), 0
    i = checked_axis(shape_of(x), axis)
    kept = np.ones(shape_of(x)[i], bool)
    obj = obj if isinstance(obj, slice) or np.asarray(obj).dtype == bool else integers("places", obj)
    kept[obj] = False
    return getitem(x, along(i, kept))


def _select_call(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    conditions = tuple([to_array(raw_of(condition)) for condition in condlist])
    if not conditions or len(conditions) != len(choicelist):
        got = f"{len(conditions)} conditions and {len(choicelist)} choices"
        raise ShapeError(f"got {got}, expected equal numbers, at least one")
    if any(condition.dtype != bool for condition in conditions):
        kinds = ", ".join([str(condition.dtype) for condition in conditions])
        raise DTypeError(f"got conditions of {kinds}, expected booleans; write x != 0")
    return (*choicelist, default), {"conditions": conditions}


def _choices(shape: Shape) -> Iterator[Sample]:
    places = np.arange(int(np.prod(shape))).reshape(shape)
    conditions = (places % 3 == 0, places % 2 == 0)
    yield Sample((shape, shape, ()), {"conditions": conditions})
    yield Sample((shape, (), shape[1:]), {"conditions": conditions})
    yield Sample((shape, shape), {"conditions": conditions[:1]})


@derived(
    call=_select_call,
    samples=_choices,
    numpy=lambda *choices, conditions: np.select(conditions, choices[:-1], choices[-1]),
    also=(np.select,),
)
def select(*choices: Array, conditions: tuple[Any, ...]) -> Plain:
    """Elementwise the choice of the first true condition, else the default: select(conditions, choices, default=0).

    Shapes broadcast. Only chosen elements receive a gradient.

    Raises:
        ShapeError: if the numbers of conditions and choices differ or are 0.
        DTypeError: for conditions that are not boolean.
    """
    y = choices[-1]
    for condition, choice in zip(conditions[::-1], choices[-2::-1], strict=True):
        y = where(condition, choice, y)
    return y


def _kept(shape: Shape) -> Iterator[Sample]:
    yield Sample(((int(np.prod(shape)),), shape))
    for axis in each_axis(shape):
        yield Sample(((shape[axis],), shape), {"axis": axis})
        yield Sample(((shape[axis] // 2,), shape), {"axis": axis})


@derived(domain=(CONDITION, REAL), samples=_kept)
def compress(condition: Array, x: Array, /, axis: int | None = None) -> Plain:
    """The slices of x along an axis at which a boolean vector is True; None flattens x first.

    Slices beyond a shorter condition are dropped. Raises ShapeError if the condition is not a vector, IndexError if it is True
    past the end.
    """
    if len(shape_of(condition)) != 1:
        raise ShapeError(f"got a condition of shape {shape_of(condition)}, expected a vector; see extract()")
    if axis is None:
        x, axis = ravel(x), 0
    return getitem(x, along(checked_axis(shape_of(x), axis), np.flatnonzero(raw_of(condition))))


@derived(domain=(CONDITION, REAL), samples=lambda shape: [Sample((shape, shape))])
def extract(condition: Array, x: Array, /) -> Plain:
    """The elements of x, flattened, at which a condition of its shape is True. Raises IndexError if it is True past the end."""
    return getitem(ravel(x), np.flatnonzero(raw_of(condition)))
