"""Logarithms of sums of exponentials, of two numbers or over axes: addition in the log domain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...data import raw_of, some, to_floating
from ...definition import elementwise, operation
from ...op import AXIS, rule
from ...signatures import Array, Axis, Plain
from ...term import Term
from ..arrays.reduction import along_axes_with_numbers, kept, sum
from ..numbers.activation import sigmoid
from ..numbers.choosing import where
from ..numbers.exponential import exp

__all__ = ["logaddexp", "logaddexp2", "logsumexp"]

_LN2 = math.log(2)
_SMALL = 16.0  # the rounding error of a sum y is a relative error of e**(x - y), up to y / 2 ulp


def _lead(a: Any, b: Any) -> Any:
    """a - b, and 0 where both are the same infinity."""
    same = (a == b) & np.isinf(a)
    return where(same, 0.0, a - b) if some(same) else a - b


@elementwise(
    rules=(
        rule(lambda g, y, a, b: g * sigmoid(_lead(a, b)), says=lambda y, a, b: sigmoid(a - b)),
        rule(lambda g, y, a, b: g * sigmoid(_lead(b, a)), says=lambda y, a, b: sigmoid(b - a)),
    ),
)
def logaddexp(a: Array, b: Array, /) -> Plain:
    """Elementwise ln(e**a + e**b) without overflow or underflow. Shapes broadcast. Equal infinities share the gradient."""
    return np.logaddexp(a, b)


@elementwise(
    rules=(
        rule(lambda g, y, a, b: g * sigmoid(_lead(a, b) * _LN2), says=lambda y, a, b: sigmoid((a - b) * _LN2)),
        rule(lambda g, y, a, b: g * sigmoid(_lead(b, a) * _LN2), says=lambda y, a, b: sigmoid((b - a) * _LN2)),
    ),
)
def logaddexp2(a: Array, b: Array, /) -> Plain:
    """Elementwise log2(2**a + 2**b) without overflow or underflow. Shapes broadcast. Equal infinities share the gradient."""
    return np.logaddexp2(a, b)


def _weights(x: Any, y: Any, axis: Axis) -> Any:
    """e**(x - y), the share of each x in y = logsumexp(x)."""
    if (isinstance(y, Term) and not y.seen) or np.all(np.abs(raw_of(y)) < _SMALL):
        return exp(x - y)
    top: Any = np.maximum.reduce(raw_of(x), axis=axis, keepdims=True, initial=-np.inf)
    lead = where(np.isinf(top), np.where(raw_of(x) == top, 0.0, -np.inf), x - top)  # inf - inf has no value
    e = exp(lead)
    return e / sum(e, axis=axis, keepdims=True)


@operation(
    accumulates=True,
    slices=AXIS,
    samples=along_axes_with_numbers,
    numpy=lambda x, axis=None, keepdims=False: (
        np.logaddexp.reduce(x, axis=axis, keepdims=keepdims)
        if isinstance(axis, int)
        else np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))
    ),
    rules=(
        rule(
            lambda g, y, x, axis, keepdims: kept(g, x, axis, keepdims) * _weights(x, kept(y, x, axis, keepdims), axis),
            says="g · softmax(x)",
        ),
    ),
)
def logsumexp(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """ln Σ e**x over axes, without overflow or underflow; -inf for an empty sum.

    Where the result is infinite, the numbers equal to it share the gradient equally, as in logaddexp.
    """
    x = to_floating(x)
    largest: Any = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0)  # x - largest is never inf - inf
    with np.errstate(over="ignore", divide="ignore"):  # beside an infinity, and ln 0
        e = np.exp(x - largest)
        top = e == 1
        rest = np.sum(e, axis=axis, keepdims=True, where=~top) + (
            np.sum(top, axis=axis, keepdims=True, dtype=e.dtype) - 1
        )
        y = np.log1p(rest) + largest  # log1p of the terms except one of the largest: as accurate as np.logaddexp
    return y if keepdims else np.squeeze(y, axis)
