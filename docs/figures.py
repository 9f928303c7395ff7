"""Draws the figures of the pages in docs/start, docs/how-to and docs/explanation anew: python docs/figures.py [page ...].

A page's figures are files that its own code writes: the code runs in an empty folder, and what the page shows is copied
beside it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # this checkout, not an installed copy
FOLDERS = ("start", "how-to", "explanation")


def figures(page: Path) -> list[str]:
    """The names of the pictures that lie beside a page."""
    return re.findall(r"!\[[^\]]*\]\(([^/)]+)\)", page.read_text(encoding="utf-8"))


def draw(page: Path) -> None:
    """Run a page's code, and copy its figures beside it."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            exec(compile(code, page.name, "exec"), {"__name__": "page"})
            for name in figures(page):
                shutil.copy(name, page.parent / name)
        finally:
            os.chdir(before)


def main(names: list[str]) -> None:
    """Draw the figures of the named pages, or of all."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    for page in sorted(path for folder in FOLDERS for path in (HERE / folder).glob("*.md")):
        if figures(page) and (not names or page.stem in names):
            draw(page)


if __name__ == "__main__":
    main(sys.argv[1:])
