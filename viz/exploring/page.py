"""The page of a picture: one HTML file, complete in itself."""

from __future__ import annotations

from html import escape
from string import Template
from typing import Any

from ..drawing import Drawing
from ..pages import bundle, contents, document, module
from ..text import plain
from ..writing import render
from ..writing.finish import PLAIN, Finish


def html(drawing: Drawing, finish: Finish = PLAIN) -> str:
    """The page's text: the picture to pan, zoom and search, its title, and what it shows in words.

    Raises RenderError if no Graphviz works.
    """
    theme = None if finish.theme == "transparent" else finish.theme  # its controls need a ground
    body = Template(contents("exploring/page.html")).substitute(
        description=escape(plain(drawing.description, 20_000)),
        svg=render.svg(drawing, handles=True, finish=Finish(theme)).replace(
            'role="img"', 'role="group"', 1
        ),  # an image has no buttons inside
        legend=Template(contents("exploring/legend.html")).substitute(legend=render.legend(drawing, theme))
        if finish.legend
        else "",
    )
    return document(
        title=plain(drawing.title or "Computation graph", 200),
        body=body,
        style=contents("exploring/page.css"),
        script=bundle("exploring/page.js", {"exploring/picture.js": module(PICTURE=groups(drawing))}),
        theme=theme,
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
