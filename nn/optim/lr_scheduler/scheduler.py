"""LRScheduler: what all schedules that are functions of time share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from tinygrad_edu import ShapeError, TinygradError

from ...checks import Domain, Explaining, checked, explaining, is_real
from ..optimizer import Optimizer

TIME: Domain = (lambda t: is_real(t) and 0 <= t < inf, "a number from 0 on, finite")
START: Domain = (lambda t: is_real(t) and -1 <= t < inf, "a number from -1 on, finite")


class LRScheduler(Explaining):
    """Sets the learning rates of an optimiser's groups: a subclass defines `factor(t)`, or `rate(t, base)` instead.

    t counts the calls of `step`, usually one an epoch, from 0; base is the rate that a group had at first, "initial_lr" in the
    group. The rate is computed from these alone, never from the last rate, so one schedule at a time sets an optimiser's rates:
    for several, see `ChainedScheduler` and `SequentialLR`.

    Args:
        optimizer: whose rates to set, at once and after each `step`.
        last_epoch: t of the last step before, to go on from a point; -1 to begin.

    Raises:
        TinygradError: if it is not an optimiser.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TinygradError(f"{type(self).__name__}: got a {type(optimizer).__name__} first, expected an optimiser")
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.optimizer = optimizer
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self._set(checked(type(self).__name__, "last_epoch", last_epoch, START) + 1)

    def factor(self, t: float) -> float:
        """What the base rate is multiplied by at time t."""
        raise TinygradError(f"{type(self).__name__}: define factor(self, t), or rate(self, t, base)")

    def rate(self, t: float, base: float) -> float:
        """The rate at time t of a group whose base rate is `base`."""
        return base * self.factor(t)

    def rates(self, t: float, bases: Sequence[float]) -> list[float]:
        """The rates of all groups at time t."""
        return [self.rate(t, base) for base in bases]

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next t, or to t = epoch, which may be a fraction, and set the rates.

        Raises TinygradError if they were changed by something else meanwhile, which would go lost, or if one were below 0.
        """
        found = [group["lr"] for group in self.optimizer.param_groups]
        if found != self._last_lr:
            raise TinygradError(
                f"{type(self).__name__}: found learning rates {found}, expected {self._last_lr} as it had set them; join several "
                "schedules by ChainedScheduler or SequentialLR; change rates by `optimizer.lr = ...`, then make a new one"
            )
        self._set(self.last_epoch + 1 if epoch is None else checked(type(self).__name__, "epoch", epoch, TIME))

    def _set(self, t: float) -> None:
        rates = [float(rate) for rate in self.rates(t, self.base_lrs)]
        if not all(rate >= 0 for rate in rates):
            raise TinygradError(f"{type(self).__name__}: got the learning rates {rates} at t={t}, expected at least 0")
        self.last_epoch, self._last_lr = t, rates
        for group, rate in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = rate

    def get_last_lr(self) -> list[float]:
        """The rates that it set last, one a group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Where it is, as plain numbers; not its arguments."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs), "_last_lr": self.get_last_lr()}

    @explaining
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken, and set the rates of that time.

        Raises ShapeError if an entry is missing, or the number of groups differs.
        """
        name = type(self).__name__
        if missing := {"last_epoch", "base_lrs"} - set(state_dict):
            raise ShapeError(f"load_state_dict: {name} is missing {sorted(missing)}; got {sorted(state_dict)}")
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            got, expected = len(state_dict["base_lrs"]), len(self.base_lrs)
            raise ShapeError(f"load_state_dict: {name} got rates of {got} groups, expected {expected}")
        self.base_lrs = list(state_dict["base_lrs"])
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["initial_lr"] = base
        self._set(state_dict["last_epoch"])
