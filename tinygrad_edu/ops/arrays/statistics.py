"""Statistics: spread, weighted means, covariance, correlation. (The mean is in reduction.py, quantiles in quantile.py.)"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np

from ...data import raw_of, shape_of, value_or_array
from ...definition import derived
from ...domain import DISTINCT, Sample, Shape
from ...errors import DTypeError, ShapeError, UnsupportedError
from ...signatures import Array, Axis, Plain
from ..numbers.arithmetic import divide
from .axes import checked_axes
from .joining import concatenate
from .p_norm import p_norm
from .reduction import along_axes_with_numbers, count, mean, sum
from .shape import reshape, transpose

__all__ = ["average", "corrcoef", "cov", "std", "var"]


def along_axes_with_freedom(shape: Shape) -> Iterator[Sample]:
    """Samples of a variance: every choice of non-empty axes, with ddof 0 and 1."""
    for s in along_axes_with_numbers(shape):
        yield s
        if count(np.empty(shape), s.params.get("axis")) > 1:
            yield Sample((shape,), s.params | {"ddof": 1})


def _freedom(x: Any, axis: Axis, ddof: float) -> float:
    """Degrees of freedom: the number of reduced elements minus ddof, at least 0."""
    try:
        n = count(x, axis) - ddof
        return n if n > 0 else 0
    except TypeError:
        raise DTypeError(f"got ddof={ddof!r:.40}, expected a number, usually 0 or 1") from None


@derived(samples=along_axes_with_freedom, accumulates=True)
def var(x: Array, /, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Plain:
    """Variance over axes: the sum of squared deviations from the mean over (count - ddof). Accurate for data far from 0."""
    deviation = x - mean(x, axis=axis, keepdims=True)
    return divide(sum(deviation * deviation, axis=axis, keepdims=keepdims), _freedom(x, axis, ddof))


@derived(domain=(DISTINCT,), samples=along_axes_with_freedom, accumulates=True)
def std(x: Array, /, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Plain:
    """Standard deviation over axes, the square root of var. The gradient is 0 where all numbers are equal."""
    length = p_norm(x - mean(x, axis=axis, keepdims=True), axis=axis, keepdims=keepdims)
    return divide(length, sqrt(_freedom(x, axis, ddof)))


def _weighings(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        axis = s.params.get("axis", tuple(range(len(shape))))
        axes = axis if isinstance(axis, tuple) else (axis,)
        sizes = tuple([shape[i] for i in axes])
        yield s
        yield s._replace(shapes=(shape, shape), keywords=("weights",), prepare=_positive)
        yield s._replace(shapes=(shape, sizes), params={"axis": axis}, keywords=("weights",), prepare=_positive)
        yield s._replace(
            shapes=(shape, sizes[::-1]), params={"axis": axes[::-1]}, keywords=("weights",), prepare=_positive
        )


def _positive(x: Any, weights: Any) -> tuple[Any, Any]:
    return x, np.abs(weights) + 0.5


@derived(samples=_weighings, accumulates=True)
def average(
    x: Array, /, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Plain:
    """Weighted mean over axes, Σ wx / Σ w; differentiable in the weights too. The mean if weights is None.

    Args:
        weights: an array with the shape of x, or with its sizes along `axis`. If their sum is 0 the result is inf or NaN.

    Raises:
        ShapeError: if the weights have another shape.
        UnsupportedError: for returned=True.
    """
    if returned:
        raise UnsupportedError("got returned=True, expected False; compute the sum of the weights separately")
    if weights is None:
        return mean(x, axis=axis, keepdims=keepdims)
    weights = value_or_array(weights)
    shape, axes, got = shape_of(x), checked_axes(shape_of(x), axis), shape_of(weights)
    if got != shape:
        if axis is None or got != tuple([shape[i] for i in axes]):
            wanted = f"{shape}" if axis is None else f"{shape} or {tuple([shape[i] for i in axes])}"
            raise ShapeError(f"got weights of shape {got}, expected {wanted}; pass axis= for weights along axes")
        weights = transpose(weights, tuple([int(i) for i in np.argsort(axes)]))
        weights = reshape(weights, tuple([n if i in axes else 1 for i, n in enumerate(shape)]))
    total = sum(weights, axis=axis, keepdims=keepdims)
    return divide(sum(x * weights, axis=axis, keepdims=keepdims), total)


def _tables(shape: Shape, least: int = 2) -> Iterator[Sample]:
    """Samples with at least `least` observations of each variable."""
    for rowvar in (True, False):
        count = shape[-1 if rowvar or len(shape) == 1 else 0] if shape else 0
        if len(shape) in (1, 2) and count >= least and all(shape):
            params = {"rowvar": rowvar}
            yield Sample((shape,), params)
            yield Sample((shape, (count,)), params, keywords=("y",))
            yield Sample((shape, (2, count) if rowvar else (count, 2)), params, keywords=("y",))


def _deviations(x: Any, y: Any, rowvar: bool) -> Any:
    """x stacked on y, minus the mean of each variable: (variables, observations)."""
    rows: list[Any] = []
    for part in (x,) if y is None else (x, value_or_array(y)):
        shape = shape_of(part)
        if len(shape) > 2:
            raise ShapeError(f"got an array of shape {shape}, expected at most two axes: variables, observations")
        rows.append(part.mT if len(shape) == 2 and not rowvar else reshape(part, (1,) * (2 - len(shape)) + shape))
    counts = [row.shape[1] for row in rows]
    if counts[0] != counts[-1]:
        raise ShapeError(
            f"got {counts[0]} observations in the first array and {counts[1]} in y, expected equal numbers"
        )
    table = concatenate(rows, axis=0) if y is not None else rows[0]
    return table - mean(table, axis=1, keepdims=True)


def _squeezed(matrix: Any) -> Any:
    return reshape(matrix, ()) if matrix.shape == (1, 1) else matrix


def _covariances(shape: Shape) -> Iterator[Sample]:
    for s in _tables(shape):
        yield s
        yield s._replace(params=s.params | {"bias": True})
        yield s._replace(params=s.params | {"ddof": 0})


@derived(samples=_covariances, accumulates=True)
def cov(x: Array, /, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Plain:
    """Covariance matrix of the rows of x, each a variable: (n, observations) -> (n, n); a scalar for a single variable.

    Args:
        y: more variables, of the same layout; differentiable too.
        rowvar: False if the columns are the variables.
        bias, ddof: the divisor is the count minus ddof; ddof defaults to 1, or to 0 with bias=True.

    Raises ShapeError for more than two axes, or if x and y have different numbers of observations.
    """
    d = _deviations(x, y, rowvar)
    return _squeezed(divide(d @ d.mT, _freedom(d, 1, int(not bias) if ddof is None else ddof)))


@derived(
    domain=(DISTINCT,), samples=lambda shape: _tables(shape, 3), accumulates=True
)  # two always correlate perfectly
def corrcoef(x: Array, /, y: Any = None, rowvar: bool = True) -> Plain:
    """Correlation coefficients, from -1 to 1, of the rows of x, each a variable; arguments and errors as for cov.

    NaN where a variable has variance 0.
    """
    d = _deviations(x, y, rowvar)
    unit = divide(d, p_norm(d, axis=1, keepdims=True))
    r = unit @ unit.mT
    # rounding may exceed ±1; the excess is subtracted as a constant, since clip() would also change the derivatives
    excess = raw_of(r) - np.clip(raw_of(r), -1, 1)
    return _squeezed(r - excess)
