"""Shapes, joining, splitting, indexing, updates, rearranging: what the registry's laws cannot know."""

import numpy as np
import pytest

from tinygrad_edu import (
    DTypeError,
    ShapeError,
    UnsupportedError,
    Value,
    append,
    at,
    concatenate,
    full_like,
    hstack,
    ones_like,
    stack,
    zeros_like,
)
from tinygrad_edu import ops as t

X = np.arange(1.0, 13.0).reshape(3, 4)
Y = X[::-1] * 0.5
V = np.array([3.0, 1.0, 2.0])

# -- NumPy's functions, called on Values as on arrays ------------------------------------------------------------------

CALLS = {  # of NumPy's functions, with a way to make a Value or an array of data
    "ravel": lambda v: np.ravel(v(X), order="C"),
    "reshape": lambda v: np.reshape(v(X), (4, 3)),
    "transpose": lambda v: np.transpose(v(X), (1, 0)),
    "permute_dims": lambda v: np.permute_dims(v(X), axes=(1, 0)),
    "matrix_transpose": lambda v: np.matrix_transpose(v(X)),
    "linalg.matrix_transpose": lambda v: np.linalg.matrix_transpose(v(X)),
    "swapaxes": lambda v: np.swapaxes(v(X), 0, axis2=-1),
    "moveaxis": lambda v: np.moveaxis(v(X), source=0, destination=-1),
    "rollaxis": lambda v: np.rollaxis(v(X), 1, start=0),
    "squeeze": lambda v: np.squeeze(v(X[:1]), 0),
    "expand_dims": lambda v: np.expand_dims(v(X), axis=(0, -1)),
    "atleast_1d": lambda v: np.atleast_1d(v(2.0)),
    "atleast_2d": lambda v: np.atleast_2d(v(V), v(X))[0],
    "atleast_3d": lambda v: np.atleast_3d(v(V), 5.0)[0],
    "concatenate": lambda v: np.concatenate([v(X), Y], 1),
    "concat": lambda v: np.concat((X, v(Y)), axis=-1),
    "stack": lambda v: np.stack([v(X), Y], axis=1),
    "hstack": lambda v: np.hstack((v(V), 4.0)),
    "vstack": lambda v: np.vstack([v(X), v(X)[0]]),
    "dstack": lambda v: np.dstack([v(X), Y]),
    "column_stack": lambda v: np.column_stack([v(V), X]),
    "append": lambda v: np.append(v(X), [[1, 2, 3, 4]], axis=0),
    "append flat": lambda v: np.append(X, values=v(2.0)),
    "split": lambda v: np.split(v(X), [1, 2], axis=1)[1],
    "split evenly": lambda v: np.split(v(X), 2, 1)[1],
    "array_split": lambda v: np.array_split(v(X), indices_or_sections=2)[0],
    "hsplit": lambda v: np.hsplit(v(X), 2)[0],
    "vsplit": lambda v: np.vsplit(v(X), (1,))[1],
    "dsplit": lambda v: np.dsplit(v(X[..., None]), 1)[0],
    "unstack": lambda v: np.unstack(v(X), axis=1)[3],
    "tile": lambda v: np.tile(v(X), (2, 1)),
    "repeat": lambda v: np.repeat(v(X), 2, axis=1),
    "repeat each": lambda v: np.repeat(v(X), repeats=np.array([2, 0, 1]), axis=0),
    "resize": lambda v: np.resize(v(X), (5, 5)),
    "pad": lambda v: np.pad(v(X), ((0, 1), (2, 0)), constant_values=((1, 2), (3, 4))),
    "pad wide": lambda v: np.pad(v(V), 7, mode="reflect"),
    "flip": lambda v: np.flip(v(X), (0, 1)),
    "flipud": lambda v: np.flipud(v(X)),
    "fliplr": lambda v: np.fliplr(v(X)),
    "roll": lambda v: np.roll(v(X), (1, 2), axis=(0, 1)),
    "rot90": lambda v: np.rot90(v(X), k=3, axes=(1, 0)),
    "diag": lambda v: np.diag(v(X), k=-1),
    "diagflat": lambda v: np.diagflat(v(V), 1),
    "diagonal": lambda v: np.diagonal(v(X), 1, axis1=1, axis2=0),
    "trace": lambda v: np.trace(v(X), offset=1),
    "tril": lambda v: np.tril(v(X), -1),
    "triu": lambda v: np.triu(v(X), k=1),
    "sort": lambda v: np.sort(v(Y), 0, "stable"),
    "sort stably": lambda v: np.sort(v(Y), axis=None, stable=True),
    "take": lambda v: np.take(v(X), [0, 2], axis=1, mode="raise"),
    "take_along_axis": lambda v: np.take_along_axis(v(X), np.argsort(Y, axis=0), 0),
    "delete": lambda v: np.delete(v(X), [0, -1], 1),
    "meshgrid": lambda v: np.meshgrid(v(V), v(V), indexing="ij", sparse=True)[1],
    "broadcast_arrays": lambda v: np.broadcast_arrays(v(V), np.ones((2, 1)))[0],
    "broadcast_to": lambda v: np.broadcast_to(v(V), (2, 3)),
}


@pytest.mark.parametrize("name", CALLS)
def test_numpys_functions_are_recorded(name):
    leaves = []

    def value(data):
        leaves.append(Value(data))
        return leaves[-1]

    y = CALLS[name](value)
    expected = CALLS[name](np.asarray)
    assert isinstance(y, Value)
    assert y.requires_grad
    assert np.array_equal(y.data, expected)
    y.sum().backward()  # each number that moved has 1 for each of its copies
    total = sum(np.sum(leaf.grad) for leaf in leaves if leaf.grad is not None)
    constants = {"concatenate": 12, "concat": 12, "stack": 12, "dstack": 12, "column_stack": 12, "append": 4}
    constants |= {"hstack": 1, "append flat": 12, "tril": 9, "triu": 6, "diagflat": 13, "pad": 12}
    assert total == expected.size - constants.get(name, 0) + (name == "trace") * 2


# -- Errors say which op, what it got, what to do ----------------------------------------------------------------------

ERRORS = [
    (lambda x: t.swapaxes(x, 0, 2), ShapeError, r"swapaxes: got axis 2 for an input of shape \(3, 4\), expected"),
    (lambda x: t.moveaxis(x, (0, 0), (0, 1)), ShapeError, "moveaxis: .* each axis once"),
    (lambda x: t.moveaxis(x, 0, (0, 1)), ShapeError, "moveaxis: .* equal number of axes"),
    (lambda x: t.matrix_transpose(x[0]), ShapeError, "expected integers from -1 to 0"),
    (lambda x: t.squeeze(x, 0), ShapeError, "squeeze: .* expected axes of size 1"),
    (lambda x: t.expand_dims(x, 4), ShapeError, "expand_dims: "),
    (lambda x: t.flip(x, 2), ShapeError, "flip: "),
    (lambda x: t.fliplr(x[0]), ShapeError, "fliplr: "),
    (lambda x: t.flipud(x[0, 0]), ShapeError, "flipud: .* no axes"),
    (lambda x: t.rot90(x, axes=(0, 0)), ShapeError, "rot90: "),
    (lambda x: t.rot90(x, axes=(0,)), ShapeError, "rot90: .* expected two"),
    (lambda x: t.roll(x, 1, 3), ShapeError, "roll: "),
    (lambda x: t.sort(x[0, 0]), ShapeError, "sort: "),
    (lambda x: t.split(x, 2), ShapeError, "split: got 2 parts of an axis of size 3, .* array_split"),
    (lambda x: t.array_split(x, 0), ShapeError, "array_split: got 0 parts"),
    (lambda x: t.vsplit(x[0], 1), ShapeError, "vsplit: "),
    (lambda x: t.dsplit(x, 1), ShapeError, "dsplit: "),
    (lambda x: t.unstack(x[0, 0]), ShapeError, "unstack: "),
    (lambda x: t.repeat(x, [1, 2], 0), ShapeError, "repeat: .* axis of size 3, expected an integer from 0, or 3"),
    (lambda x: t.repeat(x, -1), ShapeError, "repeat: "),
    (lambda x: t.repeat(x, 1.5), DTypeError, "repeat: repeats are float64, expected integers"),
    (lambda x: t.tile(x, -1), ShapeError, "tile: "),
    (lambda x: t.resize(x[:0], 3), ShapeError, "resize: "),
    (lambda x: t.pad(x, (1, 2, 3)), ShapeError, r"pad: got pad_width=\(1, 2, 3\) .* or such a pair for each axis"),
    (lambda x: t.pad(x, -1), ShapeError, "pad: "),
    (lambda x: t.pad(x, {2: 1}), ShapeError, "pad: "),
    (lambda x: t.pad(x, 1.5), DTypeError, "pad: widths are float64"),
    (lambda x: t.pad(x[:, :0], 1, "edge"), ShapeError, "pad: can't extend empty axis 1"),
    (lambda x: t.pad(x, 1, mode="mean"), UnsupportedError, "pad: got mode='mean', expected"),
    (lambda x: t.pad(x, 1, constant_values=x[0, 0]), UnsupportedError, "pad: constant_values are plain"),
    (lambda x: t.pad(x, 1, "edge", constant_values=1), UnsupportedError, "pad: constant_values"),
    (lambda x: np.pad(x, 1, "reflect", reflect_type="odd"), UnsupportedError, "reflect_type"),
    (lambda x: t.diag(x[0, 0]), ShapeError, r"diag: got an input of shape \(\)"),
    (lambda x: t.trace(x[0]), ShapeError, "trace: .* two axes"),
    (lambda x: t.diagonal(x, axis1=1, axis2=-1), ShapeError, "diagonal: "),
    (lambda x: t.tril(x[0, 0]), ShapeError, "tril: got a scalar"),
    (lambda x: t.take(x, 0.5), DTypeError, "take: indices are float64"),
    (lambda x: t.take(x, x), DTypeError, "take: indices are a Value.*astype"),
    (lambda x: t.take(x, 0, mode="wrap"), UnsupportedError, "take: got mode='wrap'"),
    (lambda x: t.take(x, 12), IndexError, "out of bounds"),
    (lambda x: t.take_along_axis(x, [0, 1]), ShapeError, r"take_along_axis: .*\(2,\).* equal number of axes; use take"),
    (lambda x: t.delete(x, 3, 0), IndexError, "delete: "),
    (lambda x: np.put_along_axis(x, X.astype(int), 0, 0), UnsupportedError, "put_along_axis"),
    (lambda x: t.meshgrid(x, x, indexing="ik"), ShapeError, "meshgrid: got indexing='ik'"),
    (lambda x: t.broadcast_arrays(x, np.ones(3)), ShapeError, r"broadcast_arrays: shapes \(3, 4\) and \(3,\)"),
    (lambda x: t.hstack(3), ShapeError, "expected a list of arrays"),
    (lambda x: x[Value(1.0)], UnsupportedError, r"got a Value in the index.*data\.astype\(int\)"),
    (lambda x: x[0, Value([1.0])], UnsupportedError, "got a Value in the index"),
    (lambda x: x[[Value(1.0)]], UnsupportedError, "got a Value in the index"),
    (lambda x: x.at(Value(1.0)).set(0.0), UnsupportedError, "got a Value in the index"),
    (lambda x: x.at((Value(1.0), 0)).add(0.0), UnsupportedError, "got a Value in the index"),
    (lambda x: x.at([Value(1.0)]).add(0.0), UnsupportedError, "got a Value in the index"),
    (lambda x: x.at([0, 5]).add(0.0), IndexError, r"at\(\.\.\.\)\.add: "),
    (lambda x: x.at(0).add(np.ones(3)), ShapeError, r"at\(\.\.\.\)\.add: "),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=range(len(ERRORS)))
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(Value(X))


# -- float32 stays float32 beside Python floats ------------------------------------------------------------------------

SINGLE = np.array([1.0, 2.0], np.float32)
WEAK = {
    "add": lambda one: at(SINGLE, slice(1)).add(one),
    "add repeats": lambda one: at(SINGLE, [0, 0]).add(one),
    "set": lambda one: at(SINGLE, slice(1)).set(one),
    "multiply": lambda one: at(SINGLE, [0, 0]).multiply(one),
    "max": lambda one: at(SINGLE, [0, 0]).max(one),
    "min": lambda one: at(SINGLE, slice(1)).min(one),
    "stack": lambda one: stack([one, SINGLE[0], one]),
    "hstack": lambda one: hstack([one, SINGLE]),
    "append": lambda one: append(SINGLE, one),
}


@pytest.mark.parametrize("name", WEAK)
@pytest.mark.parametrize("one", [1.5, Value(1.5), np.float64(1.5)], ids=["float", "Value", "float64"])
def test_float_scalars_are_weak(name, one):
    y = WEAK[name](one)
    assert y.dtype == np.float32
    if isinstance(one, Value):
        one.zero_grad()
        y.sum().backward()
        assert type(one.grad) is float


@pytest.mark.parametrize("name", [name for name in WEAK if name != "stack"])
def test_float64_arrays_are_not_weak(name):
    assert WEAK[name](np.ones(1)).dtype == np.float64


def test_joining_keeps_types():
    assert stack([1.0, 2.0]).dtype == np.float64
    assert stack([Value(1.0), Value(np.float32(2.0))]).dtype == np.float32
    assert stack([SINGLE, np.ones(2)]).dtype == np.float64
    assert concatenate([SINGLE, np.ones(2)]).dtype == np.float64
    assert hstack([True, 2]).dtype == np.int64


# -- Updates: repeats, zeros and ties ----------------------------------------------------------------------------------


def gradient(f, *inputs):
    """Gradients of the sum of f, to first order, and of the sum of their squares, to second."""
    values = [Value(np.array(x)) for x in inputs]
    f(*values).sum().backward(create_graph=True)
    first = [v.grad for v in values]
    total = sum((g * g).sum() for g in first)
    for v in values:
        v.zero_grad()
    if total.requires_grad:
        total.backward()
    return [g.data for g in first], [v.grad if v.grad is not None else 0.0 * v.data for v in values]


def test_multiply_is_exact_with_zeros():
    """y = a·b·c of one place: the gradient of the sum of squared gradients is 2a(b² + c²) and so on, zeros or not."""
    for a, b, c in [(2.0, 3.0, 5.0), (0.0, 3.0, 5.0), (2.0, 0.0, 0.0), (0.0, 0.0, 5.0), (0.0, 0.0, 0.0)]:
        first, second = gradient(lambda x, v: at(x, [1, 1]).multiply(v), [7.0, a], [b, c])
        assert np.array_equal(first[0], [1.0, b * c])
        assert np.array_equal(first[1], [a * c, a * b])
        assert np.array_equal(second[0], [0.0, 2 * a * (b * b + c * c)])
        assert np.array_equal(second[1], [2 * b * (a * a + c * c), 2 * c * (a * a + b * b)])


@pytest.mark.parametrize("count", range(8))
def test_multiply_with_repeated_indices(count):
    v = np.arange(1.0, count + 1)
    x = Value(np.array([2.0, 3.0]))
    y = x.at(np.zeros(count, int)).multiply(v)
    assert y.data.tolist() == [2 * np.prod(v), 3.0]
    y.sum().backward()
    assert x.grad.tolist() == [np.prod(v), 1.0]


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_of_an_update_share_equally(name):
    first, second = gradient(lambda x, v: getattr(at(x, [0, 0, 0, 1]), name)(v), [2.0, 5.0], [2.0, 2.0, 2.0, 5.0])
    assert np.allclose(first[0], [0.25, 0.5])
    assert np.allclose(first[1], [0.25, 0.25, 0.25, 0.5])
    assert not np.any(second[0])
    assert not np.any(second[1])


def test_an_update_by_one_value_ties_with_itself():
    first, _ = gradient(lambda x, v: at(x, [0, 0]).max(v), [1.0, 1.0], 1.0)
    assert np.allclose(first[0], [1 / 3, 1.0])
    assert np.allclose(first[1], 2 / 3)


@pytest.mark.parametrize("index", [np.arange(90) % 7, (..., np.arange(90) % 4), (slice(None), None, [0] * 90)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_many_repeats_add_up_as_in_numpy(index, order):
    x = np.asarray(np.arange(28.0).reshape(7, 4), order=order)
    values = np.sin(np.arange(x[index].size)).reshape(x[index].shape)
    for name, ufunc in (("add", np.add), ("max", np.maximum), ("multiply", np.multiply)):
        expected = x.copy()
        ufunc.at(expected, index, values)
        assert np.allclose(getattr(at(x, index), name)(values), expected, rtol=1e-15, atol=0)
    v = Value(x)
    v[index].backward(values)
    expected = np.zeros_like(x)
    np.add.at(expected, index, values)
    assert np.array_equal(v.grad, expected)


@pytest.mark.parametrize("index", [-1, [-1, 0, -1], np.array([[-3], [2]])])
def test_negative_indices_update_from_the_end(index):
    x = np.ones((3, 40))
    expected = x.copy()
    np.add.at(expected, index, 2.0 * np.ones(x[index].shape))
    assert np.array_equal(at(x, index).add(2.0 * np.ones(x[index].shape)), expected)


def test_equivalent_indices_are_one_place():
    """-1 and 2 of three: their values combine."""
    index = np.array([-1, 2])
    assert at(V, index).multiply([5.0, 7.0]).tolist() == [3.0, 1.0, 70.0]
    assert at(V, index).max([5.0, 7.0]).tolist() == [3.0, 1.0, 7.0]
    x = Value(V)
    x.at(index).set([5.0, 7.0]).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 0.0]


def test_a_list_is_an_index():
    x = Value(V)
    x[[2, 0, 2]].sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 2.0]


# -- Kinks and hard points ---------------------------------------------------------------------------------------------


def test_sort_gradient_of_ties():
    x = Value(np.tile([1.0, 0.0], 20))
    t.sort(x).backward(np.arange(40.0))
    assert x.grad[1::2].tolist() == list(range(20))
    assert x.grad[::2].tolist() == list(range(20, 40))


def test_sort_puts_nan_last():
    x = Value(np.array([np.nan, 2.0, -np.inf]))
    y = t.sort(x)
    assert np.array_equal(y.data, [-np.inf, 2.0, np.nan], equal_nan=True)
    y.backward(np.array([1.0, 2.0, 3.0]))
    assert x.grad.tolist() == [3.0, 2.0, 1.0]


@pytest.mark.parametrize("part", [t.tril, t.triu])
def test_a_triangle_leaves_infinities_and_nan_outside(part):
    x = np.where(part(np.ones((3, 3))) == 1, 2.0, np.array([np.inf, np.nan, -np.inf]))
    v = Value(x)
    y = part(v)
    assert np.array_equal(y.data, 2 * part(np.ones((3, 3))))
    y.backward(x)
    assert np.array_equal(v.grad, y.data)


def test_widths_of_a_pad_by_axis():
    assert np.array_equal(t.pad(X, {-1: 2, 0: (0, 1)}, mode="edge"), np.pad(X, ((0, 1), (2, 2)), mode="edge"))


def test_padding_counts_each_copy():
    x = Value(V)
    t.pad(x, (1, 3), mode="edge").sum().backward()
    assert x.grad.tolist() == [2.0, 1.0, 4.0]


def test_number_of_results():
    assert isinstance(t.atleast_1d(1.0), np.ndarray)
    for several in (t.atleast_1d(1.0, 2.0), t.split(V, 3), t.unstack(X), t.meshgrid(V, V), t.broadcast_arrays(V, 1.0)):
        assert isinstance(several, tuple)
    assert t.meshgrid() == t.broadcast_arrays() == ()


def test_parts_share_the_gradient():
    x = Value(V)
    a, b, c = t.unstack(x)
    (a * b * c).backward()
    assert x.grad.tolist() == [2.0, 6.0, 3.0]


# -- Filled arrays are plain -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [X, Value(X), SINGLE, Value(SINGLE)])
def test_filled_like(x):
    for y, number in ((zeros_like(x), 0), (ones_like(x), 1), (full_like(x, 2.5), 2.5)):
        assert type(y) is np.ndarray
        assert (y.shape, y.dtype) == (x.shape, x.dtype)
        assert np.all(y == number)
    assert zeros_like(x, dtype=int).dtype == int
    assert ones_like(x, shape=(2, 1)).shape == (2, 1)


def test_filled_like_a_scalar():
    assert type(zeros_like(Value(2.0))) is float
    assert type(ones_like(Value(np.float32(2.0)))) is np.float32
    assert full_like(2.0, 7) == 7.0
