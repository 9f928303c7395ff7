"""Functions of users over grids: whole grids and single points agree, gradients are right, and what is refused."""

import math

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value
from viz.plots.field import Field, count, finite, grid, limits, places

X, Y = grid((-2, 3), (-1, 2), 7)
A = np.array([[2.0, 1.0], [1.0, 3.0]])
DATA = np.linspace(-1, 1, 7)  # as long as a side of the grid, to be mistaken for it


def branch(x, y):
    return x**2 + 3 * y if x > 0 else 3 * y


@pytest.mark.parametrize(
    ("f", "value", "dx", "dy"),
    [
        (lambda x, y: x**2 + 3 * y, X**2 + 3 * Y, 2 * X, 3 + 0 * Y),
        (lambda p: p[0] ** 2 + 3 * p[1], X**2 + 3 * Y, 2 * X, 3 + 0 * Y),
        (lambda p: np.sum(p**2), X**2 + Y**2, 2 * X, 2 * Y),
        (lambda p: p @ A @ p, 2 * X**2 + 2 * X * Y + 3 * Y**2, 4 * X + 2 * Y, 2 * X + 6 * Y),
        (branch, np.where(X > 0, X**2, 0) + 3 * Y, np.where(X > 0, 2 * X, 0), 3 + 0 * Y),
        (np.hypot, np.hypot(X, Y), X / np.hypot(X, Y), Y / np.hypot(X, Y)),
        (lambda *p: p[0] * p[1], X * Y, Y, X),
        (
            lambda a, b: tg.sum((a * DATA + b) ** 2),
            sum((X * d + Y) ** 2 for d in DATA),
            sum(2 * (X * d + Y) * d for d in DATA),
            sum(2 * (X * d + Y) for d in DATA),
        ),
        (lambda a, b: np.mean(a * DATA + b), X * 0 + Y, X * 0, X * 0 + 1),
        (lambda x, y: 5.0, X * 0 + 5, X * 0, Y * 0),
        (lambda x, y: 2 * x, 2 * X, X * 0 + 2, Y * 0),
        (lambda x, y: np.cumsum(x, axis=-1) if np.ndim(x) else x + y, X + Y, X * 0 + 1, X * 0 + 1),
        (lambda x, y: np.sort(x) + y if np.ndim(x) == 1 else x * y, X * Y, Y, X),
    ],
)
def test_values_and_gradients_over_a_grid_are_those_of_single_points(f, value, dx, dy):
    field = Field("plot", f, 2)
    assert np.allclose(field.values(X, Y), value)
    found = field.gradients(X, Y)
    assert np.allclose(found[0], dx)
    assert np.allclose(found[1], dy)
    assert np.isclose(field.at(1.5, -0.5)[0], Field("plot", f, 2).values(np.array([1.5]), np.array([-0.5]))[0])


def test_a_function_that_takes_arrays_is_called_once_for_a_grid_and_a_few_times_for_its_points():
    calls = []
    Field("plot", lambda x, y: calls.append(1) or x * y, 2).values(*grid((0, 1), (0, 1), 50))
    assert len(calls) <= 6
    calls.clear()
    Field("plot", lambda x, y: calls.append(1) or x * y, 2).gradients(*grid((0, 1), (0, 1), 50))
    assert len(calls) <= 6


def test_a_function_of_math_is_called_point_by_point():
    field = Field("plot", math.sin, 1)
    x = np.linspace(0, 3, 5)
    assert np.allclose(field.values(x), np.sin(x))


def test_derivatives_of_one_variable():
    field = Field("plot", np.sin, 1)
    x = np.linspace(-2, 2, 9)
    assert np.allclose(field.derivative().values(x), np.cos(x))
    assert np.allclose(field.derivative().derivative().values(x), -np.sin(x))
    assert (field.name, field.derivative().derivative().name) == ("sin", "sin′′")
    kinked = Field("plot", lambda x: x**2 if x > 0 else -x, 1)
    assert np.allclose(kinked.derivative().values(x), np.where(x > 0, 2 * x, -1))


def test_infinities_pass_without_a_warning():
    assert Field("plot", lambda x: 1 / x, 1).values(np.array([0.0, 2.0])).tolist() == [np.inf, 0.5]
    assert np.isnan(Field("plot", lambda x: np.log(x) if x < 9 else x, 1).values(np.array([-1.0, 1.0]))[0])
    assert Field("plot", lambda x: x**2, 1).values(np.array([1e200])).tolist() == [np.inf]


def test_names_come_from_the_signature():
    assert Field("plot", lambda w, b: w * b, 2).names == ("w", "b")
    assert Field("plot", lambda p: p[0], 2).names == ("p[0]", "p[1]")
    assert Field("plot", np.hypot, 2).names == ("x", "y")
    assert Field("plot", np.tanh, 1).names == ("x",)
    assert (Field("plot", lambda x: x, 1).name, Field("plot", np.tanh, 1).name) == ("f", "tanh")


def test_no_graph_is_recorded_and_outer_values_keep_their_gradients():
    w = Value(2.0)
    field = Field("plot", lambda x, y: w * x + y, 2)
    assert np.allclose(field.values(X, Y), 2 * X + Y)
    assert np.allclose(field.gradients(X, Y)[0], 2)
    assert w.grad is None


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (3.0, DTypeError, "got a float as f, expected a function such as lambda x: x"),
        (
            lambda x, y: np.stack([x, y]),
            ShapeError,
            r"f\(x, y\) returned shape \(2,\), expected a single number; reduce it",
        ),
        (lambda x, y: "a", DTypeError, "f returned <U1, expected a real number"),
        (lambda x, y: None, DTypeError, "f returned a NoneType, expected a real number"),
        (lambda x, y: 1j, DTypeError, "f returned complex128, expected a real number"),
        (
            lambda x, y=1.0: x,
            TinygradError,
            "got a function of 1 to 2 arguments, expected one of 2 numbers or of one array",
        ),
        (max, TinygradError, "got a function without a signature.* pass lambda x, y: f"),
    ],
)
def test_bad_functions_are_named(f, error, message):
    with pytest.raises(error, match=f"plot: .*{message}"):
        Field("plot", f, 2).values(X, Y)


def test_an_error_of_the_function_itself_is_shown():
    with pytest.raises(KeyError, match="mine"):
        Field("plot", lambda x, y: {}["mine"], 2).values(X, Y)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (3, ShapeError, "got xlim=3, expected two numbers"),
        ((1, 2, 3), ShapeError, "got xlim="),
        ((2, 1), ShapeError, r"got xlim=\(2, 1\), expected the lower number first"),
        ((1, 1), ShapeError, "expected the lower number first"),
        ((0, math.inf), DTypeError, "got inf in xlim, expected a finite real number"),
        ((0, "a"), DTypeError, "got 'a' in xlim"),
    ],
)
def test_bad_limits_are_named(given, error, message):
    with pytest.raises(error, match=f"plot: .*{message}"):
        limits("plot", "xlim", given)


def test_points_with_and_without_brackets():
    assert places("plot", "tangents", 3.0, 1).tolist() == [[3.0]]
    assert places("plot", "tangents", [3.0, 4], 1).tolist() == [[3.0], [4.0]]
    assert places("plot", "tangents", (0, 2), 2).tolist() == [[0.0, 2.0]]
    assert places("plot", "tangents", [(0, 2), (1, 1)], 2).shape == (2, 2)
    assert places("plot", "tangents", (), 2).shape == (0, 2)
    for wrong, error in (
        (3.0, ShapeError),
        ([1, 2, 3], ShapeError),
        ([["a", 1]], DTypeError),
        ([(math.nan, 1)], DTypeError),
    ):
        with pytest.raises(error, match="plot: got tangents"):
            places("plot", "tangents", wrong, 2)


def test_counts_and_values_without_a_finite_number():
    for wrong in (1, 2.5, True, "a"):
        with pytest.raises(ShapeError, match="plot: got points=.*, expected an integer from 2 on"):
            count("plot", "points", wrong)
    with pytest.raises(ShapeError, match="plot: f is finite at none of the 2 points; choose other xlim"):
        finite("plot", np.array([np.nan, np.inf]), ["xlim"])
