"""The nonlinearities of neural networks, each stable for arguments of any size."""

from __future__ import annotations

import numpy as np

from ..domain import NONZERO, REAL
from ..op import rule
from ..registry import elementwise
from ..signatures import Array, Plain


@elementwise(
    symbol="σ",
    domain=(REAL,),
    numpy=lambda x: 1 / (1 + np.exp(-x)),
    rules=(rule("y(1 - y)", lambda g, y, x: g * (y * (1 - y))),),
)
def sigmoid(x: Array) -> Plain:
    """Elementwise logistic function 1 / (1 + e**-x), without overflow on either side."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


@elementwise(
    domain=(REAL,), numpy=lambda x: np.logaddexp(x, 0.0), rules=(rule("σ(x)", lambda g, y, x: g * sigmoid(x)),)
)
def softplus(x: Array) -> Plain:
    """Elementwise ln(1 + e**x), a smooth relu, without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@elementwise(
    domain=(NONZERO,),
    scalar=lambda x: x if x > 0.0 or x != x else 0.0,
    numpy=lambda x: np.maximum(x, 0),
    rules=(rule("1 if x > 0, else 0", lambda g, y, x: g * (x > 0)),),
)
def relu(x: Array) -> Plain:
    """Elementwise max(x, 0). At the kink x = 0 the gradient is 0."""
    return np.maximum(x, 0)
