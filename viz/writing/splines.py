"""Splines: arrows as Graphviz has them, cubic Bézier curves in one list of points, cut in two and led around corners."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
Points: TypeAlias = "list[Point]"  # of n curves 3 n + 1

_ROUND = 8.0  # radius of corners, in points


def cut(points: Points, x: float) -> tuple[Points, Points]:
    """A spline in two where it first passes `x`, which lies between its ends; the pieces share that point."""
    for k in range(0, len(points) - 1, 3):
        curve = points[k : k + 4]
        if (curve[0][0] <= x) != (curve[3][0] <= x):
            first, second = _split(curve, _time(curve, x))
            return [*points[:k], *first], [*second, *points[k + 4 :]]
    return points, points[-1:]


def cornered(corners: Sequence[Point]) -> Points:
    """A spline along straight lines from corner to corner, which are rounded."""
    points = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        start, end = _towards(corner, before), _towards(corner, after)
        points += [*_line(points[-1], start), _middle(start, corner), _middle(end, corner), end]
    return [*points, *_line(points[-1], corners[-1])]


def joined(*splines: Points) -> Points:
    """One spline of several, each of which begins where the one before ends."""
    first, *rest = splines
    return [*first, *(point for spline in rest for point in spline[1:])]


def straight(start: Point, end: Point) -> Points:
    """A straight line as a spline."""
    return [start, *_line(start, end)]


def _line(start: Point, end: Point) -> Points:
    return [(start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t) for t in (1 / 3, 2 / 3, 1.0)]


def _towards(corner: Point, other: Point) -> Point:
    """The point on the way from a corner where its rounding ends, at most half way."""
    length = ((corner[0] - other[0]) ** 2 + (corner[1] - other[1]) ** 2) ** 0.5
    t = min(0.5, _ROUND / length) if length else 0.0
    return corner[0] + (other[0] - corner[0]) * t, corner[1] + (other[1] - corner[1]) * t


def _middle(p: Point, q: Point) -> Point:
    return (p[0] + q[0]) / 2, (p[1] + q[1]) / 2


def _time(curve: Points, x: float) -> float:
    """The t of a curve that passes `x`, by halving."""
    low, high = 0.0, 1.0
    rises = curve[3][0] > curve[0][0]
    for _ in range(40):
        t = (low + high) / 2
        if (_split(curve, t)[0][3][0] < x) == rises:
            low = t
        else:
            high = t
    return (low + high) / 2


def _split(curve: Points, t: float) -> tuple[Points, Points]:
    """De Casteljau's: a curve as two."""
    rows = [curve]
    while len(rows[-1]) > 1:
        rows.append([(p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t) for p, q in pairwise(rows[-1])])
    return [row[0] for row in rows], [row[-1] for row in rows[::-1]]
