"""Convolution: one small affine map, moved over all places of an image; and its transpose."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import ShapeError, Value, conv1d, conv2d, conv_transpose1d, conv_transpose2d, pad

from . import init
from .checks import Size, checked, float_type, generator, is_integer, one_of, short, shown, size, sizes, unusual
from .functional.images import MODES
from .module import Module

PADDING_MODES = {"zeros" if mode == "constant" else mode: of_numpy for mode, of_numpy in MODES.items()}


class _Kernels(Module):
    """Weight and bias, and what all four layers are told: subclasses differ in the number of axes and in the function."""

    axes: int
    function: ClassVar[Callable[..., Any]]
    transposed: ClassVar[bool] = False

    def _build(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        dilation: Size,
        groups: int,
        bias: bool,
        rng: np.random.Generator | int | None,
        dtype: DTypeLike,
    ) -> None:
        name, axes = type(self).__name__, self.axes
        self.in_channels = size(name, "in_channels", in_channels)
        self.out_channels = size(name, "out_channels", out_channels)
        self.kernel_size = sizes(name, "kernel_size", kernel_size, axes)
        self.stride = sizes(name, "stride", stride, axes)
        self.dilation = sizes(name, "dilation", dilation, axes)
        self.groups = size(name, "groups", groups)
        if in_channels % groups or out_channels % groups:
            got = f"in_channels={in_channels}, out_channels={out_channels} and groups={groups}"
            raise ShapeError(f"{name}: got {got}, expected groups to divide both numbers of channels")
        rng, dtype = generator(name, rng), float_type(name, dtype)
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (first, second // self.groups, *self.kernel_size)
        bound = 1 / sqrt(init.fans(shape)[0])
        self.weight = Value(init.uniform(shape, -bound, bound, rng, dtype), name="W")
        self.bias = Value(init.uniform((out_channels,), -bound, bound, rng, dtype), name="b") if bias else None

    def _told(self, build: Callable[..., Any], *names: str) -> str:
        """Channels, kernel_size, and what differs from the defaults of the others in a constructor."""
        told = unusual(build, {name: getattr(self, name) for name in names} | {"bias": self.bias is not None})
        return ", ".join([f"{self.in_channels}, {self.out_channels}, kernel_size={short(self.kernel_size)}", *told])


class _Conv(_Kernels):
    """Conv1d and Conv2d."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        name = type(self).__name__
        self.padding_mode = checked(name, "padding_mode", padding_mode, one_of(*PADDING_MODES))
        self._build(in_channels, out_channels, kernel_size, stride, dilation, groups, bias, rng, dtype)
        self.padding: str | tuple[int, ...]
        if isinstance(padding, str) and padding in ("same", "valid"):
            self.padding = padding
        else:
            self.padding = sizes(name, "padding", padding, self.axes, least=0)
        if padding == "same" and set(self.stride) != {1}:
            got = f"padding='same' with stride={stride}"
            raise ShapeError(f"{name}: got {got}, expected stride=1; or give padding in numbers")

    def forward(self, x: Any) -> Any:
        """x: (N, in_channels, *size) -> (N, out_channels, *size'), or without N. Raises ShapeError where x does not fit."""
        padding: Any = self.padding
        if self.padding_mode != "zeros" and np.ndim(x) in (self.axes + 1, self.axes + 2):
            widths = [(0, 0)] * (np.ndim(x) - self.axes) + self._widths()
            x, padding = pad(x, widths, mode=PADDING_MODES[self.padding_mode]), 0
        return self.function(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _widths(self) -> list[tuple[int, int]]:
        """How many numbers are added before and after each axis; of "same" the odd one is after."""
        total = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True)]
        if isinstance(self.padding, str):
            return [(n // 2, n - n // 2) if self.padding == "same" else (0, 0) for n in total]
        return [(n, n) for n in self.padding]

    def describe(self) -> str:
        """Channels, kernel_size, and what differs from the defaults of the others."""
        return self._told(_Conv.__init__, "stride", "padding", "dilation", "groups", "padding_mode")


class Conv1d(_Conv):
    """y[n, o, i] = Σ weight[o, c, k] · x[n, c, i · stride + k · dilation - padding] + bias[o], over channels c and places k.

    (N, in_channels, L) -> (N, out_channels, L'), also without N.
    L' = (L + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1.

    Args:
        in_channels, out_channels: C and O.
        kernel_size: how many neighbours an output sees along each axis.
        stride: from one output to the next, in places of x.
        padding: places added on both sides; "valid" for none, "same" for as many as keep the size, at stride 1.
        dilation: from one neighbour to the next.
        groups: channels are split into so many groups that do not see each other; a divisor of both numbers of channels.
        bias: False leaves the bias out.
        padding_mode: what the added places hold: "zeros", "reflect", "replicate" (the last number again) or "circular" (the
            numbers from the other end).
        rng: random generator for the initial weights, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        weight: (O, C / groups, kernel_size), initially uniform on ±1/√(C / groups · kernel_size), as in PyTorch.
        bias: (O,), initially likewise; or None.

    Raises ShapeError for sizes that do not fit, TinygradError for another padding_mode. See LeCun et al. (1989).
    """

    axes, function = 1, staticmethod(conv1d)


class Conv2d(_Conv):
    """Conv1d for images: (N, in_channels, H, W) -> (N, out_channels, H', W').

    Sizes are integers, or pairs for height and width; the weight is (O, C / groups, height, width of the kernel).
    """

    axes, function = 2, staticmethod(conv2d)


class _ConvTranspose(_Kernels):
    """ConvTranspose1d and ConvTranspose2d."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        *,
        bias: bool = True,
        dilation: Size = 1,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        name = type(self).__name__
        self.padding = sizes(name, "padding", padding, self.axes, least=0)
        self.output_padding = sizes(name, "output_padding", output_padding, self.axes, least=0)
        self._build(in_channels, out_channels, kernel_size, stride, dilation, groups, bias, rng, dtype)
        if any(n >= s for n, s in zip(self.output_padding, self.stride, strict=True)):
            got = f"output_padding={output_padding} and stride={stride}"
            raise ShapeError(f"{name}: got {got}, expected an output_padding of less than stride")

    def forward(self, x: Any, output_size: Any = None) -> Any:
        """x: (N, in_channels, *size) -> (N, out_channels, *size'), or without N.

        output_size: the size' of the output, where several are possible; by output_padding if None.

        Raises ShapeError where x or output_size do not fit.
        """
        more = self.output_padding if output_size is None else self._missing(np.shape(x), output_size)
        return self.function(x, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation)

    def _missing(self, shape: tuple[int, ...], output_size: Any) -> tuple[int, ...]:
        """The output_padding that gives a size. Raises ShapeError if none does."""
        options = zip(shape[-self.axes :], self.kernel_size, self.stride, self.padding, self.dilation, strict=False)
        least = tuple([(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, p, d in options])
        wanted = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * self.axes
        if len(wanted) == len(shape):
            wanted = wanted[-self.axes :]  # given with batch and channels
        fits = len(wanted) == len(least) and all(
            is_integer(m) and 0 <= m - n < s for m, n, s in zip(wanted, least, self.stride, strict=True)
        )
        if not fits:
            most = tuple([n + s - 1 for n, s in zip(least, self.stride, strict=True)])
            got = f"output_size={shown(output_size)} and x of shape {shape}"
            raise ShapeError(f"{type(self).__name__}: got {got}, expected a size from {least} to {most}")
        return tuple([int(m - n) for m, n in zip(wanted, least, strict=True)])

    def describe(self) -> str:
        """Channels, kernel_size, and what differs from the defaults of the others."""
        return self._told(_ConvTranspose.__init__, "stride", "padding", "output_padding", "groups", "dilation")


class ConvTranspose1d(_ConvTranspose):
    """The transpose of Conv1d, which is its gradient: each number of x adds a multiple of the kernel to the output.

    (N, in_channels, L) -> (N, out_channels, L'), also without N.
    L' = (L - 1) stride - 2 padding + dilation (kernel_size - 1) + 1 + output_padding.

    Args:
        in_channels, out_channels: C and O.
        kernel_size: how many neighbours of the output a number of x adds to, along each axis.
        stride: from one such place to the next, in places of the output.
        padding: places removed on both sides of the output.
        output_padding: places added after the output; less than stride.
        groups: channels are split into so many groups that do not see each other; a divisor of both numbers of channels.
        bias: False leaves the bias out.
        dilation: from one neighbour to the next.
        rng: random generator for the initial weights, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        weight: (C, O / groups, kernel_size), initially uniform on ±1/√(O / groups · kernel_size), as in PyTorch.
        bias: (O,), initially likewise; or None.

    Raises ShapeError for sizes that do not fit. See Zeiler et al., "Deconvolutional Networks" (2010).
    """

    axes, function = 1, staticmethod(conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """ConvTranspose1d for images: (N, in_channels, H, W) -> (N, out_channels, H', W').

    Sizes are integers, or pairs for height and width; the weight is (C, O / groups, height, width of the kernel).
    """

    axes, function = 2, staticmethod(conv_transpose2d)
