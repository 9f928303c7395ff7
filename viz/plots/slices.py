"""slices: a surface cut by level planes, and the contour map to which the cuts project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .contour import Limits, frame, ground
from .field import Field, count, finite, grid, limits
from .levels import levels_of
from .style import Theme, ink_of, shown, styled
from .surface import beside, furnish, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    field = Field("slices", f, 2)
    across, along = limits("slices", "xlim", xlim), limits("slices", "ylim", ylim)
    x, y = grid(across, along, count("slices", "points", points))
    z = finite("slices", field.values(x, y), ["xlim", "ylim"])
    ink = ink_of(theme)
    with styled("slices", theme) as plt:
        heights = levels_of("slices", z, levels, "linear")
        figure, left, right = beside(plt)
        left.computed_zorder = False
        low, high = float(np.nanmin(z)), float(np.nanmax(z))
        high = high if low < high else low + 1.0
        floor = low - 0.5 * (high - low)
        left.contour(
            x, y, z, levels=heights, zdir="z", offset=floor, colors=ink, linewidths=0.8, linestyles="solid", zorder=0
        )
        sheet(left, (x, y, z), 0.75)
        left.contour(x, y, z, levels=heights, colors=ink, linewidths=1.5, linestyles="solid", zorder=2)
        for height in heights:
            corners = np.meshgrid(across, along)
            left.plot_surface(*corners, np.full((2, 2), height), color=ink, alpha=0.06, shade=False, zorder=1)
        furnish(left, field, (across, along), z, theme)
        left.set_zlim(floor, high)
        left.set_zticks(heights, [shown(height) for height in heights])
        ground(right, (x, y, z), heights, "linear", theme)
        frame(right, field, across, along)
    return figure
