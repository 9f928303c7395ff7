"""Right gradients at points that are hard on a checker: whoever rejects one raises a false alarm."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .cases import CASES, MAX, RELU, Array, Inputs, Vjp

BY_NAME = {case.name: case for case in CASES}
TANH, SOFTMAX, NORM, SQUARES = (BY_NAME[name] for name in ("tanh", "softmax", "layer norm", "mean of squares"))
LARGE = 100_000
SIGNS = np.array([1.0, -2.0] * 10)


class Hard(NamedTuple):
    """A function, its right gradient, and hard points.

    Attributes:
        seeds: how many are drawn; None for as many as elsewhere.
        large: too many numbers for checkers that look at each.
    """

    f: Callable[..., Array]
    vjp: Vjp
    draw: Callable[[np.random.Generator], Inputs]
    seeds: int | None = None
    large: bool = False


def near_kink(rng: np.random.Generator) -> Inputs:
    x = rng.standard_normal(20)
    x[:2] = rng.uniform(-1e-3, 1e-3, 2)
    return (x,)


def near_pole(rng: np.random.Generator) -> Inputs:
    x = rng.uniform(0.5, 2, 20) * rng.choice([-1.0, 1.0], 20)
    x[:5] *= 10 ** rng.uniform(-4, -2, 5)
    return (x,)


def single_precision(rng: np.random.Generator) -> Inputs:
    return (rng.standard_normal(20).astype(np.float32),)


def softmax_wide(rng: np.random.Generator) -> Inputs:
    return (4 * rng.standard_normal((4, 5)),)


def every_fifth(g: Array, x: Array) -> Inputs:
    gradient = np.zeros_like(x)
    gradient[::5] = g * 2 * x[::5]
    return (gradient,)


def to_the_first(g: Array, x: Array) -> Inputs:
    gradient = np.zeros_like(x)
    gradient[np.arange(len(x)), np.argmax(x, axis=1)] = g
    return (gradient,)


HARD = {
    "relu, one exact 0": Hard(RELU.f, RELU.vjp, RELU.ties or RELU.draw),
    "relu, 10% within 1e-3 of 0": Hard(RELU.f, RELU.vjp, near_kink),
    "max, tied, in equal shares": Hard(MAX.f, MAX.vjp, MAX.ties or MAX.draw),
    "max, tied, all to the first": Hard(MAX.f, to_the_first, MAX.ties or MAX.draw),
    "relu, all 0": Hard(RELU.f, RELU.vjp, lambda rng: (np.zeros(20),)),
    "sum of weighted relus, all 0": Hard(
        lambda x: np.sum(SIGNS * RELU.f(x)), lambda g, x: (g * SIGNS * (x > 0),), lambda rng: (np.zeros(20),)
    ),
    "1/x near 0": Hard(lambda x: 1 / x, lambda g, x: (-g / x**2,), near_pole),
    "x^3 up to 1e6": Hard(
        lambda x: x**3,
        lambda g, x: (3 * g * x**2,),
        lambda rng: (10 ** rng.uniform(-2, 6, 20) * rng.choice([-1, 1], 20),),
    ),
    "exp near overflow": Hard(np.exp, lambda g, x: (g * np.exp(x),), lambda rng: (rng.uniform(650, 709.7, 20),)),
    "tanh in float32": Hard(np.tanh, TANH.vjp, single_precision),
    "sparse Jacobian": Hard(lambda x: x[::5] ** 2, every_fifth, lambda rng: (rng.standard_normal(50),)),
    "softmax": Hard(SOFTMAX.f, SOFTMAX.vjp, softmax_wide),
    "layer norm": Hard(NORM.f, NORM.vjp, NORM.draw),
    "100,000 inputs, tanh": Hard(np.tanh, TANH.vjp, lambda rng: (rng.standard_normal(LARGE),), 5, large=True),
    "100,000 inputs, mean of squares": Hard(
        SQUARES.f, SQUARES.vjp, lambda rng: (rng.standard_normal(LARGE),), 5, large=True
    ),
}
