"""The nonlinearities of neural networks, each stable for arguments of any size."""

from __future__ import annotations

import math

import numpy as np

from ...definition import derived, elementwise
from ...domain import NONZERO, Domain, with_params
from ...errors import UnsupportedError
from ...op import rule
from ...signatures import Array, Plain
from .arithmetic import abs as absolute
from .arithmetic import square
from .choosing import where
from .error_function import erfc
from .exponential import exp
from .trigonometric import tanh

__all__ = [
    "elu",
    "gelu",
    "hardtanh",
    "leaky_relu",
    "logit",
    "mish",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
]

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # make mean 0 and variance 1 a fixed point


# of Python's floats; compiled programs contain what these return


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _relu(x: float) -> float:
    return x if x > 0.0 or x != x else 0.0


@elementwise(
    symbol="σ",
    scalar=_sigmoid,
    numpy=lambda x: 1 / (1 + np.exp(-x)),
    rules=(rule(lambda g, y, x: g * (y / (1 + exp(x))), says=lambda y, x: y * (1 - y)),),
)
@np.errstate(over="ignore")
def sigmoid(x: Array, /) -> Plain:
    """Elementwise logistic function 1 / (1 + e**-x); 0, the correct limit, where e**-x overflows.

    The gradient is accurate in both tails: 1 - y is computed as 1 / (1 + e**x).
    """
    return 1 / (1 + np.exp(-x))


@elementwise(
    scalar=_softplus,
    numpy=lambda x: np.logaddexp(x, 0.0),
    rules=(lambda g, y, x: g * sigmoid(x),),
)
def softplus(x: Array, /) -> Plain:
    """Elementwise ln(1 + e**x), a smooth relu, without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@elementwise(
    domain=(NONZERO,),
    scalar=_relu,
    numpy=lambda x: np.maximum(x, 0),
    rules=(lambda g, y, x: g * (x > 0),),
)
def relu(x: Array, /) -> Plain:
    """Elementwise max(x, 0). At the kink x = 0 the gradient is 0."""
    return np.maximum(x, 0)


@elementwise(
    domain=(Domain(0.0, 1.0),),
    numpy=lambda x: np.log(x / (1 - x)),
    rules=(lambda g, y, x: g / (x * (1 - x)),),
)
def logit(x: Array, /) -> Plain:
    """Elementwise ln(x / (1 - x)), the inverse of sigmoid, for 0 <= x <= 1 (NaN outside); exact near its zero 1/2 too."""
    lead, rest = 2 * x - 1, 1 - x
    near = np.abs(lead) < 0.5
    return np.where(near, np.log1p(np.where(near, lead / rest, 0.0)), np.log(x / rest))


@elementwise(
    domain=(NONZERO,),
    samples=with_params({}, {"negative_slope": 0.25}),
    numpy=lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
    rules=(lambda g, y, x, negative_slope: where(x > 0, g, negative_slope * g),),
)
def leaky_relu(x: Array, /, negative_slope: float = 0.01) -> Plain:
    """Elementwise x if x > 0, else negative_slope · x. At the kink x = 0 the gradient is the negative slope, as in PyTorch."""
    return np.where(x > 0, x, negative_slope * x)


@elementwise(
    domain=(NONZERO,),
    samples=with_params({}, {"alpha": 0.5}),
    numpy=lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x)),
    rules=(lambda g, y, x, alpha: where(x > 0, g, g * (alpha * exp(x))),),
)
def elu(x: Array, /, alpha: float = 1.0) -> Plain:
    """Elementwise x if x > 0, else alpha (e**x - 1). At x = 0 the gradient is alpha, as in PyTorch."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@derived(domain=(NONZERO,), numpy=lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(x)))
def selu(x: Array, /) -> Plain:
    """Elementwise scaled elu that keeps mean 0 and variance 1 through layers. See Klambauer et al., NeurIPS 2017."""
    return _SELU_SCALE * elu(x, alpha=_SELU_ALPHA)


@derived(symbol="x σ(x)", numpy=lambda x: x / (1 + np.exp(-x)))
def silu(x: Array, /) -> Plain:
    """Elementwise x σ(x), also called swish."""
    return x * sigmoid(x)


@derived(numpy=lambda x: x * np.tanh(np.logaddexp(x, 0.0)))
def mish(x: Array, /) -> Plain:
    """Elementwise x tanh(softplus(x)). See Misra, BMVC 2020."""
    return x * tanh(softplus(x))


@derived(
    samples=with_params({}, {"approximate": "tanh"}),
    numpy=lambda x, approximate="none": (
        x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        if approximate == "tanh"
        else x / 2 * np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2))
    ),
)
def gelu(x: Array, /, approximate: str = "none") -> Plain:
    """Elementwise x Φ(x), with Φ the standard normal distribution function. See Hendrycks and Gimpel, arXiv:1606.08415.

    Args:
        x: any shape.
        approximate: "none", or "tanh" for Φ(x) ≈ (1 + tanh u) / 2 = σ(2u), u = √(2/π) (x + 0.044715 x³).

    Raises UnsupportedError for any other approximation.
    """
    if approximate == "none":
        return x * (0.5 * erfc(-math.sqrt(0.5) * x))
    if approximate != "tanh":
        raise UnsupportedError(f"got approximate={approximate!r}, expected 'none' or 'tanh'")
    twice = 2 * math.sqrt(2 / math.pi)
    return x * sigmoid(x * (twice + 0.044715 * twice * square(x)))


@elementwise(
    numpy=lambda x: x / (1 + np.abs(x)),
    rules=(lambda g, y, x: g / square(1 + absolute(x)),),
)
def softsign(x: Array, /) -> Plain:
    """Elementwise x / (1 + |x|)."""
    return x / (1 + np.abs(x))


@elementwise(
    domain=(Domain(kinks=(-1.0, 1.0, 2.0)),),
    samples=with_params({}, {"min_val": -1.0, "max_val": 2.0}),
    numpy=lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
    rules=(lambda g, y, x, min_val, max_val: g * ((min_val < x) & (x < max_val)),),
)
def hardtanh(x: Array, /, min_val: float = -1.0, max_val: float = 1.0) -> Plain:
    """Elementwise x limited to [min_val, max_val]. At the kinks the gradient is 0, as in PyTorch; that of `clip` is 1."""
    return np.minimum(np.maximum(x, min_val), max_val)
