"""Value: what it holds, NumPy's protocols, indexing, copying, and the error for each thing that it refuses."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import DTypeError, GraphError, ShapeError, UnsupportedError, Value

A = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])


def test_leaf_data():
    assert Value(2).data == 2.0
    assert type(Value(2).data) is float
    assert type(Value(np.array(2.0)).data) is float
    assert type(Value(np.float32(2)).data) is np.float32
    assert Value([[1, 2], [3, 4]]).dtype == float
    x = np.ones(2)
    assert Value(x).data is not x
    assert Value(x, copy=False).data is x
    assert Value(np.array([1, 2]), requires_grad=False).dtype.kind == "i"


@pytest.mark.parametrize(
    "data", [np.array([1, 2]), np.array([True]), 1j, np.ones(2, complex), np.array(["a"]), "a", [None], [1j]]
)
def test_data_without_a_gradient_is_refused(data):
    with pytest.raises(DTypeError, match="Value: got"):
        Value(data)


def test_a_value_of_a_value_is_refused():
    with pytest.raises(DTypeError, match="got a Value"):
        Value(Value(1.0))


def test_scalars_are_never_0d_arrays():
    x = Value(A)
    for y in (
        x.sum(),
        x[0, 0],
        x.max(),
        x.reshape(-1)[2],
        tg.einsum("ij->", x),
        x[0] @ x[1],
        x.mean(),
        x.var(),
        x.norm(),
    ):
        assert type(y.data) is float, y
    assert type(Value(A.astype(np.float32)).sum().data) is np.float32


def test_float_scalars_are_weak_in_promotion():
    x = Value(A.astype(np.float32))
    s = Value(2.0)
    y = x * s * np.float64(2) * 3
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32
    assert type(s.grad) is float


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda v: v + 1, A + 1),
        (lambda v: 1 - v, 1 - A),
        (lambda v: v * A, A * A),
        (lambda v: A * v, A * A),
        (lambda v: A - v, A - A),
        (lambda v: v / 2, A / 2),
        (lambda v: 2 / v, 2 / A),
        (lambda v: v**2, A**2),
        (lambda v: 2**v, 2**A),
        (lambda v: v @ A.T, A @ A.T),
        (lambda v: A.T @ v, A.T @ A),
        (lambda v: -v, -A),
        (lambda v: abs(v), abs(A)),
        (lambda v: np.float64(3) * v, 3 * A),
        (lambda v: v + [1, 2, 3], A + [1, 2, 3]),
        (lambda v: [[1], [2]] * v, [[1], [2]] * A),
        (lambda v: np.exp(v), np.exp(A)),
        (lambda v: np.sum(v, axis=0), A.sum(0)),
        (lambda v: np.sum(v, 1, keepdims=True), A.sum(1, keepdims=True)),
        (lambda v: np.max(v), A.max()),
        (lambda v: np.clip(v, -1, 1), A.clip(-1, 1)),
        (lambda v: np.where(v > 0, v, 0), np.where(A > 0, A, 0)),
        (lambda v: np.concatenate([v, A], axis=1), np.concatenate([A, A], axis=1)),
        (lambda v: np.stack([v, v]), np.stack([A, A])),
        (lambda v: np.reshape(v, (3, 2)), A.reshape(3, 2)),
        (lambda v: v.reshape(3, 2), A.reshape(3, 2)),
        (lambda v: v.reshape((3, -1)), A.reshape(3, 2)),
        (lambda v: np.transpose(v), A.T),
        (lambda v: v.T, A.T),
        (lambda v: v.mT, A.T),
        (lambda v: v.transpose(1, 0), A.T),
        (lambda v: np.broadcast_to(v, (2, 2, 3)), np.broadcast_to(A, (2, 2, 3))),
        (lambda v: np.einsum("ij->j", v), A.sum(0)),
        (lambda v: np.linalg.norm(v), np.linalg.norm(A)),
        (lambda v: np.linalg.norm(v, axis=1), np.linalg.norm(A, axis=1)),
        (lambda v: np.var(v, axis=0), A.var(0)),
        (lambda v: np.mean(v), A.mean()),
        (lambda v: np.maximum(v, 0), np.maximum(A, 0)),
        (lambda v: np.arctan2(v, 2.0), np.arctan2(A, 2.0)),
        (lambda v: tg.var(v, ddof=1), A.var(ddof=1)),
    ],
)
def test_operators_functions_and_numpy_record_the_same(make, expected):
    v = Value(A)
    y = make(v)
    assert isinstance(y, Value)
    assert np.allclose(y.data, expected, rtol=1e-15)
    y.sum().backward()
    assert v.grad.shape == A.shape


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda v: np.asarray(v), UnsupportedError, r"np.asarray\(value\).*value.numpy\(\)"),
        (lambda v: np.array([v[0], v[1]]), UnsupportedError, "stack"),
        (lambda v: np.sort_complex(v), UnsupportedError, "np.sort_complex: not recorded.*use np.sort"),
        (lambda v: np.modf(v), UnsupportedError, "np.modf: not recorded.*nearest that is recorded: np.fmod"),
        (lambda v: np.fft.fft(v), UnsupportedError, "np.fft.*fft: not recorded"),
        (lambda v: np.add.reduce(v), UnsupportedError, r"np.add.reduce: not recorded.*sum\(\)"),
        (lambda v: np.add(v, 1, out=np.ones((2, 3))), UnsupportedError, "out="),
        (lambda v: np.sum(v, where=A > 0), UnsupportedError, r"np.sum: where= is not recorded.*where\(condition"),
        (lambda v: np.sum(v, dtype=float), UnsupportedError, r"np.sum: dtype= is not recorded.*astype"),
        (lambda v: v.sum(foo=1), UnsupportedError, "does not take foo="),
        (lambda v: tg.norm(v, ord="spam"), UnsupportedError, "norm: got ord='spam'"),
        (lambda v: v + "a", DTypeError, "add: got str 'a', expected a Value"),
        (lambda v: v * None, DTypeError, "multiply: got NoneType"),
        (lambda v: v * 1j, DTypeError, "multiply: got complex"),
        (lambda v: v * np.ones(3, complex), DTypeError, "complex128"),
        (lambda v: v + np.array([1, "a", None], object), DTypeError, "add: "),
        (lambda v: v + [v[0], v[1]], DTypeError, r"list of Values; join them with stack\(\)"),
        (lambda v: tg.exp("a"), DTypeError, "exp: got str"),
        (lambda v: v + np.ones(2), ShapeError, r"add: shapes \(2, 3\) and \(2,\) do not broadcast"),
        (
            lambda v: v @ np.ones((2, 3)),
            ShapeError,
            r"inner sizes differ, \(2, 3\) @ \(2, 3\); transpose the right operand\?",
        ),
        (lambda v: v @ np.ones((4, 5)), ShapeError, r"matmul: inner sizes differ, \(2, 3\) @ \(4, 5\)"),
        (lambda v: v @ 2.0, ShapeError, r"use \* for scalars"),
        (lambda v: v.sum(axis=2), ShapeError, "sum: axis 2 is out of bounds"),
        (lambda v: v.reshape(4), ShapeError, "reshape: cannot reshape"),
        (lambda v: tg.concatenate([v, np.ones(3)]), ShapeError, "concatenate: "),
        (lambda v: tg.einsum("ij,jk", v), ShapeError, "einsum: got 1, expected 2 operands"),
        (lambda v: tg.concatenate(v, v), ShapeError, "expected a list of arrays and an integer axis"),
        (lambda v: tg.matmul(v), UnsupportedError, "matmul: b missing; it takes a, b"),
        (lambda v: tg.where(v), UnsupportedError, "where: a, b missing"),
        (lambda v: tg.mean(v, axis=5), ShapeError, "mean: .*axis 5"),
        (lambda v: tg.dot(v, v), ShapeError, "dot: "),
        (
            lambda v: tg.conv1d(v, v, strides=2),
            UnsupportedError,
            "conv1d: does not take strides=; it takes x, weight",
        ),
        (lambda v: tg.einsum(), UnsupportedError, "einsum: missing 1 required"),
        (lambda v: np.full_like(v, v[0, 0]), UnsupportedError, "np.full_like: not recorded"),
        (lambda v: np.linalg.cond(v), UnsupportedError, "np.linalg.cond: not recorded"),
        (lambda v: tg.power([2, 3], -1), DTypeError, "power: .*negative integer powers.*as floats"),
        (lambda v: v.item(), DTypeError, "single number"),
        (lambda v: np.array([v[0, 0], v[0, 1]]), UnsupportedError, r"tinygrad_edu.array\(\[v, w\]\)"),
        (lambda v: tg.stack([v, v], axis=None), ShapeError, "integer axis"),
        (lambda v: np.exp(v, where=A > 0), UnsupportedError, "np.exp: where= is not recorded"),
        (lambda v: np.mean(v, dtype=float), UnsupportedError, "np.mean: "),
        (lambda v: v * [[1], [2, 3]], DTypeError, "rows of different lengths"),
        (lambda v: Value([[1], [2, 3]]), DTypeError, "Value: got a nested list"),
        (lambda v: Value(1.0) * 10**400, DTypeError, "too large for a float"),
        (lambda v: v[5], IndexError, r"v\[index\]: index 5 is out of bounds"),
        (lambda v: float(v), DTypeError, r"float: got a Value of shape \(2, 3\)"),
        (lambda v: len(Value(1.0)), TypeError, "no length"),
        (lambda v: list(Value(1.0)), TypeError, "no length"),
        (lambda v: copy.copy(v * 2), GraphError, "part of a graph"),
        (lambda v: copy.deepcopy(v * 2), GraphError, "part of a graph"),
        (lambda v: pickle.dumps(v * 2), GraphError, "part of a graph"),
        (lambda v: setattr(v * 2, "requires_grad", False), GraphError, r"use detach\(\)"),
    ],
)
def test_refusals(use, error, message):
    with pytest.raises(error, match=message):
        use(Value(A))


def test_item_assignment_points_to_at():
    v = Value(np.ones(2))
    with pytest.raises(UnsupportedError, match=r"v = v.at\(index\).set\(values\)"):
        v[0] = 1.0


def test_writing_a_value_into_an_array_is_refused():
    array = np.ones((2, 3))
    with pytest.raises(UnsupportedError, match="array = array"):
        array += Value(A)
    with pytest.raises(UnsupportedError, match=r"value.numpy\(\)"):
        array[:] = Value(A)
    assert np.array_equal(array, np.ones((2, 3)))


def test_comparisons_are_plain():
    v = Value(A)
    assert (v > 0).dtype == bool
    assert np.array_equal(v == A, np.ones((2, 3), bool))
    assert np.array_equal(np.greater(v, 0), A > 0)
    assert (Value(1.0) < Value(2.0)) is True
    assert (Value(1.0) != 1.0) is False
    assert np.isfinite(v).all()
    assert np.allclose(v, b=v)
    assert v in {v}


def test_attributes_and_conversions():
    v = Value(A, name="v")
    assert (v.shape, v.ndim, v.size, v.dtype, len(v), v.name) == ((2, 3), 2, 6, np.float64, 2, "v")
    assert v.numpy() is v.data
    assert Value(2.5).item() == 2.5
    assert [row.shape for row in v] == [(3,), (3,)]
    assert f"{Value(2.5):.2f}" == "2.50"
    assert bool(Value(0.0)) is False
    assert np.shape(v) == (2, 3)
    assert np.size(v) == 6
    assert v.sum(axis=0, keepdims=True).params == {"axis": 0, "keepdims": True}
    d = v.detach()
    assert np.array_equal(d.data, v.data)
    assert not np.shares_memory(d.data, v.data)
    assert not d.requires_grad
    v.requires_grad = False
    assert not (v * 2).requires_grad


def test_repr():
    assert repr(Value(2)) == "Value(2.0)"
    assert repr(Value(2.0, name="a") * 3) == "Value(6.0, grad_fn=multiply)"
    assert repr(Value([1.0, 2.0], requires_grad=False)) == "Value([1., 2.], requires_grad=False)"
    assert repr(Value(np.float32(0.5), name="s")) == "Value(0.5, dtype=float32, name='s')"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_leaves_are_copied_whole(duplicate):
    v = Value(A, name="w")
    (v * v).sum().backward()
    twin = duplicate(v)
    assert np.array_equal(twin.data, v.data)
    assert np.array_equal(twin.grad, v.grad)
    assert (twin.name, twin.requires_grad) == ("w", True)
    twin.zero_grad()
    (twin * 2).sum().backward()
    assert np.array_equal(twin.grad, np.full((2, 3), 2.0))
    assert np.array_equal(v.grad, 2 * A)


# -- Indexing ----------------------------------------------------------------------------------------------------------


def test_repeated_integer_indices_add_up():
    v = Value(np.zeros(3))
    v[[0, 0, 2]].sum().backward()
    assert np.array_equal(v.grad, [2.0, 0.0, 1.0])


def test_functional_updates():
    v, new = Value(np.arange(4.0)), Value(np.array([10.0, 20.0]))
    y = v.at([1, 1]).set(new)
    assert np.array_equal(y.data, [0.0, 20.0, 2.0, 3.0])
    y.sum().backward()
    assert np.array_equal(v.grad, [1.0, 0.0, 1.0, 1.0])
    assert np.array_equal(new.grad, [0.0, 1.0])  # the first was overwritten
    y = v.at([1, 1]).add(new)
    assert np.array_equal(y.data, [0.0, 31.0, 2.0, 3.0])
    y = v.at(slice(0, 2)).set(7.0)
    assert np.array_equal(y.data, [7.0, 7.0, 2.0, 3.0])
    assert np.array_equal(v.data, np.arange(4.0))
    assert np.array_equal(tg.at(np.zeros(2), 0).add(1.0), [1.0, 0.0])


def test_an_index_value_by_boolean_mask():
    v = Value(A)
    v[v > 0].sum().backward()
    assert np.array_equal(v.grad, (A > 0).astype(float))


def test_second_derivatives_through_indexing():
    v = Value(np.array([1.0, 2.0]))
    (v[[0, 0, 1]] ** 3).sum().backward(create_graph=True)
    g = v.grad
    v.zero_grad()
    g.sum().backward()
    assert np.array_equal(v.grad, [12.0, 12.0])


# -- The package -------------------------------------------------------------------------------------------------------


def test_import_loads_numpy_alone():
    code = (
        "import sys; import tinygrad_edu; print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('rich', 'typer', 'graphviz', 'matplotlib', 'hypothesis', 'nn', 'viz', 'sklearn', 'safetensors')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_it_works_without_docstrings():
    code = "import nn, viz, tinygrad_edu as te; print(te.grad(te.tanh)(0.0), te.formula(te.tanh))"
    found = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.splitlines()[0] == "1.0 y = tanh(x)"


def test_formulas_are_imported_when_asked_for():
    code = (
        "import sys; import tinygrad_edu as te; later = {'tinygrad_edu.formulas', 'tinygrad_edu.typesetting'}; "
        "before = later & {*sys.modules}; te.formula, te.rule_term; print(len(before), later <= {*sys.modules}, "
        "{*te._LATER} <= {*dir(te)} & {*te.__all__})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.split() == ["0", "True", "True"]


def test_a_scalar_binary_node_takes_at_most_200_bytes():
    import tracemalloc

    a, y = Value(1.0001), Value(1.0)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10_000):
        y = y * a
    size = (tracemalloc.get_traced_memory()[0] - before) / 10_000
    tracemalloc.stop()
    assert size <= (200 if sys.version_info < (3, 12) else 208)  # newer Pythons take some bytes more


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda v: np.sum(v, 0, None), np.sum(A, 0)),
        (lambda v: np.sum(a=v, axis=1, where=True), np.sum(A, 1)),
        (lambda v: np.var(v, 0, None, None, 1), np.var(A, 0, ddof=1)),
        (lambda v: np.mean(v, None, None, None, keepdims=True), np.mean(A, keepdims=True)),
        (lambda v: np.reshape(v, (3, 2), order="C"), np.reshape(A, (3, 2))),
    ],
)
def test_numpys_own_order_and_names_of_arguments(call, expected):
    y = call(Value(A))
    assert isinstance(y, Value)
    assert np.allclose(y.data, expected)


@pytest.mark.parametrize("f", [np.argmax, np.zeros_like, np.argsort, np.isfinite, np.any, np.count_nonzero])
def test_plain_result_functions(f):
    y = f(Value(A))
    assert not isinstance(y, Value)
    assert np.array_equal(y, f(A))


def test_array_makes_a_value_of_nested_lists():
    c, s = Value(0.6), Value(0.8)
    rotation = tg.array([[c, -s], [s, c]])
    assert rotation.data.tolist() == [[0.6, -0.8], [0.8, 0.6]]
    (rotation @ np.array([1.0, 2.0])).sum().backward()
    assert (c.grad, s.grad) == (3.0, -1.0)
    assert tg.array([[c, 1.0], [2, c]]).shape == (2, 2)
    assert type(tg.array([[1, 2]])) is np.ndarray


def test_arrays_by_name():
    assert np.array_equal(tg.matmul(a=Value(A), b=A.T).data, A @ A.T)
    assert np.array_equal(tg.where(condition=A > 0, a=Value(A), b=0.0).data, np.where(A > 0, A, 0.0))


def test_places_by_brackets_and_by_call():
    v = Value(A)
    assert np.array_equal(v.at[0, 1:].set(0.0).data, v.at((0, slice(1, None))).set(0.0).data)
    assert np.array_equal(v.at[..., 0].add(1.0).data[:, 0], A[:, 0] + 1)


def test_calls_of_numpy_without_options_bind_nothing(monkeypatch):
    from tinygrad_edu import protocols

    def refuse(*args):
        raise AssertionError("only calls with options or names need this; it took most of their time")

    monkeypatch.setattr(protocols, "_named", refuse)
    monkeypatch.setattr(protocols, "parameters_of", refuse)
    v = Value(np.ones(2))
    assert (np.float64(2.0) * v).tolist() == [2.0, 2.0]
    assert (np.ones(2) + v).tolist() == [2.0, 2.0]
    assert np.exp(v).shape == np.stack([v, v])[0].shape == (2,)
    with pytest.raises(AssertionError, match="options or names"):
        np.sum(v, axis=0)
