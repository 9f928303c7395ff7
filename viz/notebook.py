"""Notebook: what IPython shows of a Value or a Module that ends a cell. Where IPython does not run, nothing is done."""

from __future__ import annotations

import sys
from html import escape
from typing import Any

from tinygrad_edu import TinygradError, Value

from .drawings.expression import drawing_of
from .pages.frame import fitted, image
from .text import plain
from .writing.render import svg

MOST_NODES = 50  # of a Value's graph; a larger one is drawn when asked for


def register() -> None:
    """Have IPython show Values as small graphs and Modules as tables, if it is running."""
    shell = _shell()
    if shell is not None:
        formatters = shell.display_formatter.formatters
        formatters["image/svg+xml"].for_type(Value, value_svg)
        formatters["text/html"].for_type(Value, value_html)
        formatters["text/html"].for_type_by_name("nn.module", "Module", module_html)


def show(picture: Any) -> None:
    """Display a picture below the cell, if IPython is running."""
    if _shell() is not None:
        sys.modules["IPython"].display.display(picture)


def runs() -> bool:
    """Whether the code runs in a notebook, which shows pictures; IPython in a terminal does not."""
    return hasattr(_shell(), "kernel")


class Cell:
    """A place below the cell that runs, for one picture after another."""

    def __init__(self) -> None:
        self._place: Any = None

    def show(self, png: bytes) -> None:
        """Put a PNG file in the place of the one before."""
        display = sys.modules["IPython"].display
        picture = display.Image(data=png, format="png")
        if self._place is None:
            self._place = display.display(picture, display_id=True)
        else:
            self._place.update(picture)


def _shell() -> Any:
    """The running IPython, or None."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def value_svg(value: Value) -> str | None:
    """The graph of a Value; None, for its repr, if nothing was recorded, the graph is large, or no Graphviz works."""
    if not value.inputs or _size(value) > MOST_NODES:
        return None
    try:
        return fitted(svg(drawing_of(value)))
    except TinygradError:
        return None


def value_html(value: Value) -> str | None:
    """`value_svg` as an image. Jupyter prefers it to the SVG, which it does not show in a notebook that is not trusted."""
    picture = value_svg(value)
    return None if picture is None else image(picture, f"The graph of {plain(value.name) if value.name else 'a Value'}")


def _size(value: Value) -> int:
    """How many Values and constants there are up to `value`, counted no further than one over the limit."""
    seen, waiting, constants = {id(value)}, [value], 0
    while waiting and len(seen) + constants <= MOST_NODES:
        for x in waiting.pop().inputs:
            if not isinstance(x, Value):
                constants += 1
            elif id(x) not in seen:
                seen.add(id(x))
                waiting.append(x)
    return len(seen) + constants


def module_html(model: Any) -> str:
    """A table of all modules inside, indented as they are nested, with the shapes of their parameters."""
    summary = model.summary()
    shapes: dict[str, list[str]] = {}
    for path, value in model.named_parameters():
        owner, _, name = path.rpartition(".")
        shapes.setdefault(owner, []).append(f"{name} {value.shape}")
    rows = []
    for row in summary.rows:
        indent = 1.2 * row.depth
        cells = [plain(", ".join(shapes.get(row.path, [])), 120), f"{row.parameters:,}" if row.parameters else ""]
        name = f"{plain(row.path)}: " if row.path else ""
        head = f'<th scope="row" style="text-align:left; padding-left:{indent:.1f}em">{escape(name + plain(row.layer, 120))}</th>'
        rows.append(
            f"<tr>{head}"
            + "".join(
                f'<td style="text-align:{side}">{escape(cell)}</td>'
                for side, cell in zip(("left", "right"), cells, strict=True)
            )
            + "</tr>"
        )
    frozen = summary.parameters - summary.trainable
    caption = f"{type(model).__name__}: {summary.parameters:,} parameters" + (
        f", {frozen:,} of them frozen" if frozen else ""
    )
    heads = "".join(
        f'<th scope="col" style="text-align:{side}">{head}</th>'
        for side, head in (("left", "module"), ("left", "shapes"), ("right", "parameters"))
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
