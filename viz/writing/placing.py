"""Placing: where the parts of a picture stand if Graphviz alone is not to say so: wrapped into rows, and with a legend below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ..drawing import Drawing
from ..words import turned
from . import layout as layouts
from .dot import dot
from .finish import Finish
from .labels import clear
from .layout import INCH, Box, Frame, Layout, Line
from .legend import LEGEND, legend_of
from .rows import near, nearest, wrapped
from .splines import Point, straight

Measure: TypeAlias = Callable[[str], bytes]  # from DOT to the JSON of its layout
Places: TypeAlias = Mapping[str, Mapping[str, str]]

_LETTER, _LABEL_HEIGHT = 6.4, 14.0  # of the labels of arrows, in points
_SPACE, _ARROW, _HEAD = 16.0, 56.0, 7.0  # in a legend: between entries; the length of an arrow, and of its head
_NEVER_CUT = 8  # nodes of a drawing that is read at a glance, and that rows would only disturb
_TITLE, _TITLE_WIDTH = 24.0, 62.0
_MOST_CLEARED = 300  # arrows of a picture whose labels are moved out of the way; where there are more nobody reads them
_ALONE = 720.0  # width of a legend by itself
_LEAST = 420.0  # width that a legend may have below a narrower picture
_BOXES = 8.0  # between a frame and what is in it


def placed(drawing: Drawing, finish: Finish, measure: Measure) -> tuple[Drawing, Places | None]:
    """The drawing as it is shown, with its legend, and the places of its parts; None to leave them to Graphviz."""
    clears = len(drawing.edges) <= _MOST_CLEARED and any(edge.label or edge.derivative for edge in drawing.edges)
    if finish.ratio is None and not finish.legend and not clears:
        return drawing, None
    legend = _Legend(drawing, measure) if finish.legend else None
    flows = ("right", "down") if finish.turns and finish.ratio is not None else (drawing.flow,)
    ways = [_layout(turned(drawing, flow), measure) for flow in flows]
    if finish.ratio is not None:
        size = Layout.size if legend is None else legend.size_with
        whole = [layout for layout in ways if near(layout, finish.ratio, size)]  # easier to read than rows
        whole = whole or (ways if len(drawing.nodes) <= _NEVER_CUT else [])
        ways = whole or [wrapped(layout, finish.ratio, size) for layout in ways]
        ways = [nearest(ways, finish.ratio, size)]
    (chosen,) = ways
    moved = clears and clear(chosen)
    if finish.ratio is None and not finish.legend and not moved:
        return drawing, None
    shown = turned(drawing, chosen.flow)
    if legend is None:
        return shown, layouts.attributes(chosen)
    return finish.shown(shown), legend.put_below(chosen, len(drawing.edges))


def legend_alone(drawing: Drawing, measure: Measure) -> tuple[Drawing, Places]:
    """The legend of a drawing as a drawing, and the places of its parts."""
    layout = Layout("right", frames={"": Frame(Box(0.0, 0.0, _ALONE, 0.0))})
    return legend_of(turned(drawing, "right")), _Legend(drawing, measure).put_below(layout, 0)


def _layout(drawing: Drawing, measure: Measure) -> Layout:
    labels = {}
    for i, edge in enumerate(drawing.edges):
        said = " ".join(filter(None, (edge.label, edge.derivative and f"∂ {edge.derivative}")))
        labels[f"e{i}"] = (_LETTER * len(said) + 4, _LABEL_HEIGHT)
    return layouts.read(measure(dot(drawing)), drawing.flow, labels)


class _Legend:
    """The legend of a drawing, to be set in lines of a given width like a text.

    Args:
        drawing: what it is the legend of.
        measure: lays out DOT.
    """

    def __init__(self, drawing: Drawing, measure: Measure) -> None:
        legend = legend_of(turned(drawing, "right"))
        self.edges = {edge.target: (k, edge) for k, edge in enumerate(legend.edges)}
        tails = {edge.source for edge in legend.edges}
        boxes = _layout(legend, measure).nodes
        self.sizes = {
            node.id: (boxes[node.id].width, boxes[node.id].height) for node in legend.nodes if node.id not in tails
        }

    def set(self, width: float) -> tuple[dict[str, tuple[float, float]], tuple[float, float]]:
        """The left end and middle of each entry, from the corner of the frame on, and the size of that."""
        places, x, y, high, far = {}, _BOXES, _TITLE, 0.0, _TITLE_WIDTH
        for id, (w, h) in self.sizes.items():
            w += _ARROW if id in self.edges else 0.0
            if x > _BOXES and x + w + _BOXES > width:
                x, y, high = _BOXES, y + high + _SPACE / 2, 0.0
            high = max(high, h, 2 * _LABEL_HEIGHT)
            places[id] = x, y + max(h, 2 * _LABEL_HEIGHT) / 2
            far = max(far, x + w)
            x += w + _SPACE
        return places, (far + _BOXES, y + high + _BOXES)

    def size_with(self, layout: Layout) -> tuple[float, float]:
        """The size of a layout with the legend below it."""
        width, height = layout.size()
        _, (w, h) = self.set(max(width, _LEAST))
        return max(width, w), height + _SPACE + h

    def put_below(self, layout: Layout, edges: int) -> Places:
        """Add the legend to a layout; its arrows are numbered from `edges` on. Returns the places of all."""
        left, top, right, bottom = layout.extent()
        if layout.flow == "down":
            left, top, right, bottom = top, left, bottom, right
        top = bottom + _SPACE
        entries, (width, height) = self.set(max(right - left, _LEAST))
        flow, tails = layout.flow, []
        for id, (x, y) in entries.items():
            x, y, (w, h) = left + x, top + y, self.sizes[id]
            if id in self.edges:
                k, edge = self.edges[id]
                layout.nodes[edge.source] = _box(flow, x + 2, y, 2, 2)
                layout.lines[f"e{edges + k}"] = _arrow(flow, x, x + _ARROW, y, headless=edge.weight is not None)
                tails.append(edge.source)
                x += _ARROW
            layout.nodes[id] = _box(flow, x + w / 2, y, w, h)
        frame = _box(flow, left + width / 2, top + height / 2, width, height)
        layout.frames[LEGEND] = Frame(frame, _point(flow, left + _TITLE_WIDTH / 2, top + _TITLE / 2))
        told = layouts.attributes(layout)
        for id, (w, h) in self.sizes.items():
            told[id] |= {"width": f"{w / INCH:.4f}", "height": f"{h / INCH:.4f}"}  # units of the picture may be larger
        return told | {id: told[id] | {"style": "invis"} for id in tails}


def _arrow(flow: str, start: float, end: float, y: float, headless: bool) -> Line:
    tips = {} if headless else {"e": _point(flow, end, y)}
    points = straight(_point(flow, start, y), _point(flow, end - (0 if headless else _HEAD), y))
    return Line(points, tips, _box(flow, (start + end - _HEAD) / 2, y - _LABEL_HEIGHT / 2 - 1, 0, 0))


def _point(flow: str, x: float, y: float) -> Point:
    """A layout's point for one that the reader sees x to the right and y down."""
    return (x, y) if flow == "right" else (y, x)


def _box(flow: str, x: float, y: float, width: float, height: float) -> Box:
    return Box(*_point(flow, x, y), *_point(flow, width, height))
