"""Rendering: which program does it, that both do the same, and what is said when none can."""

from __future__ import annotations

import stat
import struct
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from samples import micrograd, readme

from tinygrad_edu import Value, tanh
from viz import Picture, RenderError, graph
from viz.drawing import remarks
from viz.writing import render

SVG = "{http://www.w3.org/2000/svg}"


def matrices() -> Picture:
    x, w, b = np.arange(12.0).reshape(4, 3), Value(np.ones((3, 2)), name="w"), Value(np.zeros(2), name="b")
    return graph(tanh(x @ w + b).sum(), names={"x": x})


def program(folder: Path, script: str) -> str:
    """A program made of a shell script."""
    path = folder / "dot"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("picture", [readme(), micrograd(), matrices()])
def test_every_node_and_edge_is_in_the_picture(picture, engine, texts):
    drawn = texts(picture)
    d = picture.drawing
    assert drawn.keys() == {*(n.id for n in d.nodes), *(f"e{i}" for i in range(len(d.edges)))}
    for node in d.nodes:
        says = {node.symbol, node.name, node.form, *node.value, *node.gradient, *remarks(node)} - {""}
        assert says <= set(drawn[node.id])
        assert ("gradient" in drawn[node.id]) == bool(node.gradient)
    for i, edge in enumerate(d.edges):
        assert "".join(drawn[f"e{i}"]) == edge.label


@pytest.mark.parametrize("picture", [readme(), micrograd(), matrices()])
def test_both_engines_show_the_same(picture, both_engines, monkeypatch, texts):
    drawn = []
    for engine in both_engines:
        monkeypatch.setattr(render, "engines", lambda engine=engine: [engine])
        drawn.append(texts(picture))
    assert drawn[0] == drawn[1]


def test_edges_run_between_the_nodes_they_name(engine):
    """Left to right: each arrow begins at the right side of its source and ends at the left side of its target."""
    picture = readme()
    parts = {g.get("id"): g for g in ElementTree.fromstring(picture.svg()).iter(f"{SVG}g")}

    def numbers(id: str) -> np.ndarray:
        path = (
            parts[id].find(f"{SVG}path")
            if parts[id].find(f"{SVG}path") is not None
            else parts[id].find(f"{SVG}polygon")
        )
        text = (path.get("d") or path.get("points")).replace("M", "").replace("C", " ")
        return np.array([[float(x) for x in pair.split(",")] for pair in text.split()])

    for i, edge in enumerate(picture.drawing.edges):
        line = numbers(f"e{i}")
        for end, id, side in ((line[0], edge.source, 1), (line[-1], edge.target, 0)):
            box = numbers(id)
            x = (box[:, 0].min(), box[:, 0].max())[side]
            assert abs(end[0] - x) < 14
            assert box[:, 1].min() - 1 <= end[1] <= box[:, 1].max() + 1


def test_the_svg_is_titled_described_and_has_no_tooltips(engine):
    picture = readme()
    root = ElementTree.fromstring(picture.svg())
    assert root.get("role") == "img"
    assert [(child.tag, child.text) for child in root][:2] == [
        (f"{SVG}title", "y = tanh(a*b + c)"),
        (f"{SVG}desc", picture.drawing.description),
    ]
    assert len(list(root.iter(f"{SVG}title"))) == 1
    assert "leaf a: value 2, gradient −2.359" in picture.drawing.description


def test_the_svg_asks_for_fonts_of_one_width(engine):
    fonts = {text.get("font-family") for text in ElementTree.fromstring(readme().svg()).iter(f"{SVG}text")}
    assert fonts == {"Helvetica,Arial,Liberation Sans,sans-serif"}


def test_an_untitled_svg_has_a_title_too(engine):
    assert "<title>Computation graph</title>" in graph(Value(1.0)).svg()


def test_the_same_bytes_each_time(engine, tmp_path):
    assert readme().svg() == readme().svg()
    assert readme().png() == readme().png()


def test_dpi(engine, tmp_path):
    small, large = (size_of(readme().png(dpi=dpi)) for dpi in (96, 192))
    assert small[0] > 500
    assert [2 * n for n in small] == pytest.approx(large, abs=3)


def test_dot_comes_first_and_then_graphviz_pure(monkeypatch):
    monkeypatch.setattr(render.shutil, "which", lambda name: f"/somewhere/{name}")
    assert render.engines()[:2] == ["/somewhere/dot", "/somewhere/graphviz-pure"]


def test_graphviz_pure_is_found_off_the_path(monkeypatch):
    monkeypatch.setattr(render.shutil, "which", lambda name: None)
    (found,) = render.engines()
    assert "graphviz-pure" in subprocess.run([found, "-V"], capture_output=True, text=True, check=True).stderr
    assert graph(Value(1.0)).svg().startswith("<svg")


def test_without_an_engine_the_error_says_what_to_install(no_engine):
    message = "svg: found neither the program dot nor graphviz-pure; install graphviz-pure with pip"
    with pytest.raises(RenderError, match=message):
        graph(Value(1.0)).svg()
    assert graph(Value(1.0)).dot().startswith("digraph")
    assert graph(Value(1.0)).mermaid().startswith("flowchart")


def test_pdf_needs_graphviz_itself(monkeypatch, tmp_path):
    pure = [program for program in render.engines() if Path(program).stem != "dot"]
    monkeypatch.setattr(render, "engines", lambda: pure)
    with pytest.raises(
        RenderError, match="pdf: found no program dot, and graphviz-pure writes SVG and PNG only; install"
    ):
        graph(Value(1.0)).save(tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


def test_pdf(both_engines, monkeypatch, tmp_path):
    monkeypatch.setattr(render, "engines", lambda: both_engines[::-1])
    assert graph(Value(1.0)).save(tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
class TestBrokenDot:
    """What a dot that does not work leads to."""

    def test_another_engine_takes_over(self, monkeypatch, tmp_path):
        good = render.engines()[-1]
        for bad in (program(tmp_path, "exit 1"), str(tmp_path / "gone")):
            monkeypatch.setattr(render, "engines", lambda bad=bad: [bad, good])
            assert graph(Value(1.0)).svg().startswith("<svg")

    def test_what_it_says_is_passed_on(self, monkeypatch, tmp_path):
        bad = program(tmp_path, "echo 'no layout engine' >&2; exit 3")
        monkeypatch.setattr(render, "engines", lambda: [bad, str(tmp_path / "gone")])
        with pytest.raises(
            RenderError, match=r"png: .*dot stopped with status 3 no layout engine; .*gone did not start: "
        ):
            graph(Value(1.0)).save(tmp_path / "a.png")
        assert not (tmp_path / "a.png").exists()

    def test_it_is_not_waited_for_forever(self, monkeypatch, tmp_path):
        monkeypatch.setattr(render, "engines", lambda: [program(tmp_path, "exec sleep 30")])
        monkeypatch.setattr(render, "_PATIENCE", 0.1)
        with pytest.raises(RenderError, match=r"had not finished after 0\.1 s; draw a smaller part of the graph"):
            graph(Value(1.0)).svg()


def test_a_leaf_that_feeds_two_hundred_steps_is_laid_out(engine, texts):
    x = y = Value(0.5)
    for _ in range(100):
        y = tanh(y * x)
    assert len(texts(graph(y, detail="scalar"))) == 201 + 300
