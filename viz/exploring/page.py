"""The page of a picture: one HTML file, complete in itself."""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from string import Template
from typing import Any

from .. import render
from ..drawing import Drawing, Kind
from ..finish import Finish
from ..text import plain
from ..theme import DARK, DARK_PAPER, INK, LOOKS, PAPER

_GROUPS = ("nesting.js", "space.js", "layout.js", "arrows.js", "groups.js")


def html(drawing: Drawing, finish: Finish = Finish()) -> str:
    """The page's text: the picture to pan, zoom and search, its title, and what it shows in words.

    Raises RenderError if no Graphviz works.
    """
    module = LOOKS[Kind.MODULE]
    style = Template(_file("page.css")).substitute(
        ink=INK, paper=PAPER, box=module.fill, dark_ink=DARK[INK], dark_paper=DARK_PAPER, dark_box=module.dark
    )
    return Template(_file("page.html")).substitute(
        title=escape(plain(drawing.title or "Computation graph", 200)),
        description=escape(plain(drawing.description, 20_000)),
        style=style,
        svg=render.svg(drawing, handles=True).replace(
            'role="img"', 'role="group"', 1
        ),  # an image has no buttons inside
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


def script(data: Any) -> str:
    """Data as JavaScript: NaN and Infinity are that, though not JSON; and no name can end the script element."""
    return json.dumps(data, separators=(",", ":")).replace("<", r"\u003c")


def _file(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
