"""Circular and hyperbolic functions; angles in radians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...data import some
from ...definition import derived, elementwise
from ...domain import NONZERO, Domain
from ...op import rule
from ...signatures import Array, Plain
from .arithmetic import abs, sqrt
from .choosing import where
from .length import hypot, radial

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "deg2rad",
    "rad2deg",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]

_UNIT = Domain(-1.0, 1.0)


@elementwise(scalar=math.sin, analytic=True, rules=(lambda g, y, x: g * cos(x),))
def sin(x: Array, /) -> Plain:
    """Elementwise sine; x in radians."""
    return np.sin(x)


@elementwise(scalar=math.cos, analytic=True, rules=(lambda g, y, x: -g * sin(x),))
def cos(x: Array, /) -> Plain:
    """Elementwise cosine; x in radians."""
    return np.cos(x)


@elementwise(scalar=math.tanh, analytic=True, rules=(lambda g, y, x: g * (1 - y * y),))
def tanh(x: Array, /) -> Plain:
    """Elementwise hyperbolic tangent."""
    return np.tanh(x)


@elementwise(
    scalar=math.atan2,
    domain=(NONZERO,),
    rules=(
        rule(lambda g, y, a, b: _over_squared_radius(g, b, a), says=lambda y, a, b: b / (a * a + b * b)),
        rule(lambda g, y, a, b: -_over_squared_radius(g, a, b), says=lambda y, a, b: -a / (a * a + b * b)),
    ),
)
def arctan2(a: Array, b: Array, /) -> Plain:
    """Elementwise angle in (-π, π] of the point (x, y) = (b, a). Shapes broadcast.

    At (0, 0) the gradient is 0, higher derivatives are NaN.
    """
    return np.arctan2(a, b)


def _over_squared_radius(g: Any, a: Any, b: Any) -> Any:
    """g a / (a² + b²) without the squares, which could overflow or underflow; 0 at (0, 0)."""
    radius = hypot(a, b)
    kink = radius == 0
    if not some(kink):
        return g * (a / radius / radius)
    length = where(kink, 1.0, radius)
    return where(kink, radial(g, a, radius), g * (a / length / length))


@elementwise(
    scalar=math.tan,
    domain=(Domain(-1.5, 1.5),),
    analytic=True,
    rules=(lambda g, y, x: g * (1 + y * y),),
)
def tan(x: Array, /) -> Plain:
    """Elementwise tangent; x in radians."""
    return np.tan(x)


@elementwise(
    scalar=math.asin,
    domain=(_UNIT,),
    analytic=True,
    rules=(lambda g, y, x: g / sqrt((1 - x) * (1 + x)),),
)
def arcsin(x: Array, /) -> Plain:
    """Elementwise inverse sine in [-π/2, π/2], for |x| <= 1 (NaN beyond). The gradient at ±1 is inf."""
    return np.arcsin(x)


@elementwise(
    scalar=math.acos,
    domain=(_UNIT,),
    analytic=True,
    rules=(lambda g, y, x: -g / sqrt((1 - x) * (1 + x)),),
)
def arccos(x: Array, /) -> Plain:
    """Elementwise inverse cosine in [0, π], for |x| <= 1 (NaN beyond). The gradient at ±1 is -inf."""
    return np.arccos(x)


@elementwise(scalar=math.atan, analytic=True, rules=(lambda g, y, x: g / (1 + x * x),))
def arctan(x: Array, /) -> Plain:
    """Elementwise inverse tangent in (-π/2, π/2)."""
    return np.arctan(x)


@elementwise(scalar=math.sinh, analytic=True, rules=(lambda g, y, x: g * cosh(x),))
def sinh(x: Array, /) -> Plain:
    """Elementwise hyperbolic sine (e**x - e**-x) / 2."""
    return np.sinh(x)


@elementwise(scalar=math.cosh, analytic=True, rules=(lambda g, y, x: g * sinh(x),))
def cosh(x: Array, /) -> Plain:
    """Elementwise hyperbolic cosine (e**x + e**-x) / 2."""
    return np.cosh(x)


@elementwise(scalar=math.asinh, analytic=True, rules=(lambda g, y, x: g / hypot(x, 1.0),))
def arcsinh(x: Array, /) -> Plain:
    """Elementwise inverse of sinh."""
    return np.arcsinh(x)


@elementwise(
    scalar=math.acosh,
    domain=(Domain(low=1.0),),
    analytic=True,
    rules=(lambda g, y, x: g / (sqrt(x - 1) * sqrt(x + 1)),),
)
def arccosh(x: Array, /) -> Plain:
    """Elementwise inverse of cosh, x >= 1 (NaN below), y >= 0. The gradient at 1 is inf."""
    return np.arccosh(x)


@elementwise(
    scalar=math.atanh,
    domain=(_UNIT,),
    analytic=True,
    rules=(lambda g, y, x: g / ((1 - x) * (1 + x)),),
)
def arctanh(x: Array, /) -> Plain:
    """Elementwise inverse of tanh, |x| < 1; ±inf at ±1, NaN beyond."""
    return np.arctanh(x)


@derived(also=(np.radians,))
def deg2rad(x: Array, /) -> Plain:
    """Elementwise degrees to radians: x π / 180."""
    return x * (math.pi / 180)


@derived(also=(np.degrees,))
def rad2deg(x: Array, /) -> Plain:
    """Elementwise radians to degrees: 180 x / π."""
    return x * (180 / math.pi)


@elementwise(rules=(rule(lambda g, y, x: g * _sinc_slope(x), says=lambda y, x: (cos(math.pi * x) - y) / x),))
def sinc(x: Array, /) -> Plain:
    """Elementwise sin(πx) / (πx), and 1 at 0. Derivatives are exact near 0 too."""
    return np.sinc(x)


def _sinc_slope(x: Array) -> Plain:
    """The derivative of sinc, by its series where cos(πx) and sinc(x) nearly cancel: -π²x/3 (1 - t²/10 (1 - t²/28 (...)))."""
    t = math.pi * x
    series: Any = 1.0
    for k in range(9, 0, -1):
        series = 1 - t * t / (2 * k * (2 * k + 3)) * series
    near = abs(x) < 0.5
    return where(near, -math.pi / 3 * t * series, (cos(t) - sinc(x)) / where(near, 1.0, x))
