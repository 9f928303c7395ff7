"""Pooling: the maximum or the mean of each window of an image."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ...data import on_numbers, raw_of, shape_of, to_floating
from ...definition import derived, operation
from ...domain import DISTINCT, Sample, Shape
from ...errors import ShapeError
from ...op import rule
from ...signatures import Array, Plain
from ..arrays.indexing import scatter
from ..arrays.shape import reshape
from . import windows
from .windows import Padding, Size

__all__ = ["avg_pool1d", "avg_pool2d", "max_pool1d", "max_pool2d"]


def _seen(x: Any, kernel: Shape, stride: Shape, padding: Padding, fill: float) -> Any:
    """The elements of each window, along one last axis."""
    seen = windows.seen(x, kernel, stride, padding, (1,) * len(kernel), fill)
    return seen.reshape(*seen.shape[: x.ndim], prod(kernel))


def _geometries(shape: Shape) -> Iterator[tuple[Shape, dict[str, Any]]]:
    """Images, and windows that touch, overlap, leave gaps, leave a remainder, and reach into the padding."""
    n = shape[0] if shape else 1
    for image, kernel, stride, padding in (
        ((n, 2, 5), (2,), (2,), ((0, 0),)),
        ((1, 1, 5), (3,), (1,), ((1, 1),)),
        ((n, 1, 4, 5), (2, 2), (2, 2), ((0, 0), (0, 0))),
        ((1, 2, 3, 5), (2, 3), (1, 2), ((1, 1), (0, 1))),
        ((1, 1, 4, 4), (1, 2), (3, 3), ((0, 0), (1, 0))),
    ):
        yield image, {"kernel": kernel, "stride": stride, "padding": padding}


def _images(shape: Shape) -> Iterator[Sample]:
    return (Sample((image,), how) for image, how in _geometries(shape))


def _sums(shape: Shape) -> Iterator[Sample]:
    for image, how in _geometries(shape):
        yield Sample(((*image[:2], *_out(image[2:], **how)),), {"size": image[2:], **how})


def _out(size: Shape, kernel: Shape, stride: Shape, padding: Padding) -> Shape:
    return windows.count(size, kernel, stride, padding, (1,) * len(kernel))


def _taps(size: Shape, out: Shape, kernel: Shape, stride: Shape, padding: Padding) -> Any:
    return windows.taps(size, out, kernel, stride, padding, (1,) * len(kernel))


@on_numbers
def _first_largest(x: Any, y: Any, kernel: Shape, stride: Shape, padding: Padding) -> Any:
    """For each window the index of its first maximum in flattened x."""
    size, out = x.shape[2:], y.shape[2:]
    tap, searching = np.zeros(y.shape, np.intp), np.ones(y.shape, bool)
    for seen, by in _taps(size, out, kernel, stride, padding):
        searching[by] &= x[seen] < y[by]  # false where y is NaN
        tap += searching
    place, offset = np.arange(x.shape[0] * x.shape[1]) * prod(size), np.zeros(1, np.intp)
    for i, (k, m, s, (before, _)) in enumerate(zip(kernel, out, stride, padding, strict=True)):
        step = prod(size[i + 1 :])
        place = np.add.outer(place, (np.arange(m) * s - before) * step)
        offset = np.add.outer(offset, np.arange(k) * step)
    return place.ravel() + offset.ravel()[tap.ravel()]


def _unpooled_largest(g: Any, y: Any, x: Any, how: dict[str, Any]) -> Any:
    """g at the first maximum of each window; the index is piecewise constant in x, hence not differentiated."""
    places = _first_largest(raw_of(x), raw_of(y), **how)
    return reshape(scatter(reshape(g, (-1,)), shape=(x.size,), indices=(places,)), x.shape)


@operation(
    symbol="max ▦",
    domain=(DISTINCT,),
    samples=_images,
    numpy=lambda x, **how: np.max(_seen(x, **how, fill=-np.inf), axis=-1),
    rules=(
        rule(
            lambda g, y, x, **how: _unpooled_largest(g, y, x, how),
            says="each g added at the first largest number of its window",
        ),
    ),
)
def max_pool(x: Array, /, kernel: Shape, stride: Shape, padding: Padding) -> Plain:
    """Maximum of each window over any number of axes: (n, c, *size) -> (n, c, *out). The gradient of ties goes to the first.

    max_pool1d and max_pool2d are the public functions. Padding is (before, after) along each axis, and counts as -inf.
    """
    out = _out(x.shape[2:], kernel, stride, padding)
    x = to_floating(x)
    y = np.full((*x.shape[:2], *out), -np.inf, x.dtype)
    for seen, by in _taps(x.shape[2:], out, kernel, stride, padding):
        np.maximum(y[by], x[seen], out=y[by])
    return y


@operation(
    accumulates=True,
    symbol="Σ ▦",
    analytic=True,
    samples=_images,
    numpy=lambda x, **how: np.sum(_seen(x, **how, fill=0.0), axis=-1),
    rules=(
        rule(
            lambda g, y, x, **how: sum_unpool(g, size=shape_of(x)[2:], **how),
            says="each g added at all numbers of its window",
        ),
    ),
)
def sum_pool(x: Array, /, kernel: Shape, stride: Shape, padding: Padding) -> Plain:
    """Sum of each window over any number of axes: (n, c, *size) -> (n, c, *out). Padding counts as 0."""
    x, out = to_floating(x), _out(x.shape[2:], kernel, stride, padding)
    y = np.zeros((*x.shape[:2], *out), x.dtype)
    for seen, by in _taps(x.shape[2:], out, kernel, stride, padding):
        y[by] += x[seen]
    return y


def _unpooled(x: Any, size: Shape, **how: Any) -> Any:
    """Reference for sum_unpool: each element of x times a 0/1 matrix of the places that its window covers."""
    sees = np.sum(_seen(windows.units((1, *size)), **how, fill=0.0), axis=-1).reshape(prod(size), prod(x.shape[2:]))
    return (x.reshape(*x.shape[:2], prod(x.shape[2:])) @ sees.T).reshape(*x.shape[:2], *size)


@operation(
    accumulates=True,
    symbol="Σᵀ ▦",
    analytic=True,
    samples=_sums,
    numpy=_unpooled,
    rules=(lambda g, y, x, size, **how: sum_pool(g, **how),),
)
def sum_unpool(x: Array, /, size: Shape, kernel: Shape, stride: Shape, padding: Padding) -> Plain:
    """Transpose of sum_pool: each element of x is added to all places of its window; (n, c, *out) -> (n, c, *size)."""
    y = np.zeros((*x.shape[:2], *size), x.dtype)
    for seen, by in _taps(size, x.shape[2:], kernel, stride, padding):
        y[seen] += x[by]
    return y


def _checked(x: Any, axes: int, kernel_size: Size, stride: Size | None, padding: Size) -> dict[str, Any]:
    """kernel, stride and padding as the primitives take them; the stride defaults to the kernel."""
    windows.check_image(x, axes)
    if 0 in shape_of(x)[2:]:
        raise ShapeError(f"got x of shape {shape_of(x)}, expected at least one number along each axis of the image")
    kernel = windows.per_axis("kernel_size", kernel_size, axes)
    sides = windows.per_axis("padding", padding, axes, least=0)
    if any(2 * n > k for n, k in zip(sides, kernel, strict=True)):
        raise ShapeError(f"got padding={sides}, expected at most half of kernel_size={kernel}")
    how: dict[str, Any] = {"kernel": kernel, "stride": kernel, "padding": tuple([(n, n) for n in sides])}
    if stride is not None:
        how["stride"] = windows.per_axis("stride", stride, axes)
    windows.check_fit(shape_of(x)[2:], kernel, how["padding"], (1,) * axes)
    return how


def _mean(x: Any, axes: int, count_include_pad: bool, *size: Any) -> Any:
    how = _checked(x, axes, *size)
    if count_include_pad or not any(map(any, how["padding"])):
        return sum_pool(x, **how) / prod(how["kernel"])
    counts = sum_pool(np.ones((1, 1, *shape_of(x)[2:]), to_floating(x).dtype), **how)
    return sum_pool(x, **how) / counts


def _faces(axes: int) -> Any:
    """Samples of the public functions."""

    def samples(shape: Shape) -> Iterator[Sample]:
        n = shape[0] if shape else 1
        image = (n, 2, *(5, 3)[:axes])
        yield Sample((image,), {"kernel_size": 2})
        yield Sample((image,), {"kernel_size": 3, "stride": 1, "padding": 1})
        if axes == 2:
            yield Sample((image,), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (0, 1)})

    return samples


def _means(axes: int) -> Any:
    def samples(shape: Shape) -> Iterator[Sample]:
        for sample in _faces(axes)(shape):
            yield sample
            yield sample._replace(params=sample.params | {"count_include_pad": False})

    return samples


def _max_formula(x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Any:
    return np.max(_seen(x, **_checked(x, x.ndim - 2, kernel_size, stride, padding), fill=-np.inf), axis=-1)


def _mean_formula(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, count_include_pad: bool = True
) -> Any:
    fill = 0.0 if count_include_pad else np.nan
    seen = _seen(x, **_checked(x, x.ndim - 2, kernel_size, stride, padding), fill=fill)
    return np.nanmean(seen, axis=-1)


@derived(domain=(DISTINCT,), samples=_faces(1), numpy=_max_formula)
def max_pool1d(x: Array, /, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> Plain:
    """Maximum of each window: (batch, channels, length) -> (batch, channels, length'). The gradient of ties goes to the first.

    The stride defaults to kernel_size; padding is at most half of kernel_size, and counts as -inf. An incomplete window at the
    end is dropped. Raises ShapeError if shapes or options do not fit.
    """
    return max_pool(x, **_checked(x, 1, kernel_size, stride, padding))


@derived(domain=(DISTINCT,), samples=_faces(2), numpy=_max_formula)
def max_pool2d(x: Array, /, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> Plain:
    """Maximum of each window: (batch, channels, height, width) -> (batch, channels, h, w).

    The gradient of ties goes to the first in row-major order. Options are integers, or pairs for height and width. The stride
    defaults to kernel_size; padding is at most half of kernel_size, and counts as -inf. Incomplete windows at the end are
    dropped. Raises ShapeError if shapes or options do not fit.
    """
    return max_pool(x, **_checked(x, 2, kernel_size, stride, padding))


@derived(samples=_means(1), numpy=_mean_formula, accumulates=True)
def avg_pool1d(
    x: Array, /, kernel_size: Size, stride: Size | None = None, padding: Size = 0, count_include_pad: bool = True
) -> Plain:
    """Mean of each window: (batch, channels, length) -> (batch, channels, length').

    Padding counts as zeros, or is excluded if not count_include_pad; the other options are those of max_pool1d.
    """
    return _mean(x, 1, count_include_pad, kernel_size, stride, padding)


@derived(samples=_means(2), numpy=_mean_formula, accumulates=True)
def avg_pool2d(
    x: Array, /, kernel_size: Size, stride: Size | None = None, padding: Size = 0, count_include_pad: bool = True
) -> Plain:
    """Mean of each window: (batch, channels, height, width) -> (batch, channels, h, w).

    Padding counts as zeros, or is excluded if not count_include_pad; the other options are those of max_pool2d.
    """
    return _mean(x, 2, count_include_pad, kernel_size, stride, padding)
