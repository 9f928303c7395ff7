"""A Drawing as a web page that stands by itself: the picture to pan, zoom and search, its title, and what it shows in words."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template

from . import render
from .drawing import Drawing
from .text import plain
from .theme import DARK, DARK_PAPER, INK, PAPER


def html(drawing: Drawing) -> str:
    """The page's text. Raises RenderError if no Graphviz works."""
    page = Template((files(__package__) / "page.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=escape(plain(drawing.title or "Computation graph", 200)),
        description=escape(plain(drawing.description, 20_000)),
        svg=render.svg(drawing),
        ink=INK,
        paper=PAPER,
        dark_ink=DARK[INK],
        dark_paper=DARK_PAPER,
    )
