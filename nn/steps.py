"""Step: a step of training, from a batch to changed parameters."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from tinygrad_edu import TinygradError, Value, no_grad

from .evaluation import Loss
from .module import Module
from .optim import LBFGS, Optimizer
from .optim.lr_scheduler import LRScheduler
from .utils import clip_grad_norm_, clip_grad_value_


@dataclass
class Step:
    """A step of training in two parts: the gradients of batches, and the update. `schedule` is stepped after each update."""

    model: Module
    loss: Loss
    optimizer: Optimizer
    clip_norm: float | None
    clip_value: float | None
    schedule: LRScheduler | Any

    def __post_init__(self) -> None:
        self.trained = list(self.optimizer.state)
        self.parameters = list(
            dict.fromkeys([*self.model.parameters(), *self.trained])
        )  # found once: it takes its time

    def zero_grad(self) -> None:
        """Forget the gradients of the model, and of whatever else the optimiser trains."""
        for p in self.parameters:
            p.grad = None

    def backward(self, x: Any, y: Any, share: float) -> float:
        """Add the gradients of share * loss; returns the loss, which may be NaN: then there are no gradients.

        Raises TinygradError if the loss is no single Value.
        """
        error = self.loss(self.model(x), y)
        if not isinstance(error, Value) or error.shape:
            got = f"a Value of shape {error.shape}" if isinstance(error, Value) else f"a {type(error).__name__}"
            raise TinygradError(f"fit: the loss returned {got}, expected a Value of one number: a mean or a sum")
        number = float(error.data)
        if isfinite(number):
            error.backward(None if share == 1 else share, retain_graph=False)
        return number

    def update(self, x: Any, y: Any) -> float:
        """Change the parameters by the gradients that are there; returns a number that is not finite if that went wrong."""
        after = 0.0
        if isinstance(self.optimizer, LBFGS):
            self.optimizer.step(lambda: self._again(x, y))
            with no_grad():  # a step that ends at NaN does not say so
                after = float(self.loss(self.model(x), y))
        else:
            if self.clip_norm is not None:
                clip_grad_norm_(self.trained, self.clip_norm)
            if self.clip_value is not None:
                clip_grad_value_(self.trained, self.clip_value)
            self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
        return after

    def _again(self, x: Any, y: Any) -> float:
        """The loss of a batch, and its gradients, as LBFGS asks for them at each place that it tries."""
        self.zero_grad()
        return self.backward(x, y, 1)
