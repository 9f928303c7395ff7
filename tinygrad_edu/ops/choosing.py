"""Choosing between numbers by their sign, or because one of them is not a number."""

from __future__ import annotations

import math

import numpy as np

from ..domain import DISTINCT, NONZERO, REAL, with_params
from ..errors import UnsupportedError
from ..op import rule
from ..registry import elementwise
from ..signatures import Array, Plain
from .arithmetic import sign, won


@elementwise(
    symbol="fmax",
    domain=(DISTINCT, DISTINCT),
    rules=(
        rule("1 if y = a > b, 1/2 if a = b, else 0", lambda g, y, a, b: g * won((y == a) & (a != b), y == a)),
        rule("1 if y = b > a, 1/2 if a = b, else 0", lambda g, y, a, b: g * won((y == b) & (a != b), y == b)),
    ),
)
def fmax(a: Array, b: Array) -> Plain:
    """Elementwise larger one of a and b, or the one that is not NaN. Shapes broadcast.

    At a tie each gets half of the gradient; NaN gets none.
    """
    return np.fmax(a, b)


@elementwise(
    symbol="fmin",
    domain=(DISTINCT, DISTINCT),
    rules=(
        rule("1 if y = a < b, 1/2 if a = b, else 0", lambda g, y, a, b: g * won((y == a) & (a != b), y == a)),
        rule("1 if y = b < a, 1/2 if a = b, else 0", lambda g, y, a, b: g * won((y == b) & (a != b), y == b)),
    ),
)
def fmin(a: Array, b: Array) -> Plain:
    """Elementwise smaller one of a and b, or the one that is not NaN. Shapes broadcast.

    At a tie each gets half of the gradient; NaN gets none.
    """
    return np.fmin(a, b)


@elementwise(
    scalar=math.copysign,
    domain=(NONZERO, NONZERO),
    rules=(
        rule("sign(a) sign(b)", lambda g, y, a, b: g * (sign(a) * sign(y))),
        rule("0", lambda g, y, a, b: 0.0),
    ),
)
def copysign(a: Array, b: Array) -> Plain:
    """Elementwise |a| with the sign of b, also that of -0.0. Shapes broadcast. At the kink a = 0 the gradient is 0."""
    return np.copysign(a, b)


@elementwise(
    domain=(NONZERO, REAL),
    rules=(rule("0", lambda g, y, a, b: 0.0), rule("1 if a = 0, else 0", lambda g, y, a, b: g * (a == 0))),
)
def heaviside(a: Array, b: Array) -> Plain:
    """Elementwise 0 for a < 0, b for a = 0, 1 for a > 0. Shapes broadcast. The gradient ignores the jump."""
    return np.heaviside(a, b)


@elementwise(
    domain=(REAL,),
    samples=with_params({}, {"nan": 1.0, "posinf": 2.0, "neginf": -2.0}),
    rules=(rule("1 where x is finite, else 0", lambda g, y, x, **params: g * np.isfinite(x)),),
)
def nan_to_num(
    x: Array, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Plain:
    """Elementwise x, with NaN and infinities replaced; these get no gradient.

    Args:
        x: any shape.
        copy: True; nothing changes in place.
        nan: takes the place of NaN.
        posinf, neginf: take the place of the infinities; None for the largest and the smallest number of the dtype.

    Raises UnsupportedError for copy=False.
    """
    if not copy:
        raise UnsupportedError("nan_to_num: got copy=False, expected True; a recorded Value does not change in place")
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)
