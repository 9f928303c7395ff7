"""Logarithms of sums of two exponentials: adding numbers of which only the logarithms are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..domain import REAL
from ..op import rule
from ..registry import elementwise
from ..signatures import Array, Plain
from .activation import sigmoid
from .arithmetic import where

_LN2 = math.log(2)


def _lead(a: Any, b: Any) -> Any:
    """a - b, and 0 where both are the same infinity."""
    same = (a == b) & np.isinf(a)
    return where(same, 0.0, a - b) if np.any(same) else a - b


@elementwise(
    domain=(REAL, REAL),
    rules=(
        rule("σ(a - b)", lambda g, y, a, b: g * sigmoid(_lead(a, b))),
        rule("σ(b - a)", lambda g, y, a, b: g * sigmoid(_lead(b, a))),
    ),
)
def logaddexp(a: Array, b: Array) -> Plain:
    """Elementwise ln(e**a + e**b) without overflow or underflow. Shapes broadcast. Equal infinities share the gradient."""
    return np.logaddexp(a, b)


@elementwise(
    domain=(REAL, REAL),
    rules=(
        rule("σ((a - b) ln 2)", lambda g, y, a, b: g * sigmoid(_lead(a, b) * _LN2)),
        rule("σ((b - a) ln 2)", lambda g, y, a, b: g * sigmoid(_lead(b, a) * _LN2)),
    ),
)
def logaddexp2(a: Array, b: Array) -> Plain:
    """Elementwise log2(2**a + 2**b) without overflow or underflow. Shapes broadcast. Equal infinities share the gradient."""
    return np.logaddexp2(a, b)
