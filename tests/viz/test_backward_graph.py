"""From a Value to a Drawing of its backward pass."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_edu import DTypeError, GraphError, Value, exp, no_grad, registry, tanh, where
from viz import Drawing, DrawnNode, Kind, graph
from viz.text import number


def backward(value, names=None) -> Drawing:
    return graph(value, names, detail="backward").drawing


def gradients(drawing: Drawing) -> list[DrawnNode]:
    return [n for n in drawing.nodes if n.kind is Kind.GRADIENT]


def rules(value, names=None) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(n.name, n.symbol, n.value) for n in gradients(backward(value, names))]


def abc() -> tuple[Value, Value, Value]:
    return Value(2.0, name="a"), Value(-3.0, name="b"), Value(5.5, name="c")


def test_the_chain_rule_of_an_expression():
    a, b, c = abc()
    y = tanh(a * b + c)
    d = backward(y, {"y": y})
    assert [(n.id, n.name, n.symbol, n.value, n.notes) for n in gradients(d)] == [
        ("n6", "gradient of y", "1", ("1",), ("start here",)),
        ("n7", "gradient of +", "g · (1 − y²)", ("0.7864",), ("1 · 0.7864",)),
        ("n8", "gradient of ×", "g", ("0.7864",), ("0.7864 · 1",)),
        ("n9", "gradient of c", "g", ("0.7864",), ("0.7864 · 1",)),
        ("n10", "gradient of a", "g · b", ("−2.359",), ("0.7864 · (−3)",)),
        ("n11", "gradient of b", "g · a", ("1.573",), ("0.7864 · 2",)),
    ]
    ends = [(e.source, e.target) for e in d.edges if e.source >= "n6" or len(e.source) > 2]
    assert ends == [("n6", "n7"), ("n7", "n8"), ("n7", "n9"), ("n8", "n10"), ("n8", "n11")]
    assert [(g.title, g.nodes) for g in d.groups] == [
        ("forward", tuple(f"n{i}" for i in range(6))),
        ("backward", tuple(f"n{i}" for i in range(6, 12))),
    ]


def test_the_forward_half_is_the_expression():
    a, b, _ = abc()
    y = a * b
    d, forward = backward(y), graph(y).drawing
    assert d.edges[:2] == forward.edges
    assert [(n.id, n.kind, n.name, n.value) for n in d.nodes[:3]] == [
        (n.id, n.kind, n.name, n.value) for n in forward.nodes
    ]
    assert [n.notes for n in d.nodes[:3]] == [()] * 3  # gradients are told in the other half


def test_shares_of_a_value_that_is_used_twice_add_up():
    a, b, _ = abc()
    d = backward(a * b + a)
    assert [(n.name, n.symbol, n.value) for n in gradients(d)] == [
        ("gradient of +", "1", ("1",)),
        ("gradient of ×", "g", ("1",)),
        ("share of a", "g", ("1",)),
        ("share of a", "g · b", ("−3",)),
        ("gradient of b", "g · a", ("2",)),
        ("gradient of a", "+", ("−2",)),
    ]
    assert {(e.source, e.target) for e in d.edges[-2:]} == {("n6", "n9"), ("n7", "n9")}
    assert d.nodes[-1].notes == ("2 uses",)


def test_a_value_used_twice_by_one_operation():
    x = Value(3.0, name="x")
    assert rules(x * x)[1:] == [
        ("share of x", "g · x", ("3",)),
        ("share of x", "g · x", ("3",)),
        ("gradient of x", "+", ("6",)),
    ]


def test_a_shared_value_inside_the_graph_waits_for_all_its_shares():
    x = Value(0.5, name="x")
    h = exp(x)
    h.name = "h"
    d = backward(h * h + h)
    total = next(n for n in gradients(d) if n.name == "gradient of h")
    assert total.notes == ("3 uses",)
    assert total.value == (f"{2 * np.exp(0.5) + 1:.4g}",)
    assert (gradients(d)[-1].name, gradients(d)[-1].symbol) == ("gradient of x", "g · h")


@pytest.mark.parametrize(
    ("make", "rule", "notes"),
    [
        (lambda x, a, b: tanh(x * 1.0), "g · (1 − y²)", ("1 · 0.9084", "y is the result of tanh")),
        (lambda x, a, b: (x * 1.0) ** 2.0, "g · (2 · u^(2 − 1))", ("1 · 0.625", "u is the result of ×")),
        (lambda x, a, b: x / b, "g · (1 / b)", ("1 · 0.3333",)),
        (lambda x, a, b: x / -2.0, "g · (1 / (−2))", ("1 · (−0.5)",)),
        (lambda x, a, b: a - x, "−g", ("1 · (−1)",)),
        (lambda x, a, b: x.relu() + 0 * a, "g", ("1 · 1",)),
    ],
)
def test_letters_of_a_rule_are_the_users_or_are_explained(make, rule, notes):
    x, a, b = Value(0.3125, name="in"), Value(2.0, name="a"), Value(3.0, name="b")
    y = make(x, a, b)
    d = backward(a * 0 + y) if "u^" in rule else backward(y)
    found = [(n.symbol, n.notes) for n in gradients(d)]
    assert (rule, notes) in found


def test_arrays_are_told_by_statistics_and_their_own_rules():
    x, w = Value(np.ones((4, 3)), name="x"), Value(np.ones((3, 2)), name="w")
    d = backward((x @ w + 1).sum())
    told = {n.name: (n.symbol, n.form, n.value, n.notes) for n in gradients(d)}
    assert told["gradient of x"] == ("g @ wᵀ", "(4, 3) float64", ("2", "2", "2"), ())
    assert told["gradient of w"] == ("xᵀ @ g", "(3, 2) float64", ("4", "4", "4"), ())
    assert told["gradient of @"][0] == "g"
    seed = gradients(backward(x * 2))[0]
    assert (seed.symbol, seed.form) == ("ones", "(4, 3) float64")


def test_leaves_without_a_name_are_called_by_their_number_or_form():
    d = backward((Value(2.5) * Value(np.ones(3))).sum())
    assert {"gradient of 2.5", "gradient of (3,) float64"} <= {n.name for n in gradients(d)}
    assert "gradient of Σ" in {n.name for n in gradients(d)}


def test_gradients_are_those_of_backward():
    rng = np.random.default_rng(0)
    x, w = Value(rng.normal(size=(4, 3)), name="x"), Value(rng.normal(size=3), name="w")
    y = (where(x > 0, x * w, tanh(x)) + w).max() * x.std() + w[0]
    d = backward(y)
    y.backward()
    for leaf in (x, w):
        expected = tuple(number(f(leaf.grad)) for f in (np.mean, np.min, np.max))
        assert [n.value for n in gradients(d) if n.name == f"gradient of {leaf.name}"] == [expected]


def test_nothing_of_the_users_changes():
    a, b, _ = abc()
    y = a * b
    y.backward()
    called = []
    a.register_hook(called.append)
    before = a.grad, b.grad, y.grad, a.tick
    with no_grad():
        backward(y)
    assert (a.grad, b.grad, y.grad, a.tick) == before
    assert not called


def test_constants_get_no_gradient():
    a = Value(2.0, name="a")
    data = Value(3.0, requires_grad=False, name="data")
    assert [name for name, _, _ in rules(a * data * 4)] == ["gradient of ×", "gradient of ×", "gradient of a"]


@np.errstate(all="ignore")
def test_every_operation_of_numbers_can_be_drawn():
    for name, call in registry.items():
        op = call.op
        if (
            op.elementwise
            and not op.derived
            and op.samples is None
            and op.forward.__module__.startswith("tinygrad_edu.")
        ):
            inputs = [Value(0.4 + 0.2 * i, name=f"input{i}") for i in range(len(op.rules))]
            drawn = gradients(backward(call(*inputs))) if all(op.rules) else []
            assert len(drawn) == (1 + len(inputs) if all(op.rules) else 0), name


def test_infinite_gradients_raise_an_alarm():
    x = Value(0.0, name="x")
    with np.errstate(all="ignore"):
        d = backward(x**0.5)
    assert [n.alarm for n in gradients(d)] == [False, True]


def test_the_description_tells_both_halves():
    a, b, _ = abc()
    words = backward(a * b).description
    assert words.startswith("Forward: 3 nodes")
    assert words.endswith("gradient of ×: 1 1; gradient of a: g · b −3; gradient of b: g · a 2.")


def test_the_same_expression_gives_the_same_drawing():
    def make() -> Drawing:
        a, b, c = abc()
        return backward(tanh(a * b + c) * a)

    assert make() == make()


def test_a_gradient_stands_where_its_value_does(engine, texts):
    a, b, c = abc()
    shown = texts(graph(tanh(a * b + c), detail="backward"))
    assert shown["n10"] == ["g · b", "gradient of a", "value", "−2.359", "0.7864 · (−3)"]
    dot = graph(a * b, detail="backward").dot()
    assert "n4 -> n3 [dir=back" in dot
    assert "n0 -> n2" in dot


def test_five_hundred_recorded_nodes_are_drawn_and_one_more_is_refused():
    y = Value(0.5)
    for _ in range(499):
        y = tanh(y)
    assert len(gradients(backward(y))) == 500
    with pytest.raises(GraphError, match="at most 500 recorded nodes, got 501"):
        backward(tanh(y))


def test_a_changed_leaf_beside_others_is_named():
    """One input of two was changed: the gradient by the other would be wrong."""
    a, b, _ = abc()
    y = a * b
    b.mark_changed()
    with pytest.raises(GraphError, match="changed in place"):
        backward(y)


def test_bad_input_is_named():
    a, b, _ = abc()
    with pytest.raises(DTypeError, match="got float, expected a Value"):
        backward(2.0)
    with pytest.raises(GraphError, match="does not require grad"):
        backward(Value(1.0, requires_grad=False))
    y = a * b
    a.mark_changed()
    with pytest.raises(GraphError, match="changed in place"):
        backward(y)
    y = b * b
    y.backward(retain_graph=False)
    with pytest.raises(GraphError, match="released"):
        backward(y)
    y = b
    for _ in range(600):
        y = y * 1.0
    with pytest.raises(GraphError, match="at most 500 recorded nodes, got 1,201"):
        backward(y)


def test_the_title_is_the_callers_or_says_what_there_is():
    a, b, _ = abc()
    assert backward(a * b).title == "forward and backward"
    assert graph(a * b, detail="backward", title="Mine").drawing.title == "Mine"
