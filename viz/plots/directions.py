"""Slopes of a function of two numbers at a point: in every direction, along a cut, and across its level set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError

from ..drawing import RenderError
from .contour import Limits, frame, ground
from .field import Array, Field, count, finite, grid, limits, places
from .levels import levels_of
from .style import DASHES, Theme, axes_of, colours_of, ink_of, paper_of, shown, styled
from .surface import beside, furnish, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def directional(
    f: Callable[..., Any], point: tuple[float, float], *, ax: Axes | None = None, theme: Theme = "light"
) -> Axes:
    """Plot the directional derivative of a function of two numbers at a point, by the angle of the direction.

    It is ∂f/∂x cos α + ∂f/∂y sin α: the largest, the norm of the gradient, in the direction of the gradient; 0 at a right angle
    to it, along the level set; the least in the opposite direction, that of steepest descent.

    Args:
        f: f(x, y) of two numbers, or f(p) of an array of shape (2,).
        point: where.
        ax: where to draw; without, on a new figure.
        theme: "light" or "dark".

    Returns:
        the Axes.

    Raises:
        DTypeError, ShapeError: if an argument or a result of f is not as described.
        RenderError: if matplotlib is missing.

    >>> ax = directional(lambda x, y: x**2 + 3 * y**2, (2.0, 1.0))  # doctest: +SKIP
    """
    field, _, (a, b) = _at("directional", f, point)
    steepest, norm = float(np.degrees(np.arctan2(b, a))) % 360, float(np.hypot(a, b))
    angles = np.linspace(0, 360, 361)
    with styled("directional", theme) as plt:
        ax = axes_of(plt, ax)
        colours, paper = colours_of(theme), paper_of(theme)
        slopes = a * np.cos(np.radians(angles)) + b * np.sin(np.radians(angles))
        ax.plot(angles, slopes, color=colours[0], ls="-", label="directional derivative")
        ax.axhline(0, color=ink_of(theme), lw=0.8)
        marks: list[tuple[str, list[float], list[float], str]] = [
            ("^", [steepest], [norm], f"gradient: {shown(norm)} at {_degrees(steepest)}"),
            ("v", [(steepest + 180) % 360], [-norm], f"steepest descent: {shown(-norm)} at {_degrees(steepest + 180)}"),
            ("o", sorted([(steepest + 90) % 360, (steepest + 270) % 360]), [0, 0], ""),
        ]
        first, second = (_degrees(angle) for angle in marks[2][1])
        for k, (marker, x, y, label) in enumerate(marks if norm else [], 1):
            text = label or f"level set: 0 at {first} and {second}"
            ax.plot(x, y, color=colours[k], ls="", marker=marker, ms=10, mec=paper, label=text)
        ax.set_xticks(range(0, 361, 45))
        ax.set_xlim(0, 360)
        ax.set_ylim(-1.15 * (norm or 1), 1.15 * (norm or 1))
        ax.set_xlabel("angle of the direction in degrees")
        ax.set_ylabel("slope")
        ax.set_title(f"slopes of {field.name} at ({shown(point[0])}, {shown(point[1])})")
        ax.legend(loc="upper left", bbox_to_anchor=(0, -0.18), ncols=2, borderaxespad=0)
    return ax


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
    field, value, gradient = _at("cut", f, point)
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
        left.plot_surface(*[np.array([column[[0, -1]]] * 2) for column in line], wall, color=ink, alpha=0.15, zorder=2)
        left.plot(*line, height, color=colours[1], ls="-", lw=2.5, zorder=3)
        left.plot(*line[:, reach], tangent, color=ink, ls="--", zorder=4)
        left.plot(*[[number] for number in (*point, value)], ls="", marker="o", ms=7, mfc=ink, mec=paper, zorder=5)
        furnish(left, field, (across, along), z, theme)
        right.plot(distance, height, color=colours[1], ls="-", lw=2.5, label=f"cut at {_degrees(turn)}")
        right.plot(distance[reach], tangent, color=ink, ls="--", label=f"tangent: slope {shown(slope)}")
        right.plot([0], [value], ls="", marker="o", ms=7, mfc=ink, mec=paper, zorder=4)
        right.set_xlabel(f"distance from ({shown(point[0])}, {shown(point[1])})")
        right.set_ylabel(left.get_zlabel())
        right.legend()
    return figure


def slices(
    f: Callable[..., Any],
    xlim: Limits,
    ylim: Limits,
    *,
    levels: int | Any = 6,
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
        floor = low - 0.5 * (high - low)
        left.contour(
            x, y, z, levels=heights, zdir="z", offset=floor, colors=ink, linewidths=0.8, linestyles="solid", zorder=0
        )
        sheet(left, (x, y, z), 0.75)
        left.contour(x, y, z, levels=heights, colors=ink, linewidths=1.5, linestyles="solid", zorder=2)
        for height in heights:
            corners = np.meshgrid(across, along)
            left.plot_surface(*corners, np.full((2, 2), height), color=ink, alpha=0.06, zorder=1)
        furnish(left, field, (across, along), z, theme)
        left.set_zlim(floor, high)
        left.set_zticks(heights, [shown(height) for height in heights])
        ground(right, (x, y, z), heights, "linear", theme)
        frame(right, field, across, along)
    return figure


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
    field = Field("level_set", f, 2)
    across, along = limits("level_set", "xlim", xlim), limits("level_set", "ylim", ylim)
    feet = places("level_set", "through", through, 2)
    if not len(feet):
        raise ShapeError("level_set: got no points, expected through=[(x, y), ...]")
    x, y = grid(across, along, count("level_set", "points", points))
    z = finite("level_set", field.values(x, y), ["xlim", "ylim"])
    length = 0.16 * min(across[1] - across[0], along[1] - along[0])
    colours, ink, paper = colours_of(theme), ink_of(theme), paper_of(theme)
    with styled("level_set", theme) as plt:
        ax = axes_of(plt, ax, (6.4, 4.6))
        found = [_at("level_set", f, tuple(foot))[1:] for foot in feet]
        ground(ax, (x, y, z), np.unique([value for value, _ in found]), "linear", theme)
        for k, (foot, (_, gradient)) in enumerate(zip(feet, found, strict=True)):
            norm = float(np.hypot(gradient[0], gradient[1]))
            if not norm:
                at = ", ".join(map(shown, foot))
                raise ShapeError(
                    f"level_set: the gradient is 0 at ({at}), so it has no direction; choose another point"
                )
            n = np.asarray(gradient) / norm * length
            t = np.array([-n[1], n[0]])
            labels = ["tangent", "gradient"] if not k else ["_", "_"]
            ax.plot(*np.stack([foot - 1.6 * t, foot + 1.6 * t], 1), color=colours[0], ls=DASHES[1], label=labels[0])
            ax.quiver(*foot, *n * 1.6, angles="xy", scale_units="xy", scale=1, color=colours[1], width=0.008, zorder=4)
            ax.plot([], [], color=colours[1], ls="-", lw=3, label=labels[1])
            square = np.stack([foot + 0.3 * t, foot + 0.3 * (t + n), foot + 0.3 * n], 1)
            ax.plot(*square, color=ink, ls="-", lw=1)
            ax.plot(*foot[:, None], ls="", marker="o", ms=7, mfc=ink, mec=paper, zorder=5)
        frame(ax, field, across, along)
        ax.set_aspect("equal")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return ax


def _at(caller: str, f: Callable[..., Any], point: Any) -> tuple[Field, float, tuple[float, ...]]:
    """The function as a Field, its value and its gradient at a point. Raises DTypeError if they are not finite."""
    field = Field(caller, f, 2)
    given = places(caller, "point", point, 2)
    if len(given) != 1:
        raise ShapeError(f"{caller}: got {len(given)} points, expected one (x, y)")
    value, gradient = field.at(*given[0])
    if not np.isfinite([value, *gradient]).all():
        at = ", ".join(map(shown, given[0]))
        raise DTypeError(f"{caller}: f({at}) is {value} with gradient {gradient}, expected finite numbers")
    return field, value, gradient


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


def _degrees(angle: float) -> str:
    return f"{shown(round(angle % 360, 1))}°"
