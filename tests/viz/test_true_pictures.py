"""Pictures that were false once: operations on parameters alone, what loops read, the names of inputs and outputs, and inputs that
were invented. Each as the picture that is right."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import nn
from nn.functional import l2_penalty
from tinygrad_edu import Value, exp, softmax, tanh
from tinygrad_edu import sum as total
from viz import Drawing, DrawnNode, Kind, graph
from viz.stepping.calls import trace_of_model

X = np.ones((2, 4))


def label(node: DrawnNode) -> str:
    """The name, else the operation with its parameters."""
    return node.name or " ".join(filter(None, (node.symbol, node.params)))


def arrows(drawing: Drawing) -> set[tuple[str, str]]:
    """By labels; a parameter that a note tells counts as an arrow from it."""
    called = {node.id: label(node) for node in drawing.nodes}
    told = {
        (name, label(node))
        for node in drawing.nodes
        for note in node.notes
        if note.startswith("with ")
        for name in note[5:].split(", ")
    }
    return told | {(called[edge.source], called[edge.target]) for edge in drawing.edges}


def given(drawing: Drawing, symbol: str) -> list[set[str]]:
    """For each node of an operation, the labels of what it is given."""
    called = {node.id: label(node) for node in drawing.nodes}
    nodes = [node for node in drawing.nodes if node.symbol == symbol]
    return [{called[edge.source] for edge in drawing.edges if edge.target == node.id} for node in nodes]


# -- Operations on parameters alone ------------------------------------------------------------------------------------


def test_an_operation_on_a_parameter_alone_is_drawn():
    class Scaled(nn.Module):
        def __init__(self):
            self.log_s, self.l = Value(np.ones(4)), nn.Linear(4, 2, rng=0)

        def forward(self, x):
            return self.l(x * exp(self.log_s))

    drawn = arrows(graph(Scaled(), X, detail="layer").drawing)
    assert drawn == {("x", "×"), ("log_s", "exp"), ("exp", "×"), ("×", "l"), ("l", "output")}


def test_the_sum_of_a_parameter_is_drawn():
    class Shifted(nn.Module):
        def __init__(self):
            self.s, self.l = Value(np.ones(4)), nn.Linear(4, 2, rng=0)

        def forward(self, x):
            return self.l(x) + total(self.s)

    drawn = arrows(graph(Shifted(), X, detail="layer").drawing)
    assert drawn == {("x", "l"), ("s", "Σ"), ("l", "+"), ("Σ", "+"), ("+", "output")}


def test_weights_of_a_mixture_are_drawn():
    class Mixed(nn.Module):
        def __init__(self):
            self.alpha = Value(np.array([0.0, 3.0]))
            self.a, self.b = nn.Linear(4, 2, rng=0), nn.Linear(4, 2, rng=1)

        def forward(self, x):
            w = softmax(self.alpha)
            return w[0] * self.a(x) + w[1] * self.b(x)

    drawing = graph(Mixed(), X, detail="layer").drawing
    assert given(drawing, "×") == [{"[ ] index=0", "a"}, {"[ ] index=1", "b"}]
    assert {("alpha", "softmax"), ("softmax", "[ ] index=0"), ("softmax", "[ ] index=1")} <= arrows(drawing)


@pytest.mark.parametrize("detail", ["layer", "auto"])
def test_a_penalty_is_drawn_with_its_operations(detail):
    model = nn.Linear(4, 2, rng=0)
    loss = lambda y: (y * y).mean() + l2_penalty(model, 0.1)
    drawing = graph(model, X, loss=loss, detail=detail).drawing
    last = [edge.source for edge in drawing.edges if edge.target == drawing.nodes[-1].id]
    (added,) = [node for node in drawing.nodes if node.id in last]
    assert not [note for note in added.notes if note.startswith("with ")]  # + with weight, bias would be another sum
    assert {"weight", "bias"} <= {source for source, _ in arrows(drawing)}
    words = " ".join(node.symbol for node in drawing.nodes)
    assert "× 0.1" in words
    assert "× 0.5" in words


@pytest.mark.parametrize("detail", ["layer", "auto"])
def test_parameters_in_a_list_are_told_by_their_paths(detail):
    """ "with 0" tells nothing, and blocks drawn once must tell the parameters of all."""

    class Blocks(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(4, 4, rng=0) for _ in range(3)]
            self.scales = [Value(np.ones(4)) for _ in range(3)]

        def forward(self, x):
            for layer, scale in zip(self.layers, self.scales, strict=True):
                x = tanh(layer(x)) * scale
            return x

    drawing = graph(Blocks(), X, detail=detail).drawing
    words = " ".join(word for node in drawing.nodes for word in (node.name, *node.notes))
    assert [name for name in ("scales.0", "scales.1", "scales.2") if name not in words] == []


def test_a_parameter_given_to_a_module_is_told():
    class Asks(nn.Module):
        def __init__(self):
            self.query, self.l = Value(np.ones((2, 4))), nn.Linear(4, 4, rng=0)

        def forward(self, x):
            return x + self.l(self.query)

    drawn = arrows(graph(Asks(), X, detail="layer").drawing)
    assert drawn == {("query", "l"), ("x", "+"), ("l", "+"), ("+", "output")}


# -- Loops -------------------------------------------------------------------------------------------------------------


class Cell(nn.Module):
    def __init__(self):
        self.i, self.h = nn.Linear(3, 4, rng=0), nn.Linear(4, 4, rng=1)

    def forward(self, x, h):
        return tanh(self.i(x) + self.h(h))


class Loop(nn.Module):
    """A recurrent loop that reads x at the indices of `order`."""

    def __init__(self, order):
        self.cell, self.order = Cell(), order

    def forward(self, x):
        h = np.zeros((2, 4))
        for t in self.order:
            h = self.cell(x[t], h)
        return h


def test_a_loop_drawn_once_tells_all_that_it_reads():
    drawing = graph(Loop(range(6)), np.ones((6, 2, 3))).drawing
    reads = {node.count: node.params for node in drawing.nodes if node.symbol.startswith("[ ]")}
    assert reads == {1: "index=0", 5: "index=1 … 5"}
    words = " ".join([drawing.folded, *drawing.lines, *(x for g in drawing.groups for x in (g.title, *g.lines))])
    assert re.search("feeds? the next", words)


@pytest.mark.parametrize(
    ("order", "short"),
    [([5, 4, 3, 2, 1, 0], [5, 4, 0]), ([0, 3, 1, 5, 2, 4], [0, 3, 1, 5, 2, 4])],
    ids=["downwards", "in no order"],
)
def test_a_loop_is_not_said_to_read_in_another_order(order, short):
    """Either all indices, or of a range the first and the last; the first step is drawn by itself."""
    drawing = graph(Loop(order), np.ones((6, 2, 3))).drawing
    reads = " ".join(node.params for node in drawing.nodes if node.symbol.startswith("[ ]"))
    assert [int(i) for i in re.findall(r"\d+", reads)] in (order, short)


# -- Inputs and outputs ------------------------------------------------------------------------------------------------


def test_dictionaries_keep_their_keys():
    class Keyed(nn.Module):
        def __init__(self):
            self.a = nn.Linear(4, 2, rng=0)

        def forward(self, d):
            h = self.a(d["image"]) * d["weight"]
            return {"logits": h, "probability": tanh(h)}

    drawing = graph(Keyed(), {"image": X, "weight": np.ones((2, 2))}, detail="layer").drawing
    last = {node.id: re.findall(r"\w+", node.name)[-1:] for node in drawing.nodes}
    assert [last[node.id] for node in drawing.nodes if node.kind in (Kind.DATA, Kind.LEAF)] == [["image"], ["weight"]]
    assert [last[node.id] for node in drawing.nodes if node.kind is Kind.OUTPUT] == [["logits"], ["probability"]]
    assert not [node for node in drawing.nodes if node.kind is Kind.CONSTANT]
    called = {node.id: last[node.id][0] if last[node.id] else node.symbol for node in drawing.nodes}
    assert {(called[edge.source], called[edge.target]) for edge in drawing.edges} == {
        ("image", "a"), ("a", "×"), ("weight", "×"), ("×", "tanh"), ("×", "logits"), ("tanh", "probability")
    }  # fmt: skip


def test_arrays_in_a_list_reach_the_model_as_a_list():
    class Joins(nn.Module):
        def forward(self, parts):
            assert isinstance(parts, list)
            return parts[0] + parts[1][0]

    class Outer(nn.Module):
        def __init__(self):
            self.joins, self.last = Joins(), nn.Linear(4, 2, rng=0)

        def forward(self, parts):
            return self.last(self.joins(parts))

    drawing = graph(Outer(), [X, np.ones((3, 4))], detail="layer").drawing
    inputs = [node.name for node in drawing.nodes if node.kind in (Kind.DATA, Kind.LEAF)]
    assert [re.findall(r"\w+", name)[-1:] for name in inputs] == [["0"], ["1"]]


def test_all_outputs_of_a_model_are_in_its_expression():
    class Two(nn.Module):
        def __init__(self):
            self.l = nn.Linear(4, 2, rng=0)

        def forward(self, x):
            h = self.l(x)
            return tanh(h), exp(h)

    nodes = graph(Two(), X, detail="tensor").drawing.nodes
    assert {node.symbol for node in nodes if node.kind is Kind.OUTPUT} == {"tanh", "exp"}


# -- Stepping ----------------------------------------------------------------------------------------------------------


def stepped(model: nn.Module, *inputs: Any, loss: Any) -> list[Any]:
    """The nodes of the page that steps through a model, each with its kind, name, operation and operands."""
    return list(trace_of_model(model, inputs, loss).nodes)


def inputs_of(nodes: list[Any]) -> list[str]:
    return [node.label for node in nodes if node.kind in (Kind.DATA, Kind.LEAF) and not node.op]


class Views(nn.Module):
    def __init__(self):
        self.l = nn.Linear(2, 4, rng=0)

    def forward(self, x):
        return self.l(x.T) + self.l(x.T * 1.0)


def test_views_of_an_input_are_no_inputs():
    nodes = stepped(Views(), X, loss=lambda y: y.sum())
    assert inputs_of(nodes) == ["x"]
    (x,) = [i for i, node in enumerate(nodes) if node.label == "x"]
    assert [node.op for node in nodes if x in node.inputs] == ["transpose", "transpose"]


def test_arithmetic_on_inputs_alone_is_stepped_through():
    class Normed(nn.Module):
        def __init__(self):
            self.l = nn.Linear(4, 4, rng=0)

        def forward(self, x, y):
            return self.l((x - y) / 2)

    nodes = stepped(Normed(), X, X + 1, loss=lambda y: y.sum())
    assert inputs_of(nodes) == ["x", "y"]
    assert [node.op for node in nodes if node.op] == ["subtract", "divide", "linear", "sum"]


def test_keys_of_a_dictionary_name_the_inputs_of_a_step_page():
    class Keyed(nn.Module):
        def __init__(self):
            self.l = nn.Linear(4, 4, rng=0)

        def forward(self, d):
            return self.l(d["first"]) * d["second"]

    nodes = stepped(Keyed(), {"first": X, "second": X + 1}, loss=lambda y: y.sum())
    assert inputs_of(nodes) == ["first", "second"]


def test_a_module_that_passes_on_has_its_box():
    model = nn.Sequential(nn.Linear(4, 4, rng=0), nn.Dropout(0.5), nn.Linear(4, 2, rng=1), nn.Identity()).eval()
    drawing = graph(model, X, detail="layer").drawing
    assert arrows(drawing) == {("x", "0"), ("0", "1"), ("1", "2"), ("2", "3"), ("3", "output")}


def test_what_is_passed_on_with_a_result_goes_on_from_its_box():
    class Both(nn.Module):
        def forward(self, x):
            return x, tanh(x)

    class Uses(nn.Module):
        def __init__(self):
            self.both, self.l = Both(), nn.Linear(4, 4, rng=0)

        def forward(self, x):
            same, _ = self.both(self.l(x))
            return same * 2.0

    assert {("l", "both"), ("both", "× 2")} <= arrows(graph(Uses(), X, detail="layer").drawing)
