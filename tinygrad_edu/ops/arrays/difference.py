"""Discrete differences along an axis, gradients of sampled functions, and the trapezoidal rule."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi
from typing import Any

import numpy as np

from ...data import raw_of, shape_of, value_or_array, value_or_weak
from ...definition import derived
from ...domain import DISTINCT, Sample, Shape
from ...errors import ShapeError, UnsupportedError
from ...signatures import Array, Axis, Plain, Raw
from ..numbers.arithmetic import astype
from .axes import along_each_axis, checked_axes, checked_axis, cut, each_axis, integer
from .joining import concatenate
from .reduction import sum
from .shape import ravel, reshape

__all__ = ["diff", "ediff1d", "gradient", "trapezoid", "unwrap"]


def _differences(shape: Shape) -> Iterator[Sample]:
    for axis in each_axis(shape):
        for n in (0, 1, 2):
            yield Sample((shape,), {"axis": axis, "n": n})
        longer = list(shape)
        longer[axis] = 2
        yield Sample((shape, tuple(longer)), {"axis": axis, "n": 2}, keywords=("prepend",))
        yield Sample((shape, (), tuple(longer)), {"axis": axis}, keywords=("prepend", "append"))


@derived(samples=_differences)
def diff(x: Array, /, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Plain:
    """The nth discrete difference along an axis: x[1:] - x[:-1], taken n times; the axis becomes n shorter.

    Args:
        prepend, append: arrays or scalars to add before and after x first; differentiable too.

    Raises ShapeError for a scalar, or n < 0.
    """
    axis = checked_axis(shape_of(x), axis)
    if integer("n", n) < 0:
        raise ShapeError(f"got n={n}, expected an order of 0 or more")
    if prepend is not None or append is not None:
        x = concatenate([_slab(part, x, axis) for part in (prepend, x, append) if part is not None], axis=axis)
    for _ in range(min(n, shape_of(x)[axis])):  # nothing is left then
        x = cut(x, axis, 1) - cut(x, axis, None, -1)
    return x


def _slab(part: Any, x: Any, axis: int) -> Any:
    """The array to prepend or append to x: a scalar is repeated across the other axes."""
    part = value_or_weak(part)
    return part if shape_of(part) else part * np.ones([1 if i == axis else n for i, n in enumerate(x.shape)], x.dtype)


def _curves(shape: Shape) -> Iterator[Sample]:
    for axis in each_axis(shape):
        yield Sample((shape,), {"axis": axis, "dx": 0.5})
        yield Sample((shape, (shape[axis],)), {"axis": axis}, keywords=("x",))
        yield Sample((shape, shape), {"axis": axis}, keywords=("x",))


@derived(samples=_curves, accumulates=True)
def trapezoid(y: Array, /, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Plain:
    """Integral of y along an axis by the trapezoidal rule: Σ dx (y[1:] + y[:-1]) / 2.

    Args:
        x: the sample points of y, along the axis or one for each element of y; differentiable too.
        dx: the spacing of the sample points if x is not given.

    Raises ShapeError for a scalar y, or an x that does not fit.
    """
    i = checked_axis(shape_of(y), axis)
    heights = cut(y, i, 1) + cut(y, i, None, -1)
    if x is not None:
        x = value_or_array(x)
        dx = _along(diff(x), y, i) if len(shape_of(x)) == 1 else diff(x, axis=axis)
    return sum(dx * heights / 2, axis=axis)


def _along(x: Any, like: Any, axis: int) -> Any:
    """A vector reshaped to lie along one axis of another array, so that it broadcasts against it."""
    return reshape(x, (-1, *[1] * (len(shape_of(like)) - 1 - axis)))


def _spaced(x: Any, *spacing: Any) -> tuple[Any, ...]:
    """For samples: nonzero spacings and increasing coordinates."""
    return (x, *[np.cumsum(np.abs(h) + 0.5) if np.ndim(h) else np.abs(h) + 0.5 for h in spacing])


def _fields(shape: Shape) -> Iterator[Sample]:
    for edge_order in (1, 2):
        if shape and all(n > edge_order for n in shape):
            params: dict[str, Any] = {"edge_order": edge_order}
            yield Sample((shape,), params)
            yield Sample((shape, ()), params, prepare=_spaced)
            yield Sample((shape, *[(n,) for n in shape]), params, prepare=_spaced)
            yield Sample((shape, (shape[-1],)), params | {"axis": -1}, prepare=_spaced)
            if len(shape) > 1:
                yield Sample((shape, (), (shape[0],)), params | {"axis": (-1, 0)}, prepare=_spaced)


@derived(samples=_fields, several=True)
def gradient(x: Array, /, *spacing: Raw, axis: Axis = None, edge_order: int = 1) -> Any:
    """Finite-difference gradient of samples on a grid, along each axis: gradient(x, h, axis=0); a tuple for several axes.

    Second-order central differences in the interior; one-sided differences at the ends, of first order or, with edge_order=2,
    of second order.

    Args:
        spacing: one spacing for all axes, or for each axis a spacing or a vector of coordinates; 1 if not given.
            Differentiable too.
        axis: an integer, a tuple of integers, or None for all.

    Raises:
        ShapeError: if an axis has fewer than edge_order + 1 elements, or the spacings do not fit the axes.
        UnsupportedError: for an edge_order other than 1 and 2.
    """
    if edge_order not in (1, 2):
        raise UnsupportedError(f"got edge_order={edge_order!r}, expected 1 or 2")
    edge_order = int(edge_order)  # of an unsigned integer -1 is not below 0
    axes = checked_axes(shape_of(x), axis)
    steps = spacing or (1.0,)
    if len(steps) == 1 and not shape_of(steps[0]):
        steps *= len(axes)
    if len(steps) != len(axes):
        got = f"{len(steps)} spacings for {len(axes)} axes"
        raise ShapeError(f"got {got}, expected one spacing, or a spacing or coordinates for each axis")
    slopes = [_slope(x, h, i, edge_order) for h, i in zip(steps, axes, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slope(x: Any, spacing: Any, axis: int, edge_order: int) -> Any:
    n = x.shape[axis]
    if n <= edge_order:
        raise ShapeError(f"axis {axis} has {n} numbers, expected at least {edge_order + 1}")
    h = _steps(x, spacing, axis)
    first, last = (h[:edge_order], -h[: -edge_order - 1 : -1]) if shape_of(h) else (h, -h)
    start = _at_end(cut(x, axis, 0, edge_order + 1), first, axis)
    end = _at_end(cut(x, axis, -1, -edge_order - 2, -1), last, axis)
    if shape_of(h):
        s = (cut(x, axis, 1) - cut(x, axis, None, -1)) / h
        inner = (h[1:] * cut(s, axis, None, -1) + h[:-1] * cut(s, axis, 1)) / (h[1:] + h[:-1])
    else:
        inner = (cut(x, axis, 2) - cut(x, axis, None, -2)) / (2 * h)
    return concatenate([start, inner, end], axis=axis)


def _at_end(x: Any, h: Any, axis: int) -> Any:
    """The slope at the first of two points on a line, or of three on a parabola; h are the spacings between them."""
    s = (cut(x, axis, 1) - cut(x, axis, None, -1)) / h
    if s.shape[axis] == 1:
        return s
    first, second = (h[:1], h[1:]) if shape_of(h) else (h, h)
    near, far = cut(s, axis, 0, 1), cut(s, axis, 1)
    return near + first * (near - far) / (first + second)


def _steps(x: Any, spacing: Any, axis: int) -> Any:
    """The spacing along the axis: a number, or an array that broadcasts against the differences."""
    spacing = value_or_weak(spacing)
    if not shape_of(spacing):
        return spacing
    if shape_of(spacing) != (x.shape[axis],):
        got = f"coordinates of shape {shape_of(spacing)} for axis {axis} of {x.shape}"
        raise ShapeError(f"got {got}, expected {x.shape[axis]} coordinates")
    steps = diff(spacing)
    return _along(astype(steps, x.dtype) if x.dtype.kind == "f" else steps, x, axis)


def _ends(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape,))
    yield Sample((shape, (2, 1)), keywords=("to_end",))
    yield Sample((shape, (2,), ()), keywords=("to_end", "to_begin"))


@derived(samples=_ends)
def ediff1d(x: Array, /, to_end: Any = None, to_begin: Any = None) -> Plain:
    """Differences of consecutive elements of flattened x, between to_begin and to_end; differentiable in all three."""
    steps = diff(ravel(x))
    ends = [None if part is None else ravel(value_or_array(part)) for part in (to_begin, to_end)]
    return concatenate([part for part in (ends[0], steps, ends[1]) if part is not None])


def _angles(shape: Shape) -> Iterator[Sample]:
    yield from along_each_axis(shape)
    yield from along_each_axis(shape, discont=3.5, period=0.8125)


@derived(domain=(DISTINCT,), samples=_angles)
def unwrap(p: Array, /, discont: float | None = None, axis: int = -1, period: float = 2 * pi) -> Plain:
    """Angles along an axis, with multiples of the period added so that no step exceeds half of it.

    The gradient ignores the jumps.

    Args:
        p: any shape except a scalar.
        discont: the largest step left unchanged; at least period / 2, the default.
        period: 2π, or 360 for degrees.

    Raises ShapeError for a scalar.
    """
    if not shape_of(p):
        raise ShapeError("got a scalar, expected at least one axis")
    axis = checked_axis(shape_of(p), axis)
    angles = raw_of(p)
    return p + (np.unwrap(angles, discont, axis, period=period) - angles)
