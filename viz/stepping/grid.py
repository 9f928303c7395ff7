"""A large expression as an SVG: small boxes in the order of computation, row by row, as text is read.

Graphviz takes minutes for thousands of nodes, and nobody can follow as many arrows. In this order the inputs of an operation
mostly stand just before it; the page draws the arrows of the step that it shows, and no others.
"""

from __future__ import annotations

from html import escape

from ..drawing import Drawing, DrawnNode, Kind
from ..text import plain
from ..theme import GRADIENT, INK, LOOKS, css

COLUMNS = 8
_OUTLINE = "M-60-32h120v64h-120z"
_STRIDE = 152, 92
_LONGEST = 9  # characters of a name or symbol


def grid(drawing: Drawing) -> str:
    """The drawing as an SVG element with a <g> for each node, under its id, as render.svg makes them."""
    rows = -(-len(drawing.nodes) // COLUMNS)
    width, height = COLUMNS * _STRIDE[0], rows * _STRIDE[1]
    boxes = "".join(_box(node, i) for i, node in enumerate(drawing.nodes))
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg {size} class="viz" role="img">\n<style>{css()}</style>\n{boxes}</svg>'


def _box(node: DrawnNode, i: int) -> str:
    look = LOOKS[node.kind]
    x, y = ((i % COLUMNS + 0.5) * _STRIDE[0], (i // COLUMNS + 0.5) * _STRIDE[1])
    is_number = node.kind is Kind.CONSTANT and not node.form
    texts = [_text(-52, -14, INK, node.value[0] if is_number else node.symbol or node.name, bold=True)]
    if node.symbol and node.name:
        texts.append(_text(52, -14, INK, node.name, end=True))
    first = "mean" if node.form else "value"
    for line, colour, what, numbers in ((4, INK, first, node.value), (22, GRADIENT, "gradient", node.gradient)):
        if numbers and not is_number:
            texts += [_text(-52, line, colour, what, size=10), _text(52, line, colour, numbers[0], end=True)]
    return (
        f'<g id="{node.id}" class="node {node.kind}" transform="translate({x:g} {y:g})">'
        f'<path d="{_OUTLINE}" fill="{look.fill}" stroke="{look.border}" stroke-width="1.5"/>{"".join(texts)}</g>\n'
    )


def _text(x: int, y: int, colour: str, text: str, bold: bool = False, end: bool = False, size: int = 12) -> str:
    weight = ' font-weight="bold"' if bold else ""
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x}" y="{y}"{anchor}{weight} font-size="{size}" fill="{colour}">{escape(plain(text, _LONGEST))}</text>'
