"""`python docs/pictures.py FOLDER`: a page of all pictures of docs/plotting.md, each with its row and the call that draws it."""

from __future__ import annotations

import os
import re
import sys
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import viz
from viz.writing.files import write

PAGE = Path(__file__).resolve().parent / "plotting.md"
STYLE = """
:root { color-scheme: light }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1rem/1.5 Helvetica, Arial, sans-serif; color: #1a1a1a }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .5rem } img { max-width: 100%; height: auto; display: block }
pre { overflow-x: auto; padding: .7rem; background: #f4f4f4; border-radius: .3rem; font-size: .85rem }
"""


class Row(NamedTuple):
    """A row of the table: its number, what the picture shows, and the code that draws it."""

    number: str
    title: str
    code: str


def setup() -> str:
    """The code before the table."""
    return "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))


def rows() -> list[Row]:
    """The rows of the table."""
    found = re.findall(r"^\| ([\d, ]+) \| (.*?) \| (`.*`) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [Row(number, title, "\n".join(re.findall("`([^`]*)`", code))) for number, title, code in found]


def drawn(row: Row, names: dict[str, Any], stem: str) -> list[str]:
    """Draw a row in the working folder; returns the names of the files, made after `stem`: PNG, SVG and HTML."""
    from matplotlib import pyplot as plt

    plt.close("all")
    before, own = set(os.listdir()), dict(names)
    exec(compile(row.code, row.title, "exec"), own)
    files = sorted(set(os.listdir()) - before)
    for number in plt.get_fignums():
        files.append(f"{stem}_{number}.png")
        plt.figure(number).savefig(files[-1], metadata={"Software": None}, dpi=100)
    for name, value in own.items():
        if isinstance(value, viz.Picture) and value is not names.get(name):
            files.append(f"{stem}_{name}.svg")
            value.save(files[-1])
    plt.close("all")
    return files


def main(folder: Path) -> None:
    """Draw all rows, and the page of them."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(setup(), str(PAGE), "exec"), names)
    sections = []
    for k, row in enumerate(rows()):
        shown = [
            f'<p><a href="{file}">{file}</a>: a page</p>'
            if file.endswith(".html")
            else f'<img src="{file}" alt="{escape(row.title)}">'
            for file in drawn(row, names, f"row{k}")
        ]
        title = f"<h2>{row.number}: {escape(row.title)}</h2>"
        sections.append("\n".join([title, f"<pre>{escape(row.code)}</pre>", *shown]))
    head = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f"\n<title>Pictures of the articles</title>\n<style>{STYLE}</style>"
    body = "\n".join(
        [
            "<body>",
            "<h1>Pictures of the articles</h1>",
            f"<pre>{escape(setup())}</pre>",
            *sections,
            "</body>\n</html>\n",
        ]
    )
    document = f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n{body}'
    write("pictures", Path("index.html"), document.encode())
    print(f"wrote {folder / 'index.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
