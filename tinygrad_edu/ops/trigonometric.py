"""Circular and hyperbolic functions; angles in radians."""

from __future__ import annotations

import math

import numpy as np

from ..domain import NONZERO, REAL
from ..op import rule
from ..registry import elementwise
from ..signatures import Array, Plain
from .arithmetic import where


@elementwise(scalar=math.sin, domain=(REAL,), analytic=True, rules=(rule("cos(x)", lambda g, y, x: g * cos(x)),))
def sin(x: Array) -> Plain:
    """Elementwise sine; x in radians."""
    return np.sin(x)


@elementwise(scalar=math.cos, domain=(REAL,), analytic=True, rules=(rule("-sin(x)", lambda g, y, x: -g * sin(x)),))
def cos(x: Array) -> Plain:
    """Elementwise cosine; x in radians."""
    return np.cos(x)


@elementwise(scalar=math.tanh, domain=(REAL,), analytic=True, rules=(rule("1 - y²", lambda g, y, x: g * (1 - y * y)),))
def tanh(x: Array) -> Plain:
    """Elementwise hyperbolic tangent."""
    return np.tanh(x)


@elementwise(
    scalar=math.atan2,
    domain=(NONZERO, NONZERO),
    rules=(
        rule("b / (a² + b²)", lambda g, y, a, b: g * (b / _squared_radius(a, b))),
        rule("-a / (a² + b²)", lambda g, y, a, b: -g * (a / _squared_radius(a, b))),
    ),
)
def arctan2(a: Array, b: Array) -> Plain:
    """Elementwise angle in (-π, π] of the point with ordinate a and abscissa b. Shapes broadcast. The gradient at (0, 0) is 0."""
    return np.arctan2(a, b)


def _squared_radius(a: Array, b: Array) -> Plain:
    squared = a * a + b * b
    return where(squared == 0, 1.0, squared)
