"""The output of commands: text that every terminal can show, and errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn, TextIO

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def say(text: str) -> None:
    """Print a line."""
    typer.echo(in_encoding(on_one_line(text), sys.stdout))


def show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: names first, then numbers."""
    table = Table(box=box.SIMPLE_HEAD, header_style="")
    for i, name in enumerate(header):
        table.add_column(_cell(name), justify="right" if i else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    Console().print(table)


def _cell(text: str) -> Text:
    return Text(in_encoding(on_one_line(text), sys.stdout))


def on_one_line(text: str) -> str:
    """The text on one line, with "?" in place of control characters and surrogates, which terminals cannot show."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def in_encoding(text: str, stream: TextIO) -> str:
    """The text without characters that the stream cannot show."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("±", "+-").encode(encoding, "replace").decode(encoding)
    return text


def fail(message: str, code: int) -> NoReturn:
    """Print an error, and end with an exit code."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
