"""directional: the slope of a function of two numbers at a point, in every direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import refusing
from .field import slope_at
from .style import Theme, axes_of, colours_of, ink_of, paper_of, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@refusing()
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
    field, _, (a, b) = slope_at("directional", f, point)
    steepest, norm = float(np.degrees(np.arctan2(b, a))) % 360, float(np.hypot(a, b))
    angles = np.linspace(0, 360, 361)
    with styled("directional", theme) as plt:
        ax = axes_of(plt, ax)
        colours, paper = colours_of(theme), paper_of(theme)
        slopes = a * np.cos(np.radians(angles)) + b * np.sin(np.radians(angles))
        ax.plot(angles, slopes, color=colours[0], ls="-", label="directional derivative")
        ax.axhline(0, color=ink_of(theme), lw=0.8)
        marks: list[tuple[str, list[float], list[float], str]] = [
            ("^", [steepest], [norm], f"gradient: {shown(norm)} at {degrees(steepest)}"),
            ("v", [(steepest + 180) % 360], [-norm], f"steepest descent: {shown(-norm)} at {degrees(steepest + 180)}"),
            ("o", sorted([(steepest + 90) % 360, (steepest + 270) % 360]), [0, 0], ""),
        ]
        first, second = (degrees(angle) for angle in marks[2][1])
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


def degrees(angle: float) -> str:
    """An angle as text, from 0 to 360."""
    return f"{shown(round(angle % 360, 1))}°"
