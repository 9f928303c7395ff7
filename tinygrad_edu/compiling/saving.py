"""Saving: a program as a module that runs with NumPy alone, and as coloured text for notebooks."""

from __future__ import annotations

import os
import tempfile
from html import escape
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, NAME, NUMBER, STRING, generate_tokens
from typing import Any

import numpy as np

from ..errors import TinygradError
from .program import Program

_LARGEST = 10_000  # numbers of an array that a module holds as text
_HEAD = '''"""{name}, compiled by tinygrad_edu: it needs NumPy alone.

It holds for arguments of the shapes and dtypes of the run that it was compiled from, and raises GuardError for numbers that take
another branch.
"""

import math

import numpy as np


class GuardError(RuntimeError):
    """The numbers take another branch than in the run that was compiled."""


'''


def module_text(program: Program) -> str:
    """The module of a program. Raises TinygradError if it needs more than NumPy, or holds a large array."""
    if program.needs:
        raise TinygradError(
            f"save: {program.name} calls {', '.join(program.needs)}, which cannot be written with NumPy alone; use it from "
            "Python with tinygrad_edu, or leave these out"
        )
    source = program.source  # which collects the constants
    lines = [f"{name} = {_literal(name, x)}\n" for name, x in program.constants.items()]
    constants = "".join(lines) + ("\n\n" if lines else "")
    return _HEAD.format(name=program.name) + constants + source


def _literal(name: str, x: Any) -> str:
    """A constant as text."""
    if isinstance(x, np.ndarray) and x.size <= _LARGEST and x.dtype.kind in "fiub":
        text = repr(x.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
        return f"np.array({text}, np.{x.dtype.name})" + ("" if x.size else f".reshape({x.shape})")
    if isinstance(x, np.ndarray):
        raise TinygradError(f"save: {name} is an array of {x.size} numbers; pass it as an argument")
    raise TinygradError(
        f"save: {name} is a {type(x).__name__}, which has no text; return plain tuples, lists and dictionaries"
    )


def written(path: str | os.PathLike[str], text: str) -> Path:
    """Write a module, whole or not at all, and return its path. Raises TinygradError unless it is a .py."""
    file = Path(path)
    if file.suffix != ".py":
        raise TinygradError(f"save: got {str(path)!r}, expected a name that ends in .py")
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return file


# As readable on white as on a notebook's dark ground, 4.3 : 1 on both.
_COLOURS = {COMMENT: "#6e7a87", NUMBER: "#2079df", STRING: "#2e8a4d"}
_KEYWORD = "#d7425b"
_KEYWORDS = {"def", "return", "if", "raise", "with", "not", "for", "in", "or", "and", "else"}


def highlighted(source: str) -> str:
    """Source as HTML with colours, on the ground of the page."""
    lines = source.splitlines(keepends=True)
    parts: list[str] = []
    row, column = 1, 0

    def plain(to: tuple[int, int]) -> None:
        nonlocal row, column
        while row < to[0]:
            parts.append(escape(lines[row - 1][column:]))
            row, column = row + 1, 0
        if row <= len(lines):
            parts.append(escape(lines[row - 1][column : to[1]]))
        column = to[1]

    for token in generate_tokens(StringIO(source).readline):
        colour = _COLOURS.get(token.type) or (_KEYWORD if token.type == NAME and token.string in _KEYWORDS else None)
        if colour is not None:
            plain(token.start)
            parts.append(f'<span style="color:{colour}">{escape(token.string)}</span>')
            row, column = token.end
    plain((len(lines) + 1, 0))
    return f'<pre style="line-height: 1.4; background: none">{"".join(parts)}</pre>'
