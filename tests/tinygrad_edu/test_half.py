"""float16 ends at 65504 and counts to 2048: what adds up many numbers computes in float32, and rounds once, at the end."""

from functools import partial

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import Value, grad, linalg, registry

HALF = np.float16
MANY = 70_000  # more than float16 can count
RNG = np.random.default_rng(0)
LINE, ROWS = RNG.standard_normal(MANY), RNG.standard_normal((MANY, 2))
ONES, LARGE = np.ones(MANY), 500.0 + np.arange(300) % 2
IMAGE, LABELS = LINE[None, None], np.zeros(MANY, int)


def plain(*shape):
    return np.ones(shape, HALF)


REDUCTIONS = (
    *("sum", "prod", "mean", "var", "std", "max", "min", "ptp", "median", "average", "logsumexp", "norm"),
    *("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian"),
)
CALLS = {
    **{f"{name} of ones": (getattr(tg, name), ONES) for name in REDUCTIONS if name not in ("sum", "nansum")},
    **{f"{name} of rows": (partial(getattr(tg, name), axis=0), ROWS) for name in REDUCTIONS},
    **{
        f"{name} of large numbers": (getattr(tg, name), LARGE)
        for name in REDUCTIONS
        if name not in ("sum", "nansum", "prod", "nanprod")
    },
    "softmax": (tg.softmax, np.zeros(MANY)),
    "softmax of rows": (lambda x: tg.softmax(x, axis=0), ROWS / 4),
    "log_softmax": (tg.log_softmax, np.zeros(MANY)),
    "cross_entropy": (lambda x: tg.cross_entropy(x, LABELS), ROWS),
    "cumsum": (tg.cumsum, ONES / 4),
    "cumsum of rows": (lambda x: tg.cumsum(x, axis=0), ROWS),
    "cumprod past 65504": (tg.cumprod, [300.0, 300.0, 1e-3]),
    "prod past 65504": (tg.prod, [300.0, 300.0, 1e-3]),
    "norm past 256": (tg.norm, np.full(1000, 300.0)),
    "norm of order 3": (lambda x: tg.norm(x, ord=3), ONES),
    "matrix_norm": (linalg.matrix_norm, ROWS),
    "median past 65504": (tg.median, [6e4, 6e4]),
    "quantile past 65504": (lambda x: tg.quantile(x, 0.5), [-6e4, 6e4]),
    "quantile": (lambda x: tg.quantile(x, [0.25, 0.7]), LINE),
    "percentile": (lambda x: tg.percentile(x, 30), LINE),
    "nanquantile": (lambda x: tg.nanquantile(x, 0.3), LINE),
    "nanpercentile": (lambda x: tg.nanpercentile(x, [30]), LINE),
    "average with weights": (lambda x: tg.average(x, weights=x), np.full(300, 200.0)),
    "cov": (lambda x: tg.cov(x.T), ROWS),
    "corrcoef": (lambda x: tg.corrcoef(x.T), ROWS),
    "trapezoid": (lambda x: tg.trapezoid(x, dx=1e-3), LINE),
    "layer_norm": (tg.layer_norm, LARGE),
    "layer_norm of rows": (lambda x: tg.layer_norm(x, axis=0), ROWS),
    "rms_norm": (tg.rms_norm, LARGE),
    "rms_norm of rows": (lambda x: tg.rms_norm(x, axis=0), ROWS),
    "einsum i->": (lambda x: tg.einsum("i->", x), LINE),
    "einsum ij->j": (lambda x: tg.einsum("ij->j", x), ROWS),
    "einsum ij,ik->jk": (lambda x: tg.einsum("ij,ik->jk", x, x), ROWS / 2),
    "matmul": (lambda x: x.T @ x, ROWS / 2),
    "vecdot": (lambda x: tg.vecdot(x, x, axis=0), ROWS / 2),
    "avg_pool1d": (lambda x: tg.avg_pool1d(x, 5000), np.ones((1, 1, MANY))),
    "avg_pool1d of large numbers": (lambda x: tg.avg_pool1d(x, 300), np.full((1, 1, 600), 500.0)),
    "avg_pool1d without padding": (lambda x: tg.avg_pool1d(x, 5000, padding=10, count_include_pad=False), IMAGE),
    "avg_pool2d": (lambda x: tg.avg_pool2d(x, 100), np.full((1, 1, 100, 100), 30.0)),
    "at.add": (lambda x: tg.at(np.zeros(2, HALF), LABELS).add(x), ONES / 2),
    "rows added to an array": (lambda x: plain(MANY, 2) + x, [1.0, 2.0]),
    "rows that scale an array": (lambda x: ROWS.astype(HALF) * x, [1.0, 2.0]),
    "bias of linear": (lambda b: tg.linear(plain(MANY, 2), plain(3, 2), b), [1.0, 2.0, 3.0]),
    "broadcast_to": (lambda x: tg.broadcast_to(x, (MANY, 2)), [1.0, 2.0]),
    "tile": (lambda x: tg.tile(x, MANY), [1.0, 2.0]),
    "an index used many times": (lambda x: x[LABELS], [1.0, 2.0]),
    "embedding": (lambda w: tg.embedding(w, LABELS), np.ones((3, 2))),
    "conv1d in its weight": (lambda w: tg.conv1d(IMAGE.astype(HALF), w), np.ones((1, 1, 3))),
    "conv1d in x": (lambda x: tg.conv1d(x, plain(1, 1, 5000)), IMAGE[..., :6000]),
    "bias of conv1d": (lambda b: tg.conv1d(plain(1, 1, MANY), plain(1, 1, 1), b), [1.0]),
}


def run(f, x, dtype):
    v = Value(np.asarray(x, HALF).astype(dtype))
    y = f(v)
    g = np.random.default_rng(1).standard_normal(y.shape).astype(HALF).astype(dtype)[()] if y.shape else dtype(1)
    y.backward(g)
    return np.asarray(y.data), v.grad


def far_apart(got, exact):
    """The largest difference from the exact numbers rounded to float16, in parts of the largest; NaN where one is not finite."""
    with np.errstate(over="ignore"):
        expected = exact.astype(HALF).astype(float)
    size = np.max(np.abs(expected[np.isfinite(expected)]), initial=1e-7)
    same = got == expected
    return np.max(np.where(same, 0, np.abs(got - np.where(same, 0, expected))), initial=0) / size


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")  # results beyond 65504
def test_results_and_gradients_are_those_of_float64_rounded(name):
    f, x = CALLS[name]
    for got, exact in zip(run(f, x, HALF), run(f, x, np.float64), strict=True):
        assert got.dtype == HALF
        assert far_apart(got.astype(float), exact) < 5e-3


@pytest.mark.parametrize("f", [np.max, np.min])
@pytest.mark.parametrize("n", [2049, 65504, 65519, 65520, MANY])
def test_any_number_of_ties_shares_the_gradient(f, n):
    assert grad(f)(np.ones(n, HALF))[0] == HALF(1 / n)


def test_types_are_those_of_numpy():
    """Only float16 is computed in another type, and its results are float16 unless another array is wider."""
    half, single, double = [Value(np.ones(4, dtype)) for dtype in (np.float16, np.float32, np.float64)]
    for x in (half, single, double):
        for f in (tg.sum, tg.mean, tg.norm, tg.softmax, tg.median, tg.layer_norm):
            assert f(x).dtype == np.asarray(f(x.data)).dtype == x.dtype
            assert grad(f)(x.data).dtype == x.dtype if f(x).shape == () else True
    assert tg.average(half, weights=single).dtype == np.float32
    assert tg.average(half, weights=double).dtype == float
    assert tg.average(half, weights=half).dtype == HALF
    assert tg.layer_norm(half, weight=single).dtype == np.float32
    assert np.sum(Value(HALF(1))).dtype == HALF
    assert tg.mean([HALF(1), HALF(2)]) == 1.5


def test_higher_orders_compute_in_float32_too():
    x = np.full(3000, 6, HALF)
    (curvature,) = tg.hvp(lambda v: tg.mean(v * v), (x,), (np.ones(3000, HALF),))
    assert curvature.dtype == HALF
    assert np.array_equal(curvature, np.full(3000, HALF(2 / 3000)))


def test_an_operation_of_your_own_accumulates_too():
    @tg.derived(samples=lambda shape: (), accumulates=True)
    def mean_square(x, /):
        """The mean of the squares."""
        return tg.mean(x * x)

    try:
        assert mean_square(Value(np.full(3, 200, HALF))).data == HALF(40000)
        assert mean_square(np.full(3, 200, HALF)) == HALF(40000)
    finally:
        del registry["mean_square"]
