"""Schedules made of schedules, which are made for the same optimiser and are not stepped themselves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from tinygrad_edu import TinygradError

from ..optimizer import Optimizer
from .scheduler import LRScheduler


class ChainedScheduler(LRScheduler):
    """All at once: each schedule's rate is the next one's base rate, so factors multiply.

    Args:
        schedulers: for the same optimiser.
        optimizer: that optimiser; may be left out.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self.schedulers = list(schedulers)
        optimizer = _shared("ChainedScheduler", self.schedulers, optimizer)
        furthest = max(int(s.last_epoch) for s in self.schedulers)
        super().__init__(optimizer, furthest - 1)  # goes on where the furthest of them is

    def rates(self, t: float, bases: Sequence[float]) -> list[float]:
        """The last schedule's, of the one's before it, and so on."""
        rates = list(bases)
        for scheduler in self.schedulers:
            rates = scheduler.rates(t, rates)
        return rates


class SequentialLR(LRScheduler):
    """One after the other: at each milestone the next schedule takes over, with its own time from 0.

    Args:
        optimizer: whose rates to set.
        schedulers: for the same optimiser.
        milestones: when to change, rising; one fewer than schedules.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        _shared("SequentialLR", self.schedulers, optimizer)
        if len(self.milestones) != len(self.schedulers) - 1 or any(a >= b for a, b in pairwise([0, *self.milestones])):
            got, count = f"milestones={self.milestones}", len(self.schedulers)
            raise TinygradError(f"SequentialLR: got {got}, expected {count - 1} rising ones for {count} schedules")
        super().__init__(optimizer, last_epoch)

    def rates(self, t: float, bases: Sequence[float]) -> list[float]:
        """Those of the schedule whose turn it is, at its own time."""
        i = bisect_right(self.milestones, t)
        return self.schedulers[i].rates(t - [0, *self.milestones][i], bases)


def _shared(name: str, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> Optimizer:
    """The optimiser of all schedules. Raises TinygradError if there is none, or several."""
    if not schedulers or not all(isinstance(scheduler, LRScheduler) for scheduler in schedulers):
        raise TinygradError(f"{name}: got {schedulers}, expected schedules that are functions of time")
    shared = schedulers[0].optimizer if optimizer is None else optimizer
    if any(scheduler.optimizer is not shared for scheduler in schedulers):
        raise TinygradError(f"{name}: got schedules for different optimisers, expected the same for all")
    return shared
