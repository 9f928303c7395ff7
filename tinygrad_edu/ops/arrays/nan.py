"""Reductions and cumulative sums and products that ignore NaN. The gradient at a NaN is 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, nan
from typing import Any

import numpy as np

from ...data import dtype_of, raw_of
from ...definition import derived
from ...domain import DISTINCT, Sample, Shape
from ...signatures import Array, Axis, Plain
from ..numbers.arithmetic import divide, sqrt, square
from ..numbers.choosing import where
from .cumulative import along_one_axis, cumprod, cumsum
from .indexing import index_set
from .p_norm import p_norm
from .quantile import Method, median, quantile
from .rearranging import sort
from .reduction import along_axes, along_axes_with_numbers, columns, max, min, prod, sum
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


def _of_sorted(f: Callable[[Any], Any], lead: Shape, x: Any, axis: Axis, keepdims: bool) -> Any:
    """f, which reduces the first of two axes to axes of shape `lead`, ignoring NaN: once per count of non-NaN elements."""
    known = _known(x, axis, keepdims)
    counts = np.maximum(np.ravel(known), 1)  # an all-NaN column keeps one NaN
    ordered = sort(columns(x, axis), axis=0)  # NaN last
    y = np.full((*lead, counts.size), nan, known.dtype)
    for n in np.unique(counts):
        as_long = counts == n
        y = index_set(y, f(ordered[: int(n), as_long]), (..., as_long))
    return _where_known(reshape(y, lead + np.shape(known)), x, axis, keepdims)


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers, accumulates=True)
def nanmedian(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Median over axes, ignoring NaN; NaN for an all-NaN slice."""
    return _of_sorted(lambda numbers: median(numbers, axis=0), (), x, axis, keepdims)


def _fractions(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        yield Sample((shape,), s.params | {"q": 0.3})
        yield Sample((shape,), s.params | {"q": [0.25, 0.75, 1.0], "method": "higher"})


@derived(domain=(DISTINCT,), samples=_fractions, accumulates=True)
def nanquantile(x: Array, /, q: Any, axis: Axis = None, method: Method = "linear", keepdims: bool = False) -> Plain:
    """The qth quantile over axes, ignoring NaN; q, method and errors as for quantile.

    NaN for an all-NaN slice.
    """

    def at_fractions(numbers: Any) -> Any:
        return quantile(numbers, q, axis=0, method=method)

    return _of_sorted(at_fractions, np.shape(q), x, axis, keepdims)


def _percents(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        yield Sample((shape,), s.params | {"q": [10.0, 75.0]})


@derived(domain=(DISTINCT,), samples=_percents, accumulates=True)
def nanpercentile(x: Array, /, q: Any, axis: Axis = None, method: Method = "linear", keepdims: bool = False) -> Plain:
    """The qth percentile over axes, ignoring NaN: nanquantile(x, q / 100)."""
    return nanquantile(x, np.true_divide(q, 100), axis=axis, method=method, keepdims=keepdims)
