"""Exponentials and logarithms."""

from __future__ import annotations

import math

import numpy as np

from ..domain import POSITIVE, REAL, Domain
from ..op import rule
from ..registry import elementwise
from ..signatures import Array, Plain


@elementwise(scalar=math.exp, domain=(REAL,), analytic=True, rules=(rule("y", lambda g, y, x: g * y),))
def exp(x: Array) -> Plain:
    """Elementwise e**x."""
    return np.exp(x)


@elementwise(
    symbol="ln", scalar=math.log, domain=(POSITIVE,), analytic=True, rules=(rule("1 / x", lambda g, y, x: g / x),)
)
def log(x: Array) -> Plain:
    """Elementwise natural logarithm of x > 0; -inf at 0, NaN below."""
    return np.log(x)


@elementwise(
    scalar=math.log1p,
    domain=(Domain(low=-1.0),),
    analytic=True,
    rules=(rule("1 / (1 + x)", lambda g, y, x: g / (1 + x)),),
)
def log1p(x: Array) -> Plain:
    """Elementwise ln(1 + x) of x > -1, exact for small x where ln(1 + x) is not."""
    return np.log1p(x)
