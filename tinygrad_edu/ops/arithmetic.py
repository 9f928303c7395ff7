"""Arithmetic, number by number: sums, products, powers, roots, signs, and choosing between numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..domain import CONDITION, DISTINCT, NONZERO, POSITIVE, REAL
from ..errors import UnsupportedError
from ..op import rule
from ..registry import derived, elementwise
from ..signatures import Array, Plain
from .exponential import log


@elementwise(
    symbol="+",
    domain=(REAL, REAL),
    analytic=True,
    rules=(rule("1", lambda g, y, a, b: g), rule("1", lambda g, y, a, b: g)),
)
def add(a: Array, b: Array) -> Plain:
    """Elementwise sum a + b. Shapes broadcast."""
    return a + b


@elementwise(
    symbol="-",
    domain=(REAL, REAL),
    analytic=True,
    rules=(rule("1", lambda g, y, a, b: g), rule("-1", lambda g, y, a, b: -g)),
)
def subtract(a: Array, b: Array) -> Plain:
    """Elementwise difference a - b. Shapes broadcast."""
    return a - b


@elementwise(
    symbol="×",
    domain=(REAL, REAL),
    analytic=True,
    rules=(rule("b", lambda g, y, a, b: g * b), rule("a", lambda g, y, a, b: g * a)),
)
def multiply(a: Array, b: Array) -> Plain:
    """Elementwise product a * b. Shapes broadcast."""
    return a * b


@elementwise(
    symbol="÷",
    domain=(REAL, NONZERO),
    analytic=True,
    rules=(rule("1 / b", lambda g, y, a, b: g / b), rule("-a / b²", lambda g, y, a, b: -g * y / b)),
)
def divide(a: Array, b: Array) -> Plain:
    """Elementwise quotient a / b. Shapes broadcast; b = 0 gives inf or NaN, as in NumPy."""
    return a / b


@elementwise(
    symbol="^",
    domain=(POSITIVE, REAL),
    analytic=True,
    rules=(
        rule("b·a^(b-1)", lambda g, y, a, b: g * b * power(a, b - 1 + ((a == 0) & (b == 0)))),
        rule("y·ln a", lambda g, y, a, b: g * y * log(a + ((a == 0) & (b >= 0)))),
    ),
)
def power(a: Array, b: Array) -> Plain:
    """Elementwise power a ** b. Shapes broadcast.

    Any a with integer b; a >= 0 otherwise (NaN below). At a = 0 every derivative in a is exact: that of a**0 is 0, and so is
    the derivative of 0**b in b for b >= 0.
    """
    return a**b


@derived(symbol="^", domain=(POSITIVE, REAL))
def float_power(a: Array, b: Array) -> Plain:
    """Elementwise power a ** b, in floats even of integers. Shapes broadcast. float32 stays float32, unlike in NumPy."""
    return power(a, b * 1.0)


@elementwise(symbol="neg", domain=(REAL,), analytic=True, rules=(rule("-1", lambda g, y, x: -g),))
def negative(x: Array) -> Plain:
    """Elementwise -x."""
    return -x


@derived(symbol="1/x", domain=(NONZERO,))
def reciprocal(x: Array) -> Plain:
    """Elementwise 1 / x; inf at 0."""
    return divide(1.0, x)


@elementwise(symbol="|x|", domain=(NONZERO,), also=(np.fabs,), rules=(rule("sign(x)", lambda g, y, x: g * sign(x)),))
def abs(x: Array) -> Plain:
    """Elementwise absolute value |x|. At the kink x = 0 the gradient is 0."""
    return np.abs(x)


@elementwise(domain=(NONZERO,), rules=(rule("0", lambda g, y, x: 0.0),))
def sign(x: Array) -> Plain:
    """Elementwise sign: -1, 0 or 1. Its gradient is 0 everywhere, the jump at 0 included."""
    return np.sign(x)


@elementwise(symbol="√", domain=(POSITIVE,), analytic=True, rules=(rule("1 / (2y)", lambda g, y, x: g / (2 * y)),))
def sqrt(x: Array) -> Plain:
    """Elementwise square root of x >= 0 (NaN below). The gradient at 0 is inf."""
    return np.sqrt(x)


@elementwise(
    symbol="∛", scalar=math.cbrt, domain=(NONZERO,), rules=(rule("1 / (3y²)", lambda g, y, x: g / (3 * y * y)),)
)
def cbrt(x: Array) -> Plain:
    """Elementwise cube root, of negative x too. The gradient at 0 is inf."""
    return np.cbrt(x)


@elementwise(symbol="x²", domain=(REAL,), analytic=True, rules=(rule("2x", lambda g, y, x: g * (2 * x)),))
def square(x: Array) -> Plain:
    """Elementwise square x * x."""
    return x * x


@elementwise(
    scalar=math.hypot,
    domain=(NONZERO, NONZERO),
    rules=(
        rule("a / y", lambda g, y, a, b: g * (a / (y + (y == 0)))),
        rule("b / y", lambda g, y, a, b: g * (b / (y + (y == 0)))),
    ),
)
def hypot(a: Array, b: Array) -> Plain:
    """Elementwise √(a² + b²), where the squares alone would overflow too. Shapes broadcast. The gradient at (0, 0) is 0."""
    return np.hypot(a, b)


def won(alone: Any, tied: Any) -> Any:
    """1 where a number won alone, 1/2 where it won or tied but not alone, 0 elsewhere; of plain booleans."""
    if not isinstance(alone, np.ndarray):
        return (int(alone) + int(tied)) / 2
    return alone if np.array_equal(alone, tied) else (alone * 0.5 + tied * 0.5)  # without ties a third of the time


@elementwise(
    symbol="max",
    domain=(DISTINCT, DISTINCT),
    rules=(
        rule("1 if a > b, 1/2 if a = b, else 0", lambda g, y, a, b: g * won(a > b, a >= b)),
        rule("1 if b > a, 1/2 if a = b, else 0", lambda g, y, a, b: g * won(b > a, b >= a)),
    ),
)
def maximum(a: Array, b: Array) -> Plain:
    """Elementwise larger one of a and b; NaN if either is. Shapes broadcast. At a tie each gets half of the gradient."""
    return np.maximum(a, b)


@elementwise(
    symbol="min",
    domain=(DISTINCT, DISTINCT),
    rules=(
        rule("1 if a < b, 1/2 if a = b, else 0", lambda g, y, a, b: g * won(a < b, a <= b)),
        rule("1 if b < a, 1/2 if a = b, else 0", lambda g, y, a, b: g * won(b < a, b <= a)),
    ),
)
def minimum(a: Array, b: Array) -> Plain:
    """Elementwise smaller one of a and b; NaN if either is. Shapes broadcast. At a tie each gets half of the gradient."""
    return np.minimum(a, b)


def _bounds(
    x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise UnsupportedError("clip: got a bound twice; pass it as a_min and a_max, or as min= and max=")
    low, high = a_min if min is None else min, a_max if max is None else max
    return (x, -np.inf if low is None else low, np.inf if high is None else high), {}


@elementwise(
    call=_bounds,
    domain=(DISTINCT, DISTINCT, DISTINCT),
    rules=(
        rule("1 if a_min ≤ x ≤ a_max, else 0", lambda g, y, x, lo, hi: g * ((lo <= x) & (x <= hi))),
        rule("1 if x < a_min ≤ a_max, else 0", lambda g, y, x, lo, hi: g * ((x < lo) & (lo <= hi))),
        rule("1 if a_max is below, else 0", lambda g, y, x, lo, hi: g * ((x > hi) | (lo > hi))),
    ),
)
def clip(x: Array, a_min: Array, a_max: Array) -> Plain:
    """Elementwise x limited to [a_min, a_max], also called min= and max=; None for no limit. Shapes broadcast.

    At a bound the whole gradient goes to x, as in PyTorch; beyond one it goes to the bound. Raises UnsupportedError for a bound
    given twice.
    """
    return np.minimum(np.maximum(x, a_min), a_max)


@elementwise(
    symbol="?:",
    domain=(CONDITION, REAL, REAL),
    rules=(
        None,
        rule("1 where condition, else 0", lambda g, y, condition, a, b: where(condition, g, 0.0)),
        rule("0 where condition, else 1", lambda g, y, condition, a, b: where(condition, 0.0, g)),
    ),
)
def where(condition: Array, a: Array, b: Array) -> Plain:
    """Elementwise a where condition holds, b elsewhere. Shapes broadcast. No gradient flows into the branch not taken."""
    return np.where(condition, a, b)


@elementwise(
    symbol="+x",
    domain=(REAL,),
    analytic=True,
    also=(np.copy, np.real, np.real_if_close, np.conjugate),
    rules=(rule("1", lambda g, y, x: g),),
)
def positive(x: Array) -> Plain:
    """Elementwise +x: the same numbers."""
    return +x
