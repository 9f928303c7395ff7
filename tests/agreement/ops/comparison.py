"""One op beside its PyTorch counterpart, in float64, on calls drawn from the op's own definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tinygrad_edu import Op, Value
from tinygrad_edu.testing.strategies import OpCall, fixed_calls

CALLS = 30
TOLERANCE = 1e-9  # relative to the largest number compared, at least 1

Answer = tuple[Any, list[Any], list[Any]]  # result, gradients, gradients of the gradients


@dataclass(frozen=True, slots=True)
class Comparison:
    """The largest relative differences over all calls of one op.

    Attributes:
        call: the worst call, as code.
    """

    name: str
    calls: int
    forward: float
    first: float
    second: float
    call: str

    @property
    def agrees(self) -> bool:
        return max(self.forward, self.first, self.second) <= TOLERANCE


def compare(op: Op, counterpart: Callable[..., Any]) -> Comparison:
    """Both on the same calls, weights and directions."""
    calls = fixed_calls(op, CALLS)
    worst, culprit = np.zeros(3), ""
    for call in calls:
        y = call(*call.inputs)
        weights = _directions(y, 0)
        directions = [_directions(x, i + 1) for i, x in enumerate(call.inputs)]
        ours = _ours(call, weights, directions)
        theirs = _torchs(call, counterpart, weights, directions)
        apart = np.array([_apart(a, b) for a, b in zip(ours, theirs, strict=True)])
        if np.max(apart) > np.max(worst):
            culprit = repr(call)
        worst = np.maximum(worst, apart)
    return Comparison(op.name, len(calls), *worst.tolist(), culprit)


def _ours(call: OpCall, weights: Any, directions: list[Any]) -> Answer:
    values = [Value(x) if i in call.differentiable else x for i, x in enumerate(call.inputs)]
    y = call(*values)
    signs = call.signs(y.data if isinstance(y, Value) else y)
    if not isinstance(y, Value) or not y.requires_grad:
        return (y.data if isinstance(y, Value) else y) * signs, [], []
    y.backward(weights * signs, create_graph=True)
    first = [values[i].grad for i in call.differentiable]
    total = Value(0.0)
    for i, g in zip(call.differentiable, first, strict=True):
        values[i].zero_grad()
        total = total + (g * directions[i]).sum() if g is not None else total
    total.backward()
    return y.data * signs, [_plain(g) for g in first], [_plain(values[i].grad) for i in call.differentiable]


def _torchs(call: OpCall, counterpart: Callable[..., Any], weights: Any, directions: list[Any]) -> Answer:
    tensors = [torch.tensor(np.ascontiguousarray(x).reshape(np.shape(x))) for x in call.inputs]
    active = [tensors[i].requires_grad_() for i in call.differentiable]
    args, kwargs = call.arguments(tuple(tensors))
    y = counterpart(*args, **kwargs)
    if isinstance(y, (tuple, list)):
        y = torch.cat([part.reshape(-1) for part in y])
    plain = y.detach().numpy()
    signs = call.signs(plain)
    if not y.requires_grad:
        return plain * signs, [], []
    seed = torch.tensor(np.broadcast_to(weights * signs, plain.shape).copy())
    first = torch.autograd.grad(y, active, seed, create_graph=True, allow_unused=True)
    total = torch.zeros((), dtype=torch.float64)
    for i, g in zip(call.differentiable, first, strict=True):
        total = total + (g * torch.tensor(directions[i])).sum() if g is not None else total
    second: Any = [None] * len(active)
    if total.requires_grad:
        second = torch.autograd.grad(total, active, allow_unused=True)
    return plain * signs, [_plain(g) for g in first], [_plain(g) for g in second]


def _directions(x: Any, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).choice([-1.5, -0.5, 0.75, 1.25], np.shape(x))


def _plain(g: Any) -> Any:
    if g is None:
        return 0.0
    return g.data if isinstance(g, Value) else g.detach().numpy(force=True) if isinstance(g, torch.Tensor) else g


def _apart(a: Any, b: Any) -> float:
    """The largest difference between two answers, relative to their largest number; inf if shapes differ."""
    if isinstance(a, list):
        pairs = list(zip(a, b, strict=False)) if a and b else [(x, 0.0) for x in a + b]
        return max((_apart(np.asarray(x), np.asarray(y)) for x, y in pairs), default=0.0)
    if np.shape(a) != np.shape(b) and np.ndim(a) and np.ndim(b):
        return float("inf")
    scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
    difference = float(np.max(np.abs(np.subtract(a, b)), initial=0.0)) / scale
    return difference if difference == difference else float("inf")
