"""Comparing each number of a gradient with slopes of the function: it is right, wrong, or inconclusive.

A random direction that moves many inputs at once checks them all for the cost of one: if the slope along it agrees with the
gradient, they are right. If not, the inputs are bisected down to single ones, and each is examined: at a kink any number
between the slopes to the left and right is a subgradient; if the function overflows, or its results do not change in their
last digit, the number is inconclusive.
"""

from __future__ import annotations

from math import inf, isfinite

import numpy as np

from .kinks import judge_together, verdict_at_kink, verdict_between
from .problem import KINK, Findings, Indices, Problem, Verdict, judged
from .slopes import SURE, Line, Slope, contradiction

DRAWS = 4
FINE = 1e-2  # share of the usual step below which a number is examined once more, by finer steps
ENOUGH = 100  # wrong numbers after which the examination stops
RESERVE = 10_000  # function evaluations reserved for the final steps


def examine(problem: Problem, full: bool) -> Findings:
    """Compare the whole gradient; `full` examines every number separately."""
    n = problem.x.size
    found = Findings(np.full(n, Verdict.INCONCLUSIVE, object), np.full(n, np.nan), np.full(n, inf), np.zeros(n))
    waiting = [np.arange(n)] if not full else [np.array([i]) for i in range(n)]
    problem.budget = max(problem.budget, 100 * n if full else 0)
    wrong = 0
    while waiting and problem.budget > 0 and wrong < ENOUGH:
        group = waiting.pop()
        if group.size == 1:
            _examine_one(problem, int(group[0]), found)
            wrong += found.verdicts[group[0]] is Verdict.WRONG
        elif group.size:
            checked, rest = _examine_group(problem, group)
            found.verdicts[checked] = Verdict.RIGHT
            waiting += rest
    if wrong < ENOUGH:
        problem.budget = max(problem.budget, RESERVE)
        _find_bends(problem, found)
        judge_together(problem, found)
    return found


def _examine_group(problem: Problem, group: Indices) -> tuple[Indices, list[Indices]]:
    """The inputs of a group that one random direction proves right, and the groups to examine next."""
    scale, gradient = problem.scale(group), problem.gradient[group]
    drawn = [scale * problem.random(group.size) for _ in range(DRAWS)]
    # The largest sum of shares: if they cancel, a common factor cancels too.
    direction = max(drawn, key=lambda d: abs(float(np.dot(gradient, d))))
    shares = gradient * direction
    size = float(np.linalg.norm(shares))
    if isfinite(size):
        slope = problem.slope(problem.line(direction, group), 1e-2 * problem.noise * size)
        blur = slope.error + problem.noise * size
        apart = abs(float(np.sum(shares)) - slope.value)
        if slope.settled and slope.error <= SURE * 1e-2 * size and apart <= 10 * slope.error + problem.noise * size:
            # Too small to be seen beside the others; a 0 may hide a slope of about 1, the size of the weighted results.
            hidden = (np.abs(shares) <= blur / SURE) & ((shares != 0) | (blur > SURE))
            if not hidden.any():
                return group, []
            if not hidden.all():
                return group[~hidden], [group[hidden]]
    middle = group.size // 2
    return group[:0], [group[:middle], group[middle:]]


def _examine_one(problem: Problem, i: int, found: Findings, bends: bool = False, reach: float = 1.0) -> None:
    """Examine one number. At a kink (`bends`) a number that seems right is examined too, such as 1/2 for relu at 0.

    Near a pole or the end of the domain it is examined once more by smaller steps, `reach` times the usual ones.
    """
    if not isfinite(problem.x[i]):
        return
    element = np.array([i])
    scale = float(problem.scale(element)[0]) * reach
    line, claimed = problem.line(np.array([scale]), element), float(problem.gradient[i]) * scale
    size = abs(claimed) if isfinite(claimed) else 0.0
    allowed, goal = problem.noise * size, 0.3 * problem.noise * size
    doubtful = allowed + problem.doubt(problem.precision) * problem.largest * scale
    floor = problem.floor * scale
    slope = _with_floor(problem.slope(line, goal, claimed), floor)
    verdict = judged(claimed, slope, allowed, doubtful)
    flat = slope.value == slope.error == 0  # or the results are too coarse for fine steps
    if verdict is not Verdict.RIGHT or bends:
        precision = problem.precision_along(line)
        if slope.reach < FINE and reach == 1 and not flat and not problem.rounds_coarsely(line, precision):
            _examine_one(problem, i, found, bends, reach * slope.reach)
            return
        doubtful = allowed + problem.doubt(precision) * problem.largest * scale
        if (verdict is Verdict.WRONG and slope.error > 0) or precision > problem.precision:
            slope = _with_floor(_second_opinion(problem, line, slope, goal, precision), floor)
            verdict = judged(claimed, slope, allowed, doubtful)
        if verdict is not Verdict.RIGHT or bends:
            between, unsure = slope, verdict is Verdict.WRONG
            right, left = problem.sides(line, goal, precision)
            verdict, slope = verdict_at_kink(claimed, slope, left, right, allowed, doubtful)
            bent = left.error + right.error <= KINK * abs(right.value - left.value)
            if unsure and not bent and isfinite(claimed):
                finer = contradiction(line, problem.weights, precision, between, claimed)
                if finer:
                    _examine_one(problem, i, found, bends, reach * finer)
                    return
            if verdict is Verdict.WRONG and bent and isfinite(claimed):
                verdict = verdict_between(claimed, left, right, problem.nearby(np.array([scale]), element, goal))
            if verdict is Verdict.SUBGRADIENT:
                found.bends[i] = right.value - left.value
    found.verdicts[i], found.slopes[i], found.errors[i] = verdict, slope.value / scale, slope.error / scale


def _second_opinion(problem: Problem, line: Line, slope: Slope, goal: float, precision: float) -> Slope:
    """The slope with an error bar widened to cover the slopes from other steps."""
    if precision > problem.precision:
        slope = problem.slope(line, goal, precision=precision)
    other = problem.slope(line.stretched(0.6), goal, precision=precision).value / 0.6
    return slope._replace(error=slope.error + abs(other - slope.value))


def _with_floor(slope: Slope, floor: float) -> Slope:
    return slope._replace(resolution=max(slope.resolution, floor))


def _find_bends(problem: Problem, found: Findings) -> None:
    """Examine numbers at kinks that seem right again: the central slope there is the mean of the one-sided slopes."""
    waiting = [np.flatnonzero(found.verdicts == Verdict.RIGHT)]
    while waiting and problem.budget > 0:
        group = waiting.pop()
        if not group.size:
            continue
        direction = problem.scale(group) * problem.random(group.size)
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
