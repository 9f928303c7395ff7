"""Optimisers and clipping beside PyTorch's: 100 steps on a small nonlinear problem, each library with its own gradients.

The problem is a regression by y = tanh(x W + b) v + c, with c a scalar. Compared are the losses on the way and the parameters
at the end. Settings are the keyword arguments, which are the same in both libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

import numpy as np
import torch

import nn
from tinygrad_edu import Value, tanh

from .case import Case, Numbers

STEPS = 100
NAMES = ("W", "b", "v", "c")

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.05},
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.02},
        {"lr": 0.05, "momentum": 0.8, "dampening": 0.5, "weight_decay": 0.02},
        {"lr": 0.005, "momentum": 0.8, "weight_decay": 0.02, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "lr_decay": 0.05},
        {"lr": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-3},
        {"lr": 0.1, "weight_decay": 0.05, "lr_decay": 0.01},
        {"lr": 0.01, "weight_decay": 0.05, "maximize": True},
    ],
    "RMSprop": [
        {},
        {"lr": 0.02, "alpha": 0.95, "eps": 0.1},
        {"lr": 0.005, "momentum": 0.9},
        {"lr": 0.005, "centered": True, "eps": 1e-4},
        {"lr": 0.005, "centered": True, "momentum": 0.8, "weight_decay": 0.03, "eps": 1e-4},
        {"lr": 0.005, "weight_decay": 0.03, "maximize": True},
    ],
    "Adam": [
        {},
        {"lr": 0.02},
        {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-2},
        {"lr": 0.02, "weight_decay": 0.05},
        {"lr": 0.02, "amsgrad": True},
        {"lr": 0.02, "amsgrad": True, "weight_decay": 0.05},
        {"lr": 0.02, "weight_decay": 0.05, "decoupled_weight_decay": True},
        {"lr": 0.02, "weight_decay": 0.05, "maximize": True},
    ],
    "AdamW": [{}, {"lr": 0.02}, {"lr": 0.02, "weight_decay": 0.3, "amsgrad": True}, {"lr": 0.02, "maximize": True}],
}
# A step of L-BFGS is many iterations; `max_iter` and the tolerances keep the 100 iterations before the end of convergence.
LBFGS: list[dict[str, Any]] = [
    {"lr": 0.5, "max_iter": 1},
    {"lr": 0.5, "max_iter": 5, "history_size": 3},
    {"max_iter": 10, "line_search_fn": "strong_wolfe"},
    {"max_iter": 10, "line_search_fn": "strong_wolfe", "history_size": 3},
    {"max_iter": 10, "line_search_fn": "strong_wolfe", "lr": 0.1},
    {"max_iter": 10, "line_search_fn": "strong_wolfe", "max_eval": 4},
    {"max_iter": 10, "line_search_fn": "strong_wolfe", "lr": 20.0},
]

EXCEPTIONS = {
    "trace": "absent there: the steps are those of the optimisers, whose cases are above",
    "Trace": "what trace returns",
    "SGD, Adam, ...: foreach, fused, capturable, differentiable": "absent: how PyTorch runs the loop, not what it computes",
    "SGD, Adam, AdamW: l1": "absent there: tests/nn/test_proximal.py compares with scikit-learn's Lasso",
    "LBFGS: maximize": "absent there",
    "SGD(momentum >= 1), eps=0": "refused here, accepted there",
    "RMSprop(centered=True), constant gradient": "rounding can make the variance negative: NaN there, 0 here",
    "Adadelta, Adamax, NAdam, RAdam, ASGD, Rprop, Adafactor, SparseAdam, Muon": "absent",
    "LBFGS, infinite or NaN loss in the search": "the stretch is halved here; there NaN spreads",
    "clip_grad_norm_, norm_type <= 0": "refused here",
}


def cases() -> Iterator[Case]:
    for name, settings in SETTINGS.items():
        for options in settings:
            yield _case(name, options)
        yield _case(name, {"lr": 0.01}, groups=True)
        yield _continued(name, settings[-1])
    for options in LBFGS:
        yield _lbfgs(options)
    yield _rosenbrock({"line_search_fn": "strong_wolfe", "max_iter": 12, "tolerance_change": 1e-12})
    yield _rosenbrock({"lr": 0.05, "max_iter": 12})
    yield from _clipping()


# -- The problem -------------------------------------------------------------------------------------------------------


def _problem() -> tuple[dict[str, Any], Any, Any]:
    rng = np.random.default_rng(0)
    start = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4), "v": rng.normal(size=4), "c": rng.normal()}
    x = rng.normal(size=(20, 3))
    return start, x, np.sin(x @ rng.normal(size=3)) + 0.1 * rng.normal(size=20)


def _here(decay: float = 0.0) -> tuple[dict[str, Value], Callable[[], Value]]:
    start, x, y = _problem()
    p = {name: Value(numbers) for name, numbers in start.items()}

    def loss() -> Value:
        for value in p.values():
            value.zero_grad()
        error = tanh(x @ p["W"] + p["b"]) @ p["v"] + p["c"] - y
        result = (error * error).mean() + decay * sum((q * q).sum() for q in p.values())
        result.backward()
        return result

    return p, loss


def _there(decay: float = 0.0) -> tuple[dict[str, torch.Tensor], Callable[[], torch.Tensor]]:
    start, x, y = _problem()
    p = {name: torch.tensor(numbers, dtype=torch.float64, requires_grad=True) for name, numbers in start.items()}
    x, y = torch.tensor(x), torch.tensor(y)

    def loss() -> torch.Tensor:
        for tensor in p.values():
            tensor.grad = None
        error = torch.tanh(x @ p["W"] + p["b"]) @ p["v"] + p["c"] - y
        result = (error * error).mean() + decay * sum((q * q).sum() for q in p.values())
        result.backward()
        return result

    return p, loss


def _parts(p: Mapping[str, Any], groups: bool) -> Any:
    """All parameters, or three groups of them: one with the defaults, two with a rate or a decay of their own."""
    if not groups:
        return list(p.values())
    return [
        {"params": [p["W"], p["b"]]},
        {"params": [p["v"]], "lr": 0.03},
        {"params": [p["c"]], "weight_decay": 0.1},
    ]


def _numbers(losses: list[float], p: Mapping[str, Any]) -> Numbers:
    plain = {n: v.detach().numpy() if isinstance(v, torch.Tensor) else v.data for n, v in p.items()}
    return {"losses": losses} | {f"{n} after {len(losses)} steps": numbers for n, numbers in plain.items()}


# -- First order -------------------------------------------------------------------------------------------------------


def _text(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v}" for k, v in options.items()) or "defaults"


def _run(library: Any, name: str, options: dict[str, Any], problem: Callable[[], Any], groups: bool) -> Numbers:
    p, loss = problem()
    optimizer = getattr(library, name)(_parts(p, groups), **options)
    return _numbers([optimizer.step(loss).item() for _ in range(STEPS)], p)


def _case(name: str, options: dict[str, Any], groups: bool = False) -> Case:
    return Case(
        name,
        "three groups" if groups else _text(options),
        lambda: _run(nn.optim, name, options, _here, groups),
        lambda: _run(torch.optim, name, options, _there, groups),
    )


def _continued(name: str, options: dict[str, Any]) -> Case:
    """50 steps with PyTorch, then 50 with an optimiser of ours that got the state and the parameters, beside 100 with PyTorch."""

    def ours() -> Numbers:
        p, loss = _there()
        first = getattr(torch.optim, name)(list(p.values()), **options)
        losses = [first.step(loss).item() for _ in range(STEPS // 2)]
        state = first.state_dict()
        state["state"] = {i: {k: v.numpy() for k, v in own.items()} for i, own in state["state"].items()}
        q, loss_here = _here()
        for n in NAMES:
            q[n].data = p[n].detach().numpy().copy()[()]
        second = getattr(nn.optim, name)(list(q.values()))
        second.load_state_dict(state)
        return _numbers(losses + [second.step(loss_here).item() for _ in range(STEPS // 2)], q)

    return Case(
        name,
        f"from PyTorch's state_dict, {_text(options)}",
        ours,
        lambda: _run(torch.optim, name, options, _there, groups=False),
    )


# -- L-BFGS ------------------------------------------------------------------------------------------------------------


def _lbfgs(options: dict[str, Any]) -> Case:
    """On the problem with weight decay in the loss, which makes it well conditioned, for 100 iterations in all."""

    def run(library: Any, problem: Callable[[float], Any]) -> Numbers:
        p, loss = problem(0.3)
        optimizer = library.LBFGS(list(p.values()), **options)
        losses = [optimizer.step(loss).item() for _ in range(STEPS // options["max_iter"])]
        own = optimizer.state_dict()["state"][0]
        return _numbers(losses, p) | {name: own[name] for name in ("func_evals", "n_iter")}

    return Case("LBFGS", _text(options), lambda: run(nn.optim, _here), lambda: run(torch.optim, _there))


def _rosenbrock(options: dict[str, Any]) -> Case:
    def run(library: Any, w: Any) -> Numbers:
        def closure() -> Any:
            w.grad = None
            loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
            loss.backward()
            return loss

        optimizer = library.LBFGS([w], **options)
        return _numbers([optimizer.step(closure).item() for _ in range(2)], {"w": w})

    start = [-1.2, 1.0]
    return Case(
        "LBFGS",
        f"Rosenbrock, {_text(options)}",
        lambda: run(nn.optim, Value(start)),
        lambda: run(torch.optim, torch.tensor(start, dtype=torch.float64, requires_grad=True)),
    )


# -- Clipping ----------------------------------------------------------------------------------------------------------


def _clipping() -> Iterator[Case]:
    def run(problem: Callable[[], Any], clip: Callable[[Any], Any]) -> Numbers:
        p, loss = problem()
        loss()
        norm = clip(p.values())
        gradients = {f"gradient of {n}": np.asarray(q.grad) for n, q in p.items()}
        return gradients | ({} if norm is None else {"norm": float(norm)})

    def both(name: str, *arguments: Any) -> Case:
        return Case(
            name,
            _text(dict(zip(("limit", "norm_type"), arguments, strict=False))),
            lambda: run(_here, lambda p: getattr(nn.utils, name)(p, *arguments)),
            lambda: run(_there, lambda p: getattr(torch.nn.utils, name)(p, *arguments)),
        )

    for norm_type in (2.0, 1.0, 3.5, inf):
        for limit in (0.1, 100.0):
            yield both("clip_grad_norm_", limit, norm_type)
    for limit in (0.05, 100.0):
        yield both("clip_grad_value_", limit)
