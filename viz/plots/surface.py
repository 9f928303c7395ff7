"""surface: a function of two numbers in space, with tangent planes and the paths of optimisers; and beside its contour map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import DTypeError

from ..arguments import refusing
from ..drawing import RenderError
from . import contour as contours
from . import path as routes
from .contour import frame, legend_beside
from .field import Array, Field, Limits, places
from .levels import Scale
from .path import Path, Paths
from .style import SURFACE, Theme, axes_of, colours_of, ink_of, paper_of, shown, styled
from .terrain import Terrain, terrain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@refusing(path="it is paths= now, as in the other plots")
def surface(
    f: Callable[..., Any],
    xlim: Limits,
    ylim: Limits,
    *,
    tangents: Any = (),
    paths: Paths = None,
    points: int = 81,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Plot a function of two numbers as a surface in space.

    Args:
        f: f(x, y) of two numbers, or f(p) of an array of shape (2,).
        xlim, ylim: from where to where.
        tangents: points (x, y) at which to draw the tangent plane.
        paths: of optimisers, from `nn.optim.trace`: one, or {name: path}; drawn on the surface. Steps that leave it are left out.
        points: how many points of each axis to evaluate.
        ax: where to draw, of projection="3d"; without, on a new figure.
        theme: "light" or "dark".

    Returns:
        the Axes; turn them by `ax.view_init(elev, azim)`, save them by `ax.figure.savefig("surface.png")`.

    Raises:
        DTypeError, ShapeError: if an argument or a result of f is not as described.
        TinygradError: if it is unclear whether f takes x, y or an array.
        RenderError: if ax is not of projection="3d", or matplotlib is missing.

    >>> ax = surface(lambda x, y: -(x**2) - y**2, (-3, 3), (-3, 3), tangents=[(0, 2)])  # doctest: +SKIP
    """
    drawn: Axes = _draw("surface", f, xlim, ylim, tangents, paths, points, ax, theme)
    return drawn


def _draw(
    caller: str,
    f: Callable[..., Any],
    xlim: Limits,
    ylim: Limits,
    tangents: Any,
    paths: Paths,
    points: int,
    ax: Any,
    theme: Theme,
) -> Any:
    """`surface`, with messages in the name of the function `caller`."""
    field = Field(caller, f, 2)
    touched = places(caller, "tangents", tangents, 2)
    read = routes.judged(routes.read(caller, paths, 2), field.values)
    land = terrain(caller, field, xlim, ylim, points)
    lines = [[*path.points.T, field.values(*path.points.T)] for path in read]
    ax = plot(caller, land, read, lines, ax, theme, 0.75 if touched.size or read else 1.0)
    with styled(caller, theme):
        for k, point in enumerate(touched):
            _plane(caller, ax, field, point, land, colours_of(theme)[(k + 1) % len(colours_of(theme))], theme)
        if touched.size:
            ax.legend(loc="upper left")
    return ax


def plot(
    caller: str, land: Terrain, paths: list[Path], lines: list[list[Array]], ax: Any, theme: Theme, alpha: float
) -> Any:
    """A surface with paths on it, each along x, y and z in `lines`."""
    with styled(caller, theme) as plt:
        ax = space(plt, caller, ax)
        sheet(ax, land, alpha)
        climb(ax, land, paths, lines, theme)
        furnish(ax, land, theme)
        if paths:
            ax.legend(loc="upper left")
    return ax


@refusing()
def surface_and_contour(
    f: Callable[..., Any],
    xlim: Limits,
    ylim: Limits,
    *,
    tangents: Any = (),
    paths: Paths = None,
    arrows: bool = False,
    levels: int | Sequence[float] = 10,
    scale: Scale = "auto",
    theme: Theme = "light",
) -> Figure:
    """A function of two numbers as a surface, beside its contour map. Arguments are those of `surface` and `contour`.

    A dot on the map marks each point where a tangent plane touches the surface.

    Returns:
        the Figure.

    >>> figure = surface_and_contour(lambda x, y: x**2 + 3 * y**2, (-3, 3), (-3, 3))  # doctest: +SKIP
    """
    with styled("surface_and_contour", theme) as plt:
        figure, left, right = beside(plt)
        _draw("surface_and_contour", f, xlim, ylim, tangents, paths, 81, left, theme)
        contours.draw("surface_and_contour", f, xlim, ylim, paths, arrows, levels, scale, ax=right, theme=theme)
        if left.get_legend() is not None:
            left.get_legend().remove()  # the contour's says the same of paths
        touched, planes = places("surface_and_contour", "tangents", tangents, 2), left.collections[1:]
        if planes:
            left.legend(handles=planes, loc="upper left")
            _dot(right, touched.T, theme)
        if right.get_legend() is not None:
            legend_beside(right)
    return figure


def beside(plt: Any) -> tuple[Figure, Any, Axes]:
    """A figure with Axes in space on the left and plane ones on the right."""
    figure = plt.figure(figsize=(11.5, 4.6))
    figure.get_layout_engine().set(wspace=0.12)
    left, right = figure.add_gridspec(1, 2, width_ratios=(1, 1.15))
    return figure, figure.add_subplot(left, projection="3d"), figure.add_subplot(right)


def space(plt: Any, caller: str, ax: Any) -> Any:
    """Axes of projection="3d": those given, or new ones. They draw in the order of zorder, so that nothing hides a path."""
    if ax is not None and not hasattr(ax, "plot_surface"):
        remedy = 'pass plt.figure().add_subplot(projection="3d")'
        raise RenderError(f'{caller}: got ax={type(ax).__name__}, expected Axes of projection="3d"; {remedy}')
    ax = axes_of(plt, ax, (6.4, 5.0), projection="3d")
    ax.computed_zorder = False
    return ax


def sheet(ax: Any, land: Terrain, alpha: float) -> None:
    """The surface, coloured by height."""
    most = 80  # lines: matplotlib draws 50 by default, which show as edges
    ax.plot_surface(
        land.x,
        land.y,
        land.z,
        cmap=SURFACE,
        alpha=alpha,
        lw=0,
        rcount=most,
        ccount=most,
        antialiased=alpha == 1,
        zorder=1,
    )


def furnish(ax: Any, land: Terrain, theme: Theme) -> None:
    """Names and limits of the axes, and panes of the theme's colour."""
    frame(ax, land)
    low, high = float(np.nanmin(land.z)), float(np.nanmax(land.z))
    margin = 0.03 * (high - low) or 1.0
    ax.set_zlim(low - margin, high + margin)
    ax.set_zlabel(land.label, labelpad=8)
    ax.locator_params(nbins=6)  # more numbers would lie on each other
    for axis, name in zip((ax.xaxis, ax.yaxis), land.names, strict=True):
        axis.labelpad = 4 + 14 * name.count("\n")  # room for a second line
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color(paper_of(theme))
        axis.line.set_color(ink_of(theme))


def _plane(caller: str, ax: Any, field: Field, point: Array, land: Terrain, colour: str, theme: Theme) -> None:
    """The tangent plane around a point, half as wide as the surface."""
    value, gradient = field.at(*point)
    if not np.isfinite([value, *gradient]).all():
        at = ", ".join(map(shown, point))
        raise DTypeError(
            f"{caller}: f({at}) is {value} with gradient {gradient}, expected finite numbers for a tangent plane"
        )
    u, v = np.meshgrid(*[(end - start) / 4 * np.array([-1.0, 1.0]) for start, end in (land.xlim, land.ylim)])
    a, b = (float(number) for number in gradient)
    slopes = f"tangent plane at ({shown(point[0])}, {shown(point[1])}): slopes {shown(a)}, {shown(b)}"
    ax.plot_surface(
        point[0] + u, point[1] + v, value + a * u + b * v, color=colour, alpha=0.55, shade=False, zorder=3, label=slopes,
        edgecolor=ink_of(theme), lw=0.8,
    )  # fmt: skip
    _dot(ax, [[point[0]], [point[1]], [value]], theme)


def _dot(ax: Any, at: Any, theme: Theme) -> None:
    """Dots where planes touch, above all else."""
    ax.plot(*at, ls="", marker="o", ms=7, mfc=ink_of(theme), mec=paper_of(theme), zorder=4)


def climb(ax: Any, land: Terrain, paths: list[Path], lines: list[list[Array]], theme: Theme) -> None:
    """Paths on a surface, along x, y and z in `lines`; without what is beside it, as matplotlib does not clip lines in space."""
    (left, right), (near, far) = land.xlim, land.ylim
    clipped = [[x, y, np.where((x < left) | (x > right) | (y < near) | (y > far), np.nan, z)] for x, y, z in lines]
    routes.draw(ax, paths, clipped, theme, land.xlim, land.ylim)
