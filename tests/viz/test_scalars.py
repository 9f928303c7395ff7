"""detail="scalar": an expression on arrays taken apart into one on numbers, with the arrays' values, gradients and names."""

from __future__ import annotations

import numpy as np
import pytest
from samples import read

import nn
from nn.functional import cross_entropy
from tinygrad_edu import GraphError, Value, max_pool2d, registry, softmax, tanh
from viz import Drawing, Kind, graph
from viz.drawings.scalars import apart
from viz.reading.names import distinct, entry
from viz.reading.passing import passed_on
from viz.reading.recorded import Recorded, recorded
from viz.text import number


def draw(what, *inputs, **options) -> Drawing:
    return graph(what, *inputs, detail="scalar", **options).drawing


def path_sums(record: Recorded, outputs: dict[str, float], names: dict[int, str]) -> dict[int, float]:
    """For each Value the sum, over all paths to the outputs, of the product of local derivatives; by id."""
    totals = {id(x): outputs[names[id(x)]] for x in record.items if names.get(id(x)) in outputs}
    for value in reversed(record.items):
        if isinstance(value, Value) and value.inputs and id(value) in totals and value.requires_grad:
            for x, slope in zip(value.inputs, passed_on(value, 1.0), strict=True):
                if slope is not None:
                    totals[id(x)] = totals.get(id(x), 0.0) + slope * totals[id(value)]
    return totals


def check(y: Value, **leaves: Value) -> Recorded:
    """That the numbers taken apart have the entries of y, and that sums of products along paths are the leaves' gradients."""
    for x in leaves.values():
        x.zero_grad()
    rng = np.random.default_rng(1)
    g = rng.normal(size=y.shape)
    y.backward(g if y.shape else float(g))
    record = recorded(y, numbers_inside=False)
    names = distinct(record.items, {id(y): "y"} | {id(x): name for name, x in leaves.items()})
    numbers, called = apart(record, names)
    by_name = {called[id(x)]: x for x in numbers.items if id(x) in called}
    seeds = {entry("y", at, y.shape): float(np.asarray(g)[at]) for at in np.ndindex(y.shape)}
    for at in np.ndindex(y.shape):
        found = by_name.get(entry("y", at, y.shape))
        if found is not None:  # an entry that was only moved has its leaf's name
            np.testing.assert_allclose(found.data, np.asarray(y.data)[at], rtol=1e-12, atol=1e-15)
    totals = path_sums(numbers, seeds, called)
    if set(seeds) <= set(by_name):
        for name, x in leaves.items():
            for at in np.ndindex(x.shape if x.grad is not None else 0):
                number = by_name.get(entry(name, at, x.shape))
                expected = np.asarray(x.grad)[at]
                if number is not None:
                    assert number.data == np.asarray(x.data)[at]
                    np.testing.assert_allclose(totals.get(id(number), 0.0), expected, rtol=1e-9, atol=1e-11)
                else:
                    assert abs(expected) < 1e-11  # nothing depends on it
    return numbers


def test_the_scalars_of_a_linear_model():
    """Article 3: x₁ · θ₁ + x₂ · θ₂, less y, squared."""
    model = nn.Linear(2, 1, bias=False, rng=0)
    model.weight.name = "θ"
    y = np.array([3.0])
    d = draw(model, np.array([1.0, 2.0]), names={"y": y}, loss=lambda p: ((p - y) ** 2).sum())
    assert [(n.kind, n.name, n.symbol) for n in d.nodes] == [
        (Kind.DATA, "x₁", ""),
        (Kind.LEAF, "θ₁", ""),
        (Kind.RESULT, "", "×"),
        (Kind.DATA, "x₂", ""),
        (Kind.LEAF, "θ₂", ""),
        (Kind.RESULT, "", "×"),
        (Kind.RESULT, "", "+"),
        (Kind.DATA, "y", ""),
        (Kind.RESULT, "", "-"),
        (Kind.CONSTANT, "", ""),
        (Kind.OUTPUT, "", "^"),
    ]
    w = model.weight.data[0]
    assert [n.value for n in d.nodes if n.symbol == "+"] == [(number(w[0] + 2 * w[1]),)]


def test_values_gradients_and_local_derivatives_are_those_of_the_arrays():
    x, W, b = Value([1.0, 2.0]), Value([[0.5, -1.0], [2.0, 0.25]]), Value([0.1, -0.1])
    y = tanh(W @ x + b).sum()
    y.backward()
    d = draw(y, names={"x": x, "W": W, "b": b, "y": y}, derivatives=True)
    shown = {n.name: (n.value, n.gradient) for n in d.nodes if n.name}
    for name, array in (("x", x), ("W", W), ("b", b)):
        for at in np.ndindex(array.shape):
            expected = (number(array.data[at]),), (number(array.grad[at]),)
            assert shown[entry(name, at, array.shape)] == expected
    totals = dict.fromkeys([n.id for n in d.nodes], 0.0) | {d.nodes[-1].id: 1.0}
    for edge in reversed(d.edges):
        totals[edge.source] += read(edge.derivative) * totals[edge.target]
    for node in d.nodes:
        assert totals[node.id] == pytest.approx(read(node.gradient[0]), rel=2e-3), node


def test_two_layers_and_a_loss():
    model = nn.MLP((2, 3, 2), nn.ReLU, rng=0)
    x, labels = np.array([[0.5, -1.0]]), np.array([1])
    loss = cross_entropy(model(x), labels)
    names = {path.replace(".", "_"): p for path, p in model.named_parameters()}
    numbers = check(loss, **names)
    boxes = [v for v in numbers.items if isinstance(v, Value) and v.grad_fn is not None and v.grad_fn.symbol == "CE"]
    assert [len(v.inputs) for v in boxes] == [2]  # what has no parts is one operation, of each logit


def test_an_operation_that_does_more_than_add_and_multiply_is_one_for_each_entry():
    z = Value([1.0, 2.0, 3.0])
    d = draw(softmax(z), names={"z": z}, derivatives=True)
    assert [(n.kind, n.name, n.symbol) for n in d.nodes] == [
        *((Kind.LEAF, f"z{i}", "") for i in "₁₂₃"),
        *((Kind.OUTPUT, "", f"softmax{i}") for i in "₁₂₃"),
    ]
    p = np.exp(z.data) / np.exp(z.data).sum()
    jacobian = np.diag(p) - np.outer(p, p)
    assert [e.derivative for e in d.edges] == [number(x) for x in jacobian.ravel()]


def test_only_the_entries_that_count_have_arrows():
    x = Value(np.arange(9.0).reshape(3, 3), name="x")
    d = draw(max_pool2d(x[None, None], 2, stride=1), derivatives=True)
    assert len([n for n in d.nodes if n.kind is Kind.LEAF]) == 9
    ends = [sum(e.target == n.id for e in d.edges) for n in d.nodes if n.kind is Kind.OUTPUT]
    assert ends == [4, 4, 4, 4]
    assert sorted(e.derivative for e in d.edges) == ["0"] * 12 + ["1"] * 4


@pytest.mark.parametrize("name", [name for name, call in registry.items() if not call.op.listed])
def test_every_operation(name):
    """Values, and sums of products along paths, for each operation of arrays, on its own samples."""
    op = registry[name].op
    rng = np.random.default_rng(0)
    for shape in ((2, 3), (2, 2)):
        shapes = (
            [((shape,) * len(op.arrays), {})]
            if op.samples is None
            else [(s.shapes, s.params) for s in op.samples(shape)]
        )
        for shapes_, params in shapes[:3]:
            inputs = [Value(rng.uniform(0.2, 0.9, each)) for each in shapes_]
            with np.errstate(all="ignore"):
                try:
                    y = registry[name](*inputs, **params)
                    y = y[0] if isinstance(y, (tuple, list)) else y
                    assert np.isfinite(y.data).all()
                    drawn = y.requires_grad and y.size and sum(x.size for x in inputs) + y.size < 60
                except Exception:  # outside its domain
                    continue
            if drawn:
                check(y, **{"abcdefgh"[i]: x for i, x in enumerate(inputs)})


def test_lists_of_arrays_are_joined():
    a, b = Value([1.0, 2.0]), Value([3.0, 4.0])
    check(np.concatenate([a * 2, b]) * 1.0, a=a, b=b)
    check(np.stack([a, b * a]) * 1.0, a=a, b=b)
    check(np.einsum("i,j->ij", a, b), a=a, b=b)


def test_an_entry_that_is_only_moved_has_no_node_of_its_own():
    x = Value([[1.0, 2.0], [3.0, 4.0]])
    d = draw(x.T.reshape(4)[1] * 2, names={"x": x})
    assert [(n.name, n.value) for n in d.nodes] == [("x₂₁", ("3",)), ("", ("2",)), ("", ("6",))]


def test_several_outputs_are_all_drawn():
    x = Value([1.0, 2.0])
    y = x * 3
    d = draw(y, names={"x": x, "y": y})
    assert [(n.kind, n.name, n.value) for n in d.nodes if n.symbol] == [
        (Kind.OUTPUT, "y₁", ("3",)),
        (Kind.OUTPUT, "y₂", ("6",)),
    ]
    y.backward([1.0, 10.0])
    assert [n.gradient for n in draw(y, names={"x": x}).nodes if n.name] == [("3",), ("30",)]


def test_expressions_of_scalars_stay_as_they_were():
    a = Value(2.0, name="a")
    y = (a * 3).sum() + a
    assert graph(y, detail="scalar").drawing == graph(y).drawing
    for _ in range(600):
        y = y * 1.0001
    assert len(draw(y).nodes) > 500


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: (Value(np.ones(501), name="w") * 2).sum(), r"got 501 numbers up to w of shape \(501,\)"),
        (lambda: Value(np.ones((9, 9))) @ Value(np.ones((9, 9))), r"got 1,539 numbers up to matmul of shape \(9, 9\)"),
        (lambda: (x := Value(np.eye(22))) @ x, r"got 10,001 numbers up to matmul of shape \(22, 22\)"),
        (lambda: np.linalg.inv(Value(np.eye(9) + 0.1)), r"got 6,561 arrows up to inv of shape \(9, 9\)"),
    ],
)
def test_what_is_too_large_is_refused_by_name(make, message):
    with pytest.raises(
        GraphError, match=f"graph: detail='scalar' draws at most 500 numbers and 2,000 arrows, {message}.*'tensor'"
    ):
        draw(make())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_in_another_order_is_no_other_operation(dtype):
    x = Value(np.array([10.0, 1.0, -10.0, 1 / 3], dtype), name="x")
    assert {n.symbol for n in draw((x * x).sum() - x.sum()).nodes} == {"", "×", "+", "-"}


def test_numbers_that_are_not_finite_are_taken_apart_too():
    x = Value([np.nan, np.inf, 1.0], name="x")
    d = draw(x @ Value([1.0, 0.0, 2.0], name="w"))
    assert [n.value for n in d.nodes if n.symbol == "×"] == [("nan",), ("nan",), ("2",)]


def test_five_hundred_numbers_are_drawn():
    x = Value(np.ones(100), name="x")
    assert len(draw((x * x).sum()).nodes) == 100 + 100 + 99
    assert graph(x, detail="scalar").smaller is None


def test_a_batch_that_is_too_large_says_what_to_do():
    with pytest.raises(GraphError, match="pass fewer examples"):
        draw(nn.MLP((4, 8, 3), rng=0), np.ones((32, 4)))


def test_what_was_released_or_changed_is_refused():
    x = Value([1.0, 2.0])
    y = (x * 2).sum()
    x.data[0] = 5.0
    x.mark_changed()
    with pytest.raises(GraphError, match="computes anew, and an operand changed in place; record it again"):
        draw(y)
    with pytest.raises(GraphError, match="and w changed in place"):
        graph(y, names={"w": x}, detail="scalar")
    data = np.ones(2)
    w = Value(data, name="w", copy=False) * Value([1.0, 2.0], name="v")
    data[0] = 7.0  # which leaves no trace, so that it is not known which of the two it was
    with pytest.raises(GraphError, match="and an operand changed in place"):
        draw(w)
    y = x * 2
    y.backward([1.0, 1.0], retain_graph=False)
    with pytest.raises(GraphError, match="released"):
        draw(y)


def test_nothing_of_the_users_changes():
    x = Value([1.0, 2.0], name="x")
    y = (x * x).sum()
    y.backward()
    before = x.grad.copy(), y.grad, x.tick, y.tick
    draw(y, derivatives=True)
    assert (x.grad == before[0]).all()
    assert (y.grad, x.tick, y.tick) == before[1:]


def test_plain_arrays_numbers_masks_and_float32():
    x = Value(np.array([1.0, -2.0], np.float32), name="x")
    mask = np.array([True, False])
    y = np.where(mask, x, 0.5) * np.array([2.0, 3.0], np.float32)
    d = draw(y)
    assert [n.value for n in d.nodes if n.kind is Kind.OUTPUT] == [("2",), ("1.5",)]


@pytest.mark.parametrize(
    ("name", "at", "shape", "called"),
    [
        ("θ", (0,), (2,), "θ₁"),
        ("w", (0, 1), (2, 2), "w₁₂"),
        ("θ", (0, 1), (1, 2), "θ₂"),
        ("w", (0, 0), (1, 1), "w"),
        ("loss", (), (), "loss"),
        ("w", (9,), (10,), "w[9]"),
        ("w", (1, 1, 1), (2, 2, 2), "w[1, 1, 1]"),
        ("0.weight", (0, 1), (2, 2), "0.weight[0, 1]"),
    ],
)
def test_names_of_entries(name, at, shape, called):
    assert entry(name, at, shape) == called


def test_gradients_that_are_not_of_this_run_are_told_of_each_number():
    def notes(y: Value) -> dict[str, tuple[str, ...]]:
        return {n.name or n.symbol: n.notes for n in draw(y).nodes if n.notes}

    x = Value([1.0, 2.0], name="x")
    y = (x * x).sum()
    assert set(notes(y).values()) == {("no gradient yet",)}
    y.backward()
    assert notes(y) == {}
    x.grad = x.grad * np.array([1.0, 3.0])
    assert notes(y) == {"x₂": ("gradient differs from this run's",)}
    assert {n for names in notes((x * 3.0).sum()).values() for n in names} == {
        "gradient of another run",
        "no gradient yet",
    }
    z = softmax(x)
    z.backward([1.0, 0.0])
    assert {*notes(z).values()} == {("gradient differs from this run's",)}  # two runs added up
    x.zero_grad()
    z.backward([1.0, 0.0])
    assert notes(z) == {}


def test_gradients_that_hooks_changed_are_as_they_are_stored():
    x = Value([1.0, 2.0], name="x")
    z = x * 3.0
    z.register_hook(lambda g: g * 10.0)
    y = (z * z).sum()
    y.backward()
    d = graph(y, names={"z": z}, detail="scalar").drawing
    shown = {n.name: n.gradient for n in d.nodes if n.name}
    assert shown == {entry(n, (i,), (2,)): (number(v.grad[i]),) for n, v in (("x", x), ("z", z)) for i in range(2)}
    assert not [n.notes for n in d.nodes if n.notes]
    x.register_hook(lambda g: g * 2.0)
    x.zero_grad()
    y.backward()
    assert not [n.notes for n in draw(y).nodes if n.notes]


def test_recorded_gradients_are_not_of_another_run():
    x = Value([1.0, 2.0], name="x")
    y = (x * x).sum()
    y.backward(create_graph=True)
    d = draw(y)
    assert {n.notes for n in d.nodes if n.name} == {()}
    assert {n.notes for n in d.nodes if n.symbol} == {("gradient not kept (create_graph=True)",)}


def test_results_that_no_gradient_flows_to_have_not_changed():
    x, w = Value([1.0, 2.0], name="x", requires_grad=False), Value([3.0, 4.0], name="w")
    d = draw(np.concatenate([x, w]).sum(), derivatives=True)  # x₁ + x₂ needs no gradient
    assert not [note for n in d.nodes for note in n.notes if "changed" in note]


def test_arrays_of_no_entries_are_drawn():
    assert draw(Value(np.ones((0, 2)), name="x").sum()).nodes
    assert draw(Value(np.ones((0, 2)), name="x") * 2.0).nodes == ()
