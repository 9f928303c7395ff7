"""How long a check takes: tanh(A x), of 1,000 inputs."""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import Any, NamedTuple

import numpy as np

from .cases import Array, Inputs
from .peers import Checker

INPUTS, OUTPUTS = 1_000, 100
QUICK, SLOW = ("ours", "torch fast", "jax", "autograd", "chainer"), ("ours, full", "torch slow")


class Time(NamedTuple):
    """Of one checker: seconds of processor time, and the median ratio to torch's within a round."""

    seconds: float
    ratio: float


def times(checkers: dict[str, Checker]) -> dict[str, Time]:
    """Those that look along a direction beside torch's fast mode, those that look at every number beside its slow mode."""
    A = np.random.default_rng(0).standard_normal((OUTPUTS, INPUTS)) / np.sqrt(INPUTS)

    def f(x: Array) -> Array:
        return np.tanh(A @ x)

    def vjp(g: Array, x: Array) -> Inputs:
        return (A.T @ (g * (1 - np.tanh(A @ x) ** 2)),)

    inputs = (np.random.default_rng(1).standard_normal(INPUTS),)
    found: dict[str, Time] = {}
    for names, peer, rounds, repeat in ((QUICK, "torch fast", 15, 20), (SLOW, "torch slow", 7, 1)):
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for seed in range(rounds + 1):  # the first warms up
            for name in names:
                start = process_time()
                for _ in range(repeat):
                    answer: Any = checkers[name](f, vjp, inputs, seed)
                    assert not answer.rejected or name == "autograd", name
                if seed:
                    seconds[name].append((process_time() - start) / repeat)
        for name in names:
            ratio = median(a / b for a, b in zip(seconds[name], seconds[peer], strict=True))
            found[name] = Time(median(seconds[name]), ratio)
    return found
