"""Monitor: the curve that decides about the best epoch, and whether it should fall or rise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tinygrad_edu import TinygradError

from ..checks import checked, one_of
from ..optim.lr_scheduler import ReduceLROnPlateau

Mode = Literal["min", "max"]

RISING = (
    "accuracy",
    "binary_accuracy",
    "correct",
    "f1",
    "precision",
    "r2",
    "recall",
    "top_k_accuracy",
)  # of nn.metrics: higher is better
FALLING = ("loss", "rmse", "zero_one_loss")


@dataclass(frozen=True)
class Monitor:
    """The curve that decides about the best epoch; mode "max" if it should rise."""

    curve: str
    mode: Mode

    def better(self, number: float, than: float) -> bool:
        """Whether a number is better than another."""
        return number > than if self.mode == "max" else number < than


def monitor_of(
    curve: str | None, mode: str | None, curves: list[str], callbacks: Sequence[Any], climbs: bool
) -> Monitor:
    """The monitor for a curve and a mode, or for their defaults.

    Args:
        curve: one of `curves`, which fit will record; None for the validation loss, or the training loss without one.
        mode: "min" or "max"; None for the mode of a known metric or loss.
        callbacks: those of epochs, which go by the monitor.
        climbs: whether the optimiser maximizes the loss.

    Raises TinygradError for an unknown curve, a mode that is not known or contradicts a known one, or a plateau of another mode.
    """
    curve = ("validation_loss" if "validation_loss" in curves else "train_loss") if curve is None else curve
    if curve not in curves:
        missing = (
            ""
            if "validation_loss" in curves
            else "; pass validation=(inputs, targets) to have those of validation data"
        )
        raise TinygradError(f"fit: got monitor={curve!r}, expected one of {', '.join(map(repr, curves))}{missing}")
    measured = curve.partition("_")[2]
    sense = "max" if measured in RISING else "min" if measured in FALLING else None
    if measured == "loss" and climbs:
        sense = "max"
    if mode is not None:
        checked("fit", "mode", mode, one_of("min", "max"))
    if mode is None and sense is None:
        raise TinygradError(f"fit: got monitor={curve!r}, pass mode='max' if higher is better, or mode='min'")
    if mode is not None and sense not in (None, mode):
        better = "higher" if sense == "max" else "lower"
        raise TinygradError(f"fit: got mode={mode!r} for {curve}, expected {sense!r}, as {better} is better")
    found: Mode = "max" if (mode or sense) == "max" else "min"
    if plateaus := [each for each in callbacks if isinstance(each, ReduceLROnPlateau) and each.mode != found]:
        got = f"a ReduceLROnPlateau of mode={plateaus[0].mode!r}, and {curve} to go by, which is {found!r}"
        remedy = f"pass monitor='validation_accuracy', for example, or ReduceLROnPlateau(mode={found!r})"
        raise TinygradError(f"fit: got {got}; {remedy}")
    return Monitor(curve, found)
