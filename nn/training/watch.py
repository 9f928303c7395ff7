"""Watch: evaluation, history and callbacks, between the epochs of training."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from time import perf_counter
from types import TracebackType
from typing import Any

import numpy as np

from tinygrad_edu import no_grad

from ..checks import checked, data_of
from ..data import batches
from ..module import Module
from .arguments import Data
from .callbacks import Callbacks, called
from .diagnosis import frail, why_not_finite
from .evaluation import BATCH, Metrics, measured, run
from .history import History, NonFiniteError
from .interrupts import Interrupts
from .monitor import Monitor
from .restore_point import finite
from .step import Step
from .tally import Parts


@dataclass
class Watch:
    """Evaluates the model after each epoch, records it in the history, and calls the callbacks.

    As a context it ends training: it suppresses KeyboardInterrupt, and puts the model in evaluation mode, also after an error,
    which gets the history as its attribute `history`.
    """

    model: Module
    data: dict[str, Data]  # to evaluate, by the first words of their curves' names
    loss: Parts
    metrics: Metrics
    monitor: Monitor
    history: History
    interrupts: Interrupts
    callbacks: Callbacks
    best: float = np.nan  # best number of the monitored curve
    start: float = 0.0  # of the epoch

    def __post_init__(self) -> None:
        self.history.monitor = self.monitor.curve
        self.history.seconds["epoch"] = array("d")

    def look(self, epoch: int, step: Step, show: Callable[[int, dict[str, float]], None]) -> bool:
        """Record an epoch, `show` its numbers, and call the callbacks; returns whether one of them ends training.

        Raises NonFiniteError for a loss that is not finite.
        """
        numbers = {"train_loss": step.tally.loss("fit")}
        for data in self.data:
            numbers |= self._evaluated(epoch, data)
        if step.prices:
            numbers["penalty"] = float(np.mean(step.prices))
        if not finite(step.trained):
            where = frail(self.model, gradients=False)
            raise NonFiniteError(
                f"fit: after epoch {epoch} {where}try a lower learning rate, or clip_norm=1.0", self.history
            )
        watched = numbers[self.monitor.curve]
        self.interrupts.hold()
        try:
            self._record(numbers, step)
            if epoch == 1 or self.monitor.better(watched, self.best):
                self.best, self.history.best_epoch = watched, epoch
            ended = called(self.callbacks.stateful["on_epoch"], epoch, self.history)
        finally:
            self.interrupts.release()
        show(epoch, numbers)
        return called(self.callbacks.others["on_epoch"], epoch, self.history) or ended

    def _evaluated(self, epoch: int, name: str) -> dict[str, float]:
        """Loss and metrics over one of the data, under their names in the history."""
        data = self.data[name]
        loss, outputs = run("fit", self.model, data, self.loss, BATCH, bool(self.metrics))
        if not isfinite(loss):
            self.model.eval()
            of = "training" if name == "train" else name
            every = batches(*data, batch_size=BATCH)
            batch = next((batch for batch in every if not self._finite(*batch)), next(batches(*data, batch_size=BATCH)))
            why = why_not_finite(self.model, batch, data, of)
            raise NonFiniteError(f"fit: the {of} loss is {loss} after epoch {epoch}; {why}", self.history)
        seen = {"loss": loss} | measured("fit", self.metrics, outputs, data[1])
        return {f"{name}_{title}": number for title, number in seen.items()}

    def _finite(self, x: Any, y: Any) -> bool:
        """Whether the loss of a batch is finite."""
        with no_grad():
            return isfinite(float(data_of(self.loss(self.model(x), y).value)))

    def _record(self, numbers: dict[str, float], step: Step) -> None:
        history, now = self.history, perf_counter()
        history.add(**numbers)
        history.epochs.setdefault("rate", []).append(step.rates[-1])
        if "gradient_norm" in history.steps:
            norms = step.norms[step.first :]
            history.epochs.setdefault("gradient_norm", []).append(float(np.nanmean(norms)))
        history.seconds["epoch"].append(now - self.start)
        self.start = now

    def state_dict(self) -> dict[str, Any]:
        """The history, and the best number."""
        return {"history": self.history.state_dict(), "best": self.best}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore the history and the best number."""
        self.best = checked("load_state_dict", "best", state_dict["best"])
        self.history.load_state_dict(state_dict["history"])

    def __enter__(self) -> Watch:
        self.start = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self.interrupts.hold()  # to the end
        self.history.interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        if error is not None:
            vars(error)["history"] = self.history  # also where the class has a property of this name
            error.add_note(f"fit: until then {self.history!r}; see error.history")
        self.model.eval()
        self.history.interrupted |= self.interrupts.waiting
        return self.history.interrupted
