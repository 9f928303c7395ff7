"""Labels: the words on arrows, moved out of the way where an arrow, a box or another label would cross them."""

from __future__ import annotations

from math import ceil, dist

import numpy as np
import numpy.typing as npt

from .layout import Box, Layout
from .splines import Point, Points

Array = npt.NDArray[np.float64]

_STRIDE = 3.0  # between the points of an arrow that are looked at
_PLACES = 40  # along an arrow
_APART = (2.0, 7.0)  # from the arrow
_SLACK = 1.5  # that letters leave in their box


def clear(layout: Layout) -> bool:
    """Move labels that something crosses to the nearest place along their arrow where nothing does. Tells whether any was."""
    traced = {id: _traced(line.points) for id, line in layout.lines.items()}
    lines = np.concatenate([*traced.values(), np.empty((0, 2))])
    held = [np.array(box.extent) for box in layout.nodes.values()]
    labels = {id: line.label for id, line in layout.lines.items() if line.label}
    moved = False
    for id, label in labels.items():
        others = [np.array(other.extent) for k, other in labels.items() if k != id]
        taken = np.array([*held, *others]).reshape(-1, 4)
        crossings = _crossed(label, lines, taken)
        if not crossings:
            continue
        best = min(_places(traced[id], label), key=lambda place: _crossed(place, lines, taken))
        if _crossed(best, lines, taken) < crossings:
            layout.lines[id].label = labels[id] = best
            moved = True
    return moved


def _traced(points: Points) -> Array:
    """Points on a spline, no two neighbours far apart."""
    found = [points[:1]]
    for k in range(0, len(points) - 3, 3):
        a, b, c, d = points[k : k + 4]
        count = max(2, ceil((dist(a, b) + dist(b, c) + dist(c, d)) / _STRIDE))
        found.append([_at(a, b, c, d, i / count) for i in range(1, count + 1)])
    return np.array([point for part in found for point in part], float).reshape(-1, 2)


def _at(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    s = 1 - t
    x, y = (s * s * s * a[k] + 3 * s * s * t * b[k] + 3 * s * t * t * c[k] + t * t * t * d[k] for k in (0, 1))
    return x, y


def _places(way: Array, label: Box) -> list[Box]:
    """Places beside an arrow, on both sides, close by and farther off; the nearest to where the label is first."""
    found = []
    for k in sorted({round(part) for part in np.linspace(0, len(way) - 1, _PLACES)}):
        ahead = way[min(k + 1, len(way) - 1)] - way[max(k - 1, 0)]
        across = np.array([-ahead[1], ahead[0]]) / (np.hypot(*ahead) or 1.0)
        reach = abs(across[0]) * label.width / 2 + abs(across[1]) * label.height / 2
        for off in (side * (reach + apart) for apart in _APART for side in (-1, 1)):
            x, y = way[k] + off * across
            found.append(label._replace(x=float(x), y=float(y)))
    return sorted(found, key=lambda place: dist(place[:2], label[:2]))


def _crossed(label: Box, lines: Array, taken: Array) -> int:
    """By how many points of arrows and how many boxes."""
    left, top, right, bottom = label.extent
    low, high = (left + _SLACK, top + _SLACK), (right - _SLACK, bottom - _SLACK)
    points = ((lines > low) & (lines < high)).all(axis=1).sum()
    boxes = ((taken[:, :2] < high) & (taken[:, 2:] > low)).all(axis=1).sum()
    return int(points) + 100 * int(boxes)
