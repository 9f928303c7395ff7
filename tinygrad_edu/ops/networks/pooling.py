"""Pooling: the maximum or the mean of each window of an image. (max_pool and sum_pool are in window_reductions.py.)"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived
from ...domain import DISTINCT, Sample, Shape
from ...errors import ShapeError
from ...signatures import Array, Plain
from . import windows
from .images import batch_shape, per_batch
from .window_reductions import max_pool, seen, sum_pool
from .windows import Padding, Size

__all__ = ["avg_pool1d", "avg_pool2d", "max_pool1d", "max_pool2d"]


def _geometry(
    x: Any, axes: int, kernel_size: Size, stride: Size | None, padding: Size, dilation: Size, ceil_mode: bool
) -> tuple[Shape, dict[str, Any]]:
    """The batch_shape of x, and kernel, stride, padding and dilation as the primitives take them."""
    shape = batch_shape(x, axes)
    if 0 in shape[2:]:
        raise ShapeError(f"got x of shape {shape_of(x)}, expected at least one number along each axis of the image")
    kernel = windows.per_axis("kernel_size", kernel_size, axes)
    sides = windows.per_axis("padding", padding, axes, least=0)
    if any(2 * n > k for n, k in zip(sides, kernel, strict=True)):
        raise ShapeError(f"got padding={sides}, expected at most half of kernel_size={kernel}")
    how: dict[str, Any] = {"kernel": kernel, "stride": kernel, "padding": tuple([(n, n) for n in sides])}
    if stride is not None:
        how["stride"] = windows.per_axis("stride", stride, axes)
    how["dilation"] = windows.per_axis("dilation", dilation, axes)
    windows.check_fit(shape[2:], kernel, how["padding"], how["dilation"])
    if ceil_mode:
        how["padding"] = windows.rounded_up(shape[2:], **how)
    return shape, how


def _largest(x: Any, axes: int, *options: Any) -> Any:
    """max_pool1d and max_pool2d, with checked options."""
    shape, how = _geometry(x, axes, *options)
    if max(how["dilation"]) > 1:
        windows.check_seen(shape[2:], windows.count(shape[2:], **how), **how)
    return per_batch(lambda images: max_pool(images, **how), x, shape)


def _mean(x: Any, axes: int, count_include_pad: bool, divisor: int | None, *options: Any) -> Any:
    """avg_pool1d and avg_pool2d, with checked options."""
    kernel_size, stride, padding, ceil_mode = options
    shape, how = _geometry(x, axes, kernel_size, stride, padding, 1, ceil_mode)
    if divisor is None:
        count = _counts(shape[2:], count_include_pad, **how)
    else:
        (count,) = windows.per_axis("divisor_override", divisor, 1)

    def mean(images: Any) -> Any:
        sums = sum_pool(images, **how)
        return sums / (count if isinstance(count, int) else count.astype(sums.dtype))

    return per_batch(mean, x, shape)


@lru_cache(maxsize=256)
def _counts(size: Shape, with_padding: bool, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Any:
    """How many numbers each mean is of: one count for all windows, or an array with one for each.

    With padding the numbers added on both sides count; what ceil_mode adds after an image never counts.
    """
    counts: Any = np.ones((), int)
    out = windows.count(size, kernel, stride, padding, dilation)
    for n, m, k, s, (before, _) in zip(size, out, kernel, stride, padding, strict=True):
        start, side = np.arange(m) * s - before, before if with_padding else 0
        counts = np.multiply.outer(counts, np.minimum(start + k, n + side) - np.maximum(start, -side))
    return prod(kernel) if np.all(counts == prod(kernel)) else counts


def _maxima(axes: int) -> Any:
    """Samples of max_pool1d and max_pool2d."""

    def samples(shape: Shape) -> Iterator[Sample]:
        n = shape[0] if shape else 1
        image = (n, 2, *(5, 3)[:axes])
        yield Sample((image,), {"kernel_size": 2})
        yield Sample((image,), {"kernel_size": 3, "stride": 1, "padding": 1})
        yield Sample((image[1:],), {"kernel_size": 2, "ceil_mode": True})
        yield Sample(((1, 1, *(6, 5)[:axes]),), {"kernel_size": 2, "stride": 2, "dilation": 3, "ceil_mode": True})
        if axes == 2:
            yield Sample((image,), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (0, 1), "dilation": (1, 2)})

    return samples


def _means(axes: int) -> Any:
    """Samples of avg_pool1d and avg_pool2d."""

    def samples(shape: Shape) -> Iterator[Sample]:
        n = shape[0] if shape else 1
        image = (n, 2, *(5, 4)[:axes])
        yield Sample((image,), {"kernel_size": 2})
        for ceil_mode, counted in product((False, True), (False, True)):
            how = {"kernel_size": 3, "stride": 3, "padding": 1, "ceil_mode": ceil_mode, "count_include_pad": counted}
            yield Sample((image,), how)
        yield Sample((image[1:],), {"kernel_size": 2, "ceil_mode": True})
        if axes == 2:
            yield Sample((image,), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (0, 1), "divisor_override": 5})

    return samples


def _max_formula(axes: int) -> Any:
    """Reference for max_pool1d and max_pool2d."""

    def formula(
        x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
    ) -> Any:
        shape, how = _geometry(x, axes, kernel_size, stride, padding, dilation, ceil_mode)
        y = np.max(seen(x.reshape(shape), **how, fill=-np.inf), axis=-1)
        return y if x.ndim == axes + 2 else y[0]

    return formula


def _mean_formula(axes: int) -> Any:
    """Reference for avg_pool1d and avg_pool2d: counts are sums over an image of ones."""

    def formula(
        x: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Any:
        shape, how = _geometry(x, axes, kernel_size, stride, padding, 1, ceil_mode)
        y = np.sum(seen(x.reshape(shape), **how, fill=0.0), axis=-1)
        sides = [(before, before) for before, _ in how["padding"]]
        ones = np.pad(np.ones(shape[2:]), sides, constant_values=float(count_include_pad))
        beyond = tuple([(0, after - before) for before, after in how["padding"]])
        counts = np.sum(seen(ones[None, None], **how | {"padding": beyond}, fill=0.0), axis=-1)
        y = y / (counts if divisor_override is None else divisor_override)
        return y if x.ndim == axes + 2 else y[0]

    return formula


@derived(domain=(DISTINCT,), samples=_maxima(1), numpy=_max_formula(1))
def max_pool1d(
    x: Array,
    /,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Plain:
    """Maximum of each window: (batch, channels, length) -> (batch, channels, length'). The gradient of ties goes to the first.

    x may lack the batch. The stride defaults to kernel_size; padding is at most half of kernel_size, and counts as -inf. An
    incomplete window at the end is dropped, or kept if ceil_mode. Raises ShapeError if shapes or options do not fit.
    """
    return _largest(x, 1, kernel_size, stride, padding, dilation, ceil_mode)


@derived(domain=(DISTINCT,), samples=_maxima(2), numpy=_max_formula(2))
def max_pool2d(
    x: Array,
    /,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Plain:
    """Maximum of each window: (batch, channels, height, width) -> (batch, channels, h, w).

    The gradient of ties goes to the first in row-major order. x may lack the batch. Options are integers, or pairs for height and
    width. The stride defaults to kernel_size; padding is at most half of kernel_size, and counts as -inf. Incomplete windows at
    the end are dropped, or kept if ceil_mode. Raises ShapeError if shapes or options do not fit.
    """
    return _largest(x, 2, kernel_size, stride, padding, dilation, ceil_mode)


@derived(samples=_means(1), numpy=_mean_formula(1), accumulates=True)
def avg_pool1d(
    x: Array,
    /,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Plain:
    """Mean of each window: (batch, channels, length) -> (batch, channels, length').

    Padding counts as zeros, or is excluded if not count_include_pad; what ceil_mode adds at the end is excluded. The other
    options are those of max_pool1d.
    """
    return _mean(x, 1, count_include_pad, None, kernel_size, stride, padding, ceil_mode)


@derived(samples=_means(2), numpy=_mean_formula(2), accumulates=True)
def avg_pool2d(
    x: Array,
    /,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Plain:
    """Mean of each window: (batch, channels, height, width) -> (batch, channels, h, w).

    Padding counts as zeros, or is excluded if not count_include_pad; what ceil_mode adds at the end is excluded.
    divisor_override: the divisor of all sums. The other options are those of max_pool2d.
    """
    return _mean(x, 2, count_include_pad, divisor_override, kernel_size, stride, padding, ceil_mode)
