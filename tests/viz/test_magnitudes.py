"""The colour scale of gradients follows the numbers that are drawn, whatever they are, and its legend is true."""

from __future__ import annotations

import re
from itertools import pairwise
from math import inf, nan

import numpy as np
import pytest

import nn
from tinygrad_edu import Value
from viz import Drawing, DrawnNode, Kind, Picture, graph
from viz.magnitudes import ZERO, magnitude, scale, shades
from viz.text import number
from viz.theme import SCALE

SIZES = {
    "one": [1.5],
    "two": [0.5, 1.5],
    "with zero": [0.0, 0.5, 1.5],
    "zeros": [0.0, -0.0],
    "equal": [-3.0, 3.0, 3.0],
    "equal as shown": [1.0, 1.00001],
    "one huge": [1.0, 2.0, 1e300],
    "negative": [-5.0, -0.001, -1.0],
    "tiny": [1e-300, 5e-324, 2e-300],
    "extremes": [5e-324, 1.7976931348623157e308],
    "not finite": [inf, nan, -inf, 2.0, 8.0],
    "nothing else": [nan, inf],
    "many": [*np.logspace(-7, 3, 40)],
}


def nodes_of(gradients) -> tuple[DrawnNode, ...]:
    return tuple(
        DrawnNode(f"n{i}", Kind.LEAF, ("1",), gradient=(number(g),), magnitude=magnitude([g]))
        for i, g in enumerate(gradients)
    )


@pytest.mark.parametrize("gradients", SIZES.values(), ids=SIZES)
def test_shades_are_monotone_and_zero_is_the_weakest(gradients):
    nodes = nodes_of(gradients)
    shade = shades(nodes)
    known = {abs(g): shade[n.id] for g, n in zip(gradients, nodes, strict=True) if np.isfinite(g)}
    assert shade.keys() == {n.id for g, n in zip(gradients, nodes, strict=True) if np.isfinite(g)}
    assert all(known[a] <= known[b] for a, b in pairwise(sorted(known)))
    assert {x for g, x in known.items() if not g} <= {ZERO}
    assert all(x > ZERO for g, x in known.items() if g)
    others = [g for g in known if g]
    if others:
        assert known[max(others)] == len(SCALE) - 1
        same = number(min(others)) == number(max(others))
        assert (known[min(others)] == 1) == (not same)


@pytest.mark.parametrize("gradients", SIZES.values(), ids=SIZES)
def test_the_legend_has_the_bounds_of_the_numbers(gradients):
    sizes = [abs(g) for g in gradients if np.isfinite(g) and g]
    legend = scale(nodes_of(gradients))
    bounds = re.findall(r"from (\S+) to (\S+) on|here all ([^.;]\S*?)[.;](?: |$)", legend)
    expected = [(number(min(sizes)), number(max(sizes)), "")] if sizes else []
    if sizes and expected[0][0] == expected[0][1]:
        expected = [("", "", expected[0][0])]
    assert bounds == expected
    assert ("gradient of 0" in legend) == (0.0 in gradients)
    assert bool(legend) == any(map(np.isfinite, gradients))


def test_a_scale_of_a_graph_is_that_of_its_gradients():
    """The legend said 0.5 to 2 for these, and the gradient of 0 was filled more strongly than that of 0.5."""
    a, b, c = (Value(x, name=name) for x, name in ((1.0, "a"), (2.0, "b"), (3.0, "c")))
    y = a * 0.5 + b * 1.5 + c * 0.0
    y.backward()
    picture = graph(y, magnitudes=True)
    shade = {n.name: shades(picture.drawing.nodes)[n.id] for n in picture.drawing.nodes if n.name}
    assert shade == {"a": 1, "b": 5, "c": ZERO}
    assert "from 0.5 to 1.5 on a logarithmic scale; a gradient of 0 has no fill and a" in picture.drawing.description
    dot, mermaid = picture.dot(), picture.mermaid()
    assert re.search(rf'fillcolor="{SCALE[ZERO]}".*style="filled,rounded,dotted"', dot)
    assert dot.count("dotted") - dot.count("dotted border") == 1
    widths = {g: float(w) for g, w in re.findall(r'fillcolor="(#\w+)".*?penwidth=([\d.]+)', dot)}
    assert widths[SCALE[ZERO]] <= widths[SCALE[1]] < widths[SCALE[5]]
    assert (
        len(re.findall(r"style n\d+ fill:#\w+,stroke-width:\d+px\n", mermaid + "\n"))
        == len(shades(picture.drawing.nodes)) - 1
    )
    assert mermaid.count("stroke-dasharray:2") == 1


@pytest.mark.parametrize(
    ("gradient", "expected"),
    [
        (np.array([3, -4]), np.log10(4)),
        (np.array([0.5, -2.0], np.float16), np.log10(2)),
        (np.array([0.0, 0.0]), -inf),
        (np.array([1.0, nan]), None),
        (np.array([1.0, inf]), None),
        (np.array([]), None),
    ],
)
def test_the_magnitude_of_an_array_is_that_of_its_largest_number(gradient, expected):
    x = Value(np.ones(gradient.shape, gradient.dtype if gradient.dtype.kind == "f" else float))
    x.grad = gradient
    assert graph(x, magnitudes=True).drawing.nodes[0].magnitude == (
        expected if expected is None else pytest.approx(expected)
    )


def test_boxes_of_a_model_have_the_same_scale():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Linear(2, 1, rng=1))
    model(np.ones((3, 2))).sum().backward()
    for p in model[1].parameters():
        p.grad = np.zeros(p.shape)
    drawing = graph(model, np.ones((3, 2)), magnitudes=True).drawing
    assert sorted(shades(drawing.nodes).values()) == [ZERO, 5]


def test_without_gradients_there_is_no_legend():
    assert scale(nodes_of([])) == ""
    assert "stronger" not in graph(Value(1.0) * 2, magnitudes=True).drawing.description


def test_no_colour_alone():
    """Without the fills, borders still tell the shades apart."""
    text = Picture(Drawing("", "", nodes_of([0.0, *np.logspace(0, 4, 5)]), ())).dot()
    looks = re.findall(r'penwidth=([\d.]+) .*style="([\w,]+)"', text)
    assert len(looks) == len(set(looks)) == 6
