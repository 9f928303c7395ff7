"""Inverses, linear equations and powers of square matrices, which lie in the last two axes: (..., n, n).

Source of the rules: M. Giles, Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation
(2008), section 2.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import MatrixError, ShapeError
from ...op import rule
from ...signatures import Array, Plain
from ..arrays.indexing import index_set
from .products import matmul

__all__ = ["inv", "matrix_power", "solve"]


NOT_FINITE = "a matrix is not finite; look for NaN and inf in it"
_SINGULAR = "a matrix is singular, so it has no inverse; try pinv or lstsq, or add a multiple of the identity"


def square_shapes(shape: Shape) -> Shape:
    """For samples: the shape of a stack of square matrices; (n, n) for one axis."""
    n = shape[-1] if shape else 2
    return (*shape[-2:-1], n, n)


def well_posed(x: Array, *others: Array) -> tuple[Array, ...]:
    """For samples: a matrix with eigenvalues and singular values near 1, 2, 3, ...; other arguments are unchanged."""
    rows, columns = x.shape[-2:]
    return x / 16 + np.eye(rows, columns) * np.arange(1.0, columns + 1), *others


def regular(shape: Shape) -> Iterator[Sample]:
    """Samples of invertible square matrices."""
    yield Sample((square_shapes(shape),), prepare=well_posed)


def check_square(x: Any) -> None:
    """Raise ShapeError unless x is a square matrix or a stack of them."""
    shape = shape_of(x)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        remedy = "lstsq, pinv, qr and svd take others" if len(shape) > 1 else "put the matrices in the last two axes"
        raise ShapeError(f"got shape {shape}, expected square matrices (..., n, n); {remedy}")


def check_matrix(x: Any) -> None:
    """Raise ShapeError unless x is a matrix or a stack of them."""
    if len(shape_of(x)) < 2:
        raise ShapeError(f"got shape {shape_of(x)}, expected matrices (..., m, n); x[:, None] makes a column")


def factored(problem: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of NumPy's function; its LinAlgError becomes a MatrixError that names the operation and the problem.

    Matrices that are not finite are refused first if that is the problem, since LAPACK may not return from them.
    """
    if problem is NOT_FINITE and not all(np.all(np.isfinite(x)) for x in args if isinstance(x, np.ndarray)):
        raise MatrixError(NOT_FINITE)
    try:
        return function(*args, **kwargs)
    except np.linalg.LinAlgError as error:
        raise MatrixError(f"{problem} (NumPy: {error})") from None


@operation(
    symbol="x⁻¹",
    analytic=True,
    slices="...ij->...kl",
    samples=regular,
    numpy=np.linalg.inv,
    rules=(lambda g, y, x: -(y.mT @ g @ y.mT),),
)
def inv(x: Array, /) -> Plain:
    """Inverse of square matrices: (..., n, n) -> (..., n, n). To solve equations, solve() is faster and more accurate.

    Raises ShapeError if the matrices are not square, MatrixError if one is singular.
    """
    check_square(x)
    return factored(_SINGULAR, np.linalg.inv, x)


def _equations(shape: Shape) -> Iterator[Sample]:
    left = square_shapes(shape)
    n = left[-1]
    for right in ((n,), (n, 2), (2, 1, n, 1)):
        yield Sample((left, right), prepare=well_posed)


def _transposed_solution(g: Any, a: Any, b: Any) -> Any:
    """aᵀ⁻¹ g; where b is a vector, as a column."""
    return solve(a.mT, g[..., None] if len(b.shape) == 1 else g)


def _minus_outer(z: Any, y: Any, b: Any) -> Any:
    """-z yᵀ for each matrix; y is a vector if b is."""
    return -(z * y[..., None, :] if len(b.shape) == 1 else z @ y.mT)


@operation(
    symbol="a⁻¹b",
    analytic=True,
    slices=lambda a, b: "...ij,k->...l" if len(b.shape) == 1 else "...ij,...kc->...lc",
    samples=_equations,
    numpy=np.linalg.solve,
    rules=(
        rule(lambda g, y, a, b: _minus_outer(_transposed_solution(g, a, b), y, b), says="-(aᵀ⁻¹ g) yᵀ"),
        rule(
            lambda g, y, a, b: (
                _transposed_solution(g, a, b)[..., 0] if len(b.shape) == 1 else _transposed_solution(g, a, b)
            ),
            says="aᵀ⁻¹ g",
        ),
    ),
)
def solve(a: Array, b: Array, /) -> Plain:
    """The solution x of a @ x = b: (..., n, n) and (n,) -> (..., n), or (..., n, n) and (..., n, k) -> (..., n, k).

    b is a vector if it has one axis, else a stack of matrices, as in NumPy 2. Leading axes broadcast. Raises ShapeError if
    shapes do not fit, MatrixError if a matrix is singular.
    """
    check_square(a)
    left, right = shape_of(a), shape_of(b)
    if not right or right[-2:][0] != left[-1]:
        expected = f"({left[-1]},) or (..., {left[-1]}, k)"
        raise ShapeError(f"got {left} and {right}, expected {expected} on the right; b[..., None] makes columns")
    return factored(_SINGULAR, np.linalg.solve, a, b)


def _powers(shape: Shape) -> Iterator[Sample]:
    for n in (0, 1, 2, 3, 5, -1, -2):
        yield Sample((square_shapes(shape),), {"n": n}, prepare=well_posed)


@derived(symbol="xⁿ", samples=_powers, numpy=np.linalg.matrix_power)
def matrix_power(x: Array, /, n: int) -> Plain:
    """Integer power of square matrices: (..., n, n) -> (..., n, n), by repeated squaring; if n < 0, a power of the inverse.

    Raises ShapeError if the matrices are not square or n is not an integer, MatrixError if n < 0 and a matrix is singular.
    """
    check_square(x)
    try:
        n = operator.index(n)
    except TypeError:
        raise ShapeError(f"got the exponent {n!r}, expected an integer") from None
    if n == 0:
        return index_set(x, np.eye(shape_of(x)[-1], dtype=x.dtype), index=...)
    x, n = (inv(x), -n) if n < 0 else (x, n)
    y = None
    while n:
        if n % 2:
            y = x if y is None else matmul(y, x)
        n //= 2
        x = matmul(x, x) if n else x
    return y
