"""`python -m benchmarks.beside`: draws docs/beside.png, one expression as this package and five others draw it.

Each drawer gets what it can take: names, gradients, the options that show most. What a drawing shows is looked up in its own
text. A drawer that is not installed says so. Needs Graphviz's dot, and Playwright with Chromium for torchvista's page.

micrograd's own drawing stands in a notebook only; micrograd-viz brings it as a package. That too is imported as micrograd,
so it needs a folder of its own, before the other packages: `make bench` does that.
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from html import unescape
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

import viz
from tinygrad_edu import Value

from .browser import chromium

RESULT = Path(__file__).parent.parent / "docs" / "beside.png"
CODE = "y = (a * b + a) ** 2"
A, B = 3.0, -5.0  # no value is the same number as a gradient then

DPI = 80  # of all that Graphviz draws, so that letters keep their proportions
WIDTH, MARGIN, GAP = 1600, 24, 40  # dots
TITLE, LINE, SPACE = 34, 20, 10  # dots that a title takes, a line, and what is above the lines
LETTER = 7.6  # dots of an average letter of the captions
PAGE = (360, 560)  # dots of the web page

Dots: TypeAlias = NDArray[np.uint8]  # (height, width, 3)
Drawn: TypeAlias = tuple[bytes, str]  # a PNG file, and the texts of the same picture, a line each


def expression(a: Any, b: Any) -> Any:
    """What is drawn; a is used twice."""
    return (a * b + a) ** 2


def ours() -> Drawn:
    a, b = Value(A), Value(B)
    y = expression(a, b)
    y.backward()
    picture = viz.graph(y, names={"a": a, "b": b, "y": y}, derivatives=True)
    return picture.png(dpi=DPI), texts(picture.svg())


def micrograd_viz() -> Drawn:
    from micrograd import Value as Scalar
    from micrograd import draw_dot

    a, b = Scalar(A, label="a"), Scalar(B, label="b")
    y = expression(a, b)
    y.label = "y"
    y.backward()
    graph = draw_dot(y)
    # Its order is that of addresses in memory, another in each run; here labels stand for them.
    labels = dict(re.findall(r'^\t(\d+) \[label="(.*)"', "".join(graph.body), re.MULTILINE))
    graph.body.sort(key=lambda line: re.sub(r"\d{9,}", lambda address: labels[address[0]], line))
    return by_graphviz(graph)


def mygrad() -> Drawn:
    """Before backward(), which clears the graph. A name takes the place of the value, so y has none."""
    from mygrad.computational_graph import build_graph
    from mygrad.tensor_base import tensor

    a, b = tensor(A), tensor(B)
    y = expression(a, b)
    graph = build_graph(y, {"a": a, "b": b}, dtypes=True)  # type: ignore[no-untyped-call, unused-ignore]
    return by_graphviz(graph)


def torchviz() -> Drawn:
    """Without show_saved, which adds nodes for what show_attrs lists, and arrows back to them."""
    from torchviz import make_dot

    a, b = leaves()
    y = expression(a, b)
    y.backward(retain_graph=True)
    return by_graphviz(make_dot(y, {"a": a, "b": b, "y": y}, show_attrs=True))


def torchview() -> Drawn:
    from torchview import draw_graph

    drawn = draw_graph(
        module(), input_data=leaves(), device="cpu", hide_inner_tensors=False, hide_module_functions=False
    )
    return by_graphviz(drawn.visual_graph)


def torchvista() -> Drawn:
    """Its page, opened without a network."""
    from playwright.sync_api import sync_playwright
    from torchvista import trace_model

    width, height = PAGE
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        with redirect_stdout(io.StringIO()):  # of a notebook's display
            trace_model(module(), leaves(), height=height, export_path=path)
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(offline=True, viewport={"width": width, "height": height}).new_page()
        page.goto(path.as_uri())
        page.add_style_tag(content="body { margin: 0 }")
        page.wait_for_selector("svg text")
        drawn = page.screenshot(), texts(page.locator("svg:has(text)").evaluate("svg => svg.outerHTML"))
        browser.close()
    return drawn


def leaves() -> tuple[Any, Any]:
    """a and b for PyTorch."""
    from torch import tensor

    return tensor(A, requires_grad=True), tensor(B, requires_grad=True)


def module() -> Any:
    """The expression as a model of PyTorch."""
    from torch import nn

    class Expression(nn.Module):
        def forward(self, a: Any, b: Any) -> Any:
            return expression(a, b)

    return Expression().eval()


def by_graphviz(graph: Any) -> Drawn:
    """A Digraph in dots and in words."""
    graph.graph_attr["dpi"] = str(DPI)
    return graph.pipe(format="png"), texts(graph.pipe(format="svg", encoding="utf-8"))


def texts(svg: str) -> str:
    """The texts of an SVG picture, a line each."""
    found = re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)
    return "\n".join(unescape(re.sub("<[^>]*>", "", text)).replace("\xa0", " ").strip() for text in found)


class Drawer(NamedTuple):
    """A package that draws: its name, what pip calls it, and what it shows besides FACTS."""

    title: str
    distribution: str
    draw: Callable[[], Drawn]
    also: str = ""


def number(x: int) -> str:
    """A pattern for -15, -15. and -15.0000, but not for 15, -150 or -15.5."""
    return rf"(?<![-.\d]){x}(\.0*)?(?![.\d])"


FACTS = {  # and patterns for the texts that show it: all must be there
    "operations": (r"(?i)^(×|\*|_*mul.*)$",),
    "names": ("^a$|^a ", "^b$|^b "),
    "values of inputs": (number(3), number(-5)),
    "values of results": (number(-15), number(-12), number(144)),
    "gradients": (number(96), number(-72), number(-24)),
    "local derivatives": ("∂",),
    "the exponent": (r"(^|\*\*|exponent: +)2$|Square",),
    "the shape ()": (r"^\( ?\)$",),
    "the dtype": ("float",),
}
ROWS = (
    (Drawer("tinygrad-edu", "tinygrad-edu", ours, "says what is used twice; shapes and dtypes of arrays"),),
    (Drawer("micrograd-viz", "micrograd-viz", micrograd_viz),),
    (
        Drawer("MyGrad", "mygrad", mygrad, "without names, values of inputs; statistics of arrays"),
        Drawer("torchviz", "torchviz", torchviz, "steps of backward(), and what they keep"),
        Drawer("torchview", "torchview", torchview, "modules, down to a given depth"),
        Drawer("torchvista", "torchvista", torchvista, "on click dtypes and exponent; modules open"),
    ),
)
ABOUT = f"""One expression, as each draws it with the options that show most,
after backward(); MyGrad before it, as it clears the graph.

{CODE},   a = {A:g},   b = {B:g}

a * b = -15,   gradient -24
a * b + a = -12,   gradient -24
y = 144,   dy/da = 96,   dy/db = -72"""


class Panel(NamedTuple):
    """A drawer's picture under its name and version, above captions such as ("shows", "names, gradients")."""

    title: str
    dots: Dots
    captions: list[tuple[str, str]]

    def lines(self, width: int) -> list[tuple[str, str]]:
        """The captions, broken to a width in dots: what is bold in a line, and what follows."""
        broken = []
        for word, text in self.captions:
            first, *rest = wrap(f"{word}: {text}", int(width / LETTER))
            broken += [(f"{word}:", first.removeprefix(f"{word}:")), *(("", line) for line in rest)]
        return broken


def panel(drawer: Drawer) -> Panel:
    """Draw, and look up what is shown."""
    try:
        file, text = drawer.draw()
    except ImportError:
        return Panel(f"{drawer.title}: not installed", np.zeros((0, 0, 3), np.uint8), [])
    shown = [fact for fact, patterns in FACTS.items() if all(re.search(p, text, re.MULTILINE) for p in patterns)]
    captions = [("shows", ", ".join(shown)), ("does not show", ", ".join(f for f in FACTS if f not in shown))]
    if drawer.also:
        captions.append(("also", drawer.also))
    dots = (imread(io.BytesIO(file))[..., :3] * 255).astype(np.uint8)
    return Panel(f"{drawer.title} {version(drawer.distribution)}", dots, captions)


def png(rows: list[list[Panel]]) -> bytes:
    """All panels in one picture, row by row, as a PNG file."""
    widths = [(WIDTH - 2 * MARGIN + GAP) // len(row) - GAP for row in rows]
    pictures = [max(len(shown.dots) for shown in row) for row in rows]  # heights
    captions = [LINE * max(len(shown.lines(width)) for shown in row) for row, width in zip(rows, widths, strict=True)]
    height = sum(pictures) + sum(captions) + (TITLE + GAP) * len(rows) - GAP + 2 * MARGIN
    figure = Figure(figsize=(WIDTH / 100, height / 100), dpi=100)
    FigureCanvasAgg(figure)
    say(figure, ABOUT, WIDTH * 0.6, height - MARGIN - TITLE, linespacing=1.5)
    top = height - MARGIN
    for row, width, tall, words in zip(rows, widths, pictures, captions, strict=True):
        for k, shown in enumerate(row):
            put(figure, shown, MARGIN + k * (width + GAP), top, width, tall)
        top -= TITLE + tall + words + GAP
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def put(figure: Figure, shown: Panel, left: int, top: int, width: int, tall: int) -> None:
    """One panel from its upper left corner on, in dots; the captions stand below the tallest picture of the row."""
    say(figure, shown.title, left, top, size=15, weight="bold")
    if shown.dots.size:
        figure.figimage(shown.dots, left, top - TITLE - len(shown.dots))
    for k, (word, text) in enumerate(shown.lines(width)):
        below = top - TITLE - tall - SPACE - k * LINE
        say(figure, text, say(figure, word, left, below, weight="bold"), below)


def say(figure: Figure, text: str, left: float, top: float, size: float = 10, **style: Any) -> float:
    """Write at a place in dots; returns where the text ends."""
    said = figure.text(left, top, text, size=size, va="top", transform=None, **style)
    return float(said.get_window_extent().x1) if text else left


def main() -> None:
    needed = {"Graphviz's dot": shutil.which("dot"), "Chromium": chromium(), "Playwright": find_spec("playwright")}
    missing = [name for name, found in needed.items() if not found]
    if missing:
        print(f"left out: {', '.join(missing)} not installed")
        return
    rows = [[panel(drawer) for drawer in row] for row in ROWS]
    absent = [shown.title for row in rows for shown in row if not shown.captions]
    if absent:
        print(f"left as it was: {RESULT.name}, as it would lack drawers; {'; '.join(absent)}")
    else:
        RESULT.write_bytes(png(rows))
    for shown in (shown for row in rows for shown in row):
        print(shown.title, *(f"  {word}: {text}" for word, text in shown.captions), sep="\n")


if __name__ == "__main__":
    main()
