"""max_pool, sum_pool and its transpose: what the windows of an image reduce to.

The public functions (max_pool1d, avg_pool2d, ...) are in pooling.py. All parameters are tuples with one entry per axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ...data import on_numbers, raw_of, shape_of, to_floating
from ...definition import operation
from ...domain import DISTINCT, Sample, Shape
from ...op import rule
from ...signatures import Array, Plain
from ..arrays.indexing import scatter
from ..arrays.shape import reshape
from . import windows
from .windows import Padding


def seen(x: Any, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape, fill: float) -> Any:
    """The elements of each window, along one last axis. For the reference formulas of tests."""
    found = windows.seen(x, kernel, stride, padding, dilation, fill)
    return found.reshape(*found.shape[: x.ndim], prod(kernel))


def geometries(shape: Shape) -> Iterator[tuple[Shape, dict[str, Any]]]:
    """Images, and windows that touch, overlap, leave gaps, leave a remainder, have holes, and reach into the padding."""
    n = shape[0] if shape else 1
    for image, kernel, stride, padding, dilation in (
        ((n, 2, 5), (2,), (2,), ((0, 0),), (1,)),
        ((1, 1, 5), (3,), (1,), ((1, 1),), (1,)),
        ((1, 2, 6), (2,), (2,), ((1, 2),), (3,)),
        ((n, 1, 4, 5), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
        ((1, 2, 3, 5), (2, 3), (1, 2), ((1, 1), (0, 1)), (1, 1)),
        ((1, 1, 4, 4), (1, 2), (3, 3), ((0, 0), (1, 0)), (1, 1)),
        ((1, 1, 5, 4), (2, 2), (1, 1), ((0, 0), (0, 1)), (2, 3)),
    ):
        yield image, {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}


def _images(shape: Shape) -> Iterator[Sample]:
    return (Sample((image,), how) for image, how in geometries(shape))


def _sums(shape: Shape) -> Iterator[Sample]:
    for image, how in geometries(shape):
        yield Sample(((*image[:2], *windows.count(image[2:], **how)),), {"size": image[2:], **how})


@on_numbers
def first_largest(x: Any, y: Any, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Any:
    """For each window the index of its first maximum in flattened x."""
    size, out = x.shape[2:], y.shape[2:]
    tap, searching = np.zeros(y.shape, np.intp), np.ones(y.shape, bool)
    for here, by in windows.taps(size, out, kernel, stride, padding, dilation):
        searching[by] &= x[here] < y[by]  # false where y is NaN
        tap += searching
    place, offset = np.arange(x.shape[0] * x.shape[1]) * prod(size), np.zeros(1, np.intp)
    for i, (k, m, s, (before, _), d) in enumerate(zip(kernel, out, stride, padding, dilation, strict=True)):
        step = prod(size[i + 1 :])
        place = np.add.outer(place, (np.arange(m) * s - before) * step)
        offset = np.add.outer(offset, np.arange(k) * d * step)
    return place.ravel() + offset.ravel()[tap.ravel()]


def _unpooled_largest(g: Any, y: Any, x: Any, how: dict[str, Any]) -> Any:
    """g at the first maximum of each window; the index is piecewise constant in x, hence not differentiated."""
    places = first_largest(raw_of(x), raw_of(y), **how)
    return reshape(scatter(reshape(g, (-1,)), shape=(x.size,), indices=(places,)), x.shape)


@operation(
    symbol="max ▦",
    domain=(DISTINCT,),
    samples=_images,
    numpy=lambda x, **how: np.max(seen(x, **how, fill=-np.inf), axis=-1),
    rules=(
        rule(
            lambda g, y, x, **how: _unpooled_largest(g, y, x, how),
            says="each g added at the first largest number of its window",
        ),
    ),
)
def max_pool(x: Array, /, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Plain:
    """Maximum of each window over any number of axes: (n, c, *size) -> (n, c, *out). The gradient of ties goes to the first.

    Padding is (before, after) along each axis, and counts as -inf.
    """
    out = windows.count(x.shape[2:], kernel, stride, padding, dilation)
    x = to_floating(x)
    y = np.full((*x.shape[:2], *out), -np.inf, x.dtype)
    for here, by in windows.taps(x.shape[2:], out, kernel, stride, padding, dilation):
        np.maximum(y[by], x[here], out=y[by])
    return y


@operation(
    accumulates=True,
    symbol="Σ ▦",
    analytic=True,
    samples=_images,
    numpy=lambda x, **how: np.sum(seen(x, **how, fill=0.0), axis=-1),
    rules=(
        rule(
            lambda g, y, x, **how: sum_unpool(g, size=shape_of(x)[2:], **how),
            says="each g added at all numbers of its window",
        ),
    ),
)
def sum_pool(x: Array, /, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Plain:
    """Sum of each window over any number of axes: (n, c, *size) -> (n, c, *out). Padding counts as 0."""
    x, out = to_floating(x), windows.count(x.shape[2:], kernel, stride, padding, dilation)
    y = np.zeros((*x.shape[:2], *out), x.dtype)
    for here, by in windows.taps(x.shape[2:], out, kernel, stride, padding, dilation):
        y[by] += x[here]
    return y


def _unpooled(x: Any, size: Shape, **how: Any) -> Any:
    """Reference for sum_unpool: each element of x times a 0/1 matrix of the places that its window covers."""
    sees = np.sum(seen(windows.units((1, *size)), **how, fill=0.0), axis=-1).reshape(prod(size), prod(x.shape[2:]))
    return (x.reshape(*x.shape[:2], prod(x.shape[2:])) @ sees.T).reshape(*x.shape[:2], *size)


@operation(
    accumulates=True,
    symbol="Σᵀ ▦",
    analytic=True,
    samples=_sums,
    numpy=_unpooled,
    rules=(lambda g, y, x, size, **how: sum_pool(g, **how),),
)
def sum_unpool(x: Array, /, size: Shape, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Plain:
    """Transpose of sum_pool: each element of x is added to all places of its window; (n, c, *out) -> (n, c, *size)."""
    y = np.zeros((*x.shape[:2], *size), x.dtype)
    for here, by in windows.taps(size, x.shape[2:], kernel, stride, padding, dilation):
        y[here] += x[by]
    return y
