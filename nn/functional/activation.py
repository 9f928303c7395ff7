"""Activations: functions of each number, except softmax, softmin, log_softmax and glu, which act along an axis."""

from __future__ import annotations

from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

import tinygrad_edu as engine
from tinygrad_edu import ShapeError, TinygradError, reshape, split, where

from ..checks import Dim, NonZero, NotNegative, Positive, data_of, explaining
from .arguments import operand


@explaining
def celu(input: Any, alpha: Positive = 1.0) -> Any:
    """x if x > 0, else alpha (e**(x / alpha) - 1), smooth at 0 for any alpha. See Barron (2017)."""
    return engine.elu(input) if alpha == 1 else alpha * engine.elu(operand("celu", input) / alpha)


@explaining
def elu(input: Any, alpha: float = 1.0) -> Any:
    """x if x > 0, else alpha (e**x - 1). See Clevert et al., ICLR 2016."""
    return engine.elu(input, alpha=alpha)


@explaining
def gelu(input: Any, approximate: Literal["none", "tanh"] = "none") -> Any:
    """x Φ(x), Φ the normal distribution function; approximate="tanh" for a quicker formula. See Hendrycks & Gimpel (2016)."""
    return engine.gelu(input, approximate=approximate)


@explaining
def glu(input: Any, dim: Dim = -1) -> Any:
    """a σ(b), where a and b are the halves of the input along an axis. See Dauphin et al., ICML 2017.

    Raises ShapeError unless the input has the axis, of an even size.
    """
    shape = np.shape(input)
    if not -len(shape) <= dim < len(shape) or shape[dim] % 2:
        raise ShapeError(f"glu: got dim={dim} and an input of shape {shape}, expected an axis of even size")
    a, b = split(input, 2, axis=dim)
    return a * engine.sigmoid(b)


@explaining
def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """x if |x| > lambd, else 0."""
    x = operand("hardshrink", input)
    return x * (abs(data_of(x)) > lambd)


@explaining
def hardsigmoid(input: Any) -> Any:
    """(x + 3) / 6 limited to [0, 1], a sigmoid without exponentials."""
    return _ramp(operand("hardsigmoid", input))


@explaining
def hardswish(input: Any) -> Any:
    """x hardsigmoid(x). See Howard et al., "Searching for MobileNetV3" (2019)."""
    x = operand("hardswish", input)
    return x * _ramp(x)


@explaining
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x limited to [min_val, max_val]. Raises TinygradError if min_val > max_val."""
    if min_val > max_val:
        raise TinygradError(f"hardtanh: got min_val={min_val} and max_val={max_val}, expected min_val <= max_val")
    return engine.hardtanh(input, min_val=min_val, max_val=max_val)


@explaining
def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """x if x > 0, else negative_slope · x."""
    return engine.leaky_relu(input, negative_slope=negative_slope)


@explaining
def log_softmax(input: Any, dim: Dim, *, dtype: DTypeLike | None = None) -> Any:
    """ln softmax(x) along an axis, accurate where softmax underflows. Arguments and errors as for softmax."""
    return engine.log_softmax(_cast(input, dtype), dim)


@explaining
def logsigmoid(input: Any) -> Any:
    """ln σ(x), accurate where the sigmoid would underflow."""
    return -engine.softplus(-operand("logsigmoid", input))


@explaining
def mish(input: Any) -> Any:
    """x tanh(ln(1 + e**x)). See Misra, BMVC 2020."""
    return engine.mish(input)


@explaining
def prelu(input: Any, weight: Any) -> Any:
    """x if x > 0, else weight · x, where the weight is learned. See He et al., ICCV 2015.

    Args:
        input: any shape; channels lie along axis 1, after the batch.
        weight: one number, or one a channel.

    Raises ShapeError for any other number of weights.
    """
    x, slopes = operand("prelu", input), np.shape(weight)
    axes, channels = np.ndim(data_of(x)), np.shape(x)[1] if np.ndim(data_of(x)) > 1 else 1
    if len(slopes) > 1 or prod(slopes) not in (1, channels):
        expected = f"one weight, or one for each of {channels} channels"
        raise ShapeError(
            f"prelu: got an input of shape {np.shape(x)} and a weight of shape {slopes}, expected {expected}"
        )
    slope = reshape(weight, (-1, *[1] * (axes - 2)) if axes > 1 else (1,) * axes)
    return where(data_of(x) > 0, x, slope * x)


@explaining
def relu(input: Any) -> Any:
    """max(x, 0)."""
    return engine.relu(input)


@explaining
def relu6(input: Any) -> Any:
    """x limited to [0, 6]."""
    return engine.hardtanh(input, min_val=0.0, max_val=6.0)


@explaining
def selu(input: Any) -> Any:
    """elu scaled so that mean 0 and variance 1 are kept through layers. See Klambauer et al., NeurIPS 2017."""
    return engine.selu(input)


@explaining
def sigmoid(input: Any) -> Any:
    """σ(x) = 1 / (1 + e**-x)."""
    return engine.sigmoid(input)


@explaining
def silu(input: Any) -> Any:
    """x σ(x), also called swish."""
    return engine.silu(input)


@explaining
def softmax(input: Any, dim: Dim, *, dtype: DTypeLike | None = None) -> Any:
    """e**x / Σ e**x along an axis, so that each slice sums to 1.

    Args:
        input: any shape but ().
        dim: the axis. It has no default: PyTorch's, which it deprecates, depends on the number of axes.
        dtype: a type to convert the input to first, or None.

    Raises ShapeError if the input does not have the axis, or no number along it.
    """
    return engine.softmax(_cast(input, dtype), dim)  # by name it takes 0.3 us more


@explaining
def softmin(input: Any, dim: Dim, *, dtype: DTypeLike | None = None) -> Any:
    """softmax of -x. Arguments and errors as for softmax."""
    return engine.softmax(-operand("softmin", _cast(input, dtype)), dim)


@explaining
def softplus(input: Any, beta: NonZero = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + e**(beta x)) / beta, a smooth relu; x itself where beta x > threshold."""
    x = operand("softplus", input)
    y = engine.softplus(x) if beta == 1 else engine.softplus(beta * x) / beta
    beyond = beta * data_of(x) > threshold
    return where(beyond, x, y) if np.any(beyond) else y


@explaining
def softshrink(input: Any, lambd: NotNegative = 0.5) -> Any:
    """x moved towards 0 by lambd, and 0 within that distance."""
    return engine.sign(input) * engine.relu(engine.abs(input) - lambd)


@explaining
def softsign(input: Any) -> Any:
    """x / (1 + |x|)."""
    return engine.softsign(input)


@explaining
def tanh(input: Any) -> Any:
    """tanh(x)."""
    return engine.tanh(input)


@explaining
def tanhshrink(input: Any) -> Any:
    """x - tanh(x)."""
    x = operand("tanhshrink", input)
    return x - engine.tanh(x)


@explaining
def threshold(input: Any, threshold: float, value: float) -> Any:
    """x if x > threshold, else a value."""
    x = operand("threshold", input)
    return where(data_of(x) <= threshold, value, x)


def _ramp(x: Any) -> Any:
    return engine.hardtanh(x + 3.0, min_val=0.0, max_val=6.0) / 6


def _cast(x: Any, dtype: DTypeLike | None) -> Any:
    return x if dtype is None else engine.astype(x, dtype=dtype)
