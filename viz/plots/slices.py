"""slices: a surface cut by level planes, and the contour map to which the cuts project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import refusing
from .contour import frame, ground, same_scale
from .field import Array, Field, Limits
from .levels import levels_of
from .style import Theme, ink_of, shown, styled
from .surface import beside, furnish, sheet
from .terrain import Terrain, terrain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@refusing()
def slices(
    f: Callable[..., Any],
    xlim: Limits,
    ylim: Limits,
    *,
    levels: int | Sequence[float] = 6,
    points: int = 81,
    theme: Theme = "light",
) -> Figure:
    """A surface cut by level planes at equal distances, beside the contour map to which the cuts project.

    Args:
        f: f(x, y) of two numbers, or f(p) of an array of shape (2,).
        xlim, ylim: from where to where.
        levels: about how many planes, or their heights.
        points: how many points of each axis to evaluate.
        theme: "light" or "dark".

    Returns:
        the Figure, of two Axes: the surface, and the contour map.

    Raises:
        DTypeError, ShapeError: if an argument or a result of f is not as described.
        RenderError: if matplotlib is missing.

    >>> figure = slices(lambda x, y: x**2 + 3 * y**2, (-3, 3), (-3, 3))  # doctest: +SKIP
    """
    land = terrain("slices", Field("slices", f, 2), xlim, ylim, points)
    with styled("slices", theme) as plt:
        heights = levels_of("slices", land.z, levels, "linear")
        figure, left, right = beside(plt)
        _sliced(left, land, heights, theme)
        ground(right, land, heights, theme)
        frame(right, land)
        same_scale(right, land)
    return figure


def _sliced(ax: Any, land: Terrain, heights: Array, theme: Theme) -> None:
    """The surface with level planes, the lines in which they cut it, and these lines on the ground below."""
    ink = ink_of(theme)
    line: dict[str, Any] = {"levels": heights, "colors": ink, "linestyles": "solid"}
    low, high = float(np.nanmin(land.z)), float(np.nanmax(land.z))
    high = high if low < high else low + 1.0
    floor = low - 0.5 * (high - low)
    ax.computed_zorder = False
    ax.contour(land.x, land.y, land.z, zdir="z", offset=floor, linewidths=0.8, zorder=0, **line)
    sheet(ax, land, 0.75)
    ax.contour(land.x, land.y, land.z, linewidths=1.5, zorder=2, **line)
    corners = np.meshgrid(land.xlim, land.ylim)
    for height in heights:
        ax.plot_surface(*corners, np.full((2, 2), height), color=ink, alpha=0.06, shade=False, zorder=1)
    furnish(ax, land, theme)
    ax.set_zlim(floor, high)
    ax.set_zticks(heights, [shown(height) for height in heights])
