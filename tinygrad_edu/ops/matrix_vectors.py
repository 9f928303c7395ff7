"""Products of stacks of matrices with stacks of vectors, which matmul would take for matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..data import shape_of
from ..domain import REAL, Sample, Shape
from ..errors import ShapeError
from ..registry import derived
from ..signatures import Array, Plain
from .products import matmul


def _matrices_first(shape: Shape) -> Iterator[Sample]:
    if len(shape) > 1:
        yield Sample((shape, shape[-1:]))
        yield Sample((shape, (2, *[1] * (len(shape) - 2), shape[-1])))


def _vectors_first(shape: Shape) -> Iterator[Sample]:
    if len(shape) > 1:
        yield Sample((shape[-2:-1], shape))
        yield Sample(((2, *[1] * (len(shape) - 2), shape[-2]), shape))


@derived(symbol="@", domain=(REAL, REAL), samples=_matrices_first)
def matvec(a: Array, b: Array) -> Plain:
    """Each matrix of a times each vector of b: (..., n, k), (..., k) -> (..., n); leading axes broadcast.

    Raises ShapeError if the inner sizes differ, or an axis is missing.
    """
    _check("matvec", a, b, a, b)
    return matmul(a, b[..., None])[..., 0]


@derived(symbol="@", domain=(REAL, REAL), samples=_vectors_first)
def vecmat(a: Array, b: Array) -> Plain:
    """Each vector of a times each matrix of b: (..., k), (..., k, m) -> (..., m); leading axes broadcast.

    Raises ShapeError if the inner sizes differ, or an axis is missing.
    """
    _check("vecmat", a, b, b, a)
    return matmul(a[..., None, :], b)[..., 0, :]


def _check(name: str, a: Any, b: Any, matrices: Any, vectors: Any) -> None:
    inner = -1 if matrices is a else -2
    matrix, vector = shape_of(matrices), shape_of(vectors)
    if len(matrix) < 2 or not vector or matrix[inner] != vector[-1]:
        expected = "(..., n, k) and (..., k)" if matrices is a else "(..., k) and (..., k, m)"
        raise ShapeError(f"{name}: got shapes {shape_of(a)} and {shape_of(b)}, expected {expected}")
