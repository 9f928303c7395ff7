"""Arrays of other kinds: another byte order, integers and booleans for axes, masks, matrices, units, sparse matrices."""

import tempfile
from dataclasses import replace

import numpy as np
import pytest

import nn
import tinygrad_edu as tg
from nn import functional as F
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value, registry
from tinygrad_edu.testing import check_gradients, check_vjp
from tinygrad_edu.testing.strategies import fixed_calls

OPS = {name: f.op for name, f in registry.items()}
every_op = pytest.mark.parametrize("name", OPS)


def calls_of(name):
    return [call for call in fixed_calls(OPS[name], 3, min_side=2) if all(np.size(x) for x in call.inputs)]


def results(call, inputs):
    """The result, and the gradients of its sum."""
    values = [Value(x) if i in call.differentiable else x for i, x in enumerate(inputs)]
    y = call(*values)
    if not isinstance(y, Value):
        return [np.asarray(y)]
    if y.requires_grad:
        y.backward(np.ones(y.shape) if y.shape else None)
    return [np.asarray(y.data), *[np.asarray(v.grad) for v in values if isinstance(v, Value) and v.grad is not None]]


def same(found, expected):
    return len(found) == len(expected) and all(map(lambda a, b: np.array_equal(a, b, equal_nan=True), found, expected))


# -- Byte order --------------------------------------------------------------------------------------------------------


@every_op
def test_leaves_of_another_byte_order_are_converted(name):
    """As np.fromfile and np.frombuffer read them: results and gradients are in native order, and the same."""
    for call in calls_of(name):
        swapped = [x.astype(">f8") if i in call.differentiable and np.ndim(x) else x for i, x in enumerate(call.inputs)]
        found = results(call, swapped)
        assert same(found, results(call, call.inputs)), call
        assert all(x.dtype.isnative for x in found)


@pytest.mark.parametrize("code", [">f2", ">f4", ">f8", "<f8"])
def test_the_data_of_a_leaf_is_native(code):
    x = np.array([3.0, 1.0, 2.0], code)
    for v in (Value(x), Value(x, copy=False)):
        assert v.data.dtype.isnative
        assert v.data.dtype.itemsize == x.dtype.itemsize
        for f in (np.max, np.min, np.ptp):
            v.zero_grad()
            f(v).backward()
            assert v.grad.dtype == v.dtype
            assert v.grad.dtype.isnative
    v.data = np.array([1.0, 2.0, 3.0], code)
    assert v.data.dtype.isnative
    assert tg.astype(v, code).dtype.isnative


# -- Axes and other integers -------------------------------------------------------------------------------------------


@every_op
def test_numpys_integers_are_integers(name):
    """-1 of an unsigned one is 255."""
    for call in calls_of(name):
        expected = results(call, call.inputs)
        for key, given in call.params.items():
            if type(given) is int and not (name in HELPERS and key == "groups"):
                for kind in (np.uint8, np.uint64, np.int8) if given >= 0 else (np.int8,):
                    changed = replace(call, params=call.params | {key: kind(given)})
                    assert same(results(changed, call.inputs), expected), (changed, kind)


HELPERS = {"conv", "conv_transpose", "conv_weight"}  # conv1d and so on check groups


@every_op
@pytest.mark.parametrize("true", [True, np.True_])
def test_a_boolean_is_no_axis(name, true):
    """axis=True is meant for keepdims."""
    for call in calls_of(name):
        for key, given in call.params.items():
            if "axis" in key and given == 1 and type(given) is int:
                with pytest.raises(TinygradError, match=rf"^{name}: .*(axis|integer)"):
                    results(replace(call, params=call.params | {key: true}), call.inputs)


@pytest.mark.parametrize("axes", [0, -1, np.uint8(0), (0,), [0], np.array([0])])
def test_the_transpose_of_a_vector_has_a_gradient(axes):
    x = np.arange(3.0)
    for f in (lambda v: np.transpose(v, axes), lambda v: v.transpose(axes), lambda v: tg.transpose(v, axes)):
        v = Value(x)
        y = f(v)
        assert np.array_equal(y.data, np.transpose(x, axes))
        y.backward(x)
        assert np.array_equal(v.grad, x)


def test_a_sorted_scalar_has_a_gradient():
    v = Value(2.0)
    y = np.sort(v, axis=None)
    assert np.array_equal(y.data, np.sort(2.0, axis=None))
    y.backward(np.array([3.0]))
    assert v.grad == 3.0
    assert tg.grad(lambda x: (tg.sort(x, axis=None) ** 2).sum())(2.0) == 4.0
    with pytest.raises(ShapeError, match=r"sort: got axis -1 for an input of shape \(\)"):
        np.sort(v)


@pytest.mark.parametrize("q", [(), [], np.zeros(0)])
@pytest.mark.parametrize("name", ["quantile", "percentile", "nanquantile", "nanpercentile"])
def test_no_quantile_at_all(q, name):
    for axis in (None, 0, 1):
        v = Value(np.arange(6.0).reshape(2, 3))
        y = getattr(np, name)(v, q, axis=axis)
        assert y.shape == getattr(np, name)(v.data, q, axis=axis).shape
        y.backward(np.ones(y.shape))
        assert np.array_equal(v.grad, np.zeros((2, 3)))


@pytest.mark.parametrize("name", ["max_pool1d", "avg_pool1d", "max_pool2d", "avg_pool2d"])
def test_pools_of_nothing(name):
    axes = int(name[-2])
    pool = getattr(tg, name)
    for lead in ((0, 2), (2, 0)):
        v = Value(np.ones(lead + (4,) * axes))
        y = pool(v, 2)
        assert y.shape == lead + (2,) * axes
        y.sum().backward()
        assert v.grad.shape == v.shape
    for how in ({}, {"padding": 1}):
        with pytest.raises(ShapeError, match=rf"^{name}: got x of shape .*at least one number along each axis"):
            pool(Value(np.ones((1, 1) + (4,) * (axes - 1) + (0,))), 2, **how)


# -- Masks, matrices, units, sparse matrices ---------------------------------------------------------------------------


class Units(np.ndarray):
    """Like those of astropy: arithmetic of its own."""

    def __array_ufunc__(self, *args, **kwargs):
        raise NotImplementedError


class Labelled(np.ndarray):
    """A subclass that adds attributes alone."""


class Sparse:
    """What scipy.sparse has in common."""

    nnz, shape, ndim, dtype = 2, (2, 2), 2, np.dtype(float)

    def toarray(self):
        return np.eye(2)


SQUARE = np.arange(4.0).reshape(2, 2) + 1
FOREIGN = {
    "a numpy.ma.MaskedArray": (
        np.ma.array(SQUARE, mask=[[0, 1], [0, 0]]),
        r"whose mask would be lost; write x\.filled\(0\)",
    ),
    "a numpy.matrix": (SQUARE.view(np.matrix), r"whose arithmetic differs from an array's; write np\.asarray\(x\)"),
    "a [a-z_.]*test_foreign.Units": (SQUARE.view(Units), r"whose arithmetic differs"),
    "a sparse Sparse": (Sparse(), r"expected an array; write x\.toarray\(\)"),
}
V = Value(SQUARE)
USES = {
    "Value": (lambda m: Value(m), "Value"),
    "a constant": (lambda m: Value(m, requires_grad=False), "Value"),
    "an operand": (lambda m: V * m, "multiply"),
    "an operand of matmul": (lambda m: V @ m, "matmul"),
    "NumPy's function": (lambda m: np.maximum(V, m), "maximum"),
    "without a Value": (lambda m: tg.sum(m), "sum"),
    "a list": (lambda m: V * [m, m], "multiply"),
    "array": (lambda m: tg.array([m, m]), "array"),
    "where's condition": (lambda m: tg.where(m, V, 0.0), "where"),
    "weights": (lambda m: tg.average(V, weights=m), "average"),
    "at": (lambda m: V.at[...].set(m), r"at\(...\).set"),
    "data": (lambda m: setattr(Value(SQUARE), "data", m), "data"),
    "a seed": (lambda m: (V * 1.0).backward(m), "astype"),
    "grad": (lambda m: tg.grad(tg.sum)(m), "grad: argument 0"),
    "value_and_grad": (
        lambda m: tg.value_and_grad(lambda t: tg.sum(t["w"]))({"w": m}),
        r"value_and_grad: argument 0\['w'\]",
    ),
    "vjp": (lambda m: tg.vjp(lambda x: x, m), "vjp: argument 0"),
    "check_gradients": (lambda m: check_gradients(lambda x: x * 2, m), "function: input 0"),
    "check_vjp": (lambda m: check_vjp(np.exp, lambda g, x: g * np.exp(x), m), "exp: input 0"),
    "a prediction": (lambda m: F.mse_loss(m, V), "mse_loss: input"),
    "a target": (lambda m: nn.MSELoss()(V, m), "mse_loss: target"),
    "probabilities": (lambda m: F.cross_entropy(V, m), "cross_entropy: target"),
    "labels": (lambda m: F.nll_loss(V, m), "nll_loss: labels"),
    "a layer": (lambda m: nn.Linear(2, 1, rng=0)(m), "linear"),
    "a recurrent layer": (lambda m: nn.RNN(2, 2, rng=0)(m), "RNN: x"),
    "a mask of attention": (
        lambda m: F.scaled_dot_product_attention(V, V, V, attn_mask=m),
        "scaled_dot_product_attention: mask",
    ),
    "batches": (lambda m: list(nn.batches(SQUARE, m, batch_size=1)), "batches: array 1"),
    "load_state_dict": (
        lambda m: nn.Linear(2, 2, rng=0).load_state_dict({"weight": m, "bias": np.ones(2)}),
        "load_state_dict: weight",
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("use", USES)
def test_arrays_that_mean_something_else_are_refused_by_name(kind, use):
    x, remedy = FOREIGN[kind]
    f, name = USES[use]
    with pytest.raises(DTypeError, match=rf"^(np\.)?{name}: got {kind}, {remedy}"):
        f(x)


@pytest.mark.parametrize("index", [np.ma.array([0, 1], mask=[0, 1]), np.ma.array(SQUARE > 1, mask=SQUARE > 2)])
def test_masked_indices_are_refused(index):
    for i in (index, (index, 0)) if index.ndim == 1 else (index,):
        with pytest.raises(DTypeError, match=r"^v\[index\]: got a numpy\.ma\.MaskedArray"):
            V[i]
    with pytest.raises(DTypeError, match="got a numpy.ma.MaskedArray"):
        np.take(V, index.astype(int))


def test_an_array_on_the_left_meets_a_remedy_too():
    """A masked array calls np.asarray(value) itself."""
    for x in (FOREIGN["a numpy.ma.MaskedArray"][0], FOREIGN["a numpy.matrix"][0]):
        with pytest.raises(TinygradError, match=r"x\.filled\(0\)|np\.asarray\(x\)"):
            x * V


def test_harmless_subclasses_are_arrays():
    with tempfile.NamedTemporaryFile() as file:
        mapped = np.memmap(file, dtype=float, shape=(2, 2), mode="w+")
        mapped[...] = SQUARE
        for x in (mapped, SQUARE.view(np.recarray), SQUARE.view(Labelled)):
            assert np.array_equal(Value(x).data, SQUARE)
            assert type(Value(x, copy=False).data) is np.ndarray
            y = V * x
            assert type(y.data) is np.ndarray
            assert np.array_equal(y.data, SQUARE * SQUARE)
            assert np.array_equal(tg.grad(lambda v: (v * v).sum())(x), 2 * SQUARE)
            assert F.mse_loss(V, x).data == 0
            assert np.array_equal(nn.Linear(2, 2, rng=0)(x).data, nn.Linear(2, 2, rng=0)(SQUARE).data)
        del mapped
