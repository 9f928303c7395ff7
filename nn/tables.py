"""Tables of text: drawn by rich, as plain text, and as HTML for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; str() is plain text.

    Attributes:
        header: names of the columns.
        rows: a text for each column.
        footer: a last row, below a line; empty for none.
        caption: a line below the table.
        numeric: indices of the right-aligned columns.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    footer: Sequence[str] = ()
    caption: str = ""
    numeric: Sequence[int] = ()

    def __rich__(self) -> Any:
        from rich.table import Column
        from rich.table import Table as Drawn
        from rich.text import Text

        footer = self.footer or [""] * len(self.header)
        columns = [
            Column(Text(name), Text(last), justify="right" if i in self.numeric else "left")
            for i, (name, last) in enumerate(zip(self.header, footer, strict=True))
        ]
        table = Drawn(*columns, show_footer=bool(self.footer), caption=self.caption or None)
        for row in self.rows:
            table.add_row(*[Text(cell) for cell in row])
        return table

    def __str__(self) -> str:
        from rich.console import Console

        text = StringIO()
        Console(file=text, width=120, color_system=None).print(self.__rich__())
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    def _repr_html_(self) -> str:
        """An HTML table, in the style of the notebook."""
        parts = [f"<thead>{self._row('th', self.header)}</thead>"]
        parts += [f"<tbody>{''.join([self._row('td', row) for row in self.rows])}</tbody>"]
        parts += [f"<tfoot>{self._row('th', self.footer)}</tfoot>"] if self.footer else []
        caption = f'<caption style="caption-side: bottom">{escape(self.caption)}</caption>' if self.caption else ""
        return f"<table>{caption}{''.join(parts)}</table>"

    def _row(self, tag: str, cells: Sequence[str]) -> str:
        aligned = ["right" if i in self.numeric else "left" for i in range(len(cells))]
        return (
            "<tr>"
            + "".join(
                [
                    f'<{tag} style="text-align: {side}; white-space: pre">{escape(cell)}</{tag}>'
                    for side, cell in zip(aligned, cells, strict=True)
                ]
            )
            + "</tr>"
        )
