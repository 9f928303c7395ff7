"""Layers that move and scale numbers to mean 0 and variance 1: those of each example, of groups of channels, or of a channel."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import ShapeError, Value, reshape

from . import functional
from .checks import NOT_NEGATIVE, SHARE, Shape, Size, checked, float_type, size, sizes
from .module import Module


def _affine(shape: Shape, dtype: np.dtype[Any], weight: bool, bias: bool) -> tuple[Value | None, Value | None]:
    """The weight, initially 1, and the bias, initially 0; None where it is left out."""
    ones = Value(np.ones(shape, dtype), name="γ") if weight else None
    return ones, Value(np.zeros(shape, dtype), name="β") if weight and bias else None


class LayerNorm(Module):
    """y = (x - mean(x)) / √(var(x) + eps) · weight + bias, over the last axes of x: (..., *normalized_shape) -> the same.

    Each example is normalized by itself, so training and evaluation mode are alike.

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
        self.weight, self.bias = _affine(shape, dtype, elementwise_affine, bias)

    def forward(self, x: Any) -> Any:
        """x: (..., *normalized_shape) -> the same. Raises ShapeError if the last axes of x have other sizes."""
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def describe(self) -> str:
        """normalized_shape, eps, and what was left out."""
        left_out = ", elementwise_affine=False" if self.weight is None else ", bias=False" if self.bias is None else ""
        return f"{_single(self.normalized_shape)}, eps={self.eps:g}{left_out}"


class RMSNorm(Module):
    """y = x / √(mean(x²) + eps) · weight, over the last axes of x: (..., *normalized_shape) -> the same.

    Args:
        normalized_shape: sizes of the last axes, or the size of the last one.
        eps: from 0 on; None for the distance from 1 to the next number of the input's dtype.
        elementwise_affine: False leaves the weight out.
        dtype: of the weight.

    Attributes:
        weight: of normalized_shape, initially 1; or None.

    Raises ShapeError for sizes that are no positive integers. See Zhang & Sennrich (2019).
    """

    def __init__(
        self,
        normalized_shape: Size,
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike = float,
    ) -> None:
        self.normalized_shape = shape = sizes("RMSNorm", "normalized_shape", normalized_shape)
        self.eps = None if eps is None else checked("RMSNorm", "eps", eps, NOT_NEGATIVE)
        self.weight, _ = _affine(shape, float_type("RMSNorm", dtype), elementwise_affine, False)

    def forward(self, x: Any) -> Any:
        """x: (..., *normalized_shape) -> the same. Raises ShapeError if the last axes of x have other sizes."""
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def describe(self) -> str:
        """normalized_shape, eps, and whether the weight was left out."""
        return f"{_single(self.normalized_shape)}, eps={self.eps}{', elementwise_affine=False' * (self.weight is None)}"


class GroupNorm(Module):
    """LayerNorm over groups of neighbouring channels of each example: (N, C, ...) -> the same.

    Args:
        num_groups: divides num_channels.
        num_channels: C.
        eps: added to the variance, from 0 on.
        affine: False leaves weight and bias out.
        bias: False leaves the bias out.
        dtype: of the parameters.

    Attributes:
        weight, bias: (C,), initially 1 and 0; or None.

    Raises ShapeError for sizes that are no positive integers, or do not divide. See Wu & He (2018).
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: DTypeLike = float,
    ) -> None:
        self.num_groups = size("GroupNorm", "num_groups", num_groups)
        self.num_channels = size("GroupNorm", "num_channels", num_channels)
        if num_channels % num_groups:
            got = f"num_groups={num_groups} and num_channels={num_channels}"
            raise ShapeError(f"GroupNorm: got {got}, expected groups of equal size")
        self.eps = checked("GroupNorm", "eps", eps, NOT_NEGATIVE)
        self.weight, self.bias = _affine((num_channels,), float_type("GroupNorm", dtype), affine, bias)

    def forward(self, x: Any) -> Any:
        """x: (N, C, ...) -> the same. Raises ShapeError for other channels."""
        if np.shape(x)[1:2] != (self.num_channels,):
            raise ShapeError(f"GroupNorm: got an input of shape {np.shape(x)}, expected (N, {self.num_channels}, ...)")
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def describe(self) -> str:
        """num_groups, num_channels, eps, and what was left out."""
        left_out = ", affine=False" if self.weight is None else ", bias=False" if self.bias is None else ""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps:g}{left_out}"


class _ChannelNorm(Module):
    """Layers that normalize each channel, over a batch or over an example, and may keep running statistics."""

    axes: ClassVar[tuple[int, ...]]  # how many axes x may have
    expected: ClassVar[str]
    usual: ClassVar[bool]  # the default of affine and of track_running_stats

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
        self.weight, self.bias = _affine((num_features,), dtype, affine, True)
        self.running_mean = np.zeros(num_features, dtype) if track_running_stats else None
        self.running_var = np.ones(num_features, dtype) if track_running_stats else None
        self.num_batches_tracked = np.array(0) if track_running_stats else None

    def _check(self, shape: Shape, channels: int) -> None:
        """Raises ShapeError for another number of axes, or of channels."""
        if len(shape) not in self.axes or shape[channels] != self.num_features:
            expected = self.expected.replace("C", str(self.num_features))
            raise ShapeError(f"{self.name}: got an input of shape {shape}, expected {expected}")

    def _by_input(self) -> bool:
        """Whether the mean and the variance are those of the input."""
        return self.training or self.running_mean is None

    def describe(self) -> str:
        """num_features, eps, momentum, and what differs from the defaults."""
        parts = {"affine": self.weight, "track_running_stats": self.running_mean}
        unusual = [f", {name}={not self.usual}" for name, part in parts.items() if (part is not None) != self.usual]
        return f"{self.num_features}, eps={self.eps:g}, momentum={self.momentum}{''.join(unusual)}"


class _BatchNorm(_ChannelNorm):
    """BatchNorm1d and BatchNorm2d, which differ in the number of axes after that of the channels."""

    usual = True

    def forward(self, x: Any) -> Any:
        """x -> the same shape. Raises ShapeError for other axes or channels, in training for a single number a channel."""
        self._check(np.shape(x), 1)
        seen, momentum, by_input = self.num_batches_tracked, self.momentum, self._by_input()
        if momentum is None:
            momentum = 0.0 if seen is None else 1 / (float(seen) + 1)  # the mean over all batches
        running = self.running_mean, self.running_var
        y = functional.batch_norm(x, *running, self.weight, self.bias, by_input, momentum, self.eps)
        if by_input and seen is not None:
            seen += 1
        return y


class BatchNorm1d(_BatchNorm):
    """y = (x - mean) / √(var + eps) · weight + bias, with the mean and variance of each channel: (N, C) or (N, C, L) -> the same.

    In training they are those of the batch, and the running statistics move towards them, towards the variance over
    count - 1. In evaluation mode they are the running statistics, so that an example does not depend on the others.
    Inside `checkpoint`, which computes a part a second time for backward(), training moves them twice a batch.

    Args:
        num_features: channels C.
        eps: added to the variance, from 0 on.
        momentum: share, from 0 to 1, that a batch has in the running statistics; None for the mean over all batches.
        affine: False leaves weight and bias out.
        track_running_stats: False leaves the running statistics out: evaluation mode is then like training.
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


class _InstanceNorm(_ChannelNorm):
    """InstanceNorm1d and InstanceNorm2d, which differ in the number of axes after that of the channels."""

    usual = False

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: DTypeLike = float,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """x -> the same shape. Raises ShapeError for other axes or channels, or a single number a channel."""
        alone = len(np.shape(x)) == min(self.axes)
        self._check(np.shape(x), 0 if alone else 1)
        running, momentum = (self.running_mean, self.running_var), self.momentum or 0.0
        y = functional.instance_norm(
            reshape(x, (1, *np.shape(x))) if alone else x,
            *running,
            self.weight,
            self.bias,
            self._by_input(),
            momentum,
            self.eps,
        )
        return reshape(y, np.shape(x)) if alone else y


class InstanceNorm1d(_InstanceNorm):
    """BatchNorm1d of each example by itself: (N, C, L) or (C, L) -> the same. See Ulyanov et al. (2016).

    Arguments, attributes and errors are those of BatchNorm1d, but affine and track_running_stats are False by default, and as in
    PyTorch, momentum=None leaves the running statistics unchanged, and num_batches_tracked stays 0.
    """

    axes, expected = (2, 3), "(C, L) or (N, C, L)"


class InstanceNorm2d(_InstanceNorm):
    """InstanceNorm1d for pictures: (N, C, H, W) or (C, H, W) -> the same, with the mean and variance over H and W."""

    axes, expected = (3, 4), "(C, H, W) or (N, C, H, W)"


def _single(shape: Shape) -> Any:
    """The size of a single axis, as a user would have given it; several as a tuple."""
    return shape[0] if len(shape) == 1 else shape
