"""Norms of vectors and matrices."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived
from ...domain import DISTINCT, Sample, Shape
from ...errors import ShapeError, UnsupportedError
from ...signatures import Array, Axis, Plain
from ..arrays.axes import checked_axes
from ..arrays.p_norm import p_norm
from ..arrays.reduction import along_axes_with_numbers, columns, kept, max, min, reduced, sum
from ..arrays.shape import moveaxis, reshape
from ..numbers.arithmetic import abs, sign
from .parts import diagonal, trace
from .singular_values import svdvals

__all__ = ["matrix_norm", "norm", "vector_norm"]


def _every_ord(shape: Shape) -> Iterator[Sample]:
    """Every kind of norm, for numbers of distinct magnitudes."""

    def prepare(x: Any) -> tuple[Any]:
        places = 8 * (x - np.min(x))
        return (1.1**places * np.where(places % 2, -1, 1),)

    for s in along_axes_with_numbers(shape):
        axes = s.params.get("axis", tuple(range(len(shape))))
        count = np.size(axes)
        vector = (None, 0, 1, 2, 3, -0.5, np.inf, -np.inf)
        matrix = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
        for ord in matrix if count == 2 else vector if count == 1 else ():
            yield Sample((shape,), s.params | {"ord": ord}, prepare=prepare)
            if count == 2 and "axis" in s.params:
                yield Sample((shape,), s.params | {"ord": ord, "axis": axes[::-1]}, prepare=prepare)
    yield Sample((shape,), prepare=prepare) if all(shape) else Sample((shape,))


@derived(domain=(DISTINCT,), samples=_every_ord, numpy=np.linalg.norm)
def norm(x: Array, /, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Norm of vectors (one axis) or matrices (two), over all axes if None; without overflow or underflow.

    Args:
        ord: None for √Σx². For vectors: inf or -inf for the largest or smallest |x|, 0 for the number of nonzeros, another
            number p for (Σ |x|**p)**(1/p). For matrices: "fro" for √Σx², 1 or -1 for the largest or smallest column sum of
            |x|, inf or -inf for row sums, 2 or -2 for the largest or smallest singular value, "nuc" for their sum.

    At x = 0 the gradient is 0; ties for the largest or smallest share the gradient equally.

    Raises:
        UnsupportedError: for any other `ord`.
        ShapeError: if `ord` is not None and the number of axes is neither one nor two.
    """
    if ord is None:
        return p_norm(x) if axis is None and not keepdims else p_norm(x, axis=axis, keepdims=keepdims)
    axes = checked_axes(shape_of(x), axis)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    if len(axes) != 1:
        got = f"axis={axis} of an array of shape {shape_of(x)}"
        raise ShapeError(f"got {got}, expected one axis for vectors or two for matrices with ord={ord!r}")
    if isinstance(ord, str):
        raise UnsupportedError(f"got ord={ord!r} for vectors, expected None or a number; two axes make a matrix")
    if ord == 0:
        return sum(abs(sign(x)), axis=axis, keepdims=keepdims)
    if ord == 1:
        return sum(abs(x), axis=axis, keepdims=keepdims)
    if np.isnan(ord):
        raise UnsupportedError(f"got ord={ord!r} for vectors, expected None or a number")
    if np.isinf(ord):
        return (max if ord > 0 else min)(abs(x), axis=axis, keepdims=keepdims)
    return p_norm(x, p=ord, axis=axis, keepdims=keepdims)


def _matrix_norm(x: Any, ord: float | str, axes: Shape, keepdims: bool) -> Any:
    if ord in ("fro", "f"):
        return p_norm(x, axis=axes, keepdims=keepdims)
    if ord in (2, -2, "nuc"):
        values = svdvals(moveaxis(x, axes, (-2, -1)))
        y = sum(values, axis=-1) if ord == "nuc" else (max if ord == 2 else min)(values, axis=-1)
        return kept(y, x, axes, False) if keepdims else y
    if ord not in (1, -1, np.inf, -np.inf):
        expected = "None, 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        raise UnsupportedError(f"got ord={ord!r} for matrices, expected {expected}")
    down, across = axes
    sums = sum(abs(x), axis=down if ord in (1, -1) else across, keepdims=True)
    return (max if ord > 0 else min)(sums, axis=axes, keepdims=keepdims)


def _offsets(shape: Shape) -> Iterator[Sample]:
    return (Sample((shape,), {"offset": offset}) for offset in (0, 1, -1, 5) if len(shape) > 1)


@derived(samples=_offsets, numpy=np.linalg.diagonal)
def matrix_diagonal(x: Array, /, offset: int = 0) -> Plain:
    """The diagonal of each matrix: (..., n, m) -> (..., k); offset > 0 is above the main diagonal. linalg.diagonal.

    Raises ShapeError without two axes.
    """
    return diagonal(x, offset=offset, axis1=-2, axis2=-1)


@derived(symbol="tr", samples=_offsets, numpy=np.linalg.trace)
def matrix_trace(x: Array, /, offset: int = 0) -> Plain:
    """The sum of the diagonal of each matrix: (..., n, m) -> (...). linalg.trace. Raises ShapeError without two axes."""
    return trace(x, offset=offset, axis1=-2, axis2=-1)


def _unlike(x: Any) -> tuple[Any]:
    """Numbers of distinct magnitudes, with no row or column a multiple of another."""
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
def vector_norm(x: Array, /, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Plain:
    """Norm of vectors along any number of axes, all if None; ord as for norm. linalg.vector_norm."""
    axes = checked_axes(shape_of(x), axis)
    if len(axes) == 1:
        return norm(x, ord=ord, axis=axes, keepdims=keepdims)
    return reshape(norm(columns(x, axes), ord=ord, axis=0), reduced(x, axes, keepdims))


@derived(symbol="‖x‖", domain=(DISTINCT,), samples=_matrices, numpy=np.linalg.matrix_norm)
def matrix_norm(x: Array, /, keepdims: bool = False, ord: float | str = "fro") -> Plain:
    """Norm of each matrix: (..., n, m) -> (...); ord as for norm. linalg.matrix_norm."""
    return norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)
