"""Formulas: LaTeX between dollars becomes MathML, which browsers show without JavaScript.

A letter is written in an ordinary italic font, since a machine without a font for mathematics has no other.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
LETTER = re.compile(r"<mi>([A-Za-zα-ωϑϕϵ]|&#x003[BC][0-9A-F];)</mi>")
LIMIT = re.compile(r"<msub>(<mo>(?:lim|max|min)</mo>.*?)</msub>", re.DOTALL)
UNKNOWN = re.compile(r"<m\w+>(\\\w+|&)</m")


class FormulaError(Exception):
    """A formula with a command that latex2mathml does not know; the build ends."""


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """The page with MathML for each formula that Arithmatex marked."""
    try:
        return FORMULA.sub(shown, html)
    except FormulaError as error:
        from mkdocs.exceptions import PluginError

        raise PluginError(f"{page.file.src_uri}: {error}") from error


def shown(match: re.Match[str]) -> str:
    """A marked formula as MathML; a displayed one scrolls by itself where it is wider than the page."""
    alone = match[2] == "["
    formula = mathml(unescape(match[3]), "block" if alone else "inline")
    return f'<div class="formula" tabindex="0">{formula}</div>' if alone else formula


def mathml(latex: str, display: str) -> str:
    """LaTeX as MathML. Raises FormulaError for a command that is not known."""
    from latex2mathml.converter import convert

    made = convert(re.sub(r"(\\(?:begin|end)){aligned}", r"\1{align*}", latex), display=display)
    unknown = UNKNOWN.search(made)
    if unknown:
        raise FormulaError(f"{latex.strip()}: {unknown[1]} is not known to latex2mathml")
    if display == "block":
        made = LIMIT.sub(r"<munder>\1</munder>", made)
    return LETTER.sub(r'<mi class="letter">\1</mi>', made)
