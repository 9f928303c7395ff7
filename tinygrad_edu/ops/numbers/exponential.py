"""Exponentials and logarithms."""

from __future__ import annotations

import math

import numpy as np

from ...definition import elementwise
from ...domain import POSITIVE, Domain
from ...signatures import Array, Plain

__all__ = ["exp", "exp2", "expm1", "log", "log1p", "log2", "log10"]

_LN2, _LN10 = math.log(2), math.log(10)


@elementwise(scalar=math.exp, analytic=True, rules=(lambda g, y, x: g * y,))
def exp(x: Array, /) -> Plain:
    """Elementwise e**x."""
    return np.exp(x)


@elementwise(symbol="ln", scalar=math.log, domain=(POSITIVE,), analytic=True, rules=(lambda g, y, x: g / x,))
def log(x: Array, /) -> Plain:
    """Elementwise natural logarithm of x > 0; -inf at 0, NaN below."""
    return np.log(x)


@elementwise(
    scalar=math.log1p,
    domain=(Domain(low=-1.0),),
    analytic=True,
    rules=(lambda g, y, x: g / (1 + x),),
)
def log1p(x: Array, /) -> Plain:
    """Elementwise ln(1 + x) of x > -1, accurate for small x, where log(1 + x) is not."""
    return np.log1p(x)


@elementwise(
    symbol="2^x",
    scalar=math.exp2,
    analytic=True,
    rules=(lambda g, y, x: g * (y * _LN2),),
)
def exp2(x: Array, /) -> Plain:
    """Elementwise 2**x."""
    return np.exp2(x)


@elementwise(scalar=math.expm1, analytic=True, rules=(lambda g, y, x: g * exp(x),))
def expm1(x: Array, /) -> Plain:
    """Elementwise e**x - 1, accurate for small x, where exp(x) - 1 is not."""
    return np.expm1(x)


@elementwise(scalar=math.log2, domain=(POSITIVE,), analytic=True, rules=(lambda g, y, x: g / (x * _LN2),))
def log2(x: Array, /) -> Plain:
    """Elementwise logarithm to base 2 of x > 0; -inf at 0, NaN below."""
    return np.log2(x)


@elementwise(
    scalar=math.log10,
    domain=(POSITIVE,),
    analytic=True,
    rules=(lambda g, y, x: g / (x * _LN10),),
)
def log10(x: Array, /) -> Plain:
    """Elementwise logarithm to base 10 of x > 0; -inf at 0, NaN below."""
    return np.log10(x)
