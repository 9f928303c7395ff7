"""Dropout: random zeros in training, against a network's reliance on single units."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import functional
from .checks import PROBABILITY, checked, generator
from .module import Module


class Dropout(Module):
    """In training each number is 0 with probability p, else divided by 1 - p; in evaluation mode, x itself.

    Args:
        p: probability, from 0 to 1.
        rng: random generator, or a seed for one; unseeded if None. `Module.generator_state` tells where it is.

    Raises TinygradError for any other p. See Srivastava et al., "Dropout" (2014).
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | int | None = None) -> None:
        self.p, self.rng = checked("Dropout", "p", p, PROBABILITY), generator("Dropout", rng)

    def forward(self, x: Any) -> Any:
        """x: any shape -> the same."""
        return functional.dropout(x, self.p, self.training, rng=self.rng)

    def describe(self) -> str:
        """p."""
        return f"p={self.p}"
