"""Picture: a Drawing that can be looked at, as text, in a notebook or in a file. This is what `graph` returns."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygrad_edu import Value

from . import render
from .dot import dot
from .drawing import Drawing
from .errors import RenderError
from .expression import drawing_of
from .files import target, write

_DPI = 144  # one and a half times a screen's, for slides
_MOST_DPI = 600  # for print; a wide graph is some 20,000 dots then


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """A drawing and the ways to look at it. In a notebook it shows itself.

    Args:
        drawing: the nodes, edges and words of it.
    """

    drawing: Drawing

    def dot(self) -> str:
        """The picture in Graphviz's DOT language. The same expression gives the same text."""
        return dot(self.drawing)

    def svg(self) -> str:
        """The picture as an SVG element, to stand in a web page or a file.

        Raises RenderError if no Graphviz works.
        """
        return render.svg(self.drawing)

    def png(self, path: str | os.PathLike[str], dpi: int = _DPI) -> Path:
        """Write the picture to a PNG file, and return its path.

        Letters that the fonts at hand lack come out as boxes; graphviz-pure brings Latin, Greek, Cyrillic, Hebrew. An SVG
        is shown with the reader's fonts.

        Args:
            path: ends in .png; a file that exists is replaced.
            dpi: dots per inch, from 1 to 600; text is 14 points high, so the default gives 28 dots.

        Raises:
            RenderError: if no Graphviz works, the file is no .png, or dpi is out of range.
            FileNotFoundError: if the folder does not exist.
        """
        file = target("png", path, (".png",))
        if not isinstance(dpi, int) or not 1 <= dpi <= _MOST_DPI:
            raise RenderError(f"png: got dpi={dpi!r}, expected a whole number from 1 to {_MOST_DPI}")
        return write("png", file, render.png(self.drawing, dpi))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file of the type that its name ends in: .dot, .svg or .png. Returns its path.

        Raises:
            RenderError: for other types, or if no Graphviz works.
            FileNotFoundError: if the folder does not exist.
        """
        file = target("save", path, (".dot", ".svg", ".png"))
        match file.suffix.lower():
            case ".png":
                return self.png(file)
            case ".svg":
                return write("save", file, self.svg().encode())
            case _:
                return write("save", file, self.dot().encode())

    def __repr__(self) -> str:
        return f"<Picture of {len(self.drawing.nodes)} nodes>"

    def _repr_svg_(self) -> str:
        return self.svg()


def graph(value: Value, names: Mapping[str, Any] | None = None, title: str | None = None) -> Picture:
    """Draw the expression that a Value was computed by: operations with their results, leaves, constants; values and gradients.

    Call it after backward() to see the gradients: a Value without one says "no gradient yet". Arrows run from inputs to
    results; where operands may not change places, they say which is which. See `Kind` for what is told apart.

    Args:
        value: the result to draw, of any shape.
        names: what Values and arrays are called, such as locals(); the name that a Value carries itself comes first.
        title: stands above the picture.

    Raises:
        DTypeError: if `value` is not a Value, `names` not a mapping or `title` not text.
    """
    return Picture(drawing_of(value, names, title))
