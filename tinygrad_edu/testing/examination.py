"""Comparing a gradient, number by number, with slopes of the function: which are right, wrong, or not to be told.

A random direction that moves many inputs at once checks them all for the price of one: where the slope along it is what the
gradient says, they are right. Where it is not, the inputs are halved until single ones are left, and each is looked at
closely: at a kink any number between the slopes to its left and right is a subgradient; where the function overflows, or its
results do not change in their last digit, nothing can be told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite, nan

import numpy as np
from numpy.typing import NDArray

from ..errors import GradientError
from .slopes import SURE, Line, Slope, Vector, central, complex_step, one_sided

Indices = NDArray[np.intp]
DRAWS = 4
DIRECTIONS_AT_KINKS = 6
NEARBY = 32  # points around a kink
DRIFT = 0.1  # slopes at these points differ a little from those at the kink: by less than this share of what is wrong
KINK = 1e-2  # error bars of more than this share of a bend are noise


class Verdict(StrEnum):
    """What was found out about one number of a gradient."""

    RIGHT = "right"
    SUBGRADIENT = "subgradient"
    INCONCLUSIVE = "inconclusive"
    WRONG = "wrong"


@dataclass
class Problem:
    """A function of one row of numbers, and what is claimed to be the gradient of weights · y.

    Attributes:
        function: x -> y, rows of float64.
        x, gradient: rows of the same length.
        weights: of y.
        precision: relative rounding error of y.
        noise: relative rounding error that the gradient may have.
        rng: draws the directions.
        budget: how many more times the function may be computed.
        complex_step: take slopes from complex steps.
        floor: what a gradient of 0 may be off by, where its terms cancel.
    """

    function: Callable[[Vector], Vector]
    x: Vector
    gradient: Vector
    weights: Vector
    precision: float
    noise: float
    rng: np.random.Generator
    budget: int
    complex_step: bool = False
    floor: float = 0.0

    def slope(self, line: Line, goal: float, claimed: float = nan) -> Slope:
        """The slope along a line: from complex steps if they are wanted and a real difference agrees, else from both sides."""
        real = central(line, self.weights, self.precision, goal, claimed)
        if not self.complex_step:
            return real
        exact = complex_step(line, self.weights)
        if not abs(exact.value - real.value) <= 10 * real.error + SURE * abs(real.value):
            raise GradientError(
                f"the complex step gives the slope {exact.value:.6g}, a real difference {real.value:.6g} ± {real.error:.1e}: the "
                "function is not analytic here (abs, max, norm, a cast to real numbers); leave complex_step out"
            )
        return exact

    def sides(self, line: Line, goal: float) -> tuple[Slope, Slope]:
        """The slopes along a line to the right and to the left."""
        right, left = (one_sided(line, self.weights, self.precision, goal, side) for side in (1, -1))
        return right, left

    def nearby(self, direction: Vector, elements: Indices, goal: float) -> list[float]:
        """The slopes along a line at points near x: where weights · y is convex, they lie between those to both sides of x."""
        slopes = []
        for _ in range(NEARBY):
            away = self.precision**0.25 * _random(self.rng, self.x.size) * np.maximum(1.0, np.abs(self.x))
            slope = central(self.line(direction, elements, self.x + away), self.weights, self.precision, goal)
            if slope.error <= KINK * abs(slope.value):
                slopes.append(slope.value)
        return slopes

    def line(self, direction: Vector, elements: Indices, start: Vector | None = None) -> Line:
        """The function along a direction of some of the inputs, from x or another start."""
        place, by = (int(elements[0]), direction[0]) if elements.size == 1 else (elements, direction)
        start = self.x if start is None else start

        def at(t: complex) -> Vector:
            moved = start.astype(complex) if isinstance(t, complex) else start.copy()
            moved[place] += t * by
            self.budget -= 1
            return self.function(moved)

        return at

    def scale(self, elements: Indices) -> Vector:
        """How far each input may be moved by a step of 1."""
        return np.maximum(1.0, np.abs(self.x[elements]))


@dataclass
class Findings:
    """For each number of the gradient the verdict, the slope it was held against and its error bar (NaN within a group).

    `bends` has the slope to the right less that to the left at subgradients.
    """

    verdicts: NDArray[np.object_]
    slopes: Vector
    errors: Vector
    bends: Vector


def examine(problem: Problem, full: bool) -> Findings:
    """Compare the whole gradient; `full` looks at every number by itself."""
    n = problem.x.size
    found = Findings(np.full(n, Verdict.INCONCLUSIVE, object), np.full(n, np.nan), np.full(n, inf), np.zeros(n))
    waiting = [np.arange(n)] if not full else [np.array([i]) for i in range(n)]
    while waiting and problem.budget > 0:
        group = waiting.pop()
        if group.size == 1:
            _examine_one(problem, int(group[0]), found)
        elif group.size:
            checked, rest = _examine_group(problem, group)
            found.verdicts[checked] = Verdict.RIGHT
            waiting += rest
    _examine_kinks_together(problem, found)
    return found


def _examine_group(problem: Problem, group: Indices) -> tuple[Indices, list[Indices]]:
    """The inputs of a group that one random direction shows to be right, and the groups to look at next."""
    scale, gradient = problem.scale(group), problem.gradient[group]
    drawn = [scale * _random(problem.rng, group.size) for _ in range(DRAWS)]
    direction = max(
        drawn, key=lambda d: abs(float(np.dot(gradient, d)))
    )  # where shares cancel, so does a common factor
    shares = gradient * direction
    size = float(np.linalg.norm(shares))
    if isfinite(size):
        slope = problem.slope(problem.line(direction, group), 1e-2 * problem.noise * size)
        apart = abs(float(np.sum(shares)) - slope.value)
        if apart <= 10 * slope.error + problem.noise * size and slope.error <= SURE * 1e-2 * size:
            hidden = (shares != 0) & (np.abs(shares) <= slope.error / SURE)  # smaller than the error bar can show
            if not hidden.any():
                return group, []
            if not hidden.all():
                return group[~hidden], [group[hidden]]
    middle = group.size // 2
    return group[:0], [group[:middle], group[middle:]]


def _examine_one(problem: Problem, i: int, found: Findings, bends: bool = False) -> None:
    """Look at one number; where the function `bends` there, also if it seems right, as half of relu's slopes at 0 does."""
    if not isfinite(problem.x[i]):
        return
    element = np.array([i])
    scale = float(problem.scale(element)[0])
    line, claimed = problem.line(np.array([scale]), element), float(problem.gradient[i]) * scale
    largest = float(np.max(np.abs(problem.gradient[np.isfinite(problem.gradient)]), initial=0.0))
    size = abs(claimed) if isfinite(claimed) else 0.0
    allowed, goal = problem.noise * (size + 1e-2 * largest * scale), 0.3 * problem.noise * size
    slope = problem.slope(line, goal, claimed)
    slope = slope._replace(resolution=max(slope.resolution, problem.floor * scale))
    verdict = _verdict(claimed, slope, allowed)
    if (
        verdict is Verdict.WRONG and slope.error > 0
    ):  # a second opinion, from other steps: the error bar may be too short
        other = problem.slope(lambda t: line(0.6 * t), goal).value / 0.6
        slope = slope._replace(error=slope.error + abs(other - slope.value))
        verdict = _verdict(claimed, slope, allowed)
    if verdict is not Verdict.RIGHT or bends:
        right, left = problem.sides(line, goal)
        verdict, slope = _verdict_at_kink(claimed, slope, left, right, allowed)
        bent = left.error + right.error <= KINK * abs(right.value - left.value)
        if verdict is Verdict.WRONG and bent and isfinite(claimed):
            verdict = _verdict_between(claimed, left, right, problem.nearby(np.array([scale]), element, goal))
        if verdict is Verdict.SUBGRADIENT:
            found.bends[i] = right.value - left.value
    found.verdicts[i], found.slopes[i], found.errors[i] = verdict, slope.value / scale, slope.error / scale


def _verdict(claimed: float, slope: Slope, allowed: float) -> Verdict:
    """Of a number beside the slope that it claims to be."""
    if not isfinite(slope.error):
        return Verdict.INCONCLUSIVE
    if not isfinite(claimed):
        sure = isfinite(slope.resolution) and slope.error <= SURE * abs(slope.value)
        return Verdict.WRONG if sure else Verdict.INCONCLUSIVE
    if claimed != slope.value and max(abs(claimed), abs(slope.value)) <= slope.resolution:
        return Verdict.INCONCLUSIVE
    sure = slope.error <= SURE * max(abs(claimed), abs(slope.value))
    if abs(claimed - slope.value) <= 10 * slope.error + allowed:
        return Verdict.RIGHT if sure or claimed == slope.value else Verdict.INCONCLUSIVE
    return Verdict.WRONG if sure else Verdict.INCONCLUSIVE


def _verdict_at_kink(claimed: float, slope: Slope, left: Slope, right: Slope, allowed: float) -> tuple[Verdict, Slope]:
    """The same with the slopes to both sides known."""
    if not isfinite(left.error) and not isfinite(right.error):
        return _verdict(claimed, slope, allowed), slope
    if not (isfinite(left.error) and isfinite(right.error)):  # the end of the domain
        only = left if isfinite(left.error) else right
        return _verdict(claimed, only, allowed), only
    error = left.error + right.error
    if abs(left.value - right.value) <= 10 * error + allowed:  # no kink
        return _verdict(claimed, slope, allowed), slope
    low, high = sorted((left.value, right.value))
    nearest = left if abs(claimed - left.value) < abs(claimed - right.value) else right
    if error > KINK * (high - low):  # noise, which differs from side to side
        return Verdict.INCONCLUSIVE, nearest
    slack = 10 * error + allowed
    if low - slack <= claimed <= high + slack:
        return Verdict.SUBGRADIENT, Slope((low + high) / 2, (high - low) / 2, slope.resolution)
    return Verdict.WRONG, nearest


def _excess(slope: float, left: Slope, right: Slope) -> float:
    """By how much a slope is not between those to both sides."""
    low, high = sorted((left.value, right.value))
    return max(low - slope, slope - high, 0.0)


def _verdict_between(claimed: float, left: Slope, right: Slope, nearby: list[float]) -> Verdict:
    """Of a number that is not between the slopes to both sides: of a sorted row with three equal numbers, it may be right.

    There the slopes nearby are not between them either, which for convex functions and concave ones they are.
    """
    excess = _excess(claimed, left, right)
    if all(_excess(slope, left, right) <= DRIFT * excess for slope in nearby):
        return Verdict.WRONG
    slack = KINK * abs(right.value - left.value)
    inside = min(nearby) - slack <= claimed <= max(nearby) + slack
    return Verdict.SUBGRADIENT if inside else Verdict.INCONCLUSIVE


def _examine_kinks_together(problem: Problem, found: Findings) -> None:
    """Each number may lie between its own slopes, and still all together not be a subgradient: max's at a tie sum to 1.

    Those that bend upwards (weights · y is convex there) and those that bend downwards are judged apart: only of these does a
    subgradient lie between the slopes to both sides along every direction.
    """
    _find_bends(problem, found)
    if not np.all(np.isfinite(problem.gradient)):
        return
    for bend in (1, -1):
        kinks = np.flatnonzero(bend * found.bends > 0)
        if kinks.size > 1 and _outside(problem, kinks, bend):
            found.verdicts[kinks] = Verdict.WRONG


def _find_bends(problem: Problem, found: Findings) -> None:
    """Look again at those that seem right and are at a kink: the mean of the slopes to both sides is the central slope."""
    waiting = [np.flatnonzero(found.verdicts == Verdict.RIGHT)]
    while waiting and problem.budget > 0:
        group = waiting.pop()
        if not group.size:
            continue
        direction = problem.scale(group) * _random(problem.rng, group.size)
        size = problem.noise * float(np.linalg.norm(problem.gradient[group] * direction))
        right, left = problem.sides(problem.line(direction, group), size)
        bend, error = abs(right.value - left.value), left.error + right.error
        if bend <= 10 * error + size:
            continue
        if group.size > 1:
            middle = group.size // 2
            waiting += [group[:middle], group[middle:]]
        elif error <= KINK * bend:
            _examine_one(problem, int(group[0]), found, bends=True)


def _outside(problem: Problem, kinks: Indices, bend: int) -> bool:
    """Whether the numbers are no subgradient; False as well if the function turns out to be neither convex nor concave."""
    outside = False
    for k in range(DIRECTIONS_AT_KINKS):
        direction = problem.scale(kinks) * _random(problem.rng, kinks.size)
        direction = np.abs(direction) if k % 2 else direction
        line, claimed = problem.line(direction, kinks), float(np.dot(problem.gradient[kinks], direction))
        size = problem.noise * float(np.linalg.norm(problem.gradient[kinks] * direction))
        right, left = problem.sides(line, size)
        slack = 10 * (left.error + right.error) + 10 * size
        if not isfinite(slack):
            continue
        if bend * (right.value - left.value) < -slack:
            return False
        low, high = sorted((left.value, right.value))
        if slack < SURE * (high - low) and not low - slack <= claimed <= high + slack:
            outside, excess = True, _excess(claimed, left, right)
            if any(_excess(slope, left, right) > DRIFT * excess for slope in problem.nearby(direction, kinks, size)):
                return False
    return outside


def _random(rng: np.random.Generator, n: int) -> Vector:
    """Numbers of random sign, none near 0."""
    numbers: Vector = rng.uniform(0.5, 1.5, n) * rng.choice([-1.0, 1.0], n)
    return numbers
