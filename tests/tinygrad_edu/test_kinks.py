"""The stated conventions: kinks, the zero rule, powers at zero, ties, empty reductions; to the orders that they promise."""

import numpy as np
import pytest

from tinygrad_edu import (
    ShapeError,
    Value,
    abs,
    arctan2,
    clip,
    divide,
    exp,
    hessian,
    hvp,
    hypot,
    jacobian,
    linalg,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    multiply,
    nanstd,
    norm,
    power,
    relu,
    reshape,
    sign,
    sqrt,
    std,
    sum,
    var,
    where,
)
from tinygrad_edu import grad as grad_of

nan, inf = np.nan, np.inf


def grad(f, *inputs, order=1):
    """The derivative of the given order with respect to the first input."""
    values = [Value(x) for x in inputs]
    y = f(*values)
    for _ in range(order):
        y = y.sum() if y.shape else y
        if not y.requires_grad:
            return np.zeros_like(values[0].data)[()]
        for v in values:
            v.zero_grad()
        y.backward(create_graph=True)
        y = values[0].grad
        if y is None:
            return np.zeros_like(values[0].data)[()]
    return y.data


@pytest.mark.parametrize(
    ("f", "inputs", "expected"),
    [
        (abs, (0.0,), 0.0),
        (sign, (0.0,), 0.0),
        (relu, (0.0,), 0.0),
        (norm, (np.zeros(3),), np.zeros(3)),
        (arctan2, (0.0, 0.0), 0.0),
        (sqrt, (0.0,), inf),
        (max, (np.array([1.0, 1.0, 0.0]),), [0.5, 0.5, 0.0]),
        (min, (np.array([1.0, 0.0, 0.0]),), [0.0, 0.5, 0.5]),
        (maximum, (1.0, 1.0), 0.5),
        (minimum, (1.0, 1.0), 0.5),
        (lambda x: maximum(x, 1.0), (1.0,), 0.5),
        (lambda x: maximum(x, x), (1.0,), 1.0),
        (lambda x: clip(x, 0.0, 1.0), (0.0,), 1.0),
        (lambda x: clip(x, 0.0, 1.0), (1.0,), 1.0),
        (lambda x: clip(x, 0.0, 1.0), (1.5,), 0.0),
        (lambda x: clip(x, a_min=0.5), (0.5,), 1.0),
        (lambda x: x**0, (0.0,), 0.0),
        (lambda x: x**0, (2.0,), 0.0),
        (lambda x: x**1, (0.0,), 1.0),
        (lambda x: x**0.5, (0.0,), inf),
        (lambda y: power(0.0, y), (0.0,), 0.0),
        (lambda y: power(0.0, y), (2.0,), 0.0),
        (lambda x: x**3, (-2.0,), 12.0),
        (logsumexp, (np.array([-inf, -inf]),), [0.5, 0.5]),
        (log, (0.0,), inf),
        (lambda x: 1 / x, (0.0,), -inf),
    ],
)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_kinks(f, inputs, expected):
    assert np.array_equal(grad(f, *inputs), expected)
    if not np.shape(inputs[0]):  # the same as an array
        assert np.array_equal(grad(f, *[np.array([x]) for x in inputs]), [expected])


@pytest.mark.parametrize("n", range(6))
def test_powers_at_zero_are_right_to_every_order(n):
    expected = 1.0
    for order in range(1, n + 2):
        expected *= n - order + 1
        for x in (0.0, np.zeros(2)):
            got = grad(lambda v: v**n, x, order=order)
            assert np.all(got == (expected if order == n else 0.0)), (n, order)


def test_power_has_mixed_second_derivatives():
    a, b = Value(2.0), Value(0.0)
    (a**b).backward(create_graph=True)
    slope = a.grad
    b.zero_grad()
    slope.backward()
    assert b.grad == pytest.approx(0.5)  # d/db of b a^(b-1) at b = 0 is 1/a


ZERO_RULE = [
    (lambda x: where(x > 0, sqrt(x), 0.0), 0.0, [0.0, 0.0]),
    (lambda x: where(x > 0, sqrt(x), x), -1.0, [1.0, 0.0]),
    (lambda x: where(x > 0, log(x), x * x), 0.0, [0.0, 2.0]),
    (lambda x: where(x < 5, exp(x) * x, 0.0), 1000.0, [0.0, 0.0]),
    (lambda x: where(x > 0, x**0.5, 0.0), 0.0, [0.0, 0.0]),
    (lambda x: where(x == 0, 0.0, x / x), 0.0, [0.0, 0.0]),
    (lambda x: where(x > 0, 1 / x, x), 0.0, [1.0, 0.0]),
]


@pytest.mark.parametrize(("f", "x", "expected"), ZERO_RULE)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_a_branch_not_taken_leaks_nothing_to_second_order(f, x, expected):
    for order, slope in enumerate(expected, 1):
        assert grad(f, x, order=order) == slope
        assert np.array_equal(grad(f, np.array([x, x]), order=order), [slope, slope])


def test_the_zero_rule_does_not_hide_real_nan():
    assert np.isnan(grad(lambda x: x * nan, 1.0))
    assert np.isnan(grad(lambda x: multiply(x, np.array([nan, 1.0])), np.ones(2))[0])


def test_the_zero_rule_keeps_rules_linear_in_g():
    """Masking wherever g is 0 would lose the mixed second derivative of x*sqrt(y) at (0, 4)."""
    x, y = Value(0.0), Value(4.0)
    (x * sqrt(y)).backward(create_graph=True)
    slope = y.grad  # x / (2 sqrt(y)), 0 here
    x.zero_grad()
    y.zero_grad()
    slope.backward()
    assert x.grad == 0.25


def test_scalars_follow_numpy_where_python_refuses():
    with np.errstate(all="ignore"):
        assert log(Value(0.0)).data == -inf
        assert (1 / Value(0.0)).data == inf
        assert np.isnan((Value(-8.0) ** (1 / 3)).data)
        assert np.isnan(power(-8.0, 1 / 3))
        assert exp(Value(1000.0)).data == inf
        assert (Value(10.0) ** 400).data == inf
        assert divide(0.0, 0.0) != divide(0.0, 0.0)
        assert np.isnan(sqrt(Value(-1.0)).data)
        assert type(log(Value(0.0)).data) is float


@pytest.mark.parametrize("f", [max, min])
@pytest.mark.parametrize("axis", [None, 0])
def test_empty_extremes_have_a_clear_error(f, axis):
    with pytest.raises(
        ShapeError, match=rf"^{f.__name__}: got an array of shape \(0, 2\), expected at least one number"
    ):
        f(Value(np.empty((0, 2))), axis=axis)


def test_empty_reductions_that_have_a_value():
    x = Value(np.empty((0, 2)))
    assert sum(x).data == 0.0
    assert max(x, axis=1).shape == (0,)
    sum(x).backward()
    assert x.grad.shape == (0, 2)
    with pytest.warns(RuntimeWarning):
        assert np.isnan(mean(Value(np.empty(0))).data)
    with pytest.warns(RuntimeWarning):
        assert np.isnan(np.mean(Value(np.empty(0))).data)


def test_ties_share_equally_along_axes():
    x = Value(np.array([[3.0, 3.0], [1.0, 3.0]]))
    max(x, axis=1).sum().backward()
    assert np.array_equal(x.grad, [[0.5, 0.5], [0.0, 1.0]])


# -- To second order ---------------------------------------------------------------------------------------------------

ZERO, EQUAL = np.zeros(2), np.ones(2)
LENGTHS = [  # lengths at their kink
    (norm, ZERO),
    (lambda x: norm(x, ord=2), ZERO),
    (lambda x: norm(x, ord=3), ZERO),
    (lambda x: norm(x, ord=1.5), ZERO),
    (lambda x: norm(x, ord=-1), np.array([0.0, 1.0])),
    (lambda x: norm(x, axis=0, keepdims=True)[0], ZERO),
    (lambda x: norm(reshape(x, (1, 2)), ord="fro"), ZERO),
    (lambda x: linalg.vector_norm(x), ZERO),
    (lambda x: hypot(x[0], x[1]), ZERO),
    (lambda x: hypot(x, x)[0], ZERO),
    (std, EQUAL),
    (lambda x: std(x, axis=0, ddof=1), EQUAL),
    (nanstd, EQUAL),
]


@pytest.mark.parametrize(("f", "x"), LENGTHS)
@pytest.mark.parametrize(
    "smooth", [lambda y: y, lambda y: y**2, lambda y: exp(-(y**2)), lambda y: y * y, lambda y: 3 * y**4]
)
def test_second_derivatives_at_the_kink_of_a_length_are_nan(f, x, smooth):
    """Of y² they exist, but the graph of the gradient cannot give them: a silent 0 would be wrong."""
    g = jacobian(lambda v: smooth(f(v)))(x)
    assert np.array_equal(g, ZERO)  # the subgradient of least norm
    curvature = hessian(lambda v: smooth(f(v)))(x)
    moved = [0] if f is LENGTHS[4][0] or f is LENGTHS[9][0] else [0, 1]  # the components that the kink is in
    assert np.all(np.isnan(curvature[np.ix_(moved, moved)]))


def test_mixed_second_derivatives_at_the_kink_are_nan():
    def kernel(a, b):
        return exp(-(norm(a - b) ** 2) / 2)

    assert np.all(np.isnan(jacobian(grad_of(kernel), argnums=1)(EQUAL, EQUAL)))
    weight, x = Value(2.0), Value(0.0)
    (weight * hypot(x, 0.0)).backward(create_graph=True)
    x.grad.backward()
    assert np.isnan(weight.grad)


@pytest.mark.parametrize(
    "f", [norm, lambda x: hypot(x[0], x[1]), lambda x: std(x + EQUAL), lambda x: arctan2(x[0], x[1])]
)
def test_a_length_that_a_constant_masks_is_0_to_second_order(f):
    """Padding: the second derivative of 0 · f is 0, as is that in a direction that does not move the vector."""
    assert np.array_equal(hessian(lambda x: f(x) * 0.0 + sum(x * x))(ZERO), 2 * np.eye(2))
    masked = hessian(lambda x: where(np.array(False), f(x), sum(x * x)))(ZERO)
    assert np.array_equal(masked, 2 * np.eye(2))
    assert np.array_equal(hvp(lambda x: f(x) ** 2, (ZERO,), (ZERO,))[0], ZERO)


def test_rows_of_0_do_not_touch_other_rows():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    curvature = hessian(lambda v: sum(norm(v, axis=1) * np.array([1.0, 0.0])))(x)
    alone = hessian(norm)(x[0])
    assert np.allclose(curvature[0, :, 0, :], alone)
    assert not np.any(curvature[1])
    assert not np.any(curvature[:, :, 1])
    curvature = hessian(lambda v: sum(norm(v, axis=1) ** 2))(x)
    assert np.allclose(curvature[0, :, 0, :], 2 * np.eye(2))
    assert np.all(np.isnan(curvature[1, :, 1, :]))
    assert not np.any(curvature[0, :, 1, :])


def test_away_from_the_kink_nothing_changes():
    x = np.array([0.6, -0.8])
    assert np.allclose(hessian(lambda v: norm(v) ** 2)(x), 2 * np.eye(2))
    assert np.allclose(hessian(lambda v: hypot(v[0], v[1]) ** 2)(x), 2 * np.eye(2))
    assert np.allclose(hessian(lambda v: std(v) ** 2)(x), hessian(var)(x))
    tiny = 1e-300 * x
    assert np.allclose(hessian(lambda v: norm(v) ** 2)(tiny), 2 * np.eye(2))
    assert np.array_equal(hessian(var)(EQUAL), [[0.5, -0.5], [-0.5, 0.5]])


def test_where_a_component_is_0_the_curvature_of_a_p_norm_is_its_limit():
    x = np.array([0.0, 1.0, 2.0])
    assert hessian(lambda v: norm(v, ord=1.5))(x)[0, 0] == inf
    assert hessian(lambda v: norm(v, ord=3))(x)[0, 0] == 0
    assert hessian(norm)(x)[0, 0] == pytest.approx(1 / np.sqrt(5))
    assert hessian(lambda v: norm(v, ord=1.5) * 0.0)(x)[0, 0] == 0


def test_arctan2_at_the_origin_is_nan_to_second_order():
    assert np.array_equal(jacobian(lambda x: arctan2(x[0], x[1]))(ZERO), ZERO)
    assert np.all(np.isnan(hessian(lambda x: arctan2(x[0], x[1]))(ZERO)))
    x = np.array([0.6, -0.8])
    expected = np.array([[2 * 0.6 * 0.8, 0.6**2 - 0.8**2], [0.6**2 - 0.8**2, -2 * 0.6 * 0.8]])
    assert np.allclose(hessian(lambda x: arctan2(x[0], x[1]))(x), expected)
    both = np.array([0.0, 0.6]), np.array([0.0, -0.8])  # the kink is one of several elements
    a, b = [Value(part) for part in both]
    y = arctan2(a, b).sum()
    y.backward()
    assert a.grad.tolist() == pytest.approx([0, -0.8])
    assert b.grad.tolist() == pytest.approx([0, -0.6])


@pytest.mark.parametrize("f", [abs, relu, lambda x: norm(x, ord=1), lambda x: norm(x, ord=inf)])
def test_other_kinks_keep_0_to_second_order_as_in_pytorch(f):
    """|x|² is not seen as smooth; docs/kinks.md says so."""
    assert np.array_equal(hessian(lambda v: sum(f(v) ** 2))(np.zeros(1)), [[0.0]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("sizes", [[1.0, 0.0], [3.0, 4.0], [-5.0, 12.0]])
def test_the_gradient_of_a_length_is_a_unit_vector_down_to_subnormals(dtype, sizes):
    info = np.finfo(dtype)
    for scale in (
        info.smallest_subnormal,
        100 * info.smallest_subnormal,
        info.tiny / 8,
        info.tiny,
        2 / info.max,
        1.0,
        info.max / 32,
    ):
        x = (np.array(sizes) * float(scale)).astype(dtype)
        direction = x / dtype(1) if not np.any(x) else x.astype(np.longdouble) / np.hypot(*x.astype(np.longdouble))
        for f in (
            norm,
            lambda v: hypot(v[0], v[1]),
            lambda v: norm(v, axis=0),
            lambda v: norm(v, ord="fro", axis=(0, 1)) if v.ndim > 1 else norm(v, ord=2),
        ):
            g = grad_of(f)(x)
            assert g.dtype == dtype
            allowed = 4 * float(info.eps) + float(info.smallest_subnormal / scale)  # the length itself is rounded
            assert np.all(np.abs(g - direction.astype(float)) <= allowed), scale
