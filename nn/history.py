"""History: what training saw."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinygrad_edu import TinygradError


@dataclass
class History:
    """What `fit` saw.

    Attributes:
        curves: one number an epoch under each of "train_loss", and with validation data "validation_loss" and
            "validation_" with each metric's name, such as "validation_accuracy".
        best_epoch: the epoch, from 1, with the lowest validation loss (training loss without validation data).
        stopped_early: whether patience ran out, or `on_epoch` said so, before the epochs were over.
        interrupted: whether Ctrl-C ended the training.
    """

    curves: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    stopped_early: bool = False
    interrupted: bool = False

    def add(self, **numbers: float) -> None:
        """Append one epoch's numbers to the curves."""
        for name, number in numbers.items():
            self.curves.setdefault(name, []).append(number)


class NonFiniteError(TinygradError):
    """Training met a loss that is NaN or infinite.

    Args:
        message: the step, and the first layer with such an output.
        history: what was seen up to there.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history
