"""Diagonals and triangles of matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...signatures import Array
from ..arrays.axes import checked_axes, integer
from ..arrays.indexing import getitem, scatter
from ..arrays.reduction import sum
from ..arrays.shape import moveaxis, ravel, reshape
from ..numbers.choosing import where

__all__ = ["diag", "diagflat", "diagonal", "trace", "tril", "triu"]


def _row(rows: int, columns: int, offset: int) -> slice:
    """The slice of the flattened matrix that is a diagonal: every (columns + 1)th element."""
    offset = integer("offset", offset)
    length = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    start = offset if offset >= 0 else -offset * columns
    return slice(start, start + length * (columns + 1), columns + 1)


def _diagonals(shape: Shape) -> Iterator[Sample]:
    for axis1 in range(len(shape)):
        for axis2 in range(-len(shape), 0):
            if axis1 - axis2 != len(shape):
                yield Sample((shape,), {"axis1": axis1, "axis2": axis2})
                yield Sample((shape,), {"axis1": axis1, "axis2": axis2, "offset": 1})
                yield Sample((shape,), {"axis1": axis1, "axis2": axis2, "offset": -5})
    if len(shape) > 1:
        yield Sample((shape,), {"offset": -1})


@derived(samples=_diagonals)
def diagonal(x: Array, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of the matrices that two axes of x span, along a new last axis; offset > 0 is above the main diagonal.

    Raises ShapeError without two such axes.
    """
    return _diagonal(x, offset, axis1, axis2)


def _diagonal(x: Any, offset: int, axis1: int, axis2: int) -> Any:
    shape = shape_of(x)
    if len(shape) < 2:
        raise ShapeError(f"got an input of shape {shape}, expected two axes or more")
    axes = checked_axes(shape, (axis1, axis2))
    matrices = x if axes == (len(shape) - 2, len(shape) - 1) else moveaxis(x, axes, (-2, -1))
    *stack, rows, columns = shape_of(matrices)
    return getitem(reshape(matrices, (*stack, rows * columns)), (..., _row(rows, columns, offset)))


@derived(samples=_diagonals)
def trace(x: Array, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum of the diagonal of each matrix that two axes of x span. Raises ShapeError without two such axes."""
    return sum(_diagonal(x, offset, axis1, axis2), axis=-1)


@derived(samples=lambda shape: [Sample((shape,), {"k": k}) for k in (0, 1, -2)] if 0 < len(shape) < 3 else [])
def diag(x: Array, /, k: int = 0) -> Any:
    """The matrix with the vector x on its kth diagonal, or the kth diagonal of the matrix x; k > 0 is above the main diagonal.

    Raises ShapeError for any other x; diagonal() takes stacks of matrices.
    """
    if len(shape_of(x)) == 2:
        return _diagonal(x, k, 0, 1)
    if len(shape_of(x)) != 1:
        raise ShapeError(f"got an input of shape {shape_of(x)}, expected a vector or a matrix; see diagonal()")
    k = integer("k", k)
    n = shape_of(x)[0] + abs(k)
    return reshape(scatter(x, shape=(n * n,), indices=(_row(n, n, k),)), (n, n))


@derived(samples=lambda shape: [Sample((shape,), {"k": k}) for k in (0, 1, -2)])
def diagflat(x: Array, /, k: int = 0) -> Any:
    """The matrix with the flattened x on its kth diagonal."""
    return diag(ravel(x), k)


def _triangles(shape: Shape) -> Iterator[Sample]:
    if shape:
        yield from (Sample((shape,), {"k": k}) for k in (0, 1, -1))


def _lower(x: Any, k: int, by: int = 0) -> Any:
    """True on and below the (k + by)th diagonal of each matrix of x."""
    if not shape_of(x):
        raise ShapeError("got a scalar, expected a matrix or a stack of them")
    rows, columns = (*shape_of(x), *shape_of(x))[-2:] if len(shape_of(x)) == 1 else shape_of(x)[-2:]
    return np.tri(rows, columns, integer("k", k) + by, bool)


@derived(samples=_triangles)
def tril(x: Array, /, k: int = 0) -> Any:
    """Lower triangle: each matrix of x with 0 above its kth diagonal; a vector counts as every row of a square matrix."""
    return where(_lower(x, k), x, 0)


@derived(samples=_triangles)
def triu(x: Array, /, k: int = 0) -> Any:
    """Upper triangle: each matrix of x with 0 below its kth diagonal; a vector counts as every row of a square matrix."""
    return where(_lower(x, k, by=-1), 0, x)
