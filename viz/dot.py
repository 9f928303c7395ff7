"""A Drawing as text in Graphviz's DOT language: its shapes, colours and fonts. The same drawing gives the same bytes.

Colours are those of Okabe & Ito ("Color Universal Design", 2008), which colour-blind readers can tell apart, as borders,
and pale tints of them as fills; each kind has a shape of its own as well, so that a grey print loses nothing.
"""

from __future__ import annotations

import html
from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from .drawing import STATISTICS, Drawing, DrawnNode, Kind
from .text import LONGEST_NAME, plain

if TYPE_CHECKING:
    from graphviz import Digraph

INK = "#1a1a1a"
FAINT = "#555555"  # words that only say what the number beside them is
GRADIENT = "#a03c00"  # vermillion, dark enough to read on every fill
_FONT = "Helvetica"  # one name, as Graphviz knows the widths of that one everywhere
_LAYOUT = {
    "rankdir": "LR",
    "nodesep": "0.25",
    "ranksep": "0.45",
    "fontname": _FONT,
    "fontsize": "18",
    "labelloc": "t",
    "nslimit": "4",  # rounds of straightening: changes nothing below 100 nodes, and saves minutes where one leaf feeds 100 steps
}
_LONGEST_TITLE = 100
_LONGEST_LINE = 60


class Look(NamedTuple):
    """How a kind of node is drawn, in Graphviz's words."""

    shape: str
    fill: str
    border: str
    style: str = "filled"
    peripheries: str = "1"  # lines of the border
    margin: str = "0.08,0.03"  # inches; an ellipse leaves room enough


LOOKS = {
    Kind.LEAF: Look("box", "#e3f2fb", "#0072b2", style="filled,rounded"),
    Kind.DATA: Look("note", "#f9eef4", "#a8457c"),
    Kind.CONSTANT: Look("ellipse", "#f2f2f2", "#767676", margin="0.03,0"),
    Kind.RESULT: Look("box", "#fff6e5", "#b87a00"),
    Kind.OUTPUT: Look("box", "#e2f5ee", "#007a5a", peripheries="2"),
    Kind.PARAMETER: Look("house", "#dcebf7", "#0a5a94"),
    Kind.MODULE: Look("box3d", "#f5f0fa", "#6a4c93"),
    Kind.UNIT: Look("circle", "#ffffff", "#1a1a1a", margin="0"),
    Kind.FOLD: Look("folder", "#eef0f2", "#5b6770"),
    Kind.GRADIENT: Look("cds", "#fdeee4", "#a03c00"),
    Kind.FAILED: Look("octagon", "#fbe3e3", "#b00020"),
}


def dot(drawing: Drawing, dpi: int | None = None) -> str:
    """The drawing in DOT.

    Args:
        drawing: what to show.
        dpi: dots per inch, for pictures made of dots.
    """
    from graphviz import Digraph

    graph_attr = _LAYOUT.copy()
    if drawing.title:
        graph_attr["label"] = f"<<B>{_escaped(drawing.title, _LONGEST_TITLE)}</B>>"
    if dpi is not None:
        graph_attr["dpi"] = str(dpi)
    graph = Digraph(
        graph_attr=graph_attr,
        node_attr={"fontname": _FONT, "fontsize": "14", "fontcolor": INK, "penwidth": "1.5"},
        edge_attr={"fontname": _FONT, "fontsize": "11", "fontcolor": FAINT, "color": FAINT, "arrowsize": "0.7"},
    )
    tangled = _tangled(drawing)
    for node in drawing.nodes:
        _add_node(graph, node, is_tangled=node.id in tangled)
    for i, edge in enumerate(drawing.edges):
        label = f"<{_escaped(edge.label)}>" if edge.label else None
        graph.edge(edge.source, edge.target, label=label, id=f"e{i}")
    for group in drawing.groups:
        with graph.subgraph(name=f"cluster_{group.id}") as frame:
            frame.attr(id=group.id, label=f"<{_escaped(group.title)}>", style="rounded", color=FAINT, fontsize="14")
            for member in group.nodes:
                frame.node(member)
    return str(graph.source)


def _tangled(drawing: Drawing) -> set[str]:
    """Nodes with an input that is used elsewhere too: to place their inputs in order would cost crossings."""
    uses = Counter(edge.source for edge in drawing.edges)
    return {edge.target for edge in drawing.edges if uses[edge.source] > 1}


def _add_node(graph: Digraph, node: DrawnNode, is_tangled: bool) -> None:
    look = LOOKS[node.kind]
    graph.node(
        node.id,
        label=f"<{_table(node)}>",
        id=node.id,
        shape=look.shape,
        style=look.style,
        fillcolor=look.fill,
        color=look.border,
        peripheries=look.peripheries,
        margin=look.margin,
        ordering=None if is_tangled else "in",
        **{"class": node.kind},
    )


def _table(node: DrawnNode) -> str:
    """What a node says, the most important first and largest: the operation, the name, the numbers."""
    heads = []
    if node.symbol:
        params = f" {_font(node.params, FAINT, 11)}" if node.params else ""
        heads.append(f"<B>{_font(node.symbol, INK, 18)}</B>{params}")
    if node.name:
        heads.append(f"<B>{_escaped(node.name)}</B>")
    if node.form:
        heads.append(_font(node.form, FAINT, 11))
    numbers: list[str] = []
    if node.kind is Kind.CONSTANT and not node.form:
        heads.append(_escaped(node.value[0]))
    elif node.value:  # an array may hold none
        numbers = _statistics(node) if node.form else _scalars(node)
    notes = [f"<I>{_font(note, FAINT, 12)}</I>" for note in node.notes]
    span = 5 if node.form and node.gradient else 3
    rows = [*(_across(head, span) for head in heads), *numbers, *(_across(note, span) for note in notes)]
    return f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">\n{"".join(rows)}</TABLE>'


def _scalars(node: DrawnNode) -> list[str]:
    """A row for the value and one for the gradient."""
    rows = [_row(_font("value", FAINT, 11), _escaped(node.value[0]))]
    if node.gradient:
        rows.append(_row(_font("gradient", GRADIENT, 11), _font(node.gradient[0], GRADIENT, 14)))
    return rows


def _statistics(node: DrawnNode) -> list[str]:
    """A row for each of mean, min and max, a column for the value and one for the gradient; a constant needs no heads."""
    columns = [[_font(x, FAINT, 11) for x in ("", *STATISTICS)]]
    columns.append([_font("value", FAINT, 11), *map(_escaped, node.value)])
    if node.gradient:
        columns.append([_font("gradient", GRADIENT, 11), *(_font(x, GRADIENT, 14) for x in node.gradient)])
    rows = [_row(*row) for row in zip_longest(*columns, fillvalue="")]  # a gradient set by hand may be a single number
    return rows[1:] if node.kind is Kind.CONSTANT else rows


def _across(cell: str, span: int) -> str:
    return f'<TR><TD COLSPAN="{span}">{cell}</TD></TR>\n'


def _row(what: str, *numbers: str) -> str:
    """What the numbers are, and the numbers: to the right, under one another, with a gap before each."""
    cells = "".join(f'<TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">{x}</TD>' for x in numbers)
    return f'<TR><TD ALIGN="LEFT">{what}</TD>{cells}</TR>\n'


def _font(text: str, colour: str, size: int) -> str:
    return f'<FONT COLOR="{colour}" POINT-SIZE="{size}">{_escaped(text, _LONGEST_LINE)}</FONT>' if text else ""


def _escaped(text: str, longest: int = LONGEST_NAME) -> str:
    """Text that Graphviz shows as it stands: no markup, no entities, and no backslash-N for the name of the node."""
    return html.escape(plain(text, longest)).replace("\\", r"\\")
