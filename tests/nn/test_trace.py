"""nn.optim.trace: paths against updates by hand, every optimiser and schedule, trees, and what is refused."""

from collections import namedtuple
from functools import partial

import numpy as np
import pytest

import nn
from nn.functional import mse_loss
from nn.optim import LBFGS, SGD, Adagrad, Adam, AdamW, RMSprop, Trace, trace
from nn.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from tinygrad_edu import DTypeError, GradientWarning, ShapeError, TinygradError, Value, grad

bowl = lambda x, y: x**2 + 3 * y**2
Point = namedtuple("Point", "x y")


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def test_gradient_descent_point_by_point():
    path = trace(lambda x: x**2, 1.0, partial(SGD, lr=0.25), 3)
    assert path.parameters.tolist() == [1.0, 0.5, 0.25, 0.125]
    assert path.values.tolist() == [1.0, 0.25, 0.0625, 0.015625]
    assert path.gradients.tolist() == [2.0, 1.0, 0.5, 0.25]


@pytest.mark.parametrize("optimizer", [SGD, partial(SGD, momentum=0.9, nesterov=True), Adagrad, Adam, AdamW, RMSprop])
def test_every_optimiser_takes_the_path_that_a_loop_takes(optimizer):
    start = np.array([-1.0, 2.0])
    path = trace(rosenbrock, start, partial(optimizer, lr=1e-3), 5)
    p = Value(start.copy())
    by_hand = optimizer([p], lr=1e-3)
    for k in range(6):
        assert np.array_equal(path.parameters[k], p.data)
        y = rosenbrock(p)
        p.grad = None
        y.backward()
        assert np.array_equal(path.gradients[k], p.grad)
        assert path.values[k] == y.data
        by_hand.step()
    assert path.parameters.shape == path.gradients.shape == (6, 2)
    assert start.tolist() == [-1.0, 2.0]


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_evaluates_at_each_place_that_it_tries(search):
    make = partial(LBFGS, lr=1.0 if search else 0.1, max_iter=4, line_search_fn=search)
    path = trace(rosenbrock, np.array([-1.0, 2.0]), make, 12)
    p = Value(np.array([-1.0, 2.0]))
    optimizer = make([p])

    def closure():
        p.grad = None
        y = rosenbrock(p)
        y.backward()
        return y

    for k in range(13):
        assert np.allclose(path.parameters[k], p.data, rtol=1e-12)
        optimizer.step(closure)
    assert np.allclose(path.gradients[-1], grad(rosenbrock)(path.parameters[-1]))
    if search:
        assert np.allclose(path.parameters[-1], 1)


def test_f_is_evaluated_once_a_point():
    calls = []
    trace(lambda x: calls.append(1) or x**2, 1.0, partial(SGD, lr=0.1), 7)
    assert len(calls) == 8


def test_a_schedule_is_stepped_after_each_step():
    path = trace(lambda x: x, 0.0, partial(SGD, lr=1.0), 4, make_schedule=lambda o: StepLR(o, 2, gamma=0.1))
    assert np.allclose(np.diff(path.parameters), [-1, -1, -0.1, -0.1])
    rises = trace(lambda x: -x, 0.0, partial(SGD, lr=1.0), 3, lambda o: ReduceLROnPlateau(o, mode="max", patience=0))
    assert np.allclose(np.diff(rises.parameters), [1, 1, 0.1])


def test_trees_keep_their_structure():
    f = lambda t: np.sum(t["w"] ** 2) + (t["b"][0] - 1) ** 2
    path = trace(f, {"w": np.ones((2, 3), np.float32), "b": [0]}, partial(SGD, lr=0.5), 2)
    assert path.parameters["w"].shape == (3, 2, 3)
    assert path.parameters["w"].dtype == np.float32
    assert path.parameters["b"][0].tolist() == [0.0, 1.0, 1.0]
    assert path.gradients["b"][0].tolist() == [-2.0, 0.0, 0.0]


def test_two_arguments_or_one_tuple():
    make = partial(SGD, lr=0.1)
    expected = trace(lambda p: bowl(p[0], p[1]), np.array([1.0, 2.0]), make, 3).parameters
    for f in (bowl, lambda *p: bowl(*p), lambda p: bowl(*p)):
        x, y = trace(f, (1.0, 2.0), make, 3).parameters
        assert np.allclose(np.stack([x, y], 1), expected)
    named = trace(lambda p: bowl(p.x, p.y), Point(1.0, 2.0), make, 3).parameters
    assert np.allclose(named.y, expected[:, 1])
    assert np.allclose(trace(np.hypot, (3, 4), make, 1).gradients, [[0.6, 0.6], [0.8, 0.8]])


def test_a_model_by_functional_call_keeps_its_parameters_and_gradients():
    model = nn.Linear(2, 1, rng=0)
    x, y = np.ones((4, 2)), np.zeros((4, 1))
    before = model.state_dict()
    bias = {"bias": before["bias"]}
    path = trace(lambda p: mse_loss(nn.functional_call(model, p, x), y), bias, partial(SGD, lr=0.1), 5)
    assert path.values[-1] < path.values[0]
    assert all(p.grad is None for p in model.parameters())
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())


def test_gradients_are_not_recorded_even_if_f_uses_other_values():
    given, w = [], Value(3.0)
    trace(lambda x: w * x**2, 1.0, lambda p: given.extend(p) or SGD(p, lr=0.1), 2)
    assert not isinstance(given[0].grad, Value)
    assert w.grad is None


def test_divergence_goes_on_to_infinity():
    path = trace(lambda x: x**2, 1.0, partial(SGD, lr=1e200), 4)
    assert len(path.values) == 5
    assert not np.isfinite(path.values[-1])


def test_a_parameter_without_influence_has_gradient_0():
    with pytest.warns(GradientWarning):
        path = trace(lambda x, y: x**2, (1.0, 2.0), partial(SGD, lr=0.1), 1)
    assert path.gradients[1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("f", "start", "make", "steps", "error", "message"),
    [
        (bowl, (1.0, 2.0), partial(SGD, lr=0.1), -1, ShapeError, "got steps=-1, expected an integer from 0 on"),
        (bowl, (1.0, 2.0), partial(SGD, lr=0.1), 2.5, ShapeError, "got steps=2.5"),
        (bowl, (1.0, 2j), partial(SGD, lr=0.1), 1, DTypeError, "got a start of complex128, expected real numbers"),
        (bowl, "xy", partial(SGD, lr=0.1), 1, DTypeError, "got a start of <U2"),
        (bowl, (), partial(SGD, lr=0.1), 1, TinygradError, "got a start without numbers"),
        (bowl, (1.0, 2.0), lambda p: None, 1, TinygradError, "make_optimizer returned a NoneType; pass lambda p: SGD"),
        (
            lambda p: p * 2,
            np.ones(3),
            partial(SGD, lr=0.1),
            1,
            ShapeError,
            r"f returned shape \(3,\), expected a single number",
        ),
        (
            lambda x, y=1.0: x,
            (1.0, 2.0),
            partial(SGD, lr=0.1),
            1,
            TinygradError,
            "got a function of 1 to 2 arguments, expected one of 2",
        ),
        (max, (1.0, 2.0), partial(SGD, lr=0.1), 1, TinygradError, "got a function without a signature"),
    ],
)
def test_what_is_refused(f, start, make, steps, error, message):
    with pytest.raises(error, match=f"trace: .*{message}"):
        trace(f, start, make, steps)


def test_a_trace_is_a_copy():
    path = trace(lambda p: (p**2).sum(), np.array([1.0]), partial(SGD, lr=0.5), 1)
    assert isinstance(path, Trace)
    assert path.parameters.base is None


@pytest.mark.parametrize(
    ("f", "start", "names"),
    [
        (lambda C, m: C**2 + m**2, (1.0, 2.0), ("C", "m")),
        (lambda x: x**2, 1.0, ("x",)),
        (np.square, 1.0, ("x",)),
        (lambda p: p.sum(), np.ones((1, 2)), ("p[0, 0]", "p[0, 1]")),
        (lambda p: p["w"].sum() + p["b"], {"w": np.ones(2), "b": 1.0}, ("w[0]", "w[1]", "b")),
        (lambda p: p["a"]["w"] + p["a"]["b"][0], {"a": {"w": 1.0, "b": (1.0, None)}}, ("a.w", "a.b.0")),
        (lambda *p: p[0] * p[1], (1.0, 2.0), ("x0", "x1")),
    ],
)
def test_each_number_has_a_name(f, start, names):
    path = trace(f, start, partial(SGD, lr=0.1), 1)
    assert path.names == names
    assert path.table().header == ["step", *names, *[f"∂/∂{name}" for name in names], "value"]


def test_the_table_has_the_numbers_of_each_step():
    path = trace(lambda C, m: C**2 + 3 * m, (1.0, 2.0), partial(SGD, lr=0.25), 2)
    assert [list(map(float, row)) for row in path.table().rows] == [
        [0, 1.0, 2.0, 2.0, 3.0, 7.0],
        [1, 0.5, 1.25, 1.0, 3.0, 4.0],
        [2, 0.25, 0.5, 0.5, 3.0, 1.5625],
    ]
    assert repr(path) == "<Trace: 2 steps, from 7 to 1.5625>"
    assert str(path) == str(path.table())
    assert path._repr_html_() == path.table()._repr_html_()


def test_a_long_table_has_a_gap_and_both_ends():
    steps = [row[0] for row in trace(lambda x: x**2, 1.0, partial(SGD, lr=0.1), 50).table().rows]
    assert steps == ["0", "1", "2", "3", "4", "5", "...", "45", "46", "47", "48", "49", "50"]
    steps = [row[0] for row in trace(lambda x: x**2, 1.0, partial(SGD, lr=0.1), 12).table().rows]
    assert steps == [str(k) for k in range(13)]


def test_a_path_of_many_numbers_has_no_table():
    path = trace(lambda p: p.sum(), np.ones(9), partial(SGD, lr=0.1), 1)
    with pytest.raises(ShapeError, match="Trace: got a path of 9 numbers, expected at most 8 for a table"):
        path.table()
    assert str(path) == repr(path)
    assert path._repr_html_() is None
