"""Matrix decompositions, Cholesky and QR; and packing several results of an op into one.

An op has one output, so each of qr, eigh and svd is a primitive that packs its results along one last axis (`packed_qr`), and
a composition that unpacks them. A function of the results that does not depend on the choice of the decomposition (signs of
vectors) has a gradient that does not depend on it either.

Sources of the rules: I. Murray, Differentiation of the Cholesky Decomposition (2016); S. Walter and L. Lehmann, Algorithmic
Differentiation of Linear Algebra Functions (2010); D. Roberts and L. Roberts, QR and LQ Decomposition Matrix Backpropagation
Algorithms for Square, Wide, and Deep Matrices (2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ...data import raw_of, shape_of, to_floating
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import GraphError, MatrixError, UnsupportedError
from ...op import rule
from ...signatures import Array, Plain
from ...term import Term
from ..arrays.joining import concatenate
from .inverses import check_matrix, check_square, factored, solve, square_shapes, well_posed

__all__ = ["cholesky", "qr"]


class QRResult(NamedTuple):
    """Orthonormal columns, and an upper triangle."""

    Q: Any
    R: Any


def pack(stack: Shape, *parts: Any) -> Any:
    """Results with the leading axes of a stack in common, concatenated along one last axis."""
    n = len(stack)
    return np.concatenate([part.reshape((*stack, prod(part.shape[n:]))) for part in parts], axis=-1)


def unpack(packed: Any, *shapes: Shape) -> list[Any]:
    """The parts of a packed result, in the given shapes; recorded if it is a Value."""
    parts, start, stack = [], 0, shape_of(packed)[:-1]
    for shape in shapes:
        part = packed[..., start : start + prod(shape)]
        parts.append(part if len(shape) == 1 else part.reshape((*stack, *shape)))
        start += prod(shape)
    return parts


def symmetric(x: Any) -> Any:
    """The symmetric part of each matrix."""
    return (x + x.mT) / 2


def check_symmetric(x: Any, triangle: str) -> None:
    """Raise ShapeError unless the matrices are square, MatrixError unless they are symmetric to half their digits.

    NumPy reads one triangle of an asymmetric matrix, without a word; a gradient for it would be triangular.
    """
    check_square(x)
    if isinstance(x, Term) and not x.seen:
        return
    x = to_floating(x)
    gap, size = [np.max(np.abs(part), axis=(-2, -1), initial=0.0) for part in (x - x.mT, x)]
    if np.any(gap > float(np.finfo(x.dtype).eps) ** 0.5 * size):
        *matrix, i, j = np.unravel_index(np.argmax(np.abs(x - x.mT)), x.shape)
        pair = (f"x[{', '.join(map(str, (*matrix, *place)))}] = {x[(*matrix, *place)]:g}" for place in ((i, j), (j, i)))
        tri, strict = ("tril", -1) if triangle == "lower" else ("triu", 1)
        raise MatrixError(
            f"got a matrix that is not symmetric, {' and '.join(pair)}, of which NumPy reads the {triangle} triangle alone; "
            f"write (x + x.mT) / 2, or np.{tri}(x) + np.{tri}(x, {strict}).mT for what NumPy reads"
        )


def identity(n: int) -> Any:
    """The boolean identity matrix: as a factor it keeps the other factor's dtype."""
    return np.eye(n, dtype=bool)


def resolution(size: int, values: Any) -> Any:
    """The smallest difference at which two eigenvalues or singular values count as distinct."""
    scale = np.max(np.abs(values), axis=-1, initial=0.0, keepdims=True)
    return size * float(np.finfo(values.dtype).eps) * scale


def symmetric_part(x: Array) -> tuple[Array]:
    """For samples: a symmetric positive definite matrix with well-separated eigenvalues."""
    return (symmetric(well_posed(x)[0]),)


def _definite(shape: Shape) -> Iterator[Sample]:
    for upper in (False, True):
        yield Sample((square_shapes(shape),), {"upper": upper}, prepare=symmetric_part, within=symmetric)


def _cholesky_rule(g: Any, y: Any, upper: bool) -> Any:
    g, y = (g.mT, y.mT) if upper else (g, y)
    n = y.shape[-1]
    inner = (y.mT @ g) * np.tri(n, dtype=bool)
    inner = inner - inner * identity(n) / 2
    return symmetric(solve(y.mT, solve(y.mT, inner).mT))


@operation(
    symbol="chol",
    slices="...ij->...kl",
    samples=_definite,
    numpy=np.linalg.cholesky,
    rules=(
        rule(
            lambda g, y, x, upper: _cholesky_rule(g, y, upper),
            says="sym(y⁻ᵀ Φ(yᵀ g) y⁻¹), y and g transposed if upper, Φ the lower triangle with half the diagonal",
        ),
    ),
)
def cholesky(x: Array, /, upper: bool = False) -> Plain:
    """Cholesky factor: lower triangular y with y yᵀ = x and a positive diagonal; yᵀ if upper. (..., n, n) -> (..., n, n).

    The gradient is symmetric; to compare it with finite differences, which leave the symmetric matrices, check it with
    cholesky((x + x.mT) / 2). Raises ShapeError if the matrices are not square, MatrixError if one is not symmetric, up to
    rounding, or not positive definite.
    """
    check_symmetric(x, "upper" if upper else "lower")
    problem = "a matrix is not positive definite; add a multiple of the identity, or use eigh"
    y: Plain = factored(problem, np.linalg.cholesky, x, upper=upper)
    return y


def _qr_sizes(shape: Shape) -> tuple[Shape, Shape]:
    rows, columns = shape[-2:]
    k = min(rows, columns)
    return (rows, k), (k, columns)


def _qr_gauge(shape: Shape) -> Any:
    """For samples: signs that make the diagonal of R positive."""

    def gauge(y: Any) -> Any:
        q, r = unpack(y, *_qr_sizes(shape))
        signs = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
        return pack(y.shape[:-1], signs[..., None, :] + 0 * q, signs[..., :, None] + 0 * r)

    return gauge


def rectangles(shape: Shape) -> Iterator[Shape]:
    """For samples: shapes of tall, wide and square matrices."""
    if len(shape) > 1 and all(shape):
        yield shape
        yield (*shape[:-2], 3, 2)


def _qr_rule(g: Any, y: Any, x: Any) -> Any:
    """For x = q [r s] with r square: s = qᵀ x_s contributes to x_s and to q; the remainder is the rule for x_r = q r."""
    q, upper = unpack(y, *_qr_sizes(shape_of(x)))
    gq, g_upper = unpack(g, *_qr_sizes(shape_of(x)))
    k = q.shape[-1]
    r, gr = upper[..., :k], g_upper[..., :k]
    slope = np.abs(np.diagonal(raw_of(r), axis1=-2, axis2=-1))
    if np.any(slope <= resolution(max(x.shape[-2:]), slope)):
        raise GraphError(f"the first {k} columns of a matrix are linearly dependent, so the gradient is not defined")
    wide = x.shape[-1] > k
    if wide:
        gq = gq + x[..., k:] @ g_upper[..., k:].mT
    inner = r @ gr.mT - gq.mT @ q
    below = np.tri(k, k=-1, dtype=bool)
    inner = inner * np.tri(k, dtype=bool) + (inner * below).mT
    share = solve(r, (gq + q @ inner).mT).mT
    return concatenate([share, q @ g_upper[..., k:]], axis=-1) if wide else share


@operation(
    symbol="QR",
    slices="...ij->...k",
    samples=lambda shape: (Sample((s,), prepare=well_posed, gauge=_qr_gauge(s)) for s in rectangles(shape)),
    numpy=lambda x: pack(x.shape[:-2], *np.linalg.qr(x)),
    called="qr",
    rules=(
        rule(
            _qr_rule,
            says="(gQ + Q copyltu(R gRᵀ - gQᵀ Q)) R⁻ᵀ, copyltu(M) M's lower triangle, mirrored; if x = [a b] is wide, "
            "R = [T S], for a with T and gQ + b gSᵀ as R and gQ, and Q gS for b",
        ),
    ),
)
def packed_qr(x: Array, /) -> Plain:
    """Q and R of matrices, packed: (..., m, n) -> (..., mk + kn), k = min(m, n)."""
    check_matrix(x)
    return pack(x.shape[:-2], *np.linalg.qr(x))


@derived(
    symbol="QR",
    several=QRResult,
    samples=lambda shape: (Sample((s[-2:],), prepare=well_posed, gauge=_qr_gauge(s[-2:])) for s in rectangles(shape)),
    numpy=np.linalg.qr,
)
def qr(x: Array, /, mode: str = "reduced") -> QRResult:
    """QR decomposition x = Q R of matrices: (..., m, n) -> Q (..., m, k) and R (..., k, n), k = min(m, n).

    Raises UnsupportedError for modes other than "reduced". The gradient raises GraphError if the first k columns are linearly
    dependent.
    """
    if mode != "reduced":
        raise UnsupportedError(f"got mode={mode!r}, expected 'reduced', the only mode with a gradient")
    packed = packed_qr(x)
    return QRResult(*unpack(packed, *_qr_sizes(shape_of(x))))
