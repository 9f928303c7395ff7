"""Elementwise selection: by a condition, by size, by sign, or by not being NaN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...binding import Bound
from ...data import kind_of
from ...definition import elementwise
from ...domain import CONDITION, DISTINCT, NONZERO, REAL, with_params
from ...errors import UnsupportedError
from ...op import rule
from ...signatures import Array, Plain
from ...term import Term
from .arithmetic import sign

__all__ = ["clip", "copysign", "fmax", "fmin", "heaviside", "maximum", "minimum", "nan_to_num", "where"]


_HALF = np.float32(0.5)  # times a float32, it stays one


def half_at_ties(alone: Any, tied: Any) -> Any:
    """The formula of `won`: 1 where a number won alone, 1/2 where it tied."""
    return where(alone, 1.0, where(tied, 0.5, 0.0))


def won(alone: Any, tied: Any) -> Any:
    """1 where `alone` is True, 1/2 where only `tied` is, 0 elsewhere; both are plain booleans."""
    if kind_of(alone) is not np.ndarray:
        return (alone * 1.0 + tied * 1.0) / 2
    if not isinstance(alone, Term) and np.array_equal(alone, tied):
        return alone  # three times faster without ties
    return alone * _HALF + tied * _HALF


@elementwise(
    symbol="max",
    domain=(DISTINCT,),
    rules=(
        rule(lambda g, y, a, b: g * won(a > b, a >= b), says=lambda y, a, b: half_at_ties(a > b, a == b)),
        rule(lambda g, y, a, b: g * won(b > a, b >= a), says=lambda y, a, b: half_at_ties(b > a, a == b)),
    ),
)
def maximum(a: Array, b: Array, /) -> Plain:
    """Elementwise maximum of a and b; NaN if either is. Shapes broadcast. At a tie each gets half of the gradient."""
    return np.maximum(a, b)


@elementwise(
    symbol="min",
    domain=(DISTINCT,),
    rules=(
        rule(lambda g, y, a, b: g * won(a < b, a <= b), says=lambda y, a, b: half_at_ties(a < b, a == b)),
        rule(lambda g, y, a, b: g * won(b < a, b <= a), says=lambda y, a, b: half_at_ties(b < a, a == b)),
    ),
)
def minimum(a: Array, b: Array, /) -> Plain:
    """Elementwise minimum of a and b; NaN if either is. Shapes broadcast. At a tie each gets half of the gradient."""
    return np.minimum(a, b)


def _bounds(x: Any, /, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Bound:
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise UnsupportedError("got a bound twice; pass it as a_min and a_max, or as min= and max=")
    low, high = a_min if min is None else min, a_max if max is None else max
    return (x, -np.inf if low is None else low, np.inf if high is None else high), {}


@elementwise(
    call=_bounds,
    domain=(DISTINCT,),
    rules=(
        lambda g, y, x, lo, hi: g * ((lo <= x) & (x <= hi)),
        lambda g, y, x, lo, hi: g * ((x < lo) & (lo <= hi)),
        lambda g, y, x, lo, hi: g * ((x > hi) | (lo > hi)),
    ),
)
def clip(x: Array, a_min: Array, a_max: Array, /) -> Plain:
    """Elementwise x limited to [a_min, a_max], also called min= and max=; None for no limit. Shapes broadcast.

    At a bound the whole gradient goes to x, as in PyTorch; beyond a bound it goes to the bound. Raises UnsupportedError for a
    bound given twice.
    """
    return np.minimum(np.maximum(x, a_min), a_max)


@elementwise(
    symbol="?:",
    domain=(CONDITION, REAL, REAL),
    rules=(
        None,
        lambda g, y, condition, a, b: where(condition, g, 0.0),
        lambda g, y, condition, a, b: where(condition, 0.0, g),
    ),
)
def where(condition: Array, a: Array, b: Array, /) -> Plain:
    """Elementwise a where condition is True, else b. Shapes broadcast. No gradient flows into the branch not taken."""
    return np.where(condition, a, b)


@elementwise(
    symbol="fmax",
    domain=(DISTINCT,),
    rules=(
        rule(lambda g, y, a, b: g * won((y == a) & (a != b), y == a), says=lambda y, a, b: half_at_ties(a > b, a == b)),
        rule(lambda g, y, a, b: g * won((y == b) & (a != b), y == b), says=lambda y, a, b: half_at_ties(b > a, a == b)),
    ),
)
def fmax(a: Array, b: Array, /) -> Plain:
    """Elementwise maximum of a and b, ignoring NaN. Shapes broadcast.

    At a tie each gets half of the gradient; NaN gets none.
    """
    return np.fmax(a, b)


@elementwise(
    symbol="fmin",
    domain=(DISTINCT,),
    rules=(
        rule(lambda g, y, a, b: g * won((y == a) & (a != b), y == a), says=lambda y, a, b: half_at_ties(a < b, a == b)),
        rule(lambda g, y, a, b: g * won((y == b) & (a != b), y == b), says=lambda y, a, b: half_at_ties(b < a, a == b)),
    ),
)
def fmin(a: Array, b: Array, /) -> Plain:
    """Elementwise minimum of a and b, ignoring NaN. Shapes broadcast.

    At a tie each gets half of the gradient; NaN gets none.
    """
    return np.fmin(a, b)


@elementwise(
    scalar=math.copysign,
    domain=(NONZERO,),
    rules=(lambda g, y, a, b: g * (sign(a) * sign(y)), lambda g, y, a, b: 0.0),
)
def copysign(a: Array, b: Array, /) -> Plain:
    """Elementwise |a| with the sign of b, including that of -0.0. Shapes broadcast. At the kink a = 0 the gradient is 0."""
    return np.copysign(a, b)


@elementwise(
    domain=(NONZERO, REAL),
    rules=(lambda g, y, a, b: 0.0, lambda g, y, a, b: g * (a == 0)),
)
def heaviside(a: Array, b: Array, /) -> Plain:
    """Elementwise 0 for a < 0, b for a = 0, 1 for a > 0. Shapes broadcast. The gradient ignores the jump."""
    return np.heaviside(a, b)


@elementwise(
    samples=with_params({}, {"nan": 1.0, "posinf": 2.0, "neginf": -2.0}),
    rules=(lambda g, y, x, **params: g * np.isfinite(x),),
)
def nan_to_num(
    x: Array, /, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Plain:
    """Elementwise x, with NaN and infinities replaced; these get no gradient.

    Args:
        x: any shape.
        copy: True; in-place replacement is not supported.
        nan: replacement for NaN.
        posinf, neginf: replacements for the infinities; None for the largest and the smallest number of the dtype.

    Raises UnsupportedError for copy=False.
    """
    if not copy:
        raise UnsupportedError("got copy=False, expected True; a recorded Value does not change in place")
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
