"""Layers that move the numbers of images. Nothing is learned."""

from __future__ import annotations

from typing import Any

from .checks import Size, short, size, sizes
from .functional import fold, pixel_shuffle, pixel_unshuffle, unfold
from .module import Module


class _Windows(Module):
    """Unfold and Fold: the windows of an image."""

    def _window(self, kernel_size: Size, dilation: Size, padding: Size, stride: Size) -> None:
        name = type(self).__name__
        self.kernel_size = sizes(name, "kernel_size", kernel_size, 2)
        self.dilation = sizes(name, "dilation", dilation, 2)
        self.padding = sizes(name, "padding", padding, 2, least=0)
        self.stride = sizes(name, "stride", stride, 2)

    def describe(self) -> str:
        """All arguments."""
        return ", ".join(f"{name}={short(n)}" for name, n in vars(self).items() if isinstance(n, tuple))


class Unfold(_Windows):
    """Windows as columns: (N, C, H, W) -> (N, C · kernel's numbers, windows), also without N.

    Args:
        kernel_size, dilation, padding, stride: of the windows, as for `Conv2d`: integers, or pairs for height and width.

    Raises ShapeError for sizes that do not fit.
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        self._window(kernel_size, dilation, padding, stride)

    def forward(self, x: Any) -> Any:
        """x: (N, C, H, W) -> (N, C · kernel's numbers, windows), or without N. Raises ShapeError where x does not fit."""
        return unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(_Windows):
    """Columns added up at the places from which Unfold takes them: (N, C · kernel's numbers, windows) -> (N, C, *output_size).

    Args:
        output_size: height and width of the image.
        kernel_size, dilation, padding, stride: as for `Unfold`.

    Raises ShapeError for sizes that do not fit.
    """

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        self.output_size = sizes("Fold", "output_size", output_size, 2)
        self._window(kernel_size, dilation, padding, stride)

    def forward(self, x: Any) -> Any:
        """x: (N, C · kernel's numbers, windows) -> (N, C, *output_size), or without N. Raises ShapeError where x does not fit."""
        return fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)


class PixelShuffle(Module):
    """Channels as pixels between pixels: (..., C r², H, W) -> (..., C, H r, W r), r = upscale_factor. Shi et al., CVPR 2016."""

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = size("PixelShuffle", "upscale_factor", upscale_factor)

    def forward(self, x: Any) -> Any:
        """x: (..., C r², H, W) -> (..., C, H r, W r). Raises ShapeError if r² does not divide the channels."""
        return pixel_shuffle(x, self.upscale_factor)

    def describe(self) -> str:
        """upscale_factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """The inverse of PixelShuffle: (..., C, H r, W r) -> (..., C r², H, W), r = downscale_factor."""

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = size("PixelUnshuffle", "downscale_factor", downscale_factor)

    def forward(self, x: Any) -> Any:
        """x: (..., C, H r, W r) -> (..., C r², H, W). Raises ShapeError if r does not divide height and width."""
        return pixel_unshuffle(x, self.downscale_factor)

    def describe(self) -> str:
        """downscale_factor."""
        return f"downscale_factor={self.downscale_factor}"
