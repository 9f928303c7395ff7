"""Numerical slopes of a function along a line, each with an error bar.

Central differences (y(h) - y(-h)) / 2h over shrinking steps h are extrapolated to h = 0 by Neville's scheme (Ridders' method).
Results are subtracted before they are weighted and summed, so that results that do not change cancel exactly and cause no
rounding error. One-sided differences give the slopes to the left and to the right of a kink.

The first step suits a function that is smooth over a distance of 1. Near a pole or the end of the domain the differences do not
settle, and the steps shrink until they do. A slope that never settles is no evidence against a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, isfinite, nan, sqrt
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]

SHRINK = 3.0
STEPS = 18  # after which settled differences say no more
SURE = 1e-4  # largest error bar, as a share of the compared number, that allows a verdict
TINY = 1e-7  # a step at which smooth functions are linear, and coarsely rounded functions constant
POINTS = 33
ORDER = 6  # order in h of the error that remains after three central differences
COLUMNS = 8  # of Neville's table
COARSE = 1e-6  # results that change by this share, and then no more, may be rounded to float32 inside
LIMIT = 10.0  # an error of so many rounding errors may be rounding


@dataclass(frozen=True, slots=True)
class Line:
    """The function along a line.

    Attributes:
        at: t -> its results at x + t v, in one row.
        here: the results at x.
        finest: the smallest t by which x moves.
        exact: t -> the nearest t by which x moves without rounding.
        grain: relative rounding error of x + t v, times t.
    """

    at: Callable[[complex], Any]
    here: Vector
    finest: float
    exact: Callable[[float], float] = float
    grain: float = 0.0

    def stretched(self, factor: float) -> Line:
        """The same line, by another unit."""
        return replace(
            self,
            at=lambda t: self.at(factor * t),
            finest=self.finest / factor,
            exact=lambda t: self.exact(factor * t) / factor,
            grain=self.grain / factor,
        )


class Slope(NamedTuple):
    """A derivative along a line.

    Attributes:
        value: the slope; NaN if it cannot be determined.
        error: estimate of its absolute error; inf with NaN.
        resolution: the smallest detectable slope, which changes the last digit of the results.
        settled: the differences agree, so that the error bar holds.
        reach: the largest step at which they do, as a share of the usual first step.
    """

    value: float
    error: float
    resolution: float
    settled: bool = True
    reach: float = 1.0


NONE = Slope(nan, inf, inf, settled=False)


class Difference(NamedTuple):
    """A difference quotient.

    Attributes:
        value: the quotient.
        rounding: its rounding error (of random signs, hence added in quadrature).
        resolution: the smallest detectable slope.
        bend: the second difference.
        size: the size of the weighted results.
    """

    value: float
    rounding: float
    resolution: float
    bend: float = 0.0
    size: float = 0.0


def central(line: Line, weights: Vector, precision: float, goal: float, claimed: float = nan) -> Slope:
    """The slope of weights · y at 0, from both sides.

    Args:
        precision: relative rounding error of y, from the coarsest dtype in its computation.
        goal: a sufficiently small error.
        claimed: the claimed slope; agreement within the goal ends the search early.
    """

    def difference(h: float) -> Difference:
        return _quotient(line.at(h), line.at(-h), line.here, weights, precision, 2 * h)

    return _extrapolated(difference, line, 2, precision, goal, claimed)


def one_sided(line: Line, weights: Vector, precision: float, goal: float, side: int) -> Slope:
    """The slope of weights · y at 0, from the right (side 1) or from the left (side -1)."""

    def difference(h: float) -> Difference:
        return _quotient(line.at(side * h), line.here, None, weights, precision, side * h)

    return _extrapolated(difference, line, 1, precision, goal)


def _quotient(
    far: Vector, near: Vector, middle: Vector | None, weights: Vector, precision: float, h: float
) -> Difference:
    """The difference quotient of two results, and their second difference, if given the result in the middle."""
    difference = far - near
    value = float(np.dot(weights, difference)) / h
    if not isfinite(value):
        changed = (far != near) & ((far == far) | (near == near))  # inf and NaN on both ends are no change
        if not (changed.any() or np.isfinite(near).all()):
            return Difference(0.0, 0.0, inf)  # any change is hidden by an inf or NaN
        far, near, weights, difference = far[changed], near[changed], weights[changed], difference[changed]
        middle = None if middle is None else middle[changed]
        value = float(np.dot(weights, difference)) / h
    sizes = weights * np.maximum(np.abs(far), np.abs(near))
    size = sqrt(float(np.dot(sizes, sizes)))
    rounding = resolution = precision * size / abs(h)
    if not difference.all():
        sizes = sizes[difference != 0]  # unchanged results cancel exactly
        rounding = precision * sqrt(float(np.dot(sizes, sizes))) / abs(h)
    bend = 0.0 if middle is None else abs(value * h + 2 * float(np.dot(weights, near - middle)))
    return Difference(value, rounding, resolution, bend, size)


def _extrapolated(
    difference: Callable[[float], Difference],
    line: Line,
    power: int,
    precision: float,
    goal: float,
    claimed: float = nan,
) -> Slope:
    """The settled entry of Neville's table with the smallest error: its distance from its two neighbours of lower order, plus
    rounding.

    The first step is chosen so that the error after three steps is about as large as rounding. Where the second difference does
    not shrink with the step, a pole or a spike lies within it, and the table begins anew.

    Args:
        power: the order in h of the leading error term.
    """
    best = rough = NONE
    previous, steps, bend, left = list[float](), list[float](), inf, STEPS
    first = h = precision ** (1 / ORDER)
    while h >= line.finest and (left or not best.settled):
        h = line.exact(h)
        value, rounding, resolution, bent, size = difference(h)
        if value == rounding == 0 and previous and 0 < abs(previous[0] * steps[-1]) <= COARSE * size:
            break  # below the resolution of the results
        if bent > max(bend / 2, 4 * precision * size) or not isfinite(value):
            previous, steps, left = [], [], STEPS
        bend = bent
        if isfinite(value):
            left = max(left - 1, 0)
            rounding += abs(value) * line.grain / h
            row = [value]
            for lower, step in zip(previous, reversed(steps), strict=True):
                row.append(row[-1] + (row[-1] - lower) / ((step / h) ** power - 1))
                error = max(abs(row[-1] - row[-2]), abs(row[-1] - lower)) + rounding
                if error < rough.error:
                    rough = Slope(row[-1], error, resolution, settled=False)
                if error < best.error and error <= max(SURE * abs(row[-1]), LIMIT * rounding):
                    best = Slope(row[-1], error, resolution, reach=step / first)
            agreed = abs(best.value - claimed) <= goal and best.error <= SURE * abs(claimed)
            if agreed or best.error <= goal or rounding > best.error:
                break
            previous, steps = row[:COLUMNS], [*steps, h][-COLUMNS:]
            h /= SHRINK
        else:
            h /= SHRINK**2
    return best if best.settled else rough


def contradiction(line: Line, weights: Vector, precision: float, slope: Slope, claimed: float) -> float:
    """The largest step at which the function behaves in another way than the slope says, as a share of the first step.

    The search ends where rounding hides the difference between the slope and the claimed one, with 0.
    """
    first = precision ** (1 / ORDER)
    h, previous = first * slope.reach, nan
    while h >= line.finest:
        h = line.exact(h)
        value, rounding, *_ = _quotient(line.at(h), line.at(-h), None, weights, precision, 2 * h)
        if LIMIT * rounding > abs(slope.value - claimed):
            break
        if abs(value - slope.value) > LIMIT * (rounding + slope.error) + abs(value - previous):
            return float(h / first)
        previous = value
        h /= SHRINK
    return 0.0


def complex_step(line: Line, weights: Vector, h: float = 1e-150) -> Slope:
    """The slope of weights · y at 0 from one step ih: without subtraction, hence exact to the last digit if y is analytic."""
    value = float(np.dot(weights, line.at(complex(0, h)).imag)) / h
    return Slope(value, 16 * float(np.finfo(float).eps) * abs(value), 0.0)


def noise(line: Line, weights: Vector) -> float:
    """Relative rounding error of weights · y, measured by sixth differences over tiny steps; 0 if y is not finite.

    A function that computes in float32 internally, or subtracts large numbers, is noisier than the dtype of its result.
    See Moré & Wild, "Estimating Computational Noise", SIAM J. Sci. Comput. 33 (2011).
    """
    step = line.exact(max(TINY, line.finest))
    rows = [line.at(step * k) for k in range(POINTS)]
    sums = np.array([float(np.dot(weights, y - rows[0])) for y in rows])
    size = sqrt(float(np.dot(weights * rows[0], weights * rows[0])))
    if not (np.isfinite(sums).all() and 0 < size < inf):
        return 0.0
    spread = sqrt(924.0)  # standard deviation of sixth differences of unit errors: √(12! / 6!²)
    return float(np.sqrt(np.mean(np.diff(sums, 6) ** 2))) / spread / size
