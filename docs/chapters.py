"""The chapters of the course as data: cells of jupytext's percent format, with their rows of coverage.toml, claims and pictures.

# %% A title rows="7 9" claim="the key of a claim"
# alt: what the picture of this cell shows
code
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

COURSE = Path(__file__).parent.parent / "examples" / "course"
START = re.compile(r"# %%(?P<markdown> \[markdown\])?(?P<title>.*?)(?P<options>( \w+=\"[^\"]*\")*)$")


@dataclass(frozen=True)
class Cell:
    """A cell of a chapter.

    Attributes:
        title: as in its first line.
        markdown: whether it is text, which is then without the marks of comments.
        source: its text or code.
        line: the number of its first line in the file, counted from 1, that of the title not included.
        rows: of coverage.toml, that it does.
        claim: of coverage.toml, that it corrects; "" for none.
    """

    title: str
    markdown: bool
    source: str
    line: int
    rows: tuple[int, ...] = ()
    claim: str = ""

    @property
    def alt(self) -> str:
        """What its picture shows, for readers who do not see it; "" without a picture."""
        found = re.match(r"# alt: (.*(?:\n#   .*)*)", self.source)
        return re.sub(r"\n#\s*", " ", found[1]) if found else ""

    @property
    def asserts(self) -> list[str]:
        """The conditions of its assertions, as written."""
        tree = ast.parse(self.source if not self.markdown else "")
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
        return [re.sub(r"\s+", " ", ast.get_source_segment(self.source, node.test) or "") for node in nodes]

    @property
    def lines(self) -> list[str]:
        """Its lines of code: without comments, empty lines, assertions and prints."""
        statements = ast.parse("" if self.markdown else self.source).body
        left_out: set[int] = set()
        for node in statements:
            called = ast.unparse(node.value.func) if _calls(node) else ""  # type: ignore[attr-defined]
            if isinstance(node, ast.Assert) or called == "print":
                left_out |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        numbered = enumerate("" if self.markdown else self.source.splitlines(), 1)
        return [line for k, line in numbered if k not in left_out and line.strip() and not line.strip().startswith("#")]


@dataclass(frozen=True)
class Chapter:
    """A chapter: its file, its title as in its first cell, and its cells."""

    path: Path
    title: str
    cells: tuple[Cell, ...]

    @property
    def number(self) -> int:
        """As in its file's name."""
        return int(self.path.name[:2])


def read(path: Path) -> Chapter:
    """The chapter in a file. Raises ValueError if the file begins with anything but a cell, or a first cell without a title."""
    cells = read_cells(path.read_text(encoding="utf-8"))
    title = re.match(r"# (.+)", cells[0].source) if cells and cells[0].markdown else None
    if title is None:
        raise ValueError(f"{path.name}: expected a first cell of text that begins with # and the title")
    return Chapter(path, title[1], tuple(cells))


def read_cells(text: str) -> list[Cell]:
    """The cells of a text in percent format."""
    cells: list[Cell] = []
    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("# %%")]
    if starts[:1] != [0]:
        raise ValueError("expected # %% in the first line")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        head = START.match(lines[start])
        assert head
        options = dict(re.findall(r'(\w+)="([^"]*)"', head["options"]))
        if unknown := options.keys() - {"rows", "claim"}:
            raise ValueError(f"line {start + 1}: got {', '.join(unknown)}, expected rows= or claim=")
        body = lines[start + 1 : end]
        if head["markdown"]:
            body = [line.removeprefix("#").removeprefix(" ") for line in body]
        rows = tuple(map(int, options.get("rows", "").split()))
        source = "\n".join(body).rstrip("\n")
        cells.append(
            Cell(head["title"].strip(), bool(head["markdown"]), source, start + 2, rows, options.get("claim", ""))
        )
    return cells


def chapters() -> list[Chapter]:
    """All chapters, in order."""
    return [read(path) for path in sorted(COURSE.glob("[0-9][0-9]_*.py"))]


def _calls(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
