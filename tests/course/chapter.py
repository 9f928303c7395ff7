"""Runs a chapter of the course cell by cell in one namespace, as a notebook does, with cells or text replaced."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import linecache
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tinygrad_edu import registry

ROOT = Path(__file__).parent.parent.parent
sys.path += [str(ROOT / "docs"), str(ROOT / "examples" / "course")]  # chapters.py; exercises.py

from chapters import Cell, Chapter, chapters, read, read_cells  # noqa: E402, F401

TESTED = {chapter.number: chapter for chapter in chapters()}


@dataclass
class Run:
    """A chapter that ran.

    Attributes:
        namespace: the names that its cells bound.
        values: of the last expressions of cells, by their position; None for others.
        printed: by all cells.
    """

    namespace: dict[str, Any]
    values: dict[int, Any] = field(default_factory=dict)
    printed: str = ""


class CellError(Exception):
    """An error in a cell; the cause is the error itself."""

    def __init__(self, cell: Cell) -> None:
        super().__init__(f"cell {cell.title!r}")
        self.cell = cell


def run(chapter: Chapter, replaced: dict[str, str] | None = None, after: Run | None = None, start: str = "") -> Run:
    """Run the cells of a chapter.

    Args:
        chapter: which.
        replaced: sources by title of cell, instead of those of the file.
        after: a run whose names the cells see, in a copy.
        start: the title of the first cell to run; those before it have run.
    """
    ran = Run(dict(after.namespace) if after else {"__name__": "__main__", "__file__": str(chapter.path)})
    titles = [cell.title for cell in chapter.cells]
    first = titles.index(start) if start else 0
    unknown = set(replaced or {}) - set(titles)
    assert not unknown, f"{chapter.path.name} has no cell {', '.join(map(repr, unknown))}"
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        for i, cell in enumerate(chapter.cells):
            if i >= first and not cell.markdown:
                source = (replaced or {}).get(cell.title, cell.source)
                name = str(chapter.path) if source == cell.source else f"<{chapter.path.name}, {cell.title}, replaced>"
                try:
                    ran.values[i] = execute(source, name, cell.line, ran.namespace)
                except Exception as error:
                    raise CellError(cell) from error
    ran.printed = output.getvalue()
    return ran


def execute(source: str, name: str, line: int, namespace: dict[str, Any]) -> Any:
    """Run a cell; the value of its last expression, or None."""
    if name.startswith("<"):  # so that inspect finds its functions
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        line = 1
    tree = ast.parse(source)
    ast.increment_lineno(tree, line - 1)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    return eval(compile(ast.Expression(last.value), name, "eval"), namespace) if last else None


def with_text(chapter: Chapter, old: str, new: str) -> Chapter:
    """A chapter with a piece of code replaced, wherever it occurs."""
    cells = [cell if cell.markdown else replace(cell, source=cell.source.replace(old, new)) for cell in chapter.cells]
    assert tuple(cells) != chapter.cells, f"{chapter.path.name} has no {old!r}"
    return replace(chapter, cells=tuple(cells))


@contextlib.contextmanager
def wrong_rule(name: str, rule: Callable[..., Any], argument: int = 0) -> Iterator[None]:
    """Another gradient rule of an op, for a while: a function of (g, y, *arrays)."""
    op = registry[name].op
    right = op.rules
    wrong = [
        given and given._replace(apply=rule, says=None) if i == argument else given for i, given in enumerate(right)
    ]
    object.__setattr__(op, "rules", tuple(wrong))
    try:
        yield
    finally:
        object.__setattr__(op, "rules", right)


def load(path: Path) -> Any:
    """A file as a module, whatever its name is elsewhere."""
    spec = importlib.util.spec_from_file_location(f"course_{path.stem}", path)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entries(number: int) -> Any:
    """tests/course/chapter_NN.py, with SOLUTIONS, WRONG and PLANTED."""
    return load(Path(__file__).parent / f"chapter_{number:02}.py")


def is_picture(value: Any) -> bool:
    """Whether a notebook shows a value as a picture: matplotlib's, one of viz, or a table."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    import viz
    from nn.tables import Table

    return isinstance(value, (Axes, Figure, Table, viz.Picture, viz.Walkthrough, viz.Animation))
