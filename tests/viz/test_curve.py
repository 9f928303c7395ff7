"""viz.curve: the lines that it draws are the function, its derivatives, tangents and chords."""

import math
from functools import partial

import numpy as np
import pytest

import tinygrad_edu as tg
import viz
from nn.optim import SGD, trace
from tinygrad_edu import DTypeError, ShapeError
from viz import RenderError

parabola = lambda x: x**2 - 3 * x + 3


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_line_is_the_function():
    ax = viz.curve(parabola, (-1, 4))
    x, y = ax.lines[0].get_xydata().T
    assert len(x) == 401
    assert (x[0], x[-1]) == ax.get_xlim() == (-1, 4)
    assert np.allclose(y, parabola(x))
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_legend()) == ("x", "f(x)", None)


def test_derivatives_of_any_order():
    ax = viz.curve(np.sin, (-2, 2), derivative=2, points=50)
    for line, expected in zip(ax.lines, (np.sin, np.cos, lambda x: -np.sin(x)), strict=True):
        x, y = line.get_xydata().T
        assert np.allclose(y, expected(x))
    assert labels(ax) == ["sin(x)", "sin′(x)", "sin′′(x)"]
    assert len({line.get_linestyle() for line in ax.lines}) == len({line.get_color() for line in ax.lines}) == 3
    assert len(viz.curve(np.sin, (0, 1), derivative=True).lines) == 2


def test_a_tangent_touches_the_curve_with_its_slope_and_does_not_stretch_the_picture():
    ax = viz.curve(parabola, (-1, 4), tangents=[3.0, 0.0])
    (x, y), (point, *_) = ax.lines[1].get_xydata().T, ax.lines[2].get_xydata()
    assert np.allclose(y, 3 + 3 * (x - 3))
    assert point.tolist() == [3.0, 3.0]
    assert labels(ax)[1:] == ["tangent at (3, 3): slope 3", "tangent at (0, 3): slope −3"]
    assert ax.get_ylim() == viz.curve(parabola, (-1, 4)).get_ylim()
    assert labels(viz.curve(parabola, (-1, 4), tangents=3)) == ["f(x)", "tangent at (3, 3): slope 3"]


def test_a_chord_joins_two_points_of_the_curve():
    ax = viz.curve(parabola, (-1, 4), chords=[(0, 3)])
    assert ax.lines[1].get_xydata().tolist() == [[0, 3], [3, 3]]


def test_several_functions_by_name():
    ax = viz.curve({"MAE": np.abs, "MSE": np.square}, (-2, 2), derivative=True)
    assert labels(ax) == ["MAE", "MAE′", "MSE", "MSE′"]
    x, y = ax.lines[3].get_xydata().T
    assert np.allclose(y, 2 * x)


def test_measured_points_beside_functions_and_alone():
    x, y = [1.0, 2.0, 4.0], np.array([0.5, 9.0, 2.0])
    ax = viz.curve({"square": np.square, "measured": (x, y)}, (0, 5))
    line = ax.lines[1]
    assert (line.get_xdata().tolist(), line.get_ydata().tolist(), line.get_label()) == (x, y.tolist(), "measured")
    assert line.get_marker() not in ("", "None")
    assert ax.get_ylim()[1] > 25
    ax = viz.curve({"measured": (x, y)}, (1, 4))
    assert ax.get_ylim()[0] < 0.5 < 9.0 < ax.get_ylim()[1] < 10
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "measured")
    assert viz.curve({"measured": (x, y)}, (1, 4), xscale="log", yscale="log").get_xscale() == "log"


def test_a_path_lies_on_the_curve():
    path = trace(parabola, -0.5, partial(SGD, lr=0.1), 5)
    ax = viz.curve(parabola, (-1, 4), paths={"SGD": path})
    assert np.allclose(ax.lines[1].get_xydata(), np.stack([path.parameters, path.values], 1))
    assert np.allclose(ax.lines[2].get_xydata(), [[-0.5, parabola(-0.5)]])
    assert np.allclose(ax.lines[3].get_xydata()[0], [path.parameters[-1], path.values[-1]])
    assert labels(ax) == ["f(x)", "SGD", "start", "end"]


def test_a_line_has_a_gap_where_the_function_jumps():
    x, y = viz.curve(tg.relu, (-1, 1), derivative=True, points=6).lines[1].get_xydata().T
    assert y.tolist()[:4] + y.tolist()[5:] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert np.isnan(y[4])
    assert np.allclose(x[3:6], 0, atol=1e-9)
    two = viz.curve(lambda x: np.floor(x) if np.ndim(x) else math.floor(x), (0.5, 2.5)).lines[0].get_ydata()
    assert np.isnan(two).sum() == 2
    assert set(two[np.isfinite(two)]) == {0, 1, 2}


def test_a_pole_is_a_gap_that_does_not_flatten_the_rest():
    y = viz.curve(lambda x: 1 / x, (-1, 1), points=6).lines[0].get_ydata()
    assert np.isnan(y).sum() == 3
    assert np.isclose(np.nanmax(y), 5)
    viz.curve(lambda x: np.log(np.maximum(x, 0)), (-1, 1), derivative=2, points=80)
    viz.curve(np.tan, (-9, 9), derivative=1)
    assert np.isnan(viz.curve(lambda x: 1 / x, (-1, 1), points=5).lines[0].get_ydata()[2])


@pytest.mark.parametrize(
    ("f", "largest"),
    [
        (lambda x: 1 / x, 40),
        (lambda x: 1 / (x - 0.123), 40),
        (lambda x: 1 / x**2, 300),
        (lambda x: 1 / np.sqrt(np.abs(x)), 12),
        (lambda x: np.tan(9 * x), 200),
        (lambda x: np.exp(x) + 1e-3 / (x - 0.3), 4),
    ],
)
@pytest.mark.parametrize("points", [401, 400])
def test_a_pole_does_not_flatten_the_function_or_its_derivative(f, largest, points):
    x = np.linspace(-1, 1, 10)
    for options in ({}, {"derivative": True}):
        low, high = viz.curve(f, (-1, 1), points=points, **options).get_ylim()
        assert -largest < low < np.median(f(x)) < high < largest
        assert high - low > 0.5


def test_a_function_without_a_pole_is_seen_whole():
    for f in (lambda x: np.exp(20 * x), lambda x: np.log(x + 1), lambda x: np.tanh(1e6 * x), lambda x: np.sin(300 * x)):
        ax = viz.curve(f, (-1, 1))
        y = ax.lines[0].get_ydata()
        margin = 0.06 * (np.nanmax(y) - np.nanmin(y))
        assert ax.get_ylim() == pytest.approx((np.nanmin(y) - margin, np.nanmax(y) + margin))
    both = viz.curve({"steep": lambda x: 30 * x, "pole": lambda x: 1 / x}, (-1, 1)).get_ylim()
    assert both[0] < -30 < 30 < both[1] < 40
    assert viz.curve(lambda x: 1 / x, (-1, 1), tangents=[0.02]).get_ylim()[1] > 50  # the place that it touches


def test_a_pole_at_the_end_is_cut_as_well():
    assert viz.curve(np.sqrt, (0, 2), derivative=True).get_ylim()[1] < 1.6
    assert 5 < viz.curve(lambda x: 1 / x, (0, 1)).get_ylim()[1] < 15


def test_stated_limits():
    assert viz.curve(lambda x: 1 / x, (-1, 1), ylim=(-2, 3), derivative=True).get_ylim() == (-2, 3)
    with pytest.raises(ShapeError, match=r"curve: got ylim=\(3, 2\), expected the lower number first"):
        viz.curve(np.sin, (-1, 1), ylim=(3, 2))


def test_a_smooth_line_has_no_gap_however_steep():
    for f in (
        lambda x: np.tanh(1e6 * x),
        lambda x: np.exp(40 * x),
        np.abs,
        lambda x: np.sqrt(np.abs(x)),
        lambda x: 3.0,
    ):
        x, y = viz.curve(f, (-1, 1.1)).lines[0].get_xydata().T
        assert len(x) == 401
        assert np.isfinite(y).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"f": {}}, ShapeError, "got no functions"),
        (
            {"f": {"a": ([1.0], [1.0, 2.0])}},
            ShapeError,
            r"got 'a' with arrays of shape \(1,\) and \(2,\), expected a pair",
        ),
        ({"f": {"a": ([1.0],)}}, ShapeError, r"got 'a' with arrays of shape \(1,\), expected a pair"),
        ({"f": {"a": (["b"], [1.0])}}, DTypeError, "got 'a' of <U1 and float64, expected real numbers"),
        (
            {"f": {"a": ([1.0], [1.0])}, "tangents": [1.0]},
            ShapeError,
            "got measured points alone, expected a function beside",
        ),
        ({"derivative": -1}, ShapeError, "got derivative=-1, expected an integer from 0 on"),
        ({"xlim": (4, -1)}, ShapeError, "expected the lower number first"),
        ({"tangents": ["a"]}, DTypeError, "got tangents="),
        ({"chords": [1, 2, 3]}, ShapeError, "got chords of shape"),
        ({"f": np.log, "xlim": (-2, -1)}, ShapeError, "f is finite at none of the 401 points; choose other xlim"),
        ({"f": np.sqrt, "tangents": [0.0]}, DTypeError, r"f\(0\) is 0.0 with slope inf, expected finite numbers"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=f"curve: .*{message}"):
        viz.curve(**{"f": parabola, "xlim": (-1, 4)} | arguments)


def test_logarithmic_axes():
    ax = viz.curve({"h": lambda h: h, "h²": lambda h: h**2}, (1e-6, 1), xscale="log", yscale="log", points=7)
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlim()) == ("log", "log", (1e-6, 1))
    assert np.allclose(ax.lines[0].get_xdata(), 10.0 ** np.arange(-6, 1))
    assert np.allclose(ax.lines[1].get_ydata(), 10.0 ** np.arange(-12, 1, 2))
    ax.figure.canvas.draw()
    assert "^{-6}" in ax.get_xticklabels()[1].get_text()
    assert ax.get_xticklabels()[1].get_parse_math(), "powers are not drawn as dollars and braces"


def test_a_logarithmic_axis_leaves_out_what_is_not_positive_and_rounding_errors_have_no_gaps():
    y = viz.curve(lambda x: x, (-1, 1), yscale="log", points=5).lines[0].get_ydata()
    assert np.isnan(y).tolist() == [True, True, True, False, False]
    noise = viz.curve(lambda h: abs((np.exp(h) - 1) / h - 1) + 1e-30, (1e-16, 1), xscale="log", yscale="log").lines[0]
    assert len(noise.get_xdata()) == 401
    assert np.isfinite(noise.get_ydata()).all()
    assert viz.curve(np.exp, (0, 1), yscale="log", ylim=(0.5, 10)).get_ylim() == (0.5, 10)
    x, y = viz.curve(np.sqrt, (1, 100), xscale="log", derivative=True, points=3).lines[1].get_xydata().T
    assert np.allclose(y, 0.5 / np.sqrt([1, 10, 100]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"xscale": "symlog"}, 'got xscale=.symlog., expected "linear" or "log"'),
        ({"yscale": None}, 'got yscale=None, expected "linear" or "log"'),
        ({"xscale": "log", "xlim": (0, 1)}, 'got xscale="log" and xlim from 0, expected xlim to begin above 0'),
        ({"yscale": "log", "tangents": [1]}, "got tangents or chords on a logarithmic axis"),
        ({"xscale": "log", "chords": [(1, 2)]}, "got tangents or chords on a logarithmic axis"),
    ],
)
def test_what_does_not_go_with_a_logarithmic_axis_is_refused(arguments, message):
    with pytest.raises(RenderError, match=f"curve: {message}"):
        viz.curve(**{"f": parabola, "xlim": (1, 4)} | arguments)
