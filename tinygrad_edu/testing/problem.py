"""The problem to examine, a function with its claimed gradient as flat vectors; and the findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import isfinite, nan, ulp

import numpy as np
from numpy.typing import NDArray

from ..errors import GradientError
from .slopes import LIMIT, SURE, Line, Slope, Vector, central, complex_step, noise, one_sided

Indices = NDArray[np.intp]
KINK = 1e-2  # largest error bar, as a share of the jump in slope, at which a kink is accepted
NEARBY = 32  # points around a kink
COARSEST = 1e-4  # larger relative noise is that of steps beyond a pole or the end of the domain
FINEST = 1e-25  # the smallest step from 0


class Verdict(StrEnum):
    """The verdict on one number of a gradient."""

    RIGHT = "right"
    SUBGRADIENT = "subgradient"
    INCONCLUSIVE = "inconclusive"
    WRONG = "wrong"


@dataclass
class Problem:
    """A function of a vector, and the claimed gradient of weights · y.

    Attributes:
        function: x -> y, vectors of float64.
        x, gradient: vectors of the same length.
        here: y at x.
        weights: the weights of y.
        precision: relative rounding error of y.
        noise: relative rounding error allowed in the gradient.
        spacing: relative rounding error of one operation in the gradient's computation.
        rng: the generator of the directions.
        budget: the number of function evaluations left.
        complex_step: compute slopes from complex steps.
        floor: absolute error allowed in a gradient of 0, whose terms may cancel.
    """

    function: Callable[[Vector], Vector]
    x: Vector
    here: Vector
    gradient: Vector
    weights: Vector
    precision: float
    noise: float
    spacing: float
    rng: np.random.Generator
    budget: int
    complex_step: bool = False
    floor: float = 0.0

    @cached_property
    def largest(self) -> float:
        """The largest finite number of the gradient."""
        return float(np.max(np.abs(self.gradient[np.isfinite(self.gradient)]), initial=0.0))

    def slope(self, line: Line, goal: float, claimed: float = nan, precision: float = 0.0) -> Slope:
        """The slope along a line: from a complex step if requested and confirmed by a real difference, else two-sided."""
        real = central(line, self.weights, precision or self.precision, goal, claimed)
        if not (self.complex_step and real.settled):
            return real
        exact = complex_step(line, self.weights)
        if not abs(exact.value - real.value) <= 10 * real.error + SURE * abs(real.value):
            raise GradientError(
                f"the complex step gives the slope {exact.value:.6g}, a real difference {real.value:.6g} ± {real.error:.1e}: the "
                "function is not analytic here (abs, max, norm, a cast to real numbers); leave complex_step out"
            )
        return exact

    def sides(self, line: Line, goal: float, precision: float = 0.0) -> tuple[Slope, Slope]:
        """The slopes along a line to the right and to the left."""
        right, left = (one_sided(line, self.weights, precision or self.precision, goal, side) for side in (1, -1))
        return right, left

    def nearby(self, direction: Vector, elements: Indices, goal: float) -> list[float]:
        """The slopes along a line at points near x: between the one-sided slopes at x if weights · y is convex."""
        slopes = []
        for _ in range(NEARBY):
            away = self.precision**0.25 * self.random(self.x.size) * np.maximum(1.0, np.abs(self.x))
            slope = central(self.line(direction, elements, self.x + away), self.weights, self.precision, goal)
            if slope.error <= KINK * abs(slope.value):
                slopes.append(slope.value)
        return slopes

    def precision_along(self, line: Line) -> float:
        """The precision of y, or the measured noise of the function if it rounds more coarsely inside."""
        return max(self.precision, 4 * noise(line, self.weights))

    def rounds_coarsely(self, line: Line, precision: float) -> bool:
        """Whether the measured noise is rounding, which is the same at finer steps, or the function itself within its steps."""
        if not self.precision < precision < COARSEST:
            return False
        finer = 4 * noise(line.stretched(1 / 3), self.weights)
        return finer == 0 or finer > precision / 10

    def doubt(self, precision: float) -> float:
        """The rounding error that a number of the gradient may have, relative to the largest."""
        return min(1e-2 * self.noise, LIMIT * max(precision, self.spacing))

    def line(self, direction: Vector, elements: Indices, start: Vector | None = None) -> Line:
        """The function along a direction of some of the inputs, from x or another start."""
        place, by = (int(elements[0]), direction[0]) if elements.size == 1 else (elements, direction)
        start = self.x if start is None else start

        def at(t: complex) -> Vector:
            moved = start.astype(complex) if isinstance(t, complex) else start.copy()
            moved[place] += t * by
            self.budget -= 1
            if isinstance(t, complex):
                return self.function(moved)
            try:
                return self.function(moved)
            except Exception:  # beyond the function's domain: it ran at x
                return np.full_like(self.weights, nan)

        here = self.here if start is self.x else at(0.0)
        if elements.size == 1:
            size, unit = abs(float(start[place])), abs(float(by))
            return Line(at, here, max(2 * ulp(size) / unit, FINEST), lambda t: (size + t * unit - size) / unit)
        spacing = float(np.max(np.spacing(np.abs(start[elements])) / np.abs(direction), initial=0.0))
        return Line(at, here, max(1e5 * spacing, FINEST), grain=0.5 * spacing)  # their exact steps differ

    def scale(self, elements: Indices) -> Vector:
        """The shift of each input for a step of 1."""
        return np.maximum(1.0, np.abs(self.x[elements]))

    def random(self, n: int) -> Vector:
        """Numbers of random sign, none near 0."""
        numbers: Vector = self.rng.uniform(0.5, 1.5, n) * self.rng.choice([-1.0, 1.0], n)
        return numbers


@dataclass
class Findings:
    """For each number of the gradient the verdict, the slope used to judge it and its error bar (NaN within a group).

    `bends` holds the right slope minus the left slope at subgradients.
    """

    verdicts: NDArray[np.object_]
    slopes: Vector
    errors: Vector
    bends: Vector


def judged(claimed: float, slope: Slope, allowed: float, doubtful: float) -> Verdict:
    """The verdict on a number from the slope that it claims to be.

    Args:
        allowed: the rounding error of the number that passes.
        doubtful: the rounding error that it may have, if its terms are as large as the largest number of the gradient.
    """
    if not (slope.settled and isfinite(slope.error)):
        return Verdict.INCONCLUSIVE
    if not isfinite(claimed):
        sure = isfinite(slope.resolution) and slope.error <= SURE * abs(slope.value)
        return Verdict.WRONG if sure else Verdict.INCONCLUSIVE
    size, apart = max(abs(claimed), abs(slope.value)), abs(claimed - slope.value)
    if claimed == slope.value:
        return Verdict.RIGHT
    if slope.error > SURE * size:
        return Verdict.INCONCLUSIVE
    if apart <= 10 * slope.error + allowed:
        return Verdict.RIGHT
    return Verdict.WRONG if size > slope.resolution and apart > 10 * slope.error + doubtful else Verdict.INCONCLUSIVE
