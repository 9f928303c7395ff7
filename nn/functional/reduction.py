"""From a loss for each example to one number: "mean", "sum", or "none" to leave them as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_edu import mean, sum

from ..checks import checked, one_of

REDUCTIONS = ("mean", "sum", "none")


def checked_reduction(name: str, reduction: str, known: Sequence[str] = REDUCTIONS) -> str:
    """The reduction itself. Raises TinygradError if it is not known."""
    return str(checked(name, "reduction", reduction, one_of(*known)))


def reduced(name: str, losses: Any, reduction: str) -> Any:
    """The mean of the losses, their sum, or they themselves. Raises TinygradError for any other reduction."""
    checked_reduction(name, reduction)
    return losses if reduction == "none" else (mean if reduction == "mean" else sum)(losses)
