"""Writes docs/coverage.md from coverage.toml and the chapters of the course: python docs/coverage.py.

With --check nothing is written; 1 if the page is out of date. `make check` runs that, and a test.
"""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))

from chapters import Cell, Chapter, chapters

PAGE = Path(__file__).parent / "coverage.md"
TABLES = Path(__file__).parent / "coverage.toml"
TITLES = {
    1: "What a gradient is",
    2: "Contour maps",
    3: "One neuron",
    4: "Fitting a line",
    5: "The chain rule",
    6: "Backpropagation by hand",
    7: "Probability and losses",
    8: "Overfitting and regularisation",
    9: "Optimisers and landscapes",
    10: "Activations and networks",
    11: "Data and search",
}


@dataclass(frozen=True)
class Row:
    """A computation, figure or claim of an article; the number that it states; the chapter that has it or will have it."""

    number: int
    article: int
    what: str
    chapter: int
    states: str = ""
    picture: bool = False


@dataclass(frozen=True)
class Claim:
    """A claim of an article that is wrong or needs a condition, what holds, and the chapter that says so or will."""

    key: str
    article: int
    says: str
    holds: str
    chapter: int


def rows() -> list[Row]:
    """All rows of coverage.toml."""
    return [Row(**row) for row in tables()["rows"]]


def claims() -> list[Claim]:
    """All claims of coverage.toml."""
    return [Claim(**claim) for claim in tables()["claims"]]


def page() -> str:
    """The page: counts, a row for each computation, figure and claim, and the claims that do not hold."""
    written = chapters()
    cells = [(chapter, cell) for chapter in written for cell in chapter.cells]
    done: dict[int, list[tuple[Chapter, Cell]]] = {}
    for chapter, cell in cells:
        for number in cell.rows:
            done.setdefault(number, []).append((chapter, cell))
    corrected = {cell.claim: [(chapter, cell)] for chapter, cell in cells if cell.claim}
    every, wrong = rows(), claims()
    asserted = sum(any(cell.asserts for _, cell in places) for places in done.values())
    drawn = sum(row.picture for row in every if row.number in done)
    by_chapter = Counter(places[0][0].number for places in done.values())
    to_come = Counter(row.chapter for row in every if row.number not in done)
    lines = [
        "# What the articles describe, row by row",
        "",
        "The course grew from five articles about gradients, descent, losses, regularisation, optimisers and backpropagation.",
        f"They describe {len(every)} computations, figures, experiments and claims. This page says where the course has each,",
        "and by which assertion: the chapters run in the tests, and a false assertion stops them. `docs/coverage.py` wrote it.",
        "",
        f"**{len(done)} of {len(every)} rows are done**, {asserted} with an assertion, {drawn} with their picture; "
        f"{len(every) - len(done)} are still to come. {len(corrected)} of {len(wrong)} claims that do not hold are corrected.",
        "",
        "| chapter | rows done | still to come |",
        "| --- | --- | --- |",
        *[f"| {_link(written, number)} | {by_chapter[number]} | {to_come[number]} |" for number in TITLES],
        "",
        "## Computations, figures and claims",
        "",
        "| row | article | what | the article states | where | shown by |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in every:
        where, by = _where(written, done.get(row.number, []), row.chapter, row.picture)
        lines.append(f"| {row.number} | {row.article} | {_cell(row.what)} | {_cell(row.states)} | {where} | {by} |")
    lines += [
        "",
        "## Claims that do not hold, or need a condition",
        "",
        "| article | the article says | what holds | where | shown by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for claim in wrong:
        where, by = _where(written, corrected.get(claim.key, []), claim.chapter, False)
        lines.append(f"| {claim.article} | {_cell(claim.says)} | {_cell(claim.holds)} | {where} | {by} |")
    return "\n".join(lines) + "\n"


def _where(written: list[Chapter], places: list[tuple[Chapter, Cell]], chapter: int, picture: bool) -> tuple[str, str]:
    """Links to the cells that show something, and what shows it."""
    if not places:
        return f"to come: {_link(written, chapter)}", ""
    links = dict.fromkeys(f"{_link(written, chapter.number)}: {cell.title}" for chapter, cell in places)
    found = dict.fromkeys(f"`{_cell(each)}`" for _, cell in places for each in cell.asserts)
    drawn = ["picture"] if picture or not found else []
    return "<br>".join(links), "<br>".join([*found, *drawn])


def _link(written: list[Chapter], number: int) -> str:
    """A chapter by its title; with a link, if it is written."""
    name = f"{number}. {TITLES[number]}"
    files = [chapter.path.name for chapter in written if chapter.number == number]
    return f"[{name}](../examples/course/{files[0]})" if files else name


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def tables() -> dict[str, list[dict[str, Any]]]:
    """coverage.toml: "rows" and "claims"."""
    return tomllib.loads(TABLES.read_text(encoding="utf-8"))


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is out of date and return 1."""
    if arguments not in ([], ["--check"]):
        print(f"docs/coverage.py: got {' '.join(arguments)}, expected nothing or --check", file=sys.stderr)
        return 2
    text = page()
    if not arguments:
        PAGE.write_text(text, encoding="utf-8")
        print("wrote docs/coverage.md", file=sys.stderr)
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/coverage.md is out of date; run python docs/coverage.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
