"""A Drawing as a Mermaid flowchart, which GitHub, notebooks and documentation tools draw from text. Nothing need be installed."""

from __future__ import annotations

from collections.abc import Iterator

from ..drawing import STATISTICS, Drawing, DrawnNode, Edge, Kind, remarks
from ..magnitudes import ZERO, shades
from ..text import LONGEST_NAME, plain
from ..theme import ALARM, FAINT, INK, LOOKS, SCALE

_LONGEST_LINE = 60
_STARTS = "\\$:"  # of \n, $$formulas$$ and fa:icons, which Mermaid looks for even in what is given by its number
_APART = "#8203;"  # a space of no width
_PLAIN = " .,+-−=×"  # besides letters and digits, what stands as it is
_SHAPES = {  # the nearest that Mermaid has to each shape of theme.py
    Kind.LEAF: ("(", ")"),
    Kind.PARAMETER: ("[/", "\\]"),
    Kind.DATA: (">", "]"),
    Kind.CONSTANT: ("([", "])"),
    Kind.RESULT: ("[", "]"),
    Kind.OUTPUT: ("[[", "]]"),
    Kind.MODULE: ("{{", "}}"),
    Kind.UNIT: ("((", "))"),
    Kind.FOLD: ("[/", "/]"),
    Kind.GRADIENT: ("[\\", "\\]"),
    Kind.FAILED: ("[\\", "/]"),
    Kind.WORDS: ("[(", ")]"),
}


def mermaid(drawing: Drawing) -> str:
    """The drawing as flowchart text. The same drawing gives the same text."""
    lines = [f"flowchart {'TD' if drawing.flow == 'down' else 'LR'}"]
    for what, text, longest in (("accTitle", drawing.title, 100), ("accDescr", drawing.description, 2000)):
        if text.strip():
            lines.append(f"  {what}: {_numbered(plain(text, longest), _PLAIN + ':()')}")
    lines += [f"  {_node(node)}" for node in drawing.nodes]
    lines += [f"  {_edge(edge)}" for edge in drawing.edges]
    lines += [f"  {line}" for line in _groups(drawing)]
    lines += [f"  {line}" for line in _styles(drawing)]
    return "\n".join(lines) + "\n"


def _node(node: DrawnNode) -> str:
    start, end = _SHAPES[node.kind]
    return f'{node.id}{start}"{"<br/>".join(_says(node)) or " "}"{end}:::{node.kind}'


def _says(node: DrawnNode) -> Iterator[str]:
    """The lines in a node: the operation, the name, the numbers."""
    if node.symbol or node.params:
        yield _text(f"{node.symbol} {node.params}".strip(), _LONGEST_LINE)
    if node.name:
        yield f"<b>{_text(node.name, _LONGEST_LINE if node.kind is Kind.GRADIENT else LONGEST_NAME)}</b>"
    if node.form:
        yield _text(node.form, _LONGEST_LINE)
    is_number = node.kind is Kind.CONSTANT and not node.form
    for what, numbers in (("" if is_number else "value", node.value), ("gradient", node.gradient)):
        told = ", ".join(map(" ".join, zip(STATISTICS, numbers, strict=True))) if len(numbers) > 1 else "".join(numbers)
        if told:
            yield _text(f"{what} {told}".strip(), _LONGEST_LINE)
    for note in remarks(node):
        yield f"<i>{_text(note, _LONGEST_LINE)}</i>"


def _edge(edge: Edge) -> str:
    label = " ".join(filter(None, (edge.label, f"∂ {edge.derivative}" if edge.derivative else "")))
    arrow = "-.->" if edge.weight is not None and edge.weight < 0 else "==>" if edge.alarm else "-->"
    said = f'|"{_text(label)}"|' if label else ""
    return f"{edge.source} {arrow}{said} {edge.target}"


def _groups(drawing: Drawing) -> Iterator[str]:
    """Frames, outer ones first; a frame inside another is named within it."""
    for group in drawing.groups:
        yield f'subgraph {group.id}["{_text(group.title) or " "}"]'
        yield from (f"  {id}" for id in group.nodes)
        yield from (f"  {inner.id}" for inner in drawing.groups if inner.parent == group.id)
        yield "end"


def _styles(drawing: Drawing) -> Iterator[str]:
    for kind in Kind:
        if any(node.kind is kind for node in drawing.nodes):
            yield f"classDef {kind} fill:{LOOKS[kind].fill},stroke:{LOOKS[kind].border},color:{INK}"
    shade_of = shades(drawing.nodes)
    for node in drawing.nodes:
        look = ",".join(_look(node, shade_of.get(node.id)))
        if look:
            yield f"style {node.id} {look}"
    yield from (f"style {group.id} fill:none,stroke:{FAINT}" for group in drawing.groups)
    alarming = [str(i) for i, edge in enumerate(drawing.edges) if edge.alarm]
    if drawing.edges:
        yield f"linkStyle default stroke:{FAINT}"
    if alarming:
        yield f"linkStyle {','.join(alarming)} stroke:{ALARM}"


def _look(node: DrawnNode, shade: int | None) -> Iterator[str]:
    """What differs from other nodes of the kind; as in dot.py."""
    if shade is not None:
        yield f"fill:{SCALE[shade]}"
    if node.alarm:
        yield (
            f"stroke:{ALARM},stroke-width:5px" if node.origin else f"stroke:{ALARM},stroke-width:3px,stroke-dasharray:5"
        )
    elif shade is not None:
        yield f"stroke-width:{max(shade, 1)}px{',stroke-dasharray:2' * (shade == ZERO)}"


def _text(text: str, longest: int = LONGEST_NAME) -> str:
    """Text between quotes: all that Mermaid, Markdown or HTML could take for markup is given by its number."""
    return "".join(_numbered(c, _PLAIN) + _APART * (c in _STARTS) for c in plain(text, longest))


def _numbered(text: str, kept: str) -> str:
    return "".join(c if c.isalnum() or c in kept else f"#{ord(c)};" for c in text)
