"""Schedules that are one formula each. η is the rate at time t, η₀ the base rate."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from math import cos, pi, pow, sqrt
from numbers import Integral
from typing import Any

from tinygrad_edu import TinygradError

from ...checks import checked
from ..optimizer import Optimizer
from .scheduler import LRScheduler


class LambdaLR(LRScheduler):
    """η = η₀ λ(t), with a function λ of your own.

    Args:
        optimizer: whose rates to set.
        lr_lambda: λ, or a list of one for each group.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[Any], float] | Sequence[Callable[[Any], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambda = lr_lambda
        super().__init__(optimizer, last_epoch)

    def rates(self, t: float, bases: Sequence[float]) -> list[float]:
        """η₀ λ(t), each group with its own λ."""
        functions = [self.lr_lambda] * len(bases) if callable(self.lr_lambda) else list(self.lr_lambda)
        if len(functions) != len(bases):
            got, groups = len(functions), len(bases)
            raise TinygradError(f"LambdaLR: got {got} functions, expected one or {groups}, one a group")
        return [base * function(t) for function, base in zip(functions, bases, strict=True)]


class StepLR(LRScheduler):
    """η = η₀ γᵏ with k = ⌊t / step_size⌋.

    Args:
        optimizer: whose rates to set.
        step_size: how long a rate stays.
        gamma: γ.
        last_epoch: see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        _positive("StepLR", step_size=step_size)
        self.step_size, self.gamma = step_size, gamma
        checked("StepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def factor(self, t: float) -> float:
        """γᵏ."""
        return pow(self.gamma, t // self.step_size)


class MultiStepLR(LRScheduler):
    """η = η₀ γᵏ, where k of the milestones are behind, t ≥ milestone.

    Args:
        optimizer: whose rates to set.
        milestones: times, in any order.
        gamma: γ.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        checked("MultiStepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def factor(self, t: float) -> float:
        """γᵏ."""
        return pow(self.gamma, bisect_right(self.milestones, t))


class ExponentialLR(LRScheduler):
    """η = η₀ γᵗ.

    Args:
        optimizer: whose rates to set.
        gamma: γ.
        last_epoch: see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        checked("ExponentialLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def factor(self, t: float) -> float:
        """γᵗ."""
        return pow(self.gamma, t)


class ConstantLR(LRScheduler):
    """η = η₀ factor for t < total_iters, then η₀.

    Args:
        optimizer: whose rates to set.
        factor: from 0 to 1.
        total_iters: how long.
        last_epoch: see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 <= factor <= 1:
            raise TinygradError(f"ConstantLR: got factor={factor}, expected a number from 0 to 1")
        self.low, self.total_iters = factor, total_iters
        checked("ConstantLR", "total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def factor(self, t: float) -> float:
        """The given one, then 1."""
        return self.low if t < self.total_iters else 1.0


class LinearLR(LRScheduler):
    """η = η₀ (a + (b - a) min(t / T, 1)): a straight line, to warm up or to wind down.

    Args:
        optimizer: whose rates to set.
        start_factor: a, above 0 and up to 1.
        end_factor: b, from 0 to 1.
        total_iters: T.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not (0 < start_factor <= 1 and 0 <= end_factor <= 1):
            got = f"start_factor={start_factor}, end_factor={end_factor}"
            raise TinygradError(f"LinearLR: got {got}, expected numbers from 0 to 1, the first above 0")
        _positive("LinearLR", total_iters=total_iters)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, t: float) -> float:
        """a + (b - a) min(t / T, 1)."""
        return self.start_factor + (self.end_factor - self.start_factor) * min(t / self.total_iters, 1)


class CosineAnnealingLR(LRScheduler):
    """η = η_min + (η₀ - η_min) (1 + cos(π t / T_max)) / 2 (Loshchilov & Hutter, ICLR 2017, without restarts).

    After T_max it rises again the same way.

    Args:
        optimizer: whose rates to set.
        T_max: when η_min is reached.
        eta_min: η_min.
        last_epoch: see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        _positive("CosineAnnealingLR", T_max=T_max)
        self.T_max, self.eta_min = T_max, eta_min
        checked("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def rate(self, t: float, base: float) -> float:
        """Half a wave of the cosine."""
        return _cosine(t / self.T_max, base, self.eta_min)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine annealing over T_0 steps, then from η₀ again over T_0 T_mult, and so on (Loshchilov & Hutter, ICLR 2017).

    Args:
        optimizer: whose rates to set.
        T_0: length of the first period.
        T_mult: how many times as long each period is as the one before; an integer.
        eta_min: η_min.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        _positive("CosineAnnealingWarmRestarts", T_0=T_0, T_mult=T_mult)
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        checked("CosineAnnealingWarmRestarts", "eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def rate(self, t: float, base: float) -> float:
        """Half a wave of the cosine, from the last restart."""
        period: float = self.T_0
        if self.T_mult == 1:
            t %= period
        while t >= period:
            t, period = t - period, period * self.T_mult
        return _cosine(t / period, base, self.eta_min)


class InverseSquareRootLR(LRScheduler):
    """η = η₀ min(n / W, √(W / n)) with n = t + 1: up in a line, and down with the root (Vaswani et al., NeurIPS 2017).

    The paper's d^(-1/2) min(n^(-1/2), n W^(-3/2)) is this with η₀ = (d W)^(-1/2), which is where it peaks. PyTorch has no such
    schedule. Call `step` after each step of the optimiser.

    Args:
        optimizer: whose rates to set; its own is the highest.
        warmup_steps: W.
        last_epoch: see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, warmup_steps: int, last_epoch: int = -1) -> None:
        _positive("InverseSquareRootLR", warmup_steps=warmup_steps)
        self.warmup_steps = warmup_steps
        super().__init__(optimizer, last_epoch)

    def factor(self, t: float) -> float:
        """min(n / W, √(W / n))."""
        return min((t + 1) / self.warmup_steps, sqrt(self.warmup_steps / (t + 1)))


def _cosine(part: float, base: float, eta_min: float) -> float:
    return eta_min + (base - eta_min) * (1 + cos(pi * part)) / 2


def _positive(name: str, **numbers: int) -> None:
    for argument, number in numbers.items():
        if not (isinstance(number, Integral) and number > 0):
            raise TinygradError(f"{name}: got {argument}={number!r}, expected a positive integer")
