"""Neural ops: PyTorch's functions of our signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from tinygrad_edu import dropout as our_dropout


def _mean_and_variance(x: Any, axis: Any) -> tuple[Any, Any]:
    dims = tuple(range(x.ndim)) if axis is None else axis
    return x.mean(dims, keepdim=True), x.var(dims, correction=0, keepdim=True)


def _padded(x: Any, padding: Any, value: float = 0.0) -> Any:
    """x with numbers before and after along each axis, which torch takes in one list from the last axis to the first."""
    return functional.pad(x, [n for sides in reversed(padding) for n in sides], value=value)


def _conv(x: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    function = {3: torch.conv1d, 4: torch.conv2d}[x.ndim]
    return function(_padded(x, padding), weight, None, stride, 0, dilation, groups)


def _gradient_of(function: Callable[[Any], Any], at: Any, cotangent: Any) -> Any:
    """The gradient of a linear function, itself differentiable in the cotangent."""
    at = at.detach().requires_grad_()
    return torch.autograd.grad(function(at), at, cotangent, create_graph=True)[0]


def _conv_transpose(x: Any, weight: Any, size: Any, **how: Any) -> Any:
    image = torch.zeros(len(x), weight.shape[1] * how["groups"], *size, dtype=x.dtype)
    return _gradient_of(lambda image: _conv(image, weight, **how), image, x)


def _conv_weight(x: Any, y: Any, kernel: Any, **how: Any) -> Any:
    weight = torch.zeros(y.shape[1], x.shape[1] // how["groups"], *kernel, dtype=x.dtype)
    return _gradient_of(lambda weight: _conv(x, weight, **how), weight, y)


def _max_pool(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    function = {3: functional.max_pool1d, 4: functional.max_pool2d}[x.ndim]
    return function(_padded(x, padding, -torch.inf), kernel, stride, 0, dilation)


def _sum_pool(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """A convolution of each channel with ones, since PyTorch's mean of windows has no dilation."""
    ones = torch.ones(x.shape[1], 1, *kernel, dtype=x.dtype)
    return _conv(x, ones, stride, padding, dilation, x.shape[1])


def _sum_unpool(x: Any, size: Any, **how: Any) -> Any:
    return _gradient_of(lambda image: _sum_pool(image, **how), torch.zeros(*x.shape[:2], *size, dtype=x.dtype), x)


def _dropout(x: Any, **options: Any) -> Any:
    """PyTorch's generator draws other numbers, so the factors are ours."""
    return x * torch.as_tensor(our_dropout(np.ones(x.shape), **options))


def _center(x: Any, axis: Any = -1) -> Any:
    return x - _mean_and_variance(x, axis)[0]


def _rms_norm(x: Any, axis: Any = -1, eps: float = 1e-5) -> Any:
    return x / (_mean_and_variance(x * x, axis)[0] + eps).sqrt()


def _layer_norm(x: Any, axis: Any = -1, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    if axis == -1 and all(p is None or p.shape == x.shape[-1:] for p in (weight, bias)):
        return functional.layer_norm(x, x.shape[-1:], weight, bias, eps)
    mean, variance = _mean_and_variance(x, axis)
    y = (x - mean) / (variance + eps).sqrt()
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _columns(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """A convolution of each channel with unit kernels, since PyTorch's unfold takes images of two axes alone."""
    units = (
        torch.eye(int(np.prod(kernel)), dtype=x.dtype).reshape(-1, 1, *kernel).repeat(x.shape[1], *[1] * (x.ndim - 1))
    )
    y = _conv(x, units, stride, padding, dilation, x.shape[1])
    return y.reshape(*x.shape[:2], int(np.prod(kernel)), *y.shape[2:])


def _add_columns(x: Any, size: Any, **how: Any) -> Any:
    return _gradient_of(lambda image: _columns(image, **how), torch.zeros(*x.shape[:2], *size, dtype=x.dtype), x)


TORCH: dict[str, Callable[..., Any]] = {
    "add_columns": _add_columns,
    "avg_pool1d": functional.avg_pool1d,
    "avg_pool2d": functional.avg_pool2d,
    "center": _center,
    "columns": _columns,
    "conv": _conv,
    "conv1d": torch.conv1d,
    "conv2d": torch.conv2d,
    "conv_transpose": _conv_transpose,
    "conv_transpose1d": torch.conv_transpose1d,
    "conv_transpose2d": torch.conv_transpose2d,
    "conv_weight": _conv_weight,
    "cross_entropy": lambda x, labels: functional.cross_entropy(x, torch.as_tensor(labels)),
    "dropout": _dropout,
    "embedding": lambda weight, indices: functional.embedding(torch.as_tensor(np.asarray(indices)), weight),
    "fold": functional.fold,
    "layer_norm": _layer_norm,
    "linear": functional.linear,
    "log_softmax": lambda x, axis=-1: functional.log_softmax(x, axis),
    "max_pool": _max_pool,
    "max_pool1d": functional.max_pool1d,
    "max_pool2d": functional.max_pool2d,
    "rms_norm": _rms_norm,
    "softmax": lambda x, axis=-1: functional.softmax(x, axis),
    "sum_pool": _sum_pool,
    "sum_unpool": _sum_unpool,
    "unfold": functional.unfold,
}
EXCEPTIONS: dict[str, str] = {}
