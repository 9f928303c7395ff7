"""Reductions of the numbers that are not NaN. A NaN gets the gradient 0."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np

from ..data import data_of
from ..domain import DISTINCT
from ..registry import derived
from ..signatures import Array, Axis, Plain
from .arithmetic import divide, sqrt, square, where
from .norm import p_norm
from .reduction import along_axes, along_axes_with_freedom, along_axes_with_numbers, max, min, sum


def _missing(x: Any) -> Any:
    """Where x is NaN, as plain booleans."""
    return np.isnan(data_of(x))


def _known(x: Any, axis: Axis, keepdims: bool) -> Any:
    """How many numbers are not NaN, in the dtype of x."""
    return np.sum(~_missing(x), axis=axis, keepdims=keepdims, dtype=getattr(x, "dtype", float))


@derived(samples=along_axes)
def nansum(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Sum over axes of what is not NaN; 0 where there is nothing to sum."""
    return sum(where(_missing(x), 0.0, x), axis=axis, keepdims=keepdims)


@derived(samples=along_axes_with_numbers)
def nanmean(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Mean over axes of what is not NaN; NaN where there is nothing to average."""
    return divide(nansum(x, axis=axis, keepdims=keepdims), _known(x, axis, keepdims))


def _deviation(x: Any, axis: Axis) -> Any:
    return where(_missing(x), 0.0, x - nanmean(x, axis=axis, keepdims=True))


def _freedom(x: Any, axis: Axis, ddof: int, keepdims: bool) -> Any:
    """What is not NaN, less ddof; NaN where nothing is left."""
    count = _known(x, axis, keepdims) - ddof
    return where(count > 0, count, nan)


@derived(samples=along_axes_with_freedom)
def nanvar(x: Array, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Plain:
    """Variance over axes of what is not NaN; NaN where no more than ddof numbers are."""
    squares = sum(square(_deviation(x, axis)), axis=axis, keepdims=keepdims)
    return divide(squares, _freedom(x, axis, ddof, keepdims))


@derived(domain=(DISTINCT,), samples=along_axes_with_freedom)
def nanstd(x: Array, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Plain:
    """Standard deviation over axes of what is not NaN; as for nanvar, and as std where all numbers are equal."""
    length = p_norm(_deviation(x, axis), axis=axis, keepdims=keepdims)
    return divide(length, sqrt(_freedom(x, axis, ddof, keepdims)))


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers)
def nanmax(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Largest number over axes that is not NaN; NaN where all are. Ties share the gradient equally."""
    return _where_known(max(where(_missing(x), -inf, x), axis=axis, keepdims=keepdims), x, axis, keepdims)


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers)
def nanmin(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Smallest number over axes that is not NaN; NaN where all are. Ties share the gradient equally."""
    return _where_known(min(where(_missing(x), inf, x), axis=axis, keepdims=keepdims), x, axis, keepdims)


def _where_known(y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    known = _known(x, axis, keepdims) > 0
    return y if np.all(known) else where(known, y, nan)
