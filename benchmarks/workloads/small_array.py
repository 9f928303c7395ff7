"""tanh(x*y + y).sum() of two (8, 8) float32 arrays, forward and backward: so small that the engine itself is what is timed.

The leaves stay and their gradients are cleared for each step, as in a training loop. By hand the arrays made on the way are
used again in place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..emitted import by_numba
from ..work import COMPILED, HAND, NUMBA, OURS, Job, Work, flat, timed

_rng = np.random.default_rng(0)
X, Y = _rng.standard_normal((2, 8, 8), dtype=np.float32)


def by_hand() -> Job:
    x, y = X, Y

    def step() -> tuple[Any, Any, Any]:
        t = x * y
        t += y
        np.tanh(t, out=t)
        total = t.sum()
        np.multiply(t, t, out=t)
        g = np.subtract(1, t, out=t)
        x_grad = g * y
        y_grad = g * x
        y_grad += g
        return total, x_grad, y_grad

    return timed(step, flat(*step()))


def ours() -> Job:
    from tinygrad_edu import Value, tanh

    x, y = Value(X), Value(Y)

    def step() -> Any:
        x.grad = y.grad = None
        total = tanh(x * y + y).sum()
        total.backward()
        return total

    return timed(step, flat(step().data, x.grad, y.grad))


def program() -> Any:
    from tinygrad_edu import compile, tanh, value_and_grad

    step = compile(value_and_grad(lambda x, y: tanh(x * y + y).sum(), (0, 1)))
    step(X * 2, Y)
    step(X, Y)
    return step


def compiled() -> Job:
    step = program()
    total, gradients = step(X, Y)
    return timed(lambda: step(X, Y), flat(total, *gradients))


def numba() -> Job:
    step = by_numba(program())
    total, gradients = step(X, Y)
    return timed(lambda: step(X, Y), flat(total, *gradients))


def torch() -> Job:
    import torch

    torch.set_num_threads(1)
    x, y = (torch.tensor(a, requires_grad=True) for a in (X, Y))

    def step() -> Any:
        x.grad = y.grad = None
        total = torch.tanh(x * y + y).sum()
        total.backward()
        return total

    return timed(step, flat(step().detach(), x.grad, y.grad))


def mygrad() -> Job:
    import mygrad
    from mygrad.tensor_base import tensor

    x, y = tensor(X), tensor(Y)

    def step() -> Any:
        x.null_grad()
        y.null_grad()
        total = mygrad.tanh(x * y + y).sum()
        total.backward()
        return total

    return timed(step, flat(step().data, x.grad, y.grad))


def autograd() -> Job:
    import autograd
    import autograd.numpy as np

    value_and_grad = autograd.value_and_grad(lambda xy: np.sum(np.tanh(xy[0] * xy[1] + xy[1])))

    def step() -> Any:
        return value_and_grad((X, Y))

    total, gradients = step()
    return timed(step, flat(total, *gradients))


def jax() -> Job:
    import jax
    import jax.numpy as jnp

    value_and_grad = jax.jit(jax.value_and_grad(lambda x, y: jnp.tanh(x * y + y).sum(), argnums=(0, 1)))
    x, y = jnp.asarray(X), jnp.asarray(Y)

    def step() -> Any:
        return jax.block_until_ready(value_and_grad(x, y))

    total, gradients = step()
    return timed(step, flat(total, *gradients))


SMALL_ARRAY = Work(
    name="small-array",
    title="tanh(x*y + y).sum(), (8, 8)",
    reference="torch",
    hold=0.40,
    jobs={
        "torch": torch,
        OURS: ours,
        COMPILED: compiled,
        NUMBA: numba,
        HAND: by_hand,
        "jax jit": jax,
        "mygrad": mygrad,
        "autograd": autograd,
    },
    tolerance=1e-5,
)
