"""Functions with gradients by hand, in plain NumPy, on about 20 numbers: what every checker is given.

A gradient takes the cotangent g, the inputs, and `total`, which sums what broadcasting spread: a fault replaces it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Inputs: TypeAlias = tuple[Array, ...]
Vjp: TypeAlias = Callable[..., Inputs]  # (g, *inputs) -> one gradient per input
SIDE = 4


@dataclass(frozen=True)
class Case:
    """A function, its gradient, and where to check it.

    Attributes:
        f: arrays -> array.
        vjp: (g, *inputs, total=np.sum) -> gradients of sum(g * f), in a tuple.
        draw: a generator -> inputs.
        broadcasts: position of the input whose gradient is summed by `total`, if any.
        ties: a generator -> inputs at ties or kinks, and `vjp_outside` what is no subgradient there.
    """

    name: str
    f: Callable[..., Array]
    vjp: Vjp
    draw: Callable[[np.random.Generator], Inputs]
    broadcasts: int | None = None
    ties: Callable[[np.random.Generator], Inputs] | None = None
    vjp_outside: Vjp | None = None


def square(rng: np.random.Generator) -> Inputs:
    """One matrix."""
    return (rng.standard_normal((SIDE, SIDE)),)


def away(rng: np.random.Generator) -> Inputs:
    """One matrix of numbers not near 0, distinct."""
    x = rng.uniform(0.1, 2, (SIDE, SIDE)) * rng.choice([-1.0, 1.0], (SIDE, SIDE))
    return (x,)


def spread(rng: np.random.Generator) -> Inputs:
    """One matrix whose numbers are at least 0.1 apart."""
    return (rng.permutation(SIDE * SIDE).reshape(SIDE, SIDE) / 4 + rng.uniform(0, 0.1),)


def tied(rng: np.random.Generator) -> Inputs:
    """The same, with a second largest number in each row that is as large."""
    (x,) = spread(rng)
    rows, order = np.arange(SIDE), np.argsort(x, axis=1)
    x[rows, order[:, -2]] = x[rows, order[:, -1]]
    return (x,)


def with_zero(rng: np.random.Generator) -> Inputs:
    """One matrix with an exact 0."""
    (x,) = away(rng)
    x.flat[rng.integers(x.size)] = 0.0
    return (x,)


def softmax(x: Array) -> Array:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_vjp(g: Array, x: Array, total: Any = np.sum) -> Inputs:
    y = softmax(x)
    return (y * (g - np.sum(g * y, axis=-1, keepdims=True)),)


def standardised(x: Array) -> tuple[Array, Array]:
    """Rows less their mean, over their deviation; and one over it."""
    centred = x - np.mean(x, axis=-1, keepdims=True)
    inverse = 1 / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
    return centred * inverse, inverse


def layer_norm(x: Array, gain: Array, bias: Array) -> Array:
    return standardised(x)[0] * gain + bias


def layer_norm_vjp(g: Array, x: Array, gain: Array, bias: Array, total: Any = np.sum) -> Inputs:
    z, inverse = standardised(x)
    h = g * gain
    mean, along = np.mean(h, axis=-1, keepdims=True), np.mean(h * z, axis=-1, keepdims=True)
    return inverse * (h - mean - z * along), total(g * z, axis=0), total(g, axis=0)


def logsumexp(x: Array) -> Array:
    high = np.max(x, axis=-1)
    return high + np.log(np.sum(np.exp(x - high[..., None]), axis=-1))


def slide(x: Array, kernel: Array) -> Array:
    """Sums of products of the kernel with every window, as in a convolution of one dimension."""
    return np.lib.stride_tricks.sliding_window_view(x, kernel.size) @ kernel


def slide_vjp(g: Array, x: Array, kernel: Array, total: Any = np.sum) -> Inputs:
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.size)
    return np.convolve(g, kernel), g @ windows


def max_vjp(g: Array, x: Array, total: Any = np.sum) -> Inputs:
    """Ties share equally."""
    largest = x == np.max(x, axis=1, keepdims=True)
    return (g[:, None] * largest / np.sum(largest, axis=1, keepdims=True),)


def matrices(rng: np.random.Generator) -> Inputs:
    return rng.standard_normal((SIDE, SIDE)), rng.standard_normal((SIDE, SIDE))


def matrix_and_row(rng: np.random.Generator) -> Inputs:
    return rng.standard_normal((SIDE, SIDE)), rng.uniform(0.5, 2, SIDE)


CASES = (
    Case("tanh", np.tanh, lambda g, x, total=np.sum: (g * (1 - np.tanh(x) ** 2),), square),
    Case("exp", np.exp, lambda g, x, total=np.sum: (g * np.exp(x),), square),
    Case("x^3", lambda x: x**3, lambda g, x, total=np.sum: (g * 3 * x**2,), away),
    Case("matmul", lambda a, b: a @ b, lambda g, a, b, total=np.sum: (g @ b.T, a.T @ g), matrices),
    Case("softmax", softmax, softmax_vjp, square),
    Case(
        "layer norm",
        layer_norm,
        layer_norm_vjp,
        lambda rng: (*matrix_and_row(rng), rng.standard_normal(SIDE)),
        broadcasts=1,
    ),
    Case("logsumexp", logsumexp, lambda g, x, total=np.sum: (g[:, None] * softmax(x),), square),
    Case(
        "weighted sum",
        lambda a, b: np.sum(a * b, axis=1),
        lambda g, a, b, total=np.sum: (g[:, None] * b, total(g[:, None] * a, axis=0)),
        matrix_and_row,
        broadcasts=1,
    ),
    Case(
        "divide",
        lambda a, b: a / b,
        lambda g, a, b, total=np.sum: (g / b, total(-g * a / b**2, axis=0)),
        matrix_and_row,
        broadcasts=1,
    ),
    Case("mean of squares", lambda x: np.mean(x**2), lambda g, x, total=np.sum: (g * 2 * x / x.size,), square),
    Case(
        "sliding product",
        slide,
        slide_vjp,
        lambda rng: (rng.standard_normal(16), rng.standard_normal(4)),
    ),
    Case(
        "max",
        lambda x: np.max(x, axis=1),
        max_vjp,
        spread,
        ties=tied,
        vjp_outside=lambda g, x: (g[:, None] * (x == np.max(x, axis=1, keepdims=True)),),
    ),
    Case(
        "relu",
        lambda x: np.maximum(x, 0),
        lambda g, x, total=np.sum: (g * (x > 0),),
        away,
        ties=with_zero,
        vjp_outside=lambda g, x: (g * ((x > 0) + 1.5 * (x == 0)),),
    ),
)
RELU, MAX = CASES[-1], CASES[-2]
