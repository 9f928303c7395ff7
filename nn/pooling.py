"""Pooling: one number for each window of an image. Nothing is learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tinygrad_edu import ShapeError, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d

from .checks import Size, short, sizes
from .module import Module


class _Pool(Module):
    """function(x, kernel_size, stride, padding), for x with so many axes after the channels."""

    axes: int
    function: ClassVar[Callable[..., Any]]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        name = type(self).__name__
        self.kernel_size = sizes(name, "kernel_size", kernel_size, self.axes)
        self.stride = self.kernel_size if stride is None else sizes(name, "stride", stride, self.axes)
        self.padding = sizes(name, "padding", padding, self.axes, least=0)
        if any(2 * n > k for n, k in zip(self.padding, self.kernel_size, strict=True)):
            got = f"padding={padding} and kernel_size={kernel_size}"
            raise ShapeError(f"{name}: got {got}, expected a padding of at most half of kernel_size")

    def forward(self, x: Any) -> Any:
        """x: (N, C, *size) -> (N, C, *size'). Raises ShapeError for another number of axes, or if no window fits."""
        return self.function(x, self.kernel_size, self.stride, self.padding)

    def describe(self) -> str:
        """kernel_size, stride, padding."""
        sides = f", padding={short(self.padding)}" if any(self.padding) else ""
        return f"kernel_size={short(self.kernel_size)}, stride={short(self.stride)}{sides}"


class MaxPool1d(_Pool):
    """Largest number of each window: (N, C, L) -> (N, C, L'), L' = (L + 2 padding - kernel_size) // stride + 1.

    What does not fill a window at the end is left out. Of equal numbers the first gets the gradient.

    Args:
        kernel_size: of the window.
        stride: from one window to the next; kernel_size if None.
        padding: places added on both sides, which are never the largest; at most half of kernel_size.

    Raises ShapeError for sizes that do not fit.
    """

    axes, function = 1, staticmethod(max_pool1d)


class MaxPool2d(_Pool):
    """Largest number of each window: (N, C, H, W) -> (N, C, H', W'). Arguments are those of MaxPool1d, or pairs of them."""

    axes, function = 2, staticmethod(max_pool2d)


class AvgPool1d(_Pool):
    """Mean of each window: (N, C, L) -> (N, C, L').

    Args:
        kernel_size, stride, padding: as for MaxPool1d, but added places hold zeros.
        count_include_pad: False to leave the added places out of the mean.
    """

    axes, function = 1, staticmethod(avg_pool1d)

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, *, count_include_pad: bool = True
    ) -> None:
        super().__init__(kernel_size, stride, padding)
        self.count_include_pad = count_include_pad

    def describe(self) -> str:
        """kernel_size, stride, padding, and whether it counts."""
        return super().describe() + ("" if self.count_include_pad else ", count_include_pad=False")

    def forward(self, x: Any) -> Any:
        """x: (N, C, *size) -> (N, C, *size'). Raises ShapeError for another number of axes, or if no window fits."""
        return self.function(x, self.kernel_size, self.stride, self.padding, self.count_include_pad)


class AvgPool2d(AvgPool1d):
    """Mean of each window: (N, C, H, W) -> (N, C, H', W'). Arguments are those of AvgPool1d, or pairs of them."""

    axes, function = 2, staticmethod(avg_pool2d)
