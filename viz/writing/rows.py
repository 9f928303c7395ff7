"""Rows: a long drawing cut into rows like the lines of a text, so that it has the shape of a slide.

The layout stays as Graphviz made it within a row. Where an arrow is cut, it leads from the end of its row around to the beginning
of the next, through the space between the two; there arrows run side by side and cross neither boxes nor one another.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import log
from typing import TypeAlias

from ..drawing import PIECE
from .layout import Box, Frame, Layout, Line, around
from .splines import Point, Points, cornered, cut, joined

Size: TypeAlias = Callable[[Layout], tuple[float, float]]

_MOST_ROWS = 40
_GAP = 8.0  # least space in which rows are cut
_LANE, _MOST_LANES = 9.0, 110.0  # from arrow to arrow between two rows, and for all of them
_MARGIN = 14.0  # between rows and lanes
_CROSSED, _BROKEN = (
    0.01,
    0.04,
)  # what an arrow and a frame cost that are cut, beside squares of how far rows are from equal length
_SHORTEST = 0.35  # last row, of the others' length
_INSIDE = 0.5  # least distance of a cut from the ends of an arrow
_NESTED = 4.0  # from a cut to the frame that ends there, and to each inside that
_CONTINUED = 6.0  # half of what marks the title of a further piece


def wrapped(layout: Layout, ratio: float, size: Size) -> Layout:
    """The layout in as many rows as bring it closest to a ratio of width to height, as the reader sees it."""
    ways = [layout]
    for cuts in _ways(layout):
        ways += [_Rows(layout, cut).layout for cut in cuts]
        if (_aspect(size(ways[-1])) < ratio) == (layout.flow == "right"):
            break  # more rows would only lead farther away
    return nearest(ways, ratio, size)


def near(layout: Layout, ratio: float, size: Size) -> bool:
    """Whether the shape is within a quarter of a ratio."""
    return abs(log(_aspect(size(layout)) / ratio)) <= log(1.25)


def nearest(layouts: list[Layout], ratio: float, size: Size) -> Layout:
    """The one whose shape is closest to a ratio."""
    return min(layouts, key=lambda layout: abs(log(_aspect(size(layout)) / ratio)))


def _aspect(size: tuple[float, float]) -> float:
    width, height = size
    return width / height


def _ways(layout: Layout) -> Iterator[list[list[float]]]:
    """Where to cut, for two rows, three, and so on: the last row shorter, as in a text, in several ways, then all rows equal."""
    places = _places(layout)
    if not places:
        return
    left, _, right, _ = layout.extent()
    spans = [sorted((line.points[0][0], line.points[-1][0])) for line in layout.lines.values()]
    frames = [(frame.box.extent[0], frame.box.extent[2]) for frame in layout.frames.values()]
    prices = [_CROSSED * _across(spans, x) + _BROKEN * _across(frames, x) for x in places]
    for count in range(2, min(len(places) + 1, _MOST_ROWS) + 1):
        lengths = [(right - left) / (count - part) for part in (0.8, 0.6, 0.4, 0.2, 0.0)]
        yield [_cheapest([left, *places, right], [0.0, *prices, 0.0], count, length) for length in lengths]


def _across(spans: Iterable[Sequence[float]], x: float) -> int:
    return sum(low < x < high for low, high in spans)


def _places(layout: Layout) -> list[float]:
    """The middle of each gap between columns of boxes and labels."""
    held = [*layout.nodes.values(), *(line.label for line in layout.lines.values() if line.label)]
    spans = sorted((box.extent[0], box.extent[2]) for box in held)
    found, reach = [], spans[0][1] if spans else 0.0
    for low, high in spans:
        if low - reach >= _GAP:
            found.append((low + reach) / 2)
        reach = max(reach, high)
    return found


def _cheapest(ends: list[float], prices: list[float], count: int, length: float) -> list[float]:
    """Of all ways to cut into so many rows the one with rows closest to a length, the last one at most, that cuts little."""

    def cost(i: int, j: int) -> float:
        part = (ends[j] - ends[i]) / length
        if j == len(ends) - 1 and part < 1:
            return max(0.0, _SHORTEST - part)
        return (part - 1) ** 2 + prices[j]

    costs: list[tuple[float, list[int]]] = [(0.0, [0])] + [(float("inf"), [])] * (len(ends) - 1)
    for _ in range(count):
        costs = [
            min(
                ((before + cost(i, j), [*way, j]) for i, (before, way) in enumerate(costs[:j]) if way),
                default=(float("inf"), []),
                key=lambda each: each[0],
            )
            for j in range(len(ends))
        ]
    return [ends[j] for j in costs[-1][1][1:-1]]


@dataclass
class _Piece:
    """The part of an arrow that is in one row."""

    row: int
    points: Points


@dataclass
class _Rows:
    """A layout that is cut at some places.

    Args:
        before: the layout in one row.
        cuts: the x of each cut, in order.
        layout: the result.
    """

    before: Layout
    cuts: list[float]
    layout: Layout = field(init=False)

    def __post_init__(self) -> None:
        pieces = {id: self._pieces(line) for id, line in self.before.lines.items()}
        passing: list[list[str]] = [[] for _ in self.cuts]  # the arrows that pass each cut, from top to bottom
        heights: dict[tuple[str, int], float] = {}
        for id, parts in pieces.items():
            for one, other in pairwise(parts):
                k = min(one.row, other.row)
                passing[k].append(id)
                heights[id, k] = one.points[-1][1]
        for k, ids in enumerate(passing):
            ids.sort(key=lambda id: heights[id, k])
        frames = [self._frames(k) for k in range(len(self.cuts) + 1)]
        shifts, gutters = self._stacked(pieces, passing, frames)
        self.layout = Layout(self.before.flow, title=self.before.title)
        for id, box in self.before.nodes.items():
            self.layout.nodes[id] = box.moved(*shifts[self.row(box.x)])
        for id, line in self.before.lines.items():
            self.layout.lines[id] = self._line(id, line, pieces[id], shifts, gutters, passing)
        for k, found in enumerate(frames):
            for id, frame in found.items():
                dx, dy = shifts[k]
                title = frame.title and (frame.title[0] + dx, frame.title[1] + dy)
                self.layout.frames[id] = Frame(frame.box.moved(dx, dy), title)

    def row(self, x: float) -> int:
        """Which row an x is in."""
        return bisect(self.cuts, x)

    def _pieces(self, line: Line) -> list[_Piece]:
        """An arrow cut where it leads from one row to the next or the one before; never through its head, but before it."""
        rest, tips = line.points, line.tips
        row, end = self.row(tips.get("s", rest[0])[0]), self.row(tips.get("e", rest[-1])[0])
        parts = []
        while row != end:
            step = 1 if end > row else -1
            low, high = sorted((rest[0][0], rest[-1][0]))
            first, rest = cut(rest, min(max(self.cuts[min(row, row + step)], low + _INSIDE), high - _INSIDE))
            parts.append(_Piece(row, first))
            row += step
        return [*parts, _Piece(row, rest)]

    def _frames(self, row: int) -> dict[str, Frame]:
        """The frames in a row: those that begin in an earlier one as further pieces."""
        found = {}
        for id, frame in self.before.frames.items():
            left, top, right, bottom = frame.box.extent
            first, last = self.row(left), self.row(right)
            if not first <= row <= last:
                continue
            inset = _NESTED * sum(_holds(other.box, frame.box) for other in self.before.frames.values())
            low = left if row == first else self.cuts[row - 1] + inset
            high = right if row == last else self.cuts[row] - inset
            box = Box((low + high) / 2, (top + bottom) / 2, high - low, bottom - top)
            title = frame.title if row == first else self._continued(frame, low, high)
            found[id if row == first else f"{id}{PIECE}{row}"] = Frame(box, title)
        return found

    def _continued(self, frame: Frame, low: float, high: float) -> Point | None:
        """Where the title of a further piece goes; None where there is no room: at the top of a column, and in a narrow piece."""
        if frame.title is None or self.before.flow == "down":
            return None
        half = frame.title[0] - frame.box.extent[0] + _CONTINUED
        return (low + half, frame.title[1]) if 2 * half <= high - low else None

    def _stacked(
        self, pieces: dict[str, list[_Piece]], passing: list[list[str]], frames: list[dict[str, Frame]]
    ) -> tuple[list[tuple[float, float]], list[float]]:
        """How far each row moves, and the y of the first lane below each but the last."""
        held: list[list[tuple[float, float, float, float]]] = [[] for _ in frames]
        for box in self.before.nodes.values():
            held[self.row(box.x)].append(box.extent)
        for id, parts in pieces.items():
            for part in parts:
                held[part.row] += [(*point, *point) for point in part.points]
            if label := self.before.lines[id].label:
                held[self.row(label.x)].append(label.extent)
        for k, found in enumerate(frames):
            held[k] += [frame.box.extent for frame in found.values()]
        shifts, gutters, y = [], [], 0.0
        for k, extents in enumerate(held):
            left, top, _, bottom = around(extents)
            start = self.cuts[k - 1] if k else left
            shifts.append((-start, y - top))
            y += bottom - top + _MARGIN
            if k < len(passing):
                gutters.append(y)
                y += _lane(passing[k]) * max(len(passing[k]) - 1, 0) + _MARGIN
        return shifts, gutters

    def _line(
        self,
        id: str,
        line: Line,
        pieces: list[_Piece],
        shifts: list[tuple[float, float]],
        gutters: list[float],
        passing: list[list[str]],
    ) -> Line:
        """An arrow in its new place, with the ways around from row to row."""
        moved = [[(x + shifts[part.row][0], y + shifts[part.row][1]) for x, y in part.points] for part in pieces]
        way = moved[0]
        for (one, points), (other, following) in pairwise(zip(pieces, moved, strict=True)):
            k = min(one.row, other.row)
            lane = passing[k].index(id)
            from_end = lane, len(passing[k]) - 1 - lane
            step = _lane(passing[k])
            start, end = (points[-1], following[0]) if one.row == k else (following[0], points[-1])
            right, y = self.cuts[k] + shifts[k][0] + _MARGIN + step * from_end[1], gutters[k] + step * from_end[1]
            left = self.cuts[k] + shifts[k + 1][0] - _MARGIN - step * from_end[0]
            corners = [start, (right, start[1]), (right, y), (left, y), (left, end[1]), end]
            way = joined(way, cornered(corners if one.row == k else corners[::-1]), following)
        tips = {}
        for end_, (x, y) in line.tips.items():
            dx, dy = shifts[pieces[0 if end_ == "s" else -1].row]
            tips[end_] = x + dx, y + dy
        label = line.label and line.label.moved(*shifts[self.row(line.label.x)])
        return Line(way, tips, label)


def _holds(outer: Box, inner: Box) -> bool:
    """Whether a box is in another one, or is that."""
    (a, b, c, d), (left, top, right, bottom) = outer.extent, inner.extent
    return a <= left and b <= top and right <= c and bottom <= d


def _lane(ids: list[str]) -> float:
    return min(_LANE, _MOST_LANES / max(len(ids), 1))
