"""Three ways of checking a gradient, re-stated from what they are documented to do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .cases import Array, Inputs, Vjp


def chainer(f: Callable[..., Array], vjp: Vjp, inputs: Inputs, rng: np.random.Generator) -> bool:
    """One random direction of length 1 through all inputs, one central difference of step 1e-3, in float64.

    Chainer 7, chainer.gradient_check.check_backward and numerical_grad with their defaults: eps 1e-3, atol 1e-5, rtol 1e-4.
    """
    g = rng.standard_normal(np.shape(f(*inputs)))
    claimed = vjp(g.astype(inputs[0].dtype), *inputs)
    directions = [rng.standard_normal(x.shape) for x in inputs]
    length = np.sqrt(sum(float(np.sum(d**2)) for d in directions))
    eps = 1e-3

    def moved(t: float) -> Array:
        xs = [(x + t * d / length).astype(x.dtype) for x, d in zip(inputs, directions, strict=True)]
        return np.asarray(f(*xs), float)

    slope = np.sum((moved(eps) - moved(-eps)) * g) / (2 * eps)
    said = sum(float(np.sum(c * d)) for c, d in zip(claimed, directions, strict=True)) / length
    return bool(np.isclose(slope, said, rtol=1e-4, atol=1e-5))


def mygrad(f: Callable[..., Array], vjp: Vjp, inputs: Inputs, rng: np.random.Generator) -> bool:
    """Every number moved by 1e-8 to both sides.

    MyGrad, tests/utils/numerical_gradient.py, finite_difference, with the h, rtol and atol of its tests of functions that are
    not analytic; number by number as its numerical_gradient_full, for functions that are not elementwise.
    """
    h, (rtol, atol) = 1e-8, MYGRAD_TOLERANCE
    g = np.asarray(rng.uniform(-10, 10, np.shape(f(*inputs))), inputs[0].dtype)
    for i, (x, claimed) in enumerate(zip(inputs, vjp(g, *inputs), strict=True)):
        slopes = np.empty(x.shape)
        for place in np.ndindex(x.shape):
            above, below = x.copy(), x.copy()
            above[place] += h
            below[place] -= h
            change = f(*inputs[:i], above, *inputs[i + 1 :]) - f(*inputs[:i], below, *inputs[i + 1 :])
            slopes[place] = np.sum(g * change) / (2 * h)
        if not np.allclose(claimed, slopes, rtol=rtol, atol=atol):
            return False
    return True


MYGRAD_TOLERANCE = (1e-4, 1e-4)


def naive(f: Callable[..., Array], vjp: Vjp, inputs: Inputs, rng: np.random.Generator) -> bool:
    """One number, drawn at random, of the gradient of f.sum(), with step 1e-5 and relative error 1e-2.

    As in the grad_check_sparse of course notes (Stanford CS231n, "Gradient checks"), with their error |a - n| / (|a| + |n|).
    """
    i = int(rng.integers(len(inputs)))
    place = int(rng.integers(inputs[i].size))
    y = f(*inputs)
    claimed = vjp(np.ones_like(y), *inputs)[i].flat[place]
    sums = []
    for h in (1e-5, -1e-5):
        moved = inputs[i].copy()
        moved.flat[place] += h
        sums.append(float(np.sum(f(*inputs[:i], moved, *inputs[i + 1 :]))))
    slope = (sums[0] - sums[1]) / 2e-5
    apart, size = abs(claimed - slope), abs(claimed) + abs(slope)
    return bool(apart <= 1e-2 * size or size < 1e-8)
