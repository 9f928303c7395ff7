"""Numbers at kinks: each number between the one-sided slopes is a subgradient, provided that all together are one."""

from __future__ import annotations

from math import isfinite

import numpy as np

from .problem import KINK, Findings, Indices, Problem, Verdict, judged
from .slopes import SURE, Slope

DIRECTIONS = 6
DRIFT = 0.1  # slopes at points nearby differ from those at the kink by less than this share of the error


def verdict_at_kink(
    claimed: float, slope: Slope, left: Slope, right: Slope, allowed: float, doubtful: float
) -> tuple[Verdict, Slope]:
    """The verdict on a number from the slopes to both sides, which differ at a kink; and the slope used to judge it."""
    if not isfinite(left.error) and not isfinite(right.error):
        return judged(claimed, slope, allowed, doubtful), slope
    if not (isfinite(left.error) and isfinite(right.error)):  # the end of the domain
        only = left if isfinite(left.error) else right
        return judged(claimed, only, allowed, doubtful), only
    error = left.error + right.error
    if abs(left.value - right.value) <= 10 * error + doubtful:  # no kink
        return judged(claimed, slope, allowed, doubtful), slope
    low, high = sorted((left.value, right.value))
    nearest = left if abs(claimed - left.value) < abs(claimed - right.value) else right
    if error > KINK * (high - low):  # noise, which differs from side to side
        return Verdict.INCONCLUSIVE, nearest
    slack = 10 * error + doubtful
    if low - slack <= claimed <= high + slack:
        return Verdict.SUBGRADIENT, Slope((low + high) / 2, (high - low) / 2, slope.resolution)
    return Verdict.WRONG, nearest


def _excess(slope: float, left: Slope, right: Slope) -> float:
    """The distance of a slope from the interval between the one-sided slopes."""
    low, high = sorted((left.value, right.value))
    return max(low - slope, slope - high, 0.0)


def verdict_between(claimed: float, left: Slope, right: Slope, nearby: list[float]) -> Verdict:
    """The verdict on a number outside of the one-sided slopes, which may be right: in a sorted row with three equal numbers.

    Slopes at points nearby are outside too in that case; for convex and concave functions they lie inside.
    """
    excess = _excess(claimed, left, right)
    if all(_excess(slope, left, right) <= DRIFT * excess for slope in nearby):
        return Verdict.WRONG
    slack = KINK * abs(right.value - left.value)
    inside = min(nearby) - slack <= claimed <= max(nearby) + slack
    return Verdict.SUBGRADIENT if inside else Verdict.INCONCLUSIVE


def judge_together(problem: Problem, found: Findings) -> None:
    """Judge all numbers at kinks together: each may lie between its slopes without all being a subgradient (max at a tie).

    Convex kinks of weights · y and concave ones are judged separately: only then does a subgradient lie between the one-sided
    slopes along every direction.
    """
    if not np.all(np.isfinite(problem.gradient)):
        return
    for bend in (1, -1):
        kinks = np.flatnonzero(bend * found.bends > 0)
        if kinks.size > 1 and _outside(problem, kinks, bend):
            found.verdicts[kinks] = Verdict.WRONG


def _outside(problem: Problem, kinks: Indices, bend: int) -> bool:
    """Whether the numbers are not a subgradient; False if the function is neither convex nor concave."""
    outside = False
    for k in range(DIRECTIONS):
        direction = problem.scale(kinks) * problem.random(kinks.size)
        direction = np.abs(direction) if k % 2 else direction
        line, claimed = problem.line(direction, kinks), float(np.dot(problem.gradient[kinks], direction))
        size = problem.noise * float(np.linalg.norm(problem.gradient[kinks] * direction))
        right, left = problem.sides(line, size)
        slack = 10 * (left.error + right.error) + 10 * size
        if not isfinite(slack):
            continue
        if bend * (right.value - left.value) < -slack:
            return False
        excess = _excess(claimed, left, right)
        if excess > slack and slack < SURE * abs(right.value - left.value):
            outside = True
            if any(_excess(slope, left, right) > DRIFT * excess for slope in problem.nearby(direction, kinks, size)):
                return False
    return outside
