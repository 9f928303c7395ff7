"""Convolution: one small affine map, moved over all places of an image."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import ShapeError, TinygradError, Value, conv1d, conv2d, pad

from . import init
from .checks import Size, float_type, generator, short, size, sizes, unusual
from .module import Module

# What lies beyond the border, by PyTorch's names, and the mode of NumPy's pad that puts it there.
PADDING_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


class _Conv(Module):
    """Conv1d and Conv2d, which differ in the number of axes."""

    axes: int
    function: ClassVar[Callable[..., Any]]

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
        self.padding: str | tuple[int, ...]
        if isinstance(padding, str) and padding in ("same", "valid"):
            self.padding = padding
        else:
            self.padding = sizes(name, "padding", padding, axes, least=0)
        if padding == "same" and set(self.stride) != {1}:
            got = f"padding='same' with stride={stride}"
            raise ShapeError(f"{name}: got {got}, expected stride=1; or give padding in numbers")
        if padding_mode not in PADDING_MODES:
            known = ", ".join(map(repr, PADDING_MODES))
            raise TinygradError(f"{name}: got padding_mode={padding_mode!r}, expected one of {known}")
        self.padding_mode = padding_mode
        rng, dtype = generator(name, rng), float_type(name, dtype)
        shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        bound = 1 / sqrt(init.fans(shape)[0])
        self.weight = Value(init.uniform(shape, -bound, bound, rng, dtype), name="W")
        self.bias = Value(init.uniform((out_channels,), -bound, bound, rng, dtype), name="b") if bias else None

    def forward(self, x: Any) -> Any:
        """x: (N, in_channels, *size) -> (N, out_channels, *size'). Raises ShapeError where x does not fit."""
        padding: Any = self.padding
        if self.padding_mode != "zeros" and np.ndim(x) == self.axes + 2:
            x, padding = pad(x, ((0, 0), (0, 0), *self._widths()), mode=PADDING_MODES[self.padding_mode]), 0
        return self.function(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _widths(self) -> list[tuple[int, int]]:
        """How many numbers are added before and after each axis; of "same" the odd one is after."""
        total = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True)]
        if isinstance(self.padding, str):
            return [(n // 2, n - n // 2) if self.padding == "same" else (0, 0) for n in total]
        return [(n, n) for n in self.padding]

    def describe(self) -> str:
        """Channels, kernel_size, and what differs from the defaults of the others."""
        given = {name: getattr(self, name) for name in ("stride", "padding", "dilation", "groups", "padding_mode")}
        told = unusual(_Conv.__init__, given | {"bias": self.bias is not None})
        return ", ".join([f"{self.in_channels}, {self.out_channels}, kernel_size={short(self.kernel_size)}", *told])


class Conv1d(_Conv):
    """y[n, o, i] = Σ weight[o, c, k] · x[n, c, i · stride + k · dilation - padding] + bias[o], over channels c and places k.

    (N, in_channels, L) -> (N, out_channels, L'), L' = (L + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1.

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
    """Conv1d for pictures: (N, in_channels, H, W) -> (N, out_channels, H', W').

    Sizes are integers, or pairs for height and width; the weight is (O, C / groups, height, width of the kernel).
    """

    axes, function = 2, staticmethod(conv2d)
