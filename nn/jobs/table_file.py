"""CSV files: a header of names, and rows of cells. Errors name the line and the column."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from math import isfinite
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError

from ..checks import shown
from ..files import read

SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Sheet:
    """A CSV file.

    Attributes:
        title: its name in messages.
        header: the names of the columns.
        rows: the stripped cells, one for each name.
        lines: the line of each row in the file, from 1.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]

    def place(self, row: int, column: str) -> str:
        """The place of a cell, in words."""
        return f"{self.title}: line {self.lines[row]}, column {shown(column)}"

    def cells(self, column: str) -> list[str]:
        """The cells of a column. Raises TinygradError if there is no such column, or one is empty."""
        if column not in self.header:
            raise TinygradError(f"{self.title}: got no column {shown(column)}, expected one of {quoted(self.header)}")
        at = self.header.index(column)
        cells = [row[at] for row in self.rows]
        if "" in cells:
            remedy = "fill it, or leave out the row, or the column (--ignore)"
            raise TinygradError(f"{self.place(cells.index(''), column)} is empty; {remedy}")
        return cells

    def numbers(self, columns: Sequence[str]) -> NDArray[np.float64]:
        """Columns of numbers: (rows, columns). Raises TinygradError as `cells`, and for a cell that is not a finite number."""
        array = np.empty((len(self.rows), len(columns)))
        for j, column in enumerate(columns):
            for i, cell in enumerate(self.cells(column)):
                number = number_in(cell)
                if number is None or not isfinite(number):
                    expected = "a finite number" if number is not None else "a number"
                    raise TinygradError(f"{self.place(i, column)}: got {shown(cell)}, expected {expected}")
                array[i, j] = number
        return array


def number_in(cell: str) -> float | None:
    """The number in a cell, or None."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def read_sheet(path: str | PathLike[str]) -> Sheet:
    """A CSV file in UTF-8, separated by commas, semicolons or tabs, whichever occurs most in its first line.

    Raises:
        FileNotFoundError, IsADirectoryError, FileExistsError: if there is no such file.
        TinygradError: if it has no header, no rows, rows of different lengths, or is not text in UTF-8.
    """
    title = repr(str(path))
    content = read("data", path)
    try:
        text, strange = content.decode("utf-8-sig"), content.find(b"\0")
    except UnicodeDecodeError as error:
        text, strange = "", error.start
    if strange >= 0:
        line = content[:strange].count(b"\n") + 1
        raise TinygradError(f"{title}: line {line} is not text in UTF-8; expected a CSV file in UTF-8")
    first = text.lstrip("\n\r").partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=max(SEPARATORS, key=first.count), strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            if any(map(str.strip, row)):
                rows.append([" ".join(cell.split()) for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise TinygradError(f"{title}: line {reader.line_num}: {error}; expected a CSV file") from None
    if not rows:
        raise TinygradError(f"{title} is empty; expected a header with the names of the columns, and rows")
    _check_header(title, rows[0])
    if len(rows) == 1:
        raise TinygradError(f"{title} has a header and no rows; expected examples, one a row")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            raise TinygradError(
                f"{title}: line {line} has {len(row)} cells, expected {len(rows[0])}, as the header has"
            )
    return Sheet(title, rows[0], rows[1:], lines[1:])


def _check_header(title: str, header: Sequence[str]) -> None:
    """Raises TinygradError for names that are missing or occur twice, and for numbers in place of names (2019 may be one)."""
    numbers = [number_in(name) for name in header]
    if None not in numbers or any(number is not None and not number.is_integer() for number in numbers):
        raise TinygradError(
            f"{title}: the first line has numbers, {quoted(header)}; expected the names of the columns, so add a line"
        )
    if "" in header:
        raise TinygradError(f"{title}: column {header.index('') + 1} has no name; expected a name for each column")
    if twice := [name for name in header if header.count(name) > 1]:
        raise TinygradError(f"{title}: two columns have the name {shown(twice[0])}; expected different names")


def quoted(names: Sequence[str]) -> str:
    """Names in a message, the first few."""
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join([shown(name) for name in names[:6]]) + more
