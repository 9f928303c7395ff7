"""compile: code of the engine and of the user that is read in its own way, or that cannot be read."""

import copy
import math
import pickle
from operator import neg

import numpy as np
import pytest

import nn
import tinygrad_edu as T
from tinygrad_edu import UnreadableError, UnsupportedError, Value, compile, elementwise, grad, value_and_grad
from tinygrad_edu.compiling.results import equal

ROWS = np.arange(1.0, 7.0).reshape(2, 3)


def agree(f, *calls):
    """The compiled function, which gives the function's bits on all calls without falling back."""
    compiled = compile(f)
    for args in calls:
        for _ in range(2):
            assert equal(compiled(*args), f(*args)), compiled.source
    assert not compiled.eager, compiled.source
    return compiled


# -- Numbers that overflow where the engine notices ----------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e200, 1e-200, 1e-320, np.inf, 0.0])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: T.linalg.norm(x, axis=0),
        lambda x: T.linalg.norm(x, axis=1, ord=3),
        lambda x: T.linalg.norm(x),
        lambda x: T.std(x, axis=0),
        lambda x: T.nanstd(x, axis=1),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_norms_of_huge_and_tiny_numbers(f, scale):
    for g in (f, grad(lambda x: f(x).sum())):
        compiled = compile(g)
        for x in (ROWS, ROWS * 2, ROWS * scale):
            assert equal(compiled(x), g(x)), compiled.source


@pytest.mark.parametrize("how", ["over", "under", "divide", "invalid"])
def test_a_function_that_makes_numpy_raise_is_refused(how):
    def f(x):
        with np.errstate(**{how: "raise"}):
            try:
                return np.exp(x)
            except FloatingPointError:
                return x

    with pytest.raises(UnreadableError, match=r"in `return np.exp\(x\)`: it makes NumPy raise"):
        compile(f)(ROWS)


# -- Arrays that the engine changes in place -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: T.softmax(x, axis=0) + T.log_softmax(x, axis=0),
        lambda x: T.softmax(x, axis=0) * np.exp(x - x.max(axis=0, keepdims=True)),
        lambda x: T.layer_norm(x) + (x - x[:, :1]),
        lambda x: T.logsumexp(x, axis=0) + T.softmax(x, axis=0),
    ],
)
def test_the_numbers_before_are_computed_again(f):
    agree(f, (ROWS,), (-ROWS,))
    agree(value_and_grad(lambda x: (f(x) ** 2).sum()), (ROWS,), (-ROWS,))


# -- Memory layouts, which decide the order of sums ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "view", [lambda x: x.T, lambda x: x[::-1], lambda x: x[:, ::-1], lambda x: x[::2], lambda x: x]
)
@pytest.mark.parametrize(
    "same",
    [lambda x: 1 * x, lambda x: x / 1, lambda x: +x, lambda x: neg(neg(x)), lambda x: np.ones(x.shape, np.float32) * x,
     lambda x: x.astype(np.float32), lambda x: x**1],
)  # fmt: skip
def test_operations_that_only_copy(view, same):
    rng = np.random.default_rng(1)
    calls = [(rng.normal(size=(64, 48)).astype(np.float32),) for _ in range(4)]
    agree(lambda x: same(view(x)).sum(), *calls)
    agree(value_and_grad(lambda x: (same(view(x)) * np.tanh(view(x))).sum()), *calls)


# -- What the engine decides by numbers, to the same bits ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, np.float32, np.float16])
@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_the_larger_of_two_with_and_without_ties(f, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 30)).astype(dtype)
    tied = np.where(rng.random((40, 30)) < 0.5, x[:, :1], x)
    g = value_and_grad(lambda x, y: (f(x, y) * f(y, 0.3) * 1.7).sum(), (0, 1))
    for a, b in ((x, x[:, :1] * 0.5), (tied, x[:, :1])):
        agree(g, (a, np.ascontiguousarray(b)), (tied, x[:, :1].copy()))


# -- Functions of Python's numbers --------------------------------------------------------------------------------------


def steep(x):
    if x > 1:
        return 2 * x
    return x


def shifted(x):
    twice = 2 * x
    return twice + 1


LIMIT = 1.0


def limited(x):
    return min(x, LIMIT)


SCALARS = {
    "several returns": (steep, lambda x: np.where(x > 1, 2 * x, x)),
    "a statement before": (shifted, lambda x: 2 * x + 1),
    "a global name": (limited, lambda x: np.minimum(x, LIMIT)),
    "a lambda": (lambda x: x if x > 1 else 0.5, lambda x: np.where(x > 1, x, 0.5)),
    "of math": (math.atan, np.arctan),
    "built in": (abs, np.abs),
}


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("name", SCALARS)
def test_a_function_for_pythons_numbers(name, tmp_path):
    scalar, array = SCALARS[name]

    @elementwise(rules=(lambda g, y, x: g * 2.0,), scalar=scalar)
    def own(x, /):
        """A function that has a variant for Python's floats."""
        return array(x)

    f = value_and_grad(lambda x: own(x) * x)
    compiled = agree(f, (0.5,), (3.0,), (-2.0,), (0.5,))
    if name in ("built in", "a lambda"):  # no source that stands alone
        return
    space = {"__name__": "step"}
    exec(compiled.save(tmp_path / "step.py").read_text(encoding="utf-8"), space)  # our own text
    assert equal(space["program"](0.5), f(0.5))
    assert equal(space["program"](3.0), f(3.0))


@pytest.mark.usefixtures("temporary")
def test_a_lambda_for_pythons_numbers_is_copied(tmp_path):
    @elementwise(rules=(lambda g, y, x: g * 2.0,), scalar=lambda x: x * 2 if x > LIMIT else x)
    def own(x, /):
        """A function that has a variant for Python's floats."""
        return np.where(x > LIMIT, x * 2, x)

    compiled = agree(lambda x: own(x) * x, (0.5,), (3.0,))
    space = {"__name__": "step"}
    exec(compiled.save(tmp_path / "step.py").read_text(encoding="utf-8"), space)  # our own text
    assert space["program"](3.0) == 18.0


# -- Backward passes, copies, text ----------------------------------------------------------------------------------------


def test_a_backward_pass_inside():
    def f(x, y):
        v, w = Value(x), Value(y)
        ((v * w).sum() ** 2).backward()
        return v.grad, w.grad

    agree(f, (ROWS, 2.0), (-ROWS, 3.0))


def test_a_backward_pass_into_a_captured_value_is_refused():
    w = Value(ROWS)

    def f(x):
        y = (w * x).sum()
        y.backward()
        return x * 2

    with pytest.raises(UnreadableError, match="it changes the gradient of w"):
        compile(f)(ROWS)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: copy.deepcopy([x])[0]])
def test_copies(copied):
    agree(lambda x: copied(x) * 2, (ROWS,), (-ROWS,), (2.0,), (np.float32(2),))
    agree(value_and_grad(lambda x: (copied(x.data) * x).sum()), (ROWS,), (-ROWS,))


def test_bytes_of_numbers_are_refused():
    with pytest.raises(UnreadableError, match="it makes bytes of numbers, x0"):
        compile(lambda x: x * len(pickle.dumps(x)))(ROWS)


@pytest.mark.parametrize("name", ["argmax", "argmin", "any", "all", "argsort", "nonzero"])
def test_an_option_that_is_not_there(name):
    f = value_and_grad(lambda x: (x * getattr(x, name)(dim=1)).sum())
    for run in (f, compile(f)):
        with pytest.raises(UnsupportedError, match=f"{name}: got an unexpected keyword argument 'dim'; it takes x"):
            run(ROWS)


# -- Captured parameters --------------------------------------------------------------------------------------------------


def test_a_model_is_compiled_once_while_it_is_trained():
    model = nn.MLP((3, 4, 2), nn.Tanh, rng=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    predict = compile(lambda x: model(x).data)
    for _ in range(4):
        assert np.array_equal(predict(ROWS), model(ROWS).data)
        optimizer.zero_grad()
        (model(ROWS) ** 2).sum().backward()
        optimizer.step()
    assert predict.compilations == 1


def test_a_gradient_that_the_function_reads():
    w = Value(ROWS)
    compiled = compile(lambda x: x * w.grad)
    for scale in (1.0, 2.0, 3.0):
        w.grad = np.full((2, 3), scale)
        assert equal(compiled(ROWS), ROWS * scale)


class Caching(nn.Module):
    def __init__(self):
        self.layer, self.hidden = nn.Linear(3, 3, rng=0), None

    def forward(self, x):
        self.hidden = self.layer(x)
        return self.hidden * 2


def test_a_forward_that_keeps_what_it_computes_is_refused():
    model = Caching()
    step = nn.compile_step(model, nn.functional.mse_loss, nn.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(UnreadableError, match="it changes hidden of the model, .* change it outside of forward"):
        step(ROWS, ROWS)
    with pytest.raises(UnreadableError, match="it changes hidden, .* return what it computes"):
        compile(lambda x: model(x).data)(ROWS)


def test_a_number_stands_for_an_array_only_where_sums_keep_their_order():
    """The gradient adds an array of ones to a transpose, and the memory layout of the sum is that of the ones."""

    def f(x, y):
        a = x[1] * np.sin(y)[0][:, None]
        return a.sum() * 2.0 + (a.T * y).sum()

    step = compile(grad(f))
    for x, y in np.random.default_rng(0).normal(size=(3, 2, 21, 21)):
        expected = grad(f)(x, y)
        assert equal(step(x, y), expected)
        assert equal(step._latest().program.loaded(readable=True)(x, y), expected)


@pytest.mark.parametrize("number", [0.0, 1.0, 0.15])
def test_a_constant_array_keeps_its_order(number):
    """By which BLAS computes its products."""
    step = compile(lambda x: np.full((21, 21), number, order="F") @ x)
    x = np.random.default_rng(0).normal(size=(21, 21))
    assert equal(step(x), np.full((21, 21), number, order="F") @ x)
    assert "order='F'" in step.source
