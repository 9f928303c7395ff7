"""From a loss for each example to one number: "mean", "sum", or "none" to leave them as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_edu import TinygradError, mean, sum

REDUCTIONS = ("mean", "sum", "none")


def checked_reduction(name: str, reduction: str, known: Sequence[str] = REDUCTIONS) -> str:
    """The reduction itself. Raises TinygradError if it is not known."""
    if reduction not in known:
        raise TinygradError(f"{name}: got reduction={reduction!r}, expected one of {', '.join(map(repr, known))}")
    return reduction


def reduced(name: str, losses: Any, reduction: str) -> Any:
    """The mean of the losses, their sum, or they themselves. Raises TinygradError for any other reduction."""
    checked_reduction(name, reduction)
    return losses if reduction == "none" else (mean if reduction == "mean" else sum)(losses)
