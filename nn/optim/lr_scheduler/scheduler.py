"""LRScheduler: what all schedules that are functions of time share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from tinygrad_edu import ShapeError, TinygradError

from ...checks import Domain, Explaining, checked, explaining, is_real, shown
from ..optimizer import Optimizer

TIME: Domain = (lambda t: is_real(t) and 0 <= t < inf, "a number from 0 on, finite")
START: Domain = (lambda t: is_real(t) and -1 <= t < inf, "a number from -1 on, finite")


class LRScheduler(Explaining):
    """Sets the learning rates of an optimiser's groups: a subclass defines `factor(t)`, or `rate(t, base)` instead.

    t counts the calls of `step`, usually one an epoch, from 0; base is the rate that a group had at first, "initial_lr" in the
    group. The rate is computed from these alone, never from the last rate, so one schedule at a time sets an optimiser's rates:
    for several, see `ChainedScheduler` and `SequentialLR`. A group that is added later joins at the next `step`: the rate that it
    was added with is its base rate.

    Args:
        optimizer: whose rates to set, at once and after each `step`.
        last_epoch: t of the last step before, to go on from a point; -1 to begin.

    Raises:
        TinygradError: if it is not an optimiser.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TinygradError(f"{type(self).__name__}: got a {type(optimizer).__name__} first, expected an optimiser")
        self.optimizer = optimizer
        bases = [float(group["initial_lr" if "initial_lr" in group else "lr"]) for group in optimizer.param_groups]
        self._set(checked(type(self).__name__, "last_epoch", last_epoch, START) + 1, bases)

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
        groups = self.optimizer.param_groups
        new = groups[len(self.base_lrs) :]
        found, expected = [group["lr"] for group in groups], [*self._last_lr, *[group["lr"] for group in new]]
        if found != expected:
            raise TinygradError(
                f"{type(self).__name__}: found learning rates {found}, expected {expected} as it had set them; join several "
                "schedules by ChainedScheduler or SequentialLR; change rates by `optimizer.lr = ...`, then make a new one"
            )
        bases = [*self.base_lrs, *[float(group["lr"]) for group in new]]
        self._set(self.last_epoch + 1 if epoch is None else checked(type(self).__name__, "epoch", epoch, TIME), bases)

    def __call__(self, time: int, history: Any) -> None:
        """`step()`, as a callback of `fit(on_epoch=...)` or `fit(on_step=...)`."""
        self.step()

    def _set(self, t: float, bases: list[float]) -> None:
        """The rates at time t of groups with these base rates. An error changes nothing."""
        rates = [float(rate) for rate in self.rates(t, bases)]
        if len(rates) != len(bases) or not all(rate >= 0 for rate in rates):
            got, expected = f"the learning rates {rates} at t={t}", f"at least 0 for each of {len(bases)} groups"
            raise TinygradError(f"{type(self).__name__}: got {got}, expected {expected}")
        self.last_epoch, self.base_lrs, self._last_lr = t, bases, rates
        for group, base, rate in zip(self.optimizer.param_groups, bases, rates, strict=True):
            group["initial_lr"], group["lr"] = base, rate

    def get_last_lr(self) -> list[float]:
        """The rates that it set last, one a group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Where it is, as plain numbers; not its arguments."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs), "_last_lr": self.get_last_lr()}

    @explaining
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken, and set the rates of that time.

        Raises ShapeError if an entry is missing or no number, or the number of groups differs; nothing is changed then.
        """
        name, groups = type(self).__name__, self.optimizer.param_groups
        if missing := {"last_epoch", "base_lrs"} - set(state_dict):
            raise ShapeError(f"load_state_dict: {name} is missing {sorted(missing)}; got {shown(list(state_dict))}")
        bases = list(state_dict["base_lrs"])
        if len(bases) != len(groups):
            raise ShapeError(f"load_state_dict: {name} got rates of {len(bases)} groups, expected {len(groups)}")
        for base in bases:
            checked(name, "base_lrs", base, TIME)
        self._set(checked(name, "last_epoch", state_dict["last_epoch"], TIME), bases)
