"""The checkers, each as (f, vjp, inputs, seed) -> what it says of the gradient."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from tinygrad_edu.errors import GradientError
from tinygrad_edu.testing import check_vjp

from .cases import Array, Inputs, Vjp
from .methods import chainer, mygrad, naive


class Answer(NamedTuple):
    """What a checker says.

    Attributes:
        rejected: the gradient is wrong.
        inconclusive: share of the numbers of which it says that nothing can be told.
    """

    rejected: bool
    inconclusive: float = 0.0


Checker: TypeAlias = Callable[[Callable[..., Array], Vjp, Inputs, int], Answer]


def ours(mode: Any) -> Checker:
    def check(f: Callable[..., Array], vjp: Vjp, inputs: Inputs, seed: int) -> Answer:
        try:
            report = check_vjp(f, vjp, *inputs, mode=mode, seed=seed)
        except GradientError:
            return Answer(True)
        return Answer(False, report.inconclusive / sum(x.size for x in inputs))

    return check


def method(agrees: Callable[[Callable[..., Array], Vjp, Inputs, np.random.Generator], bool]) -> Checker:
    return lambda f, vjp, inputs, seed: Answer(not agrees(f, vjp, inputs, np.random.default_rng(seed)))


def torch_gradcheck(fast: bool) -> Checker:
    import torch
    from torch.autograd import gradcheck
    from torch.autograd.gradcheck import GradcheckError

    torch.set_num_threads(1)

    def check(f: Callable[..., Array], vjp: Vjp, inputs: Inputs, seed: int) -> Answer:
        class Function(torch.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, *xs: Any) -> Any:
                ctx.save_for_backward(*xs)
                return torch.from_numpy(np.array(f(*[x.detach().numpy() for x in xs])))

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                gradients = vjp(g.numpy(), *[x.detach().numpy() for x in ctx.saved_tensors])
                return tuple([torch.from_numpy(np.array(gradient)) for gradient in gradients])

        torch.manual_seed(seed)
        tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
        try:
            gradcheck(Function.apply, tensors, fast_mode=fast)
        except GradcheckError:
            return Answer(True)
        return Answer(False)

    return check


def jax_check_grads() -> Checker:
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)

    def check(f: Callable[..., Array], vjp: Vjp, inputs: Inputs, seed: int) -> Answer:
        @jax.custom_vjp
        def function(*xs: Any) -> Any:
            return jnp.asarray(f(*map(np.asarray, xs)))

        def backward(xs: Any, g: Any) -> Any:
            return tuple(map(jnp.asarray, vjp(np.asarray(g), *map(np.asarray, xs))))

        function.defvjp(lambda *xs: (function(*xs), xs), backward)
        try:
            check_grads(function, inputs, order=1, modes=("rev",))
        except AssertionError:
            return Answer(True)
        return Answer(False)

    return check


def autograd_check_grads() -> Checker:
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    def check(f: Callable[..., Array], vjp: Vjp, inputs: Inputs, seed: int) -> Answer:
        function = primitive(lambda *xs: f(*xs))
        defvjp(function, *[lambda y, *xs, i=i: lambda g: vjp(g, *xs)[i] for i in range(len(inputs))])
        np.random.seed(seed)
        try:
            check_grads(function, tuple(range(len(inputs))), modes=["rev"], order=1)(*inputs)
        except AssertionError:
            return Answer(True)
        return Answer(False)

    return check


def checkers() -> dict[str, Checker]:
    """By name, ours first."""
    warnings.filterwarnings("ignore", message="Input #", module="torch")  # float32 inputs
    return {
        "ours": ours("screen"),
        "ours, full": ours("full"),
        "torch slow": torch_gradcheck(fast=False),
        "torch fast": torch_gradcheck(fast=True),
        "jax": jax_check_grads(),
        "autograd": autograd_check_grads(),
        "chainer": method(chainer),
        "mygrad": method(mygrad),
        "naive": method(naive),
    }


WHOLE = ("ours, full", "torch slow", "mygrad")  # look at every number: not for 100,000 of them
