"""The chapters of the course beside PyTorch and matplotlib: lines of code, and whether the numbers agree.

NN_torch.py does what a chapter's cells of the same titles do. Its last cell, "Compared", has `agree`: names of numbers that
both compute. Lines are counted without comments, empty lines, assertions and prints, and only of cells that both files have.

    python -m benchmarks.course [NUMBER ...]
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path += [str(ROOT / "docs"), str(ROOT / "examples" / "course")]  # chapters.py; exercises.py

from chapters import chapters, read_cells

TOLERANCE = 1e-5  # PyTorch's default is float32


def plain(x: Any) -> np.ndarray:
    """A number, array, Value or tensor as an array."""
    x = x.detach() if hasattr(x, "detach") else x
    return np.asarray(getattr(x, "data", x) if type(x).__name__ == "Value" else x, float)


def names_of(path: Path) -> dict[str, Any]:
    """The names that a script binds, run in silence and without windows."""
    with redirect_stdout(StringIO()):
        names = runpy.run_path(str(path))
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
    return names


def main(arguments: list[str]) -> int:
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed")
        return 0
    os.environ["MPLBACKEND"] = "Agg"
    status = 0
    for chapter in chapters():
        path = HERE / f"{chapter.number:02}_torch.py"
        if (arguments and str(chapter.number) not in arguments) or not path.exists():
            continue
        theirs = [cell for cell in read_cells(path.read_text(encoding="utf-8")) if cell.title != "Compared"]
        cells = {cell.title: cell for cell in chapter.cells}
        counts = [(cell.title, len(cells[cell.title].lines), len(cell.lines)) for cell in theirs]
        print(f"\n{chapter.title}\n\n| cell | lines here | PyTorch + matplotlib |\n| --- | --- | --- |")
        for title, ours, other in [*counts, ("**all**", sum(c[1] for c in counts), sum(c[2] for c in counts))]:
            print(f"| {title} | {ours} | {other} |")
        found, other_found = names_of(chapter.path), names_of(path)
        agree = other_found["agree"]
        assert agree, f"{path.name}: agree names no numbers"
        for name in agree:
            one, other = plain(found[name]), plain(other_found[name])
            same = one.shape == other.shape and np.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE)
            if not same:
                status = 1
                print(f"{name}: {one} here, {other} there")
        print(f"\n{len(agree)} names compared" + (", some differ" if status else ", the numbers agree"))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
