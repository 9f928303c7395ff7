"""Slopes of a function along a line, from its values alone, each with an error bar.

Central differences (y(h) - y(-h)) / 2h over shrinking steps h are extrapolated to h = 0 by Neville's scheme (Ridders' method).
The difference of the results is taken before they are weighed and summed: results that do not change cancel exactly, and
their size does not drown those that do. At a kink the slopes to the left and to the right are told apart.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite, nan, sqrt
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]
Line: TypeAlias = Callable[[complex], Any]  # t -> the function's results at x + t v, in one row

SHRINK = 3.0
STEPS = 18
SURE = 1e-4  # an error bar of more than this share of the number compared tells nothing
TINY = 1e-7  # a step over which smooth functions are straight, and functions that round coarsely stand still
POINTS = 33
ORDER = 6  # of the step, in the error that is left after three steps to both sides


class Slope(NamedTuple):
    """A derivative along a line.

    Attributes:
        value: NaN where there is none to be found.
        error: estimate of its absolute error; inf with NaN.
        resolution: the smallest slope that would have shown: below it the results would not have changed in their last digit.
    """

    value: float
    error: float
    resolution: float


NONE = Slope(nan, inf, inf)


def central(line: Line, weights: Vector, precision: float, goal: float, claimed: float = nan) -> Slope:
    """The slope of weights · y at 0, from both sides.

    Args:
        precision: relative rounding error of y: of the coarsest type that it was computed in.
        goal: an error that is small enough.
        claimed: what the slope is said to be; an agreement within the goal is no accident, and ends the search early.
    """

    def difference(h: float) -> tuple[float, float, float]:
        return _quotient(line(h), line(-h), weights, precision, 2 * h)

    return _extrapolated(difference, SHRINK**2, precision, goal, claimed)


def one_sided(line: Line, weights: Vector, precision: float, goal: float, side: int) -> Slope:
    """The slope of weights · y at 0, from the right (side 1) or from the left (side -1)."""
    here = line(0.0)

    def difference(h: float) -> tuple[float, float, float]:
        return _quotient(line(side * h), here, weights, precision, side * h)

    return _extrapolated(difference, SHRINK, precision, goal)


def _quotient(far: Vector, near: Vector, weights: Vector, precision: float, h: float) -> tuple[float, float, float]:
    """The difference quotient, its rounding error (of random sign, so that it adds up like lengths), and its resolution."""
    difference = far - near
    value = float(np.dot(weights, difference)) / h
    if not isfinite(value):
        changed = (far != near) & ((far == far) | (near == near))  # inf and NaN that stay are no change
        if not (changed.any() or np.isfinite(near).all()):
            return 0.0, 0.0, inf  # whatever moved is hidden behind an inf or NaN
        far, near, weights, difference = far[changed], near[changed], weights[changed], difference[changed]
        value = float(np.dot(weights, difference)) / h
    sizes = weights * np.maximum(np.abs(far), np.abs(near))
    rounding = resolution = precision * sqrt(float(np.dot(sizes, sizes))) / abs(h)
    if not difference.all():
        sizes = sizes[difference != 0]  # what does not change cancels exactly
        rounding = precision * sqrt(float(np.dot(sizes, sizes))) / abs(h)
    return value, rounding, resolution


def _extrapolated(
    difference: Callable[[float], tuple[float, float, float]],
    factor: float,
    precision: float,
    goal: float,
    claimed: float = nan,
) -> Slope:
    """The entry of Neville's table with the smallest error: its distance from its two neighbours of lower order, and rounding.

    The first step leaves, after three of them, an error about as large as rounding.

    Args:
        factor: by how much the leading error term shrinks from one step to the next.
    """
    best, previous, h = NONE, list[float](), precision ** (1 / ORDER)
    for _ in range(STEPS):
        value, rounding, resolution = difference(h)
        row = [value]
        if isfinite(value):
            power = factor
            for lower in previous:
                row.append((row[-1] * power - lower) / (power - 1))
                power *= factor
                error = max(abs(row[-1] - row[-2]), abs(row[-1] - lower)) + rounding
                if error < best.error:
                    best = Slope(row[-1], error, resolution)
            agreed = abs(best.value - claimed) <= goal and best.error <= SURE * abs(claimed)
            if agreed or best.error <= goal or rounding > best.error:
                break
            previous = row[:8]
        else:
            previous = []
        h /= SHRINK
    return best


def complex_step(line: Line, weights: Vector, h: float = 1e-150) -> Slope:
    """The slope of weights · y at 0 from one step ih: nothing is subtracted, so every digit is right where y is analytic."""
    value = float(np.dot(weights, line(complex(0, h)).imag)) / h
    return Slope(value, 16 * float(np.finfo(float).eps) * abs(value), 0.0)


def noise(line: Line, weights: Vector) -> float:
    """Relative rounding error of weights · y, as it shows in sixth differences over tiny steps; 0 where y is not finite.

    A function that computes in float32 inside, or subtracts large numbers, is noisier than the type of its result says.
    See Moré & Wild, "Estimating Computational Noise", SIAM J. Sci. Comput. 33 (2011).
    """
    rows = [line(TINY * k) for k in range(POINTS)]
    sums = np.array([float(np.dot(weights, y - rows[0])) for y in rows])
    size = sqrt(float(np.dot(weights * rows[0], weights * rows[0])))
    if not (np.isfinite(sums).all() and 0 < size < inf):
        return 0.0
    spread = sqrt(924.0)  # what sixth differences make of errors of size 1: √ of 12! / 6!²
    return float(np.sqrt(np.mean(np.diff(sums, 6) ** 2))) / spread / size
