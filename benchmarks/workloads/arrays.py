"""Functions of arrays as a user writes them, beside NumPy written by hand: layer norm, logsumexp, a recurrent net, a fit of RK4.

Value and gradient. By hand the arrays made on the way are used again in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..work import COMPILED, HAND, OURS, Job, Work, flat, timed

_rng = np.random.default_rng(0)
ROWS = _rng.standard_normal((256, 512))
SEEDS = _rng.standard_normal((256, 512))
GAIN, SHIFT = _rng.standard_normal((2, 512))
STEPS, UNITS = 100, 32
INPUTS = _rng.standard_normal((STEPS, 16, UNITS))
WEIGHTS = [_rng.standard_normal((UNITS, UNITS)) * 0.1, _rng.standard_normal((UNITS, UNITS)) * 0.1, np.zeros(UNITS)]
START, RATES = _rng.uniform(0.1, 0.4, 6), _rng.uniform(0.5, 1.5, 6)


def layer_norm(x: Any, gain: Any, shift: Any) -> Any:
    """Normalized rows, weighted by SEEDS: composed of operations, with the gradient that follows from them."""
    centered = x - x.mean(axis=1, keepdims=True)
    spread = ((centered * centered).mean(axis=1, keepdims=True) + 1e-5) ** 0.5
    return ((centered / spread * gain + shift) * SEEDS).sum()


def _layer_norm_by_hand(x: Any, gain: Any, shift: Any) -> tuple[Any, list[Any]]:
    """The fused gradient: dx = (d - mean d - n mean(d n)) / spread, for normalized rows n and their gradient d."""
    n = x - np.add.reduce(x, axis=1, keepdims=True) / 512
    d = n * n
    spread = np.sqrt(np.add.reduce(d, axis=1, keepdims=True) / 512 + 1e-5)
    n /= spread
    np.multiply(n, gain, out=d)
    d += shift
    d *= SEEDS
    value = d.sum()
    np.multiply(SEEDS, n, out=d)
    gain_grad = np.add.reduce(d, axis=0)
    np.multiply(SEEDS, gain, out=d)
    mean = np.add.reduce(d, axis=1, keepdims=True) / 512
    product = d * n
    n *= np.add.reduce(product, axis=1, keepdims=True) / 512
    d -= mean
    d -= n
    d /= spread
    return value, [d, gain_grad, np.add.reduce(SEEDS, axis=0)]


def logsumexp(x: Any) -> Any:
    """The sum of logsumexp of the rows."""
    from tinygrad_edu import logsumexp

    return logsumexp(x, axis=1).sum()


def _logsumexp_by_hand(x: Any) -> tuple[Any, list[Any]]:
    largest = np.maximum.reduce(x, axis=1, keepdims=True)
    e = x - largest
    np.exp(e, out=e)
    total = np.add.reduce(e, axis=1, keepdims=True)
    value = (np.log(total) + largest).sum()
    e /= total
    return value, [e]


def recurrent(W: Any, U: Any, b: Any) -> Any:
    """A recurrent net's last state, squared and summed."""
    from tinygrad_edu import tanh

    h: Any = np.zeros((16, UNITS))
    for x in INPUTS:
        h = tanh(x @ W + h @ U + b)
    return (h * h).sum()


def _recurrent_by_hand(W: Any, U: Any, b: Any) -> tuple[Any, list[Any]]:
    states = [np.zeros((16, UNITS))]
    for x in INPUTS:
        h = x @ W
        h += states[-1] @ U
        h += b
        states.append(np.tanh(h, out=h))
    last = states[-1]
    value = (last * last).sum()
    W_grad, U_grad, b_grad = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    g = 2 * last
    for i in range(STEPS, 0, -1):
        h = states[i]
        g *= 1 - h * h
        b_grad += np.add.reduce(g, axis=0)
        W_grad += INPUTS[i - 1].T @ g
        U_grad += states[i - 1].T @ g
        g = g @ U.T
    return value, [W_grad, U_grad, b_grad]


def growth(start: Any, rates: Any) -> Any:
    """Logistic growth of six populations by 200 steps of Runge and Kutta; how far the last sizes are from 0.9, squared."""

    def slope(y: Any) -> Any:
        return rates * y * (1 - y)

    y, h = start, 0.02
    for _ in range(200):
        k1 = slope(y)
        k2 = slope(y + k1 * (h / 2))
        k3 = slope(y + k2 * (h / 2))
        k4 = slope(y + k3 * h)
        y = y + (k1 + 2 * k2 + 2 * k3 + k4) * (h / 6)
    return ((y - 0.9) * (y - 0.9)).sum()


def _by_hand(f: Callable[..., Any], inputs: Sequence[Any]) -> Job:
    value, gradients = f(*inputs)
    return timed(lambda: f(*inputs), flat(value, *gradients))


def _recorded(f: Callable[..., Any], inputs: Sequence[Any]) -> Job:
    from tinygrad_edu import value_and_grad

    return _by_hand(value_and_grad(f, tuple(range(len(inputs)))), inputs)


def _compiled(f: Callable[..., Any], inputs: Sequence[Any]) -> Job:
    from tinygrad_edu import compile, value_and_grad

    step = compile(value_and_grad(f, tuple(range(len(inputs)))))
    step(*[x * 1.01 for x in inputs])
    step(*inputs)
    return _by_hand(step, inputs)


def _work(name: str, title: str, f: Callable[..., Any], hand: Callable[..., Any] | None, inputs: Sequence[Any]) -> Work:
    jobs: dict[str, Callable[[], Job]] = {} if hand is None else {HAND: lambda: _by_hand(hand, inputs)}
    jobs |= {OURS: lambda: _recorded(f, inputs), COMPILED: lambda: _compiled(f, inputs)}
    return Work(name=name, title=title, reference=OURS if hand is None else HAND, jobs=jobs)


ARRAYS = [
    _work("layer-norm", "layer norm, (256, 512)", layer_norm, _layer_norm_by_hand, [ROWS, GAIN, SHIFT]),
    _work("logsumexp", "logsumexp of rows, (256, 512)", logsumexp, _logsumexp_by_hand, [ROWS]),
    _work("recurrent", "recurrent net, 100 steps", recurrent, _recurrent_by_hand, WEIGHTS),
    _work("rk4", "RK4, 200 steps on (6,)", growth, None, [START, RATES]),
]
