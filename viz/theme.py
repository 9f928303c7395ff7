"""Colours and shapes, on light ground and on dark.

Colours are those of Okabe & Ito ("Color Universal Design", 2008), which colour-blind readers can tell apart, as borders,
and pale or deep tints of them as fills; each kind has a shape of its own as well, so that a grey print loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias, get_args

from tinygrad_edu import DTypeError

from .drawing import Kind

Theme: TypeAlias = Literal["light", "dark", "transparent"]

INK = "#1a1a1a"
FAINT = "#555555"  # words that only say what the number beside them is
GRADIENT = "#a03c00"  # vermillion, dark enough to read on every fill
ALARM = "#b00020"  # NaN and infinity
POSITIVE, NEGATIVE = "#0072b2", "#b34700"  # weights
PAPER = "#ffffff"
DARK_PAPER = "#14171a"
DARK = {  # what stands on dark ground for the colours above
    INK: "#f0f0f0",
    FAINT: "#b4b8bc",
    GRADIENT: "#ffb48a",
    ALARM: "#ff8f9c",
    POSITIVE: "#6cc1f5",
    NEGATIVE: "#ff9d5c",
}
MIDDLE = {  # without a ground, outside of boxes: as readable on white as on dark, 4.2 : 1 on both
    INK: "#7a7a7a",
    FAINT: "#7a7a7a",
    GRADIENT: "#c25f1c",
    ALARM: "#df3c56",
    POSITIVE: "#2f81b9",
    NEGATIVE: "#c25f1c",
}
PAGE = {  # colours of web pages by name, on light ground and on dark
    "page": (PAPER, DARK_PAPER),
    "panel": ("#f6f7f8", "#1f2428"),
    "ink": (INK, "#eceff1"),
    "faint": (FAINT, "#b3bcc3"),
    "line": ("#c5cbd0", "#47515a"),
    "arrow": (FAINT, "#b3bcc3"),
    "forward": ("#0062a3", "#7cc4f2"),
    "backward": (GRADIENT, "#ffa36b"),
    "mark": ("#fff0c2", "#54430d"),
    "right": ("#00684a", "#5fd3aa"),
}
# Fills for gradients: 0, then the others, the smallest first.
SCALE = ("#fffffe", "#fff8ef", "#ffeedc", "#ffe3c6", "#ffd9b0", "#ffce9b")
DARK_SCALE = ("#15181b", "#241a12", "#312213", "#3f2b16", "#4d3318", "#5b3c1b")


class Look(NamedTuple):
    """How a kind of node is drawn, in Graphviz's words; `dark` and `dark_border` are its colours on dark ground."""

    shape: str
    fill: str
    border: str
    dark: str
    dark_border: str
    style: str = "filled"
    peripheries: str = "1"  # lines of the border
    margin: str = "0.08,0.03"  # inches; an ellipse leaves room enough


LOOKS = {
    Kind.LEAF: Look("box", "#e3f2fb", "#0072b2", "#10293a", "#56b4e9", style="filled,rounded"),
    Kind.DATA: Look("note", "#f9eef4", "#a8457c", "#331f2a", "#e08fbb"),
    Kind.CONSTANT: Look("ellipse", "#f2f2f2", "#767676", "#26292c", "#8f9499", margin="0.03,0"),
    Kind.RESULT: Look("box", "#fff6e5", "#b87a00", "#2e2410", "#e6a520"),
    Kind.OUTPUT: Look("box", "#e2f5ee", "#007a5a", "#0f2e25", "#2fc496", peripheries="2"),
    Kind.PARAMETER: Look("house", "#dcebf7", "#0a5a94", "#122c42", "#7fbbe8"),
    Kind.MODULE: Look("box3d", "#f5f0fa", "#6a4c93", "#261d33", "#b79be0", margin="0.12,0.1"),
    Kind.UNIT: Look("circle", "#ffffff", "#1a1a1a", "#1b1e21", "#e0e0e0", margin="0"),
    Kind.FOLD: Look("folder", "#eef0f2", "#5b6770", "#22272c", "#98a6b1"),
    Kind.GRADIENT: Look("component", "#fdeee4", "#a03c00", "#33200f", "#ff9d5c", margin="0.14,0.06"),
    Kind.FAILED: Look("octagon", "#fbe3e3", "#b00020", "#3a1217", "#ff7686"),
    Kind.WORDS: Look("plaintext", "#fefefe", "#6e6e6e", "#15181b", "#8c9196", peripheries="0"),
}
_COLOUR = re.compile(r'(?:^|(?<="))#[0-9a-f]{6}(?=$|")')  # the quotes in a user's words are escaped


def check_theme(caller: str, theme: object) -> None:
    """Raises DTypeError, in the name of the function `caller`, if there is no such theme."""
    if theme is not None and theme not in get_args(Theme):
        *rest, last = map(repr, get_args(Theme))
        raise DTypeError(f"{caller}: got theme={theme!r}, expected {', '.join(rest)} or {last}")


def ground(theme: Theme | None) -> dict[str, str]:
    """Graphviz's attributes for the paper of a theme."""
    papers = {"dark": DARK_PAPER, "transparent": "transparent"}
    return {"bgcolor": papers[theme]} if theme in papers else {}


def painted(
    theme: Theme | None, attributes: Mapping[str, str | None], kind: Kind | None = None
) -> dict[str, str | None]:
    """Graphviz's attributes in the colours of a theme; `kind` is a node's, None stands for what is outside of nodes."""
    if theme == "dark":
        colours = DARK | dict(zip(SCALE, DARK_SCALE, strict=True))
    elif theme == "transparent" and kind is None:
        colours = MIDDLE
    else:
        return dict(attributes)
    own: dict[str, str] = {}
    if kind is not None:
        look = LOOKS[kind]
        own = {look.fill: look.dark, look.border: look.dark_border}

    def paint(name: str, text: str) -> str:
        known = own | colours if name == "label" else colours | own
        return _COLOUR.sub(lambda match: known.get(match[0], match[0]), text)

    return {name: text and paint(name, text) for name, text in attributes.items()}


def css(root: str = "svg.viz") -> str:
    """Rules that turn a rendered picture dark where the reader's system is; they hold within elements that `root` selects."""
    rules = [f"{root} .graph > polygon:first-of-type {{ fill: {DARK_PAPER} }}"]
    rules += [
        f'{root} [{part}="{light}"] {{ {part}: {dark} }}' for light, dark in DARK.items() for part in ("fill", "stroke")
    ]
    for kind, look in LOOKS.items():
        shapes = f"{root} .{kind} > :is(path, polygon, ellipse, polyline)"
        rules.append(f'{shapes}[fill="{look.fill}"] {{ fill: {look.dark} }}')
        rules.append(f'{shapes}[stroke="{look.border}"] {{ stroke: {look.dark_border} }}')
    rules += [f'{root} [fill="{a}"] {{ fill: {b} }}' for a, b in zip(SCALE, DARK_SCALE, strict=True)]
    return "@media (prefers-color-scheme: dark) {\n" + "\n".join(rules) + "\n}"


def page_css(theme: Theme | None = None) -> str:
    """The colours of web pages as variables; without a theme the dark ones where the reader's system is dark."""
    light, dark = ("".join(f" --{name}: {pair[k]};" for name, pair in PAGE.items()) for k in (0, 1))
    if theme in ("light", "dark"):
        return f":root {{ color-scheme: {theme};{light if theme == 'light' else dark} }}\n"
    turned = f"@media (prefers-color-scheme: dark) {{ :root {{{dark} }} }}\n"
    return f":root {{ color-scheme: light dark;{light} }}\n{turned}"
