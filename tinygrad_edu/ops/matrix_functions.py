"""What np.linalg computes of each matrix in the last two axes, or of vectors, where its rules differ from NumPy's own."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import DISTINCT, Sample, Shape
from ..registry import derived
from ..signatures import Array, Axis, Plain
from .axes import checked_axes
from .matrix_parts import diagonal, trace
from .norm import norm
from .reduction import along_axes_with_numbers, columns, reduced
from .shape import reshape


def _offsets(shape: Shape) -> Iterator[Sample]:
    return (Sample((shape,), {"offset": offset}) for offset in (0, 1, -1, 5) if len(shape) > 1)


@derived(samples=_offsets, numpy=np.linalg.diagonal)
def matrix_diagonal(x: Array, offset: int = 0) -> Plain:
    """The diagonal of each matrix: (..., n, m) -> (..., k); offset counts to the right of the main one. linalg.diagonal.

    Raises ShapeError without two axes.
    """
    return diagonal(x, offset=offset, axis1=-2, axis2=-1)


@derived(symbol="tr", samples=_offsets, numpy=np.linalg.trace)
def matrix_trace(x: Array, offset: int = 0) -> Plain:
    """The sum of the diagonal of each matrix: (..., n, m) -> (...). linalg.trace. Raises ShapeError without two axes."""
    return trace(x, offset=offset, axis1=-2, axis2=-1)


def _unlike(x: Any) -> tuple[Any]:
    """Numbers that differ in size, and no row or column a multiple of another."""
    places = 8 * (x - np.min(x))
    return ((places + 1) ** 1.5 * np.where(places % 2, -1, 1),)


def _vectors(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        for ord in (0, 1, 2, 3, -0.5, inf, -inf):
            yield Sample((shape,), s.params | {"ord": ord}, prepare=_unlike)


def _matrices(shape: Shape) -> Iterator[Sample]:
    for ord in ("fro", "nuc", 1, -1, 2, -2, inf, -inf):
        if len(shape) > 1 and all(shape):
            yield Sample((shape,), {"ord": ord}, prepare=_unlike)
            yield Sample((shape,), {"ord": ord, "keepdims": True}, prepare=_unlike)


@derived(symbol="‖x‖", domain=(DISTINCT,), samples=_vectors, numpy=np.linalg.vector_norm)
def vector_norm(x: Array, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Plain:
    """Norm of vectors that lie along any number of axes, all if None; ord as for norm. linalg.vector_norm."""
    axes = checked_axes("norm", shape_of(x), axis)
    if len(axes) == 1:
        return norm(x, ord=ord, axis=axes, keepdims=keepdims)
    return reshape(norm(columns(x, axes), ord=ord, axis=0), reduced(x, axes, keepdims))


@derived(symbol="‖x‖", domain=(DISTINCT,), samples=_matrices, numpy=np.linalg.matrix_norm)
def matrix_norm(x: Array, keepdims: bool = False, ord: float | str = "fro") -> Plain:
    """Norm of each matrix: (..., n, m) -> (...); ord as for norm. linalg.matrix_norm."""
    return norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)
