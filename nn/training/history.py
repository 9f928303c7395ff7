"""History: the record of a training."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_edu import TinygradError

from ..checks import shown, size
from ..tables import Table

SHOWN = 24  # rows of a table; with more epochs, the first and the last ones


@dataclass(repr=False)
class History:
    """The record of `fit`; str() is a table of the epochs, which a notebook shows.

    Attributes:
        curves: one number an epoch under each of "train_loss", with validation data "validation_loss" and "validation_" with each
            metric's name, such as "validation_accuracy", with train_metrics=True "train_" with each metric's name, and with a
            penalty "penalty", the mean over the epoch's steps.
        best_epoch: the epoch, from 1, with the best number of the curve `monitor`; 0 until an epoch has ended.
        stopped_early: whether patience or `on_epoch` ended the training.
        interrupted: whether Ctrl-C ended the training.
        monitor: the curve that patience, best weights and plateau schedules use.
        steps: one number a step under each of "loss", "rate" (the learning rate of the first group) and, if it is computed for
            clip_norm= or gradient_norm=True, "gradient_norm" (before clipping). Loss and norm are NaN for a step that was left
            out, as all of its examples weigh 0.
        epochs: one number an epoch: "rate" at its last step, and "gradient_norm", the mean over its steps.
        seconds: "step", one number a step, and "epoch", validation included. Not compared by ==.
    """

    curves: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    stopped_early: bool = False
    interrupted: bool = False
    monitor: str = ""
    steps: dict[str, array[float]] = field(default_factory=dict)
    epochs: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, array[float]] = field(default_factory=dict, compare=False)

    def add(self, /, **numbers: float) -> None:
        """Append one epoch's numbers to the curves."""
        for name, number in numbers.items():
            self.curves.setdefault(name, []).append(number)

    def state_dict(self) -> dict[str, Any]:
        """A copy of the record, as plain data."""
        lists = {name: {key: list(own) for key, own in getattr(self, name).items()} for name in ("curves", "epochs")}
        arrays = {
            name: {key: np.array(own) for key, own in getattr(self, name).items()} for name in ("steps", "seconds")
        }
        return {**lists, **arrays, "best_epoch": self.best_epoch, "stopped_early": self.stopped_early}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Restore the record in `state_dict`. Raises TinygradError for a column that is not a list of floats."""
        for name in ("curves", "epochs", "steps", "seconds"):
            own = getattr(self, name)
            for key, numbers in state_dict[name].items():
                column = np.asarray(numbers)
                if column.ndim != 1 or column.dtype != float:
                    raise TinygradError(f"load_state_dict: got {name}.{shown(key)}={shown(numbers)}, expected floats")
                own.setdefault(key, array("d") if name in ("steps", "seconds") else [])[:] = array(
                    "d", column.tobytes()
                )
        self.best_epoch = size("load_state_dict", "best_epoch", state_dict["best_epoch"], least=0)
        self.stopped_early = state_dict["stopped_early"] is True

    def _ended(self) -> int:
        """The number of epochs that have ended."""
        return max(map(len, self.curves.values()), default=0)

    def table(self) -> Table:
        """Epochs as rows, with their curves, rates, norms and seconds; with many epochs, the first and the last ones."""
        seconds = {"seconds": self.seconds["epoch"]} if "epoch" in self.seconds else {}
        columns: dict[str, Sequence[float]] = {**self.curves, **self.epochs, **seconds}
        rows = [self._row(epoch, columns) for epoch in _shown(self._ended())]
        header = ["epoch", *[name.replace("_", " ") for name in columns]]
        return Table(header, rows, caption=self._end(), numeric=range(len(header)))

    def _row(self, epoch: int, columns: dict[str, Sequence[float]]) -> list[str]:
        if not epoch:
            return ["...", *[""] * len(columns)]
        numbers = [f"{column[epoch - 1]:.4g}" if epoch <= len(column) else "" for column in columns.values()]
        return [f"* {epoch}" if epoch == self.best_epoch else str(epoch), *numbers]

    def _end(self) -> str:
        """The end of the training, in words."""
        words = ["1 epoch" if self._ended() == 1 else f"{self._ended()} epochs"]
        if 0 < self.best_epoch <= len(self.curves.get(self.monitor, ())):
            number = self.curves[self.monitor][self.best_epoch - 1]
            words.append(f"best * {self.best_epoch}: {self.monitor.replace('_', ' ')} {number:.4g}")
        elif self.best_epoch:
            words.append(f"best * {self.best_epoch}")
        words += ["stopped early"] if self.stopped_early else []
        return ", ".join(words + (["interrupted"] if self.interrupted else []))

    def __repr__(self) -> str:
        return f"<History: {self._end().replace('best *', 'best')}>"

    def __str__(self) -> str:
        return str(self.table())

    def __rich__(self) -> Any:
        return self.table().__rich__()

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def _shown(epochs: int) -> Iterator[int]:
    """The epochs to show, and 0 for a gap."""
    half = SHOWN // 2
    yield from (
        range(1, epochs + 1) if epochs <= SHOWN else (*range(1, half + 1), 0, *range(epochs - half + 1, epochs + 1))
    )


class NonFiniteError(TinygradError):
    """Training met a loss, a penalty or a gradient that is NaN or infinite. The step that met it left no trace.

    Args:
        message: the step or epoch, and the first layer with such an output.
        history: the record up to that step.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history
