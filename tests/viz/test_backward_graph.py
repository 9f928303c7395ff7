"""From a Value to a Drawing of its backward pass."""

from __future__ import annotations

import re

import numpy as np
import pytest
from samples import read

from tinygrad_edu import DTypeError, GraphError, Value, exp, no_grad, registry, sqrt, tanh, where
from viz import Drawing, DrawnNode, Kind, graph
from viz.text import number


def backward(value, names=None) -> Drawing:
    return graph(value, names=names, detail="backward").drawing


def gradients(drawing: Drawing) -> list[DrawnNode]:
    return [n for n in drawing.nodes if n.kind is Kind.GRADIENT]


def rules(value, names=None) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(n.symbol, n.name, n.value) for n in gradients(backward(value, names))]


def abc() -> tuple[Value, Value, Value]:
    return Value(2.0, name="a"), Value(-3.0, name="b"), Value(5.5, name="c")


def test_the_chain_rule_of_an_expression():
    a, b, c = abc()
    y = tanh(a * b + c)
    d = backward(y, {"y": y})
    assert [(n.id, n.symbol, n.name, n.value, n.notes) for n in gradients(d)] == [
        ("n6", "dy/dy", "= 1", ("1",), ("start here",)),
        ("n7", "dy/dv2", "= dy/dy · ∂y/∂v2", ("0.7864",), ("∂y/∂v2 = 1 − y²", "1 · 0.7864")),
        ("n8", "dy/dv1", "= dy/dv2 · ∂v2/∂v1", ("0.7864",), ("∂v2/∂v1 = 1", "0.7864 · 1")),
        ("n9", "dy/dc", "= dy/dv2 · ∂v2/∂c", ("0.7864",), ("∂v2/∂c = 1", "0.7864 · 1")),
        ("n10", "dy/da", "= dy/dv1 · ∂v1/∂a", ("−2.359",), ("∂v1/∂a = b", "0.7864 · (−3)")),
        ("n11", "dy/db", "= dy/dv1 · ∂v1/∂b", ("1.573",), ("∂v1/∂b = a", "0.7864 · 2")),
    ]
    ends = [(e.source, e.target) for e in d.edges if e.source >= "n6" or len(e.source) > 2]
    assert ends == [("n6", "n7"), ("n7", "n8"), ("n7", "n9"), ("n8", "n10"), ("n8", "n11")]
    assert [(g.title, g.nodes) for g in d.groups] == [
        ("forward", tuple(f"n{i}" for i in range(6))),
        ("backward", tuple(f"n{i}" for i in range(6, 12))),
    ]


def test_the_product_along_each_path_stands_below_the_title():
    a, b, c = abc()
    assert backward(tanh(a * b + c)).lines == (
        "dy/da = ∂y/∂v2 · ∂v2/∂v1 · ∂v1/∂a = 0.7864 · 1 · (−3) = −2.359",
        "dy/db = ∂y/∂v2 · ∂v2/∂v1 · ∂v1/∂b = 0.7864 · 1 · 2 = 1.573",
        "dy/dc = ∂y/∂v2 · ∂v2/∂c = 0.7864 · 1 = 0.7864",
    )
    assert backward(a * b + a).lines[0] == "dy/da = ∂y/∂a + ∂y/∂v1 · ∂v1/∂a = 1 + 1 · (−3) = −2"
    assert backward(a * b).lines == ()  # the nodes say it
    arrays = backward(Value(np.ones(3)).sum() * a * b)
    assert arrays.lines == ("dy/da = ∂y/∂v2 · ∂v2/∂a = −3 · 3 = −9",)  # the other path is not one of numbers
    y = a
    for _ in range(7):
        y = y * b
    assert backward(y).lines == ()  # too long
    assert "dy/da = ∂y/∂v2" in backward(tanh(a * b + c)).description
    assert "<B>forward and backward</B><BR/>" in graph(tanh(a * b + c), detail="backward").dot()


@pytest.mark.parametrize("seed", range(8))
def test_products_of_factors_are_the_gradients(seed):
    """The numbers in the lines multiply and add up to what backward() computes."""
    rng = np.random.default_rng(seed)
    values = [Value(float(x), name=f"x{i}") for i, x in enumerate(rng.uniform(0.5, 2.0, 3))]
    made = list(values)
    for _ in range(4):
        x, y = (made[i] for i in rng.choice(len(made), 2))
        made.append([x * y, x + y, x / y, tanh(x)][rng.integers(4)])
    d = backward(made[-1])
    made[-1].backward()
    for line in d.lines:
        if "= " in line and line.startswith("d"):
            name = line.split("/d")[1].split(" ")[0]
            line = line if line.count(" = ") > 1 else f"{line} {d.lines[d.lines.index(line) + 1]}"
            _, _, products, result = line.split(" = ")
            total = sum(float(np.prod([read(f.strip("() ")) for f in p.split(" · ")])) for p in products.split(" + "))
            grad = next(v.grad for v in values if v.name == name)
            assert total == pytest.approx(grad, rel=5e-3, abs=1e-3)
            assert read(result) == pytest.approx(grad, rel=1e-3, abs=1e-12)


def test_the_forward_half_is_the_expression():
    a, b, _ = abc()
    y = a * b
    d, forward = backward(y), graph(y).drawing
    assert d.edges[:2] == forward.edges
    assert [(n.id, n.kind, n.value) for n in d.nodes[:3]] == [(n.id, n.kind, n.value) for n in forward.nodes]
    assert [n.name for n in d.nodes[:3]] == ["a", "b", "y"]
    assert [n.notes for n in d.nodes[:3]] == [()] * 3  # gradients are told in the other half


def test_options_for_both_halves():
    a, b, c = abc()
    y = tanh(a * b + c)
    y.backward()
    d = graph(y, detail="backward", derivatives=True, magnitudes=True).drawing
    assert [e.derivative for e in d.edges[:5]] == ["−3", "2", "1", "1", "0.7864"]
    assert {n.magnitude for n in d.nodes[:6]} == {None}
    assert [n.magnitude for n in gradients(d)] == pytest.approx(
        [np.log10(abs(read(n.value[0]))) for n in gradients(d)], abs=1e-3
    )


def test_a_value_and_its_gradient_stand_in_one_column(engine):
    a, b, c = abc()
    y = tanh(a * b + c) * a
    picture = graph(y, detail="backward")
    centre = {}
    for id, tables in re.findall(r'<g id="(n\d+)"(.*?)</g>', picture.svg(), re.DOTALL):
        xs = [float(x) for x in re.findall(r"([-\d.]+),[-\d.]+", tables)]
        centre[id] = (min(xs) + max(xs)) / 2
    d = picture.drawing
    assert {node.name for node in d.nodes if node.id in dict(d.beside)} == {"a", "b", "c", "v1", "v2", "v3", "y"}
    for value, gradient in d.beside:
        assert centre[value] == pytest.approx(centre[gradient], abs=8)  # frames of a node are not symmetric


def test_shares_of_a_value_that_is_used_twice_add_up():
    a, b, _ = abc()
    d = backward(a * b + a)
    assert [(n.symbol, n.name, n.value) for n in gradients(d)] == [
        ("dy/dy", "= 1", ("1",)),
        ("dy/dv1", "= dy/dy · ∂y/∂v1", ("1",)),
        ("dy/da through y", "= dy/dy · ∂y/∂a", ("1",)),
        ("dy/da through v1", "= dy/dv1 · ∂v1/∂a", ("−3",)),
        ("dy/db", "= dy/dv1 · ∂v1/∂b", ("2",)),
        ("dy/da", "= dy/dy · ∂y/∂a + dy/dv1 · ∂v1/∂a", ("−2",)),
    ]
    assert {(e.source, e.target) for e in d.edges[-2:]} == {("n6", "n9"), ("n7", "n9")}
    assert d.nodes[-1].notes == ("1 + (−3)", "2 uses: their shares add up")


def test_a_value_used_twice_by_one_operation():
    x = Value(3.0, name="x")
    assert rules(x * x)[1:] == [
        ("dy/dx through y, 1st", "= dy/dy · (∂y/∂x, 1st)", ("3",)),
        ("dy/dx through y, 2nd", "= dy/dy · (∂y/∂x, 2nd)", ("3",)),
        ("dy/dx", "= dy/dy · (∂y/∂x, 1st) + dy/dy · (∂y/∂x, 2nd)", ("6",)),
    ]


def test_a_shared_value_inside_the_graph_waits_for_all_its_shares():
    x = Value(0.5, name="x")
    h = exp(x)
    h.name = "h"
    d = backward(h * h + h + h)
    total = next(n for n in gradients(d) if n.symbol == "dy/dh")
    assert total.notes == ("4 uses: their shares add up",)
    assert total.name == "= sum over 4 uses"
    assert total.value == (f"{2 * np.exp(0.5) + 2:.4g}",)
    assert gradients(d)[-1].notes[0] == "∂h/∂x = h"


@pytest.mark.parametrize(
    ("make", "notes"),
    [
        (lambda x, a, b: tanh(x * 1.0), ("∂y/∂v1 = 1 − y²", "1 · 0.9084")),
        (lambda x, a, b: (x * 1.0) ** 2.0, ("∂y/∂v1 = 2 · v1^(2 − 1)", "1 · 0.625")),
        (lambda x, a, b: x / b, ("∂y/∂in = 1 / b", "1 · 0.3333")),
        (lambda x, a, b: x / -2.0, ("∂y/∂in = 1 / (−2)", "1 · (−0.5)")),
        (lambda x, a, b: a - x, ("∂y/∂in = −1", "1 · (−1)")),
        (lambda x, a, b: x.relu(), ("∂y/∂in = 1 if in > 0, else 0", "1 · 1")),
    ],
)
def test_letters_of_a_rule_are_the_names_in_the_picture(make, notes):
    x, a, b = Value(0.3125, name="in"), Value(2.0, name="a"), Value(3.0, name="b")
    d = backward(make(x, a, b))
    assert notes in [n.notes for n in gradients(d)]
    letters = set(re.findall(r"v\d|\bin\b", " ".join(notes)))
    assert letters <= {n.name for n in d.nodes}


def test_names_that_are_taken_are_not_given():
    y, v1 = Value(2.0, name="y"), Value(3.0, name="v1")
    assert [n.name for n in backward(y * v1 + 1).nodes if n.name and n.kind is not Kind.GRADIENT] == [
        "y",
        "v1",
        "v2",
        "v3",
    ]


def test_arrays_are_told_by_statistics_and_their_own_rules():
    x, w = Value(np.ones((4, 3)), name="x"), Value(np.ones((3, 2)), name="w")
    d = backward((x @ w + 1).sum())
    told = {n.symbol: (n.name, n.form, n.value, n.notes) for n in gradients(d)}
    assert told["dy/dx"] == ("= dy/dv1 @ wᵀ", "(4, 3) float64", ("2", "2", "2"), ())
    assert told["dy/dw"] == ("= xᵀ @ dy/dv1", "(3, 2) float64", ("4", "4", "4"), ())
    assert told["dy/dv1"][0] == "= dy/dv2 · ∂v2/∂v1"
    seed = gradients(backward(x * 2))[0]
    assert (seed.symbol, seed.name, seed.form) == ("dΣy/dy", "= ones", "(4, 3) float64")


def test_leaves_without_a_name_get_one_in_both_halves():
    d = backward((Value(2.5) * Value(np.ones(3))).sum())
    assert [n.name for n in d.nodes[:4]] == ["x1", "x2", "v1", "y"]
    assert {n.symbol: n.name for n in gradients(d)} == {
        "dy/dy": "= 1",
        "dy/dv1": "= dy/dy, repeated along the axes",
        "dy/dx1": "= Σ dy/dv1 · ∂v1/∂x1",  # it was broadcast
        "dy/dx2": "= dy/dv1 · ∂v1/∂x2",
    }


def test_gradients_are_those_of_backward():
    rng = np.random.default_rng(0)
    x, w = Value(rng.normal(size=(4, 3)), name="x"), Value(rng.normal(size=3), name="w")
    y = (where(x > 0, x * w, tanh(x)) + w).max() * x.std() + w[0]
    d = backward(y)
    y.backward()
    for leaf in (x, w):
        expected = tuple(number(f(leaf.grad)) for f in (np.mean, np.min, np.max))
        assert [n.value for n in gradients(d) if n.symbol == f"dy/d{leaf.name}"] == [expected]


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
    assert [name for name, _, _ in rules(a * data * 4)] == ["dy/dy", "dy/dv1", "dy/da"]


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
    assert words.endswith("dy/dy = 1: 1; dy/da = dy/dy · ∂y/∂a: −3; dy/db = dy/dy · ∂y/∂b: 2.")


def test_the_same_expression_gives_the_same_drawing():
    def make() -> Drawing:
        a, b, c = abc()
        return backward(tanh(a * b + c) * a)

    assert make() == make()


def test_a_gradient_stands_where_its_value_does(engine, texts):
    a, b, c = abc()
    shown = texts(graph(tanh(a * b + c), detail="backward"))
    assert shown["n10"] == ["dy/da", "= dy/dv1 · ∂v1/∂a", "value", "−2.359", "∂v1/∂a = b", "0.7864 · (−3)"]
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


def test_nan_that_arises_where_shares_add_up_is_told():
    x, s = Value(1.0, name="x"), Value(0.0, name="s")
    with np.errstate(all="ignore"):
        d = backward(sqrt(s * x) - sqrt(s * 1.0), {"s": s})
    total = next(n for n in gradients(d) if n.symbol == "dy/ds" and "uses" in n.notes[-1])
    assert (total.value, total.origin, total.alarm) == (("nan",), "NaN arises here, from infinity", True)
    assert {n.origin for n in gradients(d) if "inf" in n.value[0]} == {"", "infinity arises here"}
    infinite = {n.id for n in d.nodes if n.alarm}
    assert {e.alarm == (e.source in infinite) for e in d.edges} == {True}


def test_the_description_has_the_names_of_the_picture_and_the_scale():
    a, b, _ = abc()
    words = graph(tanh(a * b), detail="backward", derivatives=True, magnitudes=True).drawing.description
    assert "v1 by a −3" in words
    assert "show the size of the gradient, from" in words
