"""viz.surface and surface_and_contour: the sheet, tangent planes and paths are those of the function."""

from functools import partial

import numpy as np
import pytest
from matplotlib import pyplot as plt

import viz
from nn.optim import SGD, trace
from tinygrad_edu import DTypeError, ShapeError
from viz import RenderError

dome = lambda x, y: -(x**2) - y**2
bowl = lambda x, y: x**2 + 3 * y**2


def corners(collection):
    """All vertices of a surface."""
    return np.concatenate([np.asarray(polygon) for polygon in collection._faces])


def test_the_sheet_is_the_function():
    ax = viz.surface(bowl, (-3, 3), (-2, 1))
    x, y, z = corners(ax.collections[0]).T
    assert np.allclose(z, bowl(x, y))
    assert (x.min(), x.max(), y.min(), y.max()) == (-3, 3, -2, 1)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_zlabel()) == ("x", "y", "f(x, y)")


def test_a_tangent_plane_touches_with_both_slopes():
    ax = viz.surface(dome, (-3, 3), (-3, 3), tangents=[(0, 2)])
    x, y, z = corners(ax.collections[1]).T
    assert np.allclose(z, -4 - 4 * (y - 2))
    assert np.allclose([a[0] for a in ax.lines[0].get_data_3d()], [0, 2, -4])
    assert ax.get_legend().get_texts()[0].get_text() == "tangent plane at (0, 2): slopes 0, −4"


def test_tangent_planes_at_extremes_are_level():
    for f in (dome, bowl):
        z = corners(viz.surface(f, (-3, 3), (-3, 3), tangents=(0, 0)).collections[1])[:, 2]
        assert np.allclose(z, 0)


def test_a_path_lies_on_the_surface_and_ends_at_its_edge():
    path = trace(bowl, (-2.0, 1.0), partial(SGD, lr=0.1), 6)
    ax = viz.surface(bowl, (-3, 3), (-2, 2), paths=path)
    x, y, z = ax.lines[0].get_data_3d()
    assert np.allclose(np.stack([x, y]), path.parameters)
    assert np.allclose(z, path.values)
    outside = viz.surface(bowl, (-1, 1), (-2, 2), paths={"SGD": path}).lines[0].get_data_3d()[2]
    assert np.array_equal(np.isnan(outside), np.abs(path.parameters[0]) > 1)


def test_beside_its_contour_map():
    path = trace(bowl, (-2.0, 1.0), partial(SGD, lr=0.1), 6)
    figure = viz.surface_and_contour(bowl, (-3, 3), (-2, 2), paths={"SGD": path}, arrows=True)
    left, right = figure.axes
    drawn = next(line for line in right.lines if line.get_label() == "SGD")
    assert np.allclose(left.lines[0].get_data_3d()[:2], path.parameters)
    assert np.allclose(drawn.get_data(), path.parameters)
    assert left.get_legend() is None
    assert [text.get_text() for text in right.get_legend().get_texts()][-3:] == ["SGD", "start", "end"]


def test_tangent_planes_beside_a_contour_map():
    path = trace(bowl, (-2.0, 1.0), partial(SGD, lr=0.1), 6)
    left, right = viz.surface_and_contour(dome, (-3, 3), (-3, 3), tangents=[(0, 2), (1, 0)], paths={"SGD": path}).axes
    x, y, z = corners(left.collections[1]).T
    assert np.allclose(z, -4 - 4 * (y - 2))
    said = [text.get_text() for text in left.get_legend().get_texts()]
    assert said == ["tangent plane at (0, 2): slopes 0, −4", "tangent plane at (1, 0): slopes −2, 0"]
    assert np.allclose(right.lines[-1].get_data(), [[0, 1], [2, 0]])
    with pytest.raises(DTypeError, match="surface_and_contour: .*expected finite numbers for a tangent plane"):
        viz.surface_and_contour(lambda x, y: np.log(x * x + y * y), (-3, 3), (-2, 2), tangents=(0, 0))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"tangents": [(0, 2, 1)]},
            ShapeError,
            r"got tangents of shape \(1, 3\), expected points such as \[\(0, 2\)\]",
        ),
        (
            {"f": lambda x, y: np.log(x * x + y * y), "tangents": (0, 0)},
            DTypeError,
            "expected finite numbers for a tangent plane",
        ),
        ({"paths": {"a": np.zeros(3)}}, ShapeError, "path 'a' has shape"),
        ({"f": lambda p: p}, ShapeError, r"f\(p\) returned shape \(2,\), expected a single number"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=f"surface: .*{message}"):
        viz.surface(**{"f": bowl, "xlim": (-3, 3), "ylim": (-2, 2)} | arguments)


def test_plane_axes_are_refused():
    ax = plt.figure().add_subplot()
    with pytest.raises(RenderError, match='surface: got ax=Axes, expected Axes of projection="3d"; pass plt.figure'):
        viz.surface(bowl, (-3, 3), (-2, 2), ax=ax)
