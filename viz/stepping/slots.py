"""Slots: places for numbers in the picture of a graph, which a page's script fills."""

from __future__ import annotations

import re
from dataclasses import replace

from ..drawing import Drawing, DrawnNode, Kind
from ..text import number
from ..words import description
from .trace import Trace

_DIGIT_WIDTH = 0.556  # of the font's size, in Helvetica
_SLOT = 9  # digits that a number on a node has room for: -1.234e-05


def slotted(story: Trace) -> Drawing:
    """The drawing of a trace with a run of digits for each number, and without its title."""
    pairs = zip(story.drawing.nodes, story.nodes, strict=True)
    nodes = tuple(_slotted(node, step.label, len(step.gradient or ())) for node, step in pairs)
    return replace(story.drawing, nodes=nodes, title="", description="")


def filled(story: Trace) -> Drawing:
    """The drawing of a trace with all values and gradients, as the last step shows them."""
    nodes = tuple(
        replace(node, name=step.label, gradient=tuple(map(number, step.gradient or ())), notes=())
        if node.kind is not Kind.CONSTANT
        else replace(node, name=step.label if node.form else "")
        for node, step in zip(story.drawing.nodes, story.nodes, strict=True)
    )
    drawing = story.drawing
    words = description(nodes, drawing.folded, drawing.flow, drawing.edges)
    return replace(drawing, nodes=nodes, description=words)


def _slotted(node: DrawnNode, label: str, gradients: int) -> DrawnNode:
    """The node with a run of one digit in place of each number: 0, 1, 2 for the value's, 3, 4, 5 for the gradient's."""
    if node.kind is Kind.CONSTANT:
        return replace(node, name=label if node.form else "")
    value = tuple(str(i) * _SLOT for i in range(len(node.value)))
    gradient = tuple(str(3 + i) * _SLOT for i in range(gradients))
    return replace(node, name=label, value=value, gradient=gradient, notes=())


def opened(svg: str) -> str:
    """A picture of a slotted drawing with an empty text for each slot, data-slot="0" and so on, and no title."""
    svg = re.sub(r"\s*<title>.*?</title>|\s*<desc>.*?</desc>", "", svg, flags=re.DOTALL)
    svg = re.sub(rf"<text ([^>]*)>(\d)\2{{{_SLOT - 1}}}</text>", _slot, svg)
    return re.sub(r"<text ([^>]*)>gradient</text>", r'<text \1 data-slot="what">gradient</text>', svg)


def _slot(text: re.Match[str]) -> str:
    """An empty text element with the slot's number, aligned at the right end of the digits."""
    attributes, digit = text.groups()
    if 'text-anchor="end"' not in attributes:
        (size,) = re.findall(r'font-size="([\d.]+)"', attributes)
        width = _SLOT * _DIGIT_WIDTH * float(size)
        attributes = re.sub(r'\bx="([-\d.]+)"', lambda x: f'x="{float(x[1]) + width:.2f}"', attributes)
        attributes = attributes.replace('text-anchor="start"', 'text-anchor="end"')
    return f'<text {attributes} data-slot="{digit}"></text>'
