"""A step length that meets the strong Wolfe conditions.

For φ(t) = f(w + t d) with φ'(0) < 0 they ask for a step that lowers f in proportion to its length, and that ends where the
slope is much flatter than at the start:

    φ(t) ≤ φ(0) + c₁ t φ'(0)        |φ'(t)| ≤ c₂ |φ'(0)|

Source: Nocedal & Wright, "Numerical Optimization" (2006), algorithms 3.5 (steps grow until a stretch must hold such a t) and 3.6
(the stretch shrinks around it), formula 3.59 (the cubic). The numbers are those of Schmidt's minFunc and of PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

C1, C2 = 1e-4, 0.9
MOST_TRIALS = 25  # after the first
LEAST_GROWTH = 0.01  # of the last stretch, by which a longer step goes on
MOST_GROWTH = 10  # times its length
MARGIN = 0.1  # of a stretch, at its ends; a trial in there hardly shrinks it


class Point(NamedTuple):
    """φ at one step length."""

    t: float
    loss: float
    gradient: NDArray[Any]
    slope: float  # φ'(t), which is gradient · d

    @property
    def steepest(self) -> float:
        """The largest absolute value in the gradient."""
        return float(np.max(np.abs(self.gradient)))


def strong_wolfe(
    along: Callable[[float], Point], start: Point, t: float, shortest: float, most: int = MOST_TRIALS
) -> tuple[Point, int]:
    """A point where both conditions hold, or the best that was found, and how often `along` was called.

    Args:
        along: from t to the point there.
        start: the point at 0, with a negative slope.
        t: the first trial.
        shortest: give up on a stretch shorter than this.
        most: make no more trials than this after the first.
    """
    last, new = start, along(t)
    trials = 0
    while trials < most:
        # it went up: past the bound, or since the last point, which counts from the third on as in PyTorch
        if _too_high(new, start) or (trials > 1 and new.loss >= last.loss):
            break
        if abs(new.slope) <= -C2 * start.slope:
            return new, trials + 1
        if new.slope >= 0:
            break
        low_end, high_end = new.t + LEAST_GROWTH * (new.t - last.t), new.t * MOST_GROWTH
        last, new = new, along(_cubic_minimum(last, new, low_end, high_end))
        trials += 1
    else:  # it still goes down after all trials: the stretch is all the way
        last = start
    low, high = (new, last) if new.loss < last.loss else (last, new)
    return _zoom(along, start, low, high, shortest, trials, most)


def _too_high(point: Point, start: Point) -> bool:
    return not point.loss <= start.loss + C1 * point.t * start.slope  # nor is NaN low enough


def _zoom(
    along: Callable[[float], Point], start: Point, low: Point, high: Point, shortest: float, trials: int, most: int
) -> tuple[Point, int]:
    """Shrink the stretch between `low`, the lower end, and `high`."""
    slow = False  # whether the last trial was close to an end
    while trials < most and abs(high.t - low.t) >= shortest:
        left, right = sorted((low.t, high.t))
        t, margin = _cubic_minimum(low, high, left, right), MARGIN * (right - left)
        close = min(right - t, t - left) < margin
        if close and (slow or t >= right or t <= left):
            t, close = right - margin if right - t < t - left else left + margin, False
        slow = close
        new = along(t)
        trials += 1
        if _too_high(new, start) or new.loss >= low.loss:
            low, high = (new, low) if new.loss < low.loss else (low, new)
            continue
        if abs(new.slope) <= -C2 * start.slope:
            return new, trials + 1
        if new.slope * (high.t - low.t) >= 0:
            high = low
        low = new
    return low, trials + 1


def _cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic with the losses and slopes of two points is least, as far as low <= t <= high; half way if nowhere."""
    a, b = (a, b) if a.t <= b.t else (b, a)
    k = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = k * k - a.slope * b.slope
    if square >= 0 and isfinite(square):
        root = sqrt(square)
        if span := b.slope - a.slope + 2 * root:
            return min(max(b.t - (b.t - a.t) * (b.slope + root - k) / span, low), high)
    return (low + high) / 2
