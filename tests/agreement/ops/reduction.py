"""PyTorch's counterparts of reductions, norms, running sums and products, differences and statistics."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple([i % x.ndim for i in axes]) if x.ndim else ()


def _over(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of torch's of several dimensions, called with NumPy's names."""
    return lambda x, axis=None, keepdims=False: function(x, dim=_axes(x, axis), keepdim=keepdims)


def _columns(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that reduces the first dimension, over any axes; axes that its result has of its own stay in front."""

    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        axes = _axes(x, axis)
        rest = [i for i in range(x.ndim) if i not in axes]
        y = function(x.permute([*axes, *rest]).reshape([prod([x.shape[i] for i in dims]) for dims in (axes, rest)]))
        kept = [1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes]
        return y.reshape([*y.shape[:-1], *kept])

    return reduced


def _spread(function: Callable[..., Any]) -> Callable[..., Any]:
    def spread(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        dim = _axes(x, axis)
        if prod([x.shape[i] for i in dim]) == 1:  # torch's std has the gradient NaN there
            return (x - x).sum(dim=dim, keepdim=keepdims)
        return function(x, dim=dim, correction=ddof, keepdim=keepdims)

    return spread


def _average(x: Any, weights: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    weights = torch.ones_like(x) if weights is None else weights
    if weights.shape != x.shape:
        axes = _axes(x, axis)
        weights = weights.permute(*sorted(range(len(axes)), key=axes.__getitem__))
        weights = weights.reshape([n if i in axes else 1 for i, n in enumerate(x.shape)]).expand(x.shape)
    total = _over(torch.sum)
    return total(x * weights, axis, keepdims) / total(weights, axis, keepdims)


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None: function(x.reshape(-1), 0) if axis is None else function(x, axis)


def _quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    q = torch.as_tensor(q, dtype=x.dtype)
    every = _columns(lambda rows: torch.quantile(rows, q.reshape(-1), dim=0, interpolation=method))
    y = every(x, axis, keepdims)
    return y.reshape([*q.shape, *y.shape[1:]])


def _table(x: Any, y: Any, rowvar: bool) -> Any:
    parts = [p if rowvar or p.ndim < 2 else p.T for p in (x, y) if p is not None]
    return parts[0] if y is None else torch.cat([torch.atleast_2d(p) for p in parts])


def _diff(x: Any, prepend: Any = None, append: Any = None, n: int = 1, axis: int = -1) -> Any:
    slab = list(x.shape)
    slab[axis] = 1
    prepend, append = [p.expand(slab) if p is not None and not p.ndim else p for p in (prepend, append)]
    return torch.diff(x, n=n, dim=axis, prepend=prepend, append=append)


def _trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    area = torch.trapezoid(y, dx=dx, dim=axis) if x is None else torch.trapezoid(y, x, dim=axis)
    return area + 0 * y.sum(axis)  # torch's is cut off from y where y is empty


def _correlations(c: torch.Tensor) -> torch.Tensor:
    """torch.corrcoef without its clamp to ±1, whose gradient is 0 where rounding leaves a perfect correlation above 1."""
    spread = torch.sqrt(torch.diagonal(c)) if c.ndim else torch.sqrt(c)
    return c / spread / spread[:, None] if c.ndim else c / c


TORCH: dict[str, Callable[..., Any]] = {
    "average": _average,
    "corrcoef": lambda x, y=None, rowvar=True: _correlations(torch.cov(_table(x, y, rowvar))),
    "cov": lambda x, y=None, rowvar=True, bias=False, ddof=None: torch.cov(
        _table(x, y, rowvar), correction=int(not bias) if ddof is None else ddof
    ),
    "cumprod": _running(torch.cumprod),
    "cumsum": _running(torch.cumsum),
    "diff": _diff,
    "logsumexp": _over(torch.logsumexp),
    "max": _over(torch.amax),
    "mean": _over(torch.mean),
    "median": _columns(lambda rows: torch.quantile(rows, 0.5, dim=0, interpolation="midpoint")),
    "min": _over(torch.amin),
    "nanmean": _over(torch.nanmean),
    "nansum": _over(torch.nansum),
    "norm": lambda x, ord=None, axis=None, keepdims=False: torch.linalg.norm(x, ord, axis, keepdims),
    "p_norm": lambda x, p=2, axis=None, keepdims=False: torch.linalg.vector_norm(x, p, axis, keepdims),
    "percentile": lambda x, q, **params: _quantile(x, torch.as_tensor(q, dtype=torch.float64) / 100, **params),
    "prod": _columns(lambda rows: torch.prod(rows, dim=0)),
    "ptp": lambda x, axis=None, keepdims=False: (
        _over(torch.amax)(x, axis, keepdims) - _over(torch.amin)(x, axis, keepdims)
    ),
    "quantile": _quantile,
    "ranked": lambda x, ranks: torch.sort(x, dim=0).values[list(ranks)],
    "std": _spread(torch.std),
    "sum": _over(torch.sum),
    "trapezoid": _trapezoid,
    "var": _spread(torch.var),
}

EXCEPTIONS: dict[str, str] = {
    "gradient": "torch.gradient is not differentiable in the spacing",
    **dict.fromkeys(("nanmax", "nanmin", "nanstd", "nanvar"), "torch has none"),
}
