"""Arguments that every family takes: axes, whole numbers, lists of arrays; and what is said of those that do not fit."""

import inspect

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value

A = np.arange(6.0).reshape(2, 3) + 0.5
V = Value(A)
S = Value(1.0)
IMAGE, KERNEL = Value(np.ones((1, 1, 4))), np.ones((1, 1, 2))


def defaults(function):
    """The parameters with a default; none of NumPy's that are written in C without a signature."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:
        return {}
    return {name: x.default for name, x in parameters.items() if x.default not in (x.empty, np._NoValue)}


def test_defaults_are_numpys():
    count = 0
    for name, function in tg.registry.items():
        theirs = defaults(getattr(np, name, None) or getattr(np.linalg, name, None) or len)
        ours = defaults(function.op.forward)
        shared = ours.keys() & theirs.keys()
        assert {key: ours[key] for key in shared} == {key: theirs[key] for key in shared}, name
        count += len(shared)
    assert count > 100


@pytest.mark.parametrize(
    "call",
    [
        lambda: tg.rms_norm(A, axis=(0, 0)),
        lambda: tg.layer_norm(A, axis=(0, -2)),
        lambda: tg.median(A, axis=(1, 1)),
        lambda: np.gradient(V, axis=(0, 0)),
        lambda: tg.median(1.0, axis=5),
        lambda: np.quantile(S, 0.5, axis=7),
        lambda: np.gradient(S, axis=3),
        lambda: np.diff(V, axis=None),
        lambda: np.diff(V, axis=(1,)),
        lambda: tg.trapezoid(V, axis=None),
        lambda: tg.vecdot(V, A, axis=(0,)),
        lambda: tg.cross(np.ones(3), np.ones(3), axis=None, axisa=(0,)),
        lambda: tg.softmax(V, axis=2),
    ],
)
def test_an_axis_that_is_missing_or_named_twice_is_refused(call):
    with pytest.raises(ShapeError, match=r"^[\w.]+: got axis "):
        call()


@pytest.mark.parametrize("f", [tg.sum, tg.max, tg.prod, tg.logsumexp, tg.mean])
def test_axis_0_of_a_scalar_is_none(f):
    for x in (0.0, 1.5):
        v = Value(x)
        f(v, axis=0).backward()
        assert v.grad == 1.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tg.expand_dims(V, (0, 0)), ShapeError, r"\(0, 0\) for an input of shape \(2, 3\) and 2 new axes"),
        (
            lambda: np.rollaxis(V, 0, 5),
            ShapeError,
            r"rollaxis: got start=5 for an input of shape \(2, 3\), expected -2 to 2",
        ),
        (lambda: tg.tensordot(V, A, axes=5), ShapeError, r"tensordot: axes=5 do not fit shapes \(2, 3\)"),
        (lambda: tg.norm(V, ord=np.nan), TinygradError, "norm: got ord=nan"),
        (lambda: tg.norm(V[0], ord=np.nan), TinygradError, "norm: got ord=nan"),
        (
            lambda: tg.softmax(Value(np.ones((2, 0)))),
            ShapeError,
            r"softmax: axis -1 of shape \(2, 0\) is empty",
        ),
        (
            lambda: tg.linear(1.0, 1.0, 1.0),
            ShapeError,
            r"linear: got an input of shape \(\) and a weight of shape \(\)",
        ),
        (lambda: tg.cross_entropy(V, Value([0.0, 1.0])), DTypeError, "cross_entropy: labels are a Value"),
        (lambda: tg.embedding(V, S), DTypeError, "embedding: indices are a Value"),
        (lambda: tg.one_hot(S), DTypeError, "one_hot: labels are a Value"),
        (lambda: np.rot90(V, k=1.5), DTypeError, "rot90: got k=1.5, expected an integer"),
        (lambda: np.resize(V, 2.5), DTypeError, "resize: sizes are float64, expected integers"),
        (lambda: np.tril(V, k="x"), DTypeError, "tril: got k='x', expected an integer"),
        (lambda: np.diff(V, 1.5), DTypeError, "diff: got n=1.5, expected an integer"),
        (lambda: np.split(V, 1.5, axis=1), DTypeError, "split: got indices_or_sections=1.5, expected an integer"),
        (lambda: np.var(V, ddof="x"), DTypeError, "var: got ddof='x', expected a number"),
        (lambda: tg.std(V, ddof="x"), DTypeError, "std: got ddof='x', expected a number"),
        (lambda: tg.dropout(V, p="x"), TinygradError, "dropout: got p='x', expected a probability"),
        (lambda: tg.conv1d(IMAGE, KERNEL, stride=True), ShapeError, "conv1d: got stride=True, expected an integer"),
        (lambda: tg.hstack(3), ShapeError, "expected a list of arrays"),
    ],
)
def test_error_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_numpys_integers_are_integers():
    n = np.int64(2)
    assert np.array_equal(tg.conv1d(IMAGE, KERNEL, stride=n).data, [[[2.0, 2.0]]])
    assert tg.split(V, n)[1].shape == (1, 3)
    assert np.array_equal(np.rot90(V, n).data, np.rot90(A, 2))


def test_concatenate_without_an_axis_joins_all_numbers_in_a_row():
    v, w = Value(A), Value(2.0)
    y = np.concatenate([v, w, A], axis=None)
    assert np.array_equal(y.data, np.concatenate([A, 2.0, A], axis=None))
    (y * np.arange(13.0)).sum().backward()
    assert np.array_equal(v.grad, np.arange(6.0).reshape(2, 3))
    assert w.grad == 6.0


def test_dropout_of_a_scalar_is_a_float():
    assert type(tg.dropout(2.0, rng=0)) is float


@pytest.mark.parametrize("shift", [np.uint8(3), np.int8(-2), True, [np.uint8(1)]])
def test_the_gradient_of_roll_by_any_integer(shift):
    x, weights = Value(np.arange(5.0)), np.arange(5.0) ** 2
    (tg.roll(x, shift) * weights).sum().backward()
    expected = [(np.roll(unit, shift) * weights).sum() for unit in np.eye(5)]
    np.testing.assert_array_equal(x.grad, expected)


def test_differences_of_any_order_end():
    x = Value(np.arange(3.0))
    y = tg.diff(x, n=2**62)
    assert y.shape == (0,)
    np.testing.assert_array_equal(tg.diff(x, n=2).data, [0.0])
    assert tg.diff(x, n=3).shape == (0,)


def test_integers_of_more_than_64_bits_beside_scalars_and_arrays():
    v = Value(np.array([1.0, 2.0]))
    y = tg.power(10**30, v)
    y.sum().backward()
    np.testing.assert_allclose(v.grad, y.data * np.log(1e30), rtol=1e-14)
    assert tg.log(10**30) == np.log(1e30)
    assert (Value(2.0) * 10**30).data == 2e30
    with pytest.raises(DTypeError, match="^multiply: got an integer of more than 64 bits; write it as a float"):
        v * 10**400


def test_a_bias_that_enlarges_the_result_is_refused():
    for bias in (np.ones((2, 2)), [[1, 2], [3, 4]], np.ones((3, 1), np.float32)):
        with pytest.raises(ShapeError, match="^linear: "):
            tg.linear(Value(np.ones(1)), np.ones((2, 1)), bias)
    assert tg.linear(np.ones((3, 1)), np.ones((2, 1)), 1).shape == (3, 2)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 3)])
def test_einsum_of_a_diagonal_that_is_none(shape):
    with pytest.raises(ShapeError, match=r"^einsum: "):
        tg.einsum("ii->i", Value(np.ones(shape)))
    assert tg.einsum("ii->i", np.ones((0, 0))).shape == (0,)
    assert tg.einsum("...ii->...", np.ones((4, 0, 0))).shape == (4,)
