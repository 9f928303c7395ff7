"""Pictures for slides: wrapped for a ratio, in themes, with legends, and labels that nothing crosses."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from math import log
from xml.etree import ElementTree

import numpy as np
import pytest
from samples import CROSSED, TROUBLE, micrograd

import nn
from tinygrad_edu import DTypeError, Value, sqrt, tanh
from viz import Picture, graph
from viz.drawing import Kind
from viz.theme import DARK, DARK_PAPER, INK, LOOKS, MIDDLE, PAPER
from viz.writing.labels import clear
from viz.writing.layout import Box, Layout, Line
from viz.writing.splines import straight

SVG = "{http://www.w3.org/2000/svg}"


def tangled() -> Value:
    """The expression of micrograd's README."""
    a, b = Value(-4.0, name="a"), Value(2.0, name="b")
    c, d = a + b, a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    f = (c - d) ** 2
    return f / 2.0 + 10.0 / f


def chain(**options) -> Picture:
    y = x = Value(0.5, name="x")
    for i in range(60):
        y = tanh(y) if i % 2 else y * 1.5 + x
    return graph(y, detail="scalar", **options)


def convolutions(**options) -> Picture:
    block = lambda n, m: (nn.Conv2d(n, m, 3, padding=1, rng=0), nn.BatchNorm2d(m), nn.ReLU(), nn.MaxPool2d(2))
    model = nn.Sequential(*block(1, 8), *block(8, 4), nn.Flatten(), nn.Linear(16, 10, rng=0))
    return graph(model, np.ones((2, 1, 8, 8)), title="convolutions", **options)


def deep(**options) -> Picture:
    layers = [layer for i in range(8) for layer in (nn.Linear(4, 4, rng=i), [nn.Tanh, nn.ReLU, nn.GELU][i % 3]())]
    return graph(nn.Sequential(*layers), np.ones((2, 4)), title="a deep MLP", **options)


def residual(**options) -> Picture:
    block = lambda: nn.Residual(nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 8, rng=0), nn.GELU()))
    return graph(nn.Sequential(block(), nn.ReLU(), block(), nn.Linear(8, 3, rng=0)), np.ones((3, 8)), **options)


def readme(**options) -> Picture:
    return graph(tangled(), title="micrograd's README", **options)


def labelled(**options) -> Picture:
    """Words on each arrow, so that between them and the boxes there is only room for the heads."""
    h = Value(1.0, requires_grad=False)
    for k in (8.0, 7.0, 9.0, 6.0):
        h = (Value(k - 4) * h + Value(k - 7)) / k
    return graph(h, derivatives=True, **options)


LONG = [chain, readme, convolutions, deep]


def size(picture: Picture) -> tuple[float, float]:
    *_, width, height = map(float, ElementTree.fromstring(picture.svg()).get("viewBox", "").split())
    return width, height


def off(picture: Picture, ratio: float) -> float:
    """By which factor a picture is too wide or too high."""
    width, height = size(picture)
    return float(np.exp(abs(log(width / height / ratio))))


# -- Ratios ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [16 / 9, 4 / 3, 1.0])
@pytest.mark.parametrize("draw", LONG)
def test_a_long_picture_comes_near_the_ratio(draw, ratio, engine):
    assert off(draw(), ratio) > 1.8  # it needs wrapping
    assert off(draw(ratio=ratio), ratio) < 1.3


def test_a_picture_that_fits_stays_as_it_is():
    a = Value(1.0, name="a")
    wide = sum((a * float(k) for k in range(12)), a).tanh()
    for picture, ratio in ((micrograd(), 4.2), (graph(wide, flow="right"), 0.6)):
        width, height = size(picture)
        again = Picture(picture.drawing, finish=picture.finish._replace(ratio=width / height))
        assert size(again) == pytest.approx((width, height), rel=0.02), ratio


def test_a_picture_within_a_quarter_of_the_ratio_is_not_cut():
    a, b, c = (Value(number, name=name) for name, number in (("a", 2.0), ("b", -3.0), ("c", 5.0)))
    whole, slide = (graph((a * b + c) ** 2, legend=True, ratio=ratio) for ratio in (None, 16 / 9))
    assert 1.1 < off(whole, 16 / 9) < 1.25
    assert size(slide) == pytest.approx(size(whole), rel=0.02)


@pytest.mark.parametrize("flow", [None, "right", "down"])
def test_a_picture_of_up_to_eight_nodes_is_not_cut(flow):
    x, w, b = (Value(number, name=name) for name, number in (("x", 0.5), ("w", -2.0), ("b", 1.5)))
    neuron, longer = tanh(w * x + b), tanh(tanh(tanh(tanh(w * x + b))))
    ways = [size(graph(neuron, flow=each)) for each in ("right", "down")]
    picture = graph(neuron, flow=flow, ratio=16 / 9)
    assert len(picture.drawing.nodes) == 6
    assert any(size(picture) == pytest.approx(way, rel=0.02) for way in ways)
    assert len(graph(longer).drawing.nodes) == 9
    assert off(graph(longer, flow="right", ratio=1.0), 1.0) < off(graph(longer, flow="right"), 1.0) / 1.5  # cut


def test_a_wide_graph_never_gets_worse():
    x = [Value(float(k)) for k in range(40)]
    y = sum((v * v for v in x), Value(0.0))
    for ratio in (0.5, 1.0, 16 / 9, 5.0):
        assert off(graph(y, detail="scalar", ratio=ratio), ratio) <= off(graph(y, detail="scalar"), ratio) + 1e-9


def parts(picture: Picture) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Of a rendered picture the box of each node and the points of each arrow."""
    boxes, lines = {}, {}
    for g in ElementTree.fromstring(picture.svg()).iter(f"{SVG}g"):
        kind, id = g.get("class", "").split()[0], g.get("id", "")
        if kind == "node":
            shape = g.find(f"{SVG}polygon")
            if shape is not None:
                points = np.array([[float(x) for x in p.split(",")] for p in shape.get("points", "").split()])
            elif (ellipse := g.find(f"{SVG}ellipse")) is not None:
                middle, radius = ([float(ellipse.get(k, 0)) for k in pair] for pair in (("cx", "cy"), ("rx", "ry")))
                points = np.array([np.subtract(middle, radius), np.add(middle, radius)])
            else:
                points = numbers(g.find(f"{SVG}path").get("d"))
            boxes[id] = np.array([points.min(axis=0), points.max(axis=0)])
        if kind == "edge":
            lines[id] = traced(numbers(g.find(f"{SVG}path").get("d")))
    return boxes, lines


def numbers(d: str) -> np.ndarray:
    return np.array(re.findall(r"(-?[\d.]+),(-?[\d.]+)", d), float)


def traced(points: np.ndarray) -> np.ndarray:
    t = np.linspace(0, 1, 30)[:, None]
    found = []
    for k in range(0, len(points) - 3, 3):
        a, b, c, d = points[k : k + 4]
        found.append((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)
    return np.concatenate(found)


@pytest.mark.parametrize("flow", ["right", "down"])
@pytest.mark.parametrize("draw", [*LONG, residual, labelled])
def test_rows_read_in_order_and_arrows_pass_no_boxes(draw, flow, engine):
    picture = draw(ratio=4 / 3, flow=flow)
    boxes, lines = parts(picture)
    assert boxes.keys() == {node.id for node in picture.drawing.nodes}
    for one, other in combinations(boxes.values(), 2):
        assert not ((one[0] < other[1] - 1) & (other[0] < one[1] - 1)).all()
    along = 0 if flow == "right" else 1
    for i, edge in enumerate(picture.drawing.edges):
        line = lines[f"e{i}"]
        for id, box in boxes.items():
            if id not in (edge.source, edge.target):
                assert not ((line > box[0] + 1) & (line < box[1] - 1)).all(axis=1).any(), (i, id)
        first, last = boxes[edge.source], boxes[edge.target]
        is_ahead = first[1][along] < last[0][along] + 1
        is_below = first[1][1 - along] < last[0][1 - along] + 1
        assert is_ahead or is_below  # on in its row, or in a later one
        assert np.min(np.abs(line[0] - np.clip(line[0], *first))) < 1
        assert np.max(np.abs(line[0] - np.clip(line[0], *first))) < 14
        assert np.max(np.abs(line[-1] - np.clip(line[-1], *last))) < 14


def test_a_chain_goes_on_at_the_left_of_the_next_row():
    y = Value(0.5)
    for _ in range(30):
        y = tanh(y)
    picture = graph(y, detail="scalar", flow="right", ratio=1.5)
    boxes, _ = parts(picture)
    lefts = [boxes[node.id][0] for node in picture.drawing.nodes]
    turns = [k for k in range(1, len(lefts)) if lefts[k][0] < lefts[k - 1][0]]
    assert len(turns) >= 2
    assert {round(lefts[k][0]) for k in (0, *turns)} <= {round(lefts[0][0]) + d for d in range(-20, 21)}
    assert all(lefts[k][1] > lefts[k - 1][1] + 20 for k in turns)


def test_frames_go_on_in_the_next_row(texts):
    layers = [
        nn.Linear(8, 8, rng=0),
        nn.GELU(),
        nn.LayerNorm(8),
        nn.Linear(8, 8, rng=1),
        nn.ReLU(),
        nn.Linear(8, 8, rng=2),
    ]
    picture = graph(nn.Residual(nn.Sequential(*layers)), np.ones((3, 8)), ratio=1.0, flow="right")
    drawn = texts(picture)
    pieces = {id: words for id, words in drawn.items() if "+" in id}
    assert pieces
    assert all(
        id.startswith("g") and words in ([f"… {drawn[id.split('+')[0]][0]}"], []) for id, words in pieces.items()
    )


def test_the_ratio_holds_with_a_legend_and_in_png(tmp_path):
    import struct

    picture = readme(ratio=16 / 9, legend=True)
    assert off(picture, 16 / 9) < 1.3
    width, height = struct.unpack(">II", picture.save(tmp_path / "a.png").read_bytes()[16:24])
    assert width / height == pytest.approx(size(picture)[0] / size(picture)[1], rel=0.01)


def test_a_wrapped_picture_is_the_same_each_time(engine):
    assert readme(ratio=1.5, legend=True).svg() == readme(ratio=1.5, legend=True).svg()


@pytest.mark.parametrize("ratio", [0, -1, 0.05, 11, float("nan"), float("inf"), "16:9", True, (16, 9)])
def test_ratios_that_are_none_are_refused(ratio):
    with pytest.raises(DTypeError, match=r"graph: got ratio=.*, expected width over height, a number from 0.1 to 10"):
        graph(Value(1.0) * 2, ratio=ratio)


def test_neurons_are_not_wrapped():
    with pytest.raises(DTypeError, match="graph: got ratio= for a drawing of neurons, whose columns cannot be wrapped"):
        graph(nn.MLP((2, 3, 1), rng=0), detail="neurons", ratio=2)


# -- Themes ------------------------------------------------------------------------------------------------------------


def lit(**options) -> Picture:
    x = Value(np.array([4.0, -1.0]), name="x")
    with np.errstate(all="ignore"):
        y = (sqrt(x) * 2).sum() + Value(3.0, name="#1a1a1a")
        y.backward()
    return graph(y, title='a name like "#555555"', **options)


def test_without_a_theme_the_reader_decides():
    assert "@media (prefers-color-scheme: dark)" in lit().svg()
    for theme in ("light", "dark", "transparent"):
        assert "prefers-color-scheme" not in lit(theme=theme).svg()


def colours(svg: str) -> set[str]:
    return set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', svg))


def test_the_dark_theme_has_no_light_colour(engine):
    dark = lit(theme="dark", legend=True, derivatives=True).svg()
    light = {INK, *DARK, *(look.fill for look in LOOKS.values()), *(look.border for look in LOOKS.values())}
    assert not colours(dark) & (light - set(DARK.values()))
    assert f'fill="{DARK_PAPER}"' in dark
    assert "#1a1a1a</text>" in dark  # words stay


def test_a_transparent_picture_has_no_ground_and_words_between_black_and_white(engine):
    svg = lit(theme="transparent").svg()
    papers = ElementTree.fromstring(svg).findall(f"{SVG}g/{SVG}polygon")
    assert {paper.get("fill") for paper in papers} <= {"none", "transparent"}
    title = re.search(r'<text[^>]*fill="(#[0-9a-f]{6})"[^>]*>a name', svg)[1]
    assert title == MIDDLE[INK]
    assert LOOKS[Kind.OUTPUT].fill in svg  # boxes keep theirs, so that dark words on them can be read


def test_png_files_have_the_ground_of_their_theme(tmp_path):
    from PIL.PngImagePlugin import PngImageFile

    grounds = {}
    for theme in (None, "light", "dark", "transparent"):
        with PngImageFile(lit(theme=theme).save(tmp_path / f"{theme}.png")) as image:
            grounds[theme] = image.convert("RGBA").getpixel((1, image.height - 2))
    rgb = lambda colour: tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    assert grounds[None][:3] == grounds["light"][:3] == rgb(PAPER)
    assert grounds["dark"] == (*rgb(DARK_PAPER), 255)
    assert grounds["transparent"][3] == 0


def test_pages_have_themes_too(tmp_path, open_page):
    for theme, ground in (("dark", "rgb(20, 23, 26)"), ("light", "rgb(255, 255, 255)")):
        for scheme in ("light", "dark"):
            page = open_page(lit(theme=theme, legend=True).save(tmp_path / f"{theme}.html"), color_scheme=scheme)
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground


def test_themes_that_are_none_are_refused():
    with pytest.raises(DTypeError, match="graph: got theme='blue', expected 'light', 'dark' or 'transparent'"):
        graph(Value(1.0), theme="blue")
    with pytest.raises(DTypeError, match="graph: got legend='yes', expected True or False"):
        graph(Value(1.0), legend="yes")


# -- Legends -----------------------------------------------------------------------------------------------------------

EVERY: list[tuple[Callable[..., Picture], set[str], set[str]]] = [
    (
        lambda **options: graph(Value(2.0, name="a") * 3 - 1, derivatives=True, **options),
        {"variable", "constant", "operation", "output"},
        {"from an input to what is computed from it", "which operand, where the order matters", "local derivative of the result"},
    ),
    (
        lambda **options: lit(**options),
        {"variable", "constant", "operation", "output", "NaN or infinity"},
        {"from an input to what is computed from it", "NaN or infinity passes"},
    ),
    (
        lambda **options: convolutions(**options),
        {"data", "layer", "output"},
        {"from an input to what is computed from it"},
    ),
    (
        lambda **options: graph(nn.MLP((2, 3, 1), rng=0), detail="neurons", **options),
        {"unit"},
        {"a weight", "positive weight, wider if larger", "negative weight, wider if larger"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("draw", "boxes", "arrows"), EVERY)
def test_a_legend_explains_what_occurs_and_nothing_else(draw, boxes, arrows, engine, texts):
    picture = draw(legend=True)
    drawn = texts(picture)
    entries = {words[0] for id, words in drawn.items() if id.startswith("legend") and id != "legend" and words}
    assert entries == boxes | arrows
    assert drawn["legend"] == ["Legend"]
    assert picture.drawing == draw().drawing  # the legend is no part of what is drawn
    assert "legend" not in draw().dot()
    for text in (picture.dot(), picture.mermaid()):
        for entry in boxes | arrows:
            assert entry in re.sub(r"#44;", ",", text)
    assert all(word in picture.svg() for word in ("Legend: ", *boxes))


def test_a_legend_is_below_the_picture_and_overlaps_nothing(browser, tmp_path):
    pictures = [draw(legend=True, **options).svg() for draw, _, _ in EVERY for options in ({}, {"flow": "down"})]
    page = browser.new_page()
    page.set_content("".join(f"<figure>{svg}</figure>" for svg in pictures))
    assert page.evaluate(TROUBLE, "svg") == []
    lowest, highest = (
        """svgs => [...document.querySelectorAll("svg")].map(svg => Math.max(...[...svg.querySelectorAll(
            "g.node:not([id^=legend])")].map(g => g.getBoundingClientRect().bottom)))""",
        """svgs => [...document.querySelectorAll("svg")].map(svg => svg.querySelector("#legend").getBoundingClientRect().top)""",
    )
    assert all(low < high for low, high in zip(page.evaluate(lowest), page.evaluate(highest), strict=True))
    page.close()


def test_the_page_has_the_legend_beside_the_picture(tmp_path, open_page):
    page = open_page(residual(legend=True).save(tmp_path / "a.html"))
    assert "a module of the model" in page.locator("#legend-picture").text_content()
    assert page.locator("#view").text_content().count("Legend") == 0
    page.get_by_role("button", name="Close groups").click()
    page.get_by_role("button", name="Open groups").click()


# -- Labels ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"flow": "down"}, {"ratio": 16 / 9}])
def test_nothing_crosses_the_words_on_arrows(options, browser):
    page = browser.new_page()
    page.set_content(f"<meta charset=utf-8>{graph(tangled(), derivatives=True, **options).svg()}")
    assert page.evaluate(CROSSED, "svg") == []
    assert page.evaluate(TROUBLE, "svg") == []
    page.close()


def test_crossed_words_are_found(browser):
    page = browser.new_page()
    page.set_content(
        '<svg width=200 height=200><g class=edge id=e0><path d="M0,50L200,50" stroke="red"/>'
        '<text x=50 y=55 font-size=20>word</text></g><g class=node id=n0><polygon points="40,40 60,40 60,60 40,60"/></g></svg>'
    )
    assert page.evaluate(CROSSED, "svg") == ["0: e0 crosses word of e0", "0: word of e0 lies on n0"]
    page.close()


def test_a_crossed_label_moves_no_farther_than_it_must():
    lines = {
        "e0": Line(straight((0, 0), (400, 0)), {}, Box(300, 0, 40, 14)),  # on its own arrow
        "e1": Line(straight((0, 100), (400, 100)), {}, Box(200, 85, 40, 14)),  # free
    }
    layout = Layout("right", lines=lines)
    assert clear(layout)
    label = layout.lines["e0"].label
    assert abs(label.x - 300) < 12
    assert 7 <= abs(label.y) < 20
    assert layout.lines["e1"].label == Box(200, 85, 40, 14)
    assert not clear(layout)


def test_a_page_of_several_pictures_leaves_themed_ones_alone(browser):
    page = browser.new_page(color_scheme="dark")
    page.set_content(f"<meta charset=utf-8>{lit().svg()}{lit(theme='light').svg()}")
    fills = page.evaluate(
        "[...document.querySelectorAll('svg')].map(svg => getComputedStyle(svg.querySelector('.leaf path')).fill)"
    )
    light, dark = (
        f"rgb({', '.join(str(int(c[i : i + 2], 16)) for i in (1, 3, 5))})"
        for c in (LOOKS[Kind.LEAF].fill, LOOKS[Kind.LEAF].dark)
    )
    assert fills == [dark, light]
    page.close()
