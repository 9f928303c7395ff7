"""A gradient that is not of the graph in the picture says so; one that is, says nothing."""

from __future__ import annotations

import numpy as np
import pytest

import nn
from tinygrad_edu import TinygradError, Value, concatenate, registry, tanh, where
from viz import graph

OTHER = "gradient of another run"
MIXED = "gradient differs from this run's"
NONE_YET = "no gradient yet"


def notes(y: Value, **options) -> dict[str, tuple[str, ...]]:
    """What is said of gradients, by name or operation."""
    return {
        n.name or n.symbol: tuple(note for note in n.notes if "gradient" in note)
        for n in graph(y, **options).drawing.nodes
        if n.name or n.symbol
    }


def pair() -> tuple[Value, Value]:
    return Value(2.0, name="a"), Value(-3.0, name="b")


def test_gradients_of_an_earlier_run_beside_a_new_one():
    a, b = pair()
    (a * b).backward()
    assert notes(tanh(a * b + 5.5)) == {
        "a": (OTHER,),
        "b": (OTHER,),
        "×": (NONE_YET,),
        "+": (NONE_YET,),
        "tanh": (NONE_YET,),
    }


@pytest.mark.parametrize("runs", [2, 5])
def test_runs_that_added_up(runs):
    a, b = pair()
    for _ in range(runs):
        y = a * b + 5.5
        y.backward()
    assert notes(y) == {"a": (MIXED,), "b": (MIXED,), "×": (), "+": ()}


def test_a_run_that_was_cleared_before_is_sound():
    a, b = pair()
    for _ in range(2):
        a.zero_grad()
        b.zero_grad()
        y = a * b + 5.5
        y.backward()
    assert set(notes(y).values()) == {()}
    a.grad, b.grad = 0.0, 0.0  # as micrograd clears them
    y = a * b
    assert notes(y) == {"a": (), "b": (), "×": (NONE_YET,)}


def test_a_result_that_two_outputs_share():
    a, b = pair()
    h = a * b
    h.name = "h"
    first, second = h * 2.0, h * 3.0
    first.backward()
    assert notes(first) == {"a": (), "b": (), "h": (), "×": ()}
    assert notes(second) == {"a": (OTHER,), "b": (OTHER,), "h": (OTHER,), "×": (NONE_YET,)}
    second.backward()
    assert notes(second) == {"a": (MIXED,), "b": (MIXED,), "h": (), "×": ()}
    assert notes(first)["h"] == (MIXED,)


def test_uses_that_are_not_drawn():
    a, b = pair()
    y = a * b
    (y * a).backward()
    assert notes(y) == {"a": (MIXED,), "b": (), "×": ()}


def test_clipped_gradients():
    w = Value(np.array([3.0, 4.0]), name="w")
    y = (w * w).sum()
    y.backward()
    assert notes(y)["w"] == ()
    nn.utils.clip_grad_norm_([w], 1.0)
    assert notes(y)["w"] == (MIXED,)


def test_what_a_recorded_pass_keeps():
    a, b = pair()
    y = a * b * a
    y.backward(create_graph=True)
    kept = notes(y)
    assert (kept["a"], kept["b"], kept["×"]) == ((), (), ("gradient not kept (create_graph=True)",))


def test_cleared_and_unreachable():
    c, a, b = Value(1.0, name="c"), *pair()
    y = where(c * 2.0, a, b)
    assert notes(y)["c"] == (NONE_YET,)
    y.backward()
    found = notes(y)
    assert (found["c"], found["×"]) == (("no gradient reaches it",), ("no gradient reaches it",))
    a.zero_grad()
    assert notes(y)["a"] == ("gradient cleared since",)
    a.grad = 0.0
    assert notes(y)["a"] == ("gradient cleared since",)


def test_a_backward_pass_of_an_inner_result():
    a, b = pair()
    h = a * b
    y = tanh(h)
    h.backward()
    assert notes(y) == {"a": (OTHER,), "b": (OTHER,), "×": (OTHER,), "tanh": (NONE_YET,)}
    assert notes(h) == {"a": (), "b": (), "×": ()}


def test_gradients_of_hooks_are_believed():
    a, b = pair()
    y = a * b
    a.register_hook(lambda g: 10.0 * g)
    y.backward()
    assert notes(y)["a"] == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_networks_are_sound_after_one_pass(dtype):
    """No false word on graphs with broadcasting, indices, joins, reductions, ties and rounding."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 4)).astype(dtype)
    w, v, b = (Value(rng.normal(size=shape).astype(dtype)) for shape in ((4, 3), (3, 3), (3,)))
    h = tanh(x @ w + b) @ v
    y = (h[1:] * h[:-1]).sum() + concatenate([h, h * 2.0]).max() + (h.std() / b.max()) + where(h > 0, h, 0.1 * h).mean()
    y.backward()
    assert {note for found in notes(y).values() for note in found} == set()
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=0), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3, rng=0)
    )
    loss = nn.functional.cross_entropy(
        model.astype(dtype)(rng.normal(size=(4, 1, 6, 6)).astype(dtype)), np.array([0, 1, 2, 0])
    )
    loss.backward()
    assert {note for found in notes(loss).values() for note in found} == set()


def test_ten_thousand_numbers_that_added_up():
    w = [Value(0.01 * i) for i in range(100)]
    for _ in range(2):
        y = sum(tanh(v * u) for v in w for u in w[:30])
        y.backward()
    found = [note for n in graph(y).drawing.nodes for note in n.notes if "gradient" in note]
    assert found
    assert all(MIXED in note for note in found)


def test_looking_changes_nothing():
    a, b = pair()
    y = a * b
    y.backward()
    before = a.grad, b.grad, y.grad, a.tick
    graph(y)
    assert (a.grad, b.grad, y.grad, a.tick) == before


def test_boxes_of_a_model_say_that_their_gradients_are_older_than_the_run():
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Tanh())
    assert NONE_YET in graph(model, np.ones((1, 3))).drawing.nodes[1].notes
    model(np.ones((2, 3))).sum().backward()
    assert any(
        note.startswith("earlier gradient: mean") for note in graph(model, np.ones((1, 3))).drawing.nodes[1].notes
    )
    drawing = graph(model, np.ones((1, 3)), detail="scalar").drawing
    assert {n.notes for n in drawing.nodes if n.gradient} == {(OTHER,)}


def test_no_number_reads_minus_zero_and_minus_signs_are_real():
    a, b = Value(0.0, name="a"), Value(-2.5, name="b")
    y = a * b * 1e-05 * np.float64(-0.0) - 3.0
    y.backward()
    x = Value(np.array([-0.0, 0.0]))
    for picture in (graph(y, derivatives=True), graph(x), graph(x * -1.0), graph(Value(-0.0, requires_grad=False) * a)):
        d = picture.drawing
        said = [*(t for n in d.nodes for t in (*n.value, *n.gradient)), *(e.derivative for e in d.edges)]
        assert not {"-0", "−0"} & set(said)
        assert not any("-" in text for text in said)
    assert "−2.5" in {n.value[0] for n in graph(y).drawing.nodes}


@pytest.mark.parametrize("name", registry)
def test_one_pass_through_any_operation_is_sound_and_two_are_told(name):
    op = registry[name].op
    if op.samples is None:
        shapes, params = [(3, 2)] * len(op.arrays), {}
    else:
        shapes, params = next(sample for shape in ((3, 2), (4,), (2, 2, 2)) for sample in op.samples(shape))[:2]
    rng = np.random.default_rng(0)
    inputs = [Value(rng.uniform(0.1, 0.9, size=shape), name=f"x{i}") for i, shape in enumerate(shapes)]

    def run() -> Value | None:
        results = registry[name](inputs, **params) if op.listed else registry[name](*inputs, **params)
        flowing = [
            y
            for y in (results if isinstance(results, (tuple, list)) else [results])
            if getattr(y, "requires_grad", False)
        ]
        return sum((y.sum() for y in flowing), Value(0.0)) if flowing else None

    try:
        with np.errstate(all="ignore"):
            y = run()
    except TinygradError:  # a matrix that is not symmetric
        return
    if y is None:
        return
    y.backward()
    words = ("changed", "run", "cleared")
    assert [note for n in graph(y).drawing.nodes for note in n.notes if any(word in note for word in words)] == []
    if "rng" in params:
        return
    with np.errstate(all="ignore"):
        again = run()
    again.backward()
    if any(np.any(x.grad) and np.isfinite(x.grad).all() for x in inputs if x.grad is not None):
        assert any(MIXED in n.notes for n in graph(again).drawing.nodes)
