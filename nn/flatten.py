"""Flatten: from pictures to vectors."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from tinygrad_edu import ShapeError, reshape

from .checks import INTEGER, checked
from .module import Module


class Flatten(Module):
    """The axes from start_dim to end_dim, both included, as one: (N, C, H, W) -> (N, C · H · W).

    Args:
        start_dim, end_dim: axes; negative ones count from the end.
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = checked("Flatten", "start_dim", start_dim, INTEGER)
        self.end_dim = checked("Flatten", "end_dim", end_dim, INTEGER)

    def forward(self, x: Any) -> Any:
        """x -> x with fewer axes, row by row. Raises ShapeError if x does not have the axes, or end_dim comes first."""
        shape = np.shape(x)
        start, end = [i + len(shape) if i < 0 else i for i in (self.start_dim, self.end_dim)]
        if not 0 <= start <= end < len(shape):
            got = f"start_dim={self.start_dim}, end_dim={self.end_dim} and an input of shape {shape}"
            raise ShapeError(f"Flatten: got {got}, expected axes that it has, in this order")
        return reshape(x, (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]))

    def describe(self) -> str:
        """start_dim, end_dim."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
