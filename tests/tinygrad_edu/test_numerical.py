"""The oracle itself: each method is as exact as it says, its error bar holds, and it refuses what it cannot do."""

import math

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from tinygrad_edu import Domain, DTypeError, ShapeError, TinygradError, Value, registry, tanh
from tinygrad_edu.testing import numerical_gradient
from tinygrad_edu.testing.strategies import (
    LAYOUTS,
    arrays,
    broadcastable,
    expressions,
    laid_out,
    op_calls,
    points,
    shapes,
)

KNOWN = [
    (math.sin, math.cos, 0.7),
    (math.exp, math.exp, 3.0),
    (lambda x: x**3, lambda x: 3 * x**2, 1e3),
    (lambda x: 1 / x, lambda x: -1 / x**2, 0.2),
    (math.tanh, lambda x: 1 - math.tanh(x) ** 2, 2.0),
    (lambda x: 1e6 + x, lambda x: 1.0, 1.0),
]


@pytest.mark.parametrize(("f", "slope", "x"), KNOWN)
@pytest.mark.parametrize(("method", "digits"), [("ridders", 1e-9), ("central", 1e-6)])
def test_known_derivatives_and_their_error_bars(f, slope, x, method, digits):
    value, error = numerical_gradient(f, x, method=method)
    scale = max(abs(slope(x)), np.finfo(float).eps * abs(f(x)) / 1e-6 / digits)
    assert abs(value - slope(x)) <= digits * scale
    assert abs(value - slope(x)) <= 10 * error + 1e-14 * abs(slope(x))


def test_ridders_beats_central_differences():
    errors = {m: abs(numerical_gradient(math.exp, 3.0, method=m).value - math.exp(3.0)) for m in ("ridders", "central")}
    assert errors["ridders"] < errors["central"] / 10


def test_the_complex_step_is_exact_and_for_analytic_ops_only():
    op = registry["exp"].op
    value, error = numerical_gradient(op, np.array([3.0]), cotangent=np.ones(1), method="complex")
    assert abs(value[0] - math.exp(3.0)) <= error[0]
    for wrong in (registry["abs"].op, registry["norm"].op, registry["max"].op, np.exp):
        with pytest.raises(TinygradError, match="complex step is silently wrong"):
            numerical_gradient(wrong, 1.0, method="complex")


def test_values_arrays_and_cotangents():
    x = np.array([[0.1, 0.2], [0.3, 0.4]])
    c = np.array([[1.0, -2.0], [3.0, 0.5]])
    got = numerical_gradient(lambda v: tanh(Value(v)), x, cotangent=c).value
    assert np.allclose(got, c * (1 - np.tanh(x) ** 2), rtol=1e-10)
    second = numerical_gradient(lambda a, b: np.sum(a * b), x, c, argnum=1).value
    assert np.allclose(second, x)


@pytest.mark.parametrize(("method", "first"), [("ridders", 1e-2), ("central", np.finfo(float).eps ** (1 / 3))])
@pytest.mark.parametrize("step", [None, 0.25])
@pytest.mark.parametrize("x", [0.5, -4.0])
def test_the_step_is_relative_to_the_input_and_may_be_given(method, first, step, x):
    """The first two points lie h to both sides: h is the step times |x|, of small x times 1."""
    points = []

    def f(x):
        points.append(float(x))
        return x * x

    numerical_gradient(f, x, method=method, step=step)
    h = (step or first) * max(1, abs(x))
    assert points[:2] == [x + h, x - h]


def dfridr(f, x, h, shrink=1.6, rows=10, safe=2.0):
    """Numerical Recipes, section 5.7, with the rounding of the differences in the error: the slope, and the calls it takes."""
    table, error, answer = np.zeros((rows, rows)), np.inf, None
    for i in range(rows):
        right, left = f(x + h), f(x - h)
        rounding = np.finfo(float).eps * (abs(right) + abs(left)) / h
        table[0, i] = (right - left) / (2 * h)
        for j in range(1, i + 1):
            factor = shrink ** (2 * j)
            table[j, i] = (table[j - 1, i] * factor - table[j - 1, i - 1]) / (factor - 1)
            apart = max(abs(table[j, i] - table[j - 1, i]), abs(table[j, i] - table[j - 1, i - 1])) + rounding
            if apart < error:
                error, answer = apart, table[j, i]
        if i and abs(table[i, i] - table[i - 1, i - 1]) >= safe * error:
            break
        h /= shrink
    return answer, 2 * (i + 1)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (math.sin, 0.7),
        (math.sin, 1.5),
        (math.exp, 0.3),
        (math.log, 0.7),
        (lambda x: round(math.sin(x), 6), 0.3),
        (abs, 0.001),
    ],
)
def test_ridders_ends_where_the_textbook_does(f, x):
    """Where the last row is worse than the best entry by a factor of two: more rows are only rounding."""
    calls = []

    def counted(x):
        calls.append(x)
        return f(float(x))

    answer, count = dfridr(f, x, 1e-2 * max(1, x))
    assert numerical_gradient(counted, x, step=1e-2).value == pytest.approx(answer, rel=1e-12)
    assert len(calls) == count


ENDS = {
    "log": (np.log, lambda x: 1 / x),
    "math.log": (math.log, lambda x: 1 / x),  # raises below 0
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "cbrt": (np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2)),
    "1/x": (lambda x: 1 / x, lambda x: -1 / x**2),
    "x^-2": (lambda x: x**-2.0, lambda x: -2 * x**-3.0),
}


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("name", ENDS)
def test_ridders_near_the_end_of_a_domain(name):
    """Twelve digits down to 1e-10, and the error is within its bar; jacobi 0.9.2 has as many, but its bars are too short."""
    f, slope = ENDS[name]
    for x in 10 ** np.random.default_rng(0).uniform(-10, -1, 100):
        value, error = numerical_gradient(f, float(x))
        assert abs(value - slope(x)) <= min(1e-12 * abs(slope(x)), error)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_ridders_near_a_pole_elsewhere():
    for d in 10.0 ** np.arange(-12, 0):
        x = 1 + d
        value, error = numerical_gradient(lambda x: 1 / (x - 1), x)
        assert abs(value + 1 / (x - 1) ** 2) <= min(1e-12 * abs(value), error)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: np.exp(-((1e9 * x) ** 2)), 1e-9, -2e9 / math.e),
        (lambda x: 1 + np.exp(-((1e9 * x) ** 2)), 1e-9, -2e9 / math.e),
        (lambda x: np.tanh(1e9 * x), 1e-5, 0.0),
        (lambda x: x * x, 0.0, 0.0),
        (abs, 0.001, 1.0),
        (lambda x: round(math.sin(x), 6), 0.3, math.cos(0.3)),
        (lambda x: float(np.float32(np.sin(x))), 0.3, math.cos(0.3)),
    ],
)
def test_ridders_finds_the_scale_and_is_not_misled_by_rounding(f, x, slope):
    value, error = numerical_gradient(f, x)
    assert abs(value - slope) <= 10 * error
    assert error <= 1e-4 * max(1.0, abs(slope))


def test_what_fails_at_the_point_itself_is_raised():
    with pytest.raises(ValueError, match="math domain error|expected a"):
        numerical_gradient(math.log, -1.0)
    assert np.isnan(numerical_gradient(math.sqrt, 0.0).value)


def test_the_complex_step_may_be_given():
    """Im (x + ih)³ / h = 3x² - h²: a step of 1/2 is no derivative any more."""
    cube = registry["power"].op
    assert numerical_gradient(cube, 1.0, 3.0, method="complex").value == pytest.approx(3.0, rel=1e-15)
    assert numerical_gradient(cube, 1.0, 3.0, method="complex", step=0.5).value == pytest.approx(2.75, rel=1e-12)


def test_central_differences_tell_their_truncation():
    """(x + h)³ - (x - h)³ over 2h is 3x² + h², and over 4h 3x² + 4h²."""
    found = numerical_gradient(lambda x: x**3, 1.0, method="central", step=0.5)
    assert found.value == pytest.approx(3.25)
    assert found.error == pytest.approx(0.75)


@pytest.mark.parametrize("argnum", [0, 1, 2])
def test_argnum_chooses_the_input(argnum):
    a, b, c = 2.0, 0.5, 3.0

    def f(a, b, c):
        return a * b**2 * c**3

    expected = (b**2 * c**3, 2 * a * b * c**3, 3 * a * b**2 * c**2)[argnum]
    assert numerical_gradient(f, a, b, c, argnum=argnum).value == pytest.approx(expected)


def test_inputs_are_not_changed():
    x = np.arange(3.0)
    numerical_gradient(lambda v: np.sum(v * v), x)
    assert np.array_equal(x, np.arange(3.0))


def test_refusals():
    with pytest.raises(ShapeError, match="pass cotangent="):
        numerical_gradient(lambda x: x * 2, np.ones(2))
    with pytest.raises(ShapeError, match=r"cotangent has shape \(3,\)"):
        numerical_gradient(lambda x: x * 2, np.ones(2), cotangent=np.ones(3))
    with pytest.raises(DTypeError, match="complex128"):
        numerical_gradient(np.abs, np.ones(2, complex))


# -- Strategies --------------------------------------------------------------------------------------------------------

few = settings(max_examples=50, deadline=None, derandomize=True)


@few
@given(st.data())
def test_arrays_keep_to_their_domain(data):
    domain = data.draw(
        st.sampled_from([Domain(), Domain(low=0.0), Domain(kinks=(0.0,)), Domain(-1.0, 1.0), Domain(distinct=True)])
    )
    x = np.asarray(data.draw(arrays(domain, shapes())))
    assert np.all((x > domain.low) & (x < domain.high))
    assert all(np.all(np.abs(x - kink) >= 0.25) for kink in domain.kinks)
    assert not domain.distinct or len(np.unique(x)) == x.size


def test_layouts_have_their_strides():
    numbers = np.arange(6.0).reshape(2, 3)
    made = {layout: laid_out(numbers, layout) for layout in LAYOUTS}
    assert all(np.array_equal(x, numbers) for x in made.values())
    assert made["Fortran"].flags.f_contiguous
    assert not made["strided"].flags.c_contiguous
    assert not made["read-only"].flags.writeable
    assert type(laid_out(np.array(1.0), "C")) is float


@few
@given(broadcastable(3))
def test_broadcastable_shapes_broadcast(together):
    np.broadcast_shapes(*together)


def test_shapes_are_of_every_kind_within_the_limits():
    """() and empty ones by default, and the largest that are allowed."""
    for wanted in ((), (0,), (3, 3, 3), (1,)):
        assert find(shapes(), lambda shape, wanted=wanted: shape == wanted) == wanted
    assert find(shapes(min_ndim=2, max_ndim=2, min_side=2, max_side=4), lambda shape: 4 in shape) in {(2, 4), (4, 2)}

    @given(shapes(), shapes(min_ndim=1, max_ndim=2, min_side=2, max_side=4))
    def within(any_shape, some_shape):
        assert len(any_shape) <= 3
        assert all(0 <= n <= 3 for n in any_shape)
        assert 1 <= len(some_shape) <= 2
        assert all(2 <= n <= 4 for n in some_shape)

    within()


@few
@given(st.sampled_from(sorted(registry)).flatmap(lambda name: op_calls(registry[name].op)))
def test_op_calls_run_and_print_as_code(call):
    y = call(*call.inputs)
    assert np.all(np.isfinite(y))
    assert repr(call).startswith(call.op.name)


@few
@given(expressions())
def test_expressions_print_as_code_that_gives_the_same(expression):
    scope = {"np": np, "laid_out": laid_out, **registry}
    exec(repr(expression), scope)
    last = f"v{len(expression.inputs) + len(expression.steps) - 1}"
    assert np.allclose(np.asarray(scope[last], dtype=float), expression(*expression.inputs))


def test_points_are_short_numbers():
    assert points(Domain(kinks=(0.0,)))[:4] == [0.25, -0.25, 0.375, -0.375]
    assert min(points(Domain(low=0.0))) == 0.25
