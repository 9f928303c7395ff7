"""nn.functional's activations, normalizations and layers beside PyTorch's: values, gradients of all floats, running statistics.

Each sample is called twice, by position in PyTorch's order and by PyTorch's names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import nn
from tinygrad_edu import Value

from .case import Case, Numbers
from .signatures import parameters

EXCEPTIONS = {
    "dropout in training": "drawn from another generator; p = 0, p = 1 and training=False are compared",
    "hardsigmoid's gradient": "PyTorch's is rounded to float32 in float64 too; compared with that of relu6(x + 3) / 6",
    "celu's alpha < 0": "refused: the function is then unbounded below, and PyTorch's formula has no meaning",
    "softmax's, log_softmax's and softmin's dim": "required: PyTorch's default is deprecated, and depends on the number of axes",
    "group_norm of a single number a group": "0, where PyTorch refuses a batch of one and gives 0 otherwise",
    "one_hot(input=...)": "the name is tensor, as PyTorch documents; its code takes input",
    "embedding's max_norm, norm_type, scale_grad_by_freq, sparse": "absent",
    "inplace, _stacklevel": "absent: a recorded Value does not change",
}

RNG = np.random.default_rng(0)


def _x(*shape: int) -> Any:
    return RNG.normal(size=shape)


LINES, PICTURES = (3, 4, 5), (2, 4, 3, 2)  # (N, C, L), (N, C, H, W)
KINKS = np.array([-20.5, -3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 6.0, 20.0, 20.5, 40.0])
INPUTS = [_x(5, 4), 30 * _x(5, 4), _x(4), 2 * _x(*PICTURES), np.array(0.75), KINKS]
ALONE = ("relu", "relu6", "selu", "silu", "mish", "sigmoid", "tanh", "logsigmoid", "softsign", "tanhshrink")
ELEMENTWISE: dict[str, list[dict[str, Any]]] = {
    **{name: [{}] for name in (*ALONE, "hardsigmoid", "hardswish")},
    "celu": [{}, {"alpha": 0.5}, {"alpha": 3.0}],
    "elu": [{}, {"alpha": 0.5}, {"alpha": -1.0}],
    "gelu": [{}, {"approximate": "tanh"}],
    "hardshrink": [{}, {"lambd": 0.0}, {"lambd": 2}, {"lambd": -1.0}],
    "hardtanh": [{}, {"min_val": -0.5, "max_val": 2.0}, {"min_val": 1.0, "max_val": 1.0}],
    "leaky_relu": [{}, {"negative_slope": 0.3}, {"negative_slope": -0.5}],
    "softplus": [{}, {"beta": 0.5}, {"beta": 2.0, "threshold": 1.0}, {"beta": -2, "threshold": 3}],
    "softshrink": [{}, {"lambd": 0.0}, {"lambd": 2}],
    "threshold": [{"threshold": 0.1, "value": 20}, {"threshold": -2.0, "value": 0.5}],
}


def _affine(*shape: int) -> list[dict[str, Any]]:
    """weight and bias of a shape: none, one, both."""
    return [{}, {"weight": _x(*shape)}, {"weight": _x(*shape), "bias": _x(*shape)}]


def _running() -> dict[str, Any]:
    return {"running_mean": _x(4), "running_var": np.exp(_x(4))}


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Functions with arguments under PyTorch's names."""
    for name, settings in ELEMENTWISE.items():
        yield from ((name, {"input": x, **setting}) for setting in settings for x in INPUTS)
    for x, weights in (
        (_x(5, 4), (1, 4)),
        (_x(*PICTURES), (1, 4)),
        (_x(4), (1,)),
        (np.array(-0.5), (1,)),
        (KINKS, (1,)),
    ):
        yield from (("prelu", {"input": x, "weight": _x(n)}) for n in weights)
        yield "prelu", {"input": x, "weight": np.array(0.3)}
    for x, dims in ((_x(5, 4), (1, -1)), (_x(4), (0,)), (_x(*PICTURES), (0, 1, -3, -1))):
        yield "glu", {"input": x}
        yield from (("glu", {"input": x, "dim": dim}) for dim in dims)
    for name in ("softmax", "softmin", "log_softmax"):
        yield from ((name, {"input": s * _x(5, 4), "dim": dim}) for s in (1, 10) for dim in (0, 1, -1, -2))
        yield from ((name, {"input": _x(*shape), "dim": dim}) for shape, dim in (((4,), 0), (PICTURES, 1)))
    for how in ({"p": 0.0}, {"p": 1.0}, {"p": 0.5, "training": False}, {"training": False}):
        yield from (("dropout", {"input": x, **how}) for x in (_x(5, 4), _x(*PICTURES)))
    yield from _normalizations()
    for padding in ({}, {"padding_idx": 2}, {"padding_idx": -1}, {"padding_idx": 0}):
        for words in (np.array([[0, 2, 2], [6, 1, 0]]), np.array([6, 0]), np.array(3)):
            yield "embedding", {"input": words, "weight": _x(7, 3), **padding}
    for labels in (np.array([0, 2, 1]), np.array([[1], [0]]), np.array(3)):
        yield from (("one_hot", {"tensor": labels, **given}) for given in ({}, {"num_classes": 4}, {"num_classes": -1}))
    for shape in ((5, 4), (4,), (2, 3, 4)):
        yield from (("linear", {"input": _x(*shape), "weight": _x(3, 4), **b}) for b in ({}, {"bias": _x(3)}))


def _normalizations() -> Iterator[tuple[str, dict[str, Any]]]:
    for shape in ((3, 5), (5,), (2, 3, 5)):
        yield from (("layer_norm", {"input": _x(*shape), "normalized_shape": (5,), **p}) for p in _affine(5))
        yield from (("rms_norm", {"input": _x(*shape), "normalized_shape": (5,), **p}) for p in _affine(5)[:2])
    yield "layer_norm", {"input": 1e4 * _x(2, 3, 5), "normalized_shape": (3, 5), "weight": _x(3, 5), "eps": 0.1}
    yield "rms_norm", {"input": _x(2, 3, 5), "normalized_shape": (3, 5), "weight": _x(3, 5), "eps": 0.1}
    yield "rms_norm", {"input": 1e-8 * _x(2, 3), "normalized_shape": (3,)}
    for shape in ((6, 4), LINES, PICTURES):
        for p in _affine(4):
            yield "batch_norm", {"input": _x(*shape), **_running(), **p}
            yield "batch_norm", {"input": _x(*shape), **_running(), **p, "training": True, "momentum": 0.3}
            none = {"running_mean": None, "running_var": None}
            yield "batch_norm", {"input": 1e3 * _x(*shape), **none, **p, "training": True, "eps": 0.1}
            yield from (("group_norm", {"input": _x(*shape), "num_groups": n, **p}) for n in (1, 2))
            if len(shape) > 2:
                yield "group_norm", {"input": 1e3 * _x(*shape), "num_groups": 4, **p, "eps": 0.1}
                yield "instance_norm", {"input": _x(*shape), **p}
                yield "instance_norm", {"input": _x(*shape), **_running(), **p, "momentum": 0.3, "eps": 0.1}
                yield "instance_norm", {"input": _x(*shape), **_running(), **p, "use_input_stats": False}


def _by_position(name: str, given: dict[str, Any]) -> list[Any]:
    """The arguments in PyTorch's order, up to the last one given."""
    order = parameters(getattr(torch.nn.functional, name))
    count = max(list(order).index(each) for each in given) + 1
    return [given.get(each, order[each].default) for each in list(order)[:count]]


def _call(name: str, function: Callable[..., Any], given: dict[str, Any], by_name: bool) -> Any:
    return function(**given) if by_name else function(*_by_position(name, given))


def _differentiable(what: str, x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f" and "running" not in what


def _weights(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(2).normal(size=shape)


def _ours(name: str, given: dict[str, Any], by_name: bool) -> Numbers:
    values = {k: Value(x) if _differentiable(k, x) else np.copy(x) if "running" in k else x for k, x in given.items()}
    values = {k: None if given[k] is None else v for k, v in values.items()}
    y = _call(name, getattr(nn.functional, name), values, by_name)
    if isinstance(y, np.ndarray):
        return {"y": y, "of integers": y.dtype.kind == "i"}
    (y * _weights(y.shape)).sum().backward()
    found = {f"gradient of {k}": v.grad for k, v in values.items() if isinstance(v, Value)}
    return {"y": y.data} | found | {k: v for k, v in values.items() if "running" in k and v is not None}


def _theirs(name: str, given: dict[str, Any]) -> Numbers:
    tensors = {
        k: torch.tensor(x, requires_grad=_differentiable(k, x)) if isinstance(x, np.ndarray) else x
        for k, x in given.items()
    }
    function = (lambda input: torch.nn.functional.relu6(input + 3) / 6) if name == "hardsigmoid" else None
    y = _call(name, function or getattr(torch.nn.functional, name), tensors, by_name=name != "one_hot")
    if not y.is_floating_point():
        return {"y": y.numpy(), "of integers": True}
    (y * torch.tensor(_weights(tuple(y.shape)))).sum().backward()
    found = {f"gradient of {k}": t.grad.numpy() for k, t in tensors.items() if getattr(t, "grad", None) is not None}
    return (
        {"y": y.detach().numpy()}
        | found
        | {k: t.numpy() for k, t in tensors.items() if "running" in k and t is not None}
    )


def _shown(x: Any) -> str:
    return str(x.shape) if isinstance(x, np.ndarray) else repr(x)


def cases() -> Iterator[Case]:
    for name, given in samples():
        setting = ", ".join(f"{k}={_shown(x)}" for k, x in given.items())
        for how, by_name in (("by position", False), ("by name", True)):
            yield Case(
                name,
                f"{setting}, {how}",
                lambda name=name, given=given, by_name=by_name: _ours(name, given, by_name),
                lambda name=name, given=given: _theirs(name, given),
            )


COUNTERPARTS = {name: (getattr(nn.functional, name), getattr(torch.nn.functional, name)) for name, _ in samples()}
