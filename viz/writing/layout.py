"""Layout: where Graphviz has put the nodes, arrows and frames of a drawing, and the attributes that put them elsewhere.

Lengths are in points. `x` runs along the flow and `y` across it, towards the reader's next line: for arrows that lead right, to
the right and down; for arrows that lead down, down and to the right. So a drawing is wrapped in one way, whatever its flow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .splines import Point, Points

INCH = 72.0
_HEAD = 9.0  # length of an arrow's head


class Box(NamedTuple):
    """A box by its middle."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, dx: float, dy: float) -> Box:
        """The same box elsewhere."""
        return self._replace(x=self.x + dx, y=self.y + dy)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Least x and y, largest x and y."""
        w, h = self.width / 2, self.height / 2
        return self.x - w, self.y - h, self.x + w, self.y + h


def around(extents: Any) -> tuple[float, float, float, float]:
    """The least extent that holds all of these."""
    lefts, tops, rights, bottoms = zip(*extents, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


@dataclass
class Line:
    """An arrow: its spline without the head, the tips of its heads ("s" at the start, "e" at the end), and its label."""

    points: Points
    tips: dict[str, Point]
    label: Box | None = None

    def headed_back(self) -> Line:
        """The same line with its head at the start."""
        (x, y), (a, b) = self.points[0], self.points[1]
        part = _HEAD / (((a - x) ** 2 + (b - y) ** 2) ** 0.5 or 1.0)
        end = self.tips.get("e", self.points[-1])
        points = [(x + (a - x) * part, y + (b - y) * part), *self.points[1:-1], end]
        return Line(points, {"s": (x, y)}, self.label)


@dataclass
class Frame:
    """The frame of a group, and the middle of its title."""

    box: Box
    title: Point | None = None


@dataclass
class Layout:
    """All of a drawing; each part by its id."""

    flow: str
    nodes: dict[str, Box] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    frames: dict[str, Frame] = field(default_factory=dict)
    title: tuple[float, float] = (0.0, 0.0)  # width and height, as the reader sees them

    def extent(self) -> tuple[float, float, float, float]:
        """The extent of nodes, arrows, labels and frames."""
        found = [box.extent for box in self.nodes.values()]
        found += [frame.box.extent for frame in self.frames.values()]
        for line in self.lines.values():
            found += [(*point, *point) for point in line.points]
            found += [line.label.extent] if line.label else []
        return around(found or [(0.0, 0.0, 0.0, 0.0)])

    def size(self) -> tuple[float, float]:
        """Width and height as the reader sees them, with the title."""
        left, top, right, bottom = self.extent()
        seen = (right - left, bottom - top) if self.flow == "right" else (bottom - top, right - left)
        return max(seen[0], self.title[0]), seen[1] + self.title[1]


def read(text: bytes, flow: str, labels: dict[str, tuple[float, float]]) -> Layout:
    """From the JSON that Graphviz writes of a layout.

    Args:
        text: what -Tjson0 writes.
        flow: "right" or "down".
        labels: width and height of the labels of arrows by id, as the reader sees them; JSON leaves that out.
    """
    data = json.loads(text)
    layout = Layout(flow, title=(INCH * float(data.get("lwidth", 0)), INCH * float(data.get("lheight", 0))))
    for item in data.get("objects", ()):
        if "bb" in item:
            left, bottom, right, top = map(float, item["bb"].split(","))
            if "id" in item:
                box = _box(flow, (left + right) / 2, (bottom + top) / 2, right - left, top - bottom)
                layout.frames[item["id"]] = Frame(box, _point(flow, item["lp"]) if "lp" in item else None)
        elif "pos" in item:
            x, y = map(float, item["pos"].split(","))
            size = INCH * float(item["width"]), INCH * float(item["height"])
            layout.nodes[item["name"]] = _box(flow, x, y, *size)
    for item in data.get("edges", ()):
        if "pos" in item and "id" in item:
            layout.lines[item["id"]] = _line(flow, item, labels.get(item["id"], (0.0, 0.0)))
    return layout


def attributes(layout: Layout) -> dict[str, dict[str, str]]:
    """What Graphviz is to be told so that everything stands where the layout says; `dot`'s `places`."""
    flow = layout.flow
    told = {id: {"pos": _told(flow, (box.x, box.y))} for id, box in layout.nodes.items()}
    for id, line in layout.lines.items():
        tips = [f"{end},{_told(flow, point)}" for end, point in sorted(line.tips.items(), reverse=True)]
        told[id] = {"pos": " ".join([*tips, *(_told(flow, point) for point in line.points)])}
        if line.label:
            told[id]["lp"] = _told(flow, (line.label.x, line.label.y))
    for id, frame in layout.frames.items():
        left, top, right, bottom = frame.box.extent
        (a, b), (c, d) = (_back(flow, point) for point in ((left, top), (right, bottom)))
        told[id] = {"bb": f"{min(a, c):.2f},{min(b, d):.2f},{max(a, c):.2f},{max(b, d):.2f}"}
        if frame.title:
            told[id]["lp"] = _told(flow, frame.title)
    return told


def _line(flow: str, item: dict[str, Any], size: tuple[float, float]) -> Line:
    tips: dict[str, Point] = {}
    points: Points = []
    for part in item["pos"].split():
        head, comma, rest = part.partition(",")
        if head in ("s", "e") and comma:
            tips[head] = _point(flow, rest)
        else:
            points.append(_point(flow, part))
    label = Box(*_point(flow, item["lp"]), *(size if flow == "right" else size[::-1])) if "lp" in item else None
    return Line(points, tips, label)


def _box(flow: str, x: float, y: float, width: float, height: float) -> Box:
    return Box(*_turned(flow, (x, y)), *((width, height) if flow == "right" else (height, width)))


def _point(flow: str, text: str) -> Point:
    x, y = map(float, text.split(","))
    return _turned(flow, (x, y))


def _told(flow: str, point: Point) -> str:
    return "{:.2f},{:.2f}".format(*_back(flow, point))


def _turned(flow: str, point: Point) -> Point:
    """From Graphviz's x and y, which is up, to the layout's."""
    x, y = point
    return (x, -y) if flow == "right" else (-y, x)


def _back(flow: str, point: Point) -> Point:
    x, y = point
    return (x, -y) if flow == "right" else (y, -x)
