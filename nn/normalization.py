"""Layers that move and scale numbers to mean 0 and variance 1: those of each example, or those of each channel."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import ShapeError, Value, layer_norm, reshape, sqrt

from .checks import NOT_NEGATIVE, SHARE, Size, checked, data_of, float_type, size, sizes
from .module import Module

SEVERAL = "more than one number a channel in training"


class LayerNorm(Module):
    """y = (x - mean(x)) / √(var(x) + eps) · weight + bias, over the last axes of x: (..., *normalized_shape) -> the same.

    Each example is normalized by itself, so training and use are alike.

    Args:
        normalized_shape: sizes of the last axes, or the size of the last one.
        eps: added to the variance, so that equal numbers become 0; from 0 on.
        elementwise_affine: False leaves weight and bias out.
        bias: False leaves the bias out.
        dtype: of the parameters.

    Attributes:
        weight, bias: of normalized_shape, initially 1 and 0; or None.

    Raises ShapeError for sizes that are no positive integers. See Ba, Kiros & Hinton, "Layer Normalization" (2016).
    """

    def __init__(
        self,
        normalized_shape: Size,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike = float,
    ) -> None:
        self.normalized_shape = shape = sizes("LayerNorm", "normalized_shape", normalized_shape)
        self.eps, dtype = checked("LayerNorm", "eps", eps, NOT_NEGATIVE), float_type("LayerNorm", dtype)
        self.weight = Value(np.ones(shape, dtype), name="γ") if elementwise_affine else None
        self.bias = Value(np.zeros(shape, dtype), name="β") if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        """x: (..., *normalized_shape) -> the same. Raises ShapeError if the last axes of x have other sizes."""
        axes = len(self.normalized_shape)
        if np.shape(x)[-axes:] != self.normalized_shape:
            raise ShapeError(
                f"LayerNorm: got an input of shape {np.shape(x)}, expected its last axes to be {self.normalized_shape}"
            )
        return layer_norm(x, axis=tuple(range(-axes, 0)), weight=self.weight, bias=self.bias, eps=self.eps)

    def describe(self) -> str:
        """normalized_shape, eps, and what was left out."""
        shape = self.normalized_shape[0] if len(self.normalized_shape) == 1 else self.normalized_shape
        left_out = ", elementwise_affine=False" if self.weight is None else ", bias=False" if self.bias is None else ""
        return f"{shape}, eps={self.eps:g}{left_out}"


class _BatchNorm(Module):
    """BatchNorm1d and BatchNorm2d, which differ in the number of axes after that of the channels."""

    axes: tuple[int, ...]  # how many axes x may have
    expected: str

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: DTypeLike = float,
    ) -> None:
        self.name = type(self).__name__
        self.num_features = size(self.name, "num_features", num_features)
        self.momentum = None if momentum is None else checked(self.name, "momentum", momentum, SHARE)
        self.eps, dtype = checked(self.name, "eps", eps, NOT_NEGATIVE), float_type(self.name, dtype)
        self.weight = Value(np.ones(num_features, dtype), name="γ") if affine else None
        self.bias = Value(np.zeros(num_features, dtype), name="β") if affine else None
        self.running_mean = np.zeros(num_features, dtype) if track_running_stats else None
        self.running_var = np.ones(num_features, dtype) if track_running_stats else None
        self.num_batches_tracked = np.array(0) if track_running_stats else None

    def forward(self, x: Any) -> Any:
        """x -> the same shape. Raises ShapeError for other axes or channels, in training for a single number a channel."""
        shape = np.shape(x)
        if len(shape) not in self.axes or shape[1] != self.num_features:
            expected = self.expected.replace("C", str(self.num_features))
            raise ShapeError(f"{self.name}: got an input of shape {shape}, expected {expected}")
        channels = (-1, *[1] * (len(shape) - 2))  # to stretch a number a channel over (N, C, ...)
        weight, bias = [p if p is None else reshape(p, channels) for p in (self.weight, self.bias)]
        if self.training or self.running_mean is None or self.running_var is None:
            over = (0, *range(2, len(shape)))
            if prod(shape) < 2 * self.num_features:
                raise ShapeError(
                    f"{self.name}: got an input of shape {shape}, expected {SEVERAL}; train on batches of two examples or more, "
                    "or call eval() to use the running statistics"
                )
            y = layer_norm(x, axis=over, weight=weight, bias=bias, eps=self.eps)
            self._track(data_of(x), over)
            return y
        y = (x - reshape(self.running_mean, channels)) / sqrt(reshape(self.running_var, channels) + self.eps)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias

    def _track(self, data: Any, over: tuple[int, ...]) -> None:
        """Move the running statistics towards those of a batch, in place."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean += share * (np.mean(data, over) - self.running_mean)
        self.running_var += share * (np.var(data, over, ddof=1) - self.running_var)

    def describe(self) -> str:
        """num_features, eps, momentum, and what was left out."""
        left_out = ["" if self.weight is not None else ", affine=False"]
        left_out += ["" if self.running_mean is not None else ", track_running_stats=False"]
        return f"{self.num_features}, eps={self.eps:g}, momentum={self.momentum}{''.join(left_out)}"


class BatchNorm1d(_BatchNorm):
    """y = (x - mean) / √(var + eps) · weight + bias, with the mean and variance of each channel: (N, C) or (N, C, L) -> the same.

    In training they are those of the batch, and the running statistics move towards them, towards the variance over
    count - 1. In use, after `eval()`, they are the running statistics, so that an example does not depend on the others.
    Inside `checkpoint`, which computes a part a second time for backward(), training moves them twice a batch.

    Args:
        num_features: channels C.
        eps: added to the variance, from 0 on.
        momentum: share, from 0 to 1, that a batch has in the running statistics; None for the mean over all batches.
        affine: False leaves weight and bias out.
        track_running_stats: False leaves the running statistics out: then use is like training.
        dtype: of the parameters and buffers.

    Attributes:
        weight, bias: (C,), initially 1 and 0; or None.
        running_mean, running_var: buffers, (C,), initially 0 and 1; or None.
        num_batches_tracked: buffer, how many batches they have seen; or None.

    Raises ShapeError for num_features below 1, TinygradError for another momentum. See Ioffe & Szegedy, ICML 2015.
    """

    axes, expected = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """BatchNorm1d for pictures: (N, C, H, W) -> the same, with the mean and variance over N, H and W."""

    axes, expected = (4,), "(N, C, H, W)"
