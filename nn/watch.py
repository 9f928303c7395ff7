"""Watch: what happens between the epochs of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import numpy as np

from .evaluation import Data, Loss, Metric, evaluate
from .functional import cross_entropy
from .history import History
from .loss import CrossEntropyLoss
from .metrics import accuracy
from .module import Module
from .optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

Schedule = LRScheduler | ReduceLROnPlateau


@dataclass
class Watch:
    """A look at the validation data, the schedule, and keeping the best weights.

    As a context it ends training: Ctrl-C goes no further, the best weights are put back if they were kept, and the model is in
    use (`eval`), also after an error.
    """

    model: Module
    validation: Data | None
    loss: Loss
    metrics: Sequence[Metric] | None
    patience: int | None
    schedule: Schedule | None
    history: History = field(default_factory=History)
    best: tuple[float, Any] = (np.inf, None)  # the lowest loss watched, and the weights that had it

    def __post_init__(self) -> None:
        if self.metrics is None:
            of_classes = self.loss is cross_entropy or isinstance(self.loss, CrossEntropyLoss)
            self.metrics = (accuracy,) if of_classes else ()

    def look(self, epoch: int, train_loss: float) -> dict[str, float]:
        """Record an epoch; returns its numbers."""
        numbers = {"train_loss": train_loss}
        if self.validation is not None:
            seen = evaluate(self.model, self.validation, self.loss, self.metrics or ())
            numbers |= {f"validation_{name}": number for name, number in seen.items()}
        self.history.add(**numbers)
        watched = numbers.get("validation_loss", train_loss)
        if watched < self.best[0]:
            self.history.best_epoch = epoch
            self.best = watched, self.model.state_dict() if self.patience is not None else None
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(watched)
        elif self.schedule is not None:
            self.schedule.step()
        return numbers

    def out_of_patience(self, epoch: int) -> bool:
        """Whether the best epoch is too long ago."""
        return self.patience is not None and epoch - self.history.best_epoch >= self.patience

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if self.best[1] is not None:
            self.model.load_state_dict(self.best[1])
        self.model.eval()
        self.history.interrupted = kind is KeyboardInterrupt
        return self.history.interrupted
