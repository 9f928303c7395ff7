"""Terrain: the heights of a function of two numbers over a rectangle, as contour maps and surfaces draw them."""

from __future__ import annotations

from typing import Any, NamedTuple

from .field import Array, Field, Limits, count, finite, grid, limits


class Terrain(NamedTuple):
    """Heights over a rectangle.

    Attributes:
        x, y, z: (points, points) each; z is NaN where the function is not finite.
        xlim, ylim: from where to where.
        names: of the axes.
        label: of the height.
    """

    x: Array
    y: Array
    z: Array
    xlim: Limits
    ylim: Limits
    names: tuple[str, ...]
    label: str


def terrain(caller: str, field: Field, xlim: Any, ylim: Any, points: Any) -> Terrain:
    """A function over a grid of points times points. Raises DTypeError or ShapeError in the name of `caller`."""
    across, along = limits(caller, "xlim", xlim), limits(caller, "ylim", ylim)
    x, y = grid(across, along, count(caller, "points", points))
    z = finite(caller, field.values(x, y), ["xlim", "ylim"])
    label = f"{field.name}({', '.join(field.names)})" if field.separate else field.name
    return Terrain(x, y, z, across, along, field.names, label)
