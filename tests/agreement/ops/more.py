"""PyTorch's counterparts of interpolation, convolution, polynomials, conditions, running sums, NaN and np.linalg's norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .reduction import TORCH as REDUCTIONS


def _cumulative(function: Callable[..., Any], start: float) -> Callable[..., Any]:
    def cumulative(x: Any, axis: int | None = None, include_initial: bool = False) -> Any:
        x = torch.atleast_1d(x)
        axis = 0 if axis is None else axis
        y = function(x, axis)
        first = torch.full_like(x.sum(axis, keepdim=True), start)
        return torch.cat([first, y], axis) if include_initial else y

    return cumulative


def _known(name: str, instead: float) -> Callable[..., Any]:
    return lambda x, **params: REDUCTIONS[name](torch.where(torch.isnan(x), instead, x), **params)


def _nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    axes = range(x.ndim) if axis is None else [i % x.ndim for i in (axis if isinstance(axis, tuple) else (axis,))]
    rest = [i for i in range(x.ndim) if i not in axes]
    kept = [1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes]
    q = torch.as_tensor(q, dtype=x.dtype)
    table = x.permute([*rest, *axes]).reshape([*[x.shape[i] for i in rest], -1])
    y = torch.nanquantile(table, q, -1, interpolation=method)
    return y.reshape([*q.shape, *kept])


def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Any:
    """Of torch's own elementwise functions; it has no interpolation."""
    if period is not None:
        x, xp = torch.remainder(x, period), torch.remainder(xp, period)
        xp, order = torch.sort(xp)
        fp = fp[order]
        xp, fp = torch.cat([xp[-1:] - period, xp, xp[:1] + period]), torch.cat([fp[-1:], fp, fp[:1]])
        left = right = None
    ends = torch.as_tensor(fp[0] if left is None else left), torch.as_tensor(fp[-1] if right is None else right)
    everything = 0 * (x.sum() + xp.sum() + fp.sum())  # so that no gradient is missing
    if len(xp) == 1:
        return torch.where(x < xp[0], *ends) + everything
    i = (torch.searchsorted(xp.detach(), x.detach().contiguous(), right=True) - 1).clamp(0, len(xp) - 2)
    line = fp[i] + (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i]) * (x - xp[i])
    return torch.where(x < xp[0], ends[0], torch.where(x > xp[-1], ends[1], line)) + everything


def _convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = torch.atleast_1d(a), torch.atleast_1d(v)
    a, v = (v, a) if len(v) > len(a) else (a, v)
    return _correlate(a, v.flip(0), mode)


def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    if len(v) > len(a):
        return _correlate(v, a, mode).flip(0)
    m = len(v)
    before, after = {"full": (m - 1, m - 1), "same": (m // 2, m - m // 2 - 1), "valid": (0, 0)}[mode]
    padded = torch.nn.functional.pad(a, (before, after))
    return torch.nn.functional.conv1d(padded[None, None], v[None, None])[0, 0]


def _polyval(p: Any, x: Any) -> Any:
    y = torch.zeros_like(x)
    for coefficient in p:
        y = y * x + coefficient
    return y


def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Power by power, since torch.vander raises an error in its own gradient."""
    powers = range(len(x) if N is None else N)
    columns = [x**n + 0 * x for n in (powers if increasing else powers[::-1])]
    return torch.stack(columns, -1) if columns else x[:, None][:, :0]


def _select(*choices: Any, conditions: Any) -> Any:
    y = choices[-1]
    for condition, choice in zip(conditions[::-1], choices[-2::-1], strict=True):
        y = torch.where(torch.as_tensor(condition), choice, y)
    return y


def _kept(condition: Any) -> Any:
    return torch.nonzero(condition.reshape(-1))[:, 0]


def _compress(condition: Any, x: Any, axis: int | None = None) -> Any:
    return torch.index_select(x.reshape(-1) if axis is None else x, 0 if axis is None else axis, _kept(condition))


def _ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    begin, end = [torch.zeros(0, dtype=x.dtype) if part is None else part.reshape(-1) for part in (to_begin, to_end)]
    return torch.cat([begin, torch.diff(x.reshape(-1)) + 0 * x.sum(), end])


TORCH: dict[str, Callable[..., Any]] = {
    "compress": _compress,
    "convolve": _convolve,
    "correlate": _correlate,
    "cumulative_prod": _cumulative(torch.cumprod, 1.0),
    "cumulative_sum": _cumulative(torch.cumsum, 0.0),
    "ediff1d": _ediff1d,
    "extract": _compress,
    "interp": _interp,
    "matrix_diagonal": lambda x, offset=0: torch.diagonal(x, offset, -2, -1),
    "matrix_norm": lambda x, keepdims=False, ord="fro": torch.linalg.matrix_norm(x, ord, keepdim=keepdims),
    "matrix_trace": lambda x, offset=0: torch.diagonal(x, offset, -2, -1).sum(-1),
    "matvec": lambda a, b: torch.matmul(a, b[..., None])[..., 0],
    "nancumprod": _known("cumprod", 1.0),
    "nancumsum": _known("cumsum", 0.0),
    "nanmedian": lambda x, **params: _nanquantile(x, 0.5, method="midpoint", **params),
    "nanpercentile": lambda x, q, **params: _nanquantile(x, torch.as_tensor(q, dtype=torch.float64) / 100, **params),
    "nanprod": _known("prod", 1.0),
    "nanquantile": _nanquantile,
    "polyval": _polyval,
    "select": _select,
    "vander": _vander,
    "vecmat": lambda a, b: torch.matmul(a[..., None, :], b)[..., 0, :],
    "vector_norm": lambda x, axis=None, keepdims=False, ord=2: torch.linalg.vector_norm(x, ord, axis, keepdims),
}

EXCEPTIONS: dict[str, str] = {
    "block": "torch has none; it is made of concatenate",
    "unwrap": "torch has none",
}
