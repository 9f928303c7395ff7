"""Quantiles over axes. They sort: the gradient goes to the numbers that a result was computed from.

Of equal numbers those that come first in x are the lower ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from ..data import data_of, shape_of
from ..domain import DISTINCT, Sample, Shape
from ..errors import ShapeError, UnsupportedError
from ..node import Node
from ..registry import derived
from ..signatures import Array, Axis, Plain
from .reduction import along_axes_with_numbers, axes_of, columns, mean
from .shape import reshape


def _sorted(x: Any, axis: Axis) -> tuple[Any, Any]:
    """The columns of x, and their order: the places of the smallest, the next, ... A column with NaN has only that place."""
    x = columns(x, axis)
    data = data_of(x)
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
