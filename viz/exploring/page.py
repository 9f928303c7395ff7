"""The page of a picture: one HTML file, complete in itself."""

from __future__ import annotations

from html import escape
from importlib import resources
from string import Template
from typing import Any

from ..drawing import Drawing
from ..pages import script, style
from ..text import plain
from ..writing import render
from ..writing.finish import PLAIN, Finish

_GROUPS = ("nesting.js", "space.js", "layout.js", "arrows.js", "groups.js")


def html(drawing: Drawing, finish: Finish = PLAIN) -> str:
    """The page's text: the picture to pan, zoom and search, its title, and what it shows in words.

    Raises RenderError if no Graphviz works.
    """
    theme = None if finish.theme == "transparent" else finish.theme  # its controls need a ground
    return Template(_file("page.html")).substitute(
        title=escape(plain(drawing.title or "Computation graph", 200)),
        description=escape(plain(drawing.description, 20_000)),
        style=style(_file("page.css"), theme),
        svg=render.svg(drawing, handles=True, finish=Finish(theme)).replace(
            'role="img"', 'role="group"', 1
        ),  # an image has no buttons inside
        legend=Template(_file("legend.html")).substitute(legend=render.legend(drawing, theme)) if finish.legend else "",
        picture=script(groups(drawing)),
        scripts=groups_script() + _file("page.js"),
    )


def groups(drawing: Drawing) -> dict[str, Any]:
    """What groups.js takes."""
    return {
        "flow": drawing.flow,
        "edges": [[edge.source, edge.target] for edge in drawing.edges],
        "groups": [
            {
                "id": group.id,
                "name": plain(group.title),
                "nodes": group.nodes,
                "parent": group.parent,
                "closed": group.closed,
                "lines": [plain(line) for line in group.lines],
            }
            for group in drawing.groups
        ],
    }


def groups_script(opening: bool = True) -> str:
    """The scripts for a page with groups: which are around what, and, if they are to, that they open and close."""
    return "\n".join(map(_file, _GROUPS if opening else _GROUPS[:1]))


def _file(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
