"""Reading the part of an array at an index, and writing a part of a copy; see updates.py for the rest of them.

An index is anything NumPy takes: integers, slices, None, Ellipsis, integer and boolean arrays, tuples of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ...data import operand_array, shape_of
from ...definition import operation
from ...domain import Sample, Shape
from ...errors import UnsupportedError
from ...node import Node
from ...op import rule
from ...signatures import Array, Plain


def _indices(shape: Shape) -> Iterator[Any]:
    """Indices of every kind that fit the shape, repeated integers among them."""
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
    """Samples of an update: of each part that an index may name, with as many values, and with one."""
    for index in _indices(shape):
        part = np.empty(shape)[index].shape
        yield Sample((shape, part), {"index": index})
        yield Sample((shape, ()), {"index": index})


def _parts(index: Any) -> tuple[Any, ...]:
    """What the index says of each axis."""
    return index if isinstance(index, tuple) else (index,)


def _plain(part: Any) -> Array:
    """A part of an index as an array. Raises UnsupportedError for a Value, or a list of them: their numbers are floats."""
    if isinstance(part, Node) or (isinstance(part, list) and any(isinstance(i, Node) for i in part)):
        raise UnsupportedError(
            "got a Value in the index, expected plain integers or booleans; "
            "write x[i.data.astype(int)], or a comparison as in x[i > 0]"
        )
    return np.asarray(part)


def repeats(index: Any) -> bool:
    """Whether the index may name one place twice, as arrays, lists and inner tuples of integers do."""
    once = (int, np.integer, slice, type(None), type(...))
    return not all(isinstance(part, once) or _plain(part).dtype == bool for part in _parts(index))


def places_of(shape: Shape, index: Any) -> Array:
    """The places that an index names in an array of this shape, counted row by row."""
    places: Array
    if isinstance(index, np.ndarray) and index.dtype.kind in "iu" and shape:  # rows of a table: never count all of it
        width = prod(shape[1:])
        places = (np.arange(shape[0])[index] * width)[..., None] + np.arange(width)
        return places.reshape(index.shape + shape[1:])
    places = np.arange(prod(shape)).reshape(shape)[index]
    return places


def copied(x: Array, values: Array) -> Array:
    """A copy of x, of a type that holds the values too, to be written to."""
    return np.array(x, np.result_type(x, values), order="C")


def assign(y: Array, index: Any, values: Array) -> Array:
    """y with y[index] = values, in place."""
    try:
        y[index] = values
    except UnsupportedError:
        list(map(_plain, _parts(index)))  # says what is wrong, if that is a Value in the index
        raise
    return y


def combine(ufunc: np.ufunc, y: Array, index: Any, values: Array) -> Array:
    """y with y[index] = ufunc(y[index], values), in place, where all repeats of an index count."""
    if not repeats(index):
        y[index] = ufunc(y[index], values)
    elif y.ndim > 1 and np.size(values) > 64 and (isinstance(index, np.ndarray) or y.size < 8 * np.size(values)):
        places = places_of(y.shape, index)  # number by number: ufunc.at takes four times as long on rows
        ufunc.at(y.reshape(-1), places.ravel(), np.broadcast_to(values, places.shape).ravel())
    else:
        ufunc.at(y, index, values)
    return y


def by_numpy(ufunc: np.ufunc) -> Any:
    """What an update must equal: NumPy's own in-place function on a copy."""

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
    rules=(rule(lambda g, y, x, index: Parts(g, shape_of(x), index), says="g at the index, 0 elsewhere"),),
)
def getitem(x: Array, /, index: Any) -> Plain:
    """The part x[index]. Where an integer index repeats, the gradients of the repeats add up."""
    try:
        return operand_array(x)[index]
    except UnsupportedError:
        list(map(_plain, _parts(index)))  # says what is wrong, if that is a Value in the index
        raise


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
    analytic=True,
    samples=_scattered,
    numpy=_added_one_by_one,
    shares=rule(
        lambda g, y, *parts, shape, indices: [getitem(g, index) for index in indices], says="g[index] for each index"
    ),
)
def scatter(*parts: Array, shape: Shape, indices: tuple[Any, ...]) -> Plain:
    """Zeros of a shape with each part added at its index: the mirror image of getitem, of several at a time."""
    total = np.zeros(shape, np.result_type(*[getattr(part, "dtype", float) for part in parts]))
    for i, (part, index) in enumerate(zip(parts, indices, strict=True)):
        if i or repeats(index):
            combine(np.add, total, index, part)
        else:
            assign(total, index, part)
    return total


class Parts:
    """What several getitem of one array share of its gradient: the parts, put into their places once all have arrived.

    To add n parts takes the time of their numbers, where n arrays of zeros with a part in each take n times that of the array.
    """

    __slots__ = ("indices", "parts", "rest", "shape")
    __array_ufunc__ = None  # array + Parts is Parts.__radd__

    def __init__(self, part: Any, shape: Shape, index: Any) -> None:
        self.parts, self.shape, self.indices = [part], shape, [index]
        self.rest: Any = None

    def __add__(self, other: Any) -> Parts:
        """The sum with more parts, or with a whole gradient; in place, as a rule makes a new one for each use."""
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
    numpy=lambda x, values, index: assign(copied(x, values), index, values),
    rules=(
        rule(lambda g, y, x, values, index: index_set(g, 0.0, index), says="g, 0 at the index"),
        rule(lambda g, y, x, values, index: getitem(g, index) * _last_writer(shape_of(x), index), says="g[index]"),
    ),
)
def index_set(x: Array, values: Array, /, index: Any) -> Plain:
    """A copy of x with x[index] = values; where an integer index repeats, the last value stands."""
    return assign(copied(x, values), index, values)


def _last_writer(shape: Shape, index: Any) -> Any:
    """1 for each value whose assignment stands, 0 for those that a repeat of their index overwrote."""
    if not repeats(index):
        return 1.0
    writer = np.zeros(shape, int)
    numbers = np.arange(writer[index].size).reshape(writer[index].shape)
    writer[index] = numbers
    return writer[index] == numbers


@operation(
    analytic=True,
    samples=writing,
    numpy=by_numpy(np.add),
    rules=(
        lambda g, y, x, values, index: g,
        rule(lambda g, y, x, values, index: getitem(g, index), says="g[index]"),
    ),
)
def index_add(x: Array, values: Array, /, index: Any) -> Plain:
    """A copy of x with values added at the index; where an integer index repeats, all its values are added."""
    return combine(np.add, copied(x, values), index, values)
