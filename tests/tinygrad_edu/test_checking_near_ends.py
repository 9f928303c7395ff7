"""The checker near the end of a domain, near a pole, and at bends of a small scale: right gradients pass, wrong ones do not."""

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import GradientError, InconclusiveError
from tinygrad_edu.testing import check_gradients, check_vjp

near = pytest.importorskip("benchmarks.checkers.near", reason="benchmarks/ is not here")
both_modes = pytest.mark.parametrize("mode", ["screen", "full"])
pytestmark = pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value", "ignore:overflow")


@both_modes
@pytest.mark.parametrize("d", [1e-3, 1e-6, 1e-10])
def test_right_gradients_pass_and_wrong_ones_are_caught(d, mode):
    """34 functions; `python -m benchmarks.checkers.near` takes 12 distances."""
    counts, notable = near.grid((d,), (mode,))
    alarms, missed = counts["none", "wrong"], sum(counts[fault, "right"] for fault in near.FAULTS)
    assert (alarms, missed, counts["none", "inconclusive"]) == (0, 0, 0), notable
    assert sum(counts[fault, "inconclusive"] for fault in near.FAULTS) <= 0.05 * sum(counts.values()), notable


@both_modes
@pytest.mark.parametrize("fault", near.FAULTS)
@pytest.mark.parametrize("place", [7, 30])
def test_a_number_near_a_pole_among_ordinary_ones(place, fault, mode):
    x = np.linspace(0.5, 2.0, 50)
    x[7] = 1e-7
    f, vjp = (lambda x: 1 / x), (lambda g, x: (-g / x**2,))
    assert check_vjp(f, vjp, x, mode=mode).compared == x.size
    with pytest.raises(GradientError, match=rf"at \[{place}\]"):
        check_vjp(f, near.changed(vjp, near.FAULTS[fault], place), x, mode=mode)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("f", [lambda x: 1 / x, tg.log, tg.sqrt, lambda x: x / x.sum()])
def test_functions_of_values(f, order):
    for d in (1e-5, 1e-8):
        assert check_gradients(f, d * np.array([1.0, 2.0]), order=order).inconclusive == 0
    assert check_gradients(f, np.array([1e-4, 2e-4], np.float32), order=order).compared == 2


@pytest.mark.parametrize("error", [ValueError, ArithmeticError, AssertionError, RuntimeError])
def test_functions_that_raise_beyond_their_domain(error):
    def root(x):
        if not np.all(x >= 0):
            raise error("negative")
        return np.sqrt(x)

    x = np.array([1e-12, 2.0])
    assert check_vjp(root, lambda g, x: g / (2 * np.sqrt(x)), x).compared == 2
    with pytest.raises(GradientError, match=r"at \[0\]"):
        check_vjp(root, lambda g, x: g / (2 * np.sqrt(x)) * np.array([1.001, 1.0]), x)


@pytest.mark.parametrize("x", [0.0, 1e-10])
def test_a_small_bend_on_a_larger_slope(x):
    """The usual steps see a slope of 1, finer ones that of 11."""
    f, slope = (lambda x: 1 + x + 1e-8 * np.tanh(1e9 * x)), (lambda x: 1 + 10 / np.cosh(1e9 * x) ** 2)
    assert check_vjp(f, lambda g, x: g * slope(x), np.array([x])).compared == 1
    with pytest.raises(GradientError):
        check_vjp(f, lambda g, x: 2 * g * slope(x), np.array([x]))


def test_a_spike_within_the_step_is_no_flat_function():
    f = lambda x: np.exp(-((1e9 * x) ** 2)) + 2
    with pytest.raises(GradientError, match="0 everywhere"):
        check_vjp(f, lambda g, x: 0 * g * x, np.array([5e-10]))


def test_saturated_functions_are_flat():
    x = np.array([1e-6, 1e-5])  # tanh(1e3), tanh(1e4): between them and 0 it rises
    assert check_vjp(lambda x: np.tanh(1e9 * x), lambda g, x: 0 * g, x).compared == 2
    with pytest.raises(GradientError):
        check_vjp(lambda x: np.tanh(1e9 * x), lambda g, x: g, x)


def test_ordinary_numbers_take_no_more_calls():
    calls = []
    f = lambda x: (calls.append(0), np.tanh(x))[1]
    check_vjp(f, lambda g, x: g * (1 - np.tanh(x) ** 2), np.random.default_rng(0).standard_normal(1000))
    assert len(calls) <= 21


@both_modes
def test_a_gradient_of_0_of_a_function_rounded_to_float32_inside(mode):
    """Steps below the resolution of its results see a flat function."""
    inside = lambda x: np.tanh(x.astype(np.float32)).astype(float)
    for seed in range(5):
        x = np.random.default_rng(seed).standard_normal(10)
        with pytest.raises(GradientError, match="0 everywhere"):
            check_vjp(inside, lambda g, x: 0 * g * x, x, seed=seed, mode=mode)


# -- A check that compares nothing fails -------------------------------------------------------------------------------


@both_modes
@pytest.mark.parametrize("inputs", [(np.ones(0),), (np.ones((2, 0)), np.ones((0, 3)))])
def test_empty_inputs(inputs, mode):
    with pytest.raises(
        InconclusiveError, match="nothing is compared, since the inputs to check are empty.*pass arrays"
    ):
        check_gradients(lambda *xs: sum([x.sum() for x in xs]), *inputs, mode=mode)


def test_one_empty_input_of_two_is_fine():
    assert check_gradients(lambda a, b: a.sum() + b.sum(), np.ones(0), np.ones(2)).compared == 2


def test_a_gradient_of_0_that_cannot_be_told_fails():
    with pytest.raises(InconclusiveError, match="nothing can be told at these inputs.*Check it at others"):
        check_vjp(lambda x: np.sin(1e30 * x), lambda g, x: 0 * g, np.array([1.0]))


def test_a_whole_gradient_of_0_up_to_rounding_is_compared():
    x = np.random.default_rng(0).standard_normal((3, 4))
    assert check_gradients(lambda v: tg.softmax(v).sum(), x).compared == x.size
