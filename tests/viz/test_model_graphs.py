"""From a model to a Drawing at the level of layers: boxes, arrows, frames, what is folded, and runs that fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from samples import printed_under_two_hash_seeds

import nn
from nn.functional import cross_entropy
from tinygrad_edu import DTypeError, GraphError, ShapeError, Value, concatenate, detach, no_grad, relu
from viz import Drawing, DrawnNode, Edge, Kind, Picture, graph, picture
from viz.text import number

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4))
EXAMPLES = Path(__file__).parents[2] / "examples"


def draw(model, *inputs, **options) -> Drawing:
    return graph(model, *(inputs or (X,)), **options).drawing


def by_name(drawing: Drawing) -> dict[str, DrawnNode]:
    """Nodes by name, operations by symbol."""
    return {node.name or node.symbol: node for node in drawing.nodes}


def arrows(drawing: Drawing) -> set[tuple[str, str]]:
    called = {node.id: node.name or node.symbol for node in drawing.nodes}
    return {(called[edge.source], called[edge.target]) for edge in drawing.edges}


def frames(drawing: Drawing) -> dict[str, tuple[str, str]]:
    """For each frame's title the one around it, and what is directly inside."""
    called = {node.id: node.name or node.symbol for node in drawing.nodes}
    titles = {group.id: group.title for group in drawing.groups}
    return {
        group.title: (titles.get(group.parent, ""), " ".join(map(called.get, group.nodes))) for group in drawing.groups
    }


# -- Structure ---------------------------------------------------------------------------------------------------------


def test_a_perceptron_is_a_row_of_boxes():
    d = draw(nn.MLP((4, 8, 3), rng=0))
    assert [(n.id, n.kind, n.symbol, n.params, n.name, n.form) for n in d.nodes] == [
        ("n0", Kind.DATA, "", "", "x", "(5, 4) float64"),
        ("n1", Kind.MODULE, "Linear", "4, 8", "0", "(5, 8) float64"),
        ("n2", Kind.MODULE, "ReLU", "", "1", "(5, 8) float64"),
        ("n3", Kind.MODULE, "Linear", "8, 3", "2", "(5, 3) float64"),
        ("n4", Kind.OUTPUT, "", "", "output", "(5, 3) float64"),
    ]
    assert d.edges == tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(4))
    assert (d.title, d.groups, d.folded, d.flow) == ("MLP, 67 parameters", (), "", "down")
    assert d.nodes[1].notes == ("40 parameters", "no gradient yet")
    assert "from the inputs at the top to the output at the bottom" in d.description
    assert "module 0 Linear 4, 8: (5, 8) float64, 40 parameters, no gradient yet" in d.description


def test_a_residual_has_a_frame_and_a_path_around_it():
    d = draw(nn.Residual(nn.MLP((4, 8, 4), rng=0)))
    assert frames(d) == {"body: MLP": ("", "body.0 body.1 body.2")}
    assert {("x", "body.0"), ("x", "+"), ("body.2", "+"), ("+", "output")} <= arrows(d)
    assert by_name(d)["+"].kind is Kind.RESULT


def test_what_passes_through_a_module_unchanged_has_its_box_and_keeps_its_path_around():
    body = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 4, rng=0), nn.Identity())
    d = draw(nn.Sequential(nn.Residual(body), nn.Linear(4, 2, rng=0)).eval())
    around = {("x", "0.body.0"), ("0.body.0", "0.body.1"), ("0.body.1", "0.body.2"), ("0.body.2", "+"), ("x", "+")}
    assert arrows(d) == around | {("+", "1"), ("1", "output")}


def test_a_convolutional_network(monkeypatch):
    pytest.importorskip("sklearn", reason="the example loads scikit-learn's digits")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    from digits_conv import network

    d = draw(network(np.random.default_rng(0)), np.ones((2, 1, 8, 8), np.float32))
    boxes = [n for n in d.nodes if n.kind is Kind.MODULE]
    kinds = "Conv2d BatchNorm2d ReLU MaxPool2d Conv2d BatchNorm2d ReLU MaxPool2d Flatten Dropout Linear"
    assert [n.symbol for n in boxes] == kinds.split()
    assert [n.name for n in boxes] == [str(i) for i in range(11)]
    assert [n.form for n in boxes][3:9:5] == ["(2, 16, 4, 4) float32", "(2, 128) float32"]
    assert boxes[0].notes == ("1, 16, kernel_size=3,", "padding='same'", "160 parameters", "no gradient yet")
    assert len(d.edges) == 12


@pytest.mark.parametrize("steps", [1, 50])
def test_a_recurrent_network_is_one_box_however_long_the_sequence(steps):
    d = draw(nn.GRU(4, 3, rng=0), np.ones((steps, 2, 4)))
    assert [(n.symbol, n.name) for n in d.nodes] == [("", "x"), ("GRU", ""), ("", "output 1"), ("", "output 2")]
    assert d.nodes[1].form == f"({steps}, 2, 3) float64, (1, 2, 3) float64"
    assert len(d.edges) == 3


def test_inside_a_transformer_layer():
    model = nn.TransformerEncoderLayer(8, 2, 16, rng=0)
    d = draw(model, np.ones((5, 2, 8)), detail="layer")
    assert list(frames(d)) == ["self_attn: MultiheadAttention"]
    assert {"self_attn.out_proj", "dropout1", "norm1", "linear1", "dropout", "linear2", "dropout2", "norm2"} <= set(
        by_name(d)
    )
    assert {("src", "+"), ("dropout1", "+"), ("norm1", "+"), ("dropout2", "+"), ("norm1", "linear1")} <= arrows(d)
    symbols = [n.symbol for n in d.nodes if n.kind is Kind.RESULT]
    assert symbols.count("@") == 2
    assert "softmax" in symbols
    assert "× 0.5" in symbols  # 1 / √d
    linear = next(n for n in d.nodes if n.symbol == "xWᵀ + b")
    assert linear.notes == ("with in_proj_weight, in_proj_bias",)
    short = draw(model, np.ones((5, 2, 8)))
    assert len(short.nodes) < len(d.nodes)
    chain = next(n for n in short.nodes if "softmax" in n.symbol)
    assert (chain.symbol, chain.params) == ("@ → × 0.5 → softmax", "")
    assert [edge.label for edge in short.edges if edge.target == chain.id] == ["1st", "2nd"]


class Between(nn.Module):
    """Numbers, a weight of its own, a mask and several operands between modules."""

    def __init__(self):
        self.inner, self.scale = nn.Linear(4, 4, rng=0), Value(np.ones(4), name="s")

    def forward(self, x):
        h = self.inner(2 - x) * (self.scale * 3)
        return h * np.tri(5, 4) - x.reshape(5, 4)


def test_operations_between_modules():
    d = draw(Between())
    assert [n.symbol or n.name or n.kind.value for n in d.nodes] == [
        *("x", "2 -", "Linear", "×", "constant", "×", "reshape", "-", "output")
    ]
    assert [n.notes for n in d.nodes if n.symbol == "×"] == [("with scale",), ()]
    assert [(e.source, e.label) for e in d.edges if e.target == "n7"] == [("n5", "1st"), ("n6", "2nd")]


def test_inputs_are_told_by_name():
    named, called = Value(np.ones((2, 4)), name="mine"), np.ones((2, 4))

    class Sum(nn.Module):
        def forward(self, a, b, c, scale=1.0):
            return a + b + c

    d = draw(Sum(), named, called, np.ones((2, 4)), names={"called": called, "_": called, "other": 3})
    assert [(n.name, n.kind) for n in d.nodes[:3]] == [("mine", Kind.LEAF), ("called", Kind.DATA), ("c", Kind.DATA)]


def test_integers_views_and_lists_are_inputs_too():
    class Words(nn.Module):
        def __init__(self):
            self.embedding = nn.Embedding(5, 4, rng=0)

        def forward(self, words):
            return self.embedding(words.T)

    assert arrows(draw(Words(), np.ones((2, 3), int))) == {("words", "embedding"), ("embedding", "output")}
    assert arrows(draw(nn.Linear(2, 1), [[1.0, 2.0]])) == {("x", "Linear"), ("Linear", "output")}


def test_what_is_used_twice_is_drawn_by_itself_and_its_uses_are_counted():
    class Twice(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(4, 4, rng=0)

        def forward(self, x):
            h = self.inner(x).exp()
            return h, np.tanh(h) * np.sin(h)

    d = draw(Twice())
    assert {("exp", "tanh"), ("exp", "sin"), ("tanh", "×"), ("sin", "×"), ("exp", "output 1")} <= arrows(d)
    assert by_name(d)["exp"].uses == 2  # gradients add up of two; what is returned is no use


def test_what_a_module_reads_from_elsewhere_is_an_arrow_too():
    class Reader(nn.Module):
        def forward(self, x):
            return x + np.tanh(self.memory)

    class Writer(nn.Module):
        def __init__(self):
            self.first, self.reader = nn.Linear(4, 4, rng=0), Reader()

        def forward(self, x):
            self.reader.memory = self.first(x)
            return self.reader(x)

    assert arrows(draw(Writer())) == {("x", "first"), ("x", "reader"), ("first", "reader"), ("reader", "output")}


def test_what_is_cut_off_from_gradients_is_still_connected():
    class Cut(nn.Module):
        def __init__(self):
            self.inner, self.step = nn.Linear(4, 4, rng=0), nn.Perceptron(4, 2)

        def forward(self, x):
            return self.step(detach(self.inner(x)).data)

    d = draw(Cut())
    assert ("x", "inner") in arrows(d)
    assert ("step", "output") in arrows(d)
    with no_grad():
        assert arrows(draw(nn.MLP((4, 2)))) == {("x", "0"), ("0", "output")}


def test_other_details_draw_the_expression():
    model = nn.MLP((4, 2), rng=0)
    d = draw(model, detail="tensor")
    assert [(n.kind, n.name, n.symbol) for n in d.nodes] == [
        (Kind.DATA, "x", ""),
        (Kind.LEAF, "W", ""),
        (Kind.LEAF, "b", ""),
        (Kind.OUTPUT, "", "xWᵀ + b"),
    ]
    assert [n.kind for n in draw(model, detail="neurons").nodes] == [Kind.UNIT] * 6


# -- Folding -----------------------------------------------------------------------------------------------------------


def test_equal_modules_in_a_row_are_one_box():
    model = nn.Sequential(*[nn.Linear(4, 4, rng=i) for i in range(3)])
    (box,) = [n for n in draw(model).nodes if n.kind is Kind.MODULE]
    assert (box.symbol, box.count, box.notes) == ("Linear ×3", 3, ("3 × 20 parameters", "no gradient yet"))
    assert arrows(draw(model)) == {("x", "0"), ("0", "output")}
    assert draw(model).folded == "drawn once: 0: Linear ×3"
    assert len(draw(model, detail="layer").nodes) == 5
    assert (
        len(draw(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))).nodes) == 4
    )  # a frame would cost more than it saves


def test_blocks_that_repeat_stand_in_a_frame():
    d = draw(nn.MLP((4, 8, 8, 8, 8, 8, 2), rng=0))
    assert frames(d) == {"1 to 8 ×4": ("", "1 2")}
    assert arrows(d) == {("x", "0"), ("0", "1"), ("1", "2"), ("2", "9"), ("9", "10"), ("10", "output")}


def test_twelve_layers_of_a_transformer():
    model = nn.Sequential(*[nn.TransformerEncoderLayer(8, 2, 16, rng=i) for i in range(12)])
    d = draw(model, np.ones((3, 2, 8)))
    assert frames(d)["0: TransformerEncoderLayer ×12"][0] == ""
    assert len(d.nodes) == 22
    assert by_name(d)["0.linear1"].notes[0] == "12 × 144 parameters"
    assert len(draw(model, np.ones((3, 2, 8)), detail="layer").groups) == 24


def test_branches_and_shortcuts_are_not_folded():
    class Fan(nn.Module):
        def __init__(self):
            self.heads = [nn.Linear(4, 4, rng=0) for _ in range(5)]

        def forward(self, x):
            return concatenate([head(x) for head in self.heads])

    class Dense(Fan):
        def forward(self, x):
            second = self.heads[1](self.heads[0](x))
            return self.heads[4](self.heads[3](self.heads[2](second))) + second

    class Last(Fan):
        def forward(self, x):
            return [head(x) for head in self.heads][-1]

    assert sum(n.kind is Kind.MODULE for n in draw(Fan()).nodes) == 5
    assert sum(n.kind is Kind.MODULE for n in draw(Last()).nodes) == 5
    d = draw(Dense())
    assert ("heads.1", "+") in arrows(d)
    assert by_name(d)["heads.2"].count == 3


def test_a_loop_of_residual_steps_is_folded_with_its_operations():
    class Loop(nn.Module):
        def __init__(self):
            self.inner = [nn.MLP((4, 4, 4), rng=0) for _ in range(4)]

        def forward(self, x):
            for inner in self.inner:
                x = x + inner(x)
            return x

    d = draw(Loop())
    assert frames(d) == {
        "inner.0 to inner.3 ×4": ("", "+"),
        "inner.0: MLP": ("inner.0 to inner.3 ×4", "inner.0.0 inner.0.1 inner.0.2"),
    }
    assert ("x", "+") in arrows(d)


def test_operations_in_a_row_are_one_node():
    class Long(nn.Module):
        def __init__(self):
            self.last = nn.Linear(4, 2, rng=0)

        def forward(self, x):
            for _ in range(40):
                x = x.tanh()
            return self.last(x)

    d = draw(Long())
    assert [n.symbol for n in d.nodes] == ["", "tanh → tanh → tanh → tanh ×10", "Linear", ""]
    assert d.folded == "drawn once: tanh → tanh → tanh → tanh ×10"


def test_repeats_within_repeats():
    block = [nn.Sequential(*[nn.Linear(4, 4, rng=0) for _ in range(3)], nn.Tanh()) for _ in range(5)]
    d = draw(nn.Sequential(*block))
    assert frames(d) == {"0: Sequential ×5": ("", "0.0 0.3")}
    assert (by_name(d)["0.0"].symbol, by_name(d)["0.0"].notes[0]) == ("Linear ×3", "15 × 20 parameters")


def test_a_picture_too_large_closes_the_deepest_modules(monkeypatch):
    monkeypatch.setattr(picture, "_LIMITS", (12, 12))
    model = nn.Sequential(*[nn.Residual(nn.MLP((4, size, 4), rng=0)) for size in range(2, 6)])
    d = draw(model)
    assert arrows(d) == {("x", "0.body"), ("x", "+"), ("0.body", "+"), ("+", "1.body"), ("+", "+")} | {
        *(("+", f"{i}.body") for i in range(4) if i),
        *((f"{i}.body", "+") for i in range(4)),
        ("+", "output"),
    }
    assert by_name(d)["1.body"].notes[0] == "31 parameters"
    assert "modules more than 2 deep in the model are drawn without their inside" in d.folded
    monkeypatch.setattr(picture, "_LIMITS", (5, 5))
    assert [n.name for n in draw(model).nodes] == ["x", "0", "1", "2", "3", "output"]


# -- Parameters --------------------------------------------------------------------------------------------------------


def test_gradients_of_parameters():
    model = nn.Sequential(nn.Linear(4, 2, rng=0), nn.Linear(2, 1, bias=False, rng=0))
    model(X).sum().backward()
    model[1].weight.zero_grad()
    grads = np.concatenate([np.ravel(p.grad) for p in model[0].parameters()])
    numbers = [number(x) for x in (grads.mean(), grads.min(), grads.max())]
    d = draw(model)
    assert d.nodes[1].notes == (
        "10 parameters",
        f"earlier gradient: mean {numbers[0]},",
        "min {}, max {}".format(*numbers[1:]),
    )
    assert d.nodes[2].notes == ("2, 1, bias=False", "2 parameters", "no gradient yet")
    assert {n.magnitude for n in d.nodes} == {None}
    assert draw(model, magnitudes=True).nodes[1].magnitude == pytest.approx(np.log10(np.abs(grads).max()))


def test_drawing_leaves_the_model_as_it_was():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 4, rng=rng), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=rng)).train()
    model[0].freeze()
    x = Value(X, requires_grad=False)
    y = model(X).sum()
    y.backward()
    before = model.state_dict(), [p.grad for p in model.parameters()], rng.bit_generator.state
    draw(model, x)
    after = model.state_dict(), [p.grad for p in model.parameters()], rng.bit_generator.state
    np.testing.assert_equal(after, before)
    assert all(module.training for _, module in model.named_modules())
    assert [p.requires_grad for p in model.parameters()] == [False, False, True, True]
    assert not x.requires_grad
    y.backward()  # what was recorded before is not stale


def test_frozen_parameters_are_told_and_their_layers_connected():
    model = nn.MLP((4, 8, 3), rng=0)
    edges = draw(model).edges
    model[0].freeze()
    model[2].bias.requires_grad = False
    d = draw(model)
    assert d.edges == edges
    assert d.nodes[1].notes == ("40 parameters", "frozen")
    assert d.nodes[3].notes == ("27 parameters", "3 of them frozen", "no gradient yet")

    class Words(nn.Module):
        def __init__(self):
            self.embedding, self.out = nn.Embedding(5, 4, rng=0), nn.Linear(4, 2, rng=0)

        def forward(self, words):
            return self.out(self.embedding(words) * 2)

    d = draw(Words().freeze(), np.ones((2, 3), int))
    assert arrows(d) == {("words", "embedding"), ("embedding", "× 2"), ("× 2", "out"), ("out", "output")}


def test_a_module_used_twice_is_one_box_per_call():
    shared = nn.Linear(4, 4, rng=0)
    d = draw(nn.Sequential(shared, nn.ReLU(), shared))
    assert [n.name for n in d.nodes] == ["x", "0", "1", "2", "output"]
    assert [n.notes[0] for n in d.nodes if n.symbol == "Linear"] == ["20 parameters", "same as 0"]
    assert d.title == "Sequential, 20 parameters"
    repeated = draw(nn.Sequential(shared, shared, shared))
    assert repeated.nodes[1].notes == ("3 calls of 1 module", "20 parameters", "no gradient yet")


def test_a_parameter_used_by_two_modules_is_told():
    model = nn.Sequential(nn.Linear(4, 4, rng=0), nn.Linear(4, 4, rng=1))
    model[1].weight = model[0].weight
    assert draw(model).nodes[2].notes == ("20 parameters", "weight is 0.weight", "no gradient yet")


def test_numbers_that_are_not_finite_raise_an_alarm():
    model = nn.MLP((4, 8, 3), rng=0)
    model[2].weight.data[0, 0] = np.inf
    with np.errstate(all="ignore"):
        d = draw(model)
    assert [n.alarm for n in d.nodes] == [False, False, False, True, True]
    assert [e.alarm for e in d.edges] == [False, False, False, True]


class TwoResults(nn.Module):
    """The second is infinite."""

    def forward(self, x):
        return x * 1.0, x * np.inf


class Added(nn.Module):
    def __init__(self):
        self.both = TwoResults()

    def forward(self, x):
        a, b = self.both(x)
        return a + b


def test_one_of_several_results_is_enough_for_an_alarm():
    d = draw(Added(), np.ones(3))
    assert [(n.symbol or n.name, n.alarm) for n in d.nodes] == [
        ("x", False), ("TwoResults", True), ("+", True), ("output", True)
    ]  # fmt: skip
    assert [e.alarm for e in d.edges] == [False, True, True, True]


# -- Runs that fail ----------------------------------------------------------------------------------------------------


def failure(model, *inputs, **options) -> tuple[BaseException, Drawing]:
    with pytest.raises(ShapeError) as caught:
        graph(model, *inputs, **options)
    assert isinstance(caught.value.picture, Picture)
    assert caught.value.__notes__ == ["graph: the attribute picture of this error shows how far the run came"]
    return caught.value, caught.value.picture.drawing


def test_the_module_that_fails_is_marked():
    error, d = failure(nn.Sequential(nn.Linear(4, 8, rng=0), nn.Sequential(nn.ReLU(), nn.Linear(5, 3, rng=0))), X)
    assert [(n.kind, n.name) for n in d.nodes] == [
        *((Kind.DATA, "x"), (Kind.MODULE, "0"), (Kind.MODULE, "1.0"), (Kind.FAILED, "1.1"))
    ]
    assert frames(d) == {"1: Sequential": ("", "1.0 1.1")}
    assert ("1.0", "1.1") in arrows(d)
    assert " ".join(d.nodes[-1].notes) == f"ShapeError: {error}"
    assert d.nodes[-1].symbol == "Linear"


def test_the_operation_between_modules_that_fails_is_marked():
    class Sum(nn.Module):
        def __init__(self):
            self.left, self.right = nn.Linear(4, 2, rng=0), nn.Linear(4, 3, rng=0)

        def forward(self, x):
            return relu(self.left(x)) + self.right(x)

    _, d = failure(Sum(), X)
    (failed,) = [n for n in d.nodes if n.kind is Kind.FAILED]
    assert failed.symbol == "+"
    assert {("relu", "+"), ("right", "+"), ("left", "relu")} <= arrows(d)
    _, d = failure(nn.Residual(nn.Linear(4, 3, rng=0)), X)
    assert arrows(d) == {("x", "body"), ("x", "Residual"), ("body", "Residual")}


def test_any_error_reaches_the_caller():
    class Broken(nn.Module):
        def forward(self, x):
            raise KeyError("no such thing")

    with pytest.raises(KeyError) as caught:
        graph(nn.Sequential(nn.ReLU(), Broken()), X)
    assert [n.kind for n in caught.value.picture.drawing.nodes] == [Kind.DATA, Kind.MODULE, Kind.FAILED]
    with pytest.raises(TypeError, match="at position 2"):
        graph(nn.ReLU(), X, X)


def test_an_error_that_the_model_caught_is_no_failure():
    class Careful(nn.Module):
        def __init__(self):
            self.first, self.second = nn.MLP((4, 4, 9, 4), rng=0), nn.Linear(4, 2, rng=0)
            self.first[2].weight = Value(np.ones((9, 5)))

        def forward(self, x):
            try:
                return self.first(x)
            except ShapeError:
                return self.second(x)

    d = draw(Careful())
    assert Kind.FAILED not in {n.kind for n in d.nodes}
    assert {("x", "second"), ("second", "output")} <= arrows(d)
    assert frames(d) == {"first: MLP": ("", "first.0 first.1")}


# -- Any input ---------------------------------------------------------------------------------------------------------


def test_hostile_names_are_shown_as_text(engine, texts):
    hostile = ['quo"te\\', "<b>&lt;</script>", "new\nline\u202e", "中文", "x" * 10_000]

    class Hostile(nn.Module):
        def __init__(self):
            self.held = {name: nn.Linear(4, 4, rng=0) for name in hostile}

        def forward(self, x):
            for layer in self.held.values():
                x = layer(x).tanh()
            return x

        def describe(self):
            return "".join(hostile)

    shown = texts(graph(nn.Sequential(nn.Residual(Hostile()), nn.Flatten()), X, names={hostile[1]: X}, detail="layer"))
    words = "".join(word for parts in shown.values() for word in parts)
    assert hostile[1] in shown["n0"]
    assert 'quo"te\\' in words
    assert "new\\nline\\u202e" in words


def test_the_same_model_gives_the_same_bytes():
    code = """
import numpy as np, nn, viz
rng = np.random.default_rng(0)
layers = [nn.TransformerEncoderLayer(8, 2, 16, rng=rng) for _ in range(3)]
model = nn.Sequential(nn.Embedding(5, 8, rng=rng), *layers, nn.Residual(nn.MLP((8, 8, 8), rng=rng)))
model(np.ones((3, 2), int)).sum().backward()
for detail in ("auto", "layer"):
    print(viz.graph(model, np.ones((3, 2), int), detail=detail).dot())
"""
    runs = printed_under_two_hash_seeds(code)
    assert runs[0] == runs[1]
    assert b"TransformerEncoderLayer" in runs[0]


def test_without_a_drawing_nothing_is_loaded():
    code = (
        "import sys, viz; print([name for name in ('nn', 'graphviz', 'matplotlib', 'IPython') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((), {}, r"graph: got MLP and no inputs; pass an example, as in graph\(model, x\)"),
        ((X,), {"names": ["x"]}, "graph: got names of type list, expected a mapping"),
        ((X,), {"title": 7}, "graph: got a title of type int, expected text"),
        ((X,), {"detail": "graph"}, "graph: got detail='graph' for a model, expected one of 'auto', 'layer', 'tensor'"),
    ],
)
def test_bad_input_is_named(arguments, options, message):
    with pytest.raises(DTypeError, match=message):
        graph(nn.MLP((4, 2)), *arguments, **options)


# -- With a loss -------------------------------------------------------------------------------------------------------


def test_a_loss_is_drawn_after_the_model():
    model, labels = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Tanh()), np.array([0, 1, 2, 0, 1])
    d = graph(model, X, loss=lambda y: cross_entropy(y, labels) * 0.5).drawing
    assert [n.symbol for n in d.nodes] == ["", "Linear", "Tanh", "CE", "× 0.5", ""]
    assert arrows(d) >= {("1", "CE"), ("CE", "× 0.5"), ("× 0.5", "loss")}
    assert d.nodes[-1].value == (f"{float(cross_entropy(model(X), labels).data) * 0.5:.4g}",)
    assert [n.symbol for n in graph(model, X).drawing.nodes] == ["", "Linear", "Tanh", ""]  # it is left out otherwise


def test_a_loss_that_is_a_module_is_a_box():
    d = graph(nn.Linear(4, 3, rng=0), X, loss=lambda y: nn.MSELoss()(y, np.ones((5, 3)))).drawing
    assert [n.symbol for n in d.nodes if n.kind is Kind.MODULE] == ["Linear", "MSELoss"]


def test_a_model_inside_another_modules_call_is_drawn_alone():
    inner = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Tanh())
    drawn = []

    class Outer(nn.Module):
        def forward(self, x):
            drawn.append(graph(inner, x).drawing)
            return x

    Outer()(X)
    assert [n.symbol for n in drawn[0].nodes] == ["", "Linear", "Tanh", ""]


def test_a_loss_that_fails_is_marked():
    error, d = failure(nn.Linear(4, 3, rng=0), X, loss=lambda y: cross_entropy(y, np.array([0, 1])))
    (failed,) = [n for n in d.nodes if n.kind is Kind.FAILED]
    assert (failed.symbol, failed.name) == ("", "loss")
    assert str(error).split(":")[0] in " ".join(failed.notes)
    assert any(target == failed.id for _, target in [(e.source, e.target) for e in d.edges])


@pytest.mark.parametrize("what", [nn.Linear(4, 3, rng=0), Value(1.0) * 2])
def test_a_loss_must_be_a_function_and_belong_to_a_model(what):
    says = (
        "a loss of type int, expected a function"
        if isinstance(what, nn.Module)
        else "a Value and loss=, which belongs to a"
    )
    with pytest.raises(DTypeError, match=says):
        graph(what, *([X] if isinstance(what, nn.Module) else []), loss=3)


def test_png_files_of_large_models_are_folded_further():
    blocks = [nn.Sequential(nn.Linear(4, 4 + i, rng=0), nn.Linear(4 + i, 4, rng=1)) for i in range(300)]
    drawn = graph(nn.Sequential(*blocks), X)
    assert (len(drawn.drawing.nodes), drawn.drawing.folded) == (602, "")
    assert len(drawn.smaller.nodes) == 302
    assert "drawn without their inside" in drawn.smaller.folded
    assert graph(nn.Sequential(*blocks[:100]), X).smaller is None


def test_the_expression_of_a_large_model_is_folded_too():
    blocks = [
        nn.Sequential(nn.Linear(4, 4 + i % 9, rng=0), nn.Tanh(), nn.Linear(4 + i % 9, 4, rng=1)) for i in range(400)
    ]
    drawn = graph(nn.Sequential(*blocks), X, detail="tensor")
    assert len(drawn.drawing.nodes) <= 2_000
    assert len(drawn.smaller.nodes) <= 500
    with pytest.raises(GraphError, match="detail='scalar' draws at most 500 numbers"):
        graph(nn.Sequential(*blocks), X, detail="scalar")


def test_parameters_of_several_layers_are_called_by_their_paths():
    model = nn.Sequential(nn.Linear(4, 2, rng=0), nn.ReLU(), nn.Linear(2, 1, rng=0))
    names = [n.name for n in draw(model, detail="tensor").nodes if n.name]
    assert names == ["x", "0.weight", "0.bias", "2.weight", "2.bias"]


def test_parameters_used_between_modules_are_named_by_their_paths_if_their_names_are_the_same():
    class Tied(nn.Module):
        def __init__(self):
            self.one, self.two = nn.Linear(4, 4, rng=0), nn.Linear(4, 4, rng=1)

        def forward(self, x):
            return self.one(x) @ (self.one.weight + self.two.weight) + self.two.bias

    notes = [n.notes for n in draw(Tied(), detail="layer").nodes if n.kind is Kind.RESULT]
    assert notes == [("with one.weight, two.weight",), ("with bias",)]


@pytest.mark.parametrize("sizes", [{}, {"kdim": 3, "vdim": 5, "bias": False}])
def test_queries_keys_and_values_are_named(sizes):
    class Attends(nn.Module):
        def __init__(self):
            self.attn = nn.MultiheadAttention(4, 2, rng=0, **sizes)

        def forward(self, q, k, v):
            return self.attn(q, k, v)[0]

    rng, model = np.random.default_rng(0), Attends()
    lengths = (2, 4), (3, sizes.get("kdim", 4)), (3, sizes.get("vdim", 4))
    q, k, v = [rng.normal(size=shape) for shape in lengths]
    named = {n.name: n for n in draw(model, q, k, v, detail="layer").nodes if n.kind is Kind.RESULT and n.name}
    assert list(named) == [f"attn.{x}{by}" for x in "QKV" for by in ("", " by head")]
    assert {n.form for name, n in named.items() if name.startswith("attn.Q")} == {
        "(1, 2, 4) float64",
        "(1, 2, 2, 2) float64",
    }
    assert {n.name for n in draw(model, q, k, v).nodes if n.kind is Kind.RESULT} >= {f"attn.{x} by head" for x in "QKV"}
    nodes = {n.name: n for n in draw(model, q, k, v, detail="tensor").nodes}
    assert {"attn.out_proj.weight"} <= nodes.keys()  # not "W", as it is in one of several modules
    weights = [model.attn.in_proj_weight] if not sizes else [model.attn.q_proj_weight]
    expected = q @ weights[0].data[:4].T
    assert nodes["attn.Q"].value == tuple(number(f(expected)) for f in (np.mean, np.min, np.max))
    assert {"q", "k", "v"} <= nodes.keys()
    alone = graph(model.attn, q, k, v, detail="tensor").drawing
    assert {"Q", "K", "V"} <= {n.name for n in alone.nodes}


def test_several_inputs_of_one_argument_are_numbered():
    class Adds(nn.Module):
        def forward(self, *terms):
            return terms[0] + terms[1]

    assert [n.name for n in draw(Adds(), X, X + 1).nodes if n.kind is Kind.DATA] == ["terms[0]", "terms[1]"]


def test_the_chain_rule_of_a_model():
    model = nn.Sequential(nn.Linear(4, 1, rng=0), nn.Sigmoid())
    d = draw(model, X, detail="backward", loss=lambda y: y.mean())
    found = {n.symbol: n.name for n in d.nodes if n.kind is Kind.GRADIENT}
    assert found["dy/dW"] == "= (xᵀ @ dy/dv1)ᵀ"
    assert {"dy/db", "dy/dv1"} <= found.keys()


@pytest.mark.parametrize("detail", ["auto", "tensor"])
def test_a_loss_must_return_something_to_draw(detail):
    with pytest.raises(DTypeError, match="the loss returned float, expected a Value"):
        graph(nn.Linear(4, 3, rng=0), X, loss=lambda y: 0.0, detail=detail)
    with pytest.raises(DTypeError, match="a loss with detail='neurons'"):
        graph(nn.MLP((4, 3), rng=0), X, loss=lambda y: y.sum(), detail="neurons")


@pytest.mark.parametrize(("size", "frame"), [(7, True), (8, True), (9, False)])
def test_blocks_of_up_to_eight_steps_repeat(size, frame):
    """So many modules that are not alike, and all of them again three times."""
    kinds = [nn.Tanh, nn.ReLU, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Softplus, nn.ELU, nn.LeakyReLU, nn.Hardtanh]
    model = nn.Sequential(*[kind() for _ in range(4) for kind in kinds[:size]])
    assert frames(draw(model)) == ({f"0 to {4 * size - 1} ×4": ("", " ".join(map(str, range(size))))} if frame else {})
