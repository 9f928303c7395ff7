"""contour: the level sets of a function of two numbers, with gradients and the paths of optimisers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import refusing
from . import path as routes
from .field import Array, Field, Limits
from .levels import Scale, levels_of, scale_of
from .path import Path, Paths
from .style import SURFACE, Theme, axes_of, ink_of, paper_of, shown, styled
from .terrain import Terrain, terrain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ALIKE = 3.0  # times the shorter range: at most the longer one, for one scale on both axes
_ARROWS = 13  # along the longer side


@refusing()
def contour(
    f: Callable[..., Any],
    xlim: Limits,
    ylim: Limits,
    *,
    paths: Paths = None,
    arrows: bool = False,
    levels: int | Sequence[float] = 10,
    scale: Scale = "auto",
    points: int = 121,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Plot the level sets of a function of two numbers: lines along which it does not change, close where it is steep.

    Both axes have the same scale, unless one range is more than three times the other.

    Args:
        f: f(x, y) of two numbers, or f(p) of an array of shape (2,).
        xlim, ylim: from where to where.
        paths: of optimisers, from `nn.optim.trace`: one, or {name: path}; or arrays of shape (points, 2). Each segment is a step.
        arrows: draw the gradient at points of a grid. It is perpendicular to the level sets, so both axes get the same scale,
            whatever the ranges. Lengths are proportional to its norm; with a logarithmic scale all are equal.
        levels: about how many, at round numbers; or the levels themselves.
        scale: "linear" for equally spaced levels, "log" for levels spaced as powers of ten. "auto" takes logarithms for a valley,
            which linear levels would leave in one colour: the minimum lies within the picture, and half of the picture is below
            a tenth of the greatest height.
        points: how many points of each axis to evaluate.
        ax: where to draw; without, on a new figure.
        theme: "light" or "dark".

    Returns:
        the Axes; save it by `ax.figure.savefig("contour.png")`.

    Raises:
        DTypeError, ShapeError: if an argument or a result of f is not as described.
        TinygradError: if it is unclear whether f takes x, y or an array.
        RenderError: if the scale is unknown, or matplotlib is missing.

    >>> ax = contour(lambda x, y: x**2 + 3 * y**2, (-3, 3), (-2, 2), arrows=True)  # doctest: +SKIP
    """
    return draw("contour", f, xlim, ylim, paths, arrows, levels, scale, points, ax, theme)


def draw(
    caller: str,
    f: Callable[..., Any],
    xlim: Limits,
    ylim: Limits,
    paths: Paths = None,
    arrows: bool = False,
    levels: int | Sequence[float] = 10,
    scale: Scale = "auto",
    points: int = 121,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """`contour`, with messages in the name of the function `caller`."""
    field = Field(caller, f, 2)
    read = routes.judged(routes.read(caller, paths, 2), field.values)
    land = terrain(caller, field, xlim, ylim, points)
    ax = plot(caller, land, read, levels, scale, field if arrows else None, ax, theme)
    same_scale(ax, land)
    return ax


def plot(
    caller: str,
    land: Terrain,
    paths: list[Path],
    levels: int | Sequence[float],
    scale: Scale,
    field: Field | None,
    ax: Axes | None,
    theme: Theme,
) -> Axes:
    """A contour map with paths, and arrows of the gradients of a field, if there is one."""
    with styled(caller, theme) as plt:
        spacing = scale_of(caller, land.z, scale)
        lines = levels_of(caller, land.z, levels, spacing)
        own = ax is None
        ax = axes_of(plt, ax, (7.0, 4.6))
        ground(ax, land, lines, theme)
        if field is not None:
            _arrows(ax, field, land.xlim, land.ylim, spacing == "log", theme)
        routes.draw(ax, paths, [list(path.points.T) for path in paths], theme, land.xlim, land.ylim)
        frame(ax, land)
        if own:
            ax.figure.set_layout_engine("compressed")  # type: ignore[union-attr]  # room for the legend beside square Axes
        if own and ax.get_legend_handles_labels()[0]:
            legend_beside(ax)
        elif ax.get_legend_handles_labels()[0]:
            ax.legend(frameon=True, framealpha=0.8, facecolor=paper_of(theme), edgecolor="none")
    return ax


def legend_beside(ax: Axes) -> None:
    """A legend to the right of the Axes, which hides nothing; for a figure whose layout makes room for it."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)


def ground(ax: Axes, land: Terrain, levels: Array, theme: Theme) -> None:
    """Level sets with their numbers, on a ground of pale colours, a colour for each band: equal levels, equal colours."""
    from matplotlib import colormaps

    from .spaced import Spaced

    low, high = float(np.nanmin(land.z)), float(np.nanmax(land.z))
    if low < high:
        edges = np.unique(np.concatenate([[low], levels[(levels > low) & (levels < high)], [high]]))
        band = np.searchsorted(levels, edges[:-1], side="right")  # of all between the levels
        colours = colormaps[SURFACE](band / max(len(levels), 1))
        ax.contourf(land.x, land.y, land.z, levels=edges, colors=colours, alpha=0.4, zorder=0)
    ink = ink_of(theme)
    drawn = ax.contour(
        land.x, land.y, land.z, levels=levels, colors=ink, linewidths=0.8, alpha=0.7, linestyles="solid", zorder=1
    )
    texts = ax.clabel(drawn, fmt=shown, fontsize=8)
    for text in texts:
        text.set_zorder(2)
        text.set_alpha(1)
    ax.add_artist(Spaced(texts))
    ax.grid(False)


def frame(ax: Axes, land: Terrain) -> None:
    """Limits and names of the axes."""
    ax.set_xlim(*land.xlim)
    ax.set_ylim(*land.ylim)
    ax.set_xlabel(land.names[0])
    ax.set_ylabel(land.names[1])


def same_scale(ax: Axes, land: Terrain) -> None:
    """One scale on both axes if the ranges are alike: a circle is one then, and the gradient at a right angle to its line."""
    sides = [high - low for low, high in (land.xlim, land.ylim)]
    if max(sides) <= _ALIKE * min(sides):
        ax.set_aspect("equal")


def _arrows(ax: Axes, field: Field, xlim: Limits, ylim: Limits, equal: bool, theme: Theme) -> None:
    """Gradients at the centres of squares, none longer than a square."""
    width, height = xlim[1] - xlim[0], ylim[1] - ylim[0]
    side = max(width, height) / _ARROWS
    columns, rows = max(round(width / side), 1), max(round(height / side), 1)
    centres = [
        low + (np.arange(n) + 0.5) * size / n for low, size, n in ((xlim[0], width, columns), (ylim[0], height, rows))
    ]
    x, y = np.meshgrid(*centres)
    u, v = field.gradients(x, y)
    norm = np.hypot(u, v)
    good = np.isfinite(norm) & (norm > 0)
    longest = float(np.max(norm[good], initial=0)) or 1.0
    size = 0.9 * side / (norm[good] if equal else longest)
    label = "→ gradient (direction)" if equal else f"→ gradient (≤ {shown(longest)})"
    ax.quiver(
        x[good], y[good], u[good] * size, v[good] * size, angles="xy", scale_units="xy", scale=1,
        color=ink_of(theme), width=0.0035, zorder=3,
    )  # fmt: skip
    ax.plot([], [], ls="", label=label)
    ax.set_aspect("equal")
