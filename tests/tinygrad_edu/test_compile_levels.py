"""Large graphs of numbers by levels: the bits of the function itself and of the straight line, and the same refusals."""

import gc
import importlib.util
import math
import threading

import numpy as np
import pytest

from tinygrad_edu import compile, elementwise, exp, grad, power, relu, sigmoid, softplus, sqrt, tanh, value_and_grad
from tinygrad_edu.compiling import levels
from tinygrad_edu.compiling.results import equal
from tinygrad_edu.compiling.traced import Traced
from tinygrad_edu.errors import TinygradError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::tinygrad_edu.GradientWarning")


@pytest.fixture(autouse=True)
def every_program_by_levels(monkeypatch):
    monkeypatch.setattr(levels, "SMALLEST", 0)
    monkeypatch.setattr(levels, "_WORTH", 0)


def added(numbers):
    """Their sum, one after the other; Python's own sum of floats rounds in another way from Python 3.12 on."""
    total = 0
    for x in numbers:
        total = total + x
    return total


def program_of(compiled):
    return compiled._latest().program


def by_levels(compiled):
    return program_of(compiled).is_by_levels


def agree(f, *calls, runs_by_levels=True):
    """compile(f) gives the numbers of f on all arguments, by levels, and does not fall back."""
    compiled = compile(f)
    for args in (*calls, *calls):
        assert equal(compiled(*args), f(*args)), compiled.source
    assert by_levels(compiled) is runs_by_levels
    assert not compiled.eager
    return compiled


NUMBERS = [(0.3, 0.7), (-1.5, 0.25), (2.0, -3.0), (1e-300, 1e10)]


def chain(x, y):
    for _ in range(300):
        x = x * y + 0.5
    return x


def wide(x, y):
    return added((x * i) * (y + i) for i in range(1, 200))


def tree(x, y):
    row = [x * i + y for i in range(64)]
    while len(row) > 1:
        row = [a * b for a, b in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def backwards(x, y):
    row = [x * i for i in range(1, 50)]
    return added(a * b for a, b in zip(row, reversed(row), strict=True)) - y


def mixed(x, y):
    return tanh(x * y) + exp(-x * x) * sigmoid(y) - softplus(x) / (2.0 + y * y) + sqrt(1.0 + x * x) - abs(y) + x**3


SHAPES = {
    "one operation": lambda x, y: x * y,
    "no operation": lambda x, y: x,
    "unused": lambda x, y: x * x,
    "chain": chain,
    "wide": wide,
    "tree": tree,
    "backwards": backwards,
    "kinks": lambda x, y: relu(x) + relu(-x) * relu(x * y) - relu(y - y),
    "functions": mixed,
    "constants": lambda x, y: 3 - 2.5 * x + (-0.0) * y + x / 7 + 1e308 * y * 1e-308,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transform", [lambda f: f, lambda f: value_and_grad(f, (0, 1)), lambda f: grad(grad(f))])
def test_every_shape_of_graph_to_the_last_bit(shape, transform):
    agree(transform(SHAPES[shape]), *NUMBERS[:3])


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_to_the_last_bit(seed):
    rng = np.random.default_rng(seed)
    steps = [(rng.integers(7), *rng.integers(2**31, size=2)) for _ in range(150)]

    def f(*numbers):
        known = list(numbers)
        for kind, i, j in steps:
            a, b = known[i % len(known)], known[j % len(known)]
            known.append([a + b, a - b, a * b * 0.3, a / (b * b + 1.0), relu(a), tanh(a), -b][kind])
        return added(known[-20:])

    numbers = rng.normal(size=(3, 5)).tolist()
    agree(value_and_grad(f, tuple(range(5))), *numbers)


def test_trees_of_arguments_and_results():
    def f(params, *, scale):
        (a, b), rest = params["pairs"], params["rest"]
        return {"sum": a * b + rest[0], "parts": [rest[1] * scale, (a, 2.5, 3, None, "text")], "again": a * b}

    compiled = compile(f)
    for k in (1.0, 2.0, 3.0):
        params = {"pairs": (0.3 * k, -0.7), "rest": [k, 5.0]}
        assert equal(compiled(params, scale=k), f(params, scale=k))
    assert by_levels(compiled)
    assert not compiled.eager


def test_minus_zero_infinity_and_nan():
    agree(lambda x, y: (relu(x), x * y, -x, y - y * x, relu(-x)), *[(x, y) for x in SPECIAL for y in SPECIAL])


SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1.7e308]


def test_division_by_zero_runs_the_function_itself():
    f = value_and_grad(lambda x, y: x / y + x, (0, 1))
    compiled = compile(f)
    compiled(1.0, 2.0), compiled(3.0, 2.0)
    assert equal(compiled(1.0, 0.0), f(1.0, 0.0))
    assert by_levels(compiled)
    assert compiled.eager == {"float division by zero": 1}


def test_overflow_of_a_function_of_python_runs_the_function_itself():
    f = value_and_grad(lambda x: exp(x) * 2.0)
    compiled = compile(f)
    compiled(1.0), compiled(2.0)
    assert equal(compiled(1e5), f(1e5))
    assert by_levels(compiled)
    assert added(compiled.eager.values()) == 1


def test_the_zero_rule_runs_the_function_itself():
    f = value_and_grad(lambda x, y: relu(x) * (1.0 / y), (0, 1))
    compiled = compile(f)
    compiled(1.0, 2.0), compiled(3.0, 2.0)
    assert equal(compiled(-1.0, 1e-320), f(-1.0, 1e-320))
    assert by_levels(compiled)
    assert list(compiled.eager) == ["not finite on the way, where the zero rule may apply"]


def test_a_guard_runs_the_function_itself():
    f = value_and_grad(lambda x, y: power(x, y) * x, (0, 1))
    compiled = compile(f)
    compiled(1.5, 2.0), compiled(2.5, 3.0)
    assert equal(compiled(1.5, 0.0), f(1.5, 0.0))
    assert by_levels(compiled)
    (reason,) = compiled.eager
    assert reason.startswith("another branch than when compiled: f = value_and_grad(")


@pytest.mark.usefixtures("temporary")
def test_an_operation_that_cannot_be_read_is_called_on_each_number():
    @elementwise(rules=(lambda g, y, x: g * 2.0,))
    def doubled(x, /):
        """Twice x, computed in another way for large numbers."""
        return x + x if x < 10.0 else 2.0 * x

    compiled = agree(value_and_grad(lambda x: doubled(x) * x + doubled(x * 3.0)), (1.0,), (20.0,))
    assert compiled.needs == {}


@pytest.mark.parametrize(
    "numbers",
    [(np.arange(3.0), 2.0), (np.float32(0.5), 2.0), (np.float64(0.5), 2.0)],
    ids=lambda x: type(x[0]).__name__,
)
def test_other_numbers_run_as_the_straight_line(numbers):
    agree(lambda x, y: x * y + 1, numbers, runs_by_levels=False)


def test_a_small_graph_or_a_deep_one_runs_as_the_straight_line(monkeypatch):
    monkeypatch.setattr(levels, "SMALLEST", 1_000)
    agree(wide, *NUMBERS, runs_by_levels=False)
    monkeypatch.undo()
    monkeypatch.setattr(levels, "SMALLEST", 100)
    agree(chain, *NUMBERS, runs_by_levels=False)


def test_the_source_is_the_straight_line_and_saves(tmp_path):
    f = value_and_grad(mixed, (0, 1))
    compiled = agree(f, *NUMBERS[:2])
    assert "levels" not in compiled.source
    assert "math.tanh(x * y)" in compiled.source
    spec = importlib.util.spec_from_file_location("saved", compiled.save(tmp_path / "saved.py"))
    saved = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(saved)
    assert all(equal(saved.mixed(*numbers), f(*numbers)) for numbers in NUMBERS[:3])


def test_arguments_named_as_what_the_text_calls():
    agree(lambda levels, results, why: levels * results + why, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0))


def test_threads_share_a_program():
    f = value_and_grad(wide, (0, 1))
    compiled = agree(f, *NUMBERS[:2])
    numbers = [(0.1 * i, 1.0 - 0.2 * i) for i in range(40)]
    expected = [f(*x) for x in numbers]
    wrong = []

    def run():
        for _ in range(10):
            wrong.extend(x for x, y in zip(numbers, expected, strict=True) if compiled(*x) != y)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_few_calls_compute_a_wide_graph():
    compiled = agree(value_and_grad(wide, (0, 1)), *NUMBERS)
    (program,) = program_of(compiled).bound.values()
    assert len(program.steps) < 450  # the sum of 199 numbers, there and back


def test_a_program_does_not_keep_the_terms_that_it_was_made_of():
    others = {id(x): x for x in gc.get_objects() if type(x) is Traced}  # of programs of other tests
    compiled = agree(value_and_grad(wide, (0, 1)), *NUMBERS[:2])
    gc.collect()
    assert not [x for x in gc.get_objects() if type(x) is Traced and id(x) not in others]
    assert "t_2 = " in compiled.source
    assert compiled.source is compiled.source


def test_the_source_of_what_has_changed_since_is_not_shown():
    scale = 2.0
    compiled = compile(lambda x: scale * x * x)
    compiled(1.5)
    scale = 3.0
    with pytest.raises(TinygradError, match="has changed since it was compiled; call it before you read its source"):
        _ = compiled.source
    compiled(1.5)
    assert "3.0" in compiled.source
