"""viz.contour: level sets, levels, gradient arrows and paths are those of the function."""

import itertools
from functools import partial

import numpy as np
import pytest

import viz
from nn.optim import SGD, trace
from tinygrad_edu import DTypeError, ShapeError
from viz import RenderError
from viz.plots.levels import levels_of, scale_of
from viz.plots.path import read

bowl = lambda x, y: x**2 + 3 * y**2
slope = lambda x, y: (x - 40) ** 2 + y


def lines_of(ax):
    """The contour lines: vertices, with the level of each."""
    (lines,) = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    return [(level, path.vertices) for level, path in zip(lines.levels, lines.get_paths(), strict=True)]


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_level_sets_have_their_level_and_the_gradient_is_perpendicular_to_them():
    ax = viz.contour(bowl, (-3, 3), (-2, 2), arrows=True)
    lines = lines_of(ax)
    assert [level for level, _ in lines] == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    for level, points in lines:
        assert np.allclose(bowl(*points.T), level, atol=0.01)
    (quiver,) = [c for c in ax.collections if type(c).__name__ == "Quiver"]
    gradient = np.stack([2 * quiver.XY[:, 0], 6 * quiver.XY[:, 1]])
    drawn = np.stack([quiver.U, quiver.V])
    assert np.allclose(drawn[0] * gradient[1], drawn[1] * gradient[0])
    assert np.allclose(np.hypot(*drawn) / np.hypot(*gradient), np.hypot(*drawn)[0] / np.hypot(*gradient)[:1])
    assert ax.get_aspect() == 1
    assert labels(ax) == [f"→ gradient (≤ {np.hypot(*gradient).max():.4g})"]


def test_names_limits_and_the_form_of_one_array():
    ax = viz.contour(lambda w, b: bowl(w, b), (-3, 3), (-2, 2))
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_xlim(), ax.get_ylim()) == ("w", "b", (-3, 3), (-2, 2))
    other = viz.contour(lambda p: bowl(p[0], p[1]), (-3, 3), (-2, 2))
    assert other.get_xlabel() == "p[0]"
    assert all(np.allclose(a, b) for (_, a), (_, b) in zip(lines_of(ax), lines_of(other), strict=True))


@pytest.mark.parametrize(
    ("ylim", "aspect"), [((-2, 2), 1), ((-1, 1), 1), ((-0.9, 0.9), "auto"), ((-9, 9), 1), ((-10, 10), "auto")]
)
def test_ranges_that_are_alike_have_one_scale(ylim, aspect):
    assert viz.contour(bowl, (-3, 3), ylim, points=11).get_aspect() == aspect
    assert viz.contour(bowl, (-3, 3), ylim, points=11, arrows=True).get_aspect() == 1
    assert viz.slices(bowl, (-3, 3), ylim, points=11).axes[1].get_aspect() == aspect


def test_paths_are_drawn_step_by_step_with_their_ends():
    paths = {name: trace(bowl, (-2.0, 1.5), partial(SGD, lr=lr), 8) for name, lr in (("slow", 0.01), ("fast", 0.3))}
    ax = viz.contour(bowl, (-3, 3), (-2, 2), paths=paths)
    for k, path in enumerate(paths.values()):
        points = np.stack(path.parameters, 1)
        line, start, end = ax.lines[3 * k : 3 * k + 3]
        assert np.allclose(line.get_xydata(), points)
        assert np.allclose(start.get_xydata(), points[:1])
        assert np.allclose(end.get_xydata(), points[-1:])
    assert labels(ax) == ["slow", "fast", "start", "end"]
    drawn = [ax.lines[0], ax.lines[3]]
    assert len({line.get_marker() for line in drawn}) == len({line.get_linestyle() for line in drawn}) == 2


def test_a_path_that_diverges_or_leaves_says_so():
    paths = {"d": trace(bowl, (1.0, 1.0), partial(SGD, lr=1e200), 5), "l": np.array([[0.0, 0.0], [9.0, 0.0]])}
    ax = viz.contour(bowl, (-3, 3), (-2, 2), paths=paths)
    assert labels(ax) == ["d (diverges)", "l (leaves the picture)", "start", "end"]
    assert np.isfinite(ax.lines[0].get_xydata()).all()
    assert ax.get_xlim() == (-3, 3)


@pytest.mark.parametrize(
    ("f", "path", "label"),
    [
        (bowl, trace(bowl, (-2.0, 1.0), partial(SGD, lr=0.35), 6), "path (diverges)"),  # though it is still in the picture
        (bowl, trace(bowl, (-2.0, 1.0), partial(SGD, lr=0.35), 12), "path (diverges)"),
        (bowl, trace(bowl, (-2.0, 1.0), partial(SGD, lr=0.33), 12), "path"),  # swings, but comes closer
        (bowl, trace(bowl, (-2.9, 1.9), partial(SGD, lr=0.36, momentum=0.5), 40), "path (partly outside the picture)"),
        (slope, trace(slope, (2.5, 1.0), partial(SGD, lr=0.001, momentum=0.9), 8), "path (leaves the picture)"),
        (bowl, np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), "path"),
        (bowl, np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 0.0]]), "path (partly outside the picture)"),
        (bowl, np.array([[0.0, 0.0], [np.inf, 0.0]]), "path (diverges)"),
    ],
)  # fmt: skip
def test_a_path_that_diverges_is_told_from_one_that_leaves_the_picture(f, path, label):
    assert labels(viz.contour(f, (-3, 3), (-2, 2), paths=path))[0] == label


def test_no_path_hides_another():
    paths = {name: np.linspace([-2, -1], [2, 1], steps) for name, steps in (("a", 400), ("b", 30), ("c", 90))}
    ax = viz.contour(bowl, (-3, 3), (-2, 2), paths=paths)
    drawn = [ax.lines[0], ax.lines[3], ax.lines[6]]
    widths = [line.get_linewidth() for line in drawn]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] - widths[1] >= 1
    assert [line.get_markevery()[1] for line in drawn] == [10, 1, 2]
    assert len(drawn[0].get_xydata()) == 400


@pytest.mark.parametrize(
    "given",
    [
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        [[1.0, 2.0], [3.0, 4.0]],
        [(1.0, 2.0), (3.0, 4.0)],
        (np.array([1.0, 3.0]), np.array([2.0, 4.0])),
        {"name": np.array([[1.0, 2.0], [3.0, 4.0]])},
    ],
)
def test_forms_of_a_path(given):
    (path,) = read("plot", given, 2)
    assert path.points.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"a": np.zeros((3, 3))},
            ShapeError,
            r"path 'a' has shape \(3, 3\), expected a Trace of nn.optim.trace, or points",
        ),
        ({"a": np.zeros(3)}, ShapeError, r"path 'a' has shape \(3,\)"),
        ({"a": np.zeros((0, 2))}, ShapeError, r"path 'a' has shape \(0, 2\)"),
        ({"a": "text"}, DTypeError, "path 'a' is a str"),
        ({"a": np.full((2, 2), np.nan)}, ShapeError, "path 'a' begins at"),
        ((np.zeros(2), np.zeros(3)), ShapeError, "path 'path' has shape"),
    ],
)
def test_bad_paths_are_named(given, error, message):
    with pytest.raises(error, match=f"plot: {message}"):
        read("plot", given, 2)


def test_logarithmic_levels_are_round_and_reach_to_the_minimum():
    rosenbrock = lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2
    ax = viz.contour(rosenbrock, (-2, 2), (-1, 3), scale="log", arrows=True)
    levels = np.array([level for level, _ in lines_of(ax)])
    assert np.all(np.diff(np.log10(levels)) < 0.55)
    assert levels[0] <= 1
    (quiver,) = [c for c in ax.collections if type(c).__name__ == "Quiver"]
    assert np.allclose(np.hypot(quiver.U, quiver.V), np.hypot(quiver.U[0], quiver.V[0]))
    assert labels(ax) == ["→ gradient (direction)"]


ROSENBROCK = lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2


@pytest.mark.parametrize(
    ("f", "xlim", "ylim", "scale"),
    [
        (ROSENBROCK, (-2, 2), (-1, 3), "log"),
        (lambda x, y: ROSENBROCK(x, y) - 50, (-2, 2), (-1, 3), "log"),
        (lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2, (-8, 8), (-8, 8), "log"),  # Himmelblau's
        (lambda x, y: ROSENBROCK(x, y) + 1e4, (-2, 2), (-1, 3), "linear"),  # does not span decades
        (bowl, (-3, 3), (-2, 2), "linear"),
        (lambda x, y: x**2 - y**2, (-3, 3), (-3, 3), "linear"),
        (lambda x, y: np.exp(-(x**2) - y**2), (-4, 4), (-4, 4), "linear"),  # a hill: its foot is flat
        (lambda x, y: np.maximum(x * y - 3, 0), (-4, 4), (-4, 4), "linear"),
        (lambda x, y: 3 + 0 * x, (-3, 3), (-3, 3), "linear"),
    ],
)
def test_a_valley_gets_logarithmic_levels(f, xlim, ylim, scale):
    values = f(*np.meshgrid(np.linspace(*xlim, 121), np.linspace(*ylim, 121)))
    assert scale_of("plot", values, "auto") == scale
    assert scale_of("plot", values, "log") == "log"
    levels = [[level for level, _ in lines_of(viz.contour(f, xlim, ylim, **o))] for o in ({}, {"scale": scale})]
    assert levels[0] == levels[1]


def test_equal_levels_have_equal_colours_in_two_plots():
    def colours(f):
        ax = viz.contour(f, (-3, 3), (-2, 2), levels=[1, 4, 9])
        (filled,) = [c for c in ax.collections if getattr(c, "filled", False)]
        middles = (filled.levels[1:] + filled.levels[:-1]) / 2
        return dict(zip(np.searchsorted([1, 4, 9], middles).tolist(), map(tuple, filled.get_facecolor()), strict=True))

    low, high = colours(bowl), colours(lambda x, y: bowl(x, y) + 2)
    assert list(low) == [0, 1, 2, 3]
    assert list(high) == [1, 2, 3]
    assert len(set(low.values())) == 4
    assert all(low[band] == colour for band, colour in high.items())


@pytest.mark.parametrize(
    ("low", "high", "scale", "expected"),
    [
        (0.0, 10.0, "linear", [2, 4, 6, 8]),
        (-1.0, 1.0, "linear", [-0.5, 0, 0.5]),
        (0.5, 2000.0, "log", [1, 3, 10, 30, 100, 300, 1000]),
        (0.0, 1e9, "log", [3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8]),
        (-10.0, 990.0, "log", [-9.7, -9, -7, 0, 20, 90, 290]),
        (1.0, 1.0, "linear", [1.0]),
    ],
)
def test_levels(low, high, scale, expected):
    found = levels_of("plot", np.array([low, high]), 5, scale)
    assert np.allclose(found, expected)


@pytest.mark.parametrize(
    "f", [lambda x, y: x * 0 - 1, lambda x, y: -(x**2) - y**2, lambda x, y: 1e-9 * x, lambda x, y: np.log(x + y)]
)
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_flat_negative_tiny_and_partly_undefined_functions(f, scale):
    ax = viz.contour(f, (-1, 1), (-1, 1), scale=scale, arrows=True, points=21)
    ax.figure.canvas.draw()
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 1), (-1, 1))


def test_stated_levels():
    assert [level for level, _ in lines_of(viz.contour(bowl, (-3, 3), (-2, 2), levels=[4, 1]))] == [1, 4]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"scale": "loglog"}, RenderError, 'got scale=\'loglog\', expected "auto", "linear" or "log"'),
        ({"levels": 0}, ShapeError, "got levels=0, expected at least 1"),
        ({"levels": "many"}, DTypeError, "got levels='many', expected how many, or the levels"),
        ({"levels": []}, ShapeError, "expected at least one level"),
        ({"points": 1}, ShapeError, "got points=1, expected an integer from 2 on"),
        ({"ylim": None}, ShapeError, "got ylim=None, expected two numbers"),
        (
            {"f": lambda x, y: np.log(-1 - x * 0)},
            ShapeError,
            "f is finite at none of the 14641 points; choose other xlim and ylim",
        ),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=f"contour: .*{message}"):
        viz.contour(**{"f": bowl, "xlim": (-3, 3), "ylim": (-2, 2)} | arguments)


@pytest.mark.parametrize("size", [(3, 2), (7, 4.6)])
def test_numbers_of_lines_do_not_lie_on_each_other_or_stand_out(size):
    figure = viz.contour(bowl, (-3, 3), (-2.5, 2.5), levels=range(1, 28)).figure
    figure.set_size_inches(*size)
    for _ in range(2):  # the second time as the first
        figure.canvas.draw()
        ax = figure.axes[0]
        boxes = [text.get_window_extent() for text in ax.texts if text.get_visible()]
        assert 5 < len(boxes) < len(ax.texts)
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
        frame = ax.get_window_extent()
        assert all(frame.contains(*box.min) and frame.contains(*box.max) for box in boxes)
