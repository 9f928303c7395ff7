"""Jumps and poles of a function of one number, found by halving intervals: a smooth function's change vanishes, a jump stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .field import Array

_HALVINGS = 40
_GROWS = 10.0  # times, at a thousandth of the distance from a pole


@np.errstate(invalid="ignore")  # infinity less infinity
def narrowed(f: Callable[[Array], Array], ends: Array, least: Array | float) -> tuple[Array, Array, NDArray[np.intp]]:
    """Intervals around jumps: each halved again and again, towards the half in which f changes more.

    Of several jumps in one interval one is found.

    Args:
        f: elementwise, (n,) -> (n,).
        ends: of the intervals, (2, n).
        least: the change that counts as a jump, (n,) or one number; an interval in which f changes by no more is dropped.

    Returns:
        the intervals, (2, k); f at their ends, (2, k); which of the n they are, (k,).
    """
    which = np.arange(ends.shape[1])
    least = np.broadcast_to(least, which.shape)
    values = np.stack([f(end) for end in ends])
    for _ in range(_HALVINGS):
        kept = np.abs(values[1] - values[0]) > least[which]
        ends, values, which = ends[:, kept], values[:, kept], which[kept]
        if not which.size:
            break
        middle = ends.mean(axis=0)
        between = f(middle)
        left = np.abs(between - values[0]) >= np.abs(values[1] - between)
        ends = np.where(left, [ends[0], middle], [middle, ends[1]])
        values = np.where(left, [values[0], between], [between, values[1]])
    return ends, values, which


def has_pole(f: Callable[[Array], Array], x: Array, y: Array) -> bool:
    """Whether f has no bound: around a peak on a grid, y at x, (n,), it grows and grows the closer one comes.

    A thousandth of the distance must make it ten times as large, so a logarithm, which a picture can show, has none.
    """
    size = np.nan_to_num(np.abs(y), nan=-1.0)
    beside = np.pad(size, 1, constant_values=-1.0)
    peaks = np.flatnonzero((size >= beside[:-2]) & (size >= beside[2:]) & (size > 0))
    place, largest = x[peaks], size[peaks]
    step = width = np.ptp(x) / (len(x) - 1)

    def around(distance: float) -> tuple[Array, Array]:
        """Places at a distance on either side, (2, n), and |f| there; NaN where the grid ends."""
        there = np.clip([place - distance, place + distance], x[0], x[-1])
        return there, np.where(there == place, np.nan, np.abs([f(side) for side in there]))

    for _ in range(_HALVINGS):
        for there, found in zip(*around(width), strict=True):
            better = found > largest
            place, largest = np.where(better, there, place), np.where(better, found, largest)
        width /= 2
    near = [np.fmax(*around(step * 2.0**-k)[1]) for k in (10, 20, 30)]
    return bool(np.any((near[1] > _GROWS * near[0]) & (near[2] > _GROWS * near[1])))
