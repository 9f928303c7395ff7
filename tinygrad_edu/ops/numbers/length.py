"""The length of a vector and its gradient, shared by hypot, norms and standard deviations.

A length has a kink where it is 0. Its gradient there is 0, the subgradient of least norm. Higher derivatives do not exist there
and are NaN, also those of a smooth function of the length, such as its square, where a 0 would be silently wrong.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...data import raw_of
from ...definition import elementwise
from ...domain import NONZERO, POSITIVE, REAL, Sample
from ...op import rule
from ...signatures import Array, Plain
from ...term import Term
from .arithmetic import abs, power, sign

__all__ = ["hypot"]


def ordinary(y: Any, weight: Any = None) -> bool:
    """Whether all numbers y are nonzero and within range, so that dividing by them loses nothing; except for 0 of weight 0."""
    size = np.abs(raw_of(y))
    within = (size >= np.finfo(size.dtype).tiny) & (size < np.inf)
    if weight is None or (not isinstance(size, Term) and np.all(within)):
        return bool(np.all(within))
    return bool(np.all(within | (weight == 0)))


def component(weight: Any, x: Any, length: Any, p: float) -> Any:
    """`radial` of any p."""
    return radial(weight, x, length, p)  # type: ignore[call-overload]  # an op of three arrays is typed without parameters


def _of_weight(g: Any, x: Any, length: Any, p: float) -> Any:
    return component(g, x, length, p) / (raw_of(length) != 0)  # 0 / 0 at the kink, where there is no direction


def _of_component(g: Any, x: Any, length: Any, p: float) -> Any:
    length = length + ((length == 0) & (g == 0))  # so that a constant 0, a branch not taken, leaks nothing
    if p == 2:
        return g / length
    ratio = abs(x) / length + ((x == 0) & (g == 0) & (p < 2))
    return (p - 1) * g * power(ratio, p - 2) / length


def _of_length(g: Any, x: Any, length: Any, p: float) -> Any:
    length = length + ((length == 0) & (g == 0))
    return (1 - p) * component(g, x, length, p) / length


@elementwise(
    symbol="∂‖x‖",
    domain=(REAL, NONZERO, POSITIVE),
    samples=lambda shape: [Sample((shape, shape, shape), {"p": p}) for p in (2, 3.0, 1.5)],
    numpy=lambda weight, x, length, p=2: weight * np.sign(x) * (np.abs(x) / length) ** (p - 1),
    rules=(
        rule(
            lambda g, y, weight, x, length, p: _of_weight(g, x, length, p),
            says=lambda y, weight, x, length, p: sign(x) * (abs(x) / length) ** (p - 1),
        ),
        rule(
            lambda g, y, weight, x, length, p: _of_component(g * weight, x, length, p),
            says=lambda y, weight, x, length, p: (p - 1) * weight * (abs(x) / length) ** (p - 2) / length,
        ),
        rule(
            lambda g, y, weight, x, length, p: _of_length(g * weight, x, length, p),
            says=lambda y, weight, x, length, p: (1 - p) * y / length,
        ),
    ),
)
def radial(weight: Array, x: Array, length: Array, /, p: float = 2) -> Plain:
    """weight times the derivative of a p-norm in one of its components x: weight · x / length if p = 2. Shapes broadcast.

    0 where the length is 0, where its derivatives are NaN. Accurate down to subnormal lengths.
    """
    divisor = length + (length == 0)
    if p != 2:
        return weight * (np.sign(x) * (length != 0) * (np.abs(x) / divisor + (x == 0)) ** (p - 1))
    if np.size(divisor) < np.size(x):
        scale = weight / divisor
        if ordinary(scale, weight):
            return x * scale  # one pass over x, not two
    return x / divisor * weight


@elementwise(
    scalar=math.hypot,
    domain=(NONZERO,),
    rules=(
        rule(lambda g, y, a, b: radial(g, a, y), says=lambda y, a, b: a / y),
        rule(lambda g, y, a, b: radial(g, b, y), says=lambda y, a, b: b / y),
    ),
)
def hypot(a: Array, b: Array, /) -> Plain:
    """Elementwise √(a² + b²), without overflow of the squares. Shapes broadcast.

    At (0, 0) the gradient is 0, higher derivatives are NaN.
    """
    return np.hypot(a, b)
