"""compile: every kind of argument, exceptions, warnings, threads; and what a call leaves behind."""

import random
import threading
import warnings

import numpy as np
import pytest
from outcomes import ARRAYS, FIRST, WEIGHTS, outcome

import nn
import tinygrad_edu as T
from tinygrad_edu import (
    CompileWarning,
    UnreadableError,
    UnsupportedError,
    Value,
    compile,
    derivative,
    grad,
    value_and_grad,
)
from tinygrad_edu.compiling.results import equal
from tinygrad_edu.tree import leaves

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::tinygrad_edu.GradientWarning")

# -- Kinds of arguments ------------------------------------------------------------------------------------------------


def _loss(x):
    return T.tanh(x * x + 1).sum()


ROWS = np.arange(1.0, 7.0).reshape(2, 3)
KINDS = {
    "float32": (ROWS.astype(np.float32), -ROWS.astype(np.float32)),
    "float16": (ROWS.astype(np.float16), -ROWS.astype(np.float16)),
    "empty": (np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((2, 0))),
    "no axes": (np.array(2.0), np.array(-3.0)),
    "NumPy's scalar": (np.float64(2.0), np.float64(-3.0), np.float32(2.0), np.float16(0.1)),
    "Fortran order": (np.asfortranarray(ROWS), np.asfortranarray(-ROWS), ROWS),
    "every second": (np.repeat(ROWS, 2, axis=1)[:, ::2], np.repeat(-ROWS, 2, axis=1)[:, ::2], ROWS),
    "backwards": (ROWS[:, ::-1], -ROWS[::-1], ROWS.T),
    "read-only": (np.broadcast_to(np.float64(2.0), (2, 3)), np.broadcast_to(np.float64(3.0), (2, 3))),
    "another byte order": (ROWS.astype(">f8"), -ROWS.astype(">f8")),
    "masked": (np.ma.masked_less(ROWS, 3.0), np.ma.masked_less(ROWS, 5.0)),
    "shapes": (ROWS, ROWS[0], ROWS[:, 0], ROWS[:1]),
    "dtypes": (ROWS, ROWS.astype(np.float32), ROWS),
    "NaN and inf": (np.array([np.nan, 1.0]), np.array([np.inf, 0.0]), np.array([-np.inf, -0.0]), np.zeros(2)),
}
FUNCTIONS = {
    "value": lambda x: np.tanh(x) * 2,
    "gradient": lambda x: value_and_grad(_loss)(x),
    "sum": lambda x: (x * 3).sum(),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_kind_of_argument(kind, function):
    f = FUNCTIONS[function]
    compiled = compile(f)
    for x in KINDS[kind] * 3:
        expected, got = outcome(f, [x]), outcome(compiled, [x])
        assert type(got.error) is type(expected.error), got.error
        assert expected.error is not None or equal(got.result, expected.result), compiled.source


@pytest.mark.parametrize(
    "x", [np.arange(6).reshape(2, 3), np.array([True, False]), np.arange(3, dtype=np.uint8), 3, True]
)
def test_integers_are_numbers_too(x):
    compiled = compile(lambda x: T.tanh(x * 0.5) + x)
    for given in (x, x, x + 1 if isinstance(x, (int, np.ndarray)) and np.asarray(x).dtype != bool else x, x):
        assert equal(compiled(given), compiled.function(given))


def test_a_value_as_an_argument_runs_the_function_itself():
    compiled = compile(lambda x: (x * x).sum())
    v = Value(FIRST)
    compiled(v).backward()
    assert np.array_equal(v.grad, 2 * FIRST)
    assert compiled.eager


def test_position_and_keyword():
    compiled = compile(lambda a, b=2.0, *, c=1.0: a * b + c)
    f = compiled.function
    for args, given in (
        ((FIRST, 3.0), {}),
        ((FIRST,), {"b": 3.0}),
        ((), {"b": 4.0, "a": FIRST}),
        ((FIRST,), {"c": 5.0}),
    ):
        for _ in range(3):
            assert equal(compiled(*args, **given), f(*args, **given))


def test_one_array_as_two_arguments():
    def f(a, b):
        return a * b + a, value_and_grad(lambda a, b: (a * b).sum(), (0, 1))(a, b)

    compiled = compile(f)
    for a, b in ((FIRST, FIRST), (FIRST, -FIRST), (-FIRST, -FIRST), (FIRST, FIRST[::-1])):
        assert equal(compiled(a, b), f(a, b))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x,
        lambda x: (x, x),
        lambda x: (x[1:], x.reshape(2, 2), x.reshape(2, 2).T),
        lambda x: (x * 1, x + 0, x / 1, x**1),
        lambda x: (WEIGHTS, WEIGHTS[1:], x),
        lambda x: value_and_grad(lambda y: y.sum(), has_aux=False)(x),
        lambda x: [(y := x * 2), y, y[::2], y.T],
        lambda x: grad(lambda y, z: (y + z).sum(), (0, 1))(x, x),
        lambda x: (np.zeros(4), np.arange(3)),
        lambda x: np.broadcast_to(x.sum(), (3,)) + np.zeros(3),
    ],
)
def test_a_result_is_the_callers(f):
    compiled = compile(f)
    before = WEIGHTS.copy()
    for x in (FIRST.copy(), -FIRST, FIRST.copy(), FIRST.copy()):
        given, expected = x.copy(), f(x.copy())
        result = compiled(given)
        found = [part for _, part in leaves(result) if isinstance(part, np.ndarray)]
        for i, part in enumerate(found):
            if part.flags.writeable:
                others = [other.copy() for j, other in enumerate(found) if j != i]
                own = part.copy()
                part[...] = 77.0
                assert np.array_equal(given, x)
                assert np.array_equal(WEIGHTS, before)
                assert equal(others, [other for j, other in enumerate(found) if j != i])
                part[...] = own
        assert equal(result, expected)


class Config:
    """An argument that is an object."""

    def __init__(self, rate):
        self.rate = rate


@pytest.mark.filterwarnings("ignore::tinygrad_edu.CompileWarning")
def test_objects_as_arguments_may_change():
    compiled = compile(lambda x, config, step: step(x) * config.rate)
    config = Config(2.0)
    for rate in (2.0, 2.0, 3.0, 4.0):
        config.rate = rate
        assert equal(compiled(FIRST, config, np.tanh), np.tanh(FIRST) * rate)
    for rate in range(30):  # new objects may have the ids of old ones
        assert equal(compiled(FIRST, Config(rate), T.tanh), T.tanh(FIRST) * rate)


def test_programs_do_not_pile_up():
    compiled = compile(lambda x, n: x * n)
    with pytest.warns(T.CompileWarning, match="pass numbers") as found:
        assert all(equal(compiled(FIRST, n), FIRST * n) for n in range(300))
    assert found[0].filename == __file__
    assert len(compiled._held.programs) <= 100


# -- Exceptions and warnings -------------------------------------------------------------------------------------------


class OwnError(Exception):
    """A user's."""


def test_exceptions_of_the_function():
    state = {"on": True}

    def f(x):
        if x.ndim > 1 or state["on"]:
            raise OwnError("too many axes")
        return x * 2

    compiled = compile(f)
    for on in (True, False, False, True, False):
        state["on"] = on
        for x in (FIRST, ROWS):
            expected, got = outcome(f, [x]), outcome(compiled, [x])
            assert type(got.error) is type(expected.error)
            assert equal(got.result, expected.result)


@pytest.mark.parametrize(
    ("f", "good", "bad"),
    [
        (lambda x: np.linalg.inv(x) * 2, np.eye(2) * 3, np.zeros((2, 2))),
        (lambda x: T.cholesky(x), np.eye(2), -np.eye(2)),
        (lambda x: T.cholesky(x), np.eye(2), np.array([[1.0, 0.5], [0.0, 1.0]])),
        (lambda x: T.inv(x), np.eye(2) * 2, np.full((2, 2), np.nan)),
        (lambda x: T.eigh(x)[0], np.diag([1.0, 2.0]), np.array([[1.0, 0.5], [0.0, 1.0]])),
        (lambda x: 1.0 / x, 2.0, 0.0),
        (lambda x: x**0.5, 2.0, -2.0),
        (lambda x: 10.0**x, 2.0, 400.0),
        (lambda x: T.exp(x) + T.log(x), 2.0, -1.0),
        (lambda x: T.exp(x), 2.0, 1e9),
        (lambda x: x // 2.0 + x % 0.5, 7.0, float("inf")),
        (lambda x: T.cross_entropy(WEIGHTS.reshape(2, 2), x), np.array([0, 1]), np.array([0, 2])),
        (lambda x: T.cross_entropy(WEIGHTS.reshape(2, 2), x), np.array([0, 1]), np.array([-1, 1])),
        (lambda x: T.take(WEIGHTS, x), np.array([0, 1]), np.array([0, 9])),
    ],
)
@pytest.mark.parametrize("bad_first", [False, True])
def test_the_exceptions_of_operations(f, good, bad, bad_first):
    compiled = compile(f)
    for x in [bad, good, good, bad] if bad_first else [good, good, bad, good, bad]:
        expected, got = outcome(f, [x]), outcome(compiled, [x])
        assert type(got.error) is type(expected.error), got.error
        assert str(got.error) == str(expected.error)
        assert expected.error is not None or equal(got.result, expected.result)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.log(x) * 2,
        lambda x: T.log(x).sum(),
        lambda x: 1 / x,
        lambda x: value_and_grad(lambda y: T.sqrt(y).sum())(x),
        lambda x: grad(lambda y: (y * y).sum())(x),
    ],
)
@pytest.mark.filterwarnings("default")
def test_the_warnings_of_the_function(f):
    def warned(f, x):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            f(x)
        return sorted(str(w.message).partition(" encountered")[0] for w in found)

    compiled = compile(f)
    for x in (FIRST, np.zeros(4), np.zeros(4), -FIRST, np.array([0.0, 1.0, -1.0, 2.0]), np.abs(FIRST)):
        expected = warned(f, x)
        assert warned(compiled, x) == expected


def test_numpy_that_raises_instead_of_warning():
    compiled = compile(lambda x: np.log(x))
    compiled(np.ones(3)), compiled(np.ones(3) * 2), compiled(np.ones(3) * 3)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        compiled(np.zeros(3))


@pytest.mark.parametrize("catches", [Exception, TypeError, BaseException])
def test_a_refusal_cannot_be_caught(catches):
    def f(x):
        try:
            n = float(x[0])
        except catches:
            n = 5.0
        return x * n

    compiled = compile(f)
    for x in (FIRST, -FIRST):
        with pytest.raises(UnreadableError, match=r"compile: f, in `n = float\(x\[0\]\)`"):
            compiled(x)


def test_python_raising_that_is_caught():
    def f(x):
        try:
            return 1.0 / x
        except BaseException:
            return x * 7

    compiled = compile(f)
    for x in (0.0, 2.0, 0.0, 4.0, 5.0, 0.0):
        assert compiled(x) == f(x)


@pytest.mark.usefixtures("temporary")
def test_operations_of_the_user_may_look_at_numbers():
    @T.operation(rules=(lambda g, y, x: g * (2.0 if g.sum() > 0 else 3.0),))
    def steep(x, /):
        """Twice or three times x."""
        return x * 2 if np.sum(x) > 0 else x * 3

    compiled = compile(lambda x: value_and_grad(lambda y: (steep(y) * y).sum())(x))
    for x in ARRAYS[:5] * 2:
        assert equal(compiled(x), compiled.function(x))


# -- Nothing is left behind --------------------------------------------------------------------------------------------


def test_a_refusal_leaves_what_the_function_uses():
    w, log, config, total = Value(FIRST, name="w"), [], Config(1.0), np.zeros(4)
    rng = np.random.default_rng(5)
    of_numpy, of_python, own = np.random.get_state()[1].copy(), random.getstate(), rng.bit_generator.state

    def f(x):
        log.append(x)
        config.rate = x
        config.fresh = x
        total[0] += 1
        rng.normal(), random.random(), np.random.rand()
        w.register_hook(lambda g: g)
        return x * 2 if x[0] > 0 else x

    with pytest.raises(UnreadableError, match="where"):
        compile(f)(FIRST)
    assert log == []
    assert vars(config) == {"rate": 1.0}
    assert not total.any()
    assert rng.bit_generator.state == own
    assert random.getstate() == of_python
    assert np.array_equal(np.random.get_state()[1], of_numpy)
    assert w.grad is None
    assert np.array_equal(w.data, FIRST)


def test_generators_draw_as_without_compile():
    own, compiled_layer = nn.Dropout(0.5, rng=3), nn.Dropout(0.5, rng=3)
    compiled = compile(lambda x: grad(lambda y: compiled_layer(y).sum())(x))
    for x in (FIRST, FIRST, -FIRST, FIRST, ROWS, ROWS):
        assert equal(compiled(x), grad(lambda y: own(y).sum())(x))
        assert compiled_layer.rng.bit_generator.state == own.rng.bit_generator.state


def test_hooks_run_as_without_compile():
    seen = []

    def f(x):
        def loss(y):
            y.register_hook(lambda g: 2 * g)
            return (y * y).sum()

        return grad(loss)(x)

    compiled = compile(f)
    for x in (FIRST, -FIRST, FIRST * 2):
        assert equal(compiled(x), f(x)), seen


def test_a_domain_that_the_moved_arguments_leave():
    f = lambda x: T.cholesky(x) @ np.ones(2)
    compiled = compile(f)
    for x in (np.array([[2.0, 1.0], [1.0, 3.0]]), np.eye(2), np.array([[4.0, 1.0], [1.0, 3.0]])):
        assert equal(compiled(x), f(x))


def test_the_first_call_is_compared():
    def f(x):  # a number as the key of a dictionary is not seen
        return x * {1.0: 2.0}.get(x[0], 3.0)

    with pytest.raises(UnreadableError, match="other numbers than the function itself"):
        compile(f)(FIRST)
    compiled = compile(f)
    compiled(-FIRST)
    with pytest.raises(UnreadableError, match="other numbers than the function itself"):
        compiled(FIRST)


def test_a_type_that_is_asked_for():
    with pytest.raises(UnreadableError, match="other numbers than the function itself"):
        compile(lambda x: x * 2 if isinstance(x, np.ndarray) else x * 3)(FIRST)


# -- Threads -----------------------------------------------------------------------------------------------------------


def _in_threads(work, count=4):
    errors = []
    start = threading.Barrier(count)

    def run(i):
        try:
            start.wait()
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def test_threads_share_a_compiled_function():
    def loss(w, x):
        hidden = T.tanh(x @ w)
        return (hidden * hidden).mean()

    f = value_and_grad(loss)
    compiled = compile(f)
    rng = np.random.default_rng(0)
    cases = [(rng.normal(size=(3, 3)), rng.normal(size=(5, 3))) for _ in range(40)]
    expected = [f(*case) for case in cases]

    def work(i):
        for n in range(1000):
            k = (n * 7 + i * 10) % 40
            assert equal(compiled(*cases[k]), expected[k])

    _in_threads(work)
    assert compiled.compilations == 1
    assert not compiled.eager


def test_threads_compile_at_once():
    def work(i):
        for n in range(5):
            f = compile(value_and_grad(lambda x, n=n: (T.tanh(x) * (n + i)).sum()))
            for x in (FIRST, -FIRST, FIRST * 2):
                assert equal(f(x), f.function(x))

    _in_threads(work)


def test_threads_compile_one_function_for_several_shapes():
    compiled = compile(value_and_grad(_loss))

    def work(i):
        for n in range(1, 12):
            x = np.linspace(-1, 1, n) + i
            assert equal(compiled(x), compiled.function(x))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _in_threads(work)


def test_a_compiled_function_that_calls_itself():
    @compile
    def power(x, n):
        return x if n == 0 else power(x * x, n - 1) + power(x, 0)

    for x in (FIRST, -FIRST):
        for n in (0, 1, 3, 2):
            assert equal(power(x, n), power.function(x, n))


def test_a_compiled_function_within_a_callback_of_another():
    inner = compile(lambda x: x * 3)
    outer = compile(lambda x: x + inner(FIRST) + inner(x))
    for x in (FIRST, -FIRST, FIRST):
        assert equal(outer(x), x + FIRST * 3 + x * 3)


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (
            {"static_argnums": (1,)},
            "leave it out: arguments that are neither floats nor arrays are part of the program",
        ),
        ({"mode": "reduce-overhead"}, "leave it out: there is one compiler"),
        ({"fullgraph": True}, "refused with the line"),
        ({"donate_argnums": 0}, "memory is used again by itself"),
        ({"dynamic": True}, "compiled anew for each shape"),
        ({"speed": 11}, "compile takes a function alone"),
    ],
)
def test_options_of_other_libraries_are_refused_with_what_to_write_instead(options, remedy):
    with pytest.raises(UnsupportedError, match=remedy) as caught:
        compile(lambda x: x, **options)
    assert f"compile: got {next(iter(options))}=" in str(caught.value)
    with pytest.raises(UnsupportedError, match=remedy):
        compile(**options)


def test_a_decorator_with_parentheses():
    with pytest.raises(UnsupportedError, match="@compile without parentheses"):
        compile()


def test_refusals_show_the_expression_as_it_is_written():
    with pytest.raises(UnreadableError, match=r"it branches on numbers, \(x \* 2\) > y;"):
        compile(lambda x, y: x if x * 2 > y else y)(1.0, 2.0)
    with pytest.raises(UnreadableError, match=r"it takes a number out, x\[0\], "):
        compile(lambda x: x * float(x[0]))(np.ones(2))


def test_the_warning_names_what_has_changed():
    scale = 0.0
    compiled = compile(lambda x: x * scale)
    for _ in range(7):
        compiled(2.0)
        scale += 1.0
    with pytest.warns(
        CompileWarning, match="compiled 8 times, .*, the last time since scale had changed; pass numbers"
    ):
        compiled(2.0)


class Noting:
    def __init__(self):
        self.seen, self.rates, self.factor = [], {}, [2.0]

    def __call__(self, x):
        return x * self.factor[0]


def test_a_list_that_no_code_reads_may_grow():
    noting = Noting()
    compiled = compile(noting)
    for k in range(5):
        assert compiled(1.5) == 3.0
        noting.seen.append(k)
        noting.rates[str(k)] = 0.1
    assert compiled.compilations == 1
    noting.factor[0] = 3.0
    assert compiled(1.5) == 4.5
    assert compiled.compilations == 2


def test_a_list_that_is_read_by_a_name_made_up_at_run_time():
    noting = Noting()
    compiled = compile(lambda x: x * getattr(noting, "fac" + "tor")[0])
    assert compiled(1.5) == 3.0
    noting.factor[0] = 3.0
    assert compiled(1.5) == 4.5


SAME_MEMORY = {  # NumPy computes a @ a.T in another way if both are one array
    "computed twice": lambda x, y: np.exp(x) @ np.exp(x).T,
    "computed once": lambda x, y: (lambda a: a @ a.T)(np.exp(x)),
    "a copy": lambda x, y: (x * 1.0) @ x.T,
    "perhaps one argument": lambda x, y: (x * 1.0) @ y.T,
    "a gradient": grad(lambda x, y: (np.exp(x) @ np.exp(x).T).sum()),
}


@pytest.mark.parametrize("name", SAME_MEMORY)
def test_a_product_of_an_array_with_itself_has_the_bits_of_the_run(name):
    f = SAME_MEMORY[name]
    compiled = compile(f)
    pairs = np.random.default_rng(0).normal(size=(4, 2, 21, 21))
    for x, y in [*pairs, *[(x, x) for x, _ in pairs]]:
        assert equal(compiled(x, y), f(x, y))
    assert not compiled.eager


@pytest.mark.parametrize("transform", [grad, value_and_grad, derivative], ids=lambda f: f.__name__)
def test_a_result_may_depend_on_other_arguments_alone(transform):
    f = transform(lambda x, y: y * y)
    compiled = compile(f)
    for x in (1.0, 2.0, 3.0):
        assert equal(compiled(x, x + 1), f(x, x + 1))
    assert not compiled.eager


@pytest.mark.parametrize("number", [np.array(2.0), np.array(1.0), np.float64(2)])
def test_a_captured_array_without_axes_multiplies_numbers(number):
    compiled = compile(lambda x: x * number + number * x)
    for x in (1.0, 2.0, 3.0):
        assert equal(compiled(x), x * number + number * x)
