"""Elementwise ops where the registry cannot know: NumPy's ways to call them, kinks, NaN and infinities, far tails, errors."""

import math

import numpy as np
import pytest

from tinygrad_edu import (
    UnsupportedError,
    Value,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    cbrt,
    ceil,
    clip,
    copysign,
    divmod,
    elu,
    erf,
    erfc,
    exp2,
    expm1,
    float_power,
    floor,
    floor_divide,
    fmax,
    fmin,
    fmod,
    gelu,
    hardtanh,
    heaviside,
    hypot,
    leaky_relu,
    logaddexp,
    logaddexp2,
    logit,
    mish,
    nan_to_num,
    positive,
    reciprocal,
    remainder,
    round,
    selu,
    sigmoid,
    silu,
    sinc,
    softplus,
    softsign,
    tan,
    trunc,
)

nan, inf = np.nan, np.inf
SELU = 1.0507009873554805, 1.6732632423543772


def derivatives(f, x, orders=2):
    """f(x) and its derivatives in x."""
    v = Value(x)
    y = f(v)
    found = [y.data]
    for _ in range(orders):
        v.zero_grad()
        if y.requires_grad:
            y.sum().backward(create_graph=True)
        y = v.grad if isinstance(v.grad, Value) else Value(np.zeros_like(v.data), requires_grad=False)
        found.append(y.data)
    return found


def slopes(f, *inputs):
    """The gradient of each input."""
    values = [Value(x) for x in inputs]
    f(*values).backward()
    return [v.grad for v in values]


# -- As NumPy calls them -----------------------------------------------------------------------------------------------

X = np.array([[-2.75, -0.5, 0.125], [0.5, 1.5, 2.25]])
FORMS = [
    lambda v: np.clip(v, None, 1.0),
    lambda v: np.clip(v, 0.0, None),
    lambda v: np.clip(v, 0.0, 1.0),
    lambda v: np.clip(v, a_min=None, a_max=1.0),
    lambda v: np.clip(v, min=0, max=1),
    lambda v: np.clip(v, max=1.0),
    lambda v: np.clip(v, min=0.0),
    lambda v: np.clip(v, None, None),
    lambda v: np.clip(a=v, a_min=0.0, a_max=np.ones(3)),
    lambda v: np.round(v),
    lambda v: np.round(v, 1),
    lambda v: np.round(v, decimals=-1),
    lambda v: np.around(v, 2),
    lambda v: np.fix(v),
    lambda v: np.trunc(v),
    lambda v: np.radians(v) + np.deg2rad(v),
    lambda v: np.degrees(v) + np.rad2deg(v),
    lambda v: np.nan_to_num(v),
    lambda v: np.nan_to_num(v, True, 1.0),
    lambda v: np.nan_to_num(v, nan=1.0, posinf=2.0),
    lambda v: np.divmod(v, 2.0)[0],
    lambda v: np.divmod(-5.0, v)[1],
    lambda v: np.mod(v, -0.75),
    lambda v: np.fmod(v, np.array([0.5, 1.0, -2.0])),
    lambda v: np.floor_divide(3.0, v),
    lambda v: np.float_power(v * v, 1.5),
    lambda v: np.positive(v) + np.reciprocal(v),
    lambda v: np.heaviside(v - 0.5, 0.25),
    lambda v: np.copysign(v, -0.0),
    lambda v: np.fmax(v, 0.5) + np.fmin(0.5, v),
    lambda v: np.hypot(v, 3.0) + np.logaddexp(v, 0.0) + np.logaddexp2(0.0, v),
    lambda v: np.sinc(v) + np.cbrt(v) + np.exp2(v) + np.expm1(v) + np.log2(v * v) + np.log10(v * v),
    lambda v: np.arctan(v) + np.arcsinh(v) + np.tan(v) + np.sinh(v) + np.cosh(v) + np.arccosh(1 + v * v),
    lambda v: np.arcsin(v / 3) + np.arccos(v / 3) + np.arctanh(v / 3),
]


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # since NumPy 2.5
@pytest.mark.parametrize("f", FORMS, ids=range(len(FORMS)))
def test_numpys_forms_are_recorded(f):
    y = f(Value(X))
    assert isinstance(y, Value)
    np.testing.assert_allclose(y.data, f(X), rtol=1e-14, atol=1e-15)
    y.sum().backward()


def test_clip_by_method_and_its_gradient_to_bounds():
    x, low, high = Value(np.array([-3.0, 0.0, 0.5, 4.0])), Value(np.array([0.0])), Value(1.0)
    clip(x, low, high).sum().backward()
    assert [v.grad.tolist() if v.shape else v.grad for v in (x, low, high)] == [[0, 1, 1, 0], [1], 1]
    for y in (x.clip(0.0, 1.0), x.clip(a_min=0.0, a_max=1.0), x.clip(min=0.0, max=1.0), clip(x, 0.0, max=1.0)):
        assert y.data.tolist() == [0, 0, 0.5, 1]
    assert np.clip(x, a_max=1.0).data.max() == 1.0  # NumPy itself wants both bounds
    x.zero_grad()
    low.zero_grad()
    clip(x, min=low).sum().backward()
    assert (x.grad.tolist(), low.grad.tolist()) == ([0, 1, 1, 1], [1])


# -- Kinks, jumps and ties ---------------------------------------------------------------------------------------------

KINKS = [
    *[(f, 1.0, 0.0) for f in (floor, ceil, trunc, round)],
    *[(round, 0.5, 0.0), (lambda x: heaviside(x, 1.0), 0.0, 0.0), (lambda x: heaviside(x, 0.5), 0.0, 0.0)],
    *[
        (leaky_relu, 0.0, 0.01),
        (lambda x: leaky_relu(x, negative_slope=0.2), 0.0, 0.2),
        (lambda x: leaky_relu(x, 0.2), -1.0, 0.2),
    ],
    *[(elu, 0.0, 1.0), (lambda x: elu(x, alpha=0.5), 0.0, 0.5), (selu, 0.0, SELU[0] * SELU[1])],
    *[(hardtanh, 1.0, 0.0), (hardtanh, -1.0, 0.0), (lambda x: hardtanh(x, -2.0, 2.0), 1.0, 1.0)],
    *[(softsign, 0.0, 1.0), (cbrt, 0.0, inf), (arcsin, 1.0, inf), (arccosh, 1.0, inf)],
    *[
        (lambda x: copysign(x, -2.0), 0.0, 0.0),
        (lambda x: copysign(x, -0.0), 3.0, -1.0),
        (lambda x: copysign(x, -1.0), -3.0, 1.0),
    ],
    *[(lambda x: hypot(x, 0.0), 0.0, 0.0), (lambda x: hypot(0.0, x), 0.0, 0.0), (lambda x: hypot(x, 0.0), -2.0, -1.0)],
    *[(lambda x: arctan2(x, 0.0), 0.0, 0.0), (lambda x: fmax(x, 1.0), 1.0, 0.5), (lambda x: fmin(1.0, x), 1.0, 0.5)],
    *[(lambda x: fmax(x, nan), 1.0, 1.0), (lambda x: fmin(nan, x), 1.0, 1.0), (lambda x: fmax(x, 2.0), nan, 0.0)],
    *[(lambda x: fmax(x, nan), nan, 0.0), (lambda x: fmax(x, inf), inf, 0.5)],
    *[(nan_to_num, x, 0.0) for x in (nan, inf, -inf)],
    *[(nan_to_num, 2.0, 1.0), (lambda x: heaviside(0.0, x), 2.0, 1.0), (lambda x: heaviside(-1.0, x), 2.0, 0.0)],
]


@pytest.mark.parametrize(("f", "x", "expected"), KINKS)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_kinks(f, x, expected):
    assert slopes(f, x) == [expected]
    assert np.array_equal(slopes(lambda v: f(v).sum(), np.array([x, x]))[0], [expected] * 2)


def test_values_at_kinks():
    assert [heaviside(x, 1.0) for x in (-1e-300, 0.0, -0.0, 2.0)] == [0, 1, 1, 1]
    assert [round(x) for x in (0.5, 1.5, -0.5, 2.675)] == [0, 2, 0, 3]
    assert round(1234.5, -2) == 1200
    assert nan_to_num([nan, inf, -inf], posinf=7.0).tolist() == [0, 7, -np.finfo(float).max]
    assert trunc(-2.5) == -2
    assert ceil([-0.5, 0.5]).tolist() == [0, 1]


@pytest.mark.parametrize("b", [0.75, -0.75, 2.5])
@pytest.mark.parametrize("a", [7.3, -7.3, 0.4, -0.4])
@pytest.mark.parametrize(("f", "whole"), [(remainder, math.floor), (fmod, math.trunc), (floor_divide, None)])
def test_division_with_rest(f, whole, a, b):
    """Each quotient's sign: the rest loses b times the whole quotient, rounded down or towards 0."""
    expected = [0.0, 0.0] if whole is None else [1.0, -whole(a / b)]
    assert f(a, b) == pytest.approx(math.floor(a / b) if whole is None else a - b * whole(a / b))
    assert slopes(f, a, b) == expected
    assert slopes(lambda v, w: f(v, w).sum(), np.array([a]), np.array([b])) == expected


def test_divmod_gives_both():
    a, b = Value(-7.0), Value(2.0)
    quotient, rest = divmod(a, b)
    assert (quotient.data, rest.data) == (-4.0, 1.0)
    rest.backward()
    assert (a.grad, b.grad) == (1.0, 4.0)
    assert divmod(7.0, 2.0) == (3.0, 1.0)


def test_fmod_has_the_exact_whole_quotient():
    a, b = 1.0, 0.1  # a / b rounds to 10, but 0.1 is a little more than a tenth
    assert slopes(fmod, a, b) == [1.0, -9.0]
    assert slopes(remainder, a, b) == [1.0, -9.0]


# -- Infinities and far tails ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [logaddexp, logaddexp2])
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (-inf, -inf, [0.5, 0.5]),
        (inf, inf, [0.5, 0.5]),
        (-inf, 1.0, [0, 1]),
        (1.0, -inf, [1, 0]),
        (inf, -inf, [1, 0]),
        (0.0, inf, [0, 1]),
        (2.0, 2.0, [0.5, 0.5]),
    ],
)
def test_logaddexp_of_infinities(f, a, b, expected):
    assert f(a, b) == max(a, b) or a == b == 2
    assert slopes(f, a, b) == expected
    arrays = slopes(lambda v, w: f(v, w).sum(), np.array([a, 1.0]), np.array([b, 1.0]))
    assert [g.tolist() for g in arrays] == [[expected[0], 0.5], [expected[1], 0.5]]


FAR = [  # value, slope and curvature at -1e4 and at 1e4
    (sigmoid, [0, 0, 0], [1, 0, 0]),
    (softplus, [0, 0, 0], [1e4, 1, 0]),
    (gelu, [0, 0, 0], [1e4, 1, 0]),
    (lambda x: gelu(x, approximate="tanh"), [0, 0, 0], [1e4, 1, 0]),
    (silu, [0, 0, 0], [1e4, 1, 0]),
    (mish, [0, 0, 0], [1e4, 1, 0]),
    (elu, [-1, 0, 0], [1e4, 1, 0]),
    (selu, [-SELU[0] * SELU[1], 0, 0], [SELU[0] * 1e4, SELU[0], 0]),
    (leaky_relu, [-100, 0.01, 0], [1e4, 1, 0]),
    (softsign, [-1e4 / 10001, 10001**-2, 2 * 10001**-3.0], [1e4 / 10001, 10001**-2, -2 * 10001**-3.0]),
    (erf, [-1, 0, 0], [1, 0, 0]),
    (erfc, [2, 0, 0], [0, 0, 0]),
    (lambda x: logaddexp(x, 0.0), [0, 0, 0], [1e4, 1, 0]),
    (arcsinh, [math.asinh(-1e4), 1e-4, 1e-8], [math.asinh(1e4), 1e-4, -1e-8]),
]


@pytest.mark.parametrize(("f", "left", "right"), FAR)
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_far_tails_to_second_order_without_warnings(f, left, right, dtype):
    for x, expected in ((-1e4, left), (1e4, right)):
        for at in (dtype(x), np.array([x, x], dtype)):
            for got, wanted in zip(derivatives(f, at), expected, strict=True):
                np.testing.assert_allclose(got, wanted, rtol=1e-5 if dtype is np.float32 else 1e-7, atol=1e-300)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (sinc, 0.0, [1, 0, -(math.pi**2) / 3, 0, math.pi**4 / 5]),
        (sinc, 1e-8, [1, -(math.pi**2) / 3 * 1e-8, -(math.pi**2) / 3]),
        (sinc, 0.5, [2 / math.pi, -4 / math.pi, 16 / math.pi - 2 * math.pi]),
        (logit, 0.5, [0, 4, 0]),
        (logit, 1e-300, [math.log(1e-300), 1e300]),
        (reciprocal, 2.0, [0.5, -0.25, 0.25]),
        (arcsinh, 1e200, [math.asinh(1e200), 1e-200]),
        (arccosh, 1e200, [math.acosh(1e200), 1e-200]),
        (arctan, 1e200, [math.pi / 2, 0, 0]),
        (expm1, -40.0, [math.expm1(-40), math.exp(-40), math.exp(-40)]),
        (lambda x: hypot(x, 4e-300), 3e-300, [5e-300, 0.6, 0.64 / 5e-300]),
        (lambda x: hypot(x, 4e300), 3e300, [5e300, 0.6, 0.64 / 5e300]),
        (lambda x: arctan2(x, 4e-300), 3e-300, [math.atan2(3, 4), 0.16e300]),
        (lambda x: logaddexp(x, 1.0), 1.0, [1 + math.log(2), 0.5, 0.25]),
        (tan, 1.5, [math.tan(1.5), 1 / math.cos(1.5) ** 2]),
        (exp2, 3.0, [8, 8 * math.log(2), 8 * math.log(2) ** 2]),
        (lambda x: cbrt(x), -8.0, [-2, 1 / 12]),
        (positive, -3.0, [-3, 1, 0]),
    ],
)
def test_hard_points(f, x, expected):
    for at in (x, np.array([x, x])):
        for got, wanted in zip(derivatives(f, at, len(expected) - 1), expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-15 if abs(x) > 1e-100 else 0)


@pytest.mark.parametrize("f", [logit, sigmoid, erf, erfc, softsign, elu, gelu, silu, mish, sinc, leaky_relu, hardtanh])
def test_nan_stays_nan(f):
    assert math.isnan(f(nan))
    assert np.isnan(f(np.array([nan]))).all()


def test_ends_of_logit():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert [logit(0.0), logit(1.0)] == [-inf, inf]
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert math.isnan(logit(1.5))


# -- Types and refusals ------------------------------------------------------------------------------------------------


def test_float_power_is_of_floats_and_keeps_float32():
    assert float_power(np.array([2, 4]), -1).tolist() == [0.5, 0.25]
    assert float_power(np.float32([2, 4]), 2).dtype == np.float32
    assert float_power(Value(np.float32([2, 4])), Value(2.0)).dtype == np.float32
    assert float_power(2, 3) == 8.0


@pytest.mark.parametrize("f", [erf, erfc])
def test_the_error_function_of_any_kind_of_array(f):
    assert f(np.array([[0, 1]])).dtype == float
    assert f(np.zeros((0, 3), np.float32)).shape == (0, 3)
    assert f(np.float16([0.5])).dtype == np.float16
    wide = np.linspace(-3, 3, 3000).reshape(3, 10, 100).transpose(2, 0, 1)
    few = np.stack([f(part) for part in wide])
    np.testing.assert_allclose(f(wide), few, rtol=2e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: clip(v, 0.0, min=1.0), "clip: got a bound twice; pass it as a_min and a_max, or as min= and max="),
        (lambda v: np.clip(v, None, 1.0, max=1.0), "clip: got a bound twice"),
        (lambda v: gelu(v, approximate="sigmoid"), "gelu: got approximate='sigmoid', expected 'none' or 'tanh'"),
        (lambda v: np.nan_to_num(v, copy=False), "nan_to_num: got copy=False, expected True"),
        (lambda v: leaky_relu(v, slope=0.1), "leaky_relu: does not take slope=; it takes x, negative_slope"),
        (lambda v: np.floor(v, out=np.empty(2)), "cannot be written into an ndarray"),
    ],
)
def test_refusals_name_the_remedy(call, message):
    with pytest.raises(UnsupportedError, match=message):
        call(Value(np.ones(2)))
