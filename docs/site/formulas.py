"""Formulas: LaTeX between dollars becomes MathML, which browsers show without JavaScript."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_content(html: str, **_: Any) -> str:
    """The page with MathML for each formula that Arithmatex marked."""
    return FORMULA.sub(mathml, html)


def mathml(match: re.Match[str]) -> str:
    """A marked formula as MathML; a displayed one scrolls by itself where it is wider than the page."""
    from latex2mathml.converter import convert

    formula = convert(unescape(match[3]), display="block" if match[2] == "[" else "inline")
    return f'<div class="formula" tabindex="0">{formula}</div>' if match[2] == "[" else formula
