"""PyTorch's counterparts of the products, inverses, determinants, least squares and decompositions."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import linalg


def _symmetric(x: Any) -> Any:
    return (x + x.mT) / 2


def _packed(parts: Any, stack: Any) -> Any:
    return torch.cat([part.reshape((*stack, prod(part.shape[len(stack) :]))) for part in parts], dim=-1)


def _dot(a: Any, b: Any) -> Any:
    if not a.ndim or not b.ndim:
        return a * b
    return torch.tensordot(a, b, dims=([-1], [-2])) if a.ndim > 1 and b.ndim > 2 else torch.matmul(a, b)


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if not isinstance(axes, int):
        axes = [[one] if isinstance(one, int) else list(one) for one in axes]
    return torch.tensordot(a, b, dims=axes)


def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = torch.broadcast_tensors(a.movedim(axisa, -1), b.movedim(axisb, -1))
    return linalg.cross(a, b).movedim(-1, axisc)


def _solve(a: Any, b: Any) -> Any:
    if b.ndim == 1:  # as a column of as many axes as a has: torch would take fewer for a stack of vectors
        return linalg.solve(a, b[:, None].expand((*a.shape[:-1], 1)))[..., 0]
    return linalg.solve(a.expand((*b.shape[: max(b.ndim - a.ndim, 0)], *a.shape)), b)


def _least_squares(a: Any, b: Any, rcond: float | None = None) -> Any:
    if b.ndim == 1:
        return _least_squares(a, b[:, None], rcond)[:, 0]
    # gelsd: PyTorch's default gelsy starts from pivots that it never sets, and now and then finds rank 0 in [[1, 0, 0]]
    return linalg.lstsq(a, b, driver="gelsd").solution


def _lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    x = _least_squares(a, b)
    residuals = (b - a @ x).reshape(len(b), -1)
    squares = (residuals**2).sum(0)
    return x, squares if a.shape[0] > a.shape[1] else squares[:0], linalg.svdvals(a)


def _svd(x: Any, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    return tuple(linalg.svd(x, full_matrices=False)) if compute_uv else linalg.svdvals(x)


TORCH: dict[str, Callable[..., Any]] = {
    "cholesky": lambda x, upper=False: linalg.cholesky(_symmetric(x), upper=upper),
    "cofactor": lambda x: linalg.det(x)[..., None, None] * linalg.inv(x).mT,
    "cross": _cross,
    "det": linalg.det,
    "dot": _dot,
    "eigh": lambda x, UPLO="L": tuple(linalg.eigh(_symmetric(x))),
    "eigvalsh": lambda x, UPLO="L": linalg.eigvalsh(_symmetric(x)),
    "einsum": lambda *operands, subscripts: torch.einsum(subscripts, *operands),
    "inner": torch.inner,
    "inv": linalg.inv,
    "kron": lambda a, b: torch.kron(a.contiguous(), b.contiguous()),  # its gradient fails for other layouts
    "least_squares": _least_squares,
    "lstsq": _lstsq,
    "matmul": torch.matmul,
    "matrix_power": linalg.matrix_power,
    "multi_dot": lambda *arrays: linalg.multi_dot(arrays),
    "outer": lambda a, b: torch.outer(a.reshape(-1), b.reshape(-1)),
    "packed_eigh": lambda x, UPLO="L": _packed(linalg.eigh(_symmetric(x)), x.shape[:-2]),
    "packed_qr": lambda x: _packed(linalg.qr(x), x.shape[:-2]),
    "packed_slogdet": lambda x: torch.stack(tuple(linalg.slogdet(x)), dim=-1),
    "packed_svd": lambda x: _packed(linalg.svd(x, full_matrices=False), x.shape[:-2]),
    "pinv": lambda x, rcond=None: linalg.pinv(x, rtol=rcond),
    "qr": lambda x: tuple(linalg.qr(x)),
    "slogdet": lambda x: tuple(linalg.slogdet(x)),
    "solve": _solve,
    "svd": _svd,
    "svdvals": linalg.svdvals,
    "tensordot": _tensordot,
    "vdot": lambda a, b: torch.dot(a.reshape(-1), b.reshape(-1)),
    "vecdot": lambda a, b, axis=-1: linalg.vecdot(a.movedim(axis, -1), b.movedim(axis, -1)),
}

EXCEPTIONS: dict[str, str] = {}
