"""A Drawing as text in Graphviz's DOT language. The same drawing gives the same bytes."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from ..drawing import PIECE, STATISTICS, Drawing, DrawnNode, Edge, Group, Kind, remarks
from ..magnitudes import ZERO, scale, shades
from ..text import LONGEST_NAME, plain
from ..theme import ALARM, FAINT, GRADIENT, INK, LOOKS, NEGATIVE, POSITIVE, SCALE, Theme, ground, painted
from .arrange import add_columns, add_ranks, against, declared, has_units, layout, least_size
from .legend import LEGEND, chain

if TYPE_CHECKING:
    from graphviz import Digraph

_FONT = "Helvetica"  # one name, as Graphviz knows the widths of that one everywhere
_LAYOUT = {
    "rankdir": "LR",
    "nodesep": "0.25",
    "ranksep": "0.45",
    "fontname": _FONT,
    "fontsize": "18",
    "fontcolor": INK,
    "labelloc": "t",
    "nslimit": "4",  # rounds of straightening: changes nothing below 100 nodes, and saves minutes where one leaf feeds 100 steps
}
_OPEN = "▾ "
_LONGEST_TITLE = 100
_LONGEST_LINE = 60
_CAPTION = 90  # characters in a line below the title


def dot(
    drawing: Drawing,
    dpi: int | None = None,
    handles: bool = False,
    theme: Theme | None = None,
    places: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """The drawing in DOT.

    Args:
        drawing: what to show.
        dpi: dots per inch, for pictures made of dots.
        handles: whether titles of groups begin with a sign that they can be closed.
        theme: the colours; None for light ones.
        places: attributes of nodes, arrows and frames by id, and of the graph under "": where each stands if that is known.
    """
    from graphviz import Digraph

    dress = _Dress(theme, places or {})
    graph_attr = _LAYOUT | layout(drawing) | ground(theme)
    if caption := _caption(drawing):
        graph_attr["label"] = f"<{caption}>"
    if dpi is not None:
        graph_attr["dpi"] = str(dpi)
    graph = Digraph(
        graph_attr=dress("", **graph_attr),
        node_attr=painted(
            theme,
            {"fontname": _FONT, "fontsize": "14", "fontcolor": INK, "penwidth": "1.5"} | least_size(drawing),
            Kind.WORDS,
        ),
        edge_attr=painted(
            theme, {"fontname": _FONT, "fontsize": "11", "fontcolor": FAINT, "color": FAINT, "arrowsize": "0.7"}
        ),
    )
    tangled = _tangled(drawing)
    shade_of = shades(drawing.nodes)
    for node in declared(drawing):
        _add_node(graph, dress, node, shade_of.get(node.id), is_tangled=node.id in tangled)
    backwards = against(drawing)
    for i, edge in enumerate(drawing.edges):
        ends = (edge.target, edge.source) if edge in backwards else (edge.source, edge.target)
        graph.edge(*ends, **dress(f"e{i}", id=f"e{i}", dir="back" if edge in backwards else None, **_line(edge)))
    columns = [group for group in drawing.groups if has_units(drawing) and group.id != LEGEND]
    add_columns(graph, columns, _escaped, dress, tied=not places)
    _add_groups(graph, dress, [group for group in drawing.groups if group not in columns], _OPEN if handles else "")
    if not places:
        add_ranks(graph, drawing)
        for one, other in chain(drawing):
            graph.edge(one, other, style="invis")
    return str(graph.source)


@dataclass(frozen=True)
class _Dress:
    """What the caller of `dot` says about the looks of nodes, arrows and frames."""

    theme: Theme | None
    places: Mapping[str, Mapping[str, str]]

    def __call__(self, id: str, kind: Kind | None = None, /, **attributes: str | None) -> dict[str, Any]:
        """The attributes in the theme's colours, and those of this id."""
        return painted(self.theme, attributes, kind) | dict(self.places.get(id, {}))


def _caption(drawing: Drawing) -> str:
    """The title, and in smaller letters what was folded and what the colours mean."""
    lines = [f"<B>{_escaped(drawing.title, _LONGEST_TITLE)}</B>"] if drawing.title else []
    for text in filter(None, (*drawing.lines, drawing.folded, scale(drawing.nodes))):
        lines += [_font(line, FAINT, 12, longest=_CAPTION) for line in wrap(text, _CAPTION)]
    return "<BR/>".join(lines)


def _tangled(drawing: Drawing) -> set[str]:
    """Nodes with an input that is used elsewhere too: to place their inputs in order would cost crossings."""
    uses = Counter(edge.source for edge in drawing.edges)
    return {edge.target for edge in drawing.edges if uses[edge.source] > 1}


def _add_node(graph: Digraph, dress: _Dress, node: DrawnNode, shade: int | None, is_tangled: bool) -> None:
    look = LOOKS[node.kind]
    graph.node(
        node.id,
        **dress(
            node.id,
            node.kind,
            label=f"<{_table(node)}>",
            id=node.id,
            shape=look.shape,
            style=look.style + _border(node, shade),
            fillcolor=look.fill if shade is None else SCALE[shade],
            color=ALARM if node.alarm else look.border,
            peripheries=look.peripheries,
            penwidth=_width(node, shade),
            margin=look.margin,
            ordering=None if is_tangled else "in",
            **{"class": f"{node.kind}{' alarm' * node.alarm}{' origin' * bool(node.origin)}"},
        ),
    )


def _border(node: DrawnNode, shade: int | None) -> str:
    """Dashes where NaN or infinity comes by; where it arises the border is whole, and thick. Dots for a gradient of 0."""
    return ",dashed" * (node.alarm and not node.origin) + ",dotted" * (shade == ZERO and not node.alarm)


def _width(node: DrawnNode, shade: int | None) -> str | None:
    if node.alarm:
        return "5" if node.origin else "3"
    return None if shade is None else f"{0.7 * max(shade, 1) + 0.3:.1f}"


def _line(edge: Edge) -> dict[str, str]:
    """How an arrow looks: its width and colour tell its weight; dashes tell negative ones, and thick red ones an alarm."""
    if edge.weight is not None and edge.label:
        return _weight(edge) | _numbers_on(edge)
    texts = [_escaped(edge.label)] if edge.label else []
    if edge.derivative:
        texts.append(_font(f"∂ {edge.derivative}", GRADIENT, 11))
    line = {"label": f"<{' '.join(texts)}>"} if texts else {}
    return line | _weight(edge)


def _weight(edge: Edge) -> dict[str, str]:
    """Width and colour."""
    line: dict[str, str] = {}
    if edge.weight is not None:
        line |= {"penwidth": f"{0.5 + 3 * abs(edge.weight):.2f}", "color": POSITIVE if edge.weight >= 0 else NEGATIVE}
        line |= {"arrowhead": "none"} | ({"style": "dashed"} if edge.weight < 0 else {})
    if edge.alarm:
        line |= {"color": ALARM, "penwidth": "2.5", "style": "dashed", "class": "alarm"}
    return line


def _numbers_on(edge: Edge) -> dict[str, str]:
    """The numbers of a line between units, one below the other, as columns of units are high and not wide."""
    rows = [_font(edge.label, INK, 11), *([_font(f"∂ {edge.derivative}", GRADIENT, 11)] if edge.derivative else [])]
    return {"label": f"<{'<BR/>'.join(rows)}>"}


def _add_groups(graph: Digraph, dress: _Dress, groups: Sequence[Group], sign: str) -> None:
    """Frames, each inside its parent; inner ones are finished first, as a frame is copied into the one around it."""
    frames = {group.id: type(graph)(name=f"cluster_{group.id}") for group in groups}
    look = {"labeljust": "l", "style": "rounded", "color": FAINT, "fontsize": "14"}
    for group in reversed(groups):
        frame = frames[group.id]
        title = f"<{sign}{_escaped(group.title)}>"
        frame.attr(**dress(group.id, id=group.id, label=title, **look))
        for member in group.nodes:
            frame.node(member)
        (frames[group.parent] if group.parent else graph).subgraph(frame)
    titles = {group.id: group.title for group in groups}
    for id in dress.places:
        if PIECE in id:
            title = f"<… {_escaped(titles[id.partition(PIECE)[0]])}>"
            with graph.subgraph(name=f"cluster_{id}") as frame:
                frame.attr(**dress(id, id=id, label=title, **look))


def _table(node: DrawnNode) -> str:
    """What a node says, the most important first and largest: the operation, the name, the numbers."""
    heads = []
    if node.symbol:
        params = [_font(node.params, FAINT, 11)] if node.params else []
        symbol = f"<B>{_font(node.symbol, INK, 18)}</B>"
        heads += [symbol, *params] if node.kind is Kind.FOLD else [" ".join([symbol, *params])]
    if node.name:
        heads.append(f"<B>{_escaped(node.name, _LONGEST_LINE if node.kind is Kind.GRADIENT else LONGEST_NAME)}</B>")
    if node.form:
        heads.append(_font(node.form, *((INK, 14) if node.form.startswith("×") else (FAINT, 11))))
    numbers: list[str] = []
    if node.kind is Kind.CONSTANT and not node.form:
        heads.append(_escaped(node.value[0]))
    elif node.kind is Kind.UNIT:
        heads += [*(_font(x, INK, 14) for x in node.value[:1]), *([_font(node.params, INK, 11)] if node.params else [])]
        heads += [_font(f"∂ {x}", GRADIENT, 11) for x in node.gradient[:1]]
    elif node.value:  # an array may hold none
        numbers = _statistics(node) if len(node.value) > 1 else _scalars(node)
    if not heads and not numbers:
        heads.append(" ")  # Graphviz takes no empty table
    colour = ALARM if node.kind is Kind.FAILED else FAINT
    notes = [f"<B>{_font(node.origin, ALARM, 12)}</B>"] if node.origin and node.kind is not Kind.UNIT else []
    notes += [f"<I>{_font(note, colour, 12)}</I>" for note in remarks(node) if note != node.origin]
    span = 5 if len(node.value) > 1 and node.gradient else 3
    room = _room(plain(node.name))
    rows = [*(_across(head, span, room) for head in heads), *numbers, *(_across(note, span) for note in notes)]
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


def _across(cell: str, span: int, room: int = 0) -> str:
    width = f' WIDTH="{room}"' if room else ""
    return f'<TR><TD COLSPAN="{span}"{width}>{cell}</TD></TR>\n'


def _room(name: str) -> int:
    """Points that a name with Chinese, Japanese, Korean letters or emoji needs, as graphviz-pure does not know their widths.

    They are as wide as high. It takes them for five sixths of that, and centres them by it, so they need a sixth more.
    """
    wide = sum(east_asian_width(c) in "WF" for c in name)
    return round(14 * (7 / 6 * wide + 0.6 * (len(name) - wide))) if wide else 0


def _row(what: str, *numbers: str) -> str:
    """What the numbers are, and the numbers: to the right, under one another, with a gap before each."""
    cells = "".join(f'<TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">{x}</TD>' for x in numbers)
    return f'<TR><TD ALIGN="LEFT">{what}</TD>{cells}</TR>\n'


def _font(text: str, colour: str, size: int, longest: int = _LONGEST_LINE) -> str:
    return f'<FONT COLOR="{colour}" POINT-SIZE="{size}">{_escaped(text, longest)}</FONT>' if text else ""


def _escaped(text: str, longest: int = LONGEST_NAME) -> str:
    """Text that Graphviz shows as it stands: no markup, no entities, and no backslash-N for the name of the node."""
    return html.escape(plain(text, longest)).replace("\\", r"\\")
