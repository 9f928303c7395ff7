"""What IPython shows of Values and Modules: with a shell that only notes what it is told, and with IPython where it is installed."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

import nn
import viz
from tinygrad_edu import ShapeError, Value, tanh
from viz import Picture, graph, notebook
from viz.pages import frame as pages
from viz.writing import render


class Formatter:
    """Of one kind of output; keeps what was registered."""

    def __init__(self):
        self.functions = {}

    def for_type(self, type, function):
        self.functions[type] = function

    def for_type_by_name(self, module, name, function):
        self.functions[module, name] = function


@pytest.fixture
def shell(monkeypatch):
    """A running IPython, as far as viz asks for it."""
    formatters = {"image/svg+xml": Formatter(), "text/html": Formatter()}
    shown = []
    shell = SimpleNamespace(display_formatter=SimpleNamespace(formatters=formatters), shown=shown)
    ipython = SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=shown.append))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    return shell


def test_formatters_are_registered_where_ipython_runs(shell):
    notebook.register()
    formatters = shell.display_formatter.formatters
    assert formatters["image/svg+xml"].functions == {Value: notebook.value_svg}
    assert formatters["text/html"].functions == {
        Value: notebook.value_html,
        ("nn.module", "Module"): notebook.module_html,
    }


@pytest.mark.parametrize("ipython", [None, SimpleNamespace(get_ipython=lambda: None)])
def test_elsewhere_nothing_happens(monkeypatch, ipython):
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    notebook.register()
    notebook.show("picture")


def test_a_value_shows_its_small_graph(engine):
    y = Value(2.0, name="a") * 3
    assert notebook.value_svg(y) == graph(y)._repr_svg_()
    ElementTree.fromstring(notebook.value_svg(y))
    picture = ElementTree.fromstring(notebook.value_html(y).replace('100%">', '100%"/>'))
    data = picture.get("src").removeprefix("data:image/svg+xml;base64,")
    assert base64.b64decode(data).decode() == notebook.value_svg(y)


def test_a_value_without_a_small_graph_shows_its_repr(no_engine):
    y = Value(1.0)
    assert notebook.value_svg(y) is None  # a leaf
    assert notebook.value_svg(y * 2) is None  # no Graphviz
    assert notebook.value_html(y * 2) is None


@pytest.mark.parametrize(("operations", "drawn"), [(24, True), (25, False), (100_000, False)])
def test_up_to_fifty_nodes_are_drawn(monkeypatch, operations, drawn):
    monkeypatch.setattr(notebook, "svg", lambda drawing: f"{len(drawing.nodes)} nodes")
    y = Value(1.0)
    for _ in range(operations):
        y = y * 2.0
    assert notebook.value_svg(y) == (f"{2 * operations + 1} nodes" if drawn else None)


def test_a_module_shows_its_tree_with_shapes():
    model = nn.Sequential(nn.Residual(nn.MLP((4, 8, 4), rng=0)), nn.Linear(4, 1234, bias=False, rng=0))
    model[0].freeze()
    table = ElementTree.fromstring(notebook.module_html(model))
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    assert rows == [
        ["module", "shapes", "parameters"],
        ["Sequential()", "", ""],
        ["0: Residual()", "", ""],
        ["0.body: MLP()", "", ""],
        ["0.body.0: Linear(4, 8)", "weight (8, 4), bias (8,)", "40"],
        ["0.body.1: ReLU()", "", ""],
        ["0.body.2: Linear(8, 4)", "weight (4, 8), bias (4,)", "36"],
        ["1: Linear(4, 1234, bias=False)", "weight (1234, 4)", "4,936"],
    ]
    assert table.findtext("caption") == "Sequential: 5,012 parameters, 76 of them frozen"
    indents = [cell.get("style").rpartition(":")[2] for cell in table.iter("th") if cell.get("scope") == "row"]
    assert indents == ["0.0em", "1.2em", "2.4em", "3.6em", "3.6em", "3.6em", "1.2em"]


def test_hostile_names_are_text():
    class Hostile(nn.Module):
        def __init__(self):
            self.held = {"<script>alert(1)</script>": nn.Linear(1, 1), '"\n': nn.ReLU(), "x" * 10_000: nn.Tanh()}

        def describe(self):
            return "<b>&"

    html = notebook.module_html(Hostile())
    assert "<script" not in html
    assert "<b>" not in html
    assert len(html) < 3_000
    ElementTree.fromstring(html)


def test_a_failed_run_is_displayed(shell):
    with pytest.raises(ShapeError) as caught:
        graph(nn.Linear(4, 2), np.ones((1, 3)))
    assert shell.shown == [caught.value.picture]
    assert isinstance(shell.shown[0], Picture)


def test_in_ipython_itself(engine):
    shells = pytest.importorskip("IPython.core.interactiveshell", reason="IPython is not installed")
    shell = shells.InteractiveShell.instance()
    try:
        notebook.register()
        formatted = shell.display_formatter.format
        assert formatted(Value(2.0) * 3)[0]["image/svg+xml"].startswith("<svg")
        assert "image/svg+xml" not in formatted(Value(2.0))[0]
        assert formatted(nn.MLP((2, 1)))[0]["text/html"].startswith("<table")
        assert render.engines()
    finally:
        shells.InteractiveShell.clear_instance()


# -- Pages in a notebook -----------------------------------------------------------------------------------------------


TITLE = '<first> & "quoted" \''


def documents() -> dict[str, viz.document.Document]:
    """One of each kind, of an expression and of a model."""
    y = tanh(Value(0.5, name="a") * 2.0 + Value(1.0, name="b"))
    model, x = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=0)), np.ones((4, 2))
    return {
        "graph": graph(y, title='<first> & "quoted" \''),
        "step": viz.step(y, title='<first> & "quoted" \''),
        "model graph": graph(model, x),
        "model step": viz.step(model, x, loss=lambda out: out.mean()),
        "animate": viz.animate(y),
        "descent": viz.descent(lambda x, y: x**2 + y**2, [[1.0, 1.0], [0.5, 0.5]]),
    }


@pytest.mark.parametrize("kind", ["graph", "step"])
def test_ipython_gets_both_from_one_picture(kind, monkeypatch):
    document = documents()[kind]
    page, picture = document._repr_html_(), document._repr_svg_()
    bundle = document._repr_mimebundle_(include=None, exclude=None)
    assert bundle == {"text/html": page, "image/svg+xml": picture, "text/plain": repr(document)}
    drawn = []
    monkeypatch.setattr(type(document), "svg", lambda self: drawn.append(self) or picture)
    document._repr_mimebundle_()
    assert len(drawn) == 1


class Frames(HTMLParser):
    """The attributes of the elements of a cell's output, by their name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, list[dict[str, str | None]]] = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.setdefault(tag, []).append(dict(attributes))


def test_a_cell_shows_the_page_in_a_frame_and_keeps_a_picture():
    for kind, document in documents().items():
        found = Frames(document._repr_html_()).found
        (framed,) = found["iframe"]
        assert framed["sandbox"] == "allow-scripts", kind
        titles = {"graph": TITLE, "step": TITLE, "model graph": "Sequential, 13 parameters"}
        assert framed["title"] == titles.get(kind, framed["title"]) != ""
        assert "<!doctype html>" in framed["srcdoc"].lower()
        assert [image["alt"] for image in found.get("img", [])] == [framed["title"]] * ("svg" in dir(document))
        pictures = [base64.b64decode(image["src"].rpartition(",")[2]).decode() for image in found.get("img", [])]
        assert pictures == ([document.svg()] if hasattr(document, "svg") else [])
        for picture in pictures:
            ElementTree.fromstring(picture)


def test_the_picture_of_a_walkthrough_has_all_gradients(texts):
    a = Value(0.5, name="a")
    walk = viz.step(a * a + 1.0)
    assert a.grad is None
    (square,) = (words for words in texts(walk).values() if "v1" in words)
    assert square[-2:] == ["gradient", "1"]
    assert ["a", "value", "0.5", "gradient", "1"] in [words[:5] for words in texts(walk).values()]
    assert "no gradient yet" not in walk.svg()


def test_a_page_that_is_too_large_for_a_notebook_is_its_picture(monkeypatch):
    document = documents()["graph"]
    monkeypatch.setattr(pages, "MOST", len(document.svg()) + 1)
    found = Frames(document._repr_html_()).found
    assert "iframe" not in found
    assert len(found["img"]) == 1
    assert "too much for a notebook: .save('page.html') writes it" in document._repr_html_()
    monkeypatch.setattr(pages, "MOST", 100)
    assert "img" not in Frames(document._repr_html_()).found


@pytest.mark.parametrize(
    ("size", "beside", "height"),
    [((900, 250), 200, 450), ((90, 15), 100, 380), ((75, 1_000), 200, 760), ((1_350, 375), 200, 450)],
)
def test_a_frame_is_as_high_as_its_picture_within_limits(size, beside, height):
    width, tall = (0.75 * n for n in size)  # points
    picture = f'<svg width="{width}pt" height="{tall}pt" viewBox="0 0 1 1"/>'
    assert pages.height_for(picture, beside) == height


NOTEBOOK = """<!doctype html><html><body><h1>A notebook</h1>
<div style="display: none" class="later">OUTPUTS</div></body></html>"""


def test_pages_in_one_notebook_work_and_do_not_clash(tmp_path, open_page):
    """Also if the notebook shows its outputs some time after it has read them, as JupyterLab does."""
    cells = "".join(f"<div>{document._repr_html_()}</div>" for document in documents().values())
    file = tmp_path / "notebook.html"
    file.write_text(NOTEBOOK.replace("OUTPUTS", cells), encoding="utf-8")
    page = open_page(file, viewport={"width": 1000, "height": 4500})
    page.evaluate("document.querySelector('.later').style.display = 'block'")
    assert page.locator("img").count() == 4
    assert not any(image.is_visible() for image in page.locator("img").all())
    frames = [handle.content_frame() for handle in page.query_selector_all("iframe")]
    first, stepping, layers, by_layer, playing, falling = frames
    for frame in (first, layers):
        frame.wait_for_function("document.querySelector('#view svg').viewBox.baseVal.width > 50")
    for frame in (stepping, by_layer):
        frame.wait_for_function("document.querySelector('#step h2')")
        assert not frame.locator("#link").is_visible()  # there is no address bar
    stepping.locator("#next").click()
    stepping.locator("#next").click()
    by_layer.locator("#next").click()
    assert stepping.locator("#step").inner_text().startswith("Step 2 of 9")
    assert by_layer.locator("#step").inner_text().startswith("Step 1 of")
    assert "0: Linear(2, 3)" in by_layer.locator("#graph .cluster.closed").first.text_content()
    for frame in (playing, falling):
        frame.wait_for_function("document.querySelector('#step').textContent.startsWith('step')")
    assert page.locator("h1").all_inner_texts() == ["A notebook"]


def test_where_frames_are_removed_the_picture_is_seen(tmp_path, open_page):
    cell = re.sub(r"<style>.*?</style>|<iframe.*?</iframe>", "", documents()["step"]._repr_html_(), flags=re.DOTALL)
    file = tmp_path / "notebook.html"
    file.write_text(NOTEBOOK.replace("OUTPUTS", cell).replace("display: none", ""), encoding="utf-8")
    page = open_page(file)
    assert page.locator("img").evaluate(
        "image => image.complete && image.naturalWidth > 100 && image.clientWidth <= innerWidth"
    )
    assert page.get_by_text("The interactive page is shown in a trusted notebook").is_visible()


def test_the_example_runs_and_shows_what_it_says(tmp_path):
    for module in ("nbclient", "nbconvert", "ipykernel"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    script = Path(__file__).parents[2] / "docs" / "notebook.py"
    process = subprocess.run([sys.executable, script, tmp_path], capture_output=True, encoding="utf-8", check=False)
    assert process.returncode == 0, process.stderr
    cells = json.loads((tmp_path / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    shown = [list(output["data"]) for cell in cells for output in cell.get("outputs", []) if "data" in output]
    assert [data[0] for data in shown if "image/svg+xml" in data] == [
        "image/svg+xml"
    ] * 5  # a Value, two graphs, two walkthroughs
    page = (tmp_path / "notebook_dark.html").read_text(encoding="utf-8")
    assert page.count("<iframe ") == 4
    assert [words in page for words in ("MLP: 82 parameters", "12 epochs, best", "58.5%", "data:image/svg+xml")] == [
        True
    ] * 4


def test_a_notebook_shows_each_plot_once(monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel chooses its own
    pytest.importorskip("matplotlib")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    sources = ["import viz\nax = viz.curve(lambda x: x**2, (-1, 1))", "ax = viz.curve(lambda x: x**3, (-1, 1))"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    place = {"metadata": {"path": str(Path(__file__).parents[2])}}  # so that the kernel imports this checkout
    nbclient.NotebookClient(book, timeout=120, resources=place, extra_arguments=["--log-level=ERROR"]).execute()
    assert [[output.output_type for output in cell.outputs] for cell in book.cells] == [["display_data"]] * 2
