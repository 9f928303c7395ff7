"""Piecewise linear interpolation and polynomials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...data import raw_of, shape_of, value_or_weak
from ...definition import derived
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...signatures import Array, Plain, Raw
from ..numbers.arithmetic import divide, power
from ..numbers.choosing import where
from ..numbers.rounding import remainder
from .indexing import getitem
from .joining import concatenate
from .plain import zeros_like
from .shape import reshape

__all__ = ["interp", "polyval", "vander"]


def _points(x: Any, xp: Any, fp: Any) -> tuple[Any, Any, Any]:
    """For samples: increasing xp, at least 1/4 away from each x."""
    return 4 * x, 4 * np.cumsum(np.abs(xp) + 0.5) - 7.75, fp


def _lines(shape: Shape) -> Iterator[Sample]:
    for n in (1, 2, 4):
        yield Sample((shape, (n,), (n,)), prepare=_points)
        yield Sample((shape, (n,), (n,)), {"left": -2.0, "right": 0.5}, prepare=_points)
        yield Sample((shape, (n,), (n,)), {"period": 50.0}, prepare=_points)


@derived(samples=_lines)
def interp(
    x: Array,
    xp: Array,
    fp: Array,
    /,
    left: Raw | None = None,
    right: Raw | None = None,
    period: float | None = None,
) -> Plain:
    """Piecewise linear interpolation at x of the points (xp, fp); differentiable in all three.

    At a kink, x = xp[i], the derivative in x is the slope to the right, or 0 if that is infinite. Outside of xp it is 0.

    Args:
        x: any shape.
        xp, fp: vectors of equal size; xp is increasing.
        left, right: the results before the first and after the last point; the first and the last fp if not given.
        period: the period of x and xp; with it, xp need not be increasing, and left and right are ignored.

    Raises ShapeError if xp and fp are not non-empty vectors of equal size.
    """
    if len(shape_of(xp)) != 1 or shape_of(xp) != shape_of(fp) or not shape_of(xp)[0]:
        got = f"xp of shape {shape_of(xp)} and fp of {shape_of(fp)}"
        raise ShapeError(f"got {got}, expected two non-empty vectors of equal size")
    if period is not None:
        x, xp, fp = _unrolled(x, xp, fp, abs(period))
    places, known = raw_of(x), raw_of(xp)
    before, after = places < known[0], places >= known[-1]
    y = _on_lines(x, xp, fp) if len(known) > 1 else fp[0] + (x - xp[0])  # of one point: only NaN is inside
    first = fp[0] if left is None else value_or_weak(left)
    last = fp[-1] if right is None else where(places > known[-1], value_or_weak(right), fp[-1])
    return where(before | after, where(before, first, last), y)  # for all x: shapes must not depend on numbers


def _on_lines(x: Any, xp: Any, fp: Any) -> Any:
    """The heights at x on the lines between the points, of which the first and the last go on."""
    places, known = raw_of(x), raw_of(xp)
    i = np.maximum(np.minimum(np.searchsorted(known, places, side="right"), len(known) - 1) - 1, 0)  # NaN comes last
    start, end, low, high = getitem(xp, i), getitem(xp, i + 1), getitem(fp, i), getitem(fp, i + 1)
    with np.errstate(all="ignore"):  # beside an infinite fp
        slope = divide(high - low, end - start)
        y = slope * (x - start) + low
        if np.any(np.isnan(raw_of(y))):
            y = _beside_infinities(y, slope * (x - end) + high, places, raw_of(start), low, high)
    return y


def _beside_infinities(y: Any, other: Any, x: Raw, xp: Raw, left: Any, right: Any) -> Any:
    """The heights, with NumPy's choice where one is NaN: fp at its point, or of equal ends, else as computed from the right."""
    level = (raw_of(left) == raw_of(right)) & np.isnan(raw_of(other)) & ~np.isnan(x)
    return where(np.isnan(raw_of(y)), where((x == xp) | level, left, other), y)


def _unrolled(x: Any, xp: Any, fp: Any, period: float) -> tuple[Any, Any, Any]:
    """x reduced to one period, and the sorted points, with the last one copied before and the first one copied after."""
    xp = remainder(xp, period)
    order = np.argsort(raw_of(xp), kind="stable")
    xp, fp = getitem(xp, order), getitem(fp, order)
    around = concatenate([xp[-1:] - period, xp, xp[:1] + period])
    return remainder(x, period), around, concatenate([fp[-1:], fp, fp[:1]])


@derived(samples=lambda shape: [Sample(((n,), shape)) for n in (1, 2, 4)])
def polyval(p: Array, x: Array, /) -> Plain:
    """The polynomial with coefficients p, highest power first, at each x, by Horner's rule.

    Raises ShapeError if p is not a vector.
    """
    if len(shape_of(p)) != 1:
        raise ShapeError(f"got coefficients of shape {shape_of(p)}, expected a vector")
    y = zeros_like(x)
    for i in range(shape_of(p)[0]):
        y = y * x + p[i]
    return y


def _vectors(shape: Shape) -> Iterator[Sample]:
    if len(shape) == 1:
        for params in ({}, {"N": 3}, {"N": 0}, {"N": 4, "increasing": True}):
            yield Sample((shape,), params)


@derived(symbol="xⁿ", samples=_vectors)
def vander(x: Array, /, N: int | None = None, increasing: bool = False) -> Plain:
    """Vandermonde matrix of a vector: a row of powers for each element, from xᴺ⁻¹ to 1, or from 1 if increasing.

    N defaults to the size of x. Raises ShapeError if x is not a vector.
    """
    if len(shape_of(x)) != 1:
        raise ShapeError(f"got an array of shape {shape_of(x)}, expected a vector; use ravel()")
    n = shape_of(x)[0] if N is None else N
    powers = np.arange(n).astype(x.dtype if x.dtype.kind == "f" else float)
    return power(reshape(x, (-1, 1)), powers if increasing else powers[::-1])
