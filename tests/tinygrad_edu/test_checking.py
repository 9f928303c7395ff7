"""check_gradients and check_vjp: wrong gradients are caught and named, right ones pass, and what cannot be told is said."""

import math

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import DTypeError, GradientError, InconclusiveError, Value, operation
from tinygrad_edu.testing import Verdict, check_gradients, check_vjp

X = np.random.default_rng(0).standard_normal((3, 4))
W = np.random.default_rng(1).standard_normal((4, 2))
SEEDS = range(5)
both_modes = pytest.mark.parametrize("mode", ["screen", "full"])


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_vjp(g, x):
    y = softmax(x)
    return y * (g - np.sum(g * y, axis=-1, keepdims=True))


# Each with the gradient of sum(g * f), by hand.
FUNCTIONS = {
    "tanh": (np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), (X,)),
    "exp": (np.exp, lambda g, x: g * np.exp(x), (X,)),
    "square": (lambda x: x**2, lambda g, x: 2 * g * x, (X,)),
    "mean": (lambda x: np.mean(x**3), lambda g, x: g * 3 * x**2 / x.size, (X,)),
    "matmul": (lambda a, b: a @ b, lambda g, a, b: (g @ b.T, a.T @ g), (X, W)),
    "softmax": (softmax, softmax_vjp, (X,)),
    "sum": (lambda x: np.sum(x, axis=1), lambda g, x: np.broadcast_to(g[:, None], x.shape).copy(), (X,)),
    "divide": (lambda a, b: a / b, lambda g, a, b: (g / b, np.sum(-g * a / b**2, axis=0)), (X, np.arange(1.0, 5.0))),
    "two results": (
        lambda x: (np.sin(x), np.sum(x)),
        lambda g, x: g[0] * np.cos(x) + g[1],
        (X,),
    ),
}


def one(change):
    def faulty(gradient):
        wrong = gradient.copy()
        wrong[1, 2] = change(wrong[1, 2])
        return wrong

    return faulty


FAULTS = {
    "x 1.01": lambda gradient: gradient * 1.01,
    "x 1.0001": lambda gradient: gradient * 1.0001,
    "factor 2": lambda gradient: gradient * 2,
    "sign of one": one(lambda v: -v),
    "one zeroed": one(lambda v: 0.0),
    "one x 1.0001": one(lambda v: v * 1.0001),
    "through float32": lambda gradient: gradient.astype(np.float32).astype(float),
}


def first_changed(vjp, fault):
    def changed(g, *inputs):
        gradients = vjp(g, *inputs)
        if not isinstance(gradients, tuple):
            return fault(gradients)
        return fault(gradients[0]), *gradients[1:]

    return changed


@both_modes
@pytest.mark.parametrize("name", FUNCTIONS)
def test_right_gradients_pass(name, mode):
    f, vjp, inputs = FUNCTIONS[name]
    for seed in SEEDS:
        report = check_vjp(f, vjp, *inputs, mode=mode, seed=seed)
        assert report.compared == sum(np.size(x) for x in inputs)
        assert (report.subgradients, report.inconclusive, report.wrong) == (0, 0, ())


@both_modes
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_fault_is_caught(name, fault, mode):
    f, vjp, inputs = FUNCTIONS[name]
    if name == "sum" and fault == "through float32":
        vjp = lambda g, x: np.broadcast_to(g[:, None] * np.pi / np.pi, x.shape).copy()
    for seed in SEEDS:
        with pytest.raises(GradientError, match="gradient of input 0|not linear"):
            check_vjp(f, first_changed(vjp, FAULTS[fault]), *inputs, mode=mode, seed=seed)


@pytest.mark.parametrize(
    ("f", "vjp", "inputs", "message"),
    [
        (lambda x: x**2, lambda g, x: 4 * x * g, (X,), "a factor of 2, too many"),
        (lambda x: x**2, lambda g, x: -2 * x * g, (X,), "the sign is wrong"),
        (lambda x: np.mean(x**2), lambda g, x: 2 * x * g, (X,), "a factor of 12, the size of an axis or a count"),
        (lambda x: np.sum(np.tanh(x)), lambda g, x: 1 - np.tanh(x) ** 2, (X,), "ignores g: multiply by it"),
        (
            lambda a, b: a + b,
            lambda g, a, b: (g, g),
            (X, X[0]),
            r"has shape \(3, 4\), but the input has \(4,\).*broadcast",
        ),
        (lambda a: a @ W, lambda g, a: W @ g.T, (X,), r"has shape \(4, 3\).*transposed"),
        (lambda a: np.tanh(a) @ a, lambda g, a: (np.tanh(a).T @ g).T, (X[:, :3],), "numbers are wrong"),
        (lambda x: x * 2, lambda g, x: None, (X,), "returned None"),
        (lambda x: x * 2, lambda g, x: 2 * g.ravel(), (X,), r"has shape \(12,\).*reshape it"),
        (
            lambda x: x * np.random.default_rng().random(x.shape),
            lambda g, x: g,
            (X,),
            "other results when called again",
        ),
        (lambda x: x * 2, lambda g, x: g.astype(np.float32) * 2, (X,), "is float32, but the input is float64"),
        (lambda x: x * 2, lambda g, x: np.multiply(x, 0, out=x) + 2 * g, (X,), "changes its input 0"),
        (lambda x: x * 2, lambda g, x: (2 * g, g), (X,), "returned 2 gradients, expected 1"),
        (lambda x: x * 2, lambda g, x: 2 * np.abs(g), (X,), "not linear in the incoming gradient"),
        (lambda x: x * 2, lambda g, x: 0 * g, (X,), "0 everywhere"),
    ],
)
def test_usual_mistakes_are_recognised(f, vjp, inputs, message):
    with pytest.raises(GradientError, match=message) as error:
        check_vjp(f, vjp, *inputs)
    assert "seed=0" in str(error.value)


def test_the_message_names_place_numbers_error_and_ratio():
    wrong = first_changed(lambda g, x: 2 * x * g, one(lambda v: 3 * v))
    with pytest.raises(GradientError, match=r"input 0 at \[1, 2\] is .* ± .*\(ratio 3\); 1 of 12 numbers are wrong"):
        check_vjp(lambda x: x**2, wrong, X)


@both_modes
@pytest.mark.parametrize("name", ["tanh", "exp", "matmul", "softmax", "mean", "divide"])
def test_functions_of_float32_and_those_that_compute_in_it(name, mode):
    f, vjp, inputs = FUNCTIONS[name]
    inputs = [np.asarray(x, np.float32) for x in inputs]

    def off_by(mistake):
        def wrong(g, *xs):
            gradients = vjp(np.asarray(g, float), *[x.astype(float) for x in xs])
            gradients = gradients if isinstance(gradients, tuple) else (gradients,)
            return tuple([(gradient * (1 + mistake)).astype(np.float32) for gradient in gradients])

        return wrong

    inside = lambda *xs: np.asarray(f(*[np.asarray(x, np.float32) for x in xs]))
    for seed in SEEDS:
        for function in (f, inside):
            assert check_vjp(function, off_by(9e-7), *inputs, mode=mode, seed=seed).wrong == ()
            for mistake in (1e-2, 1.5e-3):
                with pytest.raises(GradientError):
                    check_vjp(function, off_by(mistake), *inputs, mode=mode, seed=seed)


def test_smooth_numbers_take_two_central_differences():
    calls = []

    def f(x):
        calls.append(x)
        return np.tanh(x)

    x = np.random.default_rng(0).standard_normal(200)
    report = check_vjp(f, lambda g, x: g * (1 - np.tanh(x) ** 2), x, mode="full")
    assert (report.compared, report.inconclusive) == (200, 0)
    assert len(calls) <= 5 * x.size


@pytest.mark.parametrize("n", [64, 1000])
def test_a_share_too_small_to_see_is_set_aside_at_once(n):
    """The others are not looked at again, so that the calls do not grow with their number."""
    factors, calls = np.ones(n), []
    factors[7] = 1e-13

    def f(x):
        calls.append(x)
        return np.sum(factors * np.sin(x))

    report = check_vjp(f, lambda g, x: g * factors * np.cos(x), np.linspace(0.1, 1.2, n))
    assert (report.compared, report.inconclusive) == (n - 1, 1)
    assert [e.index for e in report.elements] == [(7,)]
    assert len(calls) <= 100


# -- Kinks, and what cannot be told -----------------------------------------------------------------------------------


@both_modes
def test_any_subgradient_is_accepted_at_a_kink_and_counted(mode):
    x = np.array([-1.0, 0.0, 2.0])
    for slope in (0.0, 0.3, 0.5, 1.0):  # 0.5 is the central slope as well
        relu_vjp = lambda g, x, slope=slope: g * ((x > 0) + slope * (x == 0))
        report = check_vjp(lambda x: np.maximum(x, 0), relu_vjp, x, mode=mode)
        assert report.compared == 3
        assert report.subgradients == 1
    for slope in (-0.1, 1.1):
        with pytest.raises(GradientError, match=r"at \[1\]"):
            check_vjp(lambda x: np.maximum(x, 0), lambda g, x, slope=slope: g * ((x > 0) + slope * (x == 0)), x)


def test_ties_are_judged_together():
    x = np.array([1.0, 1.0, 0.0])
    for shares in ([0.5, 0.5, 0], [1, 0, 0], [0.2, 0.8, 0]):
        check_vjp(np.max, lambda g, x, shares=shares: g * np.array(shares, float), x)
    for shares in ([1, 1, 0], [0, 0, 0], [0.5, 1, 0]):
        for seed in SEEDS:
            with pytest.raises(GradientError):
                check_vjp(np.max, lambda g, x, shares=shares: g * np.array(shares, float), x, seed=seed)


@both_modes
def test_central_slopes_that_do_not_add_up_are_wrong(mode):
    x = np.ones(3)
    assert check_vjp(np.max, lambda g, x: g * x / 3, x, mode=mode).subgradients == 3
    for seed in SEEDS:
        with pytest.raises(
            GradientError, match="slopes to both sides of a kink.*together the 3 numbers .* add up to 1"
        ):
            check_vjp(np.max, lambda g, x: g * x / 2, x, mode=mode, seed=seed)


@both_modes
def test_ties_of_a_sorted_row_pass_whatever_their_weights(mode):
    """Of three equal numbers the middle one's weight need not lie between the others': the function is not convex."""
    rng = np.random.default_rng(0)
    for seed in range(20):
        weights, x = rng.standard_normal(9), rng.integers(0, 3, 9).astype(float)
        report = check_gradients(lambda x, weights=weights: np.sort(x) * weights, x, mode=mode, seed=seed)
        assert (report.compared, report.inconclusive) == (9, 0)


def test_convex_and_concave_kinks_are_judged_separately():
    def first(g, x):
        gradient = np.zeros_like(x)
        gradient[np.arange(len(x)), np.argmax(x, axis=1)] = g
        return gradient

    x = np.array([[1.0, 1.0, 0.0], [2.0, 0.0, 2.0], [3.0, 3.0, 3.0], [1.0, 2.0, 2.0]])
    signs = np.array([1.0, -2.0, 3.0, -4.0])
    tied = x == np.max(x, axis=1, keepdims=True)
    for seed in range(20):
        for f, vjp, at, kinks in (
            (lambda x: np.max(x, axis=1), first, x, 9),
            (lambda x: np.sum(signs * np.maximum(x, 0)), lambda g, x: g * signs * (x > 0), np.zeros(4), 4),
        ):
            report = check_vjp(f, vjp, at, seed=seed)
            assert (report.subgradients, report.inconclusive) == (kinks, 0)
        for wrong in (1.0, 0.0):
            with pytest.raises(GradientError):
                check_vjp(lambda x: np.max(x, axis=1), lambda g, x, w=wrong: w * g[:, None] * tied, x, seed=seed)


def test_nearby_kinks_are_ignored():
    rng = np.random.default_rng(0)
    for seed in SEEDS:
        x = rng.standard_normal(200)
        x[:20] = rng.uniform(-1e-3, 1e-3, 20)
        report = check_gradients(lambda v: tg.relu(v) * 2, x, seed=seed)
        assert (report.inconclusive, report.wrong) == (0, ())


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda v: np.tanh(v), np.array([1.0, 17.0])),
        (lambda v: np.tanh(v), np.array([1.0, 18.0])),
        (lambda v: np.sqrt(v), np.array([4.0, 0.0])),
        (lambda v: np.exp(v), np.array([1.0, 800.0])),
        (lambda v: np.log(v), np.array([1.0, np.nan])),
    ],
)
def test_undecidable_numbers_are_inconclusive(f, x):
    with np.errstate(all="ignore"):
        report = check_gradients(f, x)
    assert report.wrong == ()
    assert (report.compared, report.inconclusive) == (1, 1)


def test_a_gradient_that_is_rounding_in_part_does_not_excuse_an_unchanging_function():
    """In results of 1 both numbers are too small to be seen, but only the first is small enough to be rounding."""
    with pytest.raises(InconclusiveError):
        check_vjp(lambda x: 1.0, lambda g, x: g * np.array([1e-14, 2e-13]), np.array([0.5, 0.5]))
    assert check_vjp(lambda x: 1.0, lambda g, x: g * np.full(2, 1e-14), np.array([0.5, 0.5])).compared == 2


def test_nan_where_the_function_is_smooth_is_wrong():
    with pytest.raises(GradientError, match=r"at \[0\] is nan"):
        check_vjp(lambda x: x**2, lambda g, x: g * 2 * x * np.where(x == 1, np.nan, 1), np.array([1.0, 2.0]))
    with pytest.raises(GradientError):  # norm at 0
        check_vjp(lambda x: np.sqrt(np.sum(x * x)), lambda g, x: g * np.full_like(x, np.nan), np.zeros(2))


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda v: 1 / v, np.array([1e-4, -3e-4, 2.0])),
        (lambda v: v**3, 10.0 ** np.arange(-3, 7)),
        (lambda v: np.exp(v), np.array([709.7, 709.0, 705.0])),
        (lambda v: np.tanh(v), np.random.default_rng(0).standard_normal(50).astype(np.float32)),
        (lambda v: v[::50] ** 2, np.arange(1.0, 101.0)),
        (lambda v: v.softmax(axis=1), X),
        (lambda v: tg.layer_norm(v), X),
        (lambda v: (v * v).sum(), np.random.default_rng(0).standard_normal(100_000)),
    ],
)
def test_hard_correct_gradients_pass(f, x):
    for seed in SEEDS:
        report = check_gradients(f, x, seed=seed)
        assert report.wrong == ()
        assert report.inconclusive <= 0.05 * np.size(x)


# -- Of Values --------------------------------------------------------------------------------------------------------


def test_laws_of_values():
    report = check_gradients(lambda a, b: np.tanh(a @ b), X, W, order=2)
    assert report.laws == (
        "shape and dtype",
        "inputs unchanged",
        "deterministic",
        "linear",
        "recording changes nothing",
        "accumulates",
        "adjoint",
        "symmetric Hessian",
    )
    assert "20 compared, 0 wrong" in str(report)


def test_function_that_differs_when_recorded():
    def f(x):
        return x * (2.0 if x.requires_grad else 1.0)

    with pytest.raises(GradientError):
        check_gradients(f, X)


@pytest.mark.usefixtures("temporary")
def test_a_hessian_that_is_not_symmetric():
    @tg.elementwise(
        domain=(tg.REAL, tg.REAL),
        numpy=lambda a, b: a * b,
        rules=(lambda g, y, a, b: g * b, lambda g, y, a, b: g * tg.detach(a)),
    )
    def half_recorded(a, b, /):
        """a b, of whose rules one is a constant."""
        return a * b

    check_gradients(half_recorded, 2.0, 3.0)
    with pytest.raises(GradientError, match=r"the Hessian is not symmetric, <u, Hv> = .* but <v, Hu> = "):
        check_gradients(half_recorded, 2.0, 3.0, order=2)


def test_complex_step_is_exact_or_refused():
    report = check_vjp(np.sin, lambda g, x: g * np.cos(x), X, complex_step=True, mode="full")
    assert max(e.error for e in report.elements) < 1e-13
    with pytest.raises(GradientError, match="complex step gives the slope .* a real difference"):
        check_vjp(np.abs, lambda g, x: g * np.sign(x), X, complex_step=True)


def test_argnums_numbers_and_errors():
    labels = np.array([0, 1, 1])
    report = check_vjp(
        lambda x, labels: x[np.arange(3), labels.astype(int)],
        lambda g, x, labels: (np.eye(4)[labels.astype(int)] * g[:, None], None),
        X,
        labels,
        argnums=0,
    )
    assert report.compared == 12
    assert check_gradients(lambda x: x * x, 3.0).elements[0].verdict is Verdict.RIGHT
    with pytest.raises(DTypeError, match="input 0 is <U1"):
        check_gradients(lambda x: x, "a")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_gradients(lambda x: x, X, argnums=5), "argnums=5, expected positions of inputs, from 0 to 0"),
        (lambda: check_gradients(lambda x: x, X, order=0), "order=0"),
        (lambda: check_gradients(lambda x: x, X, mode="fulll"), "mode='fulll'"),
        (lambda: check_vjp(lambda x: None, lambda g, x: x, X), "f returned NoneType"),
        (lambda: check_vjp(lambda x: (), lambda g, x: x, X), "f returned tuple"),
    ],
)
def test_invalid_arguments(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_seeds_make_it_repeatable():
    messages = set()
    for _ in range(2):
        with pytest.raises(GradientError) as error:
            check_vjp(np.tanh, lambda g, x: g, X, seed=3)
        messages.add(str(error.value))
    assert len(messages) == 1
    assert "seed=3" in messages.pop()
    assert isinstance(Value(1.0), Value)


# -- Scales, precisions and domains -----------------------------------------------------------------------------------


@both_modes
@pytest.mark.parametrize("factor", [0.0, 1.01, 2.0, -1.0])
@pytest.mark.parametrize(
    ("f", "vjp", "x"),
    [
        (lambda x: 1e-9 * np.tanh(x), lambda g, x: g * 1e-9 * (1 - np.tanh(x) ** 2), X),
        (lambda x: 1e14 * np.tanh(x), lambda g, x: g * 1e14 * (1 - np.tanh(x) ** 2), X),
        (
            softmax,
            softmax_vjp,
            (4 * np.random.default_rng(0).standard_normal(30)).astype(np.float32),
        ),
    ],
)
def test_results_of_any_size(f, vjp, x, factor, mode):
    assert check_vjp(f, vjp, x, mode=mode).compared >= 0.9 * x.size
    with pytest.raises(GradientError, match="wrong|should be"):
        check_vjp(f, lambda g, x: (vjp(g, x) * factor).astype(x.dtype), x, mode=mode)


def test_coarse_rounding_is_no_false_alarm():
    rng = np.random.default_rng(0)
    inside = lambda x: float(np.sum(np.tanh(x.astype(np.float32))))
    for seed in range(30):
        x = rng.standard_normal(6)
        report = check_vjp(inside, lambda g, x: g * (1 - np.tanh(x) ** 2), x, seed=seed)
        assert report.subgradients == 0


@pytest.mark.parametrize("factor", [1.0, 1.5, 3.0, -1.0])
def test_noise_is_not_a_kink(factor):
    f = lambda x: np.mean(x * x) - np.mean(x) ** 2
    for seed in SEEDS:
        try:
            report = check_vjp(f, lambda g, x: g * factor * 2 * (x - x.mean()) / x.size, X[0] + 1e6, seed=seed)
        except InconclusiveError as error:
            report = error.report
        assert (report.subgradients, report.wrong) == (0, ())
        assert report.inconclusive >= 2 or factor == 1.0  # agreement within the error bar passes


def test_at_the_end_of_the_domain_one_side_tells():
    x = np.array([0.0, 1.0])
    report = check_vjp(lambda x: x**1.5 + x, lambda g, x: g * (1.5 * np.sqrt(x) + 1), x)
    assert (report.compared, report.inconclusive) == (2, 0)
    report = check_vjp(lambda x: (-x) ** 1.5 + x, lambda g, x: g * (1 - 1.5 * np.sqrt(-x)), -x)
    assert (report.compared, report.inconclusive) == (2, 0)


def test_where_only_the_point_itself_is_missing_both_sides_together_tell():
    with np.errstate(all="ignore"), pytest.raises(GradientError, match=r"\(ratio 2\)"):
        check_vjp(lambda x: x * x / x, lambda g, x: g * np.array([2.0, 1.0]), np.array([0.0, 1.0]))


def test_points_stay_inside_the_domain():
    assert check_vjp(math.log, lambda g, x: g / x, 0.001).compared == 1
    of_symmetric = lambda x: tg.cholesky((x + x.mT) / 2)
    assert check_gradients(of_symmetric, np.diag([1.0, 1e-3])).inconclusive == 0


def test_a_gradient_may_be_as_coarse_as_its_input():
    """float32 in, float64 out: the gradient is right up to rounding in float32."""
    x = np.array([0.1, 0.7], np.float32)
    report = check_vjp(lambda x: np.sum(x.astype(float) ** 3), lambda g, x: (3 * g * x * x).astype(np.float32), x)
    assert (report.compared, report.wrong) == (2, ())


def test_a_result_of_zero_hides_no_other():
    """Its weight is that of a number a thousand times smaller than the others, not of one as small as it is."""
    with pytest.raises(GradientError):
        check_vjp(lambda x: np.array([1e6 * x, 1e6 * (x - 1)]), lambda g, x: 1e6 * (1.00001 * g[0] + g[1]), 1.0)


def test_a_gradient_of_zero_whose_terms_cancel_passes():
    report = check_gradients(lambda v: tg.softmax(v).sum(), X)
    assert (report.wrong, report.compared + report.inconclusive) == ((), X.size)
    with pytest.raises(InconclusiveError), np.errstate(over="ignore"):
        check_gradients(np.exp, np.array([800.0]))


def test_waves_finer_than_any_step_are_inconclusive():
    x = np.random.default_rng(0).uniform(-1, 1, 50)
    try:
        report = check_vjp(lambda x: np.sin(1e8 * x), lambda g, x: g * 1e8 * np.cos(1e8 * x), x)
        assert report.wrong == ()
    except InconclusiveError:
        pass


def test_a_gradient_that_is_wrong_everywhere_ends_early():
    calls = []
    f = lambda x: (calls.append(0), np.tanh(x))[1]
    with pytest.raises(GradientError, match="at least 100 of 20000 numbers are wrong"):
        check_vjp(f, lambda g, x: g * (1 - np.tanh(x) ** 2) * 1.01, np.linspace(-1, 1, 20_000))
    assert len(calls) < 20_000


def test_unchecked_inputs_may_be_anything():
    labels, mask, scale = np.array([0, 2, 1]), [True, False, True], np.ones(3)

    def f(x, labels, mask, scale):
        scale += 1  # a copy
        return x[np.arange(3), labels][np.asarray(mask)] * scale[:2]

    def vjp(g, x, labels, mask, scale):
        gradient = np.zeros_like(x)
        gradient[np.flatnonzero(mask), labels[np.asarray(mask)]] = 2 * g
        return gradient, None, None, None

    assert check_vjp(f, vjp, X, labels, mask, scale, argnums=0).compared == X.size
    assert scale.tolist() == [1.0, 1.0, 1.0]
    assert check_gradients(lambda x, labels: x[np.arange(3), labels], X, labels, argnums=0, order=2).compared == X.size


def test_an_error_carries_its_report_and_the_cotangent():
    with pytest.raises(GradientError) as caught:
        check_vjp(np.sin, lambda g, x: 2 * g * np.cos(x), X)
    report = caught.value.report
    first = report.wrong[0]
    assert first.claimed == pytest.approx(2 * (report.cotangent * np.cos(X))[first.index])


@pytest.mark.parametrize(("wrong", "hidden"), [(8, 0), (9, 1), (12, 4)])
def test_the_table_shows_eight_numbers_and_counts_the_rest(wrong, hidden):
    factors = np.where(np.arange(20) < wrong, 1.5, 1.0)
    with pytest.raises(GradientError) as caught:
        check_vjp(np.sin, lambda g, x: factors * g * np.cos(x), np.linspace(0.1, 1.2, 20), mode="full")
    lines = str(caught.value.report).splitlines()
    rows = [line for line in lines if line.endswith("wrong")]
    assert len(rows) == 8
    assert all("1.5" in row for row in rows)
    apart = [abs(e.claimed - e.slope) for e in caught.value.report.wrong]
    assert len(apart) == wrong
    assert apart == sorted(apart, reverse=True)  # the worst first
    assert lines[-1] == (f"  and {hidden} more" if hidden else rows[-1])


def test_a_right_report_has_no_table():
    report = check_vjp(np.sin, lambda g, x: g * np.cos(x), np.linspace(0.1, 1.2, 5), mode="full")
    assert len(str(report).splitlines()) == 1
    assert (report.compared, report.wrong, report.inconclusive) == (5, (), 0)


@pytest.mark.parametrize(
    "f", [lambda x: (x, x + 1j), lambda x: [x, "text"], lambda x: x + 1j, lambda x: (), lambda x: (x, None)]
)
def test_every_result_must_be_made_of_real_numbers(f):
    with pytest.raises(DTypeError, match=r"f returned \w+, expected a number, an array, or a tuple of these"):
        check_vjp(f, lambda g, x: g, X)


# -- Dictionaries of arrays ----------------------------------------------------------------------------------------------


def test_a_dictionary_is_checked_array_by_array():
    weights = {"w": np.array([[1.0, -2.0]]), "more": {"b": 0.5}}
    x = np.array([0.3, 0.7])

    def loss(p, x):
        return np.sum(np.tanh(p["w"] @ x + p["more"]["b"]) ** 2)

    assert check_gradients(loss, weights, x, order=2).compared == 5
    report = check_gradients(loss, weights, x, argnums=0, mode="full")
    assert report.compared == 3
    assert report.names == ("0['w']", "0['more']['b']", "1")
    assert weights["w"].tolist() == [[1.0, -2.0]]


def test_a_wrong_gradient_in_a_dictionary_is_named_by_its_path(temporary):
    @operation(rules=(lambda g, y, x: 3 * g * x,))
    def half_square(x, /):
        """x² / 2."""
        return x * x / 2

    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, p: x * half_square(p["b"]), 2.0, {"a": 1.0, "b": np.array([1.0, 2.0])})
    assert "the gradient of input 1['b'] at [0] is" in str(caught.value)
    assert "  1['b'][1]" in str(caught.value)


def test_a_model_is_checked_by_its_state():
    import nn

    model = nn.MLP((3, 4, 2), nn.Tanh, rng=0)
    x, labels = np.random.default_rng(0).standard_normal((5, 3)), np.array([0, 1, 1, 0, 1])
    report = check_gradients(
        lambda state: nn.functional.cross_entropy(nn.functional_call(model, state, x), labels), model.state_dict()
    )
    assert report.compared == 26


def test_an_entry_of_a_dictionary_that_is_no_number_is_named():
    with pytest.raises(DTypeError, match=r"input 0\['a'\] is .*, expected real numbers"):
        check_gradients(lambda p: p["b"], {"a": "text", "b": 1.0})
