"""unfold and fold: the windows of images side by side as columns, and its transpose, which adds them up at their places."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...op import rule
from ...signatures import Array, Plain
from ..arrays.shape import reshape
from . import windows
from .images import batch_shape
from .window_reductions import geometries
from .windows import Padding, Size

__all__ = ["fold", "unfold"]


def _images(shape: Shape) -> Iterator[Sample]:
    return (Sample((image,), how) for image, how in geometries(shape))


def _columns(shape: Shape) -> Iterator[Sample]:
    for image, how in geometries(shape):
        out = windows.count(image[2:], **how)
        yield Sample(((*image[:2], prod(how["kernel"]), *out),), {"size": image[2:], **how})


def _by_definition(x: Any, **how: Any) -> Any:
    """Reference for columns: NumPy's sliding windows, the places within a window before the windows."""
    found = windows.seen(x, **how)
    found = found.reshape(*found.shape[: x.ndim], prod(how["kernel"]))
    return np.moveaxis(found, -1, 2)


def _added(x: Any, size: Shape, **how: Any) -> Any:
    """Reference for add_columns: the sum over all windows of each unit image."""
    sees = _by_definition(windows.units((1, *size)), **how).reshape(prod(size), prod(x.shape[2:]))
    return (x.reshape(*x.shape[:2], prod(x.shape[2:])) @ sees.T).reshape(*x.shape[:2], *size)


@operation(
    symbol="▦",
    analytic=True,
    samples=_images,
    numpy=_by_definition,
    rules=(
        rule(
            lambda g, y, x, **how: add_columns(g, size=shape_of(x)[2:], **how),
            says="each g added at the place that it was copied from",
        ),
    ),
)
def columns(x: Array, /, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Plain:
    """The numbers of each window: (n, c, *size) -> (n, c, taps, *out). Padding counts as 0. A primitive for speed.

    Composed of a slice for each tap it takes five times as long, as a convolution with unit kernels it makes NaN of infinities.
    """
    out = windows.count(x.shape[2:], kernel, stride, padding, dilation)
    y = np.zeros((*x.shape[:2], prod(kernel), *out), x.dtype)
    for i, (here, by) in enumerate(windows.taps(x.shape[2:], out, kernel, stride, padding, dilation)):
        y[:, :, i][by] = x[here]
    return y


@operation(
    accumulates=True,
    symbol="▦ᵀ",
    analytic=True,
    samples=_columns,
    numpy=_added,
    rules=(lambda g, y, x, size, **how: columns(g, **how),),
)
def add_columns(x: Array, /, size: Shape, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Plain:
    """Transpose of columns: each number added at the place of the image that columns copies it from."""
    y = np.zeros((*x.shape[:2], *size), x.dtype)
    for i, (here, by) in enumerate(windows.taps(size, x.shape[3:], kernel, stride, padding, dilation)):
        y[here] += x[:, :, i][by]
    return y


def _geometry(size: Shape, kernel_size: Size, dilation: Size, padding: Size, stride: Size) -> dict[str, Any]:
    """kernel, stride, padding and dilation as the primitives take them, for images of a size."""
    sides = windows.per_axis("padding", padding, 2, least=0)
    how: dict[str, Any] = {
        "kernel": windows.per_axis("kernel_size", kernel_size, 2),
        "stride": windows.per_axis("stride", stride, 2),
        "padding": tuple([(n, n) for n in sides]),
        "dilation": windows.per_axis("dilation", dilation, 2),
    }
    windows.check_fit(size, how["kernel"], how["padding"], how["dilation"])
    return how


def _to_unfold(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 1
    yield Sample(((n, 2, 3, 4),), {"kernel_size": 2})
    how = {"kernel_size": (1, 2), "dilation": (1, 2), "padding": (0, 1), "stride": (2, 1)}
    yield Sample(((1, 1, 3, 4),), how)
    yield Sample(((2, 2, 3),), {"kernel_size": 2})


def _to_fold(shape: Shape) -> Iterator[Sample]:
    for sample in _to_unfold(shape):
        *lead, channels, height, width = sample.shapes[0]
        how = _geometry((height, width), **({"dilation": 1, "padding": 0, "stride": 1} | sample.params))
        out = windows.count((height, width), **how)
        yield Sample(
            ((*lead, channels * prod(how["kernel"]), prod(out)),), {"output_size": (height, width), **sample.params}
        )


def _unfold_formula(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    images = x if x.ndim == 4 else x[None]
    y = _by_definition(images, **_geometry(images.shape[2:], kernel_size, dilation, padding, stride))
    return y.reshape(*x.shape[:-3], y.shape[1] * y.shape[2], prod(y.shape[3:]))


def _fold_formula(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    how = _geometry(output_size, kernel_size, dilation, padding, stride)
    images = x if x.ndim == 3 else x[None]
    taps = prod(how["kernel"])
    y = _added(images.reshape(len(images), x.shape[-2] // taps, taps, x.shape[-1]), output_size, **how)
    return y if x.ndim == 3 else y[0]


@derived(samples=_to_unfold, numpy=_unfold_formula)
def unfold(x: Array, /, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Plain:
    """Windows of images as columns: (batch, channels, height, width) -> (batch, channels · kernel's numbers, windows).

    x may lack the batch. Options are integers, or pairs for height and width; padding counts as 0. A convolution is the product
    of its weights with these columns. Raises ShapeError if shapes or options do not fit.
    """
    shape = batch_shape(x, 2)
    how = _geometry(shape[2:], kernel_size, dilation, padding, stride)
    y = columns(reshape(x, shape), **how)
    rows = shape[1] * prod(how["kernel"])
    return reshape(y, (*shape_of(x)[:-3], rows, prod(shape_of(y)[3:])))


@derived(samples=_to_fold, numpy=_fold_formula, accumulates=True)
def fold(
    x: Array, /, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Plain:
    """Transpose of unfold: columns added up at the places of an image that unfold, with the same options, takes them from.

    (batch, channels · kernel's numbers, windows) -> (batch, channels, *output_size). x may lack the batch. Raises ShapeError if
    shapes or options do not fit.
    """
    size = windows.per_axis("output_size", output_size, 2)
    how = _geometry(size, kernel_size, dilation, padding, stride)
    taps, out, shape = prod(how["kernel"]), windows.count(size, **how), shape_of(x)
    if len(shape) not in (2, 3) or shape[-2] % taps or shape[-1] != prod(out):
        expected = f"(batch, channels · {taps}, {prod(out)}), or the same without the batch"
        raise ShapeError(f"got x of shape {shape}, expected {expected}, by output_size={size} and kernel_size")
    channels = shape[-2] // taps
    y = add_columns(reshape(x, (*(shape[:-2] or (1,)), channels, taps, *out)), size=size, **how)
    return reshape(y, (*shape[:-2], channels, *size))
