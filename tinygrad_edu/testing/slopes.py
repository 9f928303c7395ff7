"""Numerical slopes of a function along a line, each with an error bar.

Central differences (y(h) - y(-h)) / 2h over shrinking steps h are extrapolated to h = 0 by Neville's scheme (Ridders' method).
Results are subtracted before they are weighted and summed, so that results that do not change cancel exactly and cause no
rounding error. One-sided differences give the slopes to the left and to the right of a kink.
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
SURE = 1e-4  # largest error bar, as a share of the compared number, that allows a verdict
TINY = 1e-7  # a step at which smooth functions are linear, and coarsely rounded functions constant
POINTS = 33
ORDER = 6  # order in h of the error that remains after three central differences


class Slope(NamedTuple):
    """A derivative along a line.

    Attributes:
        value: the slope; NaN if it cannot be determined.
        error: estimate of its absolute error; inf with NaN.
        resolution: the smallest detectable slope, which changes the last digit of the results.
    """

    value: float
    error: float
    resolution: float


NONE = Slope(nan, inf, inf)


def central(line: Line, weights: Vector, precision: float, goal: float, claimed: float = nan) -> Slope:
    """The slope of weights · y at 0, from both sides.

    Args:
        precision: relative rounding error of y, from the coarsest dtype in its computation.
        goal: a sufficiently small error.
        claimed: the claimed slope; agreement within the goal ends the search early.
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
    """The difference quotient, its rounding error (of random signs, hence added in quadrature), and its resolution."""
    difference = far - near
    value = float(np.dot(weights, difference)) / h
    if not isfinite(value):
        changed = (far != near) & ((far == far) | (near == near))  # inf and NaN on both ends are no change
        if not (changed.any() or np.isfinite(near).all()):
            return 0.0, 0.0, inf  # any change is hidden by an inf or NaN
        far, near, weights, difference = far[changed], near[changed], weights[changed], difference[changed]
        value = float(np.dot(weights, difference)) / h
    sizes = weights * np.maximum(np.abs(far), np.abs(near))
    rounding = resolution = precision * sqrt(float(np.dot(sizes, sizes))) / abs(h)
    if not difference.all():
        sizes = sizes[difference != 0]  # unchanged results cancel exactly
        rounding = precision * sqrt(float(np.dot(sizes, sizes))) / abs(h)
    return value, rounding, resolution


def _extrapolated(
    difference: Callable[[float], tuple[float, float, float]],
    factor: float,
    precision: float,
    goal: float,
    claimed: float = nan,
) -> Slope:
    """The entry of Neville's table with the smallest error: its distance from its two neighbours of lower order, plus rounding.

    The first step is chosen so that the error after three steps is about as large as rounding.

    Args:
        factor: the ratio of the leading error terms of successive steps.
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
    """The slope of weights · y at 0 from one step ih: without subtraction, hence exact to the last digit if y is analytic."""
    value = float(np.dot(weights, line(complex(0, h)).imag)) / h
    return Slope(value, 16 * float(np.finfo(float).eps) * abs(value), 0.0)


def noise(line: Line, weights: Vector) -> float:
    """Relative rounding error of weights · y, measured by sixth differences over tiny steps; 0 if y is not finite.

    A function that computes in float32 internally, or subtracts large numbers, is noisier than the dtype of its result.
    See Moré & Wild, "Estimating Computational Noise", SIAM J. Sci. Comput. 33 (2011).
    """
    rows = [line(TINY * k) for k in range(POINTS)]
    sums = np.array([float(np.dot(weights, y - rows[0])) for y in rows])
    size = sqrt(float(np.dot(weights * rows[0], weights * rows[0])))
    if not (np.isfinite(sums).all() and 0 < size < inf):
        return 0.0
    spread = sqrt(924.0)  # standard deviation of sixth differences of unit errors: √(12! / 6!²)
    return float(np.sqrt(np.mean(np.diff(sums, 6) ** 2))) / spread / size
