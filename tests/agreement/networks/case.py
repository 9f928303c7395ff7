"""One thing that nn and PyTorch both compute, and how far apart their numbers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

TOLERANCE = 1e-10  # relative to the largest number of an array, in float64

Numbers = Mapping[str, Any]  # arrays by what they are: "y", "gradient of weight", "after 100 steps"


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: of the layer, loss, optimiser or schedule, as in nn.
        setting: its arguments, as text.
        ours, theirs: compute the same numbers under the same names with nn, and with PyTorch.
    """

    name: str
    setting: str
    ours: Callable[[], Numbers]
    theirs: Callable[[], Numbers]


@dataclass(frozen=True)
class Comparison:
    case: Case
    apart: float  # the largest relative distance
    where: str

    @property
    def agrees(self) -> bool:
        return self.apart <= TOLERANCE


def compare(case: Case) -> Comparison:
    """The name of the numbers that are the furthest apart, and how far."""
    ours, theirs = case.ours(), case.theirs()
    if set(ours) != set(theirs):
        return Comparison(case, float("inf"), f"names differ: {sorted(set(ours) ^ set(theirs))}")
    return max((Comparison(case, _apart(ours[name], theirs[name]), name) for name in ours), key=lambda c: c.apart)


def _apart(a: Any, b: Any) -> float:
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    return float(np.max(np.abs(a - b), initial=0.0) / max(float(np.max(np.abs(b), initial=0.0)), 1e-30))
