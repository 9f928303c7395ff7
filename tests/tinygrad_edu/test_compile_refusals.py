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
import types
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pytest
from outcomes import ARRAYS, FIRST, outcome

import nn
import tinygrad_edu as T
from tinygrad_edu import UnreadableError, Value, compile, grad, jacobian, value_and_grad
from tinygrad_edu.compiling.results import equal

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::tinygrad_edu.GradientWarning")

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


@refused("stack() joins")
def as_an_array(x):
    return np.asarray(x) * 2  # !


@refused("stack() joins")
def array_of_numbers(x):
    return np.array([x[0], x[1]]) * 2  # !


@refused("stack() joins")
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


DOUBLED = np.frompyfunc(lambda number: number * 2 if number > 0 else number, 1, 1)


@right
def ufunc_of_the_user(x):
    return DOUBLED(x).astype(float)


@right
def functions_of_numpy_that_run_code(x):
    return np.apply_along_axis(lambda row: row * 2 if row.sum() > 0 else row, 0, x)


@refused("")
def sizes_of_numbers(x):
    return np.arange((x > 0).sum() + 1)  # !


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
            assert equal(got.result, expected.result), (args, compiled.source)
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
