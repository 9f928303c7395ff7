"""Where NaN and infinity begin, how many there are, and where the first one is."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nn
from tinygrad_edu import Value, log, sqrt
from viz import graph
from viz.drawing import remarks
from viz.reading.origins import told


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def origins(picture) -> dict[str, str]:
    """What begins where, by name or operation."""
    return {n.name or n.symbol or n.value[0]: n.origin for n in picture.drawing.nodes if n.origin}


def spoilt(shape, *places, by=np.nan):
    x = np.ones(shape)
    for place in places:
        x[place] = by
    return x


@pytest.mark.parametrize(
    ("arrays", "counts"),
    [
        ([spoilt(1000, 17)], ["1 of 1000 NaN, first at [17]"]),
        ([spoilt((3, 4), (1, 2), (2, 0))], ["2 of 12 NaN, first at [1, 2]"]),
        ([spoilt((2, 3, 4), (1, 2, 3), by=-np.inf)], ["1 of 24 infinite, first at [1, 2, 3]"]),
        ([np.array([np.inf, np.nan, 1.0])], ["1 of 3 NaN, first at [1]", "1 of 3 infinite, first at [0]"]),
        ([np.full(5, np.nan, np.float16)], ["5 of 5 NaN, first at [0]"]),
        ([1.0, float("nan"), 2.0], ["1 of 3 NaN"]),
        ([spoilt(3, 1), spoilt(2)], ["1 of 5 NaN"]),
        ([float("nan")], []),
        ([np.arange(3)], []),
        ([np.array([])], []),
    ],
)
def test_how_many_and_where_first(arrays, counts):
    assert list(told(arrays)) == counts


def test_the_origin_is_marked_and_what_follows_looks_different():
    x = Value(spoilt(1000, 17, by=-1.0), name="x")
    y = (sqrt(x) * 2.0 + 1.0).sum()
    picture = graph(y)
    assert origins(picture) == {"√": "NaN arises here"}
    root = next(n for n in picture.drawing.nodes if n.symbol == "√")
    assert remarks(root)[:2] == ("NaN arises here", "1 of 1000 NaN, first at [17]")
    styles = {
        ("origin" in kind): (style, width)
        for kind, width, style in re.findall(
            r'class="([\w ]*alarm[\w ]*)".*?penwidth=(\d).*?style="?([\w,]+)', picture.dot()
        )
    }
    assert styles == {True: ("filled", "5"), False: ("filled,dashed", "3")}
    marks = re.findall(r"stroke-width:(\dpx[^\n]*)", picture.mermaid())
    assert sorted(marks) == ["3px,stroke-dasharray:5"] * 3 + ["5px"]
    assert "NaN arises here" in picture.drawing.description
    assert "<i>NaN arises here</i>" in picture.mermaid()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Value(np.nan, name="x") * 2.0 + 1.0, {"x": "NaN comes in here"}),
        (lambda: Value(1.0, name="x") * np.array([1.0, np.inf]), {"inf": "infinity comes in here"}),
        (lambda: log(Value(0.0, name="x")) + 1.0, {"ln": "infinity arises here"}),
        (lambda: (log(Value(0.0)) + 1.0) * 0.0, {"ln": "infinity arises here", "×": "NaN arises here, from infinity"}),
        (lambda: sqrt(Value(-1.0)) + log(Value(-1.0)), {"√": "NaN arises here", "ln": "NaN arises here"}),
        (lambda: Value(1e308) * 10.0, {"×": "infinity arises here"}),
        (lambda: Value(1.0) * 2.0, {}),
    ],
)
def test_values_begin_where_the_inputs_are_sound(make, expected):
    assert origins(graph(make(), detail="scalar")) == expected


def test_gradients_begin_on_the_way_back():
    x, w = Value(np.array([[4.0, 1.0], [0.0, 9.0]]), name="x"), Value(2.0, name="w")
    y = (sqrt(x * w) * 3.0).sum()
    y.backward()
    nodes = {n.name or n.symbol + str(n.uses): n for n in graph(y).drawing.nodes}
    (product,) = [n for n in graph(y).drawing.nodes if n.origin]
    assert (product.symbol, product.origin) == ("×", "gradient: infinity arises here, behind √")
    assert nodes["x"].notes == ("gradient: 1 of 4 infinite, first at [1, 0]",)
    assert nodes["x"].alarm
    assert nodes["w"].alarm


def test_a_gradient_that_is_not_finite_since_its_value_is_not_is_no_origin():
    x = Value(-1.0, name="x")
    y = sqrt(x) * 2.0
    y.backward()
    assert origins(graph(y)) == {"√": "NaN arises here"}


def test_a_seed_that_is_not_finite_comes_in_at_the_output():
    y = Value(2.0, name="x") * 3.0
    y.backward(np.nan)
    assert origins(graph(y)) == {"×": "gradient: NaN comes in here"}


def test_several_operations_drawn_as_one_tell_how_many_begin():
    y = sum(sqrt(Value(-1.0 if i % 4 == 0 else 1.0)) * Value(1.0) for i in range(64))
    told_by = [n for n in graph(y).drawing.nodes if n.origin]
    assert [(n.symbol, n.origin) for n in told_by] == [("√", "NaN arises here (16 of 64)")]
    assert "16 of 64 NaN" in told_by[0].notes


def test_the_backward_picture_marks_them_too():
    x = Value(0.0, name="x")
    picture = graph(sqrt(x) * 2.0, detail="backward")
    assert {n.symbol: n.origin for n in picture.drawing.nodes if n.origin} == {"dy/dx": "infinity arises here"}


def test_a_model_names_the_parameter():
    model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Linear(8, 2, rng=0))
    model[0].weight.data[3, 1] = np.nan
    nodes = graph(model, np.ones((3, 4))).drawing.nodes
    assert [n.origin for n in nodes] == ["", "NaN comes in by a parameter", "", "", ""]
    assert {"3 of 24 NaN, first at [0, 3]", "weight: 1 of 32 NaN, first at [3, 1]"} <= set(nodes[1].notes)
    assert [n.alarm for n in nodes] == [False, True, True, True, True]


def test_a_model_marks_the_layer_in_which_it_begins():
    class Root(nn.Module):
        def forward(self, x):
            return sqrt(x)

    model = nn.Sequential(nn.Linear(2, 2, rng=0), Root(), nn.Tanh())
    model[0].weight.data[...] = np.eye(2)
    nodes = graph(model, np.full((1, 2), -1.0)).drawing.nodes
    assert [n.origin for n in nodes if n.origin] == ["NaN arises here"]
    assert next(n for n in nodes if n.origin).symbol == "Root"
    nodes = graph(model, np.array([[np.nan, 1.0]])).drawing.nodes
    assert [(n.name, n.origin) for n in nodes if n.origin] == [("x", "NaN comes in here")]


def test_gradients_of_parameters_tell_where():
    model = nn.Sequential(nn.Linear(2, 2, rng=0))
    model[0].weight.grad = spoilt((2, 2), (1, 0))
    nodes = graph(model, np.ones((1, 2))).drawing.nodes
    assert "weight gradient: 1 of 4 NaN, first at [1, 0]" in nodes[1].notes
    assert nodes[1].alarm
