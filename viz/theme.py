"""Colours and shapes, on light ground and on dark.

Colours are those of Okabe & Ito ("Color Universal Design", 2008), which colour-blind readers can tell apart, as borders,
and pale or deep tints of them as fills; each kind has a shape of its own as well, so that a grey print loses nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from .drawing import Kind

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
}


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
