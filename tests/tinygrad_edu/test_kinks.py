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
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    multiply,
    norm,
    power,
    relu,
    sign,
    sqrt,
    sum,
    where,
)

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
