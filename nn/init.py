"""Initial values for parameters. Each takes a shape (fan_out, fan_in, ...) and a random generator."""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs feed one output of a weight of this shape, and how many outputs one input feeds."""
    if len(shape) < 2:
        return (prod(shape), prod(shape))
    field = prod(shape[2:])
    return shape[1] * field, shape[0] * field


def zeros(shape: tuple[int, ...], dtype: DTypeLike = float) -> NDArray[Any]:
    """All zeros."""
    return np.zeros(shape, dtype)


def uniform(
    shape: tuple[int, ...], low: float, high: float, rng: np.random.Generator, dtype: DTypeLike = float
) -> NDArray[Any]:
    """Uniform on [low, high)."""
    return rng.uniform(low, high, shape).astype(dtype)


def normal(
    shape: tuple[int, ...], mean: float, std: float, rng: np.random.Generator, dtype: DTypeLike = float
) -> NDArray[Any]:
    """Normal with this mean and standard deviation."""
    return rng.normal(mean, std, shape).astype(dtype)


def xavier_uniform(shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike = float) -> NDArray[Any]:
    """Uniform on ±√(6 / (fan_in + fan_out)), for tanh and sigmoid (Glorot & Bengio 2010)."""
    bound = sqrt(6.0 / max(sum(fans(shape)), 1))
    return uniform(shape, -bound, bound, rng, dtype)


def kaiming_uniform(shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike = float) -> NDArray[Any]:
    """Uniform on ±√(6 / fan_in), for relu (He et al. 2015)."""
    bound = sqrt(6.0 / max(fans(shape)[0], 1))
    return uniform(shape, -bound, bound, rng, dtype)
