"""cut: a surface cut by an upright plane, and the curve of the cut with its tangent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..drawing import RenderError
from .contour import Limits
from .directional import degrees
from .field import Array, count, finite, grid, limits, places, slope_at
from .style import Theme, colours_of, ink_of, paper_of, shown, styled
from .surface import beside, furnish, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    across, along = limits("cut", "xlim", xlim), limits("cut", "ylim", ylim)
    field, value, gradient = slope_at("cut", f, point)
    x, y = grid(across, along, count("cut", "points", points))
    z = finite("cut", field.values(x, y), ["xlim", "ylim"])
    turn = float(places("cut", "angle", angle, 1)[0, 0])
    direction = np.array([round(np.cos(np.radians(turn)), 15), round(np.sin(np.radians(turn)), 15)])
    distance = _within(point, direction, (across, along))
    line = np.asarray(point, float)[:, None] + direction[:, None] * distance
    height = finite("cut", field.values(*line), ["xlim", "ylim"])
    slope = float(direction @ np.asarray(gradient))
    reach = np.abs(distance) <= np.ptp(distance) / 4
    tangent = value + slope * distance[reach]
    colours, ink, paper = colours_of(theme), ink_of(theme), paper_of(theme)
    with styled("cut", theme) as plt:
        figure, left, right = beside(plt)
        left.computed_zorder = False
        sheet(left, (x, y, z), 0.7)
        low, high = float(np.nanmin(z)), float(np.nanmax(z))
        wall = np.array([[low, low], [high, high]])
        left.plot_surface(
            *[np.array([column[[0, -1]]] * 2) for column in line], wall, color=ink, alpha=0.15, shade=False, zorder=2
        )
        left.plot(*line, height, color=colours[1], ls="-", lw=2.5, zorder=3)
        left.plot(*line[:, reach], tangent, color=ink, ls="--", zorder=4)
        left.plot(*[[number] for number in (*point, value)], ls="", marker="o", ms=7, mfc=ink, mec=paper, zorder=5)
        furnish(left, field, (across, along), z, theme)
        right.plot(distance, height, color=colours[1], ls="-", lw=2.5, label=f"cut at {degrees(turn)}")
        right.plot(distance[reach], tangent, color=ink, ls="--", label=f"tangent: slope {shown(slope)}")
        right.plot([0], [value], ls="", marker="o", ms=7, mfc=ink, mec=paper, zorder=4)
        right.set_xlabel(f"distance from ({shown(point[0])}, {shown(point[1])})")
        right.set_ylabel(left.get_zlabel())
        right.legend()
    return figure


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
