"""Pictures in files and notebooks, and the package as a whole."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest

import nn
import viz
from tinygrad_edu import DTypeError, TinygradError, Value, tanh
from viz import Picture, RenderError, graph

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def picture() -> Picture:
    return graph(Value(2.0, name="a") * 3)


def test_save_goes_by_the_suffix(picture, tmp_path):
    for name in ("a.dot", "b.svg", "c.png", "D.SVG", "e.mmd", "f.html"):
        path = picture.save(tmp_path / name)
        assert path == tmp_path / name
        assert path.is_file()
    assert (tmp_path / "a.dot").read_text(encoding="utf-8") == picture.dot()
    assert (tmp_path / "b.svg").read_text(encoding="utf-8") == picture.svg()
    assert "max-width: 100%" in picture._repr_svg_()  # of the cell of a notebook
    assert (tmp_path / "c.png").read_bytes().startswith(PNG)
    assert (tmp_path / "e.mmd").read_text(encoding="utf-8") == picture.mermaid()
    assert (tmp_path / "f.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert ElementTree.parse(tmp_path / "D.SVG").getroot().tag.endswith("svg")


def test_paths_may_be_text(picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert picture.save("a.dot").read_text(encoding="utf-8") == picture.dot()


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.svg.gz", ".png"])
def test_other_suffixes_are_refused(picture, tmp_path, name):
    with pytest.raises(
        RenderError, match=r"save: got '.*', expected a file name that ends in \.dot, .* or \.pdf; viz\.animate"
    ):
        picture.save(tmp_path / name)
    with pytest.raises(
        RenderError, match=r"save: got '.*', expected a file name that ends in \.png with scale= or dpi="
    ):
        picture.save(tmp_path / name, dpi=96)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dpi", [0, -1, 601, 1.5, None])
def test_dpi_is_checked(picture, tmp_path, dpi):
    for draw in (picture.png, partial(picture.save, tmp_path / "a.png")):
        with pytest.raises(RenderError, match=f"png: got dpi={dpi}, expected a whole number from 1 to 600"):
            draw(dpi=dpi)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("scale", [0, -1, 5, "2", None, float("nan")])
def test_scale_is_checked(picture, scale):
    with pytest.raises(RenderError, match="png: got scale=.*, expected a number from 0.00694 to 4.17 at 144 dpi"):
        picture.png(scale=scale)


def test_scale_multiplies_dpi(picture, tmp_path):
    large = picture.png(scale=2)
    assert large == picture.png(dpi=288) != picture.png()
    assert picture.save(tmp_path / "a.png", scale=2).read_bytes() == large


def test_png_has_fewer_nodes(monkeypatch, tmp_path):
    values = [Value(1.0), Value(2.0)]
    for i in range(700):
        values.append(values[i] * values[-1] - values[i // 2])
    picture = graph(values[-1], detail="scalar")
    assert len(picture.drawing.nodes) == 1402
    assert picture.drawing.folded == ""
    assert len(picture.smaller.nodes) <= 500
    assert "1,402 recorded nodes drawn as" in picture.smaller.folded
    assert graph(values[20]).smaller is None
    drawn = []
    monkeypatch.setattr(viz.writing.render, "png", lambda drawing, dpi, finish: drawn.append(drawing) or b"")
    picture.png()
    picture.save(tmp_path / "b.png")
    assert drawn == [picture.smaller] * 2


def test_the_page_stands_by_itself(tmp_path):
    page = (
        graph(Value(2.0, name="<a>") * 3, title="</title><script>")
        .save(tmp_path / "a.html")
        .read_text(encoding="utf-8")
    )
    assert page.count("<svg") == 1
    assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in page
    assert "leaf &lt;a&gt;: value 2" in page
    assert page.count("<script") == 1  # its own
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_a_missing_folder_is_named(picture, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"save: got '.*a\.dot', but there is no folder '.*gone'; create it first"
    ):
        picture.save(tmp_path / "gone" / "a.dot")


def test_files_are_written_whole_or_not_at_all(picture, tmp_path, monkeypatch):
    path = tmp_path / "a.dot"
    path.write_text("old", encoding="utf-8")
    parts = []

    def fail(source, target):
        parts.append(source)
        assert source.parent == tmp_path
        assert source.read_text(encoding="utf-8") == picture.dot()
        assert path.read_text(encoding="utf-8") == "old"
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        picture.save(path)
    monkeypatch.undo()
    assert len(parts) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.dot"]
    assert path.read_text(encoding="utf-8") == "old"
    picture.save(path)
    assert path.read_text(encoding="utf-8") == picture.dot()
    assert [file.name for file in tmp_path.iterdir()] == ["a.dot"]


def test_a_saved_file_has_ordinary_permissions(picture, tmp_path):
    other = tmp_path / "other"
    other.write_text("", encoding="utf-8")
    assert picture.save(tmp_path / "a.dot").stat().st_mode == other.stat().st_mode


def test_the_repr_is_short(picture):
    assert repr(picture) == "<Picture of 3 nodes>"


# -- The package -------------------------------------------------------------------------------------------------------


def test_all_names_what_is_public():
    public = {name for name, x in vars(viz).items() if not name.startswith("_") and not inspect.ismodule(x)}
    assert public == set(viz.__all__)
    assert viz.__all__ == sorted(viz.__all__)


def test_every_public_name_is_documented():
    for name in viz.__all__:
        thing = getattr(viz, name)
        assert thing.__module__.startswith("viz."), name
        assert not re.match(rf"{name}\(", inspect.getdoc(thing) or f"{name}("), (
            name
        )  # a dataclass's own "Edge(source: ..."


def test_viz_errors_are_the_projects():
    assert issubclass(RenderError, TinygradError)


def test_importing_and_drawing_load_what_they_use_only():
    code = """
import sys
import viz
from tinygrad_edu import Value
assert not {"matplotlib", "graphviz"} & sys.modules.keys()
picture = viz.graph(Value(1.0) * 2)
assert "graphviz" not in sys.modules
picture.dot()
assert "graphviz" in sys.modules and "matplotlib" not in sys.modules
viz.curves({"loss": [1.0]})
assert "matplotlib" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("what", "own", "other"), [("expression", "right", "down"), ("model", "down", "right")])
def test_arrows_lead_where_they_are_told_to(what, own, other):
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Tanh())

    def draw(**options):
        return graph(model, np.ones((3, 2)), **options) if what == "model" else graph(tanh(Value(1.0)) * 2, **options)

    ways = {
        "right": ("rankdir=LR", "flowchart LR", "on the left"),
        "down": ("rankdir=TB", "flowchart TD", "at the top"),
    }
    for options, flow in (({}, own), ({"flow": own}, own), ({"flow": other}, other)):
        dot, mermaid, words = ways[flow]
        picture = draw(**options)
        assert (dot in picture.dot(), picture.mermaid().startswith(mermaid)) == (True, True)
        assert words in picture.drawing.description
    with pytest.raises(DTypeError, match="flow='up', expected 'right' or 'down'"):
        draw(flow="up")


def test_a_path_that_is_none_is_named(tmp_path):
    with pytest.raises(RenderError, match="save: got int as path, expected a file name that ends in .dot"):
        graph(Value(1.0) * 2).save(3)


@pytest.mark.parametrize("draw", [graph, viz.step, viz.animate])
def test_methods_of_other_libraries(draw):
    picture = draw(Value(2.0) * 3.0)
    kind = type(picture).__name__
    for name in ("show", "open", "view", "savefig", "render"):
        with pytest.raises(AttributeError, match=rf"^{kind}\.{name} does not exist; write .*save\("):
            getattr(picture, name)
    with pytest.raises(AttributeError, match=f"^'{kind}' object has no attribute 'nothing'$"):
        picture.nothing
