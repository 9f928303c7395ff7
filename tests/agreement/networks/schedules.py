"""Schedules beside PyTorch's: the learning rates of two groups over 60 epochs with SGD."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import cos, sqrt
from typing import Any

import numpy as np
import torch

import nn
from tinygrad_edu import Value

from .case import Case, Numbers

EPOCHS = 60
RATES = (0.5, 0.02)

# What makes each schedule from a library's schedules, S, and an optimiser, o, as both take the same arguments.
SETTINGS: dict[str, list[tuple[str, Callable[[Any, Any], Any]]]] = {
    "LambdaLR": [
        ("one function", lambda S, o: S.LambdaLR(o, lambda t: 0.9**t + 0.1 * cos(t) ** 2)),
        ("a function for each group", lambda S, o: S.LambdaLR(o, [lambda t: 1 / (1 + t), lambda t: 0.95**t])),
    ],
    "StepLR": [
        ("step_size=7", lambda S, o: S.StepLR(o, 7)),
        ("step_size=10, gamma=0.5", lambda S, o: S.StepLR(o, step_size=10, gamma=0.5)),
    ],
    "MultiStepLR": [
        ("milestones=[5, 20, 21, 50]", lambda S, o: S.MultiStepLR(o, [5, 20, 21, 50])),
        ("a milestone twice, unsorted, gamma=0.3", lambda S, o: S.MultiStepLR(o, milestones=[30, 8, 8], gamma=0.3)),
    ],
    "ExponentialLR": [("gamma=0.9", lambda S, o: S.ExponentialLR(o, 0.9))],
    "ConstantLR": [
        ("defaults", lambda S, o: S.ConstantLR(o)),
        ("factor=0.25, total_iters=20", lambda S, o: S.ConstantLR(o, factor=0.25, total_iters=20)),
    ],
    "LinearLR": [
        ("defaults", lambda S, o: S.LinearLR(o)),
        ("warm-up", lambda S, o: S.LinearLR(o, start_factor=0.01, total_iters=25)),
        ("down to 0", lambda S, o: S.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=40)),
    ],
    "CosineAnnealingLR": [
        ("T_max=60", lambda S, o: S.CosineAnnealingLR(o, 60)),
        ("T_max=25, eta_min=0.001, on and up again", lambda S, o: S.CosineAnnealingLR(o, T_max=25, eta_min=1e-3)),
        ("T_max=13, over two waves", lambda S, o: S.CosineAnnealingLR(o, T_max=13)),
    ],
    "CosineAnnealingWarmRestarts": [
        ("T_0=10", lambda S, o: S.CosineAnnealingWarmRestarts(o, 10)),
        ("T_0=5, T_mult=2, eta_min=0.001", lambda S, o: S.CosineAnnealingWarmRestarts(o, 5, T_mult=2, eta_min=1e-3)),
        ("T_0=2, T_mult=3", lambda S, o: S.CosineAnnealingWarmRestarts(o, T_0=2, T_mult=3)),
    ],
    "SequentialLR": [
        (
            "warm-up, then cosine",
            lambda S, o: S.SequentialLR(o, [S.LinearLR(o, 0.1, total_iters=8), S.CosineAnnealingLR(o, 52)], [8]),
        ),
        (
            "three",
            lambda S, o: S.SequentialLR(
                o, [S.ConstantLR(o, 0.1, 3), S.ExponentialLR(o, 0.9), S.StepLR(o, 4, 0.5)], milestones=[10, 30]
            ),
        ),
    ],
    "ChainedScheduler": [
        (
            "warm-up times exponential",
            lambda S, o: S.ChainedScheduler([S.LinearLR(o, 0.1, total_iters=10), S.ExponentialLR(o, 0.95)]),
        ),
        (
            "constant, steps and a wave of the cosine",
            lambda S, o: S.ChainedScheduler(
                [S.ConstantLR(o, 0.5, 4), S.StepLR(o, 20, 0.5), S.CosineAnnealingLR(o, 70)], optimizer=o
            ),
        ),
    ],
}
PLATEAU: list[dict[str, Any]] = [
    {},
    {"patience": 2, "factor": 0.5},
    {"mode": "max", "patience": 1, "factor": 0.3},
    {"patience": 1, "cooldown": 4, "factor": 0.7},
    {"patience": 0, "threshold": 0.2, "factor": 0.8},
    {"patience": 0, "threshold": 0.05, "threshold_mode": "abs", "factor": 0.8},
    {"patience": 1, "mode": "max", "threshold": 0.05, "threshold_mode": "abs", "factor": 0.8},
    {"patience": 0, "factor": 0.5, "min_lr": [0.1, 0.001]},
    {"patience": 0, "factor": 0.5, "eps": 1e-3},
]

EXCEPTIONS = {
    "ChainedScheduler of LambdaLR or CosineAnnealingWarmRestarts after another": "there these forget what came before; here "
    "all rates are functions of the one before",
    "ChainedScheduler with CosineAnnealingLR, eta_min > 0": "there the lowest rate is not reached, as the recursion mixes",
    "two schedules stepped by turns without ChainedScheduler": "refused here: the rates are functions of time, not of the last",
    "InverseSquareRootLR": "not in PyTorch: compared with its LambdaLR",
    "MultiplicativeLR, PolynomialLR, OneCycleLR, CyclicLR, SWALR": "absent",
}


def cases() -> Iterator[Case]:
    for name, settings in SETTINGS.items():
        for setting, make in settings:
            yield Case(
                name,
                setting,
                lambda make=make: _rates(_here(), lambda o: make(nn.optim.lr_scheduler, o)),
                lambda make=make: _rates(_there(), lambda o: make(torch.optim.lr_scheduler, o)),
            )
    yield Case(
        "InverseSquareRootLR",
        "warmup_steps=12",
        lambda: _rates(_here(), lambda o: nn.optim.lr_scheduler.InverseSquareRootLR(o, 12)),
        lambda: _rates(
            _there(),
            lambda o: torch.optim.lr_scheduler.LambdaLR(
                o, lambda t: min((t + 1) ** -0.5, (t + 1) * 12**-1.5) * sqrt(12)
            ),
        ),
    )
    losses = np.concatenate([2 * 0.8 ** np.arange(20), 0.05 + 0.1 * np.random.default_rng(0).random(EPOCHS - 20)])
    for options in PLATEAU:
        text = ", ".join(f"{k}={v}" for k, v in options.items()) or "defaults"
        yield Case(
            "ReduceLROnPlateau",
            text,
            lambda options=options: _rates(
                _here(), lambda o: nn.optim.lr_scheduler.ReduceLROnPlateau(o, **options), losses
            ),
            lambda options=options: _rates(
                _there(), lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, **options), losses
            ),
        )


def _here() -> Any:
    return nn.optim.SGD([{"params": [Value(1.0)], "lr": rate} for rate in RATES])


def _there() -> Any:
    return torch.optim.SGD([{"params": [torch.ones((), requires_grad=True)], "lr": rate} for rate in RATES], lr=1.0)


def _rates(optimizer: Any, make: Callable[[Any], Any], metrics: Any = None) -> Numbers:
    """The rates of both groups, at first and after each epoch; and what get_last_lr says in the end."""
    schedule = make(optimizer)
    found = [[group["lr"] for group in optimizer.param_groups]]
    for epoch in range(EPOCHS):
        optimizer.step()
        schedule.step(*([] if metrics is None else [metrics[epoch]]))
        found.append([group["lr"] for group in optimizer.param_groups])
    each = {f"rates of group {i}": rates for i, rates in enumerate(zip(*found, strict=True))}
    return each | {"get_last_lr": schedule.get_last_lr()}
