"""viz.side_by_side: each panel is the plot of its subject."""

import numpy as np
import pytest

import nn
import viz
from tinygrad_edu import DTypeError, ShapeError
from viz import RenderError

BOX = ((-2, 2), (-2, 2))
dome, bowl, saddle = lambda x, y: -(x**2) - y**2, lambda x, y: x**2 + y**2, lambda x, y: x**2 - y**2


def heights(ax):
    (lines,) = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    return lines.levels.tolist()


def highest(ax):
    """The points of the highest contour line that there is."""
    (lines,) = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    return [path.vertices for path in lines.get_paths() if len(path.vertices)][-1]


def test_each_panel_is_the_plot_of_its_function():
    figure = viz.side_by_side(viz.contour, {"A": dome, "B": bowl, "C": saddle}, *BOX, levels=[-1, 1, 2], points=21)
    assert [ax.get_title() for ax in figure.axes] == ["A", "B", "C"]
    alone = viz.contour(bowl, *BOX, levels=[-1, 1, 2], points=21)
    assert heights(figure.axes[1]) == heights(alone)
    for f, ax in zip((dome, bowl, saddle), figure.axes, strict=True):
        assert np.allclose(f(*highest(ax).T), 2 if f is not dome else -1, atol=0.02)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_surfaces_get_axes_in_space_on_which_every_word_shows(theme, troubles):
    figure = viz.side_by_side(viz.surface, {"maximum": dome, "minimum": bowl}, *BOX, tangents=[(0, 0)], theme=theme)
    assert [ax.name for ax in figure.axes] == ["3d", "3d"]
    assert [len(ax.collections) for ax in figure.axes] == [2, 2]
    assert (np.mean(figure.get_facecolor()[:3]) < 0.5) == (theme == "dark")
    assert troubles(figure) == []


@pytest.mark.parametrize(
    ("count", "columns", "shape"),
    [(1, None, (1, 1)), (2, None, (1, 2)), (4, None, (2, 2)), (5, None, (2, 3)), (3, 1, (3, 1)), (4, 9, (1, 4))],
)
def test_rows_and_columns(count, columns, shape):
    subjects = {f"{k}": lambda x, k=k: x**k for k in range(count)}
    figure = viz.side_by_side(viz.curve, subjects, (0, 1), points=5, columns=columns)
    assert len(figure.axes) == count
    assert figure.axes[0].get_gridspec().get_geometry() == shape


def test_subjects_may_be_models():
    models = {f"seed {seed}": nn.Sequential(nn.Linear(2, 1, rng=seed), nn.Sigmoid()) for seed in (0, 1)}
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    figure = viz.side_by_side(viz.decision_boundary, models, corners, [0, 1, 1, 0])
    assert [ax.get_title() for ax in figure.axes[:2]] == ["seed 0", "seed 1"]


def test_landscapes_in_space():
    models = {f"{width} hidden": nn.MLP((1, width, 1), nn.Tanh, rng=0) for width in (2, 4)}
    data = np.linspace(-1, 1, 5)[:, None], np.zeros((5, 1))
    options = {"kind": "surface", "steps": 3, "progress": False}
    figure = viz.side_by_side(viz.landscape, models, nn.functional.mse_loss, data, **options)
    assert [ax.name for ax in figure.axes] == ["3d", "3d"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((viz.contour, {}, *BOX), DTypeError, "side_by_side: got {}, expected {name: function}"),
        ((viz.contour, bowl, *BOX), DTypeError, "side_by_side: got <function .*, expected {name: function}"),
        ((3, {"A": bowl}), DTypeError, "side_by_side: got 3, expected a plot"),
        ((viz.cut, {"A": bowl}, *BOX, (0, 0)), DTypeError, "cut: got the keyword ax="),
        ((viz.contour, {"A": bowl}, (2, -2), (-2, 2)), ShapeError, "contour: got xlim"),
        ((viz.contour, {"A": bowl}, (-2, 2)), DTypeError, "contour: got no ylim"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        viz.side_by_side(*arguments)
    with pytest.raises(ShapeError, match="side_by_side: got columns=0, expected an integer from 1 on"):
        viz.side_by_side(viz.contour, {"A": bowl}, *BOX, columns=0)
    with pytest.raises(DTypeError, match="contour: got the keyword level=, expected levels="):
        viz.side_by_side(viz.contour, {"A": bowl}, *BOX, level=3)
    with pytest.raises(RenderError, match="side_by_side: got theme='blue'"):
        viz.side_by_side(viz.contour, {"A": bowl}, *BOX, theme="blue")
