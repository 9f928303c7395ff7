"""Scaling: inputs with mean 0 and variance 1, by the mean and the scale of the training examples alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError

from ..checks import shown
from .examples import Examples

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """Means and scales (standard deviations).

    Attributes:
        mean, scale: one for each column of a table; for images, one for all pixels.
        target_mean, target_scale: those of real targets; 0 and 1 for classes.
    """

    mean: Numbers
    scale: Numbers
    target_mean: float = 0.0
    target_scale: float = 1.0

    @classmethod
    def of(cls, examples: Examples, train: Any) -> Scaling:
        """The scaling of the training examples, given their indices. Raises TinygradError if a mean or scale overflows."""
        inputs = examples.inputs[train].astype(np.float64)
        mean, scale = _moments(inputs.reshape(-1, 1) if examples.image else inputs)
        if wrong := np.flatnonzero(~np.isfinite(mean + scale)).tolist():
            raise TinygradError(_too_large(examples, examples.features[wrong[0]]))
        if examples.classes:
            return cls(mean, scale)
        targets = [float(moment[0]) for moment in _moments(examples.targets[train].reshape(-1, 1))]
        if not np.isfinite(sum(targets)):
            raise TinygradError(_too_large(examples, examples.target))
        return cls(mean, scale, *targets)

    def inputs(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Inputs as the model takes them."""
        with np.errstate(over="ignore"):
            return ((x - self.mean) / self.scale).astype(np.float32)

    def targets(self, examples: Examples) -> NDArray[Any]:
        """Targets as the loss takes them: labels (n,), or scaled numbers (n, 1)."""
        if examples.classes:
            return examples.targets
        with np.errstate(over="ignore"):
            return ((examples.targets - self.target_mean) / self.target_scale).astype(np.float32)[:, None]

    def described(self) -> dict[str, Any]:
        """The scaling as data that JSON can hold."""
        columns = {"mean": self.mean.tolist(), "scale": self.scale.tolist()}
        return columns | {"target_mean": self.target_mean, "target_scale": self.target_scale}


def _moments(columns: Numbers) -> tuple[Numbers, Numbers]:
    """Mean and standard deviation of each column; for a constant column the deviation is replaced by 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        constant = columns.min(axis=0) == columns.max(axis=0)
        return columns.mean(axis=0), np.where(constant, 1.0, columns.std(axis=0))


def _too_large(examples: Examples, column: str) -> str:
    return f"{examples.title}: the numbers of column {shown(column)} are too large to compute their scale; divide them"
