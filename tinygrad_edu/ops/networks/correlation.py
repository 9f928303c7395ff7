"""conv: convolution of images with kernels, and its two adjoints; the gradients of each are the other two.

The public functions (conv1d, conv2d and their transposes) are in convolution.py.

All three are the same sum over windows, Σ y[window] · weight · x[window], without one of the factors. Each copies the windows
into columns (im2col), tap by tap, and computes the sum as one matrix product, in tiles of images whose columns fit the cache.
See Chellapilla, Puri & Simard, "High Performance Convolutional Neural Networks for Document Processing" (2006).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import operation
from ...domain import Sample, Shape
from ...op import PRODUCT
from ...signatures import Array, Plain
from . import windows
from .windows import Padding

TILE = 1 << 18  # elements of the columns of one tile: 1 MiB of float32


def by_definition(x: Any, weight: Any, stride: Shape, padding: Padding, dilation: Shape, groups: int) -> Any:
    """Reference convolution: NumPy's sliding windows and one einsum."""
    seen = windows.seen(x, weight.shape[2:], stride, padding, dilation)
    seen = seen.reshape(len(x), groups, x.shape[1] // groups, *seen.shape[2:])
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    letters = "uvw"[: x.ndim - 2]
    y = np.einsum(f"ngc...{letters},goc{letters}->ngo...", seen, kernels)
    return y.reshape(len(x), len(weight), *y.shape[3:])


def _against_units(product: Callable[[Any], Any], shape: Shape) -> Any:
    """The transpose of a linear function, element by element, from its results for all unit arrays."""
    return np.array([np.sum(product(unit)) for unit in windows.units(shape)]).reshape(shape)


def transposed_by_definition(x: Any, weight: Any, size: Shape, groups: int, **how: Any) -> Any:
    """Reference transposed convolution: the transpose of by_definition."""
    shape = (len(x), weight.shape[1] * groups, *size)
    return _against_units(lambda unit: x * by_definition(unit, weight, groups=groups, **how), shape)


def _geometries(shape: Shape) -> Iterator[tuple[Shape, Shape, dict[str, Any]]]:
    """Shapes of an image and a kernel with conv's parameters: every parameter, and sizes that leave a remainder."""
    n = shape[0] if shape else 1

    def how(stride: Shape, padding: Padding, dilation: Shape, groups: int) -> dict[str, Any]:
        return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}

    yield (n, 2, 4), (3, 2, 2), how((1,), ((0, 0),), (1,), 1)
    yield (1, 2, 6), (4, 1, 3), how((2,), ((1, 2),), (2,), 2)
    yield (n, 1, 3, 4), (2, 1, 2, 3), how((1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    yield (1, 2, 4, 3), (2, 1, 3, 1), how((2, 1), ((1, 0), (0, 2)), (1, 2), 2)
    yield (1, 1, 5, 2), (1, 1, 2, 2), how((2, 3), ((0, 1), (1, 1)), (3, 1), 1)


def _image_and_kernel(shape: Shape) -> Iterator[Sample]:
    return (Sample((image, kernel), how) for image, kernel, how in _geometries(shape))


def _windows_and_kernel(shape: Shape) -> Iterator[Sample]:
    return (Sample((_result(*g), g[1]), {"size": g[0][2:], **g[2]}) for g in _geometries(shape))


def _image_and_windows(shape: Shape) -> Iterator[Sample]:
    return (Sample((g[0], _result(*g)), {"kernel": g[1][2:], **g[2]}) for g in _geometries(shape))


def _result(image: Shape, kernel: Shape, how: dict[str, Any]) -> Shape:
    """The shape of a convolution."""
    return (image[0], kernel[0], *windows.count(image[2:], kernel[2:], how["stride"], how["padding"], how["dilation"]))


def _tiles(images: int, numbers: int) -> Iterator[slice]:
    """Slices of the images whose columns, of `numbers` elements per image, fit in the cache."""
    size = max(1, TILE // max(1, numbers))
    return (slice(start, min(start + size, images)) for start in range(0, images, size))


def _columns(x: Any, taps: Any, out: Shape, groups: int) -> Iterator[tuple[slice, Any]]:
    """Tile by tile, the images and their columns: (images, groups, channels of a group * taps, windows)."""
    images, channels = x.shape[:2]
    buffer = None
    for tile in _tiles(images, channels * len(taps) * prod(out)):
        part = x[tile]
        if buffer is None:
            buffer = np.zeros((len(part), channels, len(taps), *out), x.dtype)  # elements outside every tap stay 0
        columns = buffer[: len(part)]
        for i, (seen, by) in enumerate(taps):
            columns[:, :, i][by] = part[seen]
        yield tile, columns.reshape(len(part), groups, channels // groups * len(taps), prod(out))


def _flat(y: Any, groups: int) -> Any:
    """A result, one element per window, as matrices: (images, groups, channels of a group, windows)."""
    return y.reshape(len(y), groups, y.shape[1] // groups, prod(y.shape[2:]))


def _kernels(weight: Any, groups: int) -> Any:
    """Kernels as matrices: (groups, kernels of a group, channels of a group * taps)."""
    return weight.reshape(groups, len(weight) // groups, prod(weight.shape[1:]))


@operation(
    accumulates=True,
    symbol="∗",
    analytic=True,
    slices=PRODUCT,
    samples=_image_and_kernel,
    numpy=by_definition,
    rules=(
        lambda g, y, x, weight, **how: conv_transpose(g, weight, size=shape_of(x)[2:], **how),
        lambda g, y, x, weight, **how: conv_weight(x, g, kernel=shape_of(weight)[2:], **how),
    ),
)
def conv(x: Array, weight: Any, /, stride: Shape, padding: Padding, dilation: Shape, groups: int) -> Plain:
    """Cross-correlation over any number of axes, no bias: (n, c, *size), (o, c / groups, *kernel) -> (n, o, *out).

    conv1d and conv2d are the public functions. Padding is (before, after) along each axis; all parameters are tuples. The
    gradient recomputes the columns: they take the memory of x times the number of the kernel's taps.
    """
    kernel = weight.shape[2:]
    out = windows.count(x.shape[2:], kernel, stride, padding, dilation)
    taps = windows.taps(x.shape[2:], out, kernel, stride, padding, dilation)
    y = np.empty((len(x), len(weight), *out), np.result_type(x, weight))
    flat, kernels = _flat(y, groups), _kernels(weight, groups)
    for tile, columns in _columns(x, taps, out, groups):
        np.matmul(kernels, columns, out=flat[tile])
    return y


@operation(
    accumulates=True,
    symbol="∗ᵀ",
    analytic=True,
    slices=PRODUCT,
    samples=_windows_and_kernel,
    numpy=transposed_by_definition,
    rules=(
        lambda g, y, x, weight, size, **how: conv(g, weight, **how),
        lambda g, y, x, weight, size, **how: conv_weight(g, x, kernel=shape_of(weight)[2:], **how),
    ),
)
def conv_transpose(
    x: Array, weight: Any, /, size: Shape, stride: Shape, padding: Padding, dilation: Shape, groups: int
) -> Plain:
    """The gradient of conv with respect to its image: (n, o, *out), (o, c / groups, *kernel) -> (n, c, *size).

    It adds to an image, at every window, the kernels weighted by x. conv_transpose1d and 2d are the public functions.
    """
    kernel, out = weight.shape[2:], x.shape[2:]
    taps = windows.taps(size, out, kernel, stride, padding, dilation)
    channels = weight.shape[1] * groups
    y = np.zeros((len(x), channels, *size), np.result_type(x, weight))
    flat, kernels = _flat(x, groups), _kernels(weight, groups).mT
    buffer = None
    for tile in _tiles(len(x), channels * len(taps) * prod(out)):
        buffer = np.matmul(kernels, flat[tile], out=None if buffer is None else buffer[: tile.stop - tile.start])
        columns, image = buffer.reshape(-1, channels, len(taps), *out), y[tile]
        for i, (seen, by) in enumerate(taps):
            image[seen] += columns[:, :, i][by]
    return y


@operation(
    accumulates=True,
    symbol="∗ʷ",
    analytic=True,
    slices=PRODUCT,
    samples=_image_and_windows,
    numpy=lambda x, y, kernel, groups, **how: _against_units(
        lambda unit: y * by_definition(x, unit, groups=groups, **how), (y.shape[1], x.shape[1] // groups, *kernel)
    ),
    rules=(
        lambda g, _, x, y, kernel, **how: conv_transpose(y, g, size=shape_of(x)[2:], **how),
        lambda g, _, x, y, kernel, **how: conv(x, g, **how),
    ),
)
def conv_weight(
    x: Array, y: Any, /, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape, groups: int
) -> Plain:
    """The gradient of conv with respect to its weight: (n, c, *size), (n, o, *out) -> (o, c / groups, *kernel).

    It sums the windows of x, weighted by y.
    """
    out, kernels = y.shape[2:], y.shape[1]
    taps = windows.taps(x.shape[2:], out, kernel, stride, padding, dilation)
    flat = _flat(y, groups)
    channels = x.shape[1] // groups
    total = np.zeros((groups, channels * len(taps), kernels // groups), np.result_type(x, y))
    for tile, columns in _columns(x, taps, out, groups):
        total += np.add.reduce(np.matmul(columns, flat[tile].mT))
    return total.mT.reshape(kernels, channels, *kernel)
