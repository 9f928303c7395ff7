"""Loss: what all losses with settings have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..functional.checks import data_of, numbers
from ..functional.reduction import REDUCTIONS, checked_reduction
from ..module import Module


class Loss(Module):
    """A module of (prediction, target) that keeps how to reduce. Raises TinygradError for an unknown reduction."""

    def __init__(self, *, reduction: str = "mean", known: Sequence[str] = REDUCTIONS) -> None:
        self.reduction = checked_reduction(type(self).__name__, reduction, known)

    def buffer(self, what: str, weight: Any) -> NDArray[Any] | None:
        """A copy of weights to keep, or None. Raises DTypeError unless they are real numbers."""
        return None if weight is None else np.array(data_of(numbers(type(self).__name__, what, weight)))

    def describe(self) -> str:
        """The settings that are numbers or text."""
        settings = {k: v for k, v in vars(self).items() if isinstance(v, (int, float, str)) and k != "training"}
        return ", ".join(f"{name}={value!r}" for name, value in settings.items())
