"""Initial values for parameters: each takes a shape (fan_out, fan_in, ...) and returns an array.

Layers say in their docstrings what they start from. To start from something else, assign to a parameter's data:

    layer.weight.data[...] = init.orthogonal(layer.weight.shape, rng)

The names are PyTorch's without the final underscore; randomness comes from `rng`, a generator or a seed for one.
"""

from __future__ import annotations

from math import erf, prod, sqrt
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinygrad_edu import ShapeError, TinygradError

from .checks import explaining, generator
from .elsewhere import unknown

__all__ = [
    "calculate_gain",
    "constant",
    "fans",
    "kaiming_normal",
    "kaiming_uniform",
    "normal",
    "ones",
    "orthogonal",
    "scaled_normal",
    "trunc_normal",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

_IN_PLACE = {  # PyTorch's names
    f"{name}_": f"layer.weight.data = nn.init.{name}(layer.weight.shape, ...)" for name in __all__
}

__getattr__ = unknown("nn.init", _IN_PLACE)

Shape: TypeAlias = tuple[int, ...]
Rng: TypeAlias = np.random.Generator | int
Mode: TypeAlias = Literal["fan_in", "fan_out"]

# How much an activation shrinks the spread of what passes through it, so how much larger the weights before it are to be.
GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": sqrt(2.0), "selu": 0.75}


@explaining
def calculate_gain(nonlinearity: str, negative_slope: float = 0.01) -> float:
    """The factor that keeps the spread of numbers through layers with this activation, after PyTorch's table.

    Raises TinygradError for an activation that is not in it.
    """
    if nonlinearity == "leaky_relu":
        return sqrt(2.0 / (1 + negative_slope**2))
    if nonlinearity not in GAINS:
        known = ", ".join([*GAINS, "leaky_relu"])
        raise TinygradError(f"calculate_gain: got {nonlinearity!r}, expected one of {known}")
    return GAINS[nonlinearity]


@explaining
def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs feed one output of a weight of this shape, and how many outputs one input feeds.

    Raises ShapeError for fewer than two axes, as of a bias.
    """
    if len(shape) < 2:
        raise ShapeError(f"init: got shape {shape}, expected (fan_out, fan_in, ...); use zeros or uniform for a bias")
    field = prod(shape[2:])
    return shape[1] * field, shape[0] * field


@explaining
def zeros(shape: Shape, dtype: DTypeLike = float) -> NDArray[Any]:
    """All 0."""
    return np.zeros(shape, dtype)


@explaining
def ones(shape: Shape, dtype: DTypeLike = float) -> NDArray[Any]:
    """All 1."""
    return np.ones(shape, dtype)


@explaining
def constant(shape: Shape, value: float, dtype: DTypeLike = float) -> NDArray[Any]:
    """All the same number."""
    return np.full(shape, value, dtype)


@explaining
def uniform(shape: Shape, low: float, high: float, rng: Rng, dtype: DTypeLike = float) -> NDArray[Any]:
    """Uniform on [low, high)."""
    return generator("uniform", rng).uniform(low, high, shape).astype(dtype)


@explaining
def normal(shape: Shape, mean: float, std: float, rng: Rng, dtype: DTypeLike = float) -> NDArray[Any]:
    """Normal with this mean and standard deviation; normal(shape, 0, 1, rng) is what Nielsen's book starts from."""
    return generator("normal", rng).normal(mean, std, shape).astype(dtype)


@explaining
def trunc_normal(
    shape: Shape, mean: float, std: float, rng: Rng, low: float = -2.0, high: float = 2.0, dtype: DTypeLike = float
) -> NDArray[Any]:
    """Normal numbers, those outside [low, high] drawn again. Raises TinygradError if fewer than one in 1,000 lies inside."""
    inside = (erf((high - mean) / (std * sqrt(2))) - erf((low - mean) / (std * sqrt(2)))) / 2 if std > 0 else 0.0
    if not inside >= 1e-3:
        got = f"mean={mean}, std={std}, low={low}, high={high}"
        expected = "std > 0, and low < high with at least one in 1,000 numbers between them"
        raise TinygradError(f"trunc_normal: got {got}; expected {expected}")
    rng = generator("trunc_normal", rng)
    x = np.asarray(rng.normal(mean, std, shape))
    while (outside := (x < low) | (x > high)).any():
        x[outside] = rng.normal(mean, std, int(outside.sum()))
    return x.astype(dtype)


@explaining
def scaled_normal(shape: Shape, rng: Rng, dtype: DTypeLike = float) -> NDArray[Any]:
    """Normal with standard deviation 1/√fan_in: a weighed sum of so many numbers of size 1 is of size 1 (LeCun et al. 1998).

    The better start of Nielsen's book, chapter 3.
    """
    return normal(shape, 0.0, 1 / sqrt(max(fans(shape)[0], 1)), rng, dtype)


def _xavier_std(shape: Shape, gain: float) -> float:
    return gain * sqrt(2.0 / max(sum(fans(shape)), 1))


@explaining
def xavier_uniform(shape: Shape, rng: Rng, gain: float = 1.0, dtype: DTypeLike = float) -> NDArray[Any]:
    """Uniform on ±gain √(6 / (fan_in + fan_out)), for tanh and sigmoid (Glorot & Bengio 2010)."""
    bound = sqrt(3.0) * _xavier_std(shape, gain)
    return uniform(shape, -bound, bound, rng, dtype)


@explaining
def xavier_normal(shape: Shape, rng: Rng, gain: float = 1.0, dtype: DTypeLike = float) -> NDArray[Any]:
    """Normal with standard deviation gain √(2 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    return normal(shape, 0.0, _xavier_std(shape, gain), rng, dtype)


def _kaiming_std(shape: Shape, mode: Mode, nonlinearity: str, negative_slope: float) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise TinygradError(f"kaiming: got mode={mode!r}, expected 'fan_in' or 'fan_out'")
    return calculate_gain(nonlinearity, negative_slope) / sqrt(max(fans(shape)[mode == "fan_out"], 1))


@explaining
def kaiming_uniform(
    shape: Shape,
    rng: Rng,
    mode: Mode = "fan_in",
    nonlinearity: str = "relu",
    negative_slope: float = 0.0,
    dtype: DTypeLike = float,
) -> NDArray[Any]:
    """Uniform on ±gain √(3 / fan) (He et al. 2015): "fan_in" keeps the spread forwards, "fan_out" that of gradients backwards."""
    bound = sqrt(3.0) * _kaiming_std(shape, mode, nonlinearity, negative_slope)
    return uniform(shape, -bound, bound, rng, dtype)


@explaining
def kaiming_normal(
    shape: Shape,
    rng: Rng,
    mode: Mode = "fan_in",
    nonlinearity: str = "relu",
    negative_slope: float = 0.0,
    dtype: DTypeLike = float,
) -> NDArray[Any]:
    """Normal with standard deviation gain / √fan; see `kaiming_uniform`."""
    return normal(shape, 0.0, _kaiming_std(shape, mode, nonlinearity, negative_slope), rng, dtype)


@explaining
def orthogonal(shape: Shape, rng: Rng, gain: float = 1.0, dtype: DTypeLike = float) -> NDArray[Any]:
    """gain times a random matrix with orthonormal rows or columns, whichever are fewer (Saxe et al. 2013).

    Axes from the second on count as one. Raises ShapeError for fewer than two.
    """
    fans(shape)  # for its ShapeError
    rows, columns = shape[0], prod(shape[1:])
    q, r = np.linalg.qr(generator("orthogonal", rng).normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diagonal(r))  # else the choice would not be uniform
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)
