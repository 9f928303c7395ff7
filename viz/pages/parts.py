"""Parts of web pages: their frame and style, data for scripts, graphs that light up, and the controls of an animation."""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from string import Template
from typing import Any

from ..theme import Theme, page_css


def document(title: str, body: str, style: str, script: str, theme: Theme | None = None) -> str:
    """A whole page, which loads nothing.

    Args:
        title: as plain text; the page's heading too.
        body: HTML for what follows the heading.
        style: CSS besides what all pages share.
        script: a module.
        theme: light or dark; None follows the reader's system.
    """
    colours = page_css(theme) + contents("pages/base.css")
    return Template(contents("pages/document.html")).substitute(
        title=escape(title), style=colours + style, body=body, script=script
    )


def graph_style() -> str:
    """Rules for a graph whose nodes and arrows light up step by step: classes now, from, pending; ahead, behind."""
    return contents("pages/graph.css")


def markers() -> str:
    """Arrowheads for those rules, as an SVG element that is not seen."""
    return contents("pages/markers.html")


def player() -> str:
    """The controls of an animation, for the function `player` of player.js."""
    return contents("pages/player.html")


def module(**values: Any) -> str:
    """A module that exports data. NaN and Infinity are that, though not JSON; and no text can end the script element."""
    return "".join(
        f"export const {name} = {json.dumps(value, separators=(',', ':'))};\n".replace("<", r"\u003c")
        for name, value in values.items()
    )


def contents(path: str) -> str:
    """The text of a file of this package, by its path within it, such as "stepping/page.css"."""
    return resources.files(__package__.partition(".")[0]).joinpath(*path.split("/")).read_text(encoding="utf-8")
