"""Reading part of an array at an index, and writing part of a copy; further updates are in updates.py.

An index is any NumPy index: integers, slices, None, Ellipsis, integer and boolean arrays, tuples of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ...data import operand_array, refuse_foreign, shape_of
from ...definition import operation
from ...domain import Sample, Shape
from ...op import rule
from ...signatures import Array, Plain
from ...term import Term


def _indices(shape: Shape) -> Iterator[Any]:
    """Indices of every kind that fit the shape, including repeated integers."""
    yield ...
    yield (None, ...)
    if shape and all(shape):
        n = shape[0]
        yield 0
        yield -1
        yield slice(None, None, -1)
        yield np.array([0, n - 1, 0])
        yield (..., np.array([[0, -1], [0, 0]]))
        yield np.arange(int(np.prod(shape))).reshape(shape) % 2 == 0
        yield (slice(0, n), None, ...)


def _reading(shape: Shape) -> Iterator[Sample]:
    return (Sample((shape,), {"index": index}) for index in _indices(shape))


def writing(shape: Shape) -> Iterator[Sample]:
    """Samples of an update: for each kind of index, values of its shape, and a scalar."""
    for index in _indices(shape):
        part = np.empty(shape)[index].shape
        yield Sample((shape, part), {"index": index})
        yield Sample((shape, ()), {"index": index})


def repeats(index: Any) -> bool:
    """Whether the index may repeat an element, as arrays, lists and inner tuples of integers can."""
    once = (int, np.integer, slice, type(None), type(...))
    parts = index if isinstance(index, tuple) else (index,)
    return not all(isinstance(i, once) or (i if hasattr(i, "dtype") else np.asarray(i)).dtype == bool for i in parts)


def places_of(shape: Shape, index: Any) -> Array:
    """The flat indices of the elements that an index selects from an array of this shape."""
    places: Array
    if (
        isinstance(index, np.ndarray) and index.dtype.kind in "iu" and shape
    ):  # table rows: do not enumerate all elements
        width = prod(shape[1:])
        places = (np.arange(shape[0])[index] * width)[..., None] + np.arange(width)
        return places.reshape(index.shape + shape[1:])
    places = np.arange(prod(shape)).reshape(shape)[index]
    return places


def copied(x: Array, values: Array) -> Array:
    """A writable copy of x, of a dtype that can hold the values too."""
    return np.array(x, np.result_type(x, values), order="C")


def assigned(x: Array, values: Array, index: Any) -> Array:
    """A copy of x with x[index] = values."""
    y = copied(x, values)
    y[index] = values
    return y


def combine(ufunc: np.ufunc, y: Array, index: Any, values: Array) -> Array:
    """y with y[index] = ufunc(y[index], values), in place; repeated indices accumulate."""
    if not repeats(index):
        y[index] = ufunc(y[index], values)
    elif y.ndim > 1 and np.size(values) > 64 and (isinstance(index, np.ndarray) or y.size < 8 * np.size(values)):
        places = places_of(y.shape, index)  # element by element: ufunc.at is four times slower on rows
        ufunc.at(y.reshape(-1), places.ravel(), np.broadcast_to(values, places.shape).ravel())
    else:
        ufunc.at(y, index, values)
    return y


def by_numpy(ufunc: np.ufunc) -> Any:
    """Reference for an update: NumPy's in-place function on a copy."""

    def updated(x: Array, values: Array, index: Any) -> Array:
        y = copied(x, values)
        ufunc.at(y, index, values)
        return y

    return updated


@operation(
    symbol="[ ]",
    analytic=True,
    samples=_reading,
    numpy=lambda x, index: np.asarray(x)[index],
    rules=(rule(lambda g, y, x, index: Parts(g, shape_of(x), index), says="zeros with g added at the index"),),
)
def getitem(x: Array, /, index: Any) -> Plain:
    """The part x[index]. The gradients of repeated integer indices add up."""
    if type(index) is not int and type(index) is not slice:
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, np.ndarray) and type(part) is not np.ndarray:
                refuse_foreign(part)
            if isinstance(part, Term) and not isinstance(x, Term):
                return part.index_into(np.asarray(x), index)
    return operand_array(x)[index]


def _scattered(shape: Shape) -> Iterator[Sample]:
    for s in writing(shape):
        yield Sample(s.shapes[1:], {"shape": shape, "indices": (s.params["index"],)})
    yield Sample((shape, shape), {"shape": shape, "indices": (..., slice(None) if shape else ())})


def _added_one_by_one(*parts: Array, shape: Shape, indices: tuple[Any, ...]) -> Any:
    total = np.zeros(shape)
    for part, index in zip(parts, indices, strict=True):
        np.add.at(total, index, part)
    return total


@operation(
    accumulates=True,
    analytic=True,
    samples=_scattered,
    numpy=_added_one_by_one,
    shares=rule(
        lambda g, y, *parts, shape, indices: [getitem(g, index) for index in indices], says="g[index] for each index"
    ),
)
def scatter(*parts: Array, shape: Shape, indices: tuple[Any, ...]) -> Plain:
    """Zeros of a shape with each part added at its index: the transpose of several getitem at once."""
    total = np.zeros(shape, np.result_type(*[getattr(part, "dtype", float) for part in parts]))
    for i, (part, index) in enumerate(zip(parts, indices, strict=True)):
        if repeats(index):
            combine(np.add, total, index, part)
        elif i:
            total[index] += part
        else:  # the first part meets only zeros
            total[index] = part
    return total


class Parts:
    """The gradients of several getitem of one array, accumulated as parts and scattered once, when all have arrived.

    Adding n parts takes time proportional to their sizes; n arrays of zeros with one part each take n times the array's size.
    """

    __slots__ = ("indices", "parts", "rest", "shape")
    __array_ufunc__ = None  # array + Parts is Parts.__radd__

    def __init__(self, part: Any, shape: Shape, index: Any) -> None:
        self.parts, self.shape, self.indices = [part], shape, [index]
        self.rest: Any = None

    def __add__(self, other: Any) -> Parts:
        """The sum with more parts, or with a whole gradient; in place, since a rule creates a new Parts for each use."""
        if isinstance(other, Parts):
            self.parts += other.parts
            self.indices += other.indices
            other = other.rest
        if other is not None:
            self.rest = other if self.rest is None else self.rest + other
        return self

    __radd__ = __add__

    def whole(self) -> Any:
        """The gradient."""
        placed = scatter(*self.parts, shape=self.shape, indices=tuple(self.indices))
        return placed if self.rest is None else placed + self.rest


@operation(
    samples=writing,
    numpy=assigned,
    rules=(
        rule(lambda g, y, x, values, index: index_set(g, 0.0, index), says="g, 0 at the index"),
        rule(
            lambda g, y, x, values, index: getitem(g, index) * _last_writer(shape_of(x), index),
            says="g[index], 0 for a value overwritten",
        ),
    ),
)
def index_set(x: Array, values: Array, /, index: Any) -> Plain:
    """A copy of x with x[index] = values; for repeated integer indices the last value wins."""
    return assigned(x, values, index)


def _last_writer(shape: Shape, index: Any) -> Any:
    """1 for each value that remains, 0 for those overwritten by a repeated index."""
    if not repeats(index):
        return 1.0
    writer = np.zeros(shape, int)
    numbers = np.arange(writer[index].size).reshape(writer[index].shape)
    writer[index] = numbers
    return writer[index] == numbers


@operation(
    accumulates=True,
    analytic=True,
    samples=writing,
    numpy=by_numpy(np.add),
    rules=(
        lambda g, y, x, values, index: g,
        rule(lambda g, y, x, values, index: getitem(g, index), says="g[index]"),
    ),
)
def index_add(x: Array, values: Array, /, index: Any) -> Plain:
    """A copy of x with values added at the index; for repeated integer indices all values are added."""
    return combine(np.add, copied(x, values), index, values)
