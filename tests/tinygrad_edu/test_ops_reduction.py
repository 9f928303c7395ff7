"""Reductions, norms, running sums and products, differences, statistics: NumPy's forms, zeros, ties, kinks, extremes, errors."""

from fractions import Fraction
from math import prod

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import DTypeError, ShapeError, UnsupportedError, Value
from tinygrad_edu.ops.arrays.p_norm import p_norm
from tinygrad_edu.testing import numerical_gradient
from tinygrad_edu.testing.strategies import joined

nan, inf = np.nan, np.inf
A = np.array([[1.5, -0.5, 2.25, 0.75], [-1.25, 3.0, 0.25, -2.0], [1.0, 0.5, -1.75, 2.75]])
N = np.array([[1.5, nan, 2.25, 0.75], [nan, nan, 0.25, -2.0], [1.0, 0.5, -1.75, nan]])
W = np.array([0.5, 2.0, 1.0, 0.25])
T = np.array([0.0, 1.0, 1.5, 4.0])


def gradient_of(f, *inputs, order=1):
    """The derivative of sum(f) with respect to the first input; for order 2 that of the sum of the first."""
    values = [Value(x) for x in inputs]
    y = f(*values).sum()
    for _ in range(order):
        for v in values:
            v.zero_grad()
        if y.requires_grad:
            y.backward(create_graph=True)
        if values[0].grad is None:
            return np.zeros_like(values[0].data)
        y = values[0].grad.sum()
    return values[0].grad.data


# -- NumPy's functions, called as NumPy has them -----------------------------------------------------------------------

FORMS = {
    "std": lambda v: np.std(v, 1),
    "std ddof": lambda v: np.std(v, axis=1, ddof=1),
    "std all": lambda v: np.std(v, axis=(0, 1), keepdims=True),
    "var": lambda v: np.var(v, 0, ddof=2),
    "prod": lambda v: np.prod(v, (0, 1)),
    "prod axis": lambda v: np.prod(v, -1, keepdims=True),
    "amax": lambda v: np.amax(v, 0),
    "amin": lambda v: np.amin(v, axis=1, keepdims=True),
    "ptp": lambda v: np.ptp(v, 0),
    "median": lambda v: np.median(v, axis=0),
    "median even": lambda v: np.median(v, axis=(0, 1), keepdims=True),
    "cumsum": lambda v: np.cumsum(v),
    "cumsum axis": lambda v: np.cumsum(v, 1),
    "cumprod": lambda v: np.cumprod(v, -2),
    "average": lambda v: np.average(v, 1, W),
    "average all": lambda v: np.average(v, weights=A * A, keepdims=True),
    "average of plain": lambda v: np.average(A, weights=v * v, axis=0),
    "average of a vector": lambda v: np.average(A, axis=0, weights=v[:, 0]),
    "average axes": lambda v: np.average(v, axis=(1, 0), weights=(A * A).T),
    "nansum": lambda v: np.nansum(v, 0),
    "nanmean": lambda v: np.nanmean(v, axis=1, keepdims=True),
    "nanstd": lambda v: np.nanstd(v, 1, ddof=1),
    "nanvar": lambda v: np.nanvar(v, 0),
    "nanmax": lambda v: np.nanmax(v, 0),
    "nanmin": lambda v: np.nanmin(v),
    "quantile": lambda v: np.quantile(v, [0.1, 0.5], axis=1),
    "quantile matrix": lambda v: np.quantile(v, [[0.1, 0.9], [0.0, 1.0]], 0, keepdims=True),
    "quantile method": lambda v: np.quantile(v, 0.3, method="midpoint"),
    "percentile": lambda v: np.percentile(v, 30, axis=(0, 1)),
    "percentile list": lambda v: np.percentile(v, q=[25, 60], axis=0, method="nearest"),
    "cov": lambda v: np.cov(v),
    "cov columns": lambda v: np.cov(v, rowvar=False, bias=True),
    "cov y": lambda v: np.cov(v, v[:2] ** 2, ddof=2),
    "cov plain y": lambda v: np.cov(W, y=v),
    "corrcoef": lambda v: np.corrcoef(v),
    "corrcoef y": lambda v: np.corrcoef(v, W, True),
    "diff": lambda v: np.diff(v),
    "diff prepend": lambda v: np.diff(v, n=2, axis=0, prepend=0.0),
    "diff append": lambda v: np.diff(v, 1, -1, append=v[:, :2] ** 2),
    "diff Value prepend": lambda v: np.diff(A, axis=0, prepend=v[0, 0], append=v[:1]),
    "gradient": lambda v: np.gradient(v),
    "gradient axis": lambda v: np.gradient(v, 0.5, axis=0),
    "gradient coordinates": lambda v: np.gradient(v, [0.0, 2.0, 3.0], T, edge_order=2),
    "gradient mixed": lambda v: np.gradient(v, T, 0.25, axis=(1, 0)),
    "gradient in the coordinates": lambda v: np.gradient(A, np.cumsum(v[0] ** 2 + 0.5), axis=1),
    "trapezoid": lambda v: np.trapezoid(v),
    "trapezoid x": lambda v: np.trapezoid(v, T, axis=1),
    "trapezoid x of plain": lambda v: np.trapezoid(W, x=v[0]),
    "trapezoid dx": lambda v: np.trapezoid(v, dx=0.5, axis=0),
    "norm": lambda v: np.linalg.norm(v, 1, 0),
    "norm vector inf": lambda v: np.linalg.norm(v, inf, -1, True),
    "norm vector -inf": lambda v: np.linalg.norm(v, -inf, axis=1),
    "norm p": lambda v: np.linalg.norm(v[0], 3),
    "norm two": lambda v: np.linalg.norm(v[0], 2),
    "norm matrix": lambda v: np.linalg.norm(v, 1),
    "norm matrix inf": lambda v: np.linalg.norm(v, inf, keepdims=True),
    "norm matrix -1": lambda v: np.linalg.norm(v, -1, axis=(1, 0)),
    "norm fro": lambda v: np.linalg.norm(v[None], "fro", axis=(-2, -1)),
    "norm zero": lambda v: np.linalg.norm(v, 0, 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_numpys_forms_are_recorded_with_numpys_numbers(form):
    f = FORMS[form]
    y, expected = joined(f(Value(A))), joined(f(A))
    assert isinstance(y, Value)
    assert y.shape == np.shape(expected)
    assert np.allclose(y.data, expected, rtol=1e-14, atol=1e-14)
    weights = np.random.default_rng(0).choice([-1.5, 0.5, 1.25], y.shape)
    v = Value(A)
    joined(f(v)).backward(weights)
    numerical = numerical_gradient(lambda x: joined(f(x)), A, cotangent=weights)
    assert np.allclose(v.grad, numerical.value, atol=1e-8)


@pytest.mark.parametrize("f", [np.nansum, np.nanmean, np.nanmax, np.nanmin, np.nanstd, np.nanvar])
@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"axis": 1, "keepdims": True}])
def test_nan_is_ignored_with_zero_gradient(f, options):
    v = Value(N)
    y = f(v, **options)
    assert np.allclose(y.data, f(N, **options), rtol=1e-14)
    y.backward(np.ones(y.shape))
    known = numerical_gradient(lambda x: np.sum(f(np.where(np.isnan(N), nan, x), **options)), np.nan_to_num(N))
    assert np.allclose(v.grad, known.value, atol=1e-8)
    assert np.all(v.grad[np.isnan(N)] == 0)


def test_all_nan_reductions():
    x = np.array([[nan, nan], [1.0, 3.0]])
    assert np.array_equal(tg.nansum(x, axis=1), [0.0, 4.0])
    assert np.array_equal(tg.nanmax(x, axis=1), [nan, 3.0], equal_nan=True)
    assert np.array_equal(tg.nanmin(x, axis=1), [nan, 1.0], equal_nan=True)
    assert np.array_equal(tg.nanvar(x[1:], axis=0, ddof=1), [nan, nan], equal_nan=True)
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.array_equal(tg.nanmean(x, axis=1), [nan, 2.0], equal_nan=True)


def test_names_and_kinds():
    assert tg.amax is tg.max
    assert tg.amin is tg.min
    assert isinstance(tg.gradient(A), tuple)
    assert isinstance(tg.gradient(Value(A), 1.0, axis=0), Value)
    assert type(tg.median(3.0)) is float
    assert type(tg.cov(Value(W)).data) is float
    assert np.array_equal(tg.argsort(Value([2.0, 1.0, 2.0, nan])), [1, 0, 2, 3])
    assert tg.argmax(Value(A)) == np.argmax(A) == np.argmax(Value(A))
    assert np.array_equal(tg.argmin(A, axis=1, keepdims=True), np.argmin(A, axis=1, keepdims=True))


# -- Products with zeros -----------------------------------------------------------------------------------------------


def product(x):
    y = 1.0
    for i in range(x.shape[0]):
        y = y * x[i]
    return y


def products(x):
    return tg.stack([product(x[: i + 1]) for i in range(x.shape[0])])


FACTORS = [
    [2.0, -3.0, 0.5, 1.5, -1.0],
    [2.0, 0.0, 0.5, 1.5, -1.0],
    [0.0, 2.0, 3.0, 0.0],
    [2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 7.0],
    [0.0, 0.0, 0.0],
    [2.0, 0.0],
    [0.0],
    [3.0],
    [1e-200, 1e-200, 3.0, -2.0],
    [1e-100, 1e-100, 1e-100, 1e-100],
]


@pytest.mark.parametrize("factors", FACTORS, ids=str)
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(("f", "slow"), [(tg.prod, product), (tg.cumprod, products)])
def test_prod_derivatives_of_every_order(f, slow, factors, order):
    x = np.array(factors)
    got, expected = gradient_of(f, x, order=order), gradient_of(slow, x, order=order)
    assert np.allclose(got, expected, rtol=1e-12, atol=0, equal_nan=True)


def test_products_over_axes_with_zeros():
    x = np.array(A)
    x[0, 1] = x[2, 1] = x[1, 3] = 0.0
    each = np.stack([gradient_of(tg.prod, column) for column in x.T], axis=1)
    assert np.array_equal(gradient_of(lambda v: tg.prod(v, axis=0), x), each)
    assert np.array_equal(gradient_of(lambda v: tg.prod(v, axis=-2, keepdims=True), x), each)
    assert np.array_equal(gradient_of(lambda v: tg.prod(v, axis=(1, 0)), x), np.zeros_like(x))
    running = np.stack([gradient_of(tg.cumprod, column) for column in x.T], axis=1)
    assert np.array_equal(gradient_of(lambda v: tg.cumprod(v, axis=0), x), running)


@pytest.mark.parametrize("f", [tg.prod, tg.cumsum, tg.cumprod])
@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_empty_sum_and_product(f, shape):
    for axis in (None, 0, -1):
        assert np.shape(gradient_of(lambda v, axis=axis: f(v, axis=axis), np.empty(shape))) == shape


# -- Kinks and ties ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (tg.std, [2.0, 2.0, 2.0], [0, 0, 0]),
        (tg.std, 5.0, 0),
        (tg.nanstd, [2.0, nan, 2.0], [0, 0, 0]),
        (lambda v: tg.std(v, axis=1), [[1.0, 1.0], [0.0, 2.0]], [[0, 0], [-0.5, 0.5]]),
        (tg.ptp, [1.0, 3.0, 3.0, 2.0], [-1, 0.5, 0.5, 0]),
        (tg.nanmax, [-3.0, nan, -3.0], [0.5, 0, 0.5]),
        (tg.nanmin, [3.0, nan, 3.0], [0.5, 0, 0.5]),
        (tg.median, [3.0, 1.0, 2.0], [0, 0, 1]),
        (tg.median, [3.0, 1.0, 2.0, 9.0], [0.5, 0, 0.5, 0]),
        (tg.median, [1.0, 2.0, 2.0, 2.0, 3.0], [0, 0, 1, 0, 0]),
        (tg.median, np.arange(101) % 2.0, np.arange(101) == 100),
        (lambda v: tg.quantile(v, 0.25), [0.0, 4.0, 8.0], [0.5, 0.5, 0]),
        (lambda v: tg.quantile(v, [0.0, 1.0]), [5.0, 5.0, 5.0], [1, 0, 1]),
        (tg.norm, [0.0, 0.0], [0, 0]),
        (lambda v: tg.norm(v, 1), [0.0, -2.0], [0, -1]),
        (lambda v: tg.norm(v, 3), [0.0, 0.0], [0, 0]),
        (lambda v: tg.norm(v, 3), [0.0, -2.0], [0, -1]),
        (lambda v: tg.norm(v, 1.5), [0.0, -2.0], [0, -1]),
        (lambda v: tg.norm(v, 0.5), [0.0, -2.0], [0, -1]),
        (lambda v: tg.norm(v, -1), [0.0, -2.0], [0, 0]),
        (lambda v: tg.norm(v, inf), [2.0, -2.0, 1.0], [0.5, -0.5, 0]),
        (lambda v: tg.norm(v, -inf), [2.0, 1.0, -1.0], [0, 0.5, -0.5]),
        (lambda v: tg.norm(v, inf), [0.0, 0.0], [0, 0]),
        (lambda v: tg.norm(v, 0), [0.0, 3.0], [0, 0]),
        (lambda v: tg.norm(v, 1), [[1.0, 2.0], [-2.0, 1.0]], [[0.5, 0.5], [-0.5, 0.5]]),
        (lambda v: tg.norm(v, "fro"), [[0.0, 0.0], [0.0, 0.0]], [[0, 0], [0, 0]]),
        (lambda v: tg.norm(v, axis=0), [[0.0, 3.0], [0.0, 4.0]], [[0, 0.6], [0, 0.8]]),
    ],
)
def test_kinks_and_ties(f, x, expected):
    assert np.allclose(gradient_of(f, np.array(x) if np.ndim(x) else x), expected, rtol=1e-15)


def test_second_derivatives_of_a_norm_at_a_zero_component():
    assert np.allclose(gradient_of(lambda v: tg.norm(v, 3), np.array([0.0, 2.0]), order=2), [0.0, 0.0])
    assert np.allclose(gradient_of(lambda v: tg.norm(v), np.array([0.0, 2.0]), order=2), [0.5, 0.0])


# -- Extremes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [2, 3, 0.5, -1, -2])
@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e150, 1e300])
@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"axis": 0, "keepdims": True}])
def test_norms_neither_overflow_nor_underflow(p, scale, options):
    x = np.array([3.0, -4.0, 1.5])
    expected = tg.norm(x, p, **options) * scale
    assert np.allclose(tg.norm(x * scale, p, **options), expected, rtol=1e-14, atol=0)
    assert np.allclose(
        gradient_of(lambda v: tg.norm(v, p, **options), x * scale), gradient_of(lambda v: tg.norm(v, p), x), rtol=1e-12
    )


def test_norms_of_float32_and_of_rows_of_different_size():
    x = np.array([[3e20, 4e20], [3e-30, 4e-30], [0.0, 0.0], [3.0, 4.0]], np.float32)
    for f in (tg.norm, lambda x, axis: tg.norm(x, 2, axis)):
        y = f(x, axis=1)
        assert y.dtype == np.float32
        assert np.allclose(y, np.array([5e20, 5e-30, 0.0, 5.0]), rtol=1e-6, atol=0)
    assert tg.norm(x[0]) == pytest.approx(5e20)
    assert tg.norm(x[1]) == pytest.approx(5e-30)
    assert tg.std(x[0]) == pytest.approx(0.5e20)


@pytest.mark.parametrize("x", [[inf, 1.0], [nan, 1.0], [inf, nan], [-inf, -inf], [0.0, inf]])
@pytest.mark.parametrize("ord", [None, 1, 2, 3, inf, -inf, -2])
def test_norms_of_infinities_and_nan_are_numpys(x, ord):
    with np.errstate(divide="ignore"):
        expected = np.linalg.norm(np.array(x), ord)
    assert np.array_equal(tg.norm(np.array(x), ord), expected, equal_nan=True)


def test_norm_of_integers_does_not_overflow():
    assert tg.norm(np.array([2**40, 2**40])) == pytest.approx(2**40.5)
    assert tg.norm(np.array([[2**40, 2**40]]), axis=1)[0] == pytest.approx(2**40.5)
    assert tg.norm(3) == 3.0


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "nearest", "midpoint"])
@pytest.mark.parametrize("n", range(1, 9))
def test_quantiles_are_numpys_to_the_last_digit(method, n):
    x = np.random.default_rng(n).normal(size=(n, 3)) * 10
    q = np.linspace(0, 1, 21)
    assert np.array_equal(tg.quantile(x, q, axis=0, method=method), np.quantile(x, q, axis=0, method=method))
    assert np.array_equal(tg.percentile(x, 100 * q, method=method), np.percentile(x, 100 * q, method=method))
    assert np.array_equal(tg.median(x, axis=0), np.median(x, axis=0))


def test_quantiles_with_nan_and_infinity():
    assert np.array_equal(tg.median(N, axis=0), np.median(N, axis=0), equal_nan=True)
    assert np.array_equal(tg.quantile(N, [0, 0.4], axis=1), np.quantile(N, [0, 0.4], axis=1), equal_nan=True)
    assert tg.median([1.0, inf, inf, inf]) == inf
    assert tg.quantile([1.0, 2.0, inf], 0.5) == 2.0  # NaN in NumPy, which multiplies inf by 0


def test_quantile_keeps_float32():
    x = A.astype(np.float32)
    assert tg.quantile(x, [0.3, 0.4], axis=0).dtype == tg.median(x, axis=0).dtype == np.float32


def test_correlations_stay_between_minus_1_and_1():
    for x in np.random.default_rng(0).normal(size=(20, 7)):
        r = tg.corrcoef(np.stack([x, x * 3 + 1e-9, -x / 7]))
        assert np.all(np.abs(r) <= 1)
        assert np.allclose(np.abs(r), 1)
    assert np.all(np.abs(gradient_of(tg.corrcoef, np.stack([x, 2 * x]))) < 1e-14)


@pytest.mark.parametrize("seed", range(8))
def test_second_derivative_of_a_perfect_correlation_survives_rounding_above_1(seed):
    x, direction = np.random.default_rng(seed).normal(size=(2, 7))
    v = Value(x)
    tg.corrcoef(v, 2 * x)[0, 1].backward(create_graph=True)
    slope = (v.grad * direction).sum()
    v.zero_grad()
    slope.backward()
    d = x - x.mean()
    e = direction - direction.mean()
    assert np.allclose(v.grad, (d * (d @ e) / (d @ d) - e) / (d @ d))


def test_spread_of_numbers_far_from_0_is_exact():
    x = np.array([1.0, 2.0, 6.0])
    assert tg.std(x + 2.0**50) == tg.std(x)
    assert np.array_equal(gradient_of(tg.std, x + 2.0**50), gradient_of(tg.std, x))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_too_few_numbers_give_nan():
    assert np.isnan(tg.std(np.array([1.0]), ddof=1))
    assert tg.std(np.array([1.0, 2.0]), ddof=3) == inf
    assert np.isnan(tg.cov([1.0]))
    assert np.isnan(tg.median([]))
    assert np.isnan(tg.average([1.0, 2.0], weights=[0.0, 0.0]))
    assert np.isnan(tg.corrcoef([[1.0, 1.0], [1.0, 2.0]])).sum() == 3


def test_lists_are_arrays():
    assert tg.average([1, 2], weights=[1, 3]) == 1.75
    assert tg.trapezoid([1, 2, 3], x=[4, 6, 8]) == 8.0
    assert np.array_equal(tg.cov([[0, 2], [1, 1]], [3, 4]), np.cov([[0, 2], [1, 1]], [3, 4]))
    assert np.array_equal(tg.diff([1, 2, 4], prepend=0, append=[8]), [1, 1, 2, 4])
    assert np.array_equal(tg.gradient([1, 2, 4], [0, 1, 3]), np.gradient([1, 2, 4], [0, 1, 3]))


# -- Errors ------------------------------------------------------------------------------------------------------------

V = Value(A)


def test_quantiles_of_integers_are_those_of_floats():
    for f in (tg.median, lambda x: tg.quantile(x, 0.3), lambda x: tg.percentile(x, [15, 70], axis=0)):
        numbers = np.array([[0, 1, -3], [2, 2, 5]])
        assert np.array_equal(f(numbers), f(numbers.astype(float)))
        assert np.array_equal(f(Value(numbers, requires_grad=False)).data, f(numbers.astype(float)))
    assert tg.quantile([0, 1, -3], 0.3) == pytest.approx(-1.2)


@pytest.mark.parametrize("q", [0.3, 0.5, [0.0, 0.4, 0.99, 1.0]])
def test_quantiles_with_nan_are_nan_and_ties_go_to_the_first_in_x(q):
    x = np.array([[2.0, 1.0, 2.0, 2.0, 3.0, 2.0], [1.0, np.nan, 0.0, 2.0, np.nan, 1.0]])
    v = Value(x)
    y = tg.quantile(v, q, axis=1)
    assert np.array_equal(y.data, np.quantile(x, q, axis=1), equal_nan=True)
    y.sum().backward()
    order = np.argsort(x[0], kind="stable")
    apart = Value(np.argsort(order).astype(float))  # the same order without ties
    tg.quantile(apart, q).sum().backward()
    assert np.allclose(v.grad[0], apart.grad)
    assert np.array_equal(np.flatnonzero(v.grad[1]), [1])


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("place", range(6))
def test_gradient_nan_matches_numpy(edge_order, place):
    x = np.array([1.0, 4.0, -2.0, 4.0, 0.5, 3.0])
    x[place] = np.nan
    expected = np.gradient(x, 0.5, edge_order=edge_order)
    assert np.allclose(np.gradient(Value(x), 0.5, edge_order=edge_order).data, expected, equal_nan=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: np.linalg.norm(V, "spam"), UnsupportedError, "norm: got ord='spam' for matrices"),
        (lambda: tg.norm(V, 3), UnsupportedError, "norm: got ord=3 for matrices, expected None, 'fro'"),
        (lambda: tg.norm(V[0], "fro"), UnsupportedError, "norm: got ord='fro' for vectors"),
        (lambda: tg.norm(V[None], 1), ShapeError, r"norm: got axis=None of an array of shape \(1, 3, 4\)"),
        (lambda: tg.norm(2.0, 1), ShapeError, "expected one axis for vectors"),
        (
            lambda: tg.norm(V, 1, 2),
            ShapeError,
            r"norm: got axis 2 for an input of shape \(3, 4\), expected integers from -2 to 1",
        ),
        (lambda: p_norm(V, 0), UnsupportedError, r"p_norm: got p=0, expected .*norm\(x, ord=0\)"),
        (lambda: np.average(V, returned=True), UnsupportedError, "average: got returned=True"),
        (lambda: np.average(V, weights=W), ShapeError, r"average: got weights of shape \(4,\), expected \(3, 4\)"),
        (lambda: np.average(V, axis=0, weights=W), ShapeError, r"expected \(3, 4\) or \(3,\)"),
        (lambda: np.std(V, correction=1), UnsupportedError, "std: does not take correction="),
        (lambda: np.std(V, mean=1.0), UnsupportedError, "std: does not take mean="),
        (lambda: np.quantile(V, 1.5), ShapeError, r"quantile: got q=1.5 .* expected q from 0 to 1"),
        (lambda: np.percentile(V, 101), ShapeError, "percentile takes 0 to 100"),
        (lambda: tg.quantile(Value([]), 0.5), ShapeError, r"of an array of shape \(0,\)"),
        (lambda: tg.quantile(V, 0.5, axis=2), ShapeError, "quantile: got axis 2 for an input of shape"),
        (
            lambda: np.quantile(V, 0.5, method="weibull"),
            UnsupportedError,
            "quantile: got method='weibull', expected one",
        ),
        (lambda: np.quantile(A, Value(0.5)), UnsupportedError, "quantile: got a Value for q"),
        (lambda: np.quantile(V, 0.5, weights=A), UnsupportedError, "quantile: does not take weights="),
        (lambda: np.cov(V, aweights=W), UnsupportedError, "cov: does not take aweights="),
        (lambda: np.cov(V[None]), ShapeError, r"cov: got an array of shape \(1, 3, 4\)"),
        (lambda: np.cov(V, W[:2]), ShapeError, "cov: got 4 observations in the first array and 2 in y"),
        (lambda: np.diff(V, n=-1), ShapeError, "diff: got n=-1"),
        (lambda: np.diff(Value(1.0)), ShapeError, r"diff: got axis -1 for an input of shape \(\)"),
        (lambda: np.diff(V, axis=2), ShapeError, "diff: got axis 2 for an input of shape"),
        (lambda: tg.trapezoid(1.0), ShapeError, "trapezoid: got axis -1"),
        (lambda: np.gradient(V, 1.0, 2.0, 3.0), ShapeError, "gradient: got 3 spacings for 2 axes"),
        (
            lambda: np.gradient(V, [1.0, 2.0], axis=0),
            ShapeError,
            r"gradient: got coordinates of shape \(2,\) for axis 0",
        ),
        (lambda: np.gradient(V[:1], axis=0), ShapeError, "gradient: axis 0 has 1 numbers, expected at least 2"),
        (lambda: np.gradient(V[:2], axis=0, edge_order=2), ShapeError, "expected at least 3"),
        (lambda: np.gradient(V, edge_order=3), UnsupportedError, "gradient: got edge_order=3, expected 1 or 2"),
        (lambda: np.cumprod(V, 2), ShapeError, "cumprod: axis 2 is out of bounds"),
        (lambda: np.prod(V, initial=2.0), UnsupportedError, "initial= is not recorded"),
        (lambda: np.sum(V, initial=2.0), UnsupportedError, "initial= is not recorded"),
        (lambda: tg.average([1.0, 2.0], weights=[[1], [2, 3]]), DTypeError, "average: got a nested list"),
    ],
)
def test_error_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


# -- Products without overflow on the way ------------------------------------------------------------------------------


def exact_gradient(factors, running):
    """Of the product, or of the sum of the running products, in fractions."""
    x = [Fraction(float(v)) for v in factors]
    ends = range(len(x)) if running else [len(x) - 1]
    slopes = [
        sum((prod(x[: j + 1][:i] + x[: j + 1][i + 1 :]) for j in ends if j >= i), Fraction(0)) for i in range(len(x))
    ]
    limit = Fraction(np.finfo(factors.dtype).max.item())
    return np.array([float(s) if abs(s) <= limit else np.inf * (1 if s > 0 else -1) for s in slopes]).astype(
        factors.dtype
    )


@pytest.mark.parametrize(("dtype", "reach"), [(np.float64, 300), (np.float32, 37), (np.float16, 4)])
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")  # the running products themselves overflow
def test_the_gradient_of_cumprod_is_exact_whatever_the_products_are_on_the_way(dtype, reach):
    rng = np.random.default_rng(0)
    for _ in range(300):
        n = rng.integers(1, 9)
        sizes = 10.0 ** rng.uniform(-reach, reach, n) * rng.choice([1, -1], n) * (rng.random(n) > 0.15)
        x = sizes.astype(dtype)
        got, expected = tg.grad(lambda v: tg.sum(tg.cumprod(v)))(x), exact_gradient(x, running=True)
        error = np.where(got == expected, 0, np.abs(got - expected) / np.spacing(np.abs(expected)))
        assert np.all(error <= 40), x.tolist()


@pytest.mark.parametrize(
    "x",
    [
        [1e-200, 1e-200, 1e200, 1e200],
        [1e200, 1e200, 1e-200, 1e-200],
        [1e-200, 1e200, 1e-200, 1e200, 0.0],
        [1e200, 1e200, 0.0, 1e-200, 1e-200],
        [5e-324, 1e300, 1e300, 0.0, 2.0],
        [1e-200, 0.0, 1e-200, 0.0, 1e200],
        [1e-300, 1e-300, 2.0],
    ],
)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_prod_and_cumprod_where_products_under_or_overflow(x):
    x = np.array(x)
    for f, running in ((tg.prod, False), (lambda v: tg.sum(tg.cumprod(v)), True)):
        assert np.allclose(tg.grad(f)(x), exact_gradient(x, running), rtol=1e-15, atol=0)
    both = tg.grad(lambda v: tg.sum(tg.prod(v, axis=1)))(np.stack([x, x[::-1]]))
    assert np.allclose(both[1], exact_gradient(x[::-1], running=False), rtol=1e-15, atol=0)


def test_factors_that_are_not_finite_stay_so():
    x = np.array([2.0, np.inf, 3.0])
    assert np.array_equal(tg.grad(tg.prod)(x), [np.inf, 6, np.inf])
    assert np.isnan(tg.grad(tg.prod)(np.array([2.0, np.nan]))[0])
    assert tg.grad(tg.prod)(np.array([2.0, np.nan]))[1] == 2
