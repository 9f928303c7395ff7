"""From a Value to a Drawing: which nodes and edges there are, and what they say."""

from __future__ import annotations

import numpy as np
import pytest

import nn
import tinygrad_edu
from nn import Linear
from tinygrad_edu import (
    DTypeError,
    Value,
    add,
    arctan2,
    astype,
    clip,
    concatenate,
    divide,
    einsum,
    linear,
    matmul,
    maximum,
    minimum,
    multiply,
    no_grad,
    power,
    registry,
    subtract,
    tanh,
    where,
)
from viz import Drawing, DrawnNode, Edge, Kind, graph
from viz.drawings.expression import drawing_of

NO_GRADIENT = "no gradient yet"


def drawing(value: Value, names: object = None) -> Drawing:
    return drawing_of(value, names)


def node(value: Value, name: str) -> DrawnNode:
    """The node of that name."""
    (found,) = [n for n in drawing(value).nodes if n.name == name]
    return found


def readme() -> Value:
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(5.5, name="c")
    y = tanh(a * b + c)
    y.name = "y"
    return y


def test_nodes_and_edges_of_an_expression():
    y = readme()
    y.backward()
    d = drawing(y)
    assert [(n.id, n.kind, n.symbol, n.name, n.value, n.gradient) for n in d.nodes] == [
        ("n0", Kind.LEAF, "", "a", ("2",), ("−2.359",)),
        ("n1", Kind.LEAF, "", "b", ("−3",), ("1.573",)),
        ("n2", Kind.RESULT, "×", "", ("−6",), ("0.7864",)),
        ("n3", Kind.LEAF, "", "c", ("5.5",), ("0.7864",)),
        ("n4", Kind.RESULT, "+", "", ("−0.5",), ("0.7864",)),
        ("n5", Kind.OUTPUT, "tanh", "y", ("−0.4621",), ("1",)),
    ]
    assert d.edges == tuple(Edge(*ends.split()) for ends in ("n0 n2", "n1 n2", "n2 n4", "n3 n4", "n4 n5"))


def test_kinds():
    x = Value([1.0, 2.0], requires_grad=False)
    with no_grad():
        z = x * 2
    d = drawing((Value(3.0) * x + z.detach() + 7 + np.ones(2)).sum())
    kinds = [n.kind.value for n in d.nodes]
    assert kinds == ["leaf", "data", "result", "data", "result", "constant", "result", "constant", "result", "output"]
    assert [n.value for n in d.nodes if n.kind is Kind.CONSTANT] == [("7",), ("1", "1", "1")]


def test_a_lone_leaf_is_a_drawing():
    assert [n.kind for n in drawing(Value(1.0)).nodes] == [Kind.LEAF]
    assert [n.kind for n in drawing(Value(1.0, requires_grad=False)).nodes] == [Kind.DATA]


def test_no_gradient_is_not_a_gradient_of_zero():
    x, y = Value(-1.0, name="x"), Value(2.0, name="y")
    z = (x.relu() + y).exp()
    assert all((n.gradient, n.notes) == ((), (NO_GRADIENT,)) for n in drawing(z).nodes)
    z.backward()
    assert (node(z, "x").gradient, node(z, "x").notes) == (("0",), ())
    x.zero_grad()
    assert (node(z, "x").gradient, node(z, "x").notes) == ((), ("gradient cleared since",))


def test_constants_and_data_have_no_gradient_line():
    y = Value(1.0, requires_grad=False) * Value(2.0) * 3
    before = [(n.gradient, n.notes) for n in drawing(y).nodes if n.kind in (Kind.DATA, Kind.CONSTANT)]
    y.backward()
    after = [(n.gradient, n.notes) for n in drawing(y).nodes if n.kind in (Kind.DATA, Kind.CONSTANT)]
    assert before == after == [((), ()), ((), ())]


def test_recorded_gradients_are_drawn_as_their_numbers():
    x = Value(3.0, name="x")
    y = x * x * x
    y.backward(create_graph=True)
    assert isinstance(x.grad, Value)
    assert node(y, "x").gradient == ("27",)
    assert drawing(x.grad).nodes[-1].value == ("27",)  # the gradient's own expression can be drawn


def test_an_input_used_twice_has_two_edges():
    x = Value(3.0)
    assert drawing(x * x).edges == (Edge("n0", "n1"), Edge("n0", "n1"))
    assert drawing(x - x).edges == (Edge("n0", "n1", "1st"), Edge("n0", "n1", "2nd"))


def test_a_shared_value_or_array_is_one_node_and_equal_numbers_are_several():
    x, ones = Value(np.ones(2)), np.ones(2)
    shared = x * ones
    assert len(drawing(shared + shared * ones).nodes) == 5
    assert [n.value for n in drawing(Value(1.0) * 2 * 2).nodes if n.kind is Kind.CONSTANT] == [("2",), ("2",)]


def test_an_array_is_shown_by_form_and_statistics():
    w = Value(np.array([[1.0, 2.0], [3.0, 6.0]], dtype=np.float32), name="w")
    y = (w * w).sum()
    y.backward()
    n = node(y, "w")
    assert (n.form, n.value, n.gradient) == ("(2, 2) float32", ("3", "1", "6"), ("6", "2", "12"))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (1234567.0, ("1.235e+06",)),
        (0.000123456, ("0.0001235",)),
        (float("nan"), ("nan",)),
        (float("inf"), ("inf",)),
        (np.float32(0.1), ("0.1",)),
        (np.zeros((0, 3)), ()),
        ([np.inf, -np.inf, 1.0], ("nan", "−inf", "inf")),
        (np.float16([6e4, 6e4]), ("6e+04", "6e+04", "6e+04")),
    ],
)
def test_numbers_at_four_digits(data, value):
    assert drawing(Value(data)).nodes[0].value == value


@pytest.mark.parametrize(
    ("constant", "value"), [(60000, ("60000",)), (True, ("True",)), (np.array([True, False]), ("0.5", "False", "True"))]
)
def test_whole_numbers_in_full(constant, value):
    assert drawing(Value([1.0, 2.0]) * constant).nodes[1].value == value


X = Value(np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize(
    ("value", "params"),
    [
        (X.sum(), ""),
        (X.sum(axis=0), "axis=0"),
        (X.sum(axis=0, keepdims=True), "axis=0, keepdims=True"),
        (X.softmax(), ""),
        (X.softmax(axis=0), "axis=0"),
        (X[0], "index=0"),
        (X[:, 1:], "index=(:, 1:)"),
        (X[..., ::2], "index=(..., ::2)"),
        (X[np.array([0, 1])], "index=(2,) int64"),
        (X[np.array(1)], "index=1"),
        (X[np.int64(1)], "index=1"),
        (X[[0, 1], None], "index=([0, 1], None)"),
        (X[(1,)], "index=(1,)"),
        (X[[0] * 1000], "index=[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,…"),
        (X.reshape(3, 2), "shape=(3, 2)"),
        (astype(X, "float32"), "dtype='float32'"),
        (astype(X, np.float32), "dtype=float32"),
        (astype(X, np.dtype("float32")), "dtype=float32"),
        (einsum("ij,ij->", X, X), "subscripts='ij,ij->'"),
    ],
)
def test_keyword_parameters_that_differ_from_the_defaults(value, params):
    assert drawing(value).nodes[-1].params == params


def test_a_parameter_that_is_an_object_shows_no_address():
    y = X.sum()
    y.extra = {"params": {"axis": test_kinds}}
    assert drawing(y).nodes[-1].params == "axis=<function test_kinds>"


M, V = Value(np.ones((2, 2))), Value(np.ones(2))


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        (tanh(M), [""]),
        (add(M, 2), ["", ""]),
        (multiply(M, 2), ["", ""]),
        (maximum(M, 2), ["", ""]),
        (minimum(M, 2), ["", ""]),
        (subtract(M, 2), ["1st", "2nd"]),
        (subtract(2, M), ["1st", "2nd"]),
        (divide(M, 2), ["1st", "2nd"]),
        (power(M, 2), ["1st", "2nd"]),
        (arctan2(M, 2), ["1st", "2nd"]),
        (matmul(M, V), ["1st", "2nd"]),
        (where(M > 0, M, V), ["condition", "2nd", "3rd"]),
        (clip(M, 0, 1), ["1st", "a_min", "a_max"]),
        (linear(M, M, V), ["1st", "weight", "bias"]),
        (einsum("ij,ij->", M, M), ["1st", "2nd"]),
        (concatenate([V, V, V, V]), ["1st", "2nd", "3rd", "4th"]),
    ],
)
def test_arrows_tell_operands_where_the_order_matters(value, labels):
    assert [edge.label for edge in drawing(value).edges] == labels


def test_ordinals():
    labels = [edge.label for edge in drawing(concatenate([V] * 123)).edges]
    assert [labels[i - 1] for i in (10, 11, 12, 13, 20, 21, 22, 23, 101, 111, 112, 113, 121)] == (
        ["10th", "11th", "12th", "13th", "20th", "21st", "22nd", "23rd", "101st", "111th", "112th", "113th", "121st"]
    )


def test_which_operations_commute_follows_from_their_definitions():
    """Every elementwise op of two inputs in the registry: unlabelled exactly if forward is symmetric at other points too."""
    rng = np.random.default_rng(0)
    for call in list(registry.values()):
        op = call.op
        own = op.forward.__module__.startswith("tinygrad_edu.")  # other tests define ops of their own
        if own and op.elementwise and not op.derived and len(op.rules) == 2 and None not in op.rules:
            a, b = rng.uniform(0.1, 0.9, (2, 50))
            symmetric = np.allclose(op.forward(a, b), op.forward(b, a))
            labels = [edge.label for edge in drawing(call(Value(0.4), Value(0.2))).edges]
            assert labels == (["", ""] if symmetric else ["1st", "2nd"]), op


def test_names():
    a = Value(1.0, name="mine")
    b = Value(2.0)
    x = np.ones(2)
    y = (a * b + x).sum()
    called = {n.name for n in drawing(y, {"a": a, "b": b, "x": x, "other": 3, "y": y, "again": b}).nodes}
    assert called == {"mine", "b", "x", "y", ""}
    assert drawing(y, {"_12": y, "y": y}).nodes[-1].name == "y"
    assert drawing(y, {"_12": y}).nodes[-1].name == "_12"


def test_names_from_locals():
    first, second = Value(1.0), Value(2.0)
    assert [n.name for n in drawing(first * second, locals()).nodes] == ["first", "second", ""]


def test_a_released_graph_says_so():
    a = Value(2.0, name="a")
    y = (a * 3).exp()
    y.backward(retain_graph=False)
    (n,) = drawing(y).nodes
    assert (n.kind, n.symbol, n.notes, n.gradient) == (Kind.OUTPUT, "exp", ("released",), ())
    assert [n.notes for n in drawing(y * a).nodes] == [("released",), ("gradient of another run",), (NO_GRADIENT,)]


def test_a_leaf_changed_in_place_says_so():
    a, b = Value(2.0, name="a"), Value(3.0, name="b")
    y = a * b
    a.data = 5.0
    a.mark_changed()
    assert node(y, "a").notes == (NO_GRADIENT, "changed in place since")
    assert node(y, "b").notes == (NO_GRADIENT,)
    assert node(a * b, "a").notes == (NO_GRADIENT,)


def test_the_same_expression_gives_the_same_drawing():
    assert drawing(readme()) == drawing(readme())


def test_inputs_stand_before_results_in_a_tangle():
    x = Value(1.0)
    values = [x]
    rng = np.random.default_rng(0)
    for _ in range(300):
        i, j = rng.integers(len(values), size=2)
        values.append(values[i] * values[j] if rng.random() < 0.5 else values[i] - values[j])
    total = values[0]
    for value in values:
        total = total + value
    d = drawing(total)
    place = {n.id: i for i, n in enumerate(d.nodes)}
    assert list(place) == [f"n{i}" for i in range(602)]
    assert all(place[edge.source] < place[edge.target] for edge in d.edges)


def test_a_chain_of_ten_thousand_operations():
    y = Value(0.5)
    for _ in range(10_000):
        y = tanh(y)
    assert len(drawing_of(y).nodes) == len(drawing_of(y).edges) + 1 == 10_001
    picture = graph(y, detail="scalar")
    assert len(picture.drawing.nodes) <= 2_000
    assert picture.drawing.folded


def test_a_doubling_chain_takes_no_exponential_time():
    y = Value(1.0)
    for _ in range(200):
        y = y + y
    assert len(drawing(y).nodes) == 201


def test_the_description_tells_it_in_words():
    y = readme() * Value([[1.0, 2.0]])
    assert drawing(y).description == (
        "8 nodes, from the inputs on the left to the output on the right. "
        "leaf a: value 2, no gradient yet; leaf b: value −3, no gradient yet; result ×: value −6, no gradient yet; "
        "leaf c: value 5.5, no gradient yet; result +: value −0.5, no gradient yet; "
        "result y tanh: value −0.4621, no gradient yet; "
        "leaf: (1, 2) float64, value mean 1.5, min 1, max 2, no gradient yet; "
        "output ×: (1, 2) float64, value mean −0.6932, min −0.9242, max −0.4621, no gradient yet."
    )


def test_the_description_shortens_names():
    assert drawing(Value(1.0, name="x\n" * 5000)).description.startswith(
        "1 node, from the inputs on the left to the output on the right. leaf x\\nx\\nx"
    )
    assert len(drawing(Value(1.0, name="x\n" * 5000)).description) < 200


@pytest.mark.parametrize(("results", "told"), [(39, 40), (40, 1)])
def test_the_description_goes_through_forty_nodes_at_most(results, told):
    y = Value(1.0)
    for _ in range(results):
        y = tanh(y)
    assert drawing(y).description.count("no gradient yet") == told


def test_the_description_of_a_large_graph_is_short():
    y = Value(1.0)
    for _ in range(900):
        y = y * 1.0
    assert drawing(y).description == (
        "1,801 nodes, from the inputs on the left to the output on the right. output ×: value 1, no gradient yet."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (3.0,),
            "graph: got float, expected a Value, or a Module and its inputs; compute the number from Values, and give the result",
        ),
        ((np.ones(2),), "graph: got ndarray, expected a Value"),
        (
            (Value(1.0), {"a": 1}),
            r"graph: got names after a Value; give them by name: graph\(y, names=locals\(\)\)",
        ),
        (
            (Value(1.0), None, 7),
            "graph: got NoneType after a Value, expected options by name alone; only a Module takes inputs",
        ),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(DTypeError, match=message):
        graph(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"title": 7}, "graph: got a title of type int, expected text"),
        (
            {"detail": "layer"},
            "graph: got detail='layer', expected one of 'auto', 'scalar', 'tensor', 'backward' for a Value",
        ),
        ({"detail": None}, "graph: got detail=None, expected one of"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(DTypeError, match=message):
        graph(Value(1.0), **options)


# -- What may be asked for ---------------------------------------------------------------------------------------------


def test_local_derivatives_come_from_the_rules():
    a, b = Value(2.0), Value(-3.0)
    y = tanh(a * b + 5.5) / a
    d = graph(y, derivatives=True).drawing
    assert [edge.derivative for edge in d.edges] == ["−3", "2", "1", "", "0.7864", "0.5", "0.1155"]
    assert [edge.derivative for edge in drawing(y).edges] == [""] * 7


def test_only_scalars_that_gradient_flows_to_have_local_derivatives():
    x = Value(2.0) * Value(3.0, requires_grad=False)
    assert [e.derivative for e in graph(x, derivatives=True).drawing.edges] == ["3", ""]
    y = clip(Value(2.0), 0, 1) * Value([1.0])
    assert [e.derivative for e in graph(y, derivatives=True).drawing.edges] == ["0", "", "", "", ""]


def test_operations_that_are_not_elementwise_have_no_local_derivatives():
    """Σ of a single number has the rule that Σ of an array has: it is no factor of a chain of numbers."""
    x = Value(2.0)
    for y in (x.sum() * 2, tinygrad_edu.norm(x) * 2):
        assert [e.derivative for e in graph(y, derivatives=True).drawing.edges] == ["", "2", ""], y


@pytest.mark.parametrize("make", [lambda: Value([1.0]) * 2, lambda: Value([1.0, 2.0]).sum(), lambda: Value(2.0).sum()])
def test_local_derivatives_that_cannot_be_shown_are_refused(make):
    with pytest.raises(
        DTypeError, match="graph: got derivatives=True, which labels operations on scalars, and none is drawn"
    ):
        graph(make(), derivatives=True)
    assert graph(Value([1.0]), derivatives=True).drawing.edges == ()  # there is no operation yet


def test_names_that_several_carry_are_told_apart():
    """By the user's names for them, such as the paths of parameters; else by number."""
    a, b, c = Value(1.0, name="x"), Value(2.0, name="x"), Value(3.0, name="x (2)")
    y = a * b + c
    assert [n.name for n in drawing(y).nodes if n.name] == ["x", "x (3)", "x (2)"]
    assert [n.name for n in drawing(y, {"a": a, "b": b, "c": c}).nodes if n.name] == ["a", "b", "c"]
    assert [n.name for n in drawing(a * c, {"a": a}).nodes if n.name] == ["x", "x (2)"]  # nothing is repeated
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Linear(2, 1, rng=0))
    loss = model(np.ones((3, 2))).sum()
    assert {n.name for n in drawing(loss, dict(model.named_parameters())).nodes} - {""} == {
        *("0.weight", "0.bias", "1.weight", "1.bias")
    }
    assert {n.name for n in drawing(loss).nodes} - {""} == {"W", "b", "W (2)", "b (2)"}


def test_a_local_derivative_may_be_infinite():
    assert [e.derivative for e in graph(Value(0.0) ** 0.5, derivatives=True).drawing.edges] == ["inf", ""]


def test_where_an_infinite_gradient_arises_the_arrow_is_red():
    x = Value(0.0, name="x")
    y = x**0.5 + x
    with np.errstate(all="ignore"):
        y.backward()
    assert [(e.target, e.alarm) for e in drawing(y).edges if e.source == "n0"] == [("n2", True), ("n3", False)]


def test_magnitudes_are_logarithms_of_gradients():
    a, b, c = Value(1.0), Value(100.0), Value(0.0)
    y = a * b + a * c * 2 + Value([1.0, -1e-3]).sum() * 0
    y.backward()
    magnitudes = {n.value: n.magnitude for n in graph(y, magnitudes=True).drawing.nodes if n.kind is Kind.LEAF}
    assert magnitudes == {
        ("1",): 2.0,
        ("100",): 0.0,
        ("0",): pytest.approx(0.301, abs=1e-4),
        ("0.4995", "−0.001", "1"): -np.inf,
    }
    assert {n.magnitude for n in graph(y).drawing.nodes} == {None}
    assert "from 1 to 100 on a logarithmic scale" in graph(y, magnitudes=True).drawing.description


def test_shared_values_tell_their_uses():
    x = Value(1.0, name="x")
    y = x * x + x
    assert [(n.name or n.symbol, n.uses) for n in drawing(y).nodes] == [("x", 3), ("×", 1), ("+", 0)]
    assert "used 3×: gradients add up" in drawing(y).description


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_raise_an_alarm(bad):
    y = (Value([1.0, bad], name="x") * Value(1.0, name="w")).sum() + Value(1.0, name="b")
    d = drawing(y)
    assert [n.alarm for n in d.nodes] == [True, False, True, True, False, True]
    assert [e.alarm for e in d.edges] == [True, False, True, True, False]


def test_a_gradient_that_is_not_finite_raises_an_alarm():
    x, w = Value(0.0, name="x"), Value(2.0, name="w")
    y = (x * w).sqrt()
    with np.errstate(all="ignore"):
        y.backward()
    d = drawing(y)
    assert [(n.symbol or n.name, n.alarm) for n in d.nodes] == [("x", True), ("w", True), ("×", True), ("√", False)]
    assert all(edge.alarm for edge in d.edges)


def test_a_model_is_drawn_too():
    model = Linear(2, 3, rng=np.random.default_rng(0))
    assert graph(model, np.ones((1, 2)), title="A layer").drawing.title == "A layer"
    assert not any(p.grad is not None for p in model.parameters())
