"""Least squares and the pseudo-inverse, for matrices of full rank.

Source: G. Golub and V. Pereyra, The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems Whose Variables
Separate, SIAM Journal on Numerical Analysis 10 (1973).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...data import raw_of, shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import GraphError, ShapeError
from ...op import rule
from ...signatures import Array, Plain
from ..arrays.reduction import sum
from .decomposition import rectangles
from .inverses import NOT_FINITE, check_matrix, factored, finite, well_posed
from .singular_values import svdvals

__all__ = ["lstsq", "pinv"]


def _check_rank(ranks: Any, x: Any) -> None:
    full = min(shape_of(x)[-2:])
    if np.any(ranks != full):
        got = f"a matrix of shape {shape_of(x)[-2:]} and rank {np.min(ranks):.0f}"
        raise GraphError(f"{got} has no gradient, since the result is discontinuous there; expected rank {full}")


def _pinv_rule(g: Any, y: Any, x: Any) -> Any:
    """One term for changes within the column space of x, and one for changes that leave its column or row space."""
    _check_rank(np.round(np.vecdot(raw_of(x), raw_of(y).mT).sum(axis=-1)), x)
    rows, columns = x.shape[-2:]
    share = -(y.mT @ g @ y.mT)
    if rows > columns:
        share = share + (g.mT - x @ (y @ g.mT)) @ (y @ y.mT)
    elif rows < columns:
        share = share + (y.mT @ y) @ (g.mT - (g.mT @ y) @ x)
    return share


@operation(
    symbol="x⁺",
    samples=lambda shape: (
        Sample((s,), {"rcond": c}, prepare=well_posed) for s in rectangles(shape) for c in (None, 1e-9)
    ),
    numpy=np.linalg.pinv,
    rules=(rule(lambda g, y, x, rcond: _pinv_rule(g, y, x), says="-yᵀ g yᵀ + (1 - x y) gᵀ y yᵀ + yᵀ y gᵀ (1 - y x)"),),
)
def pinv(x: Array, /, rcond: Any = None) -> Plain:
    """Moore-Penrose pseudo-inverse of matrices: (..., m, n) -> (..., n, m). To solve equations, lstsq is more accurate.

    Args:
        x: matrices.
        rcond: singular values up to rcond times the largest count as 0; NumPy's default if None.

    Raises ShapeError if x has fewer than two axes. The gradient raises GraphError for a rank-deficient matrix, where the
    pseudo-inverse is discontinuous.
    """
    check_matrix(x)
    return factored(NOT_FINITE, np.linalg.pinv, finite(x), rcond)


def _fits(shape: Shape) -> Iterator[Sample]:
    if len(shape) > 1 and all(shape):
        for rows, columns in (shape[-2:], (4, 2)):
            yield Sample(((rows, columns), (rows,)), prepare=well_posed)
            yield Sample(((rows, columns), (rows, 2)), {"rcond": 1e-9}, prepare=well_posed)


def _column(x: Any, b: Any) -> Any:
    """x as a column where b is a vector."""
    return x[:, None] if len(b.shape) == 1 else x


def _a_rule(g: Any, y: Any, a: Any, b: Any, rcond: Any) -> Any:
    """The rule of pinv with g bᵀ for g, written by least squares: no product aᵀ a, which squares the condition number."""
    _check_rank(np.linalg.matrix_rank(raw_of(a), tol=None, rtol=rcond), a)
    g, y, b = _column(g, b), _column(y, b), _column(b, b)
    rows, columns = a.shape
    z = least_squares(a.mT, g, rcond)
    share = -(z @ y.mT)
    if rows > columns:
        share = share + (b - a @ y) @ least_squares(a, z, rcond).mT
    elif rows < columns:
        share = share + least_squares(a.mT, y, rcond) @ (g - a.mT @ z).mT
    return share


@operation(
    symbol="a⁺b",
    samples=_fits,
    numpy=lambda a, b, rcond=None: np.linalg.lstsq(a, b, rcond)[0],
    called="lstsq",
    rules=(
        rule(_a_rule, says="-(a⁺ᵀ g) yᵀ + (b - a y) (a⁺ a⁺ᵀ g)ᵀ"),
        rule(lambda g, y, a, b, rcond: least_squares(a.mT, g, rcond), says="a⁺ᵀ g"),
    ),
)
def least_squares(a: Array, b: Array, /, rcond: float | None = None) -> Plain:
    """The x of least norm that minimizes ‖a x - b‖: (m, n) and (m,) -> (n,), or (m, n) and (m, k) -> (n, k).

    The first result of lstsq, without the cost of the others. Arguments and errors are those of lstsq.
    """
    left, right = shape_of(a), shape_of(b)
    if len(left) != 2 or not 1 <= len(right) <= 2 or left[0] != right[0]:
        remedy = "solve a stack matrix by matrix, or with pinv(a) @ b"
        raise ShapeError(f"got {left} and {right}, expected (m, n) and (m,) or (m, k); {remedy}")
    return factored(NOT_FINITE, np.linalg.lstsq, finite(a), b, rcond)[0]


@derived(symbol="a⁺b", samples=_fits, several=tuple, numpy=np.linalg.lstsq)
def lstsq(a: Array, b: Array, /, rcond: float | None = None) -> tuple[Any, Any, int, Any]:
    """Least squares, min ‖a x - b‖, with NumPy's four results; least_squares returns only the first, in half the time.

    Args:
        a: (m, n).
        b: (m,), or (m, k) for k problems.
        rcond: singular values up to rcond times the largest count as 0; max(m, n) ε if None.

    Returns:
        The solutions, (n,) or (n, k); the sums of squared residuals, (1,) or (k,), empty unless m > n = rank; the rank of a, a
        plain integer; its singular values.

    Raises ShapeError if shapes do not fit. The gradient with respect to a raises GraphError if a is rank-deficient, where the
    solution is discontinuous.
    """
    x = least_squares(a, b, rcond)
    s = svdvals(a)
    rows, columns = shape_of(a)
    limit = np.finfo(raw_of(s).dtype).eps * max(rows, columns) if rcond is None else rcond
    rank = int(np.sum(raw_of(s) > limit * np.max(raw_of(s), initial=0)))
    residuals = _column(b, b) - a @ _column(x, b)
    squares = sum(residuals * residuals, axis=0)
    return x, squares if rows > columns == rank else squares[:0], rank, s
