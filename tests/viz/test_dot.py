"""The DOT text: what exactly is written, and that nothing in a name can break it."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from itertools import combinations

import numpy as np
import pytest
from hostile import HOSTILE
from samples import printed_under_two_hash_seeds

from tinygrad_edu import Value
from viz import Drawing, DrawnNode, Edge, Group, Kind, Picture, graph
from viz.text import plain
from viz.theme import ALARM, DARK, DARK_PAPER, DARK_SCALE, FAINT, GRADIENT, INK, LOOKS, MIDDLE, PAPER, SCALE, css


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:20])
def test_a_hostile_name_is_shown_as_it_is(name, engine, texts):
    shown = [plain(name), "value", "1", "no gradient yet"]
    y = Value(1.0, name=name) * 2
    assert texts(graph(y)) == {
        "n0": shown,
        "n1": ["2"],
        "n2": ["×", "value", "2", "no gradient yet"],
        "e0": [],
        "e1": [],
    }


@pytest.mark.parametrize("text", [*HOSTILE, ""], ids=lambda name: ascii(name)[:20])
def test_hostile_text_in_any_place_is_shown_as_it_is(text, engine, texts):
    leaf = DrawnNode("n0", Kind.LEAF, ("1",), text, text, text, "", (text,), (text,) if text else ())
    array = DrawnNode("n1", Kind.OUTPUT, ("1", "2", "3"), form=text or "()", gradient=("4", "5", "6"))
    nodes, edges = (leaf, array), (Edge("n0", "n1", text),)
    picture = Picture(Drawing(text, text, nodes, edges, (Group("g0", text, ("n0",)),)))
    shown = {id: "".join(parts) for id, parts in texts(picture).items()}
    assert shown["e0"].strip() == plain(text).strip()
    assert shown["g0"].strip() == plain(text).strip()
    assert shown["n0"].count(plain(text).strip()) >= (5 if text else 0)
    assert shown["n1"].endswith("valuegradientmean14min25max36")


def test_no_name_is_no_row(engine, texts):
    y = Value(1.0, name="") * 2
    assert texts(graph(y))["n0"] == ["value", "1", "no gradient yet"]


def test_an_empty_array_has_a_form_and_no_numbers(engine, texts):
    y = Value(np.zeros((0, 3)), name="x") * np.ones((0, 1))
    y.backward(np.zeros((0, 3)))
    assert texts(graph(y)) == {
        "n0": ["x", "(0, 3) float64"],
        "n1": ["(0, 1) float64"],
        "n2": ["×", "(0, 3) float64"],
        "e0": [],
        "e1": [],
    }


def test_a_gradient_set_by_hand_may_be_a_single_number(engine, texts):
    x = Value([1.0, 2.0])
    x.grad = 0
    assert texts(graph(x))["n0"] == [
        "(2,) float64",
        "value",
        "gradient",
        "mean",
        "1.5",
        "0",
        "min",
        "1",
        "0",
        "max",
        "2",
        "0",
    ]


def test_text_is_stable_between_runs_and_hash_seeds():
    code = """
from tinygrad_edu import Value, tanh
from viz import graph
x, w = Value([[1.0, 2.0]], name="x"), Value([[3.0], [4.0]])
y = (tanh(x @ w + 1) * x - {"k": 1}["k"]).sum(axis=0)[0]
y.backward()
print(graph(y, names=locals(), title="title").dot())
"""
    runs = printed_under_two_hash_seeds(code)
    assert runs[0] == runs[1]
    assert b"gradient" in runs[0]


def test_no_dpi_unless_asked_for():
    assert "dpi" not in graph(Value(1.0)).dot()


# -- Looks -------------------------------------------------------------------------------------------------------------


def _luminance(colour: str) -> float:
    """WCAG 2.1's relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("kind", Kind)
def test_every_word_and_border_has_contrast(kind):
    look = LOOKS[kind]
    assert all(_contrast(ink, look.fill) >= 4.5 for ink in (INK, FAINT, GRADIENT, ALARM))  # WCAG AA for text
    assert all(_contrast(DARK[ink], look.dark) >= 4.5 for ink in (INK, FAINT, GRADIENT, ALARM))
    assert _contrast(look.border, PAPER) >= 3  # and for graphics
    assert _contrast(look.dark_border, DARK_PAPER) >= 3


def test_the_scale_of_gradients_has_contrast_and_an_order():
    for ink in (INK, FAINT, GRADIENT, ALARM):
        assert all(_contrast(ink, fill) >= 4.5 for fill in SCALE)
        assert all(_contrast(DARK[ink], fill) >= 4.5 for fill in DARK_SCALE)
    assert sorted(SCALE, key=_luminance, reverse=True) == list(SCALE)  # farther and farther from the paper
    assert sorted(DARK_SCALE, key=_luminance) == list(DARK_SCALE)


@pytest.mark.parametrize("light", [FAINT, ALARM, *(colour for colour in DARK if colour != INK)])
def test_arrows_have_contrast(light):
    assert _contrast(light, PAPER) >= 3
    assert _contrast(DARK[light], DARK_PAPER) >= 3


@pytest.mark.parametrize("light", DARK)
def test_words_without_a_ground_are_read_on_light_and_on_dark(light):
    assert _contrast(MIDDLE[light], PAPER) >= 4.15
    assert _contrast(MIDDLE[light], DARK_PAPER) >= 4.15


def test_in_the_dark_every_colour_of_a_picture_has_another(engine):
    nodes = [DrawnNode(f"n{i}", kind, ("1",), gradient=("2",), notes=("note",)) for i, kind in enumerate(Kind)]
    nodes.append(DrawnNode("n90", Kind.LEAF, ("1",), alarm=True))
    edges = [Edge("n0", "n90", weight=0.5), Edge("n1", "n90", weight=-0.5), Edge("n2", "n90", "a", "0.5", alarm=True)]
    svg = Picture(Drawing("Title", "", tuple(nodes), tuple(edges), folded="much")).svg()
    colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', svg))
    assert {look.fill for look in LOOKS.values()} <= colours
    assert re.findall(r"<text (?![^>]*fill=)", svg) == []
    assert colours <= set(re.findall(r'="(#[0-9a-f]{6})"\] {', css()))


def test_kinds_differ_by_colour_and_by_shape():
    for one, other in combinations(LOOKS.values(), 2):
        assert one.fill != other.fill
        assert one.border != other.border
        assert one.dark_border != other.dark_border
        assert (one.shape, one.style, one.peripheries) != (other.shape, other.style, other.peripheries)


# -- What a drawing may ask for ----------------------------------------------------------------------------------------

A, B = DrawnNode("n0", Kind.LEAF, ("1",)), DrawnNode("n1", Kind.OUTPUT, ("2",), "+")


def test_weights_are_width_and_colour_and_negative_ones_dashes():
    d = Drawing("", "", (A, B), (Edge("n0", "n1", weight=0.5), Edge("n0", "n1", weight=-1.0)))
    lines = [line for line in Picture(d).dot().splitlines() if "->" in line]
    assert 'color="#0072b2"' in lines[0]
    assert 'penwidth="2.00"' in lines[0].replace("penwidth=2.00", 'penwidth="2.00"')
    assert 'color="#b34700"' in lines[1]
    assert "penwidth=3.50" in lines[1]
    assert ["style=dashed" in line for line in lines] == [False, True]


def test_an_alarm_is_red_thick_and_dashed(engine):
    d = Drawing("", "", (replace(A, alarm=True), B), (Edge("n0", "n1", alarm=True), Edge("n0", "n1")))
    svg = Picture(d).svg()
    assert 'class="node leaf alarm"' in svg
    assert svg.count("stroke-dasharray") == 2
    assert "stroke-dasharray" not in Picture(Drawing("", "", (A, B), (Edge("n0", "n1"),))).svg()


def test_gradients_by_magnitude():
    nodes = tuple(DrawnNode(f"n{i}", Kind.LEAF, ("1",), magnitude=m) for i, m in enumerate((-4.0, 0.0, -2.0, None)))
    text = Picture(Drawing("", "", nodes, ())).dot()
    fills = re.findall(r'class=leaf .*fillcolor="(#......)"', text)
    assert fills == [SCALE[1], SCALE[5], SCALE[3], LOOKS[Kind.LEAF].fill]
    assert "from 0.0001 to 1 on a" in text


def test_the_largest_gradient_alone_is_dark():
    assert SCALE[-1] in Picture(Drawing("", "", (replace(A, magnitude=1.0),), ())).dot()


def test_a_shared_node_says_so_and_data_does_not(engine, texts):
    nodes = (replace(A, uses=3), DrawnNode("n1", Kind.DATA, ("1",), uses=3), DrawnNode("n2", Kind.LEAF, ("1",), uses=1))
    shown = texts(Picture(Drawing("", "", nodes, ())))
    assert shown["n0"] == ["value", "1", "used 3×: gradients add up"]
    assert shown["n1"] == shown["n2"] == ["value", "1"]


def test_a_frame_has_a_handle_on_a_page_only(both_engines, tmp_path):
    groups = (Group("g0", "frame", ("n0",)),)
    picture = Picture(Drawing("", "", (DrawnNode("n0", Kind.RESULT, ("1",), "+"),), (), groups))
    assert "<frame>" in picture.dot()
    assert "▾ frame" in picture.save(tmp_path / "page.html").read_text(encoding="utf-8").replace("\u00a0", " ")


def test_frames_stand_in_frames(engine):
    nodes = tuple(DrawnNode(f"n{i}", Kind.RESULT, ("1",), "+") for i in range(3))
    groups = (Group("g0", "outer", ("n0",)), Group("g1", "inner", ("n1",), parent="g0"), Group("g2", "other", ("n2",)))
    svg = Picture(Drawing("", "", nodes, (), groups)).svg()

    def box(id: str) -> np.ndarray:
        path = re.search(rf'<g id="{id}".*?<(?:path|polygon) [^>]*?(?:points| d)="([^"]*)"', svg, re.DOTALL)[1]
        xy = np.array([[float(x) for x in pair.split(",")] for pair in re.findall(r"[-\d.]+,[-\d.]+", path)])
        return np.array([*xy.min(axis=0), *xy.max(axis=0)])

    def inside(inner: str, outer: str) -> bool:
        a, b = box(inner), box(outer)
        return bool((a[:2] >= b[:2]).all() and (a[2:] <= b[2:]).all())

    assert inside("g1", "g0")
    assert inside("n1", "g1")
    assert inside("n0", "g0")
    assert not inside("n0", "g1")
    assert not inside("g2", "g0")


@pytest.mark.parametrize("kind", Kind)
def test_no_text_leaves_its_shape(kind, engine):
    """Words stand within the outline of every shape, by the widths that Graphviz itself measured."""
    node = DrawnNode(
        "n0", kind, ("-0.1234",), "tanh", "axis=0", "a name", "", ("-1.234e-05",), ("no gradient yet",), uses=2
    )
    svg = Picture(Drawing("", "", (node,), ())).svg()
    inner = svg[svg.index('<g id="n0"') :]
    shape = re.search(r"<(polygon|path|ellipse) [^>]*>", inner)[0]
    if "<ellipse" in shape:
        cx, rx = (float(re.search(rf'{k}="([-\d.]+)"', shape)[1]) for k in ("cx", "rx"))
        low, high = cx - rx, cx + rx
    else:
        xs = [float(x) for x in re.findall(r"([-\d.]+),[-\d.]+", shape)]
        low, high = min(xs), max(xs)
    for x, size, text in re.findall(r'<text [^>]*x="([-\d.]+)"[^>]*font-size="([\d.]+)"[^>]*>([^<]*)<', inner):
        assert low - 0.5 <= float(x)
        assert float(x) + 0.4 * float(size) * len(unescape(text)) <= high + 0.5
