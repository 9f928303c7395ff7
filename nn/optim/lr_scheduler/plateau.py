"""ReduceLROnPlateau: a schedule that watches a number instead of the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Literal

from tinygrad_edu import ShapeError, TinygradError

from ...checks import NOT_NEGATIVE, Explaining, checked, data_of, explaining, shown
from ..optimizer import Optimizer

STATE = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch", "_last_lr")


class ReduceLROnPlateau(Explaining):
    """η ← max(factor η, min_lr) once a number, such as the validation loss, got no better for more than `patience` steps.

    Args:
        optimizer: whose rates to set.
        mode: "min" if lower is better, "max" if higher.
        factor: in [0, 1).
        patience: how many steps without a better number to bear.
        threshold: how much better than the best a number has to be.
        threshold_mode: "rel" for that share of the best, "abs" for so much. "rel" is for positive numbers, as in PyTorch: below a
            best of -100 with a threshold of 0.01 lies -99, so that a worse number counts as better; take "abs" there.
        cooldown: steps after a reduction that do not count.
        min_lr: the lowest rate; or a list, one a group. With a single one, groups that are added later join.
        eps: leave a rate that would change by no more than this.

    Raises:
        TinygradError: for an argument outside these, as PyTorch's.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TinygradError(f"ReduceLROnPlateau: got a {type(optimizer).__name__} first, expected an optimiser")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            got = f"mode={mode!r}, threshold_mode={threshold_mode!r}"
            raise TinygradError(f"ReduceLROnPlateau: got {got}, expected 'min' or 'max', and 'rel' or 'abs'")
        if not 0 <= factor < 1:
            raise TinygradError(f"ReduceLROnPlateau: got factor={factor}, expected a number in [0, 1)")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.min_lr = min_lr
        self._lowest()
        self.best = inf if mode == "min" else -inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self.base_lrs = [float(group["lr"]) for group in optimizer.param_groups]
        self._last_lr = list(self.base_lrs)

    @explaining
    def step(self, metrics: Any) -> None:
        """Look at the number of an epoch, and reduce the rates if it is time. NaN is not better than anything."""
        number, lowest = float(data_of(metrics)), self._lowest()
        self.last_epoch += 1
        if self.is_better(number):
            self.best, self.num_bad_epochs = number, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            for group, least in zip(self.optimizer.param_groups, lowest, strict=True):
                rate = max(group["lr"] * self.factor, least)
                if group["lr"] - rate > self.eps:
                    group["lr"] = rate
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def __call__(self, epoch: int, history: Any) -> None:
        """`step` with the number of the epoch, as a callback of `fit(on_epoch=...)`: that of the curve `fit(monitor=...)`."""
        self.step(history.curves[history.monitor][-1])

    def is_better(self, number: float) -> bool:
        """Whether a number is better than the best by the threshold."""
        share, least = (self.threshold, 0.0) if self.threshold_mode == "rel" else (0.0, self.threshold)
        if self.mode == "min":
            return number < self.best * (1 - share) - least
        return number > self.best * (1 + share) + least

    def _lowest(self) -> list[float]:
        """The lowest rate of each group."""
        groups, given = len(self.optimizer.param_groups), self.min_lr
        lowest = list(given) if isinstance(given, Sequence) else [given] * groups
        if len(lowest) != groups:
            raise TinygradError(f"ReduceLROnPlateau: got {len(lowest)} min_lr, expected one or {groups}, one a group")
        return lowest

    def get_last_lr(self) -> list[float]:
        """The rates after the last step, one a group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Where it is, as plain numbers; not its arguments."""
        return {name: getattr(self, name) for name in STATE} | {"_last_lr": self.get_last_lr()}

    @explaining
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken, with the rates of that time.

        Raises ShapeError if an entry is missing or no number, or the number of groups differs; nothing is changed then.
        """
        groups, name = self.optimizer.param_groups, type(self).__name__
        if missing := set(STATE) - set(state_dict):
            raise ShapeError(f"load_state_dict: {name} is missing {sorted(missing)}; got {shown(list(state_dict))}")
        rates = list(state_dict["_last_lr"])
        if len(rates) != len(groups):
            raise ShapeError(f"load_state_dict: {name} got rates of {len(rates)} groups, expected {len(groups)}")
        for key in STATE[:-1]:
            checked(name, key, state_dict[key])
        for rate in rates:
            checked(name, "_last_lr", rate, NOT_NEGATIVE)
        vars(self).update({key: state_dict[key] for key in STATE} | {"_last_lr": rates})
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
