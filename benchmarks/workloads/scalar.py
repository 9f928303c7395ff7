"""A scalar expression of 1,000 operations, forward and backward, by the engines' ordinary number type.

One hundred rounds of ten operations, all those of micrograd's README (+ - * / ** relu), with the four leaves used again in
each round. Every engine runs the same Python function; micrograd's graph is 400 deep, well under its recursion limit.
A step leaves thousands of objects behind: turns are long enough to hold a fair share of the garbage collector's work.
JAX appears twice: operation by operation as the others work, and compiled beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..work import COMPILED, OURS, Job, Work, flat, timed

LEAVES = (1.5, 2.0, 0.5, 1.25)


def expression(leaves: Sequence[Any], relu: Callable[[Any], Any]) -> Any:
    a, b, c, d = leaves
    t = a
    for _ in range(100):
        t = t + relu(a * b - c) / d
        t = (t - b**2) * c / (c + d)
    return t


def _relu_method(x: Any) -> Any:
    return x.relu()


def _leaves_with_grad(leaf: Callable[[float], Any], relu: Callable[[Any], Any]) -> Job:
    """The work of an engine that puts gradients on the leaves."""

    def step() -> tuple[Any, list[Any]]:
        leaves = [leaf(x) for x in LEAVES]
        y = expression(leaves, relu)
        y.backward()
        return y, leaves

    y, leaves = step()
    return timed(step, flat(y.data, *[x.grad for x in leaves]))


def micrograd() -> Job:
    from micrograd.engine import Value

    return _leaves_with_grad(Value, _relu_method)


def ours() -> Job:
    from tinygrad_edu import Value

    return _leaves_with_grad(Value, _relu_method)


def compiled() -> Job:
    from tinygrad_edu import compile, relu, value_and_grad

    step = compile(value_and_grad(lambda a, b, c, d: expression((a, b, c, d), relu), (0, 1, 2, 3)))
    step(*[x * 1.01 for x in LEAVES])
    y, gradients = step(*LEAVES)
    return timed(lambda: step(*LEAVES), flat(y, *gradients))


def torch() -> Job:
    import torch

    torch.set_num_threads(1)

    def leaf(x: float) -> torch.Tensor:
        return torch.tensor(x, dtype=torch.float64, requires_grad=True)

    return _leaves_with_grad(leaf, torch.relu)


def mygrad() -> Job:
    from mygrad.nnet.activations import relu
    from mygrad.tensor_base import tensor

    return _leaves_with_grad(tensor, relu)


def autograd() -> Job:
    import autograd
    import autograd.numpy as np

    value_and_grad = autograd.value_and_grad(lambda leaves: expression(leaves, lambda x: np.maximum(x, 0.0)))

    def step() -> Any:
        return value_and_grad(LEAVES)

    value, gradients = step()
    return timed(step, flat(value, *gradients))


def _jax(jit: bool) -> Job:
    import jax

    jax.config.update("jax_enable_x64", True)

    def value(*leaves: Any) -> Any:
        return expression(leaves, jax.nn.relu)

    value_and_grad = jax.value_and_grad(value, argnums=(0, 1, 2, 3))
    if jit:
        value_and_grad = jax.jit(value_and_grad)

    def step() -> Any:
        return jax.block_until_ready(value_and_grad(*LEAVES))

    y, gradients = step()
    return timed(step, flat(y, *gradients))


SCALAR = Work(
    name="scalar",
    title="scalar, 1,000 operations",
    reference="micrograd",
    hold=0.40,
    rounds=15,
    turn=0.3,
    jobs={
        "micrograd": micrograd,
        OURS: ours,
        COMPILED: compiled,
        "torch": torch,
        "jax jit": lambda: _jax(jit=True),
        "jax eager": lambda: _jax(jit=False),
        "mygrad": mygrad,
        "autograd": autograd,
    },
)
