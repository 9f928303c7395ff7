"""Pooling: one number for each window of an image. Nothing is learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tinygrad_edu import ShapeError, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d

from .checks import Size, short, size, sizes, unusual
from .functional.pooling import (
    OutputSize,
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    output_sizes,
)
from .module import Module


class _Pool(Module):
    """function(x, kernel_size, stride, padding, *options), for x with so many axes after the channels."""

    axes: int
    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]]  # the attributes after padding, in the order of the function

    def _window(self, kernel_size: Size, stride: Size | None, padding: Size) -> None:
        name = type(self).__name__
        self.kernel_size = sizes(name, "kernel_size", kernel_size, self.axes)
        self.stride = self.kernel_size if stride is None else sizes(name, "stride", stride, self.axes)
        self.padding = sizes(name, "padding", padding, self.axes, least=0)
        if any(2 * n > k for n, k in zip(self.padding, self.kernel_size, strict=True)):
            got = f"padding={padding} and kernel_size={kernel_size}"
            raise ShapeError(f"{name}: got {got}, expected a padding of at most half of kernel_size")

    def forward(self, x: Any) -> Any:
        """x: (N, C, *size) -> (N, C, *size'), or without N. Raises ShapeError for other axes, or if no window fits."""
        options = [getattr(self, name) for name in self.options]
        return self.function(x, self.kernel_size, self.stride, self.padding, *options)

    def _told(self, build: Callable[..., Any]) -> str:
        told = unusual(build, {name: getattr(self, name) for name in ("padding", *self.options)})
        return ", ".join([f"kernel_size={short(self.kernel_size)}, stride={short(self.stride)}", *told])


class MaxPool1d(_Pool):
    """Largest number of each window: (N, C, L) -> (N, C, L'), also without N.

    L' = (L + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1. Of equal numbers the first gets the gradient.

    Args:
        kernel_size: of the window.
        stride: from one window to the next; kernel_size if None.
        padding: places added on both sides, which are never the largest; at most half of kernel_size.
        dilation: from one number of a window to the next.
        ceil_mode: whether a last window that is not full counts, rather than being left out.

    Raises ShapeError for sizes that do not fit.
    """

    axes, function = 1, staticmethod(max_pool1d)
    options: ClassVar[tuple[str, ...]] = ("dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        self._window(kernel_size, stride, padding)
        self.dilation, self.ceil_mode = sizes(type(self).__name__, "dilation", dilation, self.axes), ceil_mode

    def describe(self) -> str:
        """kernel_size, stride, and what differs from the defaults of the others."""
        return self._told(MaxPool1d.__init__)


class MaxPool2d(MaxPool1d):
    """Largest number of each window: (N, C, H, W) -> (N, C, H', W'). Arguments are those of MaxPool1d, or pairs of them."""

    axes, function = 2, staticmethod(max_pool2d)


class AvgPool1d(_Pool):
    """Mean of each window: (N, C, L) -> (N, C, L'), also without N.

    Args:
        kernel_size, stride, padding, ceil_mode: as for MaxPool1d, but added places hold zeros.
        count_include_pad: False to leave the places added by padding out of the mean. Those added by ceil_mode never count.
    """

    axes, function = 1, staticmethod(avg_pool1d)
    options: ClassVar[tuple[str, ...]] = ("ceil_mode", "count_include_pad")

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        *,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self._window(kernel_size, stride, padding)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def describe(self) -> str:
        """kernel_size, stride, and what differs from the defaults of the others."""
        return self._told(AvgPool1d.__init__)


class AvgPool2d(AvgPool1d):
    """Mean of each window: (N, C, H, W) -> (N, C, H', W').

    Arguments are those of AvgPool1d, or pairs of them; divisor_override divides all sums in place of their counts.
    """

    axes, function = 2, staticmethod(avg_pool2d)
    options: ClassVar[tuple[str, ...]] = ("ceil_mode", "count_include_pad", "divisor_override")

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        *,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad)
        self.divisor_override = (
            None if divisor_override is None else size("AvgPool2d", "divisor_override", divisor_override)
        )

    def describe(self) -> str:
        """kernel_size, stride, and what differs from the defaults of the others."""
        return self._told(AvgPool2d.__init__)


class _AdaptivePool(Module):
    """function(x, output_size), for x with so many axes after the channels."""

    axes: int
    function: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: OutputSize) -> None:
        self.output_size = output_sizes(type(self).__name__, output_size, self.axes)

    def forward(self, x: Any) -> Any:
        """x: (N, C, *size) -> (N, C, *output_size), or without N. Raises ShapeError for other axes."""
        return self.function(x, self.output_size)

    def describe(self) -> str:
        """output_size."""
        return f"output_size={short(self.output_size)}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """Mean of each of output_size windows that cover x: (N, C, L) -> (N, C, output_size), also without N.

    Window i goes from floor(i L / output_size) to ceil((i + 1) L / output_size).

    Args:
        output_size: how many windows; None for L, which leaves x as it is.

    Raises ShapeError for an output_size that is no positive integer.
    """

    axes, function = 1, staticmethod(adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptivePool):
    """AdaptiveAvgPool1d for images: (N, C, H, W) -> (N, C, *output_size). An integer or None, or a pair of them."""

    axes, function = 2, staticmethod(adaptive_avg_pool2d)


class AdaptiveMaxPool1d(_AdaptivePool):
    """Largest number of each window of AdaptiveAvgPool1d. Of equal numbers the first gets the gradient."""

    axes, function = 1, staticmethod(adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptivePool):
    """Largest number of each window of AdaptiveAvgPool2d. Of equal numbers the first in row-major order gets the gradient."""

    axes, function = 2, staticmethod(adaptive_max_pool2d)
