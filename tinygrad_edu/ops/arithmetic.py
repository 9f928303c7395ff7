"""Arithmetic, number by number: sums, products, powers, roots, signs, and choosing between numbers."""

from __future__ import annotations

import numpy as np

from ..domain import CONDITION, DISTINCT, NONZERO, POSITIVE, REAL
from ..op import rule
from ..registry import elementwise
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


@elementwise(symbol="neg", domain=(REAL,), analytic=True, rules=(rule("-1", lambda g, y, x: -g),))
def negative(x: Array) -> Plain:
    """Elementwise -x."""
    return -x


@elementwise(symbol="|x|", domain=(NONZERO,), rules=(rule("sign(x)", lambda g, y, x: g * sign(x)),))
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


@elementwise(symbol="x²", domain=(REAL,), analytic=True, rules=(rule("2x", lambda g, y, x: g * (2 * x)),))
def square(x: Array) -> Plain:
    """Elementwise square x * x."""
    return x * x


@elementwise(
    symbol="max",
    domain=(DISTINCT, DISTINCT),
    rules=(
        rule("1 if a > b, 1/2 if a = b, else 0", lambda g, y, a, b: g * (a > b) + g * (a == b) / 2),
        rule("1 if b > a, 1/2 if a = b, else 0", lambda g, y, a, b: g * (b > a) + g * (a == b) / 2),
    ),
)
def maximum(a: Array, b: Array) -> Plain:
    """Elementwise larger one of a and b; NaN if either is. Shapes broadcast. At a tie each gets half of the gradient."""
    return np.maximum(a, b)


@elementwise(
    symbol="min",
    domain=(DISTINCT, DISTINCT),
    rules=(
        rule("1 if a < b, 1/2 if a = b, else 0", lambda g, y, a, b: g * (a < b) + g * (a == b) / 2),
        rule("1 if b < a, 1/2 if a = b, else 0", lambda g, y, a, b: g * (b < a) + g * (a == b) / 2),
    ),
)
def minimum(a: Array, b: Array) -> Plain:
    """Elementwise smaller one of a and b; NaN if either is. Shapes broadcast. At a tie each gets half of the gradient."""
    return np.minimum(a, b)


@elementwise(
    domain=(DISTINCT, DISTINCT, DISTINCT),
    rules=(
        rule("1 if a_min ≤ x ≤ a_max, else 0", lambda g, y, x, lo, hi: g * ((lo <= x) & (x <= hi))),
        rule("1 if x < a_min ≤ a_max, else 0", lambda g, y, x, lo, hi: g * ((x < lo) & (lo <= hi))),
        rule("1 if a_max is below, else 0", lambda g, y, x, lo, hi: g * ((x > hi) | (lo > hi))),
    ),
)
def clip(x: Array, a_min: Array | float = -np.inf, a_max: Array | float = np.inf) -> Plain:
    """Elementwise x limited to [a_min, a_max]. Shapes broadcast. At a bound the whole gradient goes to x, as in PyTorch."""
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


@elementwise(symbol="+x", domain=(REAL,), analytic=True, rules=(rule("1", lambda g, y, x: g),))
def positive(x: Array) -> Plain:
    """Elementwise +x: the same numbers."""
    return +x
