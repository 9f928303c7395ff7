"""Rounding, and division with remainder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...definition import derived, elementwise
from ...domain import Domain, Sample
from ...op import rule
from ...signatures import Array, Plain

__all__ = ["ceil", "divmod", "floor", "floor_divide", "fmod", "remainder", "round", "trunc"]

_INTEGERS = Domain(kinks=tuple(range(-3, 4)))
_HALVES = Domain(kinks=tuple([i + 0.5 for i in range(-3, 3)]))
_QUOTIENT = (Domain(-3.0, -2.0), Domain(1.25, 2.25))  # a / b lies between -2 and -1


def _flat(*_: Any, **__: Any) -> float:
    """The rule of a step function."""
    return 0.0


@elementwise(symbol="⌊x⌋", domain=(_INTEGERS,), rules=(_flat,))
def floor(x: Array, /) -> Plain:
    """Elementwise largest integer <= x. Its gradient is 0 everywhere, including the jumps."""
    return np.floor(x)


@elementwise(symbol="⌈x⌉", domain=(_INTEGERS,), rules=(_flat,))
def ceil(x: Array, /) -> Plain:
    """Elementwise smallest integer >= x. Its gradient is 0 everywhere, including the jumps."""
    return np.ceil(x)


@elementwise(domain=(_INTEGERS,), rules=(_flat,), also=(np.fix,))
def trunc(x: Array, /) -> Plain:
    """Elementwise x rounded towards 0. Its gradient is 0 everywhere, including the jumps."""
    return np.trunc(x)


@elementwise(
    domain=(_HALVES,),
    rules=(_flat,),
    also=(np.around, np.rint),
    samples=lambda shape: [
        Sample((shape,)),
        Sample((shape,), {"decimals": 1}, prepare=lambda x: (x / 10,)),
        Sample((shape,), {"decimals": -1}),
    ],
)
def round(x: Array, /, decimals: int = 0) -> Plain:
    """Elementwise x rounded to a number of decimals, halves to even. Its gradient is 0 everywhere."""
    return np.round(x, decimals)


@elementwise(symbol="//", domain=_QUOTIENT, rules=(_flat, _flat))
def floor_divide(a: Array, b: Array, /) -> Plain:
    """Elementwise ⌊a / b⌋. Shapes broadcast; b = 0 gives inf or NaN, as in NumPy. Its gradient is 0, including the jumps."""
    return a // b


@elementwise(
    symbol="%",
    domain=_QUOTIENT,
    rules=(lambda g, y, a, b: g, rule(lambda g, y, a, b: -g * floor_divide(a, b), says=lambda y, a, b: -floor(a / b))),
)
def remainder(a: Array, b: Array, /) -> Plain:
    """Elementwise a - b ⌊a / b⌋, with the sign of b. Shapes broadcast; b = 0 gives NaN. The gradient ignores the jumps."""
    return a % b


@elementwise(
    scalar=math.fmod,
    domain=_QUOTIENT,
    rules=(lambda g, y, a, b: g, rule(lambda g, y, a, b: -g * round((a - y) / b), says=lambda y, a, b: -trunc(a / b))),
)
def fmod(a: Array, b: Array, /) -> Plain:
    """Elementwise a - b trunc(a / b), with the sign of a. Shapes broadcast; b = 0 gives NaN. The gradient ignores the jumps."""
    return np.fmod(a, b)


@derived(
    symbol="÷%",
    domain=_QUOTIENT,
    samples=lambda shape: [Sample((shape, shape)), Sample((shape, ())), Sample(((), shape))],
    several=True,
)
def divmod(a: Array, b: Any, /) -> Plain:
    """Elementwise quotient and remainder: (floor_divide(a, b), remainder(a, b)). Shapes broadcast."""
    return floor_divide(a, b), remainder(a, b)
