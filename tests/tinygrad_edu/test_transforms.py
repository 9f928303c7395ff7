"""Transforms: values against numerical derivatives, structures, composition, and what is refused."""

import math
from collections import defaultdict, namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
import tinygrad_edu as tg
from tinygrad_edu import (
    DTypeError,
    GradientWarning,
    ShapeError,
    UnsupportedError,
    Value,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    tree_map,
    value_and_grad,
    vjp,
)
from tinygrad_edu.testing import numerical_gradient
from tinygrad_edu.testing.strategies import expressions

X = np.array([0.5, -1.0, 2.0])
Pair = namedtuple("Pair", "a b")


# -- Right numbers ----------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True)
@given(expressions(), st.integers(0, 2**32 - 1))
def test_all_transforms_agree_on_random_expressions(f, seed):
    """Jacobian by rows (vjp), by columns (jvp) and by differences; <Jv, w> = <v, Jᵀw>; the Hessian is symmetric, and hvp its product."""
    rng = np.random.default_rng(seed)
    args = tuple(range(len(f.inputs)))
    y, pull = vjp(f, *f.inputs)
    assert np.array_equal(y, f(*f.inputs))
    w = rng.choice([-1.5, 0.75], np.shape(y))
    directions = tuple(rng.choice([-1.0, 0.5], np.shape(x)) for x in f.inputs)
    gradients = pull(w)
    _, change = jvp(f, f.inputs, directions)
    left = np.sum(change * w)
    right = sum(np.sum(v * g) for v, g in zip(directions, gradients, strict=True))
    assert np.isclose(left, right, rtol=1e-10, atol=1e-10)
    for i in args:
        expected = numerical_gradient(f, *f.inputs, argnum=i, cotangent=w)
        scale = max(1.0, np.max(np.abs(expected.value), initial=0))
        assert np.all(np.abs(gradients[i] - expected.value) <= 20 * expected.error + 1e-8 * scale)

    def total(*inputs):
        return tg.sum(tg.tanh(f(*inputs)) * w)

    products = hvp(total, f.inputs, directions)
    blocks = hessian(total, args)(*f.inputs)
    for i in args:
        product = 0.0
        for j in args:
            n = np.ndim(f.inputs[j])
            product = product + np.tensordot(blocks[i][j], directions[j], n)
            swapped = np.moveaxis(blocks[j][i], range(n), range(-n, 0))
            assert np.allclose(blocks[i][j], swapped, rtol=1e-9, atol=1e-9)
        assert np.allclose(product, products[i], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: (x.tanh() * x).sum(), "Value methods"),
        (lambda x: tg.sum(tg.tanh(x) * x), "functions of the package"),
        (lambda x: np.sum(np.tanh(x) * x), "plain NumPy"),
    ],
)
def test_f_may_be_written_three_ways(f, name):
    expected = (1 - np.tanh(X) ** 2) * X + np.tanh(X)
    value, gradient = value_and_grad(f)(X)
    assert isinstance(value, float)
    assert type(gradient) is np.ndarray
    assert np.allclose(gradient, expected)


def test_jacobian_and_hessian_of_known_functions():
    A = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0]])
    assert np.array_equal(jacobian(lambda x: A @ x)(X), A)
    assert np.array_equal(jacobian(lambda x: x**2)(X), np.diag(2 * X))
    assert np.allclose(hessian(lambda x: np.sum(x**3))(X), np.diag(6 * X))
    assert np.allclose(jacobian(grad(lambda x: np.sum(x**3)))(X), np.diag(6 * X))
    S = A.T @ A
    assert np.allclose(hessian(lambda x: x @ S @ x)(X), 2 * S)
    assert jacobian(lambda x: np.sum(x**2))(X).shape == (3,)
    assert jacobian(lambda x: x * X)(2.0).tolist() == X.tolist()
    assert jacobian(lambda a, b: (a * b, a), (0, 1))(2.0, X)[0][1].shape == (3, 3)


@pytest.mark.parametrize("n", range(1, 6))
def test_any_order_of_a_power(n):
    f = lambda x: x**5
    for _ in range(n):
        f = grad(f)
    assert f(2.0) == np.prod(np.arange(5, 5 - n, -1)) * 2.0 ** (5 - n)


# -- Structure --------------------------------------------------------------------------------------------------------


def test_gradients_have_the_structure_shapes_and_dtypes_of_the_arguments():
    parameters = {"w": [np.ones((2, 3)), np.float32(2)], "b": (1.0, None, Pair(np.zeros(3, np.float32), 3))}
    g = grad(lambda p, x: np.sum(p["w"][0] @ x * p["w"][1]) + p["b"][0] * p["b"][2].b + np.sum(p["b"][2].a))(
        parameters, X
    )
    assert list(g) == ["w", "b"]
    assert type(g["w"]) is list
    assert type(g["b"]) is tuple
    assert type(g["b"][2]) is Pair
    assert g["b"][1] is None
    assert (g["w"][0].shape, g["w"][0].dtype) == ((2, 3), float)
    assert type(g["w"][1]) is np.float32
    assert (type(g["b"][0]), g["b"][0]) == (float, 3.0)
    assert g["b"][2].a.dtype == np.float32
    assert g["b"][2].b == 1.0


def test_arguments_by_position_and_name():
    f = lambda x, y, *, k, mode: x * y * k if mode == "product" else x
    call = {"k": 3.0, "mode": "product"}
    assert grad(f)(2.0, 5.0, **call) == 15.0
    assert grad(f, -1)(2.0, 5.0, **call) == 6.0
    assert grad(f, "k")(2.0, 5.0, **call) == 10.0
    assert grad(f, (0, "k"))(2.0, 5.0, **call) == (15.0, 10.0)
    assert value_and_grad(f, ("k",))(2.0, 5.0, **call) == (30.0, (10.0,))


def test_has_aux():
    f = lambda x: (np.sum(x * x), {"doubled": x * 2, "note": "hello", "n": 3})
    g, aux = grad(f, has_aux=True)(X)
    assert np.array_equal(g, 2 * X)
    assert type(aux["doubled"]) is np.ndarray
    assert (aux["note"], aux["n"]) == ("hello", 3)
    (value, aux), g = value_and_grad(f, has_aux=True)(X)
    assert value == np.sum(X * X)
    y, pull, aux = vjp(f, X, has_aux=True)
    assert np.array_equal(pull(2.0)[0], 4 * X)
    y, change, aux = jvp(f, (X,), (X,), has_aux=True)
    assert change == 2 * np.sum(X * X)
    J, aux = jacobian(f, has_aux=True)(X)
    assert np.array_equal(J, 2 * X)


def test_results_of_f_may_be_trees():
    f = lambda a, b: {"sum": a + b, "parts": [a * 2, np.sum(b), 7.0]}
    y, pull = vjp(f, X, 1.0)
    assert y["parts"][2] == 7.0
    ga, gb = pull({"sum": np.ones(3), "parts": [X, 10.0, 1.0]})
    assert np.array_equal(ga, 1 + 2 * X)
    assert gb == 13.0
    _, change = jvp(f, (X, 1.0), (np.ones(3), 0.5))
    assert np.array_equal(change["sum"], np.full(3, 1.5))
    assert np.array_equal(change["parts"][0], np.full(3, 2.0))
    assert change["parts"][1:] == [0.5, 0.0]
    J = jacobian(f, (0, 1))(X, 1.0)
    assert J["sum"][0].shape == (3, 3)
    assert J["sum"][1].shape == (3,)
    assert J["parts"][2][1] == 0.0


def test_pull_is_reusable_and_counts_repeated_results():
    _, pull = vjp(lambda x: (x * x, x * x), 3.0)
    assert pull((1.0, 0.0)) == pull((0.0, 1.0)) == (6.0,)
    _, pull = vjp(lambda x: [y := x * x, y][0:2], 3.0)
    assert pull([1.0, 1.0]) == (12.0,)


# -- Composition ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (lambda: grad(lambda x: x * grad(lambda y: x + y)(2.0))(1.0), 1.0),
        (lambda: grad(lambda y: grad(lambda x: x * y * y)(1.0))(3.0), 6.0),
        (lambda: grad(lambda x: x * grad(lambda y: x * y)(x))(3.0), 6.0),
        (lambda: grad(lambda x: jvp(lambda y: y**3, (x,), (1.0,))[1])(2.0), 12.0),
        (lambda: grad(lambda v: jvp(lambda y: y**3, (2.0,), (v,))[1])(5.0), 12.0),
        (lambda: grad(lambda x: hvp(lambda y: y**4, (x,), (1.0,))[0])(2.0), 48.0),
        (lambda: grad(lambda v: hvp(lambda y: y**4, (2.0,), (v,))[0])(1.0), 48.0),
        (lambda: grad(lambda g: vjp(lambda y: y**3, 2.0)[1](g)[0])(5.0), 12.0),
        (lambda: jvp(grad(lambda x: x**4), (2.0,), (1.0,))[1], 48.0),
        (lambda: jvp(lambda x: jvp(lambda y: y**4, (x,), (1.0,))[1], (2.0,), (1.0,))[1], 48.0),
        (lambda: grad(lambda x: jacobian(lambda y: y**3)(x))(2.0), 12.0),
        (lambda: grad(lambda x: hessian(lambda y: y**4)(x))(2.0), 48.0),
        (lambda: value_and_grad(lambda x: value_and_grad(lambda y: y**3)(x)[1])(2.0), (12.0, 12.0)),
    ],
)
def test_transforms_compose_with_distinct_variables(expression, expected):
    assert expression() == expected


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda: grad(lambda v: grad(lambda x: v * x**2)(3.0))(2.0), 6.0),
        (lambda: grad(lambda x: x * Value(2.0) * x)(3.0), 12.0),
        (lambda: jacobian(lambda v: hvp(lambda x: np.sum(x**3), (X,), (v,))[0])(X).tolist(), np.diag(6 * X).tolist()),
        (lambda: jacobian(lambda g: vjp(lambda x: x**2, X)[1](g)[0])(X).tolist(), np.diag(2 * X).tolist()),
    ],
)
def test_values_created_in_a_transform(compute, expected):
    found = compute()
    assert not isinstance(found, Value)
    assert found == expected


def test_pull_keeps_no_state():
    _, pull = vjp(lambda x: x * x, 3.0)
    assert isinstance(pull(Value(1.0))[0], Value)
    assert pull(1.0) == (6.0,)
    _, pull = vjp(lambda x: x * x, Value(3.0))
    with no_grad():
        pull(1.0)
    assert pull(1.0)[0].requires_grad


def test_transforms_keep_copies_of_arguments():
    x = np.ones(3)
    y, pull = vjp(lambda x: x * 1.0, x)
    x[:] = 0
    assert np.array_equal(y, np.ones(3))
    x = np.ones(3)
    y, _ = vjp(lambda x: x, x)
    y += 1
    assert np.array_equal(x, np.ones(3))


def test_no_warning_at_a_branch_not_taken():
    assert grad(lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum())(np.array([0.0, 1.0])).tolist() == [0.0, 0.5]


def test_weights_by_key_and_non_numeric_results():
    _, pull = vjp(lambda x: {"a": x, "b": x * 2}, 3.0)
    assert pull({"b": 1.0, "a": 1.0}) == (3.0,)
    assert jvp(lambda x: (x, x > 1), (X,), (X,))[1][1].tolist() == [0.0, 0.0, 0.0]
    kept = grad(lambda p: p["a"] ** 2 + p["b"])(defaultdict(float, a=1.0))
    assert isinstance(kept, defaultdict)


def test_tree_map():
    moved = tree_map(lambda p, g: p - 0.5 * g, {"w": X, "b": (1.0, None)}, {"w": X, "b": (2.0, None)})
    assert np.array_equal(moved["w"], X / 2)
    assert moved["b"] == (0.0, None)
    with pytest.raises(ShapeError, match=r"tree_map: the trees differ at \['b'\]"):
        tree_map(lambda a, b: a, {"a": 1.0, "b": 2.0}, {"a": 1.0})


def test_outer_values():
    w = Value(3.0)
    g = grad(lambda x: x * x * w)(2.0)
    assert isinstance(g, Value)
    g.backward()
    assert (g.item(), w.grad) == (12.0, 4.0)
    assert isinstance(grad(lambda x: x * x)(w), Value)
    assert grad(lambda x: x * x * w.detach())(2.0) == 12.0


def test_transforms_do_not_change_grads():
    x = Value(X)
    w = Value(np.ones(3))
    grad(lambda x: (x * w).sum())(x)
    hvp(lambda x: (x * x * w).sum(), (X,), (X,))
    assert x.grad is None
    assert w.grad is None
    assert np.array_equal(x.data, X)


def test_inside_no_grad_gradients_are_computed_and_plain():
    w = Value(3.0)
    with no_grad():
        assert grad(lambda x: x * x * w)(2.0) == 12.0
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        g = grad(lambda x: x * x)(Value(2.0))
        assert jvp(lambda x: x * x, (3.0,), (1.0,)) == (9.0, 6.0)
    assert isinstance(g, Value)
    assert not g.requires_grad


def test_no_grad_inside_f():
    def f(x):
        with no_grad():
            c = x * x
        return x * c

    assert grad(f)(3.0) == 9.0


def test_gradients_of_a_network_with_respect_to_its_input():
    model = nn.MLP([2, 3, 1], nn.Tanh, rng=0)
    xs = np.array([[1.0, 2.0], [0.5, -1.0]])
    with no_grad():
        g = grad(lambda x: model(x).sum())(xs)
    x = Value(xs)
    model(x).sum().backward()
    assert np.array_equal(g, x.grad)


# -- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda x: x * 2)(X), ShapeError, r"grad: f returned shape \(3,\).*\.sum\(\).*jacobian"),
        (lambda: grad(lambda x: (x, x))(1.0), UnsupportedError, "grad: f returned a tuple.*has_aux=True"),
        (lambda: grad(lambda x: None)(1.0), UnsupportedError, "grad: f returned a NoneType"),
        (lambda: grad(lambda x: x, has_aux=True)(1.0), UnsupportedError, r"must return \(result, aux\)"),
        (lambda: grad(lambda x: x.sum())(np.arange(3)), DTypeError, r"grad: argument 0 is int64.*astype\(float\)"),
        (lambda: grad(lambda x: x)(np.int32(3)), DTypeError, "argument 0 is int32"),
        (lambda: grad(lambda x: x)(True), DTypeError, "argument 0 is bool"),
        (lambda: grad(lambda p: p["a"])({"a": "text"}), DTypeError, r"argument 0\['a'\] is <U4"),
        (
            lambda: grad(lambda x: x, 1)(1.0),
            UnsupportedError,
            "argnums=1, expected a position.*f was called with 1 arg",
        ),
        (lambda: grad(lambda x: x, "k")(1.0), UnsupportedError, "argnums='k'"),
        (lambda: grad(lambda x: x, None)(1.0), UnsupportedError, "argnums=None, expected a position"),
        (lambda: grad(lambda x, y: x, (0, -2))(1.0, 2.0), UnsupportedError, "names an argument twice"),
        (lambda: grad(lambda x: "text")(1.0), UnsupportedError, "f returned a str"),
        (lambda: grad(lambda x: math.sin(x) * x)(1.0), UnsupportedError, r"float: inside a transform.*math.sin"),
        (
            lambda: jvp(lambda x: x, (X,), (np.ones(2),)),
            ShapeError,
            r"tangents at \[0\] have shape \(2,\), expected \(3,\)",
        ),
        (lambda: jvp(lambda x: x["a"], ({"a": 1.0},), (1.0,)), ShapeError, r"leaves at \[0\], expected \[0\]\['a'\]"),
        (lambda: jvp(lambda x: x, 1.0, 1.0), UnsupportedError, "primals is a float, expected a tuple"),
        (lambda: hvp(lambda x: x * x, (1.0,), 1.0), UnsupportedError, "tangents is a float, expected a tuple"),
        (lambda: hvp(lambda x: x * x, (X,), (X,)), ShapeError, r"hvp: f returned shape \(3,\)"),
        (lambda: hessian(lambda x: x * x)(X), ShapeError, r"hessian: f returned shape \(3,\)"),
        (lambda: vjp(lambda x: x, X)[1](1.0), ShapeError, r"weights at the top have shape \(\), expected \(3,\)"),
        (lambda: vjp(lambda x: x, 1.0)[1]("a"), DTypeError, "astype"),
    ],
)
def test_invalid_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: grad(lambda x: 3.0)(X),
        lambda: grad(lambda x: Value(1.0))(X),
        lambda: grad(lambda x: x.detach().sum())(X),
        lambda: grad(lambda y, x: y * 2.0, 1)(1.0, X),
        lambda: jacobian(lambda x: np.ones(()))(X),
    ],
)
def test_independent_argument_gives_zeros_and_a_warning(call):
    with pytest.warns(GradientWarning, match="does not depend on argument"):
        g = call()
    assert np.array_equal(g.data if isinstance(g, Value) else g, np.zeros(3))


# -- derivative -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        (tg.sigmoid, lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        (lambda x: x**2 - 3 * x + 3, lambda x: 2 * x - 3),
        (lambda x: np.where(x > 0, x, 0.1 * x), lambda x: np.where(x > 0, 1.0, 0.1)),
        (lambda x: np.exp(-(x**2)), lambda x: -2 * x * np.exp(-(x**2))),
        (lambda x: np.reshape(np.reshape(x, -1)[::-1], np.shape(x) or ()) * 0 + 5 * x, lambda x: 5 + 0 * x),
    ],
)
@pytest.mark.parametrize("x", [0.3, np.float32(0.3), np.linspace(-40, 40, 7), np.ones((2, 3)) * 1.5, np.zeros((0, 2))])
def test_derivative_is_elementwise(f, expected, x):
    found = tg.derivative(f)(x)
    assert np.shape(found) == np.shape(x)
    assert isinstance(found, np.ndarray) == (np.ndim(x) > 0)
    assert np.asarray(found).dtype == np.asarray(x).dtype
    assert np.allclose(found, expected(x), rtol=1e-6)


def test_derivatives_of_any_order_and_with_other_transforms():
    x = np.array([-1.0, 0.5, 2.0])
    second = tg.derivative(tg.derivative(np.sin))
    assert np.allclose(second(x), -np.sin(x))
    assert np.allclose(tg.derivative(second)(x), -np.cos(x))
    assert tg.derivative(tg.derivative(tg.derivative(lambda x: x**4)))(2.0) == 48.0
    assert np.allclose(grad(lambda x: np.sum(tg.derivative(lambda x: x**3)(x)))(x), 6 * x)
    assert np.allclose(np.diag(jacobian(tg.derivative(np.sin))(x)), -np.sin(x))
    v = Value(x)
    tg.derivative(lambda x: x**3)(v).sum().backward()
    assert np.allclose(v.grad, 6 * x)


def test_partial_derivatives_over_a_grid():
    x, y = np.meshgrid(np.linspace(-1, 1, 3), np.linspace(0, 2, 4))
    f = lambda x, y: x**2 * y
    dx, dy = tg.derivative(f, argnums=(0, 1))(x, y)
    assert np.array_equal(dx, 2 * x * y)
    assert np.array_equal(dy, x**2)
    assert np.array_equal(tg.derivative(f, argnums=1)(x, y), dy)
    assert np.array_equal(tg.derivative(f, argnums="y")(x, y=y), dy)


@pytest.mark.parametrize(
    ("f", "x", "error", "message"),
    [
        (
            np.sum,
            X,
            ShapeError,
            r"f returned shape \(\) for argument 0 of shape \(3,\), expected equal shapes; use grad",
        ),
        (lambda x: x[:, None] * x, X, ShapeError, r"f returned shape \(3, 3\) for argument 0 of shape \(3,\)"),
        (lambda x: 3.0, X, ShapeError, r"f returned shape \(\)"),
        (tg.softmax, X, ShapeError, "f is not elementwise"),
        (np.cumsum, X, ShapeError, "f is not elementwise"),
        (np.sort, X, ShapeError, "f is not elementwise"),
        (lambda x: x[::-1], X, ShapeError, "f is not elementwise"),
        (lambda x: np.roll(x, 4), np.arange(8.0), ShapeError, "f is not elementwise"),
        (lambda x: x * np.mean(x), X[:2], ShapeError, "f is not elementwise"),
        (tg.derivative(lambda x: x * np.mean(x)), X, ShapeError, "f is not elementwise"),
        (np.tanh, np.array([1, 2]), DTypeError, "argument 0 is int64"),
        (
            lambda t: t[0],
            (1.0, 2.0),
            UnsupportedError,
            "argument 0 is a tuple, expected a number or an array; use grad",
        ),
        (lambda x: [x], 1.0, UnsupportedError, "f returned a list, expected a number or an array"),
    ],
)
def test_derivative_refuses_what_is_not_elementwise(f, x, error, message):
    with pytest.raises(error, match=f"derivative: .*{message}"):
        tg.derivative(f)(x)


def test_the_derivative_of_a_constant_is_0_and_warns():
    with pytest.warns(GradientWarning, match="derivative: the result of f does not depend on argument 0"):
        assert tg.derivative(lambda x: 3.0)(2.0) == 0.0


def assigns_a_number(x):
    array = np.zeros(2)
    array[0] = x
    return array.sum()


def assigns_an_array(x):
    array = np.zeros((2, 1))
    array[0] = x * np.ones(1)
    return array.sum()


@pytest.mark.parametrize("f", [assigns_a_number, assigns_an_array])
@pytest.mark.parametrize(
    "transform",
    [
        grad,
        jacobian,
        lambda f: grad(grad(f)),
        lambda f: lambda x: vjp(f, x),
        lambda f: grad(lambda x: tg.checkpoint(f)(x)),
    ],
)
def test_the_traceback_shows_the_line_that_writes_into_an_array(f, transform):
    with pytest.raises(UnsupportedError) as caught:
        transform(lambda x: f(x))(1.0)
    assert f.__name__ in [entry.name for entry in caught.traceback]
    assert "array[0] = x" in "".join(map(str, caught.traceback))
