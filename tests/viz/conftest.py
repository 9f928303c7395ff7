"""What the tests of viz share: the engines that can render, and reading the pictures that they make."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.text import Text

from viz import Picture
from viz.writing import render

SVG = "{http://www.w3.org/2000/svg}"

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens a file in a browser of its own; what it requests beside itself, or complains about, fails the test.

    inside: run the page's module as a plain script, whose functions and variables a test can evaluate.
    """
    complaints, contexts = [], []

    def open_page(path: Path, hash: str = "", inside: bool = False, **options):
        if inside:
            page = path.read_text(encoding="utf-8")
            path.write_text(page.replace('<script type="module">', "<script>"), encoding="utf-8")
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)  # a busy machine is slow
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: request.url.split("#")[0] == path.as_uri() or complaints.append(request.url))
        page.goto(path.as_uri() + hash)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in complaints if not each.startswith("data:")] == []


def _engine(name: str) -> str:
    found = [program for program in render.engines() if Path(program).stem == name]
    if not found:
        pytest.skip(f"{name} is not installed")
    return found[0]


@pytest.fixture(params=["dot", "graphviz-pure"])
def engine(request, monkeypatch) -> str:
    """Each engine in turn, as the only one there is."""
    program = _engine(request.param)
    monkeypatch.setattr(render, "engines", lambda: [program])
    return program


@pytest.fixture
def both_engines() -> list[str]:
    return [_engine("dot"), _engine("graphviz-pure")]


@pytest.fixture
def no_engine(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)

    def missing(name: str) -> None:
        raise render.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(render.metadata, "files", missing)


@pytest.fixture
def texts() -> Callable[[Picture], dict[str, list[str]]]:
    """The text that a rendered picture shows, by the id of the node, edge or group (Graphviz's non-breaking spaces undone)."""

    def read(picture: Picture) -> dict[str, list[str]]:
        return {
            element.get("id", ""): [(text.text or "").replace("\u00a0", " ") for text in element.iter(f"{SVG}text")]
            for element in ElementTree.fromstring(picture.svg()).iter(f"{SVG}g")
            if element.get("class", "").split()[0] != "graph"
        }

    return read


@pytest.fixture
def troubles(monkeypatch):
    """Finds the words of a plot that overlap others by more than a pixel or two, or leave the figure."""
    drawn: list[Text] = []
    draw = Text.draw

    def spy(self, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            drawn.append(self)
        return draw(self, *args, **kwargs)

    def find(figure) -> list[str]:
        figure.canvas.draw()  # to its layout
        drawn.clear()
        figure.canvas.draw()
        boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in drawn]
        assert boxes
        paper = figure.bbox
        left = [
            text
            for text, box in boxes
            if not (paper.x0 <= box.x0 < box.x1 <= paper.x1 and paper.y0 <= box.y0 < box.y1 <= paper.y1)
        ]
        return left + [f"{a} / {b}" for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)]

    monkeypatch.setattr(Text, "draw", spy)
    return find
