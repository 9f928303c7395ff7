"""Digits: values and slopes against 50 digits of mpmath at hard points, within a stated number of units in the last place."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from tinygrad_edu import (
    Value,
    arctan2,
    elu,
    erf,
    erfc,
    expm1,
    gelu,
    hypot,
    log1p,
    log_softmax,
    logaddexp,
    logit,
    logsumexp,
    mish,
    norm,
    sigmoid,
    silu,
    sinc,
    softplus,
    softsign,
    var,
)

TINY = [1e-300, 1e-160, 1e-20, 1e-9, 1e-5, 1e-3]
SMALL = [*TINY, 0.01, 0.1, 0.3, 0.46875, 0.5, 0.75, 1.0, 1.25, 2.0, 3.7, 4.0, 5.9]
LINE = [0.0, *SMALL, *[-x for x in SMALL]]
TAILS = [10.0, 17.3, 26.0, 36.7, 37.1, 88.8, 100.0, 300.0, 700.0]
BOTH_TAILS = [*LINE, *TAILS, *[-x for x in TAILS], 1e4, -1e4]
UNIT = [*SMALL[:9], 0.499, 0.5 + 1e-9, 0.501, 0.75, 0.999, 1 - 1e-12]
ABOVE_MINUS_ONE = [x for x in LINE if x > -1] + [1e10, 1e300, -1 + 1e-9]
PAIRS = [(a, b) for a in (0.0, 1e-300, -1e-5, 3.0, -700.0, 1e4) for b in (1e-300, 1e-5, 2.5, -1e4, 699.0)]
SIDES = [
    *[(3e300, 4e300), (3e-300, 4e-300), (1e300, 1e-3), (1.0, 1e-9), (-3.0, 0.5), (5.0, -12.0)],
    *[(1e200, 1e200), (1e-200, -1e-200)],
]
LOGITS = [
    *[[0.0, -40.0], [-40.0, 0.0], [1e4, 1e4 - 1], [-1e4, -1e4, -1e4], [700.0, 710.0, -700.0], [1e-300, 0.0, -1e-300]],
    *[[-0.7, -0.69], [3.0, 3.0, 3.0, -20.0]],
]
FAR = [[1e8 + v for v in row] for row in ([0.0, 1.0], [1.0, 2.0, 4.0], [0.125, -3.5, 2.25, 7.75], [1e-3, 2e-3, 5.0])]
LENGTHS = [[3.0, 4.0], [1e-150, 2e-150], [1e150, -1e150, 5.0], [1e-9, 1.0, -1e9], [1.0, 1e-300]]


def density(x: Any) -> Any:
    """Of a standard normal deviate."""
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def below(x: Any) -> Any:
    """The chance that a standard normal deviate is below x."""
    return mp.erfc(-x / mp.sqrt(2)) / 2


def bell(x: Any) -> Any:
    return 2 * mp.exp(-x * x) / mp.sqrt(mp.pi)


def logistic(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def silu_slope(x: Any) -> Any:
    return logistic(x) * (1 + x * logistic(-x))


def mish_factor(x: Any) -> Any:
    """tanh(softplus(x)), with no cancellation."""
    e = mp.exp(x)
    return e * (e + 2) / (e * (e + 2) + 2)


def mish_slope(x: Any) -> Any:
    return mish_factor(x) + x * (1 - mish_factor(x) ** 2) * logistic(x)


def log_sum(*x: Any) -> Any:
    with mp.workdps(700):  # 1 + e^-700 is not 1
        return mp.log(mp.fsum(mp.exp(v) for v in x))


def sinc_slope(x: Any) -> Any:
    with mp.workdps(700):  # it cancels
        return (mp.cos(mp.pi * x) - mp.sinc(mp.pi * x)) / x if x else mp.mpf(0)


# name: function, exact value, exact slopes (one per argument), points, bound on the error of the value, and of the slopes.
# A bound (m, n): m units in the last place of the exact number, plus n times what the last place of the inputs changes it.
ELEMENTWISE = {
    "softplus": (softplus, lambda x: mp.log1p(mp.exp(x)), (logistic,), BOTH_TAILS, (4, 0), (4, 0)),
    "sigmoid": (sigmoid, logistic, (lambda x: logistic(x) * logistic(-x),), BOTH_TAILS, (4, 0), (4, 0)),
    "expm1": (expm1, mp.expm1, (mp.exp,), [x for x in BOTH_TAILS if x < 1e3], (4, 0), (4, 0)),
    "log1p": (log1p, mp.log1p, (lambda x: 1 / (1 + x),), ABOVE_MINUS_ONE, (4, 0), (4, 0)),
    "erf": (erf, mp.erf, (bell,), LINE, (4, 0), (4, 1)),
    "erfc": (erfc, mp.erfc, (lambda x: -bell(x),), [*LINE, 10.0, 26.0], (4, 0), (4, 1)),
    "gelu": (gelu, lambda x: x * below(x), (lambda x: below(x) + x * density(x),), BOTH_TAILS, (4, 2), (4, 2)),
    "silu": (silu, lambda x: x * logistic(x), (silu_slope,), BOTH_TAILS, (4, 0), (4, 2)),
    "mish": (mish, lambda x: x * mish_factor(x), (mish_slope,), BOTH_TAILS, (4, 0), (16, 4)),
    "logit": (logit, lambda x: mp.log(x / (1 - x)), (lambda x: 1 / (x * (1 - x)),), UNIT, (4, 0), (4, 0)),
    "elu": (elu, lambda x: mp.expm1(x) if x < 0 else x, (lambda x: mp.exp(min(x, 0)),), BOTH_TAILS, (4, 0), (4, 0)),
    "softsign": (softsign, lambda x: x / (1 + abs(x)), (lambda x: (1 + abs(x)) ** -2,), BOTH_TAILS, (4, 0), (4, 0)),
    "sinc": (sinc, lambda x: mp.sinc(mp.pi * x), (sinc_slope,), LINE, (4, 2), (4, 2)),
    "hypot": (
        hypot,
        mp.hypot,
        (lambda a, b: a / mp.hypot(a, b), lambda a, b: b / mp.hypot(a, b)),
        SIDES,
        (4, 0),
        (4, 0),
    ),
    "arctan2": (
        arctan2,
        mp.atan2,
        (lambda a, b: b / (a * a + b * b), lambda a, b: -a / (a * a + b * b)),
        SIDES,
        (4, 0),
        (4, 0),
    ),
    "logaddexp": (
        logaddexp,
        log_sum,
        (lambda a, b: logistic(a - b), lambda a, b: logistic(b - a)),
        PAIRS,
        (4, 2),
        (4, 2),
    ),
}


def mean_square(x: Any) -> Any:
    mean = mp.fsum(x) / len(x)
    return mp.fsum((v - mean) ** 2 for v in x) / len(x)


# name: function of a row, exact number i of its result, exact gradient i of its (last) number, rows, bounds as above
ROWS = {
    "logsumexp": (
        logsumexp,
        lambda i, *x: log_sum(*x),
        lambda i, *x: mp.exp(x[i] - log_sum(*x)),
        LOGITS,
        (4, 2),
        (710, 2),  # e^(x - y): the last place of y, here up to 710, counts
    ),
    "log_softmax": (
        log_softmax,
        lambda i, *x: x[i] - log_sum(*x),
        lambda i, *x: (i == len(x) - 1) - mp.exp(x[i] - log_sum(*x)),
        LOGITS,
        (4, 2),
        (4, 2),
    ),
    "var": (
        var,
        lambda i, *x: mean_square(x),
        lambda i, *x: 2 * (x[i] - mp.fsum(x) / len(x)) / len(x),
        FAR,
        (4, 1),
        (4, 2),
    ),
    "norm": (norm, lambda i, *x: mp.norm(x), lambda i, *x: x[i] / mp.norm(x), LENGTHS, (4, 0), (4, 0)),
}


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def error(got: Any, exact: Callable[..., Any], x: Sequence[float], bound: tuple[int, int], floor: float = 0.0) -> float:
    """The error as a part of the bound: at most 1 if all is well."""
    point = [mp.mpf(v) for v in x]
    expected = exact(*point)
    allowed = bound[0] * mp.mpf(float(np.spacing(max(abs(float(expected)), floor))))
    for i in range(len(x)):
        moved = [*point[:i], mp.mpf(float(np.nextafter(x[i], np.inf))), *point[i + 1 :]]
        allowed += bound[1] * abs(exact(*moved) - expected) if bound[1] else 0
    return float(abs(mp.mpf(float(got)) - expected) / allowed)


@pytest.mark.parametrize("form", [np.array, list], ids=["array", "scalars"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_values_and_slopes(name, form):
    f, exact, slopes, points, value_bound, slope_bound = ELEMENTWISE[name]
    points = [x if isinstance(x, tuple) else (x,) for x in points]
    if form is np.array:
        inputs = [Value(np.array(column)) for column in zip(*points, strict=True)]
        y = f(*inputs)
        y.sum().backward()
        results = zip(points, y.data, *[x.grad for x in inputs], strict=True)
    else:
        calls = [[Value(float(v)) for v in x] for x in points]
        ys = [f(*inputs) for inputs in calls]
        for y in ys:
            y.backward()
        results = [(x, y.data, *[v.grad for v in inputs]) for x, y, inputs in zip(points, ys, calls, strict=True)]
    for x, y, *grads in results:
        assert error(y, exact, x, value_bound) <= 1, x
        for slope, got in zip(slopes, grads, strict=True):
            assert error(got, slope, x, slope_bound) <= 1, x


@pytest.mark.parametrize("name", ROWS)
def test_rows(name):
    f, exact, slope, rows, value_bound, slope_bound = ROWS[name]
    floor = 1.0 if name == "log_softmax" else 0.0  # a single class that takes all: -4e-18 is 0 in its result
    for row in rows:
        x = Value(np.array(row))
        y = f(x)
        (y[-1] if y.shape else y).backward()
        for i, got in enumerate(np.atleast_1d(y.data)):
            assert error(got, partial(exact, i), row, value_bound, floor) <= 1, row
        for i, got in enumerate(x.grad):
            assert error(got, partial(slope, i), row, slope_bound, floor) <= 1, row


@pytest.mark.parametrize(("f", "exact", "bound"), [(erf, mp.erf, 4), (erfc, mp.erfc, 8)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_error_function_of_many_numbers(f, exact, bound, dtype):
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [[float(v) for v in [*LINE, *TAILS[:3]]], *[rng.uniform(-s, s, 1500) for s in (0.6, 6, 26)]]
    ).astype(dtype)
    y = f(x)
    assert y.dtype == dtype
    expected = [exact(mp.mpf(float(v))) for v in x]
    units = np.spacing(np.abs(np.array([float(v) for v in expected])).astype(dtype))
    errors = [abs(mp.mpf(float(a)) - b) / mp.mpf(float(u)) for a, b, u in zip(y, expected, units, strict=True)]
    assert max(errors) <= (bound if dtype == np.float64 else 1)
    ends = np.tile([np.inf, -np.inf, 1e300, -1e300, -0.0], 1000)
    assert np.array_equal(f(ends), [f(float(v)) for v in ends])
    assert np.isnan(f(np.full(5000, np.nan))).all()
