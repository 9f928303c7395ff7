"""Interpolation, convolution, polynomials, blocks, conditions, running sums, NaN, np.linalg's norms: forms, kinks, errors."""

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import DTypeError, ShapeError, UnsupportedError, Value, linalg, registry
from tinygrad_edu.testing import numerical_gradient

nan, inf = np.nan, np.inf
A = np.array([[1.5, -0.5, 2.25, 0.75], [-1.25, 3.0, 0.25, -2.0], [1.0, 0.5, -1.75, 2.75]])
S = np.stack([A, A[::-1] ** 2])
N = np.array([[1.5, nan, 2.25, 0.75], [nan, nan, 0.25, -2.0], [1.0, nan, -1.75, nan]])
K = np.array([0.5, -1.0, 2.0])
M = A > 0
matvec, vecmat = getattr(np, "matvec", tg.matvec), getattr(np, "vecmat", tg.vecmat)  # NumPy has them from 2.2 on


# -- NumPy's functions, called as NumPy has them -----------------------------------------------------------------------

FORMS = {
    "cumulative_sum": lambda v: np.cumulative_sum(v[0]),
    "cumulative_sum axis": lambda v: np.cumulative_sum(v, axis=-1, include_initial=True),
    "cumulative_prod": lambda v: np.cumulative_prod(v, axis=0),
    "cumulative_prod initial": lambda v: np.cumulative_prod(v[1], include_initial=True),
    "matvec": lambda v: matvec(v, v[0]),
    "matvec of plain": lambda v: matvec(A, v[:, None]),
    "vecmat": lambda v: vecmat(v[:, 0], v),
    "vecmat stack": lambda v: vecmat(K, np.stack([v, v * v])),
    "ediff1d": lambda v: np.ediff1d(v),
    "ediff1d ends": lambda v: np.ediff1d(v, 5.0, [1.0, 2.0]),
    "ediff1d Value end": lambda v: np.ediff1d(v[0], to_begin=v[1] ** 2),
    "interp": lambda v: np.interp(v, [-1.1, 0.1, 2.1], K),
    "interp ends": lambda v: np.interp(v, [-1.1, 0.1, 2.1], K, -7.0, right=8.0),
    "interp period": lambda v: np.interp(v, [5.1, 1.1, -0.1], K, period=5.3),
    "interp negative period": lambda v: np.interp(v, [0.1, 5.2, 1.1], K, period=-5.3),
    "interp in the heights": lambda v: np.interp(A, [-1.1, 0.1, 1.1, 2.1], v[0]),
    "interp in the places": lambda v: np.interp(A, np.cumsum(v[1] ** 2) - 7.05, [1.0, -1.0, 2.0, 0.0]),
    "interp in the ends": lambda v: tg.interp(A, [-1.1, 0.1, 2.1], K, left=v[0, 0], right=v[0, 1]),
    "interp of a scalar": lambda v: np.interp(0.3, [0.0, 1.0, 2.0, 3.0], v[2]),
    "convolve": lambda v: np.convolve(v[0], K),
    "convolve same": lambda v: np.convolve(v[0], v[1] ** 2, "same"),
    "convolve valid": lambda v: np.convolve(K, v[0], mode="valid"),
    "convolve scalar": lambda v: np.convolve(v[0], v[0, 0]),
    "correlate": lambda v: np.correlate(v[0], K),
    "correlate full": lambda v: np.correlate(v[0], v[1], mode="full"),
    "correlate same": lambda v: np.correlate(K, v[0], "same"),
    "polyval": lambda v: np.polyval([2.0, -1.0, 0.5], v),
    "polyval in the coefficients": lambda v: np.polyval(v[0], A),
    "polyval of itself": lambda v: np.polyval(v[0], v[1]),
    "vander": lambda v: np.vander(v[0]),
    "vander N": lambda v: np.vander(v[0], 6, increasing=True),
    "select": lambda v: np.select([M, A > -1], [v, v**2], -3.0),
    "select lists": lambda v: np.select([v > 1.1, v < -1], [v[0], 2.0 * v]),
    "select broadcasts": lambda v: np.select([M[0], M[:, :1]], [v, 1.0], default=A),
    "compress": lambda v: np.compress([True, False, True], v, axis=0),
    "compress flat": lambda v: np.compress([False, True], v),
    "compress by numbers": lambda v: np.compress(M[0], v, -1),
    "extract": lambda v: np.extract(v > 0, v),
    "block": lambda v: np.block([[v, K[:, None]], [v[0], 1.0]]),
    "block flat": lambda v: np.block([v, A]),
    "block deep": lambda v: np.block([[[v]], [[v**2]]]),
    "block of one": lambda v: np.block(v),
    "unwrap": lambda v: np.unwrap(v * 4),
    "unwrap options": lambda v: np.unwrap(v, 1.0, 0, period=1.7),
    "linalg.trace": lambda v: np.linalg.trace(np.stack([v, v**2]), offset=1),
    "linalg.diagonal": lambda v: np.linalg.diagonal(np.stack([v, v**2]), offset=-1),
    "vector_norm": lambda v: np.linalg.vector_norm(v),
    "vector_norm axis": lambda v: np.linalg.vector_norm(v, axis=1, ord=3, keepdims=True),
    "vector_norm axes": lambda v: np.linalg.vector_norm(np.stack([v, v**2]), axis=(0, -1), ord=1),
    "vector_norm inf": lambda v: np.linalg.vector_norm(v, keepdims=True, ord=inf),
    "matrix_norm": lambda v: np.linalg.matrix_norm(np.stack([v, v**2])),
    "matrix_norm nuc": lambda v: np.linalg.matrix_norm(v, ord="nuc", keepdims=True),
    "nanprod": lambda v: np.nanprod(v, 0),
    "nancumsum": lambda v: np.nancumsum(v, 1),
    "nancumprod": lambda v: np.nancumprod(v),
    "nanmedian": lambda v: np.nanmedian(v, axis=(0, 1), keepdims=True),
    "nanquantile": lambda v: np.nanquantile(v, [0.1, 0.5], axis=1, method="lower"),
    "nanquantile matrix": lambda v: np.nanquantile(v, [[0.1, 0.9]], 0),
    "nanpercentile": lambda v: np.nanpercentile(v, 30, 0, keepdims=True),
}


@pytest.mark.parametrize("form", FORMS)
def test_numpys_forms_are_recorded_with_numpys_numbers(form):
    f = FORMS[form]
    y, expected = f(Value(A)), f(A)
    assert isinstance(y, Value)
    assert y.shape == np.shape(expected)
    assert np.allclose(y.data, expected, rtol=1e-14, atol=1e-13)
    weights = np.random.default_rng(0).choice([-1.5, 0.5, 1.25], y.shape)
    v = Value(A)
    f(v).backward(weights)
    numerical = numerical_gradient(f, A, cotangent=weights)
    assert np.allclose(v.grad, numerical.value, rtol=1e-8, atol=1e-8)


# -- NaN ---------------------------------------------------------------------------------------------------------------

NAN = {
    "prod": np.nanprod,
    "cumsum": np.nancumsum,
    "cumprod": np.nancumprod,
    "median": np.nanmedian,
    **{
        method: lambda x, axis=None, method=method: np.nanquantile(x, [0.2, 0.65, 1.0], axis=axis, method=method)
        for method in ("linear", "lower", "higher", "nearest", "midpoint")
    },
    "percentile": lambda x, axis=None: np.nanpercentile(x, 40, axis=axis),
}


@pytest.mark.filterwarnings("ignore:All-NaN slice")  # NumPy's own
@pytest.mark.parametrize("name", NAN)
@pytest.mark.parametrize("axis", [None, 0, 1, -2])
def test_nan_is_ignored_with_zero_gradient(name, axis):
    f, v = NAN[name], Value(N)
    y = f(v, axis=axis)
    assert np.allclose(y.data, f(N, axis=axis), rtol=1e-14, equal_nan=True)
    y.backward(np.ones(y.shape))
    known = numerical_gradient(lambda x: np.nansum(f(np.where(np.isnan(N), nan, x), axis=axis)), np.nan_to_num(N))
    assert np.allclose(v.grad, known.value, atol=1e-8)


def test_all_nan_order_statistics():
    v = Value([nan, nan])
    for y in (tg.nanmedian(v), tg.nanquantile(v, 0.5), tg.nanpercentile(v, [10, 90]).sum()):
        assert np.isnan(y.data)
        y.backward()
    assert np.array_equal(v.grad, [0, 0])


def test_the_median_of_infinities_is_numpys():
    assert tg.nanmedian(Value([nan, inf, -1.0])).data == np.nanmedian([nan, inf, -1.0]) == inf


@pytest.mark.parametrize("f", ["nanmean", "nanvar", "nanmedian", "nanprod", "nansum"])
@pytest.mark.parametrize("x", [[1, 2, 4], [True, True, False]])
def test_integers_and_booleans_are_counted(f, x):
    assert getattr(tg, f)(x) == getattr(np, f)(x)


def test_the_fraction_is_checked_and_plain():
    with pytest.raises(ShapeError, match="q from 0 to 1"):
        tg.nanquantile(N, 1.5)
    with pytest.raises(UnsupportedError, match="not differentiated"):
        tg.nanquantile(N, Value(0.5))


# -- Interpolation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "slope"), [(-1.0, 0.0), (0.0, 2.0), (0.5, 2.0), (1.0, -3.0), (2.0, -3.0), (3.0, 0.0), (9.0, 0.0)]
)
def test_slope_at_a_kink_is_the_right_one(x, slope):
    v = Value(x)
    y = tg.interp(v, [0.0, 1.0, 3.0], [0.0, 2.0, -4.0])
    y.backward()
    assert y.data == np.interp(x, [0.0, 1.0, 3.0], [0.0, 2.0, -4.0])
    assert v.grad == slope


def test_a_step_is_read_from_its_right_end():
    xp, fp = [0.0, 1.0, 1.0, 2.0, 2.0], [0.0, 1.0, 5.0, 6.0, 9.0]
    for x in (0.5, 1.0, 1.5, 2.0, 3.0):
        v = Value(x)
        y = tg.interp(v, xp, fp)
        y.backward()
        assert y.data == np.interp(x, xp, fp)
        assert v.grad == (1.0 if x < 2 else 0.0)


def test_interp_of_nan_empty_and_single_point():
    assert np.isnan(tg.interp(Value([nan, 0.5]), [0.0, 1.0], [1.0, 2.0]).data).tolist() == [True, False]
    assert tg.interp(Value(np.zeros((0, 2))), [0.0, 1.0], [1.0, 2.0]).shape == (0, 2)
    x = np.array([0.0, 1.0, 2.0])
    assert np.array_equal(tg.interp(Value(x), [1.0], [5.0], left=-1.0).data, np.interp(x, [1.0], [5.0], left=-1.0))


def test_interp_keeps_float32():
    x, fp = np.float32([0.25, 5.0, -1.0]), Value(np.float32(K))
    xp = np.float32([0, 1, 2])
    assert tg.interp(x, xp, fp, left=0.1, right=0.3).dtype == np.float32
    assert tg.interp(x, xp, fp, period=1.5).dtype == np.float32


# -- Convolution -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [np.convolve, np.correlate])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_sequences_of_every_two_lengths(f, mode, n, m):
    x, z = np.arange(1.0, n + 1) ** 2, np.arange(2.0, m + 2) ** 3
    a, v = Value(x), Value(z)
    y = f(a, v, mode)
    assert np.array_equal(y.data, f(x, z, mode))
    weights = np.arange(1.0, y.size + 1)
    y.backward(weights)
    for grad, product in (
        (a.grad, [weights @ f(unit, z, mode) for unit in np.eye(n)]),
        (v.grad, [weights @ f(x, unit, mode) for unit in np.eye(m)]),
    ):
        assert np.array_equal(grad, product)


def test_long_convolution_is_not_materialized():
    import tracemalloc

    a, v = Value(np.ones(4000)), Value(np.ones(2000))
    tracemalloc.start()
    tg.convolve(a, v, mode="same").sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6


# -- Polynomials, running sums, angles ---------------------------------------------------------------------------------


def test_powers_are_right_at_zero_to_second_order():
    v = Value([0.0, -1.0])
    tg.vander(v, 4).sum().backward(create_graph=True)
    first = v.grad
    assert np.array_equal(first.data, [1.0, 1 - 2 + 3])
    v.zero_grad()
    first.sum().backward()
    assert np.array_equal(v.grad, [2.0, 2 - 6])


def test_a_polynomial_without_coefficients_is_zero():
    assert np.array_equal(tg.polyval([], Value(A)), np.zeros_like(A))


def test_cumulative_sums_of_scalar_and_empty():
    for f in (np.cumulative_sum, np.cumulative_prod):
        for x in (2.0, np.zeros(0)):
            assert np.array_equal(f(Value(x)).data, f(np.asarray(x)))
            assert np.array_equal(f(Value(x), include_initial=True).data, f(np.asarray(x), include_initial=True))


def test_unwrapped_angles_have_the_gradient_of_the_angles():
    v = Value([0.1, 3.0, -3.0, 0.5, 7.0])
    y = tg.unwrap(v)
    y.backward([1.0, 2.0, 3.0, 4.0, 5.0])
    assert np.allclose(y.data, np.unwrap(v.data), rtol=1e-15)
    assert np.array_equal(v.grad, [1, 2, 3, 4, 5])


# -- Conditions --------------------------------------------------------------------------------------------------------


def test_unchosen_branch_leaks_no_nan():
    x = Value([-1.0, 4.0])
    with np.errstate(invalid="ignore"):
        tg.select([x < 0, x > 0], [x * 2, tg.sqrt(x)]).sum().backward()
    assert np.array_equal(x.grad, [2.0, 0.25])


def test_first_true_condition_wins():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    tg.select([[True, True, False], [True, False, False]], [a, b], default=c).sum().backward()
    assert (a.grad, b.grad, c.grad) == (2.0, 0.0, 1.0)


# -- linalg's facade ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trace", "diagonal", "matrix_transpose", "vector_norm", "matrix_norm"])
def test_linalg_has_np_linalgs_meaning(name):
    y, expected = getattr(linalg, name)(Value(S)), getattr(np.linalg, name)(S)
    assert y.shape == expected.shape
    assert np.allclose(y.data, expected, rtol=1e-14)


def test_norms_at_zero_have_the_gradient_zero():
    for f in (linalg.vector_norm, linalg.matrix_norm):
        v = Value(np.zeros((2, 2)))
        f(v).backward()
        assert np.array_equal(v.grad, np.zeros((2, 2)))


# -- Errors ------------------------------------------------------------------------------------------------------------

v = Value(A)
ERRORS = [
    (lambda: np.cumulative_sum(v), ShapeError, "cumulative_sum: got an array of shape .* and no axis"),
    (lambda: matvec(v, K), ShapeError, r"matvec: got shapes \(3, 4\) and \(3,\), expected \(..., n, k\)"),
    (lambda: matvec(v, 2.0), ShapeError, "matvec"),
    (lambda: vecmat(v[0], v), ShapeError, r"vecmat: .* expected \(..., k\) and \(..., k, m\)"),
    (lambda: tg.vecmat(K, v[0]), ShapeError, "vecmat"),
    (lambda: np.interp(v, K, [1.0]), ShapeError, r"interp: got xp of shape \(3,\) and fp of \(1,\)"),
    (lambda: np.interp(v, [], []), ShapeError, "interp"),
    (lambda: np.interp(v, A, A), ShapeError, "interp"),
    (lambda: np.convolve(v, K), ShapeError, "convolve"),
    (lambda: np.convolve(v[0], []), ShapeError, "convolve"),
    (lambda: np.correlate(v, K), ShapeError, "correlate"),
    (lambda: np.convolve(v[0], K, mode="circular"), UnsupportedError, "convolve: got mode='circular', expected 'full'"),
    (lambda: np.correlate(v[0], K, mode=7), UnsupportedError, "correlate: got mode=7"),
    (lambda: np.polyval(v, K), ShapeError, "polyval: got coefficients of shape"),
    (lambda: np.vander(v), ShapeError, "vander: got an array of shape"),
    (lambda: np.select([M], [v, v]), ShapeError, "select: got 1 conditions and 2 choices"),
    (lambda: tg.select([], [], v), ShapeError, "select"),
    (lambda: np.select([v], [v]), DTypeError, "select: got conditions of float64, expected booleans"),
    (lambda: np.select([M], [v[:2]]), ShapeError, "select"),
    (lambda: np.compress(M, v), ShapeError, r"compress: got a condition of shape .* see extract\(\)"),
    (lambda: np.compress([True] * 9, v, axis=0), IndexError, "out of bounds"),
    (lambda: np.compress([True], v, axis=2), ShapeError, "compress"),
    (lambda: np.block([[v], v]), ShapeError, "block: got blocks at different depths"),
    (lambda: np.block([[v], []]), ShapeError, "block"),
    (lambda: np.block([v, []]), ShapeError, "block"),
    (lambda: tg.block([]), ShapeError, "block: got an empty list"),
    (lambda: np.block([[v, A[:2]]]), ShapeError, "block"),
    (lambda: np.unwrap(Value(1.0)), ShapeError, "unwrap: got a scalar"),
    (lambda: np.linalg.trace(v[0]), ShapeError, "trace"),
    (lambda: np.linalg.diagonal(v[0]), ShapeError, "diagonal"),
    (lambda: np.linalg.trace(v, dtype=float), UnsupportedError, "dtype"),
    (lambda: np.linalg.matrix_norm(v[0]), ShapeError, "axis"),
    (lambda: np.linalg.matrix_norm(v, ord=7), UnsupportedError, "ord=7"),
    (lambda: np.linalg.vector_norm(v, axis=5), ShapeError, "axis 5"),
    (lambda: np.piecewise(v, [M], [v]), UnsupportedError, "use np.select"),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_error_messages(number):
    f, kind, message = ERRORS[number]
    with pytest.raises(kind, match=message):
        f()


def test_value_has_the_methods_of_ndarray():
    elsewhere = {"compress", "resize"}  # the condition comes first; the array's method works in place
    methods = {name for name in registry if hasattr(np.ndarray, name)} - elsewhere
    assert {"reshape", "sum", "take", "clip", "sort", "trace"} <= methods
    assert [name for name in sorted(methods) if not hasattr(Value, name)] == []


# -- Infinities and NaN ------------------------------------------------------------------------------------------------

inf, nan = np.inf, np.nan


@pytest.mark.parametrize("seed", range(20))
def test_interp_beside_infinities_is_numpys(seed):
    """Warnings are errors: NumPy gives none."""
    rng = np.random.default_rng(seed)
    for _ in range(40):
        n = rng.integers(2, 5)
        xp = np.cumsum(rng.integers(1, 3, n)).astype(float)
        fp = rng.choice([1.0, 2.0, -3.0, inf, -inf, nan, 1e308, -1e308], n)
        x = rng.choice([*xp, 0.0, 0.5, 1.5, 2.5, 3.5, nan, inf, -inf], 4)
        ends = [{}, {"left": -1.0, "right": 7.0}][rng.integers(2)]
        assert np.array_equal(np.interp(Value(x), xp, fp, **ends).data, np.interp(x, xp, fp, **ends), equal_nan=True)


def test_the_gradient_of_interp_beside_an_infinity():
    x, fp = Value(np.array([1.0, 2, 2.5, 3, 3.5, 4])), Value(np.array([1.0, 2, inf, 4]))
    np.interp(x, np.arange(1.0, 5), fp).sum().backward()
    assert x.grad.tolist() == [1, 0, inf, 0, -inf, 0]
    assert fp.grad.tolist() == [1, 1.5, 2, 1.5]


NUMBERS = [inf, -inf, 0.0, 1.0, 1e16, -1e16, 1e308, -1e308, nan]


@pytest.mark.parametrize("a", NUMBERS)
@pytest.mark.parametrize("b", NUMBERS)
@pytest.mark.filterwarnings("ignore:.*encountered in logaddexp:RuntimeWarning")  # NumPy's
def test_logsumexp_and_logaddexp_agree(a, b):
    x = np.array([a, b])
    assert np.allclose(tg.logsumexp(x), tg.logaddexp(a, b), rtol=1e-15, atol=0, equal_nan=True)
    shares = tg.grad(tg.logsumexp)(x)
    for f in (lambda v: tg.logaddexp(v[0], v[1]), lambda v: tg.sum(tg.logsumexp(v[:, None], axis=0))):
        assert np.allclose(shares, tg.grad(f)(x), rtol=1e-15, atol=0, equal_nan=True)
    if not np.isnan(a + b) or a == -b:
        assert np.sum(shares) == pytest.approx(1, rel=1e-15)


def test_the_shares_of_logsumexp_add_up_to_1_for_numbers_of_any_size():
    for size in (1.0, 15.0, 16.0, 17.0, 1e3, 1e15, 1e17, 1e300, inf):
        for sign in (1, -1):
            x = sign * size + (np.zeros(3) if size == inf else np.array([0.0, 0.0, -1.0]))
            assert np.sum(tg.grad(tg.logsumexp)(x)) == pytest.approx(1, rel=1e-15)
    rows = Value(np.array([[inf, inf, 1.0], [-inf, -inf, -inf], [-inf, 0.0, 0.0], [nan, 1.0, inf]]))
    tg.logsumexp(rows, axis=1).backward(np.array([1.0, 3.0, 1.0, 0.0]))
    assert np.allclose(rows.grad[:3], [[0.5, 0.5, 0], [1, 1, 1], [0, 0.5, 0.5]])
    curvature = tg.hessian(tg.logsumexp)(np.array([100.0, 100.0]))
    assert np.allclose(curvature, [[0.25, -0.25], [-0.25, 0.25]])
    assert not np.any(tg.hessian(tg.logsumexp)(np.array([inf, inf])))
