"""Single operations on arrays of usual sizes: forward, and the gradients of all inputs from one given for the result.

Each engine has a function that computes the result from its own arrays, the engine's module first; an engine without the
operation is left out. No figure is held: these rows are for knowing where an operation stands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..work import COMPILED, HAND, OURS, Job, Work, flat, timed

Arrays: TypeAlias = list[NDArray[Any]]
Function: TypeAlias = Callable[..., Any]  # of the engine's module, then arrays
Runner: TypeAlias = Callable[[Function, Arrays, NDArray[Any]], Job]


def _ours(function: Function, arrays: Arrays, g: NDArray[Any]) -> Job:
    import tinygrad_edu

    values = [tinygrad_edu.Value(a) for a in arrays]

    def step() -> Any:
        for v in values:
            v.grad = None
        y = function(tinygrad_edu, *values)
        y.backward(g)
        return y

    return timed(step, flat(step().data, *[v.grad for v in values]))


def _compiled(function: Function, arrays: Arrays, g: NDArray[Any]) -> Job:
    import tinygrad_edu

    def both(*inputs: Any) -> Any:
        y, pull = tinygrad_edu.vjp(lambda *values: function(tinygrad_edu, *values), *inputs)
        return y, *pull(g)

    step = tinygrad_edu.compile(both)
    step(*[a * np.asarray(1.001, a.dtype) for a in arrays])
    return timed(lambda: step(*arrays), flat(*step(*arrays)))


def _torch(function: Function, arrays: Arrays, g: NDArray[Any]) -> Job:
    import torch

    torch.set_num_threads(1)
    tensors, weights = [torch.tensor(a, requires_grad=True) for a in arrays], torch.tensor(g)

    def step() -> Any:
        for t in tensors:
            t.grad = None
        y = function(torch, *tensors)
        y.backward(weights)
        return y

    return timed(step, flat(step().detach(), *[t.grad for t in tensors]))


def _mygrad(function: Function, arrays: Arrays, g: NDArray[Any]) -> Job:
    import mygrad
    import mygrad.nnet.layers
    from mygrad.tensor_base import tensor

    tensors = [tensor(a) for a in arrays]

    def step() -> Any:
        for t in tensors:
            t.null_grad()
        y = function(mygrad, *tensors)
        y.backward(g)
        return y

    return timed(step, flat(step().data, *[t.grad for t in tensors]))


def _autograd(function: Function, arrays: Arrays, g: NDArray[Any]) -> Job:
    import autograd
    import autograd.numpy
    import autograd.scipy.signal
    import autograd.scipy.special

    def step() -> Any:
        vjp, y = autograd.make_vjp(lambda inputs: function(autograd, *inputs))(tuple(arrays))
        return y, *vjp(g)

    return timed(step, flat(*step()))


def _by_hand(function: Function, arrays: Arrays, g: NDArray[Any]) -> Job:
    """The function takes g before the arrays, and returns the gradients after the result."""
    return timed(lambda: function(np, g, *arrays), flat(*function(np, g, *arrays)))


RUNNERS: dict[str, Runner] = {
    "torch": _torch,
    OURS: _ours,
    COMPILED: _compiled,
    HAND: _by_hand,
    "mygrad": _mygrad,
    "autograd": _autograd,
}


def _work(
    name: str, title: str, arrays: Arrays, result: tuple[int, ...], functions: dict[str, Function], tolerance: float
) -> Work:
    g = np.random.default_rng(1).standard_normal(result).astype(arrays[0].dtype)
    jobs: dict[str, Callable[[], Job]] = {
        engine: partial(run, functions[engine], arrays, g) for engine, run in RUNNERS.items() if engine in functions
    }
    return Work(name=name, title=title, reference="torch", jobs=jobs, tolerance=tolerance, rounds=21)


def _normal(*shape: int, dtype: Any = np.float64) -> NDArray[Any]:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


_single = partial(_normal, dtype=np.float32)


def _normalized(np: Any, x: Any, weight: Any, bias: Any) -> Any:
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * weight + bias


def _normalized_by_hand(np: Any, g: Any, x: Any, weight: Any, bias: Any) -> Any:
    n = x.shape[-1]
    d = x - np.add.reduce(x, axis=-1, keepdims=True) / n
    scale = 1 / np.sqrt(np.vecdot(d, d)[:, None] / n + 1e-5)
    d *= scale
    y = d * weight
    y += bias
    bias_grad, weight_grad = np.add.reduce(g), np.einsum("ij,ij->j", g, d)
    x_grad = g * weight
    along = np.vecdot(x_grad, d)[:, None] / n
    x_grad -= np.add.reduce(x_grad, axis=-1, keepdims=True) / n
    d *= along
    x_grad -= d
    x_grad *= scale
    return y, x_grad, weight_grad, bias_grad


def _logsumexp_by_hand(np: Any, g: Any, x: Any) -> Any:
    largest = np.maximum.reduce(x, axis=1, keepdims=True)
    e = np.exp(x - largest)
    total = np.add.reduce(e, axis=1, keepdims=True)
    e *= g[:, None] / total
    return np.log(total[:, 0]) + largest[:, 0], e


def _stable_logsumexp(mg: Any, x: Any) -> Any:
    largest = np.max(x.data, axis=1, keepdims=True)
    return mg.log(mg.sum(mg.exp(x - largest), axis=1)) + largest[:, 0]


def _rows_by_hand(np: Any, g: Any, x: Any) -> Any:
    x_grad = np.zeros_like(x)
    np.add.at(x_grad, ROWS, g)
    return x[ROWS], x_grad


def _recomposed(u: Any, s: Any, vh: Any) -> Any:
    """What depends on all three factors, and not on the signs of the vectors."""
    return (u * (s + FACTORS)) @ vh


def _torch_recomposed(torch: Any, a: Any) -> Any:
    u, s, vh = torch.linalg.svd(a, full_matrices=False)
    return (u * (s + torch.as_tensor(FACTORS))) @ vh


ROWS = np.random.default_rng(2).integers(0, 1000, 10_000)
FACTORS = np.linspace(1.0, 2.0, 20)
BILINEAR = "bi,ijk,bj->bk"

OPERATIONS = [
    _work(
        "op-conv2d",
        "conv2d, 32x16x28x28, 32 kernels 3x3, f32",
        [_single(32, 16, 28, 28), _single(32, 16, 3, 3)],
        (32, 32, 26, 26),
        {
            OURS: lambda tg, x, weight: tg.conv2d(x, weight),
            "torch": lambda torch, x, weight: torch.conv2d(x, weight),
            "mygrad": lambda mg, x, weight: mg.nnet.layers.conv_nd(x, weight, stride=1),
            "autograd": lambda ag, x, weight: ag.scipy.signal.convolve(
                x, weight[:, :, ::-1, ::-1], axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid"
            ),
        },
        1e-4,
    ),
    _work(
        "op-layer-norm",
        "layer norm, (256, 512), f32",
        [_single(256, 512), _single(512), _single(512)],
        (256, 512),
        {
            OURS: lambda tg, x, weight, bias: tg.layer_norm(x, weight=weight, bias=bias),
            "torch": lambda torch, x, weight, bias: torch.nn.functional.layer_norm(x, (512,), weight, bias),
            HAND: _normalized_by_hand,
            "mygrad": _normalized,
            "autograd": lambda ag, *inputs: _normalized(ag.numpy, *inputs),
        },
        1e-4,
    ),
    _work(
        "op-logsumexp",
        "logsumexp of rows, (256, 512)",
        [_normal(256, 512)],
        (256,),
        {
            OURS: lambda tg, x: tg.logsumexp(x, axis=1),
            "torch": lambda torch, x: torch.logsumexp(x, 1),
            HAND: _logsumexp_by_hand,
            "mygrad": _stable_logsumexp,
            "autograd": lambda ag, x: ag.scipy.special.logsumexp(x, axis=1),
        },
        1e-9,
    ),
    _work(
        "op-cumprod",
        "cumprod of rows, (256, 128)",
        [1 + 0.1 * _normal(256, 128)],
        (256, 128),
        {
            OURS: lambda tg, x: tg.cumprod(x, axis=1),
            "torch": lambda torch, x: torch.cumprod(x, 1),
            "mygrad": lambda mg, x: mg.cumprod(x, axis=1),
        },
        1e-9,
    ),
    _work(
        "op-einsum",
        f"einsum {BILINEAR}, b = 64, i = j = k = 32",
        [_normal(64, 32), _normal(32, 32, 32), _normal(64, 32)],
        (64, 32),
        {
            OURS: lambda tg, a, t, b: tg.einsum(BILINEAR, a, t, b),
            "torch": lambda torch, a, t, b: torch.einsum(BILINEAR, a, t, b),
            "mygrad": lambda mg, a, t, b: mg.einsum(BILINEAR, a, t, b, optimize=True),
            "autograd": lambda ag, a, t, b: ag.numpy.einsum(BILINEAR, a, t, b, optimize=True),
        },
        1e-9,
    ),
    _work(
        "op-indexing",
        "10,000 rows of a (1000, 64)",
        [_normal(1000, 64)],
        (10_000, 64),
        {
            OURS: lambda tg, x: x[ROWS],
            "torch": lambda torch, x: x[torch.as_tensor(ROWS)],
            HAND: _rows_by_hand,
            "mygrad": lambda mg, x: x[ROWS],
            "autograd": lambda ag, x: x[ROWS],
        },
        1e-9,
    ),
    _work(
        "op-svd",
        "svd, (40, 20)",
        [_normal(40, 20)],
        (40, 20),
        {
            OURS: lambda tg, a: _recomposed(*tg.svd(a, full_matrices=False)),
            "torch": _torch_recomposed,
            "autograd": lambda ag, a: _recomposed(*ag.numpy.linalg.svd(a, full_matrices=False)),
        },
        1e-7,
    ),
]
