"""Eigenvalues and eigenvectors of symmetric matrices, and the points where they have no gradient.

Source of the rule: M. Giles, Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic Differentiation
(2008), section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ...data import raw_of, shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import GraphError, UnsupportedError
from ...node import Node
from ...op import rule
from ...signatures import Array, Plain
from .decomposition import check_symmetric, identity, pack, resolution, symmetric, symmetric_part, unpack
from .inverses import NOT_FINITE, factored, square_shapes

__all__ = ["eigh", "eigvalsh"]


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, (..., n), and eigenvectors as columns, (..., n, n)."""

    eigenvalues: Any
    eigenvectors: Any


def refuse(message: str, where: Any, cotangents: tuple[Any, ...], vectors: tuple[Any, ...]) -> None:
    """Raise GraphError if a gradient arrives at columns that have none, now or later in a higher derivative.

    Args:
        message: of the error.
        where: True for columns without a gradient: (..., k).
        cotangents: the gradients of the vectors, (..., m, k) each.
        vectors: the vectors from which the rule records higher derivatives.
    """

    if not np.any(where):
        return
    if any(np.any(raw_of(cotangent) * where[..., None, :]) for cotangent in cotangents):
        raise GraphError(message)

    def hook(_: Any) -> NoReturn:
        raise GraphError(f"backward: {message}")  # outside of any op, so with a name

    for part in (*cotangents, *vectors):
        if isinstance(part, Node):
            part.register_hook(hook)  # type: ignore[attr-defined]  # recorded vectors are Values


def told_apart(kind: str, values: Any, cotangents: tuple[Any, ...], vectors: tuple[Any, ...]) -> Any:
    """Which pairs of eigenvalues or singular values are distinct beyond rounding error: (..., n) -> (..., n, n).

    Vectors of equal values have no gradient; a gradient that arrives there raises GraphError.
    """
    values = raw_of(values)
    limit = resolution(values.shape[-1], values)[..., None]
    alike = np.abs(values[..., None, :] - values[..., :, None]) <= limit
    twins = alike & ~identity(values.shape[-1])
    if np.any(twins):
        i, j = np.argwhere(twins)[0, -2:]
        problem = f"{kind}s {i} and {j} of a matrix are equal, so the gradient of its vectors is not defined"
        remedy = f"nor are second derivatives; use the {kind}s alone, or a matrix in which they differ"
        refuse(f"{problem}, {remedy}", twins.any(axis=-1), cotangents, vectors)
    return ~(alike | identity(values.shape[-1]))


def turned(columns: Any) -> Any:
    """For samples: signs that turn columns, (..., m, k), towards (1, 1.5, 2, ...)."""
    towards = 1 + np.arange(columns.shape[-2]) / 2
    return np.where(towards[None] @ columns < 0, -1.0, 1.0)


def _eigh_sizes(x: Any) -> tuple[Shape, Shape]:
    n = shape_of(x)[-1]
    return (n,), (n, n)


def _eigh_gauge(y: Any) -> Any:
    n = isqrt(y.shape[-1])  # of n + n²
    w, v = unpack(y, (n,), (n, n))
    return pack(y.shape[:-1], w * 0 + 1, turned(v) + 0 * v)


def _packed_samples(shape: Shape) -> Iterator[Sample]:
    for uplo in ("L", "U"):
        yield Sample(
            (square_shapes(shape),), {"UPLO": uplo}, prepare=symmetric_part, gauge=_eigh_gauge, within=symmetric
        )


def _samples(shape: Shape) -> Iterator[Sample]:
    """Samples of single matrices, whose results joined equal the packed result."""
    return (sample._replace(shapes=(sample.shapes[0][-2:],)) for sample in _packed_samples(shape))


def _eigh_rule(g: Any, y: Any, sizes: Any) -> Any:
    w, v = unpack(y, *sizes)
    gw, gv = unpack(g, *sizes)
    apart = told_apart("eigenvalue", w, (gv,), (v,))
    gaps = w[..., None, :] - w[..., :, None]
    inner = gw[..., None, :] * identity(w.shape[-1]) + (v.mT @ gv) * (apart / (gaps + ~apart))
    return symmetric(v @ inner @ v.mT)


@operation(
    symbol="eigh",
    samples=_packed_samples,
    numpy=lambda x, UPLO: pack(x.shape[:-2], *np.linalg.eigh(x, UPLO)),
    called="eigh",
    rules=(
        rule(
            lambda g, y, x, UPLO: _eigh_rule(g, y, _eigh_sizes(x)),
            says="sym(v (diag(gw) + F·(vᵀgv)) vᵀ), F = 1 / (w_j - w_i), 0 for i = j",
        ),
    ),
)
def packed_eigh(x: Array, /, UPLO: str = "L") -> Plain:
    """Eigenvalues and eigenvectors of symmetric matrices, packed: (..., n, n) -> (..., n + n²)."""
    check_symmetric(x, "lower" if UPLO in "Ll" else "upper")
    return pack(x.shape[:-2], *factored(NOT_FINITE, np.linalg.eigh, x, UPLO))


@derived(symbol="eigh", several=EighResult, samples=_samples, numpy=np.linalg.eigh)
def eigh(x: Array, /, UPLO: str = "L") -> EighResult:
    """Eigenvalues w, ascending, and eigenvectors v of symmetric matrices, x v = v diag(w): (..., n, n) -> (..., n), (..., n, n).

    UPLO names the triangle to read, the lower or the upper one; the gradient is symmetric either way.

    Equal eigenvalues have a gradient; their eigenvectors do not, and their gradient and second derivatives raise GraphError.
    Raises ShapeError if the matrices are not square, MatrixError if one is not symmetric, up to rounding.
    """
    if UPLO not in ("L", "U", "l", "u"):
        raise UnsupportedError(f"got UPLO={UPLO!r}, expected 'L' or 'U'")
    packed = packed_eigh(x, UPLO)
    return EighResult(*unpack(packed, *_eigh_sizes(x)))


@derived(
    symbol="eigh",
    samples=lambda shape: (sample._replace(gauge=None) for sample in _packed_samples(shape)),
    numpy=np.linalg.eigvalsh,
)
def eigvalsh(x: Array, /, UPLO: str = "L") -> Plain:
    """Eigenvalues of symmetric matrices, in ascending order: (..., n, n) -> (..., n). See eigh."""
    return eigh(x, UPLO).eigenvalues
