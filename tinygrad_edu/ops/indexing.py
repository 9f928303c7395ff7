"""Reading parts of an array, and functional updates of parts: x[index], at(x, index).set(v), at(x, index).add(v).

An index is anything NumPy takes: integers, slices, None, Ellipsis, integer and boolean arrays, tuples of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Generic, cast

import numpy as np

from ..data import shape_of
from ..domain import Sample, Shape
from ..op import rule
from ..registry import derived, operation
from ..signatures import Array, Plain, Raw, V


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


def _writing(shape: Shape) -> Iterator[Sample]:
    for index in _indices(shape):
        part = np.empty(shape)[index].shape
        yield Sample((shape, part), {"index": index})
        yield Sample((shape, ()), {"index": index})


def _repeats(index: Any) -> bool:
    """Whether the index may name one place twice, as arrays, lists and inner tuples of integers do."""
    parts = index if isinstance(index, tuple) else (index,)
    once = (int, np.integer, slice, type(None), type(...))
    return not all(isinstance(i, once) or np.asarray(i).dtype == bool for i in parts)


def _assigned(x: Array, index: Any, values: Array) -> Plain:
    y = np.array(x, np.result_type(x, values))
    y[index] = values
    return y


def _added(x: Array, index: Any, values: Array) -> Plain:
    y = np.array(x, np.result_type(x, values))
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) >= y.ndim or any(np.asarray(i).dtype.kind not in "iu" for i in parts):
        np.add.at(y, index, values)
        return y
    lead, row = y.shape[: len(parts)], y.shape[len(parts) :]  # whole rows: number by number is five times as fast
    rows = np.arange(prod(lead)).reshape(lead)[parts]
    places = np.add.outer(rows * prod(row), np.arange(prod(row))).ravel()
    np.add.at(y.reshape(-1), places, np.broadcast_to(values, (*rows.shape, *row)).ravel())
    return y


@operation(
    symbol="[ ]",
    analytic=True,
    samples=_reading,
    numpy=lambda x, index: np.asarray(x)[index],
    rules=(rule("g at the index, 0 elsewhere", lambda g, y, x, index: scatter(g, shape_of(x), index)),),
)
def getitem(x: Array, index: Any) -> Plain:
    """The part x[index]. Where an integer index repeats, the gradients of the repeats add up."""
    return np.asarray(x)[index]


@operation(
    analytic=True,
    samples=lambda shape: (Sample(s.shapes[1:], {"shape": shape, "index": s.params["index"]}) for s in _writing(shape)),
    numpy=lambda x, shape, index: _added(np.zeros(shape), index, x),
    rules=(rule("g[index]", lambda g, y, x, shape, index: getitem(g, index)),),
)
def scatter(x: Array, shape: Shape, index: Any) -> Plain:
    """Zeros of a shape with x added at the index: the mirror image of getitem."""
    zeros = np.zeros(shape, getattr(x, "dtype", float))
    return _added(zeros, index, x) if _repeats(index) else _assigned(zeros, index, x)


@operation(
    samples=_writing,
    numpy=lambda x, values, index: _assigned(x, index, values),
    rules=(
        rule("g, 0 at the index", lambda g, y, x, values, index: index_set(g, 0.0, index)),
        rule("g[index]", lambda g, y, x, values, index: getitem(g, index) * _last_writer(shape_of(x), index)),
    ),
)
def index_set(x: Array, values: Array, index: Any) -> Plain:
    """A copy of x with x[index] = values; where an integer index repeats, the last value stands."""
    return _assigned(x, index, values)


def _last_writer(shape: Shape, index: Any) -> Any:
    """1 for each value whose assignment stands, 0 for those that a repeat of their index overwrote."""
    if not _repeats(index):
        return 1.0
    writer = np.zeros(shape, int)
    numbers = np.arange(writer[index].size).reshape(writer[index].shape)
    writer[index] = numbers
    return writer[index] == numbers


@derived(samples=_writing, numpy=lambda x, values, index: _added(x, index, values))
def index_add(x: Array, values: Array, index: Any) -> Any:
    """A copy of x with values added at the index; where an integer index repeats, all its values are added."""
    return x + scatter(values, shape_of(x), index)


class at(Generic[V]):
    """The place of a functional update: at(x, index).set(values) and .add(values) give an updated copy of x.

    Args:
        x: Value or array.
        index: any NumPy index.
    """

    def __init__(self, x: V | Raw, index: Any) -> None:
        self.x, self.index = x, index

    def set(self, values: V | Raw) -> V:
        """A copy of x with x[index] = values; values broadcast to the shape of x[index]."""
        return cast(V, index_set(self.x, values, self.index))

    def add(self, values: V | Raw) -> V:
        """A copy of x with values added at the index; repeats of an integer index add up."""
        return cast(V, index_add(self.x, values, self.index))
