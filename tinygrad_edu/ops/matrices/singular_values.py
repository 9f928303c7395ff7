"""Singular values and singular vectors.

Source of the rule: J. Townsend, Differentiating the Singular Value Decomposition (2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...data import raw_of, shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import UnsupportedError
from ...op import rule
from ...signatures import Array, Plain
from .decomposition import identity, pack, rectangles, resolution, unpack
from .eigenvalues import refuse, told_apart, turned
from .inverses import NOT_FINITE, check_matrix, factored, finite, well_posed

__all__ = ["svd", "svdvals"]


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values in descending order, right singular vectors as rows."""

    U: Any
    S: Any
    Vh: Any


def _svd_sizes(shape: Shape) -> tuple[Shape, Shape, Shape]:
    rows, columns = shape[-2:]
    k = min(rows, columns)
    return (rows, k), (k,), (k, columns)


def _svd_gauge(shape: Shape) -> Any:
    def gauge(y: Any) -> Any:
        u, s, vh = unpack(y, *_svd_sizes(shape))
        signs = turned(u)
        return pack(y.shape[:-1], signs + 0 * u, s * 0 + 1, signs.mT + 0 * vh)

    return gauge


def _svd_rule(g: Any, y: Any, x: Any) -> Any:
    """Rotations within the span of the singular vectors, changes that leave it, and changes of the singular values."""
    u, s, vh = unpack(y, *_svd_sizes(shape_of(x)))
    gu, gs, gvh = unpack(g, *_svd_sizes(shape_of(x)))
    v, gv = vh.mT, gvh.mT
    rows, columns = x.shape[-2:]
    apart = told_apart("singular value", s, (gu, gv), (u, vh))
    column, row = s[..., None, :], s[..., :, None]
    turns = apart / ((column - row) * (column + row) + ~apart)
    inner = turns * (u.mT @ gu - gu.mT @ u) * column + row * (turns * (v.mT @ gv - gv.mT @ v))
    share = u @ (inner + (gs * (s > 0))[..., None, :] * identity(s.shape[-1])) @ vh
    if rows != columns:
        lost = raw_of(s) <= resolution(max(rows, columns), raw_of(s))
        message = "a singular value is 0, so the gradient of the singular vectors is not defined"
        refuse(message, lost, (gu,) if rows > columns else (gv,), (u, vh))
        inverse = (~lost / (s + lost))[..., None, :]
        if rows > columns:
            share = share + ((gu - u @ (u.mT @ gu)) * inverse) @ vh
        else:
            share = share + (u * inverse) @ (gvh - (gvh @ v) @ vh)
    return share


@operation(
    symbol="SVD",
    samples=lambda shape: (Sample((s,), prepare=well_posed, gauge=_svd_gauge(s)) for s in rectangles(shape)),
    numpy=lambda x: pack(x.shape[:-2], *np.linalg.svd(x, full_matrices=False)),
    called="svd",
    rules=(
        rule(
            _svd_rule,
            says="u (F·(uᵀgu - guᵀu) s + s F·(vᵀgv - gvᵀv) + diag(gs)) vᵀ + (1 - uuᵀ) gu s⁻¹ vᵀ + u s⁻¹ gvᵀ (1 - vvᵀ), "
            "F = 1 / (s_j² - s_i²)",
        ),
    ),
)
def packed_svd(x: Array, /) -> Plain:
    """Singular vectors and values of matrices, packed: (..., m, n) -> (..., mk + k + kn), k = min(m, n)."""
    check_matrix(x)
    return pack(x.shape[:-2], *factored(NOT_FINITE, np.linalg.svd, finite(x), full_matrices=False))


def _svd_samples(shape: Shape) -> Iterator[Sample]:
    for s in rectangles(shape):
        if s[-1] == s[-2]:
            yield Sample((s[-2:],), prepare=well_posed, gauge=_svd_gauge(s[-2:]))
        thin = {"full_matrices": False}
        yield Sample((s[-2:],), thin, prepare=well_posed, gauge=_svd_gauge(s[-2:]))
        yield Sample((s,), {"compute_uv": False}, prepare=well_posed)


@derived(symbol="SVD", several=SVDResult, samples=_svd_samples, numpy=np.linalg.svd)
def svd(x: Array, /, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition x = U diag(S) Vh: (..., m, n) -> U (..., m, k), S (..., k), Vh (..., k, n), k = min(m, n).

    Args:
        x: matrices.
        full_matrices: pass False unless the matrices are square: more than k singular vectors have no gradient.
        compute_uv: False for S alone.
        hermitian: only False; for symmetric matrices use eigh.

    Equal singular values have a gradient; their vectors do not, and their gradient and second derivatives raise GraphError. If
    m != n, the same holds for vectors of a singular value 0. The gradient of a singular value that is 0 is 0. Raises
    UnsupportedError for options without a gradient.
    """
    if hermitian:
        raise UnsupportedError("got hermitian=True, expected False; for symmetric matrices use eigh")
    rows, columns = shape_of(x)[-2:] if len(shape_of(x)) > 1 else (0, 0)
    if full_matrices and compute_uv and rows != columns:
        got = f"matrices of shape {(rows, columns)} and full_matrices=True, NumPy's default"
        raise UnsupportedError(f"got {got}; pass full_matrices=False, since the extra vectors have no gradient")
    packed = packed_svd(x)
    u, s, vh = unpack(packed, *_svd_sizes(shape_of(x)))
    return SVDResult(u, s, vh) if compute_uv else s


@derived(
    symbol="SVD",
    samples=lambda shape: (Sample((s,), prepare=well_posed) for s in rectangles(shape)),
    numpy=np.linalg.svdvals,
)
def svdvals(x: Array, /) -> Plain:
    """Singular values of matrices, in descending order: (..., m, n) -> (..., min(m, n)). See svd."""
    return svd(x, compute_uv=False)
