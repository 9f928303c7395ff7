"""Picture: a Drawing that can be looked at, as text, in a notebook or in a file. This is what `graph` returns."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tinygrad_edu import DTypeError, Value

from .arguments import check_subject, refusing
from .document import Illustrated
from .drawing import Drawing, RenderError, Sizes
from .drawings.backward import drawing_of_backward
from .drawings.expression import drawings_of
from .exploring import html
from .text import many, plain
from .theme import Theme
from .words import turned
from .writing import render
from .writing.dot import dot
from .writing.files import target, write
from .writing.finish import PLAIN, Finish, check
from .writing.mermaid import mermaid

_DPI = 144  # one and a half times a screen's, for slides
_MOST_DPI = 600  # for print; a wide graph is some 20,000 dots then
_MOST_DRAWN = 2_000  # nodes; a browser takes seconds for more
_MOST_IN_PNG = 500  # nodes; more would need more dots than a picture may have
_LIMITS = (_MOST_DRAWN, _MOST_IN_PNG)


@dataclass(frozen=True, slots=True, repr=False)
class Picture(Illustrated):
    """A drawing, as text and in files. `save(path)` writes a file of the type that its name ends in.

    At the end of a notebook's cell it shows the page of `html()` in a frame. A notebook that is not trusted (one from somebody
    else) and viewers that remove frames show the SVG. The cell's output has both: text/html, which notebooks, nbconvert and
    nbviewer prefer, with the page and the SVG inside, and image/svg+xml for programs without HTML.

    Args:
        drawing: the nodes, edges and words of it.
        smaller, opened: for PNG files and for web pages; see `Sizes`.
        finish: its theme, shape and legend.
    """

    drawing: Drawing
    smaller: Drawing | None = None
    opened: Drawing | None = None
    finish: Finish = PLAIN
    _beside: ClassVar[int] = 190

    def dot(self) -> str:
        """The picture in Graphviz's DOT language. The same expression gives the same text."""
        return dot(self.finish.shown(self.drawing), theme=self.finish.theme)

    def mermaid(self) -> str:
        """The picture as a Mermaid flowchart, for Markdown. The same expression gives the same text."""
        return mermaid(self.finish.shown(self.drawing))

    def svg(self) -> str:
        """The picture as an SVG element, for a web page or a file.

        Without a theme it turns dark where the reader's system is.

        Raises RenderError if no Graphviz works.
        """
        return render.svg(self.drawing, finish=self.finish)

    @refusing()
    def png(self, *, scale: float = 1.0, dpi: int = _DPI) -> bytes:
        """The picture as the content of a PNG file.

        Letters that graphviz-pure's font lacks are spelled out as in Python, with a warning; it has Latin, Greek, Cyrillic,
        Hebrew. Graphviz itself uses the fonts of the system. An SVG is shown with the reader's fonts.

        Args:
            scale: 2 for a picture twice as wide and high.
            dpi: dots per inch; text is 14 points high, so the default gives 28 dots.

        Raises RenderError if no Graphviz works, or dpi times scale is not from 1 to 600.
        """
        if not isinstance(dpi, int) or not 1 <= dpi <= _MOST_DPI:
            raise RenderError(f"png: got dpi={dpi!r}, expected a whole number from 1 to {_MOST_DPI}")
        if not isinstance(scale, (int, float)) or not 1 <= dpi * scale <= _MOST_DPI:
            most = _MOST_DPI / dpi
            raise RenderError(
                f"png: got scale={scale!r}, expected a number from {1 / dpi:.3g} to {most:.3g} at {dpi} dpi"
            )
        return render.png(self.smaller or self.drawing, round(dpi * scale), self.finish)

    @refusing()
    def html(self) -> str:
        """The picture as a web page that is complete in itself: pan, zoom, search, groups that open and close.

        Raises RenderError if no Graphviz works.
        """
        return html(self.opened or self.drawing, self.finish)

    @refusing()
    def save(self, path: str | os.PathLike[str], *, scale: float = 1.0, dpi: int = _DPI) -> Path:
        """Write the picture to a file of the type that its name ends in, and return its path; a file that exists is replaced.

        Types are .dot, .svg, .png, .mmd (Mermaid), .html, and .pdf where Graphviz itself is installed.

        Args:
            path: the file.
            scale, dpi: of a .png, as for `png`.

        Raises:
            RenderError: for other types, or if no Graphviz works.
            FileNotFoundError: if the folder does not exist.
        """
        if (scale, dpi) == (1.0, _DPI):
            return Illustrated.save(self, path)
        file = target("save", path, (".png",), " with scale= or dpi=; other files have no dots")
        return write("save", file, self.png(scale=scale, dpi=dpi))

    def _writers(self) -> dict[str, Callable[[], str | bytes]]:
        return {
            ".dot": self.dot,
            ".svg": self.svg,
            ".png": self.png,
            ".mmd": self.mermaid,
            ".html": self.html,
            ".pdf": lambda: render.pdf(self.drawing, self.finish),
        }

    def __repr__(self) -> str:
        return f"<Picture of {many(len(self.drawing.nodes), 'node')}>"

    def _title(self) -> str:
        return plain(self.drawing.title or "Computation graph", 200)


@refusing(inputs="the inputs stand after the model: graph(model, x)")
def graph(
    what: Any,
    *inputs: Any,
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
    detail: str = "auto",
    derivatives: bool = False,
    magnitudes: bool = False,
    loss: Callable[[Any], Any] | None = None,
    flow: str | None = None,
    row: int | None = None,
    symbols: bool = False,
    ratio: float | None = None,
    theme: Theme | None = None,
    legend: bool = False,
) -> Picture:
    """Draw the expression that a Value was computed by, or what a model computes from inputs.

    Of an expression: operations with their results, leaves, constants; values and gradients. Call it after backward() to see
    the gradients: a Value without one says "no gradient yet". Arrows run from inputs to results; where operands may not
    change places, they say which is which. What has NaN or infinity in it is red. See `Kind` for what is told apart.

    A picture has at most 2,000 nodes, in PNG files 500: what is alike is drawn once, and more is folded in a larger graph.
    The picture says what was. It takes some seconds for a million nodes.

    Args:
        what: the result to draw, of any shape; or a Module, which is run once.
        inputs: of a Module, what to call it with.
        names: what Values and arrays are called, such as locals(); the name that a Value carries itself comes first.
        title: stands above the picture.
        detail: for a Value "scalar" (each operation and number has a node), "tensor" (numbers stand inside operations) or
            "auto" (as "scalar" if that fits on a page, else folded until it does), or "backward" (the chain rule beside it).
            "scalar" takes arrays apart into their entries, up to 500 numbers; "auto" leaves them whole.
            For a Module also "layer" and "neurons"; see `viz.drawings.layers`.
        derivatives: whether arrows to operations on scalars tell the local derivative.
        magnitudes: whether the size of the gradients is shown by colour and thickness.
        loss: of a Module, a function of what it returns, drawn after it: lambda y: cross_entropy(y, labels). None leaves it out.
        flow: where arrows lead, "right" or "down"; None for right in expressions and down in models.
        row: of detail="neurons", the example of the batch whose values are shown; None for the first.
        symbols: of detail="neurons", whether units, weights and biases are called a²₁, w²₁₃ (to unit 1 of layer 2, from unit 3
            of layer 1) and b²₁, as in formulas; weights and biases in place of their numbers.
        ratio: width over height, such as 16 / 9 for a slide: a long drawing is cut into rows (columns, where arrows lead down)
            that come close to it, in SVG, PNG and PDF; one within a quarter of it, and one of up to
            8 nodes, stays whole. Without flow= the arrows lead where that comes closer.
        theme: "light", "dark", or "transparent" (no ground; readable on white and on dark). None for light, and in SVG and
            web pages what the reader's system is.
        legend: whether a legend explains the boxes and arrows that occur.

    Raises:
        DTypeError: if an argument is of another type, or one that this detail cannot show.
        GraphError: if detail="scalar" would need more than 500 numbers.
    """
    if flow not in (None, "right", "down"):
        raise DTypeError(f"graph: got flow={flow!r}, expected 'right' or 'down'")
    if row is not None and detail != "neurons":
        raise DTypeError(f"graph: got row={row!r} with detail={detail!r}, which draws all rows; use detail='neurons'")
    if symbols and detail != "neurons":
        raise DTypeError(f"graph: got symbols=True with detail={detail!r}, which has no units; use detail='neurons'")
    finish = Finish(theme, ratio, flow is None and detail != "backward", legend)
    check_subject("graph", what, inputs, loss)
    if not isinstance(what, Value):
        from .drawings.layers import drawings_of_model

        sizes = drawings_of_model(
            what,
            inputs,
            names,
            title,
            detail,
            derivatives,
            magnitudes,
            loss,
            row,
            symbols,
            limits=_LIMITS,
            picture=lambda sizes: _picture(sizes, flow, finish),
        )
        return _picture(sizes, flow, finish)
    if detail == "backward":
        backward = drawing_of_backward(what, names, title, derivatives, magnitudes)
        return _picture(Sizes(backward), flow, finish)
    return _picture(drawings_of(what, names, title, detail, derivatives, magnitudes, limits=_LIMITS), flow, finish)


def _picture(sizes: Sizes, flow: str | None, finish: Finish) -> Picture:
    check("graph", finish, sizes.drawing)
    if flow is not None:
        sizes = Sizes(turned(sizes.drawing, flow), *(each and turned(each, flow) for each in sizes[1:]))
    return Picture(*sizes, finish=finish)
