"""cut: a surface cut by an upright plane, and the curve of the cut with its tangent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import refusing
from ..drawing import RenderError
from .directional import degrees
from .field import Array, Limits, finite, places, slope_at
from .style import Theme, colours_of, ink_of, paper_of, shown, styled
from .surface import beside, furnish, sheet
from .terrain import Terrain, terrain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@refusing()
def cut(
    f: Callable[..., Any],
    xlim: Limits,
    ylim: Limits,
    point: tuple[float, float],
    *,
    angle: float = 0.0,
    points: int = 81,
    theme: Theme = "light",
) -> Figure:
    """A surface cut by an upright plane through a point, beside the curve of the cut with its tangent.

    The slope of the tangent is the directional derivative: the partial derivative by x at angle 0, that by y at 90 degrees.

    Args:
        f: f(x, y) of two numbers, or f(p) of an array of shape (2,).
        xlim, ylim: from where to where.
        point: a point of the cut, within the limits.
        angle: of the cut to the first axis, in degrees.
        points: how many points of each axis to evaluate.
        theme: "light" or "dark".

    Returns:
        the Figure, of two Axes: the surface, and the curve over the distance from the point.

    Raises:
        DTypeError, ShapeError: if an argument or a result of f is not as described.
        RenderError: if matplotlib is missing.

    >>> figure = cut(lambda x, y: x**2 + 3 * y**2, (-3, 3), (-3, 3), (1.0, 1.0), angle=90)  # doctest: +SKIP
    """
    field, value, gradient = slope_at("cut", f, point)
    land = terrain("cut", field, xlim, ylim, points)
    turn = float(places("cut", "angle", angle, 1)[0, 0])
    direction = np.array([round(np.cos(np.radians(turn)), 15), round(np.sin(np.radians(turn)), 15)])
    distance = _within(point, direction, (land.xlim, land.ylim))
    x, y = np.asarray(point, float)[:, None] + direction[:, None] * distance
    height = finite("cut", field.values(x, y), ["xlim", "ylim"])
    slope = float(direction @ np.asarray(gradient))
    reach = np.abs(distance) <= np.ptp(distance) / 4
    tangent = value + slope * distance[reach]
    with styled("cut", theme) as plt:
        figure, left, right = beside(plt)
        _surface(left, land, (x, y, height), theme)
        _line(left, (x[reach], y[reach], tangent), (*point, value), theme)
        furnish(left, land, theme)
        right.plot(distance, height, color=colours_of(theme)[1], ls="-", lw=2.5, label=f"cut at {degrees(turn)}")
        _line(right, (distance[reach], tangent), (0.0, value), theme, label=f"tangent: slope {shown(slope)}")
        right.set_xlabel(f"distance from ({shown(point[0])}, {shown(point[1])})")
        right.set_ylabel(land.label)
        right.legend()
    return figure


def _surface(ax: Any, land: Terrain, line: tuple[Array, Array, Array], theme: Theme) -> None:
    """The surface, the upright plane, and the line in which it cuts the surface."""
    ax.computed_zorder = False
    sheet(ax, land, 0.7)
    low, high = float(np.nanmin(land.z)), float(np.nanmax(land.z))
    x, y = [np.array([column[[0, -1]]] * 2) for column in line[:2]]
    wall = np.array([[low, low], [high, high]])
    ax.plot_surface(x, y, wall, color=ink_of(theme), alpha=0.15, shade=False, zorder=2)
    ax.plot(*line, color=colours_of(theme)[1], ls="-", lw=2.5, zorder=3)


def _line(ax: Any, tangent: tuple[Array, ...], point: tuple[float, ...], theme: Theme, label: str = "_") -> None:
    """The tangent, and the point that it touches, on plane Axes or in space."""
    ink, paper = ink_of(theme), paper_of(theme)
    ax.plot(*tangent, color=ink, ls="--", zorder=4, label=label)
    ax.plot(*[[number] for number in point], ls="", marker="o", ms=7, mfc=ink, mec=paper, zorder=5)


def _within(point: Any, direction: Array, box: tuple[Limits, Limits]) -> Array:
    """Distances along a direction from a point, from one side of a rectangle to the other; 0 is among them."""
    low, high = -np.inf, np.inf
    for start, step, (least, most) in zip(np.asarray(point, float), direction, box, strict=True):
        if not least < start < most:
            raise RenderError(f"cut: got point={tuple(point)}, expected a point within xlim and ylim")
        if step:
            ends = sorted([(least - start) / step, (most - start) / step])
            low, high = max(low, ends[0]), min(high, ends[1])
    return np.unique(np.concatenate([np.linspace(low, 0, 151), np.linspace(0, high, 151)]))
