"""level_set: the level sets of a function of two numbers through points, with tangent and gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import ShapeError

from ..arguments import refusing
from .contour import frame, ground, legend_beside
from .field import Array, Field, Limits, places, slope_at
from .style import DASHES, Theme, axes_of, colours_of, ink_of, paper_of, shown, styled
from .terrain import terrain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@refusing()
def level_set(
    f: Callable[..., Any],
    xlim: Limits,
    ylim: Limits,
    through: Any,
    *,
    points: int = 121,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Plot the level sets of a function of two numbers through points, with tangent and gradient, at a right angle to each other.

    Args:
        f: f(x, y) of two numbers, or f(p) of an array of shape (2,).
        xlim, ylim: from where to where.
        through: points (x, y), at which the gradient is not 0.
        points: how many points of each axis to evaluate.
        ax: where to draw; without, on a new figure. Both axes get the same scale.
        theme: "light" or "dark".

    Returns:
        the Axes.

    Raises:
        DTypeError, ShapeError: if an argument or a result of f is not as described, or the gradient is 0 at a point.
        RenderError: if matplotlib is missing.

    >>> ax = level_set(lambda x, y: x**2 + 3 * y**2, (-3, 3), (-2, 2), [(1.0, 1.0)])  # doctest: +SKIP
    """
    feet = places("level_set", "through", through, 2)
    if not len(feet):
        raise ShapeError("level_set: got no points, expected through=[(x, y), ...]")
    land = terrain("level_set", Field("level_set", f, 2), xlim, ylim, points)
    found = [slope_at("level_set", f, tuple(foot))[1:] for foot in feet]
    length = 0.16 * min(land.xlim[1] - land.xlim[0], land.ylim[1] - land.ylim[0])
    with styled("level_set", theme) as plt:
        own = ax is None
        ax = axes_of(plt, ax, (6.4, 4.6))
        if own:
            ax.figure.set_layout_engine("compressed")  # type: ignore[union-attr]  # room for names and legend beside square Axes
        ground(ax, land, np.unique([value for value, _ in found]), theme)
        for k, (foot, (_, gradient)) in enumerate(zip(feet, found, strict=True)):
            _across(ax, foot, length * _unit(foot, gradient), theme, ("_", "_") if k else ("tangent", "gradient"))
        frame(ax, land)
        ax.set_aspect("equal")
        legend_beside(ax)
    return ax


def _unit(foot: Array, gradient: tuple[float, ...]) -> Array:
    """The direction of a gradient. Raises ShapeError if it is 0."""
    norm = float(np.hypot(gradient[0], gradient[1]))
    if not norm:
        at = ", ".join(map(shown, foot))
        raise ShapeError(f"level_set: the gradient is 0 at ({at}), so it has no direction; choose another point")
    return np.asarray(gradient) / norm


def _across(ax: Axes, foot: Array, n: Array, theme: Theme, labels: tuple[str, str]) -> None:
    """The tangent and the gradient at a point, with the square of their right angle; n is along the gradient."""
    colours, ink = colours_of(theme), ink_of(theme)
    t = np.array([-n[1], n[0]])
    ax.plot(*np.stack([foot - 1.6 * t, foot + 1.6 * t], 1), color=colours[0], ls=DASHES[1], label=labels[0])
    ax.quiver(*foot, *n * 1.6, angles="xy", scale_units="xy", scale=1, color=colours[1], width=0.008, zorder=4)
    ax.plot([], [], color=colours[1], ls="-", lw=3, label=labels[1])
    ax.plot(*np.stack([foot + 0.3 * t, foot + 0.3 * (t + n), foot + 0.3 * n], 1), color=ink, ls="-", lw=1)
    ax.plot(*foot[:, None], ls="", marker="o", ms=7, mfc=ink, mec=paper_of(theme), zorder=5)
