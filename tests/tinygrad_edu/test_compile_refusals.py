"""compile: what depends on numbers, or on more than the arguments, is right on other numbers or refused; never silently wrong.

A case is a function of an array x, with what must happen when it is compiled and called on several arrays:
    right    every result is the function's own, to the last bit
    guarded  the same, and some calls run the function itself
    refused  UnreadableError with the function's name, the line that is marked `# !`, and the remedy
"""

import functools
import inspect
import math
import random
import threading
import types
import warnings
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pytest

import nn
import tinygrad_edu as T
from tinygrad_edu import UnreadableError, Value, compile, grad, jacobian, value_and_grad
from tinygrad_edu.compiling.compiled import _equal
from tinygrad_edu.tree import leaves

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::tinygrad_edu.GradientWarning")

FIRST = np.array([1.0, -2.0, 3.0, 0.5])
ARRAYS = (  # the first is traced; the others take other branches, and meet the zero rule
    FIRST,
    -FIRST,
    np.array([2.0, 0.25, -1.0, 7.0]),
    np.zeros(4),
    np.array([-1.0, 5.0, 4.0, 3.0]),
    np.array([np.inf, 1.0, -2.0, 0.0]),
    np.array([np.nan, 1.0, 2.0, -3.0]),
    np.full(4, -3.0),
    FIRST * 1e200,
)
CASES: dict[str, "Case"] = {}


@dataclass
class Case:
    """A function, and what must happen.

    Attributes:
        make: builds the function; so that each test has its own captures.
        outcome: right, guarded or refused.
        remedy: what the error must say.
        calls: the arguments of the calls.
        marked: the lines of which the error must show one.
    """

    make: object
    outcome: str
    remedy: str = ""
    calls: tuple = tuple((x,) for x in ARRAYS)
    marked: list = field(default_factory=list)


def _add(function, outcome, remedy, calls, make):
    lines = [" ".join(line.split()) for line in inspect.getsource(function).splitlines() if "# !" in line]
    case = Case(function if make else lambda: function, outcome, remedy, marked=lines)
    if calls:
        case.calls = calls
    CASES[function.__name__] = case
    return function


def right(function=None, *, calls=(), make=False):
    """The function gives its own results; make: the function builds it."""
    return (
        functools.partial(right, calls=calls, make=make)
        if function is None
        else _add(function, "right", "", calls, make)
    )


def guarded(function=None, *, calls=(), make=False):
    """The same, and some calls run the function itself: the zero rule, or numbers at which Python raises."""
    if function is None:
        return functools.partial(guarded, calls=calls, make=make)
    return _add(function, "guarded", "", calls, make)


def refused(remedy, *, calls=(), make=False):
    return lambda function: _add(function, "refused", remedy, calls, make)


# -- Branches ----------------------------------------------------------------------------------------------------------


@refused("where(")
def branch_on_a_sum(x):
    if x.sum() > 0:  # !
        return x * 2
    return x * 3


@refused("where(")
def branch_on_an_entry(x):
    return x * 2 if x[0] > 0 else x * 3  # !


@refused("where(")
def branch_in_a_helper(x):
    return _steep(x[1]) * x


def _steep(number):
    if number > 0:
        return 2.0
    return 3.0


@refused("where(")
def loop_until_small(x):
    while x[0] > 0.5:  # !
        x = x / 2
    return x


@refused("where(")
def boolean_and(x):
    return x * ((x[0] > 0) and (x[1] > 0))  # !


@refused("where(")
def boolean_or(x):
    return x * (x[0] > 0 or 2.0)  # !


@refused("where(")
def boolean_not(x):
    return x * (not x[0] > 0)  # !


@refused("where(")
def asserted(x):
    assert x[0] > -100  # !
    return x * 2


@refused("where(")
def chained_comparison(x):
    return x * (0 < x[0] < 2)  # !


@refused("where(")
def largest_by_python(x):
    return x * max(x[0], x[1])  # !


@refused("where(")
def smallest_by_python(x):
    return x * min([x[0], x[1]])  # !


@refused("where(")
def sorted_by_python(x):
    return x * sorted([x[0], x[1], x[2]])[0]  # !


@refused("where(")
def all_of_a_comparison(x):
    if (x > -10).all():  # !
        return x
    return -x


@refused("where(")
def any_of_a_comparison(x):
    return x if np.any(x > 2) else -x  # !


@refused("where(")
def all_of_a_generator(x):
    return x * all(part > 0 for part in x)  # !


@refused("where(")
def truth_of_a_number(x):
    return x * 2 if x[3] else x * 3  # !


@refused("where(")
def filtered(x):
    return sum([part for part in x if part > 0], 0.0)  # !


@refused("where(")
def member_of_a_list(x):
    return x * (x[0] in [1.0, 2.0])  # !


@refused("where(")
def match_on_a_number(x):
    match x[0]:
        case 1.0:  # !
            return x
        case _:
            return -x


@refused("where(")
def close_enough(x):
    return x if np.allclose(x, FIRST) else -x  # !


@right
def branch_on_a_shape(x):
    return x * 2 if x.ndim == 1 and x.size == 4 and len(x) > 3 and x.dtype == float else x


@right
def is_none(x, weights=None):
    return x if weights is None else x * weights


# -- Numbers taken out -------------------------------------------------------------------------------------------------


@refused("stay")
def as_float(x):
    return x * float(x[0])  # !


@refused("stay")
def as_int(x):
    return x * int(x[3])  # !


@refused("stay")
def an_item(x):
    return x * x[0].item()  # !


@refused("stay")
def an_item_of_an_array(x):
    return x * x.item(1)  # !


@refused("stay")
def as_list(x):
    return x * x.tolist()[0]  # !


@refused("stay")
def count_of_steps(x):
    for _ in range(int(abs(x[0]))):  # !
        x = x * 2
    return x


@refused("stay")
def rounded_by_python(x):
    return x * round(x[0])  # !


@refused("")
def sine_of_math(x):
    return x * math.sin(x[3])  # !


@refused("")
def floor_of_math(x):
    return x * math.floor(x[3])  # !


@refused("not needed")
def as_an_array(x):
    return np.asarray(x) * 2  # !


@refused("not needed")
def array_of_numbers(x):
    return np.array([x[0], x[1]]) * 2  # !


@refused("not needed")
def array_by_copy(x):
    return np.array(x) * 2  # !


@refused("")
def bytes_of_an_array(x):
    return x * len(x.tobytes().strip(b"\0"))  # !


@refused("")
def number_as_text(x):
    return x * float(f"{x[0]:.3f}")  # !


@refused("")
def number_as_str(x):
    return x * len(str(x[0]))  # !


@refused("")
def printed(x):
    print(x)  # !
    return x * 2


@refused("")
def percent_format(x):
    return x * len("%.2f" % x[0])  # !  # noqa: UP031


@refused("")
def integer_index(x):
    return x * [10.0, 20.0, 30.0][(x > 0).sum() % 3]  # !


@refused("")
def repeated_by_a_number(x):
    return x * len([0] * (x > 0).sum())  # !


@refused("")
def flat_iteration(x):
    return sum(part for part in x.flat)  # !


@refused("")
def from_buffer(x):
    return x * memoryview(x)[0]  # !


@refused("")
def data_of_an_array(x):
    return x * x.ctypes.data  # !


# -- Numbers that choose -----------------------------------------------------------------------------------------------


@right
def where_positive(x):
    return T.where(x > 0, x * x, 3 * x)


@right
def where_the_other_branch_is_nan(x):
    return T.where(x > 0, T.log(x), x)


@right
def where_of_numpy(x):
    return np.where(x > 0, x, 0.1 * x)


@right
def mask_times_array(x):
    return x * (x > 0)


@right
def masks_combined(x):
    return x * ((x > -1) & ~(x > 2) | (x == 0))


@right
def argmax_as_an_index(x):
    return x[x.argmax()] * 2


@right
def argmax_of_numpy(x):
    return x[np.argmax(x)] * np.argmin(x)


@right
def argsort_as_an_index(x):
    return x[np.argsort(x)] * np.arange(4)


@right
def counted(x):
    return x * (x > 0).sum() + np.count_nonzero(x)


@right
def clipped(x):
    return np.clip(x, -1, 1) + np.sign(x) + np.floor(x) + T.minimum(x, 1) + abs(x) + np.round(x)


@right
def row_maximum(x):
    a = x.reshape(2, 2)
    return a[np.arange(2), a.argmax(axis=1)]


@right
def iterated(x):
    total = 0.0
    for i, part in enumerate(x):
        total = total + i * part * part
    return total


@right
def unpacked(x):
    a, b, *rest = x
    return a * b + rest[0]


@right
def reversed_and_zipped(x):
    return [a * b for a, b in zip(x, reversed(x), strict=True)]


@refused("shape")
def boolean_mask(x):
    return x[x > 0] * 2  # !


@refused("shape")
def boolean_mask_that_is_summed(x):
    return x[x > 0].sum()  # !


@refused("shape")
def places_that_are_not_zero(x):
    return x[np.nonzero(x > 0)].sum()  # !


@refused("shape")
def unique_numbers(x):
    return np.unique(x)  # !


@refused("shape")
def where_of_one_argument(x):
    return x[np.where(x > 0)[0]].sum()  # !


@refused("shape")
def compressed(x):
    return T.compress(x > 0, x).sum()  # !


@refused("shape")
def flat_places(x):
    return x[np.flatnonzero(x > 0)].sum()  # !


@refused("shape")
def repeated(x):
    return np.repeat(x, (x > 0).astype(int))  # !


@refused("")
def slice_up_to_a_number(x):
    return x[: (x > 0).sum()].sum()  # !


@refused("")
def shape_of_a_number(x):
    return np.zeros((x > 0).sum() + 1)  # !


@right
def mask_set(x):
    return T.at(x, x > 0).set(0.0)


@right
def a_sorted_array(x):
    return np.sort(x) * np.arange(4)


# -- Random numbers ----------------------------------------------------------------------------------------------------


@refused("random", make=True)
def generator_that_is_captured():
    rng = np.random.default_rng(0)
    return lambda x: x * rng.normal(size=4)


@refused("random")
def numbers_of_numpys_generator(x):
    return x * np.random.rand(4)


@refused("random")
def numbers_of_pythons_generator(x):
    return x * random.random()


@refused("random")
def fresh_generator(x):
    return x * np.random.default_rng().normal()


@right(make=True)
def dropout_in_training():
    layer = nn.Dropout(0.5, rng=0)
    return lambda x: layer(x)


@right(make=True)
def dropout_in_evaluation():
    layer = nn.Dropout(0.5, rng=0).eval()
    return lambda x: layer(x) * 2


@right
def generator_with_a_seed(x):
    return x * np.random.default_rng(3).normal(size=4)


# -- Effects -----------------------------------------------------------------------------------------------------------


@refused("changes", make=True)
def counter():
    count = 0

    def counter(x):
        nonlocal count
        count += 1
        return x * 2

    return counter


CALLS = 0


@refused("changes")
def global_counter(x):
    global CALLS
    CALLS += 1
    return x * 2


@refused("changes", make=True)
def appended():
    log = []

    def appended(x):
        log.append(x.sum())
        return x * 2

    return appended


@refused("changes", make=True)
def appended_to_a_long_list():
    log = list(map(float, range(500)))

    def appended(x):
        log[100] += 2.0
        return x * 2

    return appended


@refused("changes", make=True)
def stored_in_a_dictionary():
    cache = {}

    def stored(x):
        cache["x"] = x
        return x * 2

    return stored


@refused("changes", make=True)
def stored_in_an_attribute():
    holder = types.SimpleNamespace(last=None)

    def stored(x):
        holder.last = x * 2
        return x * 2

    return stored


@refused("changes", make=True)
def attribute_of_self():
    class Model:
        calls = 0

        def __call__(self, x):
            self.calls += 1
            return x * self.calls

    return Model().__call__


@refused("changes", make=True)
def captured_array_written():
    total = np.zeros(4)

    def written(x):
        total[1] += 1.0
        return x * total

    return written


@refused("", make=True)
def captured_array_filled_from_x():
    total = np.zeros(4)

    def written(x):
        total[...] = x  # !
        return x * total

    return written


@refused("", make=True)
def captured_array_added_to():
    total = np.zeros(4)

    def written(x):
        np.add(total, x, out=total)  # !
        return x * total

    return written


@refused("", make=True)
def gradients_of_a_leaf():
    w = Value(2.0)

    def stored(x):
        (w * x).sum().backward()
        return x * 2

    return stored


@refused("", make=True)
def running_statistics():
    layer = nn.BatchNorm1d(2)
    return lambda x: layer(x.reshape(2, 2))


# -- Writing into arrays -----------------------------------------------------------------------------------------------


@refused("at(")
def item_of_an_argument(x):
    x[0] = 1.0  # !
    return x * 2


@refused("at(")
def item_of_a_temporary(x):
    y = x * 2
    y[1:] = 0.0  # !
    return y


@refused("y = y + x")
def added_to_an_argument(x):
    x += 1.0  # !
    return x * 2


@refused("y = y + x")
def added_to_a_temporary(x):
    y = x * 2
    y *= x  # !
    return y


@refused("writes into")
def out_of_a_ufunc(x):
    np.add(x, 1, out=x)  # !
    return x * 2


@refused("writes into")
def out_as_a_position(x):
    np.add(x, 1, x)  # !
    return x * 2


@refused("writes into")
def out_of_a_function(x):
    np.cumsum(x, out=x)  # !
    return x * 2


@refused("writes into")
def ufunc_at(x):
    np.add.at(x, 0, 1.0)  # !
    return x * 2


@refused("writes into")
def copied_into(x):
    np.copyto(x, 1.0)  # !
    return x * 2


@refused("writes into")
def sorted_in_place(x):
    x.sort()  # !
    return x * 2


@refused("writes into")
def filled(x):
    x.fill(2.0)  # !
    return x * 2


@refused("writes into")
def put(x):
    x.put([0], 2.0)  # !
    return x * 2


@refused("")
def shuffled(x):
    np.random.default_rng(0).shuffle(x)  # !
    return x * 2


@refused("writes into")
def put_by_a_function(x):
    np.put(x, [0], 2.0)  # !
    return x * 2


@refused("stay")
def plain_array_filled(x):
    y = np.zeros(4)
    y[0] = x[0]  # !
    return x * y


@refused("writes into")
def plain_array_copied_into(x):
    y = np.zeros(4)
    np.copyto(y, x)  # !
    return x * y


@refused("writes into")
def plain_array_added_to(x):
    y = np.zeros(4)
    y += x  # !
    return x * y


@right
def scalar_added_to(x):
    total = 0.0
    for i in range(4):
        total += x[i] * i
    return total


@right
def list_of_numbers_appended(x):
    rows = []
    for i in range(3):
        rows.append(x * i)  # noqa: PERF401
    return T.stack(rows)


# -- Kinds of functions ------------------------------------------------------------------------------------------------


@right(make=True)
def a_partial():
    return functools.partial(lambda rate, x: x * rate, 2.5)


@right(make=True)
def a_bound_method():
    class Model:
        def __init__(self):
            self.rate = 3.0

        def run(self, x):
            return x * self.rate

    return Model().run


@right(make=True)
def a_callable_object():
    class Model:
        rate = 3.0

        def __call__(self, x):
            return x * self.rate

    return Model()


@right(make=True)
def lambdas_in_a_list():
    steps = [lambda x: x * 2, np.tanh, T.exp]
    return lambda x: functools.reduce(lambda y, step: step(y), steps, x)


@right
def a_generator_inside(x):
    def halves(y):
        for _ in range(3):
            y = y / 2
            yield y

    return sum(halves(x))


@right(calls=tuple((x, n) for n in (0, 1, 3) for x in ARRAYS))
def recursive(x, n):
    return x if n == 0 else recursive(T.tanh(x), n - 1) * n


@right(calls=((FIRST,), (FIRST, FIRST), (-FIRST, FIRST), (FIRST, FIRST, FIRST * 2)))
def star_arguments(*xs):
    return sum(i * x for i, x in enumerate(xs))


@right
def a_default(x, rate=2.0, *, shift=1):
    return x * rate + shift


@right
def walrus(x):
    return (y := x * 2) + y


@right
def exception_of_python_that_is_caught(x):
    try:
        return x * {}["missing"]
    except KeyError:
        return x * 2


@guarded
def domain_error_that_is_caught(x):
    try:
        return 1.0 / x[3].as_number() if False else x / x[3]
    except ZeroDivisionError:
        return x * 2


@right
def aliased_result(x):
    return x


@right
def aliased_views(x):
    return x[1:], x[1:], x.reshape(2, 2), x[::-1]


@right
def one_result_twice(x):
    y = x * 2
    return [y, y, {"again": y}]


@right
def constants_returned(x):
    return x, 1, "text", None, True, 2.5, np.float32(1), np.arange(3), np.zeros(2)


class Pair(NamedTuple):
    a: object
    b: object


@right
def named_tuple(x):
    return Pair(x * 2, [x.sum()])


@refused("returned a set")
def a_set_returned(x):
    return {1.0, 2.0}


@refused("returned a Value")
def a_value_returned(x):
    return Value(2.0) * x


# -- Transforms --------------------------------------------------------------------------------------------------------


@right(make=True)
def compiled_twice():
    return compile(compile(lambda x: T.tanh(x) * x))


@guarded(make=True)
def gradient_of_compiled():
    inner = compile(lambda x: (T.tanh(x) * x).sum())
    return lambda x: grad(inner)(x)


@guarded(make=True)
def compiled_gradient_in_compile():
    inner = compile(grad(lambda x: (T.tanh(x) * x).sum()))
    return lambda x: inner(x) * x


@guarded
def gradient_of_gradient(x):
    return grad(lambda y: (grad(lambda z: (z * z * T.sin(z)).sum())(y) * y).sum())(x)


@guarded
def jacobian_inside(x):
    return jacobian(lambda y: y * y.sum())(x)


@refused("where(")
def branch_in_a_gradient(x):
    def loss(y):
        if y.sum() > 0:  # !
            return (y * y).sum()
        return y.sum()

    return grad(loss)(x)


@refused("")
def data_as_a_constant(x):
    return grad(lambda y: (y * y.data.max().item()).sum())(x)  # !


@right
def data_as_an_array(x):
    return grad(lambda y: (y * y.data).sum())(x)


@right
def detached(x):
    return grad(lambda y: (y * y.detach()).sum())(x)


@refused("")
def numpy_of_a_value(x):
    return grad(lambda y: (y * np.asarray(y.detach())).sum())(x)  # !


@guarded
def where_in_a_gradient(x):
    return value_and_grad(lambda y: T.where(y > 0, T.log(y), y * y).sum())(x)


@guarded
def argmax_in_a_gradient(x):
    return value_and_grad(lambda y: y[y.data.argmax()] * y.max())(x)


@right
def mask_in_a_gradient(x):
    return value_and_grad(lambda y: (y * (y > 0)).sum())(x)


@refused("shape")
def boolean_mask_in_a_gradient(x):
    return grad(lambda y: (y[y > 0] ** 2).sum())(x)  # !


@refused("random")
def noise_in_a_gradient(x):
    return grad(lambda y: (y * np.random.normal(size=4)).sum())(x)


# -- Python's numbers --------------------------------------------------------------------------------------------------

NUMBERS = tuple((x,) for x in (1.5, -2.0, 0.0, -0.0, 3.0, 1e200, float("inf"), float("nan")))


@guarded(calls=NUMBERS)
def division_by_a_number(x):
    return T.log(1.0 / (x * x + 1))


@refused("where(", calls=NUMBERS)
def branch_on_a_number(x):
    return x if x > 0 else -x  # !


@refused("stay", calls=NUMBERS)
def math_of_a_number(x):
    return math.tanh(x)  # !


@right(calls=tuple((n,) for n in (1, 2, -3, True, 10**20)))
def integer_argument(n):
    return T.tanh(1.0 * n) * n


@right(calls=tuple((n, x) for n in (1, 3, 2) for x in ARRAYS[:3]))
def integer_argument_as_a_count(n, x):
    for _ in range(n):
        x = x * 2
    return x


@right(calls=(("relu", FIRST), ("tanh", FIRST), ("tanh", -FIRST)))
def text_argument(name, x):
    return getattr(T, name)(x)


# -- The law -----------------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What a call did: its result or its exception."""

    result: object
    error: object


def outcome(f, args):
    given = [x.copy() if isinstance(x, np.ndarray) else x for x in args]
    try:
        got = Outcome(f(*given), None)
    except Exception as error:
        got = Outcome(None, error)
    assert all(_equal(x, y) for x, y in zip(given, args, strict=True)) or not isinstance(f, T.compiling.Compiled), (
        "wrote into an argument"
    )
    return got


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.outcome != "refused"])
@pytest.mark.parametrize("first", range(3))
def test_right_on_other_numbers(name, first, capsys):
    case = CASES[name]
    f, compiled = case.make(), compile(case.make())
    calls = case.calls[first:] + case.calls[:first]
    for args in (*calls, *calls):
        expected, got = outcome(f, args), outcome(compiled, args)
        if expected.error is not None:
            assert type(got.error) is type(expected.error)
            assert str(got.error) == str(expected.error)
        else:
            assert got.error is None, got.error
            assert _equal(got.result, expected.result), (args, compiled.source)
    assert case.outcome == "guarded" or not compiled.eager, compiled.eager


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.outcome == "refused"])
@pytest.mark.parametrize("first", range(3))
def test_refused_with_the_remedy(name, first, capsys):
    case = CASES[name]
    f = case.make()
    compiled = compile(f)
    for args in case.calls[first:]:
        error = outcome(compiled, args).error
        assert isinstance(error, UnreadableError), error
        message = str(error)
        assert message.startswith(f"compile: {f.__name__}"), message
        assert case.remedy in message.partition(";")[2] or case.remedy in message, message
        assert ";" in message, message
        assert not case.marked or any(line.partition("# !")[0].strip() in message for line in case.marked), message


# -- What a function uses besides its arguments ------------------------------------------------------------------------


class Captured(NamedTuple):
    """A function, and changes of what it uses, each of which its results must show."""

    f: object
    changes: tuple
    compiled_anew: bool = True


CAPTURED = {}


def captured(make):
    CAPTURED[make.__name__] = make
    return make


@captured
def a_number():
    rate = 2.0

    def f(x):
        return x * rate

    def change(to):
        def changing():
            nonlocal rate
            rate = to

        return changing

    return Captured(f, (change(3.0), change(3), change(0.0), change(-0.0), change(np.float32(2)), change(math.nan)))


RATE = 2.0
WEIGHTS = np.array([1.0, 2.0, 3.0, 4.0])


@captured
def a_global():
    def change(to):
        def changing():
            globals()["RATE"] = to

        return changing

    return Captured(lambda x: x * RATE, (change(3.0), change(4.0), change(2.0)))


@captured
def a_global_of_a_helper():
    return Captured(lambda x: _helper(x), (lambda: globals().update(RATE=5.0), lambda: globals().update(RATE=2.0)))


def _helper(x):
    return x * RATE


@captured
def a_helper_that_is_replaced():
    own = _helper

    def replaced():
        globals()["_helper"] = lambda x: x * 7

    return Captured(lambda x: _helper(x), (replaced, lambda: globals().update(_helper=own)))


@captured
def an_attribute():
    config = types.SimpleNamespace(rate=2.0, inner=types.SimpleNamespace(shift=1.0, rates=[1.0, 2.0]))
    return Captured(
        lambda x: x * config.rate + config.inner.shift * config.inner.rates[1],
        (
            lambda: setattr(config, "rate", 3.0),
            lambda: setattr(config.inner, "shift", 3.0),
            lambda: config.inner.rates.__setitem__(1, 5.0),
            lambda: setattr(config, "inner", types.SimpleNamespace(shift=-1.0, rates=(1.0, 3.0))),
        ),
    )


@captured
def an_attribute_by_name():
    config = types.SimpleNamespace(rate=2.0)
    return Captured(lambda x: x * getattr(config, "ra" + "te"), (lambda: setattr(config, "rate", 3.0),))


@captured
def an_entry():
    table = {"rate": 2.0, "deep": {"shift": [1.0, 2.0]}, 3: 1.0}
    return Captured(
        lambda x: x * table["rate"] + table["deep"]["shift"][0] * table[3],
        (
            lambda: table.update(rate=3.0),
            lambda: table["deep"]["shift"].__setitem__(0, 9.0),
            lambda: table.update({3: 2.0}),
        ),
    )


@captured
def an_entry_of_a_long_list():
    table = [float(i) for i in range(5000)]
    return Captured(lambda x: x * table[4321], (lambda: table.__setitem__(4321, 1.0), lambda: table.insert(0, 8.0)))


@captured
def a_class_attribute():
    class Config:
        rate = 2.0

    class Own(Config):
        pass

    def rebound():
        Own.rate = 4.0

    return Captured(lambda x: x * Own.rate, (lambda: setattr(Config, "rate", 3.0), rebound))


@captured
def a_class_attribute_through_an_object():
    class Model:
        rate = 2.0

        def __call__(self, x):
            return x * self.scale()

        def scale(self):
            return self.rate

    model = Model()
    return Captured(
        lambda x: model(x),
        (
            lambda: setattr(Model, "rate", 3.0),
            lambda: setattr(model, "rate", 4.0),
            lambda: setattr(Model, "scale", lambda self: self.rate * 2),
        ),
    )


@captured
def a_slot():
    class Config:
        __slots__ = ("rate",)

    config = Config()
    config.rate = 2.0
    return Captured(lambda x: x * config.rate, (lambda: setattr(config, "rate", 3.0),))


@captured
def a_property():
    class Config:
        def __init__(self):
            self.held = 2.0

        @property
        def rate(self):
            return self.held * RATE

    config = Config()
    return Captured(
        lambda x: x * config.rate,
        (lambda: setattr(config, "held", 3.0), lambda: globals().update(RATE=3.0), lambda: globals().update(RATE=2.0)),
    )


@captured
def a_module_attribute():
    module = types.ModuleType("settings")
    module.rate = 2.0
    return Captured(lambda x: x * module.rate, (lambda: setattr(module, "rate", 3.0),))


@captured
def a_default_argument():
    def f(x, rate=[2.0], *, shift={"by": 1.0}):  # noqa: B006
        return x * rate[0] + shift["by"]

    def other():
        f.__defaults__ = ([5.0],)

    return Captured(
        f,
        (
            lambda: f.__defaults__[0].__setitem__(0, 3.0),
            lambda: f.__kwdefaults__["shift"].update(by=2.0),
            other,
        ),
    )


@captured
def a_function_attribute():
    def f(x):
        return x * f.rate

    f.rate = 2.0
    return Captured(f, (lambda: setattr(f, "rate", 3.0),))


@captured
def a_partial_with_a_table():
    table = {"rate": 2.0}
    return Captured(functools.partial(lambda table, x: x * table["rate"], table), (lambda: table.update(rate=3.0),))


@captured
def functions_in_a_list():
    steps = [np.tanh, lambda x: x * 2]
    return Captured(
        lambda x: functools.reduce(lambda y, step: step(y), steps, x),
        (lambda: steps.append(np.exp), lambda: steps.__setitem__(1, lambda x: x * 3), steps.pop),
    )


@captured
def an_array_that_is_rebound():
    weights = WEIGHTS.copy()

    def rebind():
        nonlocal weights
        weights = WEIGHTS * 3

    return Captured(lambda x: (x * weights).sum(), (rebind,))


def by_reference(make):
    """The program refers to the array itself, and is not compiled anew."""

    def made():
        weights = WEIGHTS.copy()
        return Captured(
            make(weights),
            (
                lambda: weights.__imul__(2),
                lambda: weights.__setitem__(1, 9.0),
                lambda: weights.fill(1.0),
                lambda: weights.fill(0.0),
            ),
            False,
        )

    CAPTURED[make.__name__] = made


def by_contents(make):
    """The function computes something from the array where that is not seen."""

    def made():
        weights = WEIGHTS.copy()
        return Captured(
            make(weights),
            (lambda: weights.__imul__(2), lambda: weights.__setitem__(1, 9.0), lambda: weights.fill(-1.0)),
        )

    CAPTURED[make.__name__] = made


@by_reference
def an_array(weights):
    return lambda x: (x * weights).sum()


@by_reference
def an_array_with_a_gradient(weights):
    return lambda x: value_and_grad(lambda y: (y * y * weights).sum())(x)


@by_reference
def a_view_of_an_array(weights):
    return lambda x: x[:2] @ weights.reshape(2, 2).T + weights[::2]


@by_reference
def an_array_in_a_list(weights):
    table = {"rows": [weights, 2.0]}
    return lambda x: x * table["rows"][0]


@by_reference
def two_arrays_that_are_equal(weights):
    other = weights.copy()
    return lambda x: x * weights + x * other


@by_contents
def an_array_that_is_doubled(weights):
    return lambda x: x * (weights * 2)


@by_contents
def a_sum_of_an_array(weights):
    return lambda x: x * float(weights.sum())


@by_contents
def a_branch_on_an_array(weights):
    return lambda x: x * 2 if weights[1] > 8 else x * 3


@by_contents
def an_array_as_floats32(weights):
    return lambda x: x * weights.astype(np.float32)


@by_contents
def a_constant_of_an_array(weights):
    return lambda x: grad(lambda y: (y * Value(weights, requires_grad=False)).sum())(x)


@by_contents
def a_mask_of_an_array(weights):
    return lambda x: x[weights > 2].mean()


@captured
def an_array_of_ones():
    ones = np.ones(4)
    return Captured(lambda x: x * ones, (lambda: ones.__setitem__(0, 5.0),))


@captured
def an_array_of_ones_in_a_gradient():
    ones = np.ones(4)
    return Captured(lambda x: grad(lambda y: (y * ones).sum())(x), (lambda: ones.__setitem__(0, 5.0),))


@captured
def an_index():
    index = np.array([0, 1, 1])
    return Captured(lambda x: x[index], (lambda: index.__setitem__(0, 3), lambda: index.fill(2)))


@captured
def a_mask():
    mask = np.array([True, False, True, True])
    return Captured(lambda x: x[mask].mean(), (lambda: mask.__setitem__(0, False), lambda: mask.fill(True)))


@captured
def a_class_with_an_array():
    class Config:
        weights = WEIGHTS.copy()

    return Captured(
        lambda x: x * (Config.weights + 1), (lambda: Config.weights.fill(2.0), lambda: Config.weights.fill(1.0))
    )


@captured
def a_value():
    w = Value(2.0)
    return Captured(lambda x: x * w.data, (lambda: setattr(w, "data", 3.0), lambda: setattr(w, "data", 4.0)))


@captured
def a_layer():
    layer = nn.Linear(4, 2, rng=0)
    layer.freeze()

    def update():
        layer.weight.data = layer.weight.data * 2

    return Captured(lambda x: grad(lambda y: layer(y).sum())(x), (update,))


@captured
def a_mode():
    layer = nn.Dropout(0.9, rng=0).eval()
    return Captured(lambda x: layer(x) * 2, (lambda: setattr(layer, "training", False), lambda: layer.eval()))


@captured
def a_compiled_function():
    rate = [2.0]
    inner = compile(lambda x: x * rate[0])
    return Captured(lambda x: inner(x) + 1, (lambda: rate.__setitem__(0, 3.0),))


@captured
def a_cache_that_is_filled():
    class Model:
        rate = 3.0

        @functools.cached_property
        def table(self):
            return np.arange(4.0) * self.rate

    model = Model()
    return Captured(lambda x: x * model.table, (lambda: model.table.fill(1.0),))


@pytest.mark.parametrize("name", CAPTURED)
def test_what_a_function_uses_may_change(name):
    f, changes, anew = CAPTURED[name]()
    compiled = compile(f)
    for x in (FIRST, -FIRST, FIRST * 2):
        assert _equal(compiled(x.copy()), f(x))
    for change in changes:
        change()
        for x in (FIRST, -FIRST, FIRST * 2):
            expected = f(x)
            for _ in range(3):
                assert _equal(compiled(x.copy()), expected), compiled.source
    assert anew or compiled.compilations == 1
    assert not compiled.eager


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
        assert expected.error is not None or _equal(got.result, expected.result), compiled.source


@pytest.mark.parametrize(
    "x", [np.arange(6).reshape(2, 3), np.array([True, False]), np.arange(3, dtype=np.uint8), 3, True]
)
def test_integers_are_numbers_too(x):
    compiled = compile(lambda x: T.tanh(x * 0.5) + x)
    for given in (x, x, x + 1 if isinstance(x, (int, np.ndarray)) and np.asarray(x).dtype != bool else x, x):
        assert _equal(compiled(given), compiled.function(given))


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
            assert _equal(compiled(*args, **given), f(*args, **given))


def test_one_array_as_two_arguments():
    def f(a, b):
        return a * b + a, value_and_grad(lambda a, b: (a * b).sum(), (0, 1))(a, b)

    compiled = compile(f)
    for a, b in ((FIRST, FIRST), (FIRST, -FIRST), (-FIRST, -FIRST), (FIRST, FIRST[::-1])):
        assert _equal(compiled(a, b), f(a, b))


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
                assert _equal(others, [other for j, other in enumerate(found) if j != i])
                part[...] = own
        assert _equal(result, expected)


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
        assert _equal(compiled(FIRST, config, np.tanh), np.tanh(FIRST) * rate)
    for rate in range(30):  # new objects may have the ids of old ones
        assert _equal(compiled(FIRST, Config(rate), T.tanh), T.tanh(FIRST) * rate)


def test_programs_do_not_pile_up():
    compiled = compile(lambda x, n: x * n)
    with pytest.warns(T.CompileWarning, match="pass numbers"):
        assert all(_equal(compiled(FIRST, n), FIRST * n) for n in range(300))
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
            assert _equal(got.result, expected.result)


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
        assert expected.error is not None or _equal(got.result, expected.result)


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


def test_operations_of_the_user_may_look_at_numbers():
    @T.operation(rules=(lambda g, y, x: g * (2.0 if g.sum() > 0 else 3.0),))
    def steep(x, /):
        """Twice or three times x."""
        return x * 2 if np.sum(x) > 0 else x * 3

    compiled = compile(lambda x: value_and_grad(lambda y: (steep(y) * y).sum())(x))
    for x in ARRAYS[:5] * 2:
        assert _equal(compiled(x), compiled.function(x))


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
        assert _equal(compiled(x), grad(lambda y: own(y).sum())(x))
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
        assert _equal(compiled(x), f(x)), seen


def test_a_domain_that_the_moved_arguments_leave():
    f = lambda x: T.cholesky(x) @ np.ones(2)
    compiled = compile(f)
    for x in (np.array([[2.0, 1.0], [1.0, 3.0]]), np.eye(2), np.array([[4.0, 1.0], [1.0, 3.0]])):
        assert _equal(compiled(x), f(x))


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
            assert _equal(compiled(*cases[k]), expected[k])

    _in_threads(work)
    assert compiled.compilations == 1
    assert not compiled.eager


def test_threads_compile_at_once():
    def work(i):
        for n in range(5):
            f = compile(value_and_grad(lambda x, n=n: (T.tanh(x) * (n + i)).sum()))
            for x in (FIRST, -FIRST, FIRST * 2):
                assert _equal(f(x), f.function(x))

    _in_threads(work)


def test_threads_compile_one_function_for_several_shapes():
    compiled = compile(value_and_grad(_loss))

    def work(i):
        for n in range(1, 12):
            x = np.linspace(-1, 1, n) + i
            assert _equal(compiled(x), compiled.function(x))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _in_threads(work)


def test_a_compiled_function_that_calls_itself():
    @compile
    def power(x, n):
        return x if n == 0 else power(x * x, n - 1) + power(x, 0)

    for x in (FIRST, -FIRST):
        for n in (0, 1, 3, 2):
            assert _equal(power(x, n), power.function(x, n))


def test_a_compiled_function_within_a_callback_of_another():
    inner = compile(lambda x: x * 3)
    outer = compile(lambda x: x + inner(FIRST) + inner(x))
    for x in (FIRST, -FIRST, FIRST):
        assert _equal(outer(x), x + FIRST * 3 + x * 3)
