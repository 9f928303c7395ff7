"""Reductions and cumulative sums and products that ignore NaN. The gradient at a NaN is 0."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nan
from typing import Any

import numpy as np

from ...data import dtype_of, raw_of, shape_of, to_floating
from ...definition import derived
from ...domain import DISTINCT, Sample, Shape
from ...signatures import Array, Axis, Plain
from ..numbers.arithmetic import divide, sqrt, square
from ..numbers.choosing import where
from .axes import checked_axes
from .cumulative import along_one_axis, cumprod, cumsum
from .p_norm import p_norm
from .quantile import PLACES, Method, checked_fractions
from .rearranging import sort
from .reduction import along_axes, along_axes_with_numbers, columns, max, min, prod, reduced, sum
from .shape import reshape
from .statistics import along_axes_with_freedom

__all__ = [
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
]


def _missing(x: Any) -> Any:
    """Where x is NaN, as plain booleans."""
    return np.isnan(raw_of(x))


def _known(x: Any, axis: Axis, keepdims: bool) -> Any:
    """The number of elements that are not NaN, in the dtype of x if that is a float, at least float32."""
    dtype = dtype_of(raw_of(x))
    wide = np.result_type(dtype, np.float32) if dtype.kind == "f" else float
    return np.sum(~_missing(x), axis=axis, keepdims=keepdims, dtype=wide)


@derived(samples=along_axes)
def nansum(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Sum over axes, ignoring NaN; 0 for an empty sum."""
    return sum(where(_missing(x), 0.0, x), axis=axis, keepdims=keepdims)


@derived(samples=along_axes)
def nanprod(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Product over axes, ignoring NaN; 1 for an empty product."""
    return prod(where(_missing(x), 1.0, x), axis=axis, keepdims=keepdims)


@derived(samples=along_one_axis)
def nancumsum(x: Array, /, axis: int | None = None) -> Plain:
    """Cumulative sum along an axis, treating NaN as 0; None flattens x first."""
    return cumsum(where(_missing(x), 0.0, x), axis=axis)


@derived(samples=along_one_axis)
def nancumprod(x: Array, /, axis: int | None = None) -> Plain:
    """Cumulative product along an axis, treating NaN as 1; None flattens x first."""
    return cumprod(where(_missing(x), 1.0, x), axis=axis)


@derived(samples=along_axes_with_numbers, accumulates=True)
def nanmean(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Arithmetic mean over axes, ignoring NaN; NaN for an empty or all-NaN slice."""
    return divide(nansum(x, axis=axis, keepdims=keepdims), _known(x, axis, keepdims))


def _deviation(x: Any, axis: Axis) -> Any:
    return where(_missing(x), 0.0, x - nanmean(x, axis=axis, keepdims=True))


def _freedom(x: Any, axis: Axis, ddof: int, keepdims: bool) -> Any:
    """Degrees of freedom: the number of elements that are not NaN minus ddof; NaN if that is not positive."""
    count = _known(x, axis, keepdims) - ddof
    return where(count > 0, count, nan)


@derived(samples=along_axes_with_freedom, accumulates=True)
def nanvar(x: Array, /, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Plain:
    """Variance over axes, ignoring NaN; NaN where at most ddof elements remain."""
    squares = sum(square(_deviation(x, axis)), axis=axis, keepdims=keepdims)
    return divide(squares, _freedom(x, axis, ddof, keepdims))


@derived(domain=(DISTINCT,), samples=along_axes_with_freedom, accumulates=True)
def nanstd(x: Array, /, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Plain:
    """Standard deviation over axes, ignoring NaN: the square root of nanvar. The gradient is 0 where all numbers are equal."""
    length = p_norm(_deviation(x, axis), axis=axis, keepdims=keepdims)
    return divide(length, sqrt(_freedom(x, axis, ddof, keepdims)))


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers)
def nanmax(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Maximum over axes, ignoring NaN; NaN for an all-NaN slice. Ties share the gradient equally."""
    return _where_known(max(where(_missing(x), -inf, x), axis=axis, keepdims=keepdims), x, axis, keepdims)


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers)
def nanmin(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Minimum over axes, ignoring NaN; NaN for an all-NaN slice. Ties share the gradient equally."""
    return _where_known(min(where(_missing(x), inf, x), axis=axis, keepdims=keepdims), x, axis, keepdims)


def _where_known(y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    known = _known(x, axis, keepdims) > 0
    return y if np.all(known) else where(known, y, nan)


def _sorted(x: Any, axis: Axis) -> tuple[Any, Any]:
    """The columns of x in order, NaN last, and how many numbers each has."""
    ordered = sort(columns(to_floating(x), axis), axis=0)
    return ordered, np.sum(~_missing(ordered), axis=0, dtype=np.intp)


def _of_rank(ordered: Any, ranks: Any) -> Any:
    """The number of a rank in each column."""
    return ordered[ranks.astype(np.intp), np.arange(shape_of(ordered)[1])]


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers, accumulates=True)
def nanmedian(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Median over axes, ignoring NaN; NaN for an all-NaN slice."""
    axes = checked_axes(shape_of(x), axis)
    ordered, counts = _sorted(x, axes)
    if not shape_of(ordered)[0]:
        return nanmean(x, axis=axes, keepdims=keepdims)  # NaN
    lower, upper = _of_rank(ordered, np.maximum(counts - 1, 0) // 2), _of_rank(ordered, counts // 2)
    y = where(counts % 2 == 1, lower, (lower + upper) / 2)
    return reshape(where(counts > 0, y, nan), reduced(x, axes, keepdims))


def _fractions(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        yield Sample((shape,), s.params | {"q": 0.3})
        yield Sample((shape,), s.params | {"q": [0.25, 0.75, 1.0], "method": "higher"})


@derived(domain=(DISTINCT,), samples=_fractions, accumulates=True)
def nanquantile(x: Array, /, q: Any, axis: Axis = None, method: Method = "linear", keepdims: bool = False) -> Plain:
    """The qth quantile over axes, ignoring NaN; q, method and errors as for quantile.

    NaN for an all-NaN slice.
    """

    axes = checked_axes(shape_of(x), axis)
    ordered, counts = _sorted(x, axes)
    q = checked_fractions(q, method, x, ordered)
    place = PLACES[method](q.reshape(-1, 1) * np.maximum(counts - 1, 0))
    lower = np.floor(place)
    part = place - lower
    start, end = _of_rank(ordered, lower), _of_rank(ordered, np.ceil(place))
    step = end - start
    y = where(part >= 0.5, end, start) + step * (part - (part >= 0.5)).astype(
        step.dtype
    )  # from the nearer end, as NumPy does
    return reshape(where(counts > 0, where(part == 0, start, y), nan), q.shape + reduced(x, axes, keepdims))


def _percents(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        yield Sample((shape,), s.params | {"q": [10.0, 75.0]})


@derived(domain=(DISTINCT,), samples=_percents, accumulates=True)
def nanpercentile(x: Array, /, q: Any, axis: Axis = None, method: Method = "linear", keepdims: bool = False) -> Plain:
    """The qth percentile over axes, ignoring NaN: nanquantile(x, q / 100)."""
    return nanquantile(x, np.true_divide(q, 100), axis=axis, method=method, keepdims=keepdims)
