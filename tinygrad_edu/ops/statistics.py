"""Statistics: spread, weighted means, quantiles, covariance. (mean and var are in reduction.py.)

Quantiles sort: what a result was computed from gets the gradient; of equal numbers those that come first in x are the lower ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any, Literal

import numpy as np

from ..data import array_of, shape_of
from ..domain import DISTINCT, Sample, Shape
from ..errors import ShapeError, UnsupportedError
from ..node import Node
from ..registry import derived
from ..signatures import Array, Axis, Plain
from .arithmetic import clip, divide
from .norm import p_norm
from .reduction import along_axes_with_freedom, along_axes_with_numbers, axes_of, columns, freedom, mean, sum
from .shape import concatenate, reshape, transpose


@derived(domain=(DISTINCT,), samples=along_axes_with_freedom)
def std(x: Array, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Plain:
    """Standard deviation over axes, the square root of var. Where all numbers are equal the gradient is 0."""
    length = p_norm(x - mean(x, axis=axis, keepdims=True), axis=axis, keepdims=keepdims)
    return divide(length, sqrt(freedom(x, axis, ddof)))


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


@derived(samples=_weighings)
def average(x: Array, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False) -> Plain:
    """Weighted mean over axes, Σ wx / Σ w; differentiable in the weights too. The mean if there are none.

    Args:
        weights: of the shape of x, or of its sizes along `axis`. If their sum is 0 the result is infinite or NaN.

    Raises:
        ShapeError: if the weights are of another shape.
        UnsupportedError: for returned=True.
    """
    if returned:
        raise UnsupportedError(
            "average: got returned=True, expected False; sum the weights yourself, they are not changed"
        )
    if weights is None:
        return mean(x, axis=axis, keepdims=keepdims)
    weights = weights if isinstance(weights, Node) else array_of("average", weights)
    shape, axes, got = shape_of(x), axes_of(x, axis), shape_of(weights)
    if got != shape:
        if axis is None or got != tuple([shape[i] for i in axes]):
            wanted = f"{shape}" if axis is None else f"{shape} or {tuple([shape[i] for i in axes])}"
            raise ShapeError(
                f"average: got weights of shape {got}, expected {wanted}; pass axis= for weights along axes"
            )
        weights = transpose(weights, tuple([int(i) for i in np.argsort(axes)]))
        weights = reshape(weights, tuple([n if i in axes else 1 for i, n in enumerate(shape)]))
    total = sum(weights, axis=axis, keepdims=keepdims)
    return divide(sum(x * weights, axis=axis, keepdims=keepdims), total)


# -- Quantiles ---------------------------------------------------------------------------------------------------------


def _sorted(x: Any, axis: Axis) -> tuple[Any, Any]:
    """The columns of x, and their order: the places of the smallest, the next, ... A column with NaN has only that place."""
    x = columns(x, axis)
    data = x.data if isinstance(x, Node) else x
    order = np.argsort(data, axis=0, kind="stable")
    if len(order):
        last = order[-1:]
        order = np.where(np.isnan(np.take_along_axis(data, last, axis=0)), last, order)
    return x, order


def _reduced(x: Any, axis: Axis, keepdims: bool) -> Shape:
    """The shape of a reduction of x."""
    axes = axes_of(x, axis)
    return tuple([1 if i in axes else n for i, n in enumerate(shape_of(x)) if keepdims or i not in axes])


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers)
def median(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Middle one of the sorted numbers over axes, or the mean of both middle ones, which get half of the gradient each.

    NaN where a number is NaN, or where there are none. Of equal numbers the first in x are the lower ones.
    """
    ordered, order = _sorted(x, axis)
    n = len(order)
    middle = ordered[order[(n - 1) // 2 : n // 2 + 1], np.arange(order.shape[1])]
    return reshape(mean(middle, axis=0), _reduced(x, axis, keepdims))


Method = Literal["linear", "lower", "higher", "nearest", "midpoint"]
_PLACES: dict[str, Any] = {  # from the exact place among the sorted numbers to the one that is read
    "linear": lambda place: place,
    "lower": np.floor,
    "higher": np.ceil,
    "nearest": np.rint,
    "midpoint": lambda place: (np.floor(place) + np.ceil(place)) / 2,
}


def _fractions(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        for q in (0.3, [0.0, 0.5, 1.0], [[0.1, 0.9]]):
            yield Sample((shape,), s.params | {"q": q})
        for method in _PLACES:
            yield Sample((shape,), s.params | {"q": [0.25, 0.7], "method": method})


@derived(domain=(DISTINCT,), samples=_fractions)
def quantile(x: Array, q: Any, axis: Axis = None, method: Method = "linear", keepdims: bool = False) -> Plain:
    """The numbers below which a fraction q of x lies, over axes; for an array q one result for each, in its leading axes.

    Args:
        q: numbers from 0 (the smallest of x) to 1 (the largest); not differentiated.
        method: what to do where q falls between two numbers: "linear" interpolates; "lower", "higher", "nearest", "midpoint".

    NaN where a number is NaN. Of equal numbers the first in x are the lower ones.

    Raises:
        ShapeError: if a q is not between 0 and 1, or there are no numbers.
        UnsupportedError: for another method, or if q is a Value.
    """
    if method not in _PLACES:
        raise UnsupportedError(f"quantile: got method={method!r}, expected one of {', '.join(_PLACES)}")
    if isinstance(q, Node):
        raise UnsupportedError("quantile: got a Value for q, which is not differentiated; pass q.numpy()")
    q = np.asarray(q, float)
    ordered, order = _sorted(x, axis)
    if not np.all((q >= 0) & (q <= 1)) or not len(order):
        got = f"q={q.tolist()} of an array of shape {shape_of(x)}"
        raise ShapeError(
            f"quantile: got {got}, expected q from 0 to 1 and at least one number; percentile takes 0 to 100"
        )
    place = _PLACES[method](q.ravel() * (len(order) - 1))
    lower = np.floor(place)
    part = (place - lower)[:, None]
    every = np.arange(order.shape[1])

    def at(places: Any) -> Any:
        return ordered[order[places.astype(int)], every]

    if part.any():  # from the nearer end, as NumPy does
        step = at(np.ceil(place)) - at(lower)
        y = at(lower + (part[:, 0] >= 0.5)) + step * (part - (part >= 0.5)).astype(step.dtype)
    else:
        y = at(lower)
    return reshape(y, q.shape + _reduced(x, axis, keepdims))


def _percents(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        yield Sample((shape,), s.params | {"q": 30.0})
        yield Sample((shape,), s.params | {"q": [10.0, 75.0], "method": "midpoint"})


@derived(domain=(DISTINCT,), samples=_percents)
def percentile(x: Array, q: Any, axis: Axis = None, method: Method = "linear", keepdims: bool = False) -> Plain:
    """The numbers below which q percent of x lie, over axes: quantile(x, q / 100)."""
    fraction = q if isinstance(q, Node) else np.true_divide(q, 100)
    return quantile(x, fraction, axis=axis, method=method, keepdims=keepdims)


# -- Several variables -------------------------------------------------------------------------------------------------


def _tables(shape: Shape) -> Iterator[Sample]:
    """Samples with at least two observations of each variable."""
    for rowvar in (True, False):
        count = shape[-1 if rowvar or len(shape) == 1 else 0] if shape else 0
        if len(shape) in (1, 2) and count > 1 and all(shape):
            params = {"rowvar": rowvar}
            yield Sample((shape,), params)
            yield Sample((shape, (count,)), params, keywords=("y",))
            yield Sample((shape, (2, count) if rowvar else (count, 2)), params, keywords=("y",))


def _deviations(name: str, x: Any, y: Any, rowvar: bool) -> Any:
    """x, and y under it, less the mean of each variable: (variables, observations)."""
    rows = []
    for each in (x,) if y is None else (x, y):
        part = each if isinstance(each, Node) else np.asarray(array_of(name, each), float if each is y else None)
        shape = shape_of(part)
        if len(shape) > 2:
            raise ShapeError(
                f"{name}: got an array of shape {shape}, expected two axes at most: variables, observations"
            )
        rows.append(part.mT if len(shape) == 2 and not rowvar else reshape(part, (1,) * (2 - len(shape)) + shape))
    counts = [row.shape[1] for row in rows]
    if counts[0] != counts[-1]:
        raise ShapeError(
            f"{name}: got {counts[0]} observations in the first array and {counts[1]} in y, expected as many"
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


@derived(samples=_covariances)
def cov(x: Array, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None) -> Plain:
    """Covariance matrix of the rows of x, each a variable: (n, observations) -> (n, n); a scalar for a single variable.

    Args:
        y: more variables, of the same layout; differentiable too.
        rowvar: False if the columns are the variables.
        bias, ddof: divide by the count less ddof; if that is None, less 1, or less 0 with bias=True.

    Raises ShapeError for more than two axes, or if x and y differ in how many observations they have.
    """
    d = _deviations("cov", x, y, rowvar)
    return _squeezed(divide(d @ d.mT, freedom(d, 1, int(not bias) if ddof is None else ddof)))


@derived(domain=(DISTINCT,), samples=_tables)
def corrcoef(x: Array, y: Any = None, rowvar: bool = True) -> Plain:
    """Correlation coefficients, from -1 to 1, of the rows of x, each a variable; arguments and errors as for cov.

    NaN where a variable has no spread.
    """
    d = _deviations("corrcoef", x, y, rowvar)
    unit = divide(d, p_norm(d, axis=1, keepdims=True))
    return _squeezed(clip(unit @ unit.mT, -1.0, 1.0))
