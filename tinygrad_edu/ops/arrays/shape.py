"""Changing the shape of an array or the order of its axes. Each gradient is returned in its input's shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape, with_params
from ...errors import ShapeError
from ...op import rule
from ...signatures import Array, Axis, Plain
from .axes import checked_axes, checked_axis

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "expand_dims",
    "flatten",
    "matrix_transpose",
    "moveaxis",
    "ravel",
    "reshape",
    "rollaxis",
    "squeeze",
    "swapaxes",
    "transpose",
]


@operation(
    analytic=True,
    samples=lambda shape: [
        Sample((shape,), {"shape": s}) for s in ((-1,), (*shape, 1), shape[::-1]) if all(shape) or s != (-1,)
    ],
    rules=(rule(lambda g, y, x, shape: reshape(g, shape_of(x)), says="g in the shape of x"),),
)
def reshape(x: Array, /, shape: int | Shape) -> Plain:
    """x in another shape, in row-major order; one size may be -1, which is inferred. Raises ShapeError if it does not fit."""
    return np.reshape(x, shape)


@operation(
    symbol="ᵀ",
    analytic=True,
    samples=lambda shape: [Sample((shape,), {"axes": axes}) for axes in (None, tuple(range(-1, len(shape) - 1)))],
    rules=(
        rule(
            lambda g, y, x, axes: transpose(
                g, None if axes is None else np.argsort(np.mod(np.ravel(axes), len(shape_of(x)) or 1)).tolist()
            ),
            says="g with the axes back in place",
        ),
    ),
)
def transpose(x: Array, /, axes: Shape | None = None) -> Plain:
    """x with its axes permuted; None reverses them. Raises ShapeError unless each axis is named once."""
    return np.transpose(x, axes)


# -- Another shape -----------------------------------------------------------------------------------------------------


@derived(samples=with_params({}))
def ravel(x: Array, /) -> Any:
    """x flattened to one axis, in row-major order; a scalar becomes (1,)."""
    return reshape(x, (-1,))


@derived(samples=with_params({}), numpy=lambda x: np.asarray(x).flatten())
def flatten(x: Array, /) -> Any:
    """x flattened to one axis, in row-major order: another name of ravel."""
    return reshape(x, (-1,))


def _with_ones(shape: Shape) -> Iterator[Sample]:
    for axis in range(len(shape)):
        if shape[axis] == 1:
            yield Sample((shape,), {"axis": axis - len(shape)})
    yield Sample((shape,))
    yield Sample(((1, *shape),), {"axis": 0})
    yield Sample(((1, *shape, 1),), {"axis": (-1, 0)})


@derived(samples=_with_ones)
def squeeze(x: Array, /, axis: Axis = None) -> Any:
    """x without its axes of size 1: all of them, or the given ones. Raises ShapeError for an axis of another size."""
    shape = shape_of(x)
    gone = checked_axes(shape, [i for i, n in enumerate(shape) if n == 1] if axis is None else axis)
    if any(shape[i] != 1 for i in gone):
        raise ShapeError(f"got axis={axis} of shape {shape}, expected axes of size 1; index it or reduce it")
    return reshape(x, tuple([n for i, n in enumerate(shape) if i not in gone]))


@derived(
    samples=lambda shape: [
        *[Sample((shape,), {"axis": axis}) for axis in range(-1, len(shape) + 1)],
        Sample((shape,), {"axis": (0, -1)}),
    ]
)
def expand_dims(x: Array, /, axis: int | Sequence[int]) -> Any:
    """x with new axes of size 1, at the given positions in the result. Raises ShapeError for a repeated position."""
    shape = shape_of(x)
    new, sizes = checked_axes(shape, axis, new=np.size(axis)), iter(shape)
    return reshape(x, tuple([1 if i in new else next(sizes) for i in range(len(shape) + len(new))]))


def _one_or_two(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape,))
    yield Sample((shape, ()))


@derived(several=True, samples=_one_or_two)
def atleast_1d(*arrays: Array) -> Any:
    """Each array with at least one axis: () becomes (1,); a tuple if several are given."""
    return _reshaped(arrays, lambda shape: shape or (1,))


@derived(several=True, samples=_one_or_two)
def atleast_2d(*arrays: Array) -> Any:
    """Each array with at least two axes: (n,) becomes (1, n); a tuple if several are given."""
    return _reshaped(arrays, lambda shape: (1,) * (2 - len(shape)) + shape)


@derived(several=True, samples=_one_or_two)
def atleast_3d(*arrays: Array) -> Any:
    """Each array with at least three axes: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1); a tuple if several are given."""
    return _reshaped(arrays, lambda shape: {0: (1, 1, 1), 1: (1, *shape, 1), 2: (*shape, 1)}.get(len(shape), shape))


def _reshaped(arrays: tuple[Any, ...], change: Any) -> Any:
    """Each array reshaped by `change`, which maps a shape to a shape; a tuple unless there is a single array."""
    results = tuple([reshape(x, change(shape_of(x))) for x in arrays])
    return results[0] if len(results) == 1 else results


# -- Axes in another order ---------------------------------------------------------------------------------------------


def _pairs_of_axes(names: tuple[str, str]) -> Any:
    """The sampler of an op of two axes: all pairs, with non-negative and negative numbers."""

    def samples(shape: Shape) -> Iterator[Sample]:
        for i in range(len(shape)):
            for j in range(-len(shape), 0):
                yield Sample((shape,), dict(zip(names, (i, j), strict=True)))

    return samples


@derived(samples=_pairs_of_axes(("axis1", "axis2")))
def swapaxes(x: Array, /, axis1: int, axis2: int) -> Any:
    """x with two of its axes exchanged."""
    order = list(range(len(shape_of(x))))
    i, j = checked_axis(shape_of(x), axis1), checked_axis(shape_of(x), axis2)
    order[i], order[j] = j, i
    return transpose(x, tuple(order))


def _moves(shape: Shape) -> Iterator[Sample]:
    yield from _pairs_of_axes(("source", "destination"))(shape)
    for there in permutations(range(len(shape)), 2):
        yield Sample((shape,), {"source": (0, -1), "destination": there})


@derived(samples=_moves)
def moveaxis(x: Array, /, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """x with axes moved to other positions; the other axes keep their order."""
    shape = shape_of(x)
    here, there = checked_axes(shape, source), checked_axes(shape, destination)
    if len(here) != len(there):
        raise ShapeError(f"got source={source} and destination={destination}, expected an equal number of axes")
    order = [i for i in range(len(shape)) if i not in here]
    for place, axis in sorted(zip(there, here, strict=True)):
        order.insert(place, axis)
    return transpose(x, tuple(order))


@derived(samples=_pairs_of_axes(("axis", "start")))
def rollaxis(x: Array, /, axis: int, start: int = 0) -> Any:
    """x with an axis moved to before the axis at position `start`; moveaxis is easier to read."""
    i, n = checked_axis(shape_of(x), axis), len(shape_of(x))
    if not -n <= start <= n:
        raise ShapeError(f"got start={start} for an input of shape {shape_of(x)}, expected {-n} to {n}")
    j = start if start >= 0 else start + n
    return moveaxis(x, i, j - (i < j))


@derived(
    samples=lambda shape: [Sample((shape,))] if len(shape) > 1 else [],
    numpy=np.matrix_transpose,
    also=(np.linalg.matrix_transpose,),
)
def matrix_transpose(x: Array, /) -> Any:
    """Each matrix of a stack transposed: (..., m, n) -> (..., n, m). Raises ShapeError without two axes."""
    return swapaxes(x, -1, -2)
