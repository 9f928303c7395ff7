"""viz.fitted: curves, examples, truth and residuals are those given, and the legend has their errors."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.polynomial import Polynomial

import nn
import viz
from tinygrad_edu import DTypeError, ShapeError

X = np.linspace(0, 1, 13)
truth = lambda x: np.sin(5 * x)
Y = truth(X) + np.random.default_rng(0).normal(0, 0.2, 13)


def lines(ax):
    return {line.get_label().partition(":")[0]: line.get_xydata() for line in ax.lines}


def numbers(ax, name):
    (label,) = [text.get_text() for text in ax.get_legend().get_texts() if text.get_text().startswith(name)]
    return [float(part.split()[-1].replace("−", "-")) for part in label.split(",")]


@pytest.mark.parametrize("degree", [1, 12])
def test_curve_examples_truth_and_residuals(degree):
    line = Polynomial.fit(X, Y, degree)
    ax = viz.fitted(line, X, Y, truth=truth)
    drawn = lines(ax)
    x = drawn["prediction"][:, 0]
    assert (x[0], x[-1], len(x)) == (-0.05, 1.05, 401)
    assert np.array_equal(drawn["prediction"][:, 1], line(x))
    assert np.array_equal(drawn["truth"], np.stack([x, truth(x)], 1))
    assert np.array_equal(drawn["examples"], np.stack([X, Y], 1))
    (upright,) = ax.collections
    expected = [[[a, p], [a, b]] for a, p, b in zip(X, line(X), Y, strict=True)]
    assert np.array_equal(upright.get_segments(), expected)
    inside = (x >= 0) & (x <= 1)
    means = [np.mean((line(X) - Y) ** 2), np.mean((line(x) - truth(x))[inside] ** 2)]
    assert numbers(ax, "prediction") == pytest.approx(means, rel=1e-3)


def test_a_curve_that_swings_does_not_flatten_the_examples():
    ax = viz.fitted(lambda x: 1e6 * (x - 0.5), X, Y)
    assert ax.get_ylim() == pytest.approx((Y.min() - 0.35 * np.ptp(Y), Y.max() + 0.35 * np.ptp(Y)))


def test_several_functions_share_examples_or_have_their_own():
    fits = {f"degree {d}": Polynomial.fit(X, Y, d) for d in (1, 3)}
    ax = viz.fitted(fits, X, Y)
    assert [text.get_text().partition(":")[0] for text in ax.get_legend().get_texts()] == ["examples", *fits]
    assert not ax.collections
    assert len(viz.fitted(fits, X, Y, residuals=True).collections) == 2
    sets = {"a": (X, Y), "b": (X + 1, Y - 1)}
    ax = viz.fitted({name: Polynomial.fit(*pair, 1) for name, pair in sets.items()}, sets)
    assert [line.get_xydata().tolist() for line in ax.lines[:2]] == [np.stack(p, 1).tolist() for p in sets.values()]
    assert numbers(ax, "b") == pytest.approx(numbers(ax, "a"))
    drawn = ax.lines
    assert len({(line.get_color(), line.get_marker()) for line in drawn[:2]}) == 2
    assert len({line.get_linestyle() for line in drawn[2:]}) == 2


@pytest.mark.parametrize("dtype", [float, np.float32])
def test_a_module_runs_in_evaluation_mode(dtype):
    model = nn.Sequential(nn.Linear(1, 8, rng=0), nn.Tanh(), nn.Dropout(0.5, rng=0), nn.Linear(8, 1, rng=1)).astype(
        dtype
    )
    x, y = lines(viz.fitted(model, X[:, None], Y[:, None]))["prediction"].T
    assert model.training
    assert np.allclose(y, model.eval()(x[:, None].astype(dtype)).data[:, 0], atol=1e-6)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes_limits_and_given_axes(theme):
    _, ax = plt.subplots()
    assert viz.fitted(np.sin, X, Y, truth=truth, xlim=(-1, 2), points=11, ax=ax, theme=theme) is ax
    assert ax.get_xlim() == (-1, 2)
    assert len(ax.lines[0].get_xydata()) == 11
    viz.fitted(np.sin, [2.0], [1.0]).figure.canvas.draw()  # a single example


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"f": {}}, ShapeError, "got no functions"),
        ({"f": 2.0}, DTypeError, "got a float as f, expected a function"),
        ({"f": nn.Linear(1, 3, rng=0)}, ShapeError, r"the model returned shape \(401, 3\), expected \(401, 1\)"),
        ({"y": Y[1:]}, ShapeError, "got 13 numbers as x and 12 as y, expected equal lengths"),
        ({"x": np.ones((3, 2))}, ShapeError, r"x has shape \(3, 2\), expected \(n,\) or \(n, 1\)"),
        ({"x": np.ones((1, 13))}, ShapeError, r"x has shape \(1, 13\)"),
        ({"x": []}, ShapeError, r"x has shape \(0,\)"),
        ({"y": None}, DTypeError, "got y=None, expected finite real numbers"),
        ({"y": Y * np.nan}, DTypeError, "got y=.*expected finite real numbers"),
        ({"x": {"a": (X, Y)}}, DTypeError, "got y beside several data sets"),
        ({"x": {"a": X}, "y": None}, ShapeError, "expected a pair"),
        ({"xlim": (1, 0)}, ShapeError, "got xlim="),
        ({"points": 1}, ShapeError, "got points=1"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=f"fitted: .*{message}"):
        viz.fitted(**{"f": np.sin, "x": X, "y": Y} | arguments)
