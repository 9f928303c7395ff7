"""Parts of web pages: the style that all have, data for scripts, and a player with its controls."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from ..theme import Theme, page_css


def style(own: str, theme: Theme | None = None) -> str:
    """The style of a page: the colours of a theme, what all pages share, and the page's own rules."""
    return f"{page_css(theme)}{_file('base.css')}{own}"


def graph_style() -> str:
    """Rules for a graph whose nodes and arrows light up step by step: classes now, from, pending; ahead, behind."""
    return _file("graph.css")


def markers() -> str:
    """Arrowheads for those rules, as an SVG element that is not seen."""
    return _file("markers.html")


def script(data: Any) -> str:
    """Data as JavaScript: NaN and Infinity are that, though not JSON; and no name can end the script element."""
    return json.dumps(data, separators=(",", ":")).replace("<", r"\u003c")


def player() -> str:
    """The controls of an animation, for `player_script`."""
    return _file("player.html")


def player_script() -> str:
    """JavaScript's `player({last, seconds, show})`, which plays, pauses and goes by steps."""
    return _file("player.js")


def _file(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")
