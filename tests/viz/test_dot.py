"""The DOT text: what exactly is written, and that nothing in a name can break it."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest

from tinygrad_edu import Value, tanh
from viz import Drawing, DrawnNode, Edge, Group, Kind, Picture, graph
from viz.dot import FAINT, GRADIENT, INK, LOOKS
from viz.text import plain

HOSTILE = [
    'quo"te',
    "back\\slash\\",
    r"\N \G \L \n \l \\",
    "<b>bold</b>",
    "</script><script>alert(1)</script>",
    "--> ]]> <!-- <![CDATA[",
    "&lt; &amp; &#65; &nonsense;",
    "new\nline\r\ttab",
    "nul\x00bell\x07",
    "\u202eturned",
    "עברית",
    "中文名字",
    "\ud800",
    "{a|b} n0:port",
    "'",
    " ",
    "n0 -> n1; }",
    "x" * 10_000,
]


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
    assert texts(graph(x))["n0"] == ["(2,) float64", "value", "gradient", "mean", "1.5", "0", "min", "1", "max", "2"]


def test_text_is_stable_between_runs_and_hash_seeds():
    code = """
from tinygrad_edu import Value, tanh
from viz import graph
x, w = Value([[1.0, 2.0]], name="x"), Value([[3.0], [4.0]])
y = (tanh(x @ w + 1) * x - {"k": 1}["k"]).sum(axis=0)[0]
y.backward()
print(graph(y, locals(), "title").dot())
"""
    runs = []
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        runs.append(subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout)
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
    assert all(_contrast(ink, look.fill) >= 4.5 for ink in (INK, FAINT, GRADIENT))  # WCAG AA for text
    assert _contrast(look.border, "#ffffff") >= 3  # and for graphics


def test_kinds_differ_by_colour_and_by_shape():
    for one, other in combinations(LOOKS.values(), 2):
        assert one.fill != other.fill
        assert one.border != other.border
        assert (one.shape, one.style, one.peripheries) != (other.shape, other.style, other.peripheries)


# -- Golden texts ------------------------------------------------------------------------------------------------------


def golden(value: Value, title: str | None = None) -> str:
    return "\n" + graph(value, title=title).dot()


def test_golden_scalars():
    a, b = Value(2.0, name="a"), Value(-3.0)
    y = tanh(a * b)
    y.backward()
    y.name = "y"
    assert golden(y) == GOLDEN_SCALARS


def test_golden_square():
    x = Value(3.0, name="x")
    assert golden(x * x, "A square & <more>") == GOLDEN_SQUARE


def test_golden_matrices():
    x, w = np.array([[1.0, 2.0]]), Value(np.array([[3.0], [4.0]]), name="w")
    y = (x @ w).sum(axis=0)
    y.backward()
    assert golden(y) == GOLDEN_MATRICES


GOLDEN_SCALARS = """
digraph {
	graph [fontname=Helvetica fontsize=18 labelloc=t nodesep=0.25 nslimit=4 rankdir=LR ranksep=0.45]
	node [fontcolor="#1a1a1a" fontname=Helvetica fontsize=14 penwidth=1.5]
	edge [arrowsize=0.7 color="#555555" fontcolor="#555555" fontname=Helvetica fontsize=11]
	n0 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD COLSPAN="3"><B>a</B></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">value</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">2</TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#a03c00" POINT-SIZE="11">gradient</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">-7.373e-05</FONT></TD></TR>
</TABLE>> class=leaf color="#0072b2" fillcolor="#e3f2fb" id=n0 margin="0.08,0.03" ordering=in peripheries=1 shape=box style="filled,rounded"]
	n1 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">value</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">-3</TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#a03c00" POINT-SIZE="11">gradient</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">4.915e-05</FONT></TD></TR>
</TABLE>> class=leaf color="#0072b2" fillcolor="#e3f2fb" id=n1 margin="0.08,0.03" ordering=in peripheries=1 shape=box style="filled,rounded"]
	n2 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD COLSPAN="3"><B><FONT COLOR="#1a1a1a" POINT-SIZE="18">×</FONT></B></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">value</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">-6</TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#a03c00" POINT-SIZE="11">gradient</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">2.458e-05</FONT></TD></TR>
</TABLE>> class=result color="#b87a00" fillcolor="#fff6e5" id=n2 margin="0.08,0.03" ordering=in peripheries=1 shape=box style=filled]
	n3 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD COLSPAN="3"><B><FONT COLOR="#1a1a1a" POINT-SIZE="18">tanh</FONT></B></TD></TR>
<TR><TD COLSPAN="3"><B>y</B></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">value</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">-1</TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#a03c00" POINT-SIZE="11">gradient</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">1</FONT></TD></TR>
</TABLE>> class=output color="#007a5a" fillcolor="#e2f5ee" id=n3 margin="0.08,0.03" ordering=in peripheries=2 shape=box style=filled]
	n0 -> n2 [id=e0]
	n1 -> n2 [id=e1]
	n2 -> n3 [id=e2]
}
"""

GOLDEN_SQUARE = """
digraph {
	graph [fontname=Helvetica fontsize=18 label=<<B>A square &amp; &lt;more&gt;</B>> labelloc=t nodesep=0.25 nslimit=4 rankdir=LR ranksep=0.45]
	node [fontcolor="#1a1a1a" fontname=Helvetica fontsize=14 penwidth=1.5]
	edge [arrowsize=0.7 color="#555555" fontcolor="#555555" fontname=Helvetica fontsize=11]
	n0 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD COLSPAN="3"><B>x</B></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">value</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">3</TD></TR>
<TR><TD COLSPAN="3"><I><FONT COLOR="#555555" POINT-SIZE="12">no gradient yet</FONT></I></TD></TR>
</TABLE>> class=leaf color="#0072b2" fillcolor="#e3f2fb" id=n0 margin="0.08,0.03" ordering=in peripheries=1 shape=box style="filled,rounded"]
	n1 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD COLSPAN="3"><B><FONT COLOR="#1a1a1a" POINT-SIZE="18">×</FONT></B></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">value</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">9</TD></TR>
<TR><TD COLSPAN="3"><I><FONT COLOR="#555555" POINT-SIZE="12">no gradient yet</FONT></I></TD></TR>
</TABLE>> class=output color="#007a5a" fillcolor="#e2f5ee" id=n1 margin="0.08,0.03" peripheries=2 shape=box style=filled]
	n0 -> n1 [id=e0]
	n0 -> n1 [id=e1]
}
"""

GOLDEN_MATRICES = """
digraph {
	graph [fontname=Helvetica fontsize=18 labelloc=t nodesep=0.25 nslimit=4 rankdir=LR ranksep=0.45]
	node [fontcolor="#1a1a1a" fontname=Helvetica fontsize=14 penwidth=1.5]
	edge [arrowsize=0.7 color="#555555" fontcolor="#555555" fontname=Helvetica fontsize=11]
	n0 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD COLSPAN="5"><B>w</B></TD></TR>
<TR><TD COLSPAN="5"><FONT COLOR="#555555" POINT-SIZE="11">(2, 1) float64</FONT></TD></TR>
<TR><TD ALIGN="LEFT"></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#555555" POINT-SIZE="11">value</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="11">gradient</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">mean</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">3.5</TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">1.5</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">min</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">3</TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">1</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">max</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">4</TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">2</FONT></TD></TR>
</TABLE>> class=leaf color="#0072b2" fillcolor="#e3f2fb" id=n0 margin="0.08,0.03" ordering=in peripheries=1 shape=box style="filled,rounded"]
	n1 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD COLSPAN="3"><FONT COLOR="#555555" POINT-SIZE="11">(1, 2) float64</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">mean</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">1.5</TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">min</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">1</TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">max</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">2</TD></TR>
</TABLE>> class=constant color="#767676" fillcolor="#f2f2f2" id=n1 margin="0.03,0" ordering=in peripheries=1 shape=ellipse style=filled]
	n2 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD COLSPAN="5"><B><FONT COLOR="#1a1a1a" POINT-SIZE="18">@</FONT></B></TD></TR>
<TR><TD COLSPAN="5"><FONT COLOR="#555555" POINT-SIZE="11">(1, 1) float64</FONT></TD></TR>
<TR><TD ALIGN="LEFT"></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#555555" POINT-SIZE="11">value</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="11">gradient</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">mean</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">11</TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">1</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">min</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">11</TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">1</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">max</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">11</TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">1</FONT></TD></TR>
</TABLE>> class=result color="#b87a00" fillcolor="#fff6e5" id=n2 margin="0.08,0.03" ordering=in peripheries=1 shape=box style=filled]
	n3 [label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">
<TR><TD COLSPAN="5"><B><FONT COLOR="#1a1a1a" POINT-SIZE="18">Σ</FONT></B> <FONT COLOR="#555555" POINT-SIZE="11">axis=0</FONT></TD></TR>
<TR><TD COLSPAN="5"><FONT COLOR="#555555" POINT-SIZE="11">(1,) float64</FONT></TD></TR>
<TR><TD ALIGN="LEFT"></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#555555" POINT-SIZE="11">value</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="11">gradient</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">mean</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">11</TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">1</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">min</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">11</TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">1</FONT></TD></TR>
<TR><TD ALIGN="LEFT"><FONT COLOR="#555555" POINT-SIZE="11">max</FONT></TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48">11</TD><TD WIDTH="4"></TD><TD ALIGN="RIGHT" WIDTH="48"><FONT COLOR="#a03c00" POINT-SIZE="14">1</FONT></TD></TR>
</TABLE>> class=output color="#007a5a" fillcolor="#e2f5ee" id=n3 margin="0.08,0.03" ordering=in peripheries=2 shape=box style=filled]
	n1 -> n2 [label=<1st> id=e0]
	n0 -> n2 [label=<2nd> id=e1]
	n2 -> n3 [id=e2]
}
"""
