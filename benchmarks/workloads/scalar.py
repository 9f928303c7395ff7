"""A scalar expression of 1,000 operations, forward and backward, by the engines' ordinary number type.

One hundred rounds of ten operations, all those of micrograd's README (+ - * / ** relu), with the four leaves used again in
each round. Every engine runs the same Python function; micrograd's graph is 400 deep, well under its recursion limit.
A step leaves thousands of objects behind: turns are long enough to hold a fair share of the garbage collector's work, and a row
without the collector shows what is left. Half of the operations are the same in each round (a * b - c), which compilers compute
once: in the rows "none repeated" no operation occurs twice.
JAX appears twice: operation by operation as the others work, and compiled beforehand; not in "none repeated", which it compiles
for more than a minute. Numba compiles the text that compile writes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, TypeAlias

from ..emitted import by_numba
from ..work import COMPILED, NUMBA, OURS, Job, Work, flat, timed

LEAVES = (1.5, 2.0, 0.5, 1.25)
Expression: TypeAlias = Callable[[Sequence[Any], Callable[[Any], Any]], Any]


def expression(leaves: Sequence[Any], relu: Callable[[Any], Any]) -> Any:
    """With a * b - c, b**2, c + d and relu's result in each round."""
    a, b, c, d = leaves
    t = a
    for _ in range(100):
        t = t + relu(a * b - c) / d
        t = (t - b**2) * c / (c + d)
    return t


def distinct(leaves: Sequence[Any], relu: Callable[[Any], Any]) -> Any:
    """The same ten operations a round, each of a number that is new in it."""
    a, b, c, d = leaves
    t = a
    for _ in range(100):
        u = relu(b - a * t) / (t**2 + d)
        t = (u + c) * t / (t + b)
    return t


def _relu_method(x: Any) -> Any:
    return x.relu()


def _leaves_with_grad(f: Expression, leaf: Callable[[float], Any], relu: Callable[[Any], Any]) -> Job:
    """The work of an engine that puts gradients on the leaves."""

    def step() -> tuple[Any, list[Any]]:
        leaves = [leaf(x) for x in LEAVES]
        y = f(leaves, relu)
        y.backward()
        return y, leaves

    y, leaves = step()
    return timed(step, flat(y.data, *[x.grad for x in leaves]))


def micrograd(f: Expression) -> Job:
    from micrograd.engine import Value

    return _leaves_with_grad(f, Value, _relu_method)


def ours(f: Expression) -> Job:
    from tinygrad_edu import Value

    return _leaves_with_grad(f, Value, _relu_method)


def compiled(f: Expression) -> Job:
    step = program(f)
    y, gradients = step(*LEAVES)
    return timed(lambda: step(*LEAVES), flat(y, *gradients))


def program(f: Expression) -> Any:
    """The compiled value and gradients, past the two calls that it compares with the function."""
    from tinygrad_edu import compile, relu, value_and_grad

    step = compile(value_and_grad(lambda a, b, c, d: f((a, b, c, d), relu), (0, 1, 2, 3)))
    step(*[x * 1.01 for x in LEAVES])
    step(*LEAVES)
    return step


def numba(f: Expression) -> Job:
    step = by_numba(program(f))
    y, gradients = step(*LEAVES)
    return timed(lambda: step(*LEAVES), flat(y, *gradients))


def torch(f: Expression) -> Job:
    import torch

    torch.set_num_threads(1)

    def leaf(x: float) -> torch.Tensor:
        return torch.tensor(x, dtype=torch.float64, requires_grad=True)

    return _leaves_with_grad(f, leaf, torch.relu)


def mygrad(f: Expression) -> Job:
    from mygrad.nnet.activations import relu
    from mygrad.tensor_base import tensor

    return _leaves_with_grad(f, tensor, relu)


def autograd(f: Expression) -> Job:
    import autograd
    import autograd.numpy as np

    value_and_grad = autograd.value_and_grad(lambda leaves: f(leaves, lambda x: np.maximum(x, 0.0)))

    def step() -> Any:
        return value_and_grad(LEAVES)

    value, gradients = step()
    return timed(step, flat(value, *gradients))


def _jax(f: Expression, jit: bool) -> Job:
    import jax

    jax.config.update("jax_enable_x64", True)

    def value(*leaves: Any) -> Any:
        return f(leaves, jax.nn.relu)

    value_and_grad = jax.value_and_grad(value, argnums=(0, 1, 2, 3))
    if jit:
        value_and_grad = jax.jit(value_and_grad)

    def step() -> Any:
        return jax.block_until_ready(value_and_grad(*LEAVES))

    y, gradients = step()
    return timed(step, flat(y, *gradients))


JOBS: dict[str, Callable[[Expression], Job]] = {
    "micrograd": micrograd,
    OURS: ours,
    COMPILED: compiled,
    NUMBA: numba,
    "torch": torch,
    "jax jit": partial(_jax, jit=True),
    "jax eager": partial(_jax, jit=False),
    "mygrad": mygrad,
    "autograd": autograd,
}


def _work(name: str, title: str, f: Expression, without: Collection[str] = (), collector: bool = True) -> Work:
    return Work(
        name=name,
        title=title,
        reference="micrograd",
        hold=None if without else 0.40,
        rounds=15,
        turn=0.3,
        jobs={engine: partial(job, f) for engine, job in JOBS.items() if engine not in without},
        collector=collector,
    )


_SLOW = ("jax eager", "mygrad", "autograd")
SCALARS = [
    _work("scalar", "scalar, 1,000 operations", expression),
    _work("scalar-uncollected", "the same, garbage collector off", expression, _SLOW, collector=False),
    _work("scalar-distinct", "scalar, 1,000, none repeated", distinct, (*_SLOW, "jax jit")),
    _work("scalar-distinct-uncollected", "the same, collector off", distinct, (*_SLOW, "jax jit"), collector=False),
]
