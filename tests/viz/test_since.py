"""What changed after the graph was recorded is said, by whatever way it changed, and derivatives never mix two runs."""

from __future__ import annotations

import numpy as np
import pytest

import nn
from tinygrad_edu import GraphError, Value, no_grad
from viz import graph

CHANGED = "changed in place since"


def noted(y: Value, **options) -> set[str]:
    """The names of what is said to have changed."""
    return {n.name for n in graph(y, **options).drawing.nodes if CHANGED in n.notes}


def assign(w: Value) -> None:
    w.data = w.data * 3.0


def subtract(w: Value) -> None:
    w.data -= 0.5 * w.grad


def subtract_unrecorded(w: Value) -> None:
    with no_grad():
        w -= 0.5 * w.grad


def step(w: Value) -> None:
    nn.optim.SGD([w], lr=0.5).step()


def adam(w: Value) -> None:
    nn.optim.Adam([w], lr=0.5).step()


def mark(w: Value) -> None:
    w.mark_changed()


def write(w: Value) -> None:
    w.data[...] = w.data * 3.0


def write_one(w: Value) -> None:
    w.data[1] = -7.0


def add_in_memory(w: Value) -> None:
    np.add(w.data, 1.0, out=w.data)


WAYS = [assign, subtract, subtract_unrecorded, step, adam, mark]
WRITES = [write, write_one, add_in_memory]


@pytest.mark.parametrize("change", [*WAYS, *WRITES])
@pytest.mark.parametrize("detail", ["auto", "tensor"])
def test_a_leaf_that_changed_says_so(change, detail):
    w, x = Value(np.array([1.0, 2.0]), name="w"), Value(np.array([3.0, 4.0]), name="x")
    y = ((w * 2.0).tanh() + x).sum()
    y.backward()
    assert noted(y, detail=detail) == set()
    change(w)
    assert noted(y, detail=detail) == {"w"}
    if change in WAYS:
        assert noted((w * 2.0).tanh() + x) == set()


@pytest.mark.parametrize("change", WAYS)
def test_a_number_that_changed_says_so_and_its_derivatives_are_refused(change):
    w, x = Value(2.0, name="w"), Value(3.0, name="x")
    y = w * x + x
    y.backward()
    assert [e.derivative for e in graph(y, derivatives=True).drawing.edges] == ["3", "2", "1", "1"]
    change(w)
    picture = graph(y, derivatives=True)
    assert noted(y) == {"w"}
    assert [e.derivative for e in picture.drawing.edges] == ["", "", "1", "1"]
    refused = [n.symbol for n in picture.drawing.nodes if "no derivatives: an operand changed since" in n.notes]
    assert refused == ["×"]
    assert not any("no derivatives" in note for n in graph(y).drawing.nodes for note in n.notes)


def test_a_change_between_two_uses_is_one_since_the_first():
    w = Value(2.0, name="w")
    first = w * 3.0
    w.data = 5.0
    y = first + w * 4.0
    picture = graph(y, derivatives=True)
    assert noted(y) == {"w"}
    assert [e.derivative for e in picture.drawing.edges if e.derivative] == ["4", "1", "1"]


@pytest.mark.parametrize("copy", [True, False])
def test_the_array_that_a_leaf_shares(copy):
    array = np.array([1.0, 2.0])
    w = Value(array, copy=copy, name="w")
    y = (w**2.0).sum()
    array[:] = 100.0
    assert noted(y) == (set() if copy else {"w"})


@pytest.mark.parametrize("size", [3, 10_000])
def test_constant_arrays_and_frozen_leaves(size):
    x, k, w = np.ones(size), Value(np.ones(size), requires_grad=False, name="k"), Value(np.ones(size), name="w")
    y = (w * x + k * w).sum()
    assert {n.name for n in graph(y, names={"x": x}).drawing.nodes if CHANGED in n.notes} == set()
    x *= 2.0
    assert {n.name for n in graph(y, names={"x": x}).drawing.nodes if CHANGED in n.notes} == {"x"}
    k.data = k.data * 3.0
    assert {n.name for n in graph(y, names={"x": x}).drawing.nodes if CHANGED in n.notes} == {"x", "k"}


def test_of_two_leaves_that_share_memory_the_operation_tells():
    array = np.array([1.0, 2.0])
    w, v = Value(array, copy=False, name="w"), Value(np.array([3.0, 4.0]), name="v")
    y = (w * v).sum()
    array[:] = 9.0
    nodes = graph(y).drawing.nodes
    assert [n.symbol for n in nodes if "operands changed in place since" in n.notes] == ["×"]
    assert noted(y) == set()


def test_a_state_that_is_loaded():
    model = nn.Linear(2, 1, rng=0)
    y = model(np.ones((1, 2))).sum()
    names = dict(model.named_parameters())
    assert not any(CHANGED in n.notes for n in graph(y, names=names).drawing.nodes)
    model.load_state_dict({name: p.data * 2.0 for name, p in names.items()})
    assert {n.name for n in graph(y, names=names).drawing.nodes if CHANGED in n.notes} == {"W", "b"}


def test_arrays_that_did_not_change_are_left_alone():
    """Operations of every family that rounding, NaN, or parameters could make look different when they are computed again."""
    rng = np.random.default_rng(0)
    for dtype in (np.float16, np.float32, np.float64):
        x, w = Value(rng.normal(size=(6, 4)).astype(dtype)), Value(rng.normal(size=(4, 3)).astype(dtype))
        with np.errstate(all="ignore"):
            results = [x @ w, x.sum(axis=0), x.std(), x**0.5, x / 0.0, x[1:, ::2], x.reshape(4, 6), x.T, x.max(axis=1)]
        for y in results:
            assert not any("changed" in note for n in graph(y).drawing.nodes for note in n.notes), y
        layer = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.BatchNorm2d(2), nn.Dropout(0.5, rng=0), nn.MaxPool2d(2))
        y = layer.astype(dtype)(np.ones((2, 1, 6, 6), dtype)).sum()
        assert not any("changed" in note for n in graph(y).drawing.nodes for note in n.notes)


def test_generators_are_not_advanced():
    rng = np.random.default_rng(0)
    y = nn.Dropout(0.5, rng=rng)(Value(np.ones(8))).sum()
    state = rng.bit_generator.state
    graph(y)
    assert rng.bit_generator.state == state


def test_the_chain_rule_of_a_changed_graph_is_refused():
    w = Value(2.0, name="w")
    y = w * w
    w.data = 5.0
    with pytest.raises(GraphError, match="changed in place"):
        graph(y, detail="backward")


def test_a_frozen_number_that_was_assigned():
    w, k = Value(2.0, name="w"), Value(3.0, requires_grad=False, name="k")
    y = w * k
    k.data = 7.0
    picture = graph(y, derivatives=True)
    assert noted(y) == {"k"}
    assert [e.derivative for e in picture.drawing.edges] == ["", ""]


@pytest.mark.parametrize(
    ("change", "frozen"),
    [*((change, False) for change in [*WAYS, *WRITES]), *((change, True) for change in [assign, mark, *WRITES])],
)
def test_there_is_no_chain_rule_of_a_leaf_that_changed(change, frozen):
    w, x = Value(np.array([1.0, 2.0]), name="w", requires_grad=not frozen), Value(np.array([3.0, 4.0]), name="x")
    y = (w * x).sum()
    y.backward()
    for detail in ("backward", "scalar"):
        graph(y, detail=detail)
    change(w)
    for detail in ("backward", "scalar"):
        with pytest.raises(GraphError, match="changed in place"):
            graph(y, detail=detail)


def test_the_chain_rule_is_that_of_the_array_recorded():
    x, w = np.array([1.0, 2.0]), Value(np.array([3.0, 4.0]), name="w")
    y = (w * x).sum()
    x *= 10.0
    gradient = next(n for n in graph(y, detail="backward").drawing.nodes if n.symbol == "dy/dw")
    assert gradient.value == ("1.5", "1", "2")
