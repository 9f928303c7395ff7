"""Every format says the same of a graph: names, numbers, notes. What one cannot show it says otherwise."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import nn
from tinygrad_edu import Value, floor, sqrt, tanh
from viz import Picture, graph
from viz.drawing import DrawnNode, Kind, remarks
from viz.text import plain
from viz.writing import render

SVG = "{http://www.w3.org/2000/svg}"
NAMES = [
    "a",
    "σ² · √θ₁",
    "<b>&amp;",
    'quo"te',
    "#35; %% {x}",
    "`c` [d] (e)",
    "end",
    "new\nline",
    "中文",
    "loss 🙂",
    "back\\slash",
    "$$x$$",
]


def gradients() -> Picture:
    a, b, c = (Value(x, name=name) for x, name in ((1.0, "a"), (-2.0, "b"), (0.0, "c")))
    y = a * 0.5 + b * 1.5 + c * 0.0 - a
    y.backward()
    return graph(y, derivatives=True, magnitudes=True, title="magnitudes")


def not_a_number() -> Picture:
    x = Value(np.array([[1.0, 2.0], [-1.0, 4.0]]), name="x")
    with np.errstate(all="ignore"):
        y = (sqrt(x) * 2.0).sum()
        y.backward()
    return graph(y, title="NaN")


def stale() -> Picture:
    w, x = Value(2.0, name="w"), Value(np.ones(3), name="x")
    (w * 2.0).backward()
    y = (w * x).sum() + w * w
    w.data = 7.0
    return graph(y, derivatives=True)


def named() -> Picture:
    values = [Value(0.1 * i, name=name) for i, name in enumerate(NAMES)]
    return graph(tanh(sum(values[1:], values[0])), title=" ".join(NAMES))


def model() -> Picture:
    net = nn.Sequential(nn.Linear(4, 8, rng=0), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 2, rng=0))
    net(np.ones((3, 4))).sum().backward()
    net[3].weight.data[0, 1] = np.inf
    return graph(net, np.ones((3, 4)), magnitudes=True, loss=lambda y: (y * y).mean())


def blocks() -> Picture:
    def block() -> nn.Module:
        return nn.Residual(nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4, rng=0), nn.GELU()))

    return graph(nn.Sequential(block(), block()), np.ones((2, 4)), title="two blocks", detail="layer")


def units() -> Picture:
    return graph(nn.MLP((2, 3, 1), nn.Tanh, rng=0), np.array([1.0, -1.0]), detail="neurons")


def both_ways() -> Picture:
    a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    return graph(tanh(a * b + a), detail="backward")


def folded() -> Picture:
    y = sum(Value(0.5 * i) * Value(-1.0) for i in range(64))
    y.backward()
    return graph(y, title="64 products")


GRAPHS = [gradients, not_a_number, stale, named, model, blocks, units, both_ways, folded]


def bare(text: str) -> str:
    return re.sub(r"[\s\u00a0\u200b]", "", text)


def said(node: DrawnNode) -> list[str]:
    """What a node says in every format."""
    numbers = [*node.value, *node.gradient]
    longer = [plain(x, 60) for x in (node.params, node.form, *remarks(node))]
    return [bare(x) for x in (plain(node.symbol, 60), plain(node.name), *longer, *numbers) if x.strip()]


def of_svg(text: str) -> dict[str, str]:
    root = ElementTree.fromstring(text)
    groups = (g for g in root.iter(f"{SVG}g") if g.get("class", "").split()[0] != "graph")
    return {g.get("id", ""): bare("".join("".join(t.itertext()) for t in g.iter(f"{SVG}text"))) for g in groups}


def of_dot(text: str) -> dict[str, str]:
    labels = {}
    for id, label in re.findall(r"^\t*(n\d+) \[label=<(.*?)>> class=", text, re.DOTALL | re.MULTILINE):
        labels[id] = bare(unescape(re.sub(r"<[^>]*>?", "", label)).replace("\\\\", "\\"))
    ids = re.findall(r"-> n\d+ \[label=<(.*?)>[ \]].*?\bid=(e\d+)", text.replace("\n", " "))
    return labels | {id: bare(unescape(re.sub(r"<[^>]*>", "", label))) for label, id in ids}


def of_mermaid(text: str) -> dict[str, str]:
    def read(label: str) -> str:
        shown = re.sub(r"</?[bi]>|<br/>", "", label)
        return bare(re.sub(r"#(\d+);", lambda found: chr(int(found[1])), shown))

    labels = {id: read(label) for id, label in re.findall(r'^  (n\d+)[^\s"]+"([^"\n]*)"', text, re.MULTILINE)}
    arrows = re.findall(r"^  n\d+ [-=.]+>(?:\|\"([^\"\n]*)\"\|)? n\d+$", text, re.MULTILINE)
    return labels | {f"e{i}": read(label) for i, label in enumerate(arrows)}


FORMATS: dict[str, Callable[[Picture, Path], dict[str, str]]] = {
    "svg": lambda picture, folder: of_svg(picture.svg()),
    "dot": lambda picture, folder: of_dot(picture.dot()),
    "mermaid": lambda picture, folder: of_mermaid(picture.mermaid()),
}


@pytest.mark.parametrize("make", GRAPHS)
@pytest.mark.parametrize("format", FORMATS)
def test_every_node_and_arrow_says_the_same(make, format, tmp_path):
    picture = make()
    shown = FORMATS[format](picture, tmp_path)
    for node in picture.drawing.nodes:
        missing = [text for text in said(node) if text not in shown[node.id]]
        assert missing == [], node
    for i, edge in enumerate(picture.drawing.edges):
        for text in filter(None, (edge.label, edge.derivative and f"∂ {edge.derivative}")):
            assert bare(plain(text)) in shown[f"e{i}"]


@pytest.mark.parametrize("make", GRAPHS)
def test_the_web_page_shows_the_same_picture(make, tmp_path):
    picture = make()
    page = picture.save(tmp_path / "page.html").read_text(encoding="utf-8")
    shown = of_svg(page[page.index("<svg") : page.index("</svg>") + 6])
    drawing = picture.opened or picture.drawing
    for node in drawing.nodes:
        assert [text for text in said(node) if text not in shown[node.id]] == []


@pytest.mark.parametrize("make", GRAPHS)
def test_the_words_say_the_same(make):
    """Up to 40 nodes; and of units only their columns."""
    d = make().drawing
    if not any(node.kind in (Kind.UNIT, Kind.GRADIENT) for node in d.nodes):
        words = bare(d.description)
        for node in d.nodes:
            assert [text for text in said(node) if text not in words] == []
        assert all(bare(edge.derivative) in words[words.find("Localderivatives") :] for edge in d.edges)


@pytest.mark.parametrize("make", GRAPHS)
@pytest.mark.parametrize("format", ["png", "pdf"])
def test_files_of_dots_and_of_print_are_made_of_the_same_text(make, format, tmp_path, monkeypatch):
    """What Graphviz is given; the letters that it has no font for are another matter, see below."""
    given = []

    class Done:
        returncode, stdout, stderr = 0, b"", b""

    def spy(program, source, wanted, *rest):
        if wanted != format:  # the sizes of boxes, before labels are placed
            return run(actual, source, wanted, *rest)
        given.append(source)
        return Done()

    run, actual = render._run, render.engines()[0]
    monkeypatch.setattr(render, "_run", spy)
    monkeypatch.setattr(render, "engines", lambda: ["/usr/bin/dot"])
    picture = make()
    picture.save(tmp_path / f"a.{format}")
    assert of_dot(given[0]) == of_dot(picture.dot())
    assert len(of_dot(given[0])) >= len(picture.drawing.nodes)


@pytest.mark.parametrize("make", GRAPHS)
def test_titles_and_descriptions_stand_in_every_format(make, tmp_path):
    picture = make()
    d = picture.drawing
    root = ElementTree.fromstring(picture.svg())
    assert (root[0].text, root[1].text) == (plain(d.title, 200) or "Computation graph", plain(d.description, 20_000))
    read = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), picture.mermaid())
    assert f"accDescr: {plain(d.description, 2000)}\n" in read
    assert (f"accTitle: {plain(d.title, 100)}\n" in read) == bool(d.title)
    page = picture.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert unescape(page[page.index("<title>") + 7 : page.index("</title>")]) == (
        plain(d.title, 200) or "Computation graph"
    )


# -- Files -------------------------------------------------------------------------------------------------------------


def test_pdf_files_are_the_same_bytes_at_any_time(both_engines, tmp_path, monkeypatch):
    first = named().save(tmp_path / "a.pdf").read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    time.sleep(1.1)  # dates have seconds
    assert named().save(tmp_path / "b.pdf").read_bytes() == first
    assert b"(D:19700101" in first or b"CreationDate" not in first


@pytest.fixture
def pure(monkeypatch, both_engines) -> str:
    monkeypatch.setattr(render, "engines", lambda: both_engines[1:])
    return both_engines[1]


def drawn(monkeypatch) -> list[str]:
    """The sources of pictures, other than those that ask for a letter."""
    given, run = [], render._run

    def spy(program, source, *rest):
        if "fixedsize" not in source:
            given.append(source)
        return run(program, source, *rest)

    monkeypatch.setattr(render, "_run", spy)
    return given


def test_letters_without_a_picture_are_spelled_out_and_named(pure, tmp_path, monkeypatch):
    given = drawn(monkeypatch)
    y = Value(1.0, name="中文 λ") * Value(2.0, name="🙂²")
    with pytest.warns(UserWarning, match="graphviz-pure's font lacks 中 文 🙂, spelled out here as in Python; save"):
        graph(y).png()
    assert r"<B>\\u4e2d\\u6587 λ</B>" in given[0]
    assert r"<B>\\U0001f642²</B>" in given[0]


def test_symbols_of_operations_have_a_picture_or_what_looks_like_it(pure, tmp_path, monkeypatch):
    """Of every symbol in the registry, and of every letter that this package writes itself."""
    from tinygrad_edu import registry

    symbols = "".join(dict.fromkeys("".join(public.op.symbol for public in registry.values())))
    own = "·−σΣ√²∂×÷…→⋮ᵀ³Δθ∇⟲"
    given = drawn(monkeypatch)
    graph(Value(1.0, name=symbols[:40]) * Value(1.0, name=symbols[40:80]) * Value(1.0, name=own)).png()
    assert all(render._draws(pure, c) for c in given[0] if c >= "\u0530")
    graph(floor(Value(1.5))).png()
    assert "floor(x)" in given[1]


def test_graphviz_itself_is_given_all_letters(both_engines, tmp_path, monkeypatch):
    monkeypatch.setattr(render, "engines", lambda: both_engines[:1])
    given = drawn(monkeypatch)
    graph(Value(1.0, name="中文 ∗")).png()
    assert "<B>中文 ∗</B>" in given[0]


def test_which_letters_have_a_picture(pure):
    assert [c for c in "√∂−…→中ع🙂⌊" if render._draws(pure, c)] == ["√", "∂", "−", "…", "→"]


def test_wide_letters_have_room(engine):
    """In the svg, for which a reader has a font with letters as wide as high."""
    for name in ("中文名字" * 9, "🙂" * 12, "日本 x"):
        svg = graph(Value(1.0, name=name)).svg()
        node = svg[svg.index('<g id="n0"') :]
        path = re.search(r'<path [^>]*d="([^"]*)"|<polygon [^>]*points="([^"]*)"', node)
        xs = [float(x) for x in re.findall(r"([-\d.]+),[-\d.]+", path[1] or path[2])]
        x = float(re.search(rf'<text [^>]*x="([-\d.]+)"[^>]*>{name[0]}', node)[1])
        anchor = "middle" in re.search(rf"<text [^>]*>{name[0]}", node)[0]
        width = sum(14.0 if c >= "\u2e80" else 8.0 for c in name)
        assert min(xs) <= x - anchor * width / 2
        assert x + width * (1 - anchor / 2) <= max(xs)
