"""What IPython shows of Values and Modules: with a shell that only notes what it is told, and with IPython where it is installed."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

import nn
from tinygrad_edu import ShapeError, Value
from viz import Picture, graph, notebook
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
    assert formatters["text/html"].functions == {("nn.module", "Module"): notebook.module_html}


@pytest.mark.parametrize("ipython", [None, SimpleNamespace(get_ipython=lambda: None)])
def test_elsewhere_nothing_happens(monkeypatch, ipython):
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    notebook.register()
    notebook.show("picture")


def test_a_value_shows_its_small_graph(engine):
    y = Value(2.0, name="a") * 3
    assert notebook.value_svg(y) == graph(y).svg()
    ElementTree.fromstring(notebook.value_svg(y))


def test_a_value_without_a_small_graph_shows_its_repr(no_engine):
    y = Value(1.0)
    assert notebook.value_svg(y) is None  # a leaf
    assert notebook.value_svg(y * 2) is None  # no Graphviz


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
