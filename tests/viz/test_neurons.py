"""From a multilayer perceptron to a Drawing of its units."""

from __future__ import annotations

import re

import numpy as np
import pytest
from samples import TROUBLE

import nn
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value
from viz import Drawing, Kind, graph
from viz.text import number


def units(model, *inputs, **options) -> Drawing:
    return graph(model, *inputs, detail="neurons", **options).drawing


def trained() -> tuple[nn.Module, np.ndarray]:
    """A 2-3-1 network after backward(), and its batch."""
    model, x = nn.MLP((2, 3, 1), activation=nn.Tanh, rng=0), np.random.default_rng(0).normal(size=(32, 2))
    (model(x) ** 2).mean().backward()
    return model, x


def test_columns_units_and_weights():
    model = nn.MLP((2, 3, 1), activation=nn.Tanh, rng=0)
    d = units(model, np.array([[0.5, -1.0], [7.0, 7.0]]))
    first = model[0]([0.5, -1.0]).tanh().data
    assert [(n.kind, n.name) for n in d.nodes] == [(Kind.UNIT, name) for name in ("x1", "x2", "h1", "h2", "h3", "y1")]
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
    assert units(model, Value([0.5, -1.0])).nodes == d.nodes  # an example without an axis for the batch


def test_a_small_net_shows_weights_biases_and_gradients():
    model, x = trained()
    d = units(model, x)
    W, b, V, c = model.parameters()
    for e in d.edges:
        j, i = int(e.source[1:]), int(e.target[1:])
        p, at = (W, (i - 2, j)) if i < 5 else (V, (0, j - 2))
        assert (e.label, e.derivative) == (number(p.data[at]), number(p.grad[at]))
    told = [(n.params, n.gradient) for n in d.nodes]
    assert told[:2] == [("", ())] * 2
    biases = [*zip(b.data, b.grad, strict=True), *zip(c.data, c.grad, strict=True)]
    assert told[2:] == [(f"b {number(value)}", (number(grad),)) for value, grad in biases]
    assert "b is a bias. ∂ is the gradient that the last backward() left, of the whole batch." in d.lines
    assert f"h1 {d.nodes[2].value[0]} {d.nodes[2].params}, gradient {d.nodes[2].gradient[0]}" in d.description
    model.zero_grad()
    d = units(model, x)
    assert {(e.derivative, n.gradient) for e in d.edges for n in d.nodes} == {("", ())}
    assert "b is a bias. No gradient yet." in d.lines


@pytest.mark.parametrize(
    ("sizes", "shown"), [((4, 4, 4), True), ((4, 4, 5), False), ((12, 1), True), ((3, 6, 2), False)]
)
def test_nets_with_more_than_sixteen_weights_between_two_columns_show_no_numbers(sizes, shown):
    d = units(nn.MLP(sizes, rng=0), np.ones(sizes[0]))
    assert {bool(e.label) for e in d.edges} == {shown}
    assert {bool(n.params) for n in d.nodes} == ({False, True} if shown else {False})


def test_the_row_of_the_batch_is_named_and_chosen():
    model, x = trained()
    assert "Values of row 0 of 32." in units(model, x).lines
    d = units(model, x, row=7)
    assert "Values of row 7 of 32." in d.lines
    assert [n.value[0] for n in d.nodes] == [
        number(v) for v in (*x[7], *np.tanh(model[0](x[7]).data), *model(x[7]).data)
    ]
    assert not [line for line in units(model, x[0]).lines if "row" in line]
    for row, message in ((32, "row=32, expected 0 to 31 for inputs of 32 rows"), (-1, "row=-1"), (1.5, "row=1.5")):
        with pytest.raises(DTypeError, match=f"graph: got {message}"):
            units(model, x, row=row)
    with pytest.raises(DTypeError, match="graph: got row=0, and no inputs"):
        units(model, row=0)
    with pytest.raises(DTypeError, match="graph: got inputs of no rows"):
        units(model, np.ones((0, 2)))


def test_magnitudes_are_those_of_a_units_weights_and_bias():
    model, x = trained()
    assert {n.magnitude for n in units(model, x).nodes} == {None}
    d = units(model, x, magnitudes=True)
    W, b, V, c = model.parameters()
    largest = [np.abs([*W.grad[i], b.grad[i]]).max() for i in range(3)] + [np.abs([*V.grad[0], *c.grad]).max()]
    assert [n.magnitude for n in d.nodes[:2]] == [None, None]
    assert [n.magnitude for n in d.nodes[2:]] == pytest.approx(list(np.log10(largest)), abs=1e-3)
    assert "fillcolor" in graph(model, x, detail="neurons", magnitudes=True).dot()


def test_symbols_name_weights_by_layer_unit_and_unit_before():
    """As in Nielsen, chapter 2: w^l_jk leads to unit j of layer l from unit k of layer l - 1, so it is entry j, k of the weight."""
    model, x = trained()
    d = units(model, x, symbols=True)
    assert [n.name for n in d.nodes] == ["a⁰₁", "a⁰₂", "a¹₁", "a¹₂", "a¹₃", "a²₁"]
    assert [n.params for n in d.nodes] == ["", "", "b¹₁", "b¹₂", "b¹₃", "b²₁"]
    assert [n.value for n in d.nodes] == [n.value for n in units(model, x).nodes]
    assert {n.gradient for n in d.nodes} == {()}
    place = {n.id: n.name for n in d.nodes}
    assert [(e.label, place[e.source], place[e.target], e.derivative) for e in d.edges if e.target == "n3"] == [
        ("w¹₂₁", "a⁰₁", "a¹₂", ""),
        ("w¹₂₂", "a⁰₂", "a¹₂", ""),
    ]
    assert "No gradient yet" not in " ".join(d.lines)
    wide = units(nn.MLP((1, 12, 1), rng=0), symbols=True)
    assert {"w¹₁₁,₁", "w²₁,₁₁", "w¹₁₁"} <= {e.label for e in wide.edges}
    large = units(nn.MLP((20, 3), rng=0), symbols=True)
    assert {e.label for e in large.edges} == {""}
    assert [n.name for n in large.nodes][-3:] == ["a¹₁", "a¹₂", "a¹₃"]


def test_inputs_are_called_as_the_user_calls_them():
    model, x = trained()
    assert [n.name for n in units(model, x, names={"pixel": x}).nodes[:2]] == ["pixel1", "pixel2"]


def test_without_inputs_there_are_no_values():
    d = units(nn.MLP((2, 3, 1), rng=0))
    assert {n.value for n in d.nodes} == {()}
    assert len(d.edges) == 9


def test_of_long_columns_the_strongest_weights_are_drawn():
    """Per layer the forty largest weights between the units that are drawn, which have the largest weights to those after."""
    model = nn.MLP((64, 100, 40, 12, 13, 10), rng=0)
    d = units(model)
    assert [len(g.nodes) for g in d.groups] == [12, 12, 12, 12, 12, 10]
    assert [(n.kind, n.name, n.count) for n in d.nodes if n.kind is Kind.FOLD] == [
        *((Kind.FOLD, f"⋮ {n} more", n) for n in (53, 89, 29, 2))
    ]
    total = sum(layer.weight.size for layer in model if isinstance(layer, nn.Linear))
    drawn = [e for e in d.edges if e.weight != 0]
    assert d.folded == f"66 of 239 units and {len(drawn)} of {total:,} weights: of each layer the strongest"
    ends = {(e.source, e.target) for e in d.edges}
    assert len(ends) == len(d.edges)
    name = {n.id: n.name for n in d.nodes}
    layers = [layer.weight.data for layer in model if isinstance(layer, nn.Linear)]
    place = {id: int(name[id][1:]) - 1 for id in name if name[id][0] in "xhy"}
    for c, W in enumerate(layers):
        before, after = ([id for id in d.groups[c + k].nodes if id in place] for k in (0, 1))
        if len(W[0]) > 12:
            score = np.abs(W[[place[id] for id in after]]).max(axis=0)
            assert {place[id] for id in before} == set(np.argsort(-score)[:11])
        mine = [abs(W[place[e.target], place[e.source]]) for e in drawn if e.source in before and e.target in after]
        every = sorted((abs(W[place[b], place[a]]) for a in before for b in after), reverse=True)
        assert sorted(mine, reverse=True) == every[:40]


def test_of_many_outputs_those_with_the_strongest_weights_are_drawn():
    model = nn.Sequential(nn.Linear(2, 20, bias=False, rng=0))
    model[0].weight.data[17] = 9.0
    d = units(model)
    assert "y18" in {n.name for n in d.nodes}
    assert len(d.groups[1].nodes) == 12


def test_a_weight_that_is_not_a_number_is_among_the_strongest():
    model = nn.MLP((784, 100, 10), rng=0)
    model[0].weight.data[55, 300] = np.nan
    model[2].weight.data[3, 55] = 10.0
    d = units(model)
    name = {n.id: n.name for n in d.nodes}
    assert [(name[e.source], name[e.target]) for e in d.edges if e.alarm] == [("x301", "h56")]


def test_layers_without_weights_belong_to_the_column_before():
    model = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(4, 2, rng=0), nn.Dropout(0.5), nn.Softmax(-1)))
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
    assert len(d.edges) == 3 * 11 + 1 + 40 + 1


def test_the_legend_does_not_depend_on_the_title():
    model = nn.Sequential(nn.Linear(2, 1, bias=False, rng=0))
    model[0].weight.data[...] = [[0.25, -0.5]]
    legend = "A line is a weight: wider if larger, up to 0.5, orange and dashed if negative."
    for title, shown in (("Mine", "Mine"), ("", ""), (None, "Sequential, 2, 1 units")):
        d = units(model, title=title)
        assert (d.title, d.lines[0], d.folded) == (shown, legend, "")
        assert legend in d.description
        assert "up to 0.5, orange" in graph(model, detail="neurons", title=title).dot()
    assert [e.weight for e in d.edges] == [0.5, -1.0]


@pytest.mark.parametrize("symbols", [False, True])
@pytest.mark.parametrize("sizes", [(2, 3, 1), (3, 4, 3, 2), (4, 4, 4), (1, 12, 1)])
def test_numbers_on_lines_do_not_overlap(browser, sizes, symbols):
    model, x = nn.MLP(sizes, rng=0), np.random.default_rng(0).normal(size=(5, sizes[0]))
    (model(x) ** 2).mean().backward()
    page = browser.new_page()
    page.set_content(f"<body>{graph(model, x, detail='neurons', symbols=symbols).svg()}</body>")
    assert page.evaluate(TROUBLE, "svg") == []
    page.close()


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


def test_where_nan_begins_has_a_whole_border_and_a_line():
    model, x = nn.MLP((2, 3, 1), nn.Tanh, rng=0), np.array([0.5, -1.0])
    assert {n.origin for n in units(model, x).nodes} == {""}
    d = units(model, np.array([np.nan, -1.0]))
    assert [n.origin for n in d.nodes] == ["NaN comes in here", *[""] * 5]
    assert "NaN comes in here: x1." in d.lines
    model[0].weight.data[1:, 0] = np.nan
    d = units(model, x)
    assert {n.name: n.origin for n in d.nodes if n.origin} == dict.fromkeys(("h2", "h3"), "NaN comes in by a parameter")
    assert "NaN comes in by a parameter: h2 and 1 more." in d.lines
    assert [n.name for n in d.nodes if n.alarm] == ["h2", "h3", "y1"]
    assert "parameter" not in graph(model, x, detail="neurons").dot().split("n0 [")[1]  # circles have no room for it
    assert {n.origin for n in units(model).nodes} == {""}


def test_magnitudes_are_told_in_words():
    model, x = trained()
    assert "show the size of the gradient, from" in units(model, x, magnitudes=True).description


def test_graphs_with_frozen_parameters_stay_valid():
    model = nn.MLP((2, 3, 1), nn.Tanh, rng=0)
    model[0].weight.requires_grad = False
    loss = model(np.ones(2)).sum()
    units(model, np.ones(2))
    loss.backward()
    assert model[2].weight.grad is not None
