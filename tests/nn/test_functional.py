"""Functions of nn.functional that are no losses: derivatives for all arrays, kinks, randomness, and the error for each wrong use."""

import inspect

import numpy as np
import pytest

import nn
from nn import functional as F
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value, checkpoint
from tinygrad_edu.testing import check_gradients

RNG = np.random.default_rng(0)
X, LINES = 1.5 * RNG.normal(size=(3, 4)), RNG.normal(size=(2, 4, 3))
W, B = RNG.normal(size=4), RNG.normal(size=4)
WORDS = np.array([[0, 2], [2, 1]])

# Functions of arrays: the function, and the arrays that are differentiated.
FUNCTIONS = {
    "celu": (lambda x: F.celu(x, 0.5), X),
    "hardshrink": (F.hardshrink, X),
    "hardsigmoid": (F.hardsigmoid, 3 * X),
    "hardswish": (F.hardswish, 3 * X),
    "relu6": (F.relu6, 5 * X),
    "softplus beyond its threshold": (lambda x: F.softplus(x, 2.0, 0.5), X),
    "softshrink": (F.softshrink, X),
    "tanhshrink": (F.tanhshrink, X),
    "threshold": (lambda x: F.threshold(x, 0.25, -3.0), X),
    "prelu": (F.prelu, X, W),
    "prelu of one weight": (F.prelu, LINES, W[:1]),
    "glu": (lambda x: F.glu(x, 1), LINES),
    "softmin": (lambda x: F.softmin(x, 0), X),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, 4, w, b), X, W, B),
    "rms_norm": (lambda x, w: F.rms_norm(x, (4,), w, 0.1), X, W),
    "batch_norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), LINES, W, B),
    "batch_norm in use": (lambda x, w, b: F.batch_norm(x, B, W**2, w, b), LINES, W, B),
    "group_norm": (lambda x, w, b: F.group_norm(x, 2, w, b), LINES, W, B),
    "instance_norm": (lambda x, w, b: F.instance_norm(x, weight=w, bias=b), LINES, W, B),
    "instance_norm in use": (lambda x, w: F.instance_norm(x, B, W**2, w, use_input_stats=False), LINES, W),
    "embedding": (lambda w: F.embedding(WORDS, w), X),
    "dropout": (lambda x: F.dropout(x, 0.4, rng=3), X),
    "linear": (F.linear, X, RNG.normal(size=(2, 4)), RNG.normal(size=2)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_of_both_orders(name):
    f, *arrays = FUNCTIONS[name]
    report = check_gradients(f, *arrays, order=2)
    assert report.compared == sum(a.size for a in arrays)
    assert not report.inconclusive


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_stays(name):
    f, *arrays = FUNCTIONS[name]
    values = [Value(a.astype(np.float32)) for a in arrays]
    y = f(*values)
    assert y.dtype == (np.float64 if name.endswith("in use") else np.float32)  # the running statistics are float64
    y.sum().backward()
    assert {v.grad.dtype for v in values} == {np.dtype(np.float32)}


SCALARS = (
    "celu",
    "elu",
    "gelu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "logsigmoid",
    "mish",
)
SCALARS += ("relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh", "tanhshrink")


@pytest.mark.parametrize("name", SCALARS)
def test_numbers_lists_arrays_and_values_give_the_same(name):
    f = getattr(F, name)
    expected = f(np.array([-1.25, 0.75]))
    np.testing.assert_array_equal(f([-1.25, 0.75]), expected)
    np.testing.assert_array_equal(f(input=Value([-1.25, 0.75])).data, expected)
    assert [f(-1.25), f(0.75)] == pytest.approx(expected.tolist(), rel=1e-15)
    x = Value(0.75)
    y = f(x)
    assert type(y.data) is float
    y.backward()
    assert type(x.grad) is float


@pytest.mark.parametrize(
    ("f", "x", "slopes"),
    [
        (F.relu6, [0.0, 6.0], [0, 0]),
        (F.hardsigmoid, [-3.0, 3.0], [0, 0]),
        (F.hardswish, [-3.0, 3.0], [0, 1]),
        (F.hardshrink, [-0.5, 0.5], [0, 0]),
        (F.softshrink, [-0.5, 0.5], [0, 0]),
        (lambda x: F.softshrink(x, 0), [0.0], [0]),
        (lambda x: F.celu(x, 2.0), [0.0], [1]),
        (lambda x: F.threshold(x, 1.0, 5.0), [1.0], [0]),
        (lambda x: F.prelu(x, 0.25), [0.0], [0.25]),
        (lambda x: F.softplus(x, 1.0, 0.0), [0.0], [0.5]),
    ],
)
def test_slopes_at_kinks(f, x, slopes):
    x = Value(x)
    f(x).sum().backward()
    np.testing.assert_array_equal(x.grad, slopes)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("f", "x", "slopes"),
    [
        (lambda x: F.threshold(np.log(x), 0.5, 1.0), [0.0, 1.0, np.e], [0, 0, 1 / np.e]),
        (lambda x: F.softplus(np.exp(x), 1.0, 5.0), [0.0, 1e3], [np.e / (1 + np.e), np.inf]),
        (lambda x: F.celu(x, 0.01), [1e5, 2.0], [1, 1]),
        (lambda x: F.prelu(x, np.array([np.inf, 0.5])), [1.0, -2.0], [1, 0.5]),
    ],
)
def test_the_branch_not_taken_gives_no_nan(f, x, slopes):
    x = Value([x])
    f(x).sum().backward()
    np.testing.assert_allclose(x.grad, [slopes], rtol=1e-12)


def test_nan_stays_nan():
    for f in (*[getattr(F, name) for name in SCALARS], lambda x: F.threshold(x, 0.0, 1.0)):
        assert np.isnan(f(np.array([np.nan])))


def test_softplus_has_pytorchs_threshold():
    x = np.array([19.9, 20.0, 20.1, 800.0])
    expected = np.where(x > 20, x, x + np.log1p(np.exp(-x)))
    np.testing.assert_array_equal(F.softplus(x), expected)
    assert F.softplus(20.1, threshold=np.inf) > 20.1
    assert F.softplus(1.0, beta=-3.0) == pytest.approx(np.log1p(np.exp(-3)) / -3)


def test_softmax_converts_first():
    x = Value(np.float32([[1e-9, 0.0]]))
    for f in (F.softmax, F.log_softmax, F.softmin):
        y = f(x, -1, dtype=np.float64)
        assert (f(x, -1).dtype, y.dtype) == (np.float32, np.float64)
        assert y.data[0, 0] != y.data[0, 1]


# -- Modules are the functions -----------------------------------------------------------------------------------------

ACTIVATIONS = {
    name: item for name, item in vars(nn).items() if hasattr(item, "settings") and item.__module__ == "nn.activation"
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_constructor_has_the_parameters_of_the_function(name):
    cls = ACTIVATIONS[name]
    _, *expected = inspect.signature(cls.function).parameters.values()
    expected = [p for p in expected if p.kind is p.POSITIONAL_OR_KEYWORD]
    own = list(inspect.signature(cls).parameters.values())
    assert [(p.name, p.default) for p in own] == [(p.name, p.default) for p in expected]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_help_has_the_formula_of_the_function(name):
    shown, formula = inspect.getdoc(ACTIVATIONS[name]), inspect.getdoc(ACTIVATIONS[name].function) or ""
    assert shown.endswith(formula)
    assert shown.count(formula or shown) == 1


def test_settings_are_shown_whatever_their_type():
    assert repr(nn.ELU(np.float32(0.5))) == f"ELU(alpha={np.float32(0.5)!r})"
    assert repr(nn.HuberLoss(delta=np.float32(0.5))) == f"HuberLoss(reduction='mean', delta={np.float32(0.5)!r})"


def test_every_activation_is_a_function_and_a_module():
    functions = {
        name.replace("_", "")
        for name, f in vars(F).items()
        if getattr(f, "__module__", "") == "nn.functional.activation"
    }
    modules = {name.lower() for name in ACTIVATIONS} - {"identity", "heaviside"}
    assert modules | {"prelu"} == functions


def test_a_subclass_may_have_its_own_constructor():
    class Shifted(nn.LeakyReLU):
        def __init__(self, shift):
            super().__init__(0.5)
            self.shift = shift

        def forward(self, x):
            return super().forward(x + self.shift)

    assert Shifted(2.0)(np.array([-4.0])).tolist() == [-1.0]
    assert list(inspect.signature(Shifted).parameters) == ["shift"]


def test_removed_name_points_to_its_replacement():
    with pytest.raises(AttributeError, match=r"nn.Step is not public since 0.2; use nn.Heaviside"):
        nn.Step
    with pytest.raises(ImportError, match=r"nn.Step is not public since 0.2; use nn.Heaviside"):
        exec("from nn import Step")
    with pytest.raises(AttributeError, match="module 'nn' has no attribute 'Stop'"):
        nn.Stop
    assert nn.Heaviside()(np.array([-1e-300, 0.0, 2.0])).tolist() == [0, 1, 1]


# -- Dropout -----------------------------------------------------------------------------------------------------------


def test_dropout_is_seeded_or_not():
    x = np.ones(1000)
    one, two = F.dropout(x, 0.25, rng=0), F.dropout(x, p=0.25, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(one, two)
    assert np.count_nonzero(one) == pytest.approx(750, abs=50)
    assert set(one) == {0.0, 1 / 0.75}
    assert not np.array_equal(F.dropout(x), F.dropout(x))
    assert F.dropout(x, 0.5, False) is x
    assert not F.dropout(x, 1.0).any()


def test_checkpoint_repeats_masks_without_a_generator():
    x = Value(np.ones(100))
    y = checkpoint(lambda x: F.dropout(x, 0.5))(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)


def test_attention_drops_without_a_generator():
    q = np.ones((1, 50, 2))
    one, two = (F.scaled_dot_product_attention(q, q, q, dropout_p=0.5) for _ in range(2))
    assert not np.array_equal(one, two)


# -- Normalization -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.3, 1.0])
def test_running_statistics_move_in_place(momentum):
    mean, var = np.zeros(4), np.ones(4)
    F.batch_norm(Value(LINES), mean, var, training=True, momentum=momentum)
    np.testing.assert_allclose(mean, momentum * LINES.mean((0, 2)), rtol=1e-14)
    np.testing.assert_allclose(var, 1 - momentum + momentum * LINES.var((0, 2), ddof=1), rtol=1e-14)
    mean, var = np.zeros(4), np.ones(4)
    F.instance_norm(LINES, mean, var, momentum=momentum)
    np.testing.assert_allclose(mean, momentum * LINES.mean((0, 2)), rtol=1e-14)
    np.testing.assert_allclose(var, 1 - momentum + momentum * LINES.var(2, ddof=1).mean(0), rtol=1e-14)
    before = mean.copy(), var.copy()
    F.batch_norm(LINES, mean, var)
    np.testing.assert_array_equal((mean, var), before)


def test_one_of_the_running_statistics_may_be_left_out():
    mean = np.zeros(4)
    F.batch_norm(LINES, mean, None, training=True)
    assert mean.any()


@pytest.mark.parametrize("x", [np.ones((1, 4)), np.ones((2, 3)), LINES.astype(complex), LINES.astype(str)])
def test_an_error_leaves_the_running_statistics(x):
    mean, var = np.zeros(4), np.ones(4)
    with pytest.raises(TinygradError):
        F.batch_norm(x, mean, var, training=True)
    assert (mean.any(), var.tolist()) == (False, [1.0] * 4)


def test_instance_norm_modules_track_on_request():
    layer = nn.InstanceNorm1d(4, track_running_stats=True)
    layer(LINES)
    np.testing.assert_allclose(layer.running_mean, 0.1 * LINES.mean((0, 2)))
    assert layer.num_batches_tracked == 0  # as in PyTorch
    one = layer.eval()(LINES[0])
    np.testing.assert_allclose(
        one, (LINES[0] - layer.running_mean[:, None]) / np.sqrt(layer.running_var[:, None] + 1e-5)
    )
    still = nn.InstanceNorm1d(4, momentum=None, track_running_stats=True)
    still(LINES)
    assert not still.running_mean.any()


# -- Embedding and one-hot ---------------------------------------------------------------------------------------------


def test_the_padding_row_gets_no_gradient():
    w = Value(X)
    y = F.embedding(WORDS, w, padding_idx=-1)
    np.testing.assert_array_equal(y.data, X[WORDS])
    y.sum().backward()
    np.testing.assert_array_equal(w.grad[:, 0], [1, 1, 0])


def test_one_hot_is_of_integers():
    rows = F.one_hot([[0], [2]])
    assert (rows.dtype, rows.tolist()) == (np.dtype(int), [[[1, 0, 0]], [[0, 0, 1]]])
    assert F.one_hot(1, 2).tolist() == [0, 1]
    assert F.one_hot(np.zeros(0, int), num_classes=3).shape == (0, 3)


# -- Wrong use -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.softmax(X), DTypeError, "^softmax: got no dim; it takes input, dim, dtype$"),
        (lambda: F.softmax(X, "x"), TinygradError, "^softmax: got dim='x', expected an integer"),
        (lambda: F.softmin(X, True), TinygradError, "^softmin: got dim=True, expected an integer"),
        (lambda: F.log_softmax(X, 2), ShapeError, r"^log_softmax: got axis 2 for an input of shape \(3, 4\)"),
        (lambda: F.softmax(X, 0, dtype="x"), TinygradError, "x"),
        (lambda: F.glu(X[:, :3]), ShapeError, r"^glu: got dim=-1 and an input of shape \(3, 3\), expected an axis of even"),
        (lambda: F.glu(0.5), ShapeError, r"^glu: got dim=-1 and an input of shape \(\)"),
        (lambda: F.glu(X, 2), ShapeError, r"^glu: got dim=2"),
        (lambda: F.prelu(X, W[:3]), ShapeError, r"shape \(3,\), expected one weight, or one for each of 4 channels"),
        (lambda: F.prelu(W, W), ShapeError, r"expected one weight, or one for each of 1 channels"),
        (lambda: F.prelu(X, [[0.5]]), ShapeError, r"a weight of shape \(1, 1\)"),
        (lambda: F.celu(X, 0), TinygradError, "^celu: got alpha=0, expected a number > 0"),
        (lambda: F.celu(X, alpha=-1), TinygradError, "^celu: got alpha=-1"),
        (lambda: F.softplus(X, beta=0), TinygradError, "^softplus: got beta=0, expected a number other than 0"),
        (lambda: F.softplus(X, 1.0, "a"), TinygradError, "^softplus: got threshold='a', expected a real number"),
        (lambda: F.softshrink(X, -0.1), TinygradError, "^softshrink: got lambd=-0.1, expected a number from 0 on"),
        (lambda: F.hardshrink(X, "a"), TinygradError, "^hardshrink: got lambd='a', expected a real number"),
        (lambda: F.hardtanh(X, 1, 0), TinygradError, "^hardtanh: got min_val=1 and max_val=0, expected min_val <= max_val"),
        (lambda: F.threshold(X, 0.5), DTypeError, "^threshold: got no value; it takes"),
        (lambda: F.gelu(X, "erf"), TinygradError, "^gelu: got approximate='erf', expected 'none' or 'tanh'"),
        (lambda: F.relu(X, inplace=True), DTypeError, "^relu: got inplace=, expected none: a recorded Value does not change in place"),
        (lambda: F.elu(X, Value(1.0)), TinygradError, "^elu: got a Value as alpha="),
        (lambda: F.hardswish("x"), DTypeError, "^hardswish: .*; got input='x'"),
        (lambda: F.dropout(X, 1.5), TinygradError, "^dropout: got p=1.5, expected a probability from 0 to 1"),
        (lambda: F.dropout(X, rng="x"), TinygradError, "^dropout: got rng='x', expected a random generator"),
        (lambda: F.layer_norm(X, 3), ShapeError, r"^layer_norm: got an input of shape \(3, 4\), expected its last axes to be \(3,\)"),
        (lambda: F.layer_norm(X, (4,), W[:1]), ShapeError, r"^layer_norm: got weight=<ndarray .*>, expected an array of shape \(4,\)"),
        (lambda: F.layer_norm(X, "x"), ShapeError, "^layer_norm: got normalized_shape='x'"),
        (lambda: F.layer_norm(X, 4, eps=-1.0), TinygradError, "^layer_norm: got eps=-1.0, expected a number from 0 on"),
        (lambda: F.rms_norm(X, 4, eps="a"), TinygradError, "^rms_norm: got eps='a', expected a number from 0 on or None"),
        (lambda: F.rms_norm(0.5, 4), ShapeError, r"^rms_norm: got an input of shape \(\)"),
        (lambda: F.group_norm(X, 3), ShapeError, r"^group_norm: got num_groups=3 and an input of shape \(3, 4\), expected a divisor"),
        (lambda: F.group_norm(X, 0), ShapeError, "^group_norm: got num_groups=0, expected an integer from 1 on"),
        (lambda: F.group_norm(W, 2), ShapeError, r"^group_norm: got an input of shape \(4,\), expected \(N, C, ...\)"),
        (lambda: F.group_norm(X, 2, W[:2]), ShapeError, "^group_norm: got weight="),
        (lambda: F.batch_norm(X, None, None), TinygradError, "^batch_norm: got no running statistics"),
        (lambda: F.batch_norm(X, W, B[:3]), ShapeError, "^batch_norm: got running_var="),
        (lambda: F.batch_norm(X, Value(W), Value(B), training=True), DTypeError, "^batch_norm: got running statistics <Value"),
        (lambda: F.batch_norm(X, np.zeros(4, int), B, training=True), DTypeError, "expected arrays of floats, to change in place"),
        (lambda: F.batch_norm(X[:1], None, None, training=True), ShapeError, "more than one number a channel .*training=False"),
        (lambda: F.instance_norm(X), ShapeError, "^instance_norm: .*more than one number a channel"),
        (lambda: F.embedding(WORDS, W), ShapeError, "^embedding: got a weight of shape"),
        (lambda: F.embedding(WORDS, X, 3), ShapeError, "^embedding: got padding_idx=3, expected an integer from -3 to 2"),
        (lambda: F.embedding(WORDS + 1, X), IndexError, "^embedding: "),
        (lambda: F.embedding(X, X), DTypeError, "^embedding: "),
        (lambda: F.one_hot([]), ShapeError, "^one_hot: got no labels"),
        (lambda: F.one_hot([0, 3], 3), IndexError, "^one_hot: "),
        (lambda: F.one_hot([-1]), IndexError, "^one_hot: "),
        (lambda: F.one_hot([0.5]), DTypeError, "^one_hot: "),
        (lambda: F.one_hot([0], "x"), TinygradError, "^one_hot: got num_classes='x', expected an integer"),
    ],
)  # fmt: skip
def test_wrong_use_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
