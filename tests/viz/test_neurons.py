"""From a multilayer perceptron to a Drawing of its units."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nn
from tinygrad_edu import ShapeError, TinygradError, Value
from viz import Drawing, Kind, graph
from viz.text import number


def units(model, *inputs, **options) -> Drawing:
    return graph(model, *inputs, detail="neurons", **options).drawing


def test_columns_units_and_weights():
    model = nn.MLP((2, 3, 1), activation=nn.Tanh, rng=0)
    d = units(model, np.array([[0.5, -1.0], [7.0, 7.0]]))
    first = model[0]([0.5, -1.0]).tanh().data
    assert [(n.kind, n.name) for n in d.nodes] == [
        *((Kind.UNIT, "x1"), (Kind.UNIT, "x2"), (Kind.UNIT, ""), (Kind.UNIT, ""), (Kind.UNIT, ""), (Kind.UNIT, "y1"))
    ]
    assert [n.value for n in d.nodes[:5]] == [("0.5",), ("−1",), *[(number(x),) for x in first]]
    assert d.nodes[5].value == (f"{model([0.5, -1.0]).item():.4g}",)
    assert [(g.title, g.nodes) for g in d.groups] == [
        ("inputs", ("n0", "n1")),
        ("0: Linear, Tanh", ("n2", "n3", "n4")),
        ("2: Linear", ("n5",)),
    ]
    W, V = model[0].weight.data, model[2].weight.data
    scale = max(np.abs(W).max(), np.abs(V).max())
    expected = {(f"n{j}", f"n{2 + i}"): W[i, j] / scale for i in range(3) for j in range(2)}
    expected |= {(f"n{2 + j}", "n5"): V[0, j] / scale for j in range(3)}
    assert {(e.source, e.target): e.weight for e in d.edges} == pytest.approx(expected)
    assert max(abs(e.weight) for e in d.edges) == 1
    assert d.title == f"MLP, 2, 3, 1 units; weights up to {scale:.4g}, dashed if negative"
    assert units(model, Value([0.5, -1.0])).nodes == d.nodes  # an example without an axis for the batch


def test_without_inputs_there_are_no_values():
    d = units(nn.MLP((2, 3, 1), rng=0))
    assert {n.value for n in d.nodes} == {()}
    assert len(d.edges) == 9


def test_long_columns_are_cut_short():
    d = units(nn.MLP((64, 100, 40, 12, 13, 10), rng=0))
    assert [len(g.nodes) for g in d.groups] == [12, 12, 12, 12, 12, 10]
    assert [(n.kind, n.name, n.count) for n in d.nodes if n.kind is Kind.FOLD] == [
        *((Kind.FOLD, f"⋮ {n} more", n) for n in (53, 89, 29, 2))
    ]
    assert [n.name for n in d.nodes[:12]] == [*(f"x{i}" for i in range(1, 11)), "⋮ 53 more", "x64"]
    assert d.folded == "173 units are not drawn, of columns with more than 12"
    ends = {(e.source, e.target) for e in d.edges}
    assert len(ends) == len(d.edges)
    hairs = [e for e in d.edges if {e.source, e.target} & {n.id for n in d.nodes if n.kind is Kind.FOLD}]
    assert {e.weight for e in hairs} == {0.0}


def test_layers_without_weights_belong_to_the_column_before():
    model = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(4, 2, rng=0), nn.Dropout(0.5), nn.Softmax()))
    d = units(model, np.ones((3, 2, 2)))
    assert [g.title for g in d.groups] == ["inputs", "1.0: Linear, Dropout, Softmax"]
    perceptron = units(nn.Perceptron(2, 2), [[1.0, 2.0]])
    assert [n.value for n in perceptron.nodes] == [("1",), ("2",), ("1",), ("1",)]
    assert {e.weight for e in perceptron.edges} == {0.0}


def test_units_between_two_cut_columns_are_joined_by_the_hair_of_the_middle():
    """Where only one column is cut, the hair starts at the middle unit of the other; where both are, at the other's cut."""
    d = units(nn.MLP((3, 14, 15), rng=0))
    names = {n.id: n.name for n in d.nodes}
    column = {id: c for c, group in enumerate(d.groups) for id in group.nodes}
    hairs = [(e.source, e.target) for e in d.edges if names[e.target].startswith("⋮")]
    assert [(names[a], column[a], names[b], column[b]) for a, b in hairs] == [
        ("x2", 0, "⋮ 3 more", 1),
        ("⋮ 3 more", 1, "⋮ 4 more", 2),
    ]
    assert not [e for e in d.edges if names[e.source].startswith("⋮") and not names[e.target].startswith("⋮")]
    assert len(d.edges) == 3 * 11 + 1 + 11 * 11 + 1


def test_weights_belong_to_the_units_that_are_drawn():
    """The last unit of a cut column keeps its own weight and value."""
    model = nn.Sequential(nn.Linear(14, 13, bias=False, rng=0))
    x = np.arange(14.0)
    d = units(model, x)
    inputs, outputs = (g.nodes for g in d.groups)
    W = model[0].weight.data
    weight = {(e.source, e.target): e.weight for e in d.edges}
    scale = np.abs(W).max()
    for r, i in [(0, 0), (9, 9), (11, 12)]:
        for q, j in [(0, 0), (9, 9), (11, 13)]:
            assert weight[inputs[q], outputs[r]] == pytest.approx(W[i, j] / scale)
    value = {n.id: n.value for n in d.nodes}
    name = {n.id: n.name for n in d.nodes}
    assert (value[inputs[11]], name[inputs[11]], name[outputs[11]]) == (("13",), "x14", "y13")
    assert value[outputs[11]] == (f"{(W @ x)[12]:.4g}",)


def test_the_title_is_the_callers_or_tells_sizes_and_the_largest_weight():
    model = nn.Sequential(nn.Linear(2, 1, bias=False, rng=0))
    model[0].weight.data[...] = [[0.25, -0.5]]
    d = units(model, title="Mine")
    assert d.title == "Mine"
    assert units(model, title="").title == ""
    assert units(model).title == "Sequential, 2, 1 units; weights up to 0.5, dashed if negative"
    assert [e.weight for e in d.edges] == [0.5, -1.0]
    assert "Columns of 2, 1 units" in d.description
    assert "the largest being 0.5" in d.description
    assert d.folded == ""


def test_numbers_that_are_not_finite_raise_an_alarm():
    model = nn.Linear(2, 1, rng=0)
    model.weight.data[0, 0] = np.nan
    d = units(model, [1.0, 2.0])
    assert [e.alarm for e in d.edges] == [True, False]
    assert [e.weight for e in d.edges] == [0.0, pytest.approx(np.sign(model.weight.data[0, 1]))]
    assert [n.alarm for n in d.nodes] == [False, False, True]


def test_drawing_leaves_the_model_as_it_was():
    rng = np.random.default_rng(0)
    model = nn.MLP((2, 3, 1), dropout=0.5, rng=rng)
    before = rng.bit_generator.state
    units(model, [1.0, 2.0])
    assert rng.bit_generator.state == before
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (nn.Sequential(nn.Conv2d(4, 2, 1)), "0: Conv2d"),
        (nn.MLP((4, 3, 1), norm=nn.LayerNorm), "1: LayerNorm"),
        (nn.Sequential(nn.Linear(4, 3), nn.Residual(nn.Linear(3, 3))), "1: Residual"),
        (nn.Sequential(nn.GRU(4, 4)), "0: GRU"),
    ],
)
def test_what_is_no_column_of_units_is_named(model, name):
    x = np.ones((1, 4, 3, 3)) if "Conv" in name else np.ones((1, 4))
    message = "graph: detail='neurons' draws Linear layers in a row, with activations between; {} is no column of units"
    with pytest.raises(TinygradError, match=re.escape(message.format(name))):
        units(model, x)


def test_other_mistakes_are_named():
    with pytest.raises(TinygradError, match="draws Linear layers, and ReLU has none; use detail='layer'"):
        units(nn.ReLU())
    with pytest.raises(ShapeError, match="linear: got an input of shape"):
        units(nn.MLP((4, 2)), np.ones((1, 3)))


def test_columns_stand_in_order(engine):
    """From left to right, and within a column from top to bottom; titles above."""
    svg = graph(nn.MLP((3, 5, 14, 4), rng=0), np.ones((1, 3)), detail="neurons").svg()
    found = re.findall(r'<g id="(n\d+|g\d+)".*?<text[^>]* x="([-\d.]+)" y="([-\d.]+)"', svg, re.DOTALL)
    place = {id: (float(x), float(y)) for id, x, y in found}
    d = units(nn.MLP((3, 5, 14, 4), rng=0))
    tops = []
    for group in d.groups:
        heights = [place[id][1] for id in (group.id, *group.nodes)]
        assert heights == sorted(heights)
        tops.append(place[group.nodes[0]][0])
    assert tops == sorted(tops)
