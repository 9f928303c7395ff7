"""viz.directional, cut, slices and level_set: slopes by angle, along a cut, and across a level set."""

import numpy as np
import pytest

import viz
from tinygrad_edu import DTypeError, ShapeError
from viz import RenderError

bowl = lambda x, y: x**2 + 3 * y**2


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_directional_derivative_by_angle():
    ax = viz.directional(bowl, (2.0, 1.0))  # gradient (4, 6)
    angle, slope = ax.lines[0].get_data()
    assert np.allclose(slope, 4 * np.cos(np.radians(angle)) + 6 * np.sin(np.radians(angle)))
    most, least, zero = [np.stack(line.get_data(), 1) for line in ax.lines[2:]]
    steepest = np.degrees(np.arctan2(6, 4))
    assert np.allclose(most, [[steepest, np.sqrt(52)]])
    assert np.allclose(least, [[steepest + 180, -np.sqrt(52)]])
    assert np.allclose(zero, [[steepest + 90, 0], [steepest + 270, 0]])
    assert labels(ax)[1:] == [
        "gradient: 7.211 at 56.3°",
        "steepest descent: −7.211 at 236.3°",
        "level set: 0 at 146.3° and 326.3°",
    ]
    step = 1e-6
    for a, s in zip(np.radians(angle[::40]), slope[::40], strict=True):
        ahead, behind = (bowl(2 + t * np.cos(a), 1 + t * np.sin(a)) for t in (step, -step))
        assert np.isclose((ahead - behind) / (2 * step), s, atol=1e-6)


def test_where_the_gradient_is_0_no_direction_is_marked():
    ax = viz.directional(bowl, (0.0, 0.0))
    assert np.allclose(ax.lines[0].get_ydata(), 0)
    assert labels(ax) == ["directional derivative"]


@pytest.mark.parametrize(("angle", "slope"), [(0, 2.0), (90, 6.0), (45, 8 / np.sqrt(2)), (200, None)])
def test_the_cut_is_the_function_along_a_line_and_its_tangent_has_the_directional_derivative(angle, slope):
    figure = viz.cut(bowl, (-3, 3), (-2, 4), (1.0, 1.0), angle=angle)
    left, right = figure.axes
    direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    distance, height = right.lines[0].get_data()
    x, y, z = left.lines[0].get_data_3d()
    assert np.allclose(np.stack([x, y], 1), np.add([1, 1], distance[:, None] * direction))
    assert np.allclose(height, bowl(x, y))
    assert np.allclose(z, height)
    ends = [[x[k], y[k]] for k in (0, -1)]
    assert all(np.isclose(a, (-3, 3)).any() or np.isclose(b, (-2, 4)).any() for a, b in ends)
    t, tangent = right.lines[1].get_data()
    expected = direction @ [2, 6] if slope is None else slope
    assert np.allclose(tangent, 4 + expected * t)
    assert labels(right)[0] == f"cut at {angle}°"


def test_slices_project_to_the_contour_map():
    left, right = viz.slices(bowl, (-3, 3), (-2, 2), levels=[3, 6, 9]).axes
    (lines,) = [c for c in right.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    assert lines.levels.tolist() == [3, 6, 9]
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        assert np.allclose(bowl(*path.vertices.T), level, atol=0.02)
    assert left.get_zticks().tolist() == [3, 6, 9]
    assert left.get_zlim()[0] < 0


def test_a_level_set_its_tangent_and_the_gradient_at_a_right_angle():
    ax = viz.level_set(bowl, (-3, 3), (-2, 2), [(1.0, 1.0), (-2.0, 0.5)])
    assert ax.get_aspect() == 1
    quivers = [c for c in ax.collections if type(c).__name__ == "Quiver"]
    tangents = [line for line in ax.lines if line.get_linestyle() == "--"]
    for (x, y), quiver, tangent in zip([(1, 1), (-2, 0.5)], quivers, tangents, strict=True):
        assert np.allclose(quiver.XY, [[x, y]])
        assert np.isclose(quiver.U[0] * 6 * y, quiver.V[0] * 2 * x)
        assert quiver.U[0] * x > 0
        along = np.diff(tangent.get_xydata(), axis=0)[0]
        assert np.isclose(along @ [quiver.U[0], quiver.V[0]], 0)
        assert np.allclose(tangent.get_xydata().mean(axis=0), [x, y])
    (lines,) = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    assert lines.levels.tolist() == [4, 4.75]
    assert labels(ax) == ["tangent", "gradient"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: viz.directional(bowl, (1, 2, 3)), ShapeError, r"directional: got point of shape \(3,\)"),
        (lambda: viz.directional(bowl, [(1, 2), (3, 4)]), ShapeError, "directional: got 2 points, expected one"),
        (
            lambda: viz.directional(lambda x, y: np.log(x * y), (0, 1)),
            DTypeError,
            r"directional: f\(0, 1\) is -inf with gradient",
        ),
        (
            lambda: viz.cut(bowl, (-1, 1), (-1, 1), (2, 0)),
            RenderError,
            r"cut: got point=\(2, 0\), expected a point within xlim and ylim",
        ),
        (lambda: viz.cut(bowl, (-1, 1), (-1, 1), (0, 0), angle="up"), DTypeError, "cut: got angle='up'"),
        (
            lambda: viz.level_set(bowl, (-1, 1), (-1, 1), (0, 0)),
            ShapeError,
            r"level_set: the gradient is 0 at \(0, 0\)",
        ),
        (lambda: viz.level_set(bowl, (-1, 1), (-1, 1), []), ShapeError, "level_set: got no points"),
        (lambda: viz.slices(bowl, (-1, 1), (-1, 1), levels=0), ShapeError, "slices: got levels=0"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
