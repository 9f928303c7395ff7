"""curve: functions of one number, with derivatives, tangents, chords, and paths of optimisers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError

from ..text import plain
from . import path as routes
from .field import Array, Field, count, finite, limits, places
from .path import Paths
from .style import DASHES, Theme, axes_of, colours_of, ink_of, paper_of, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEEP = 0.02  # of the range: a change between two points that may be a jump
_HALVINGS = 40


def curve(
    f: Callable[..., Any] | Mapping[str, Callable[..., Any]],
    xlim: tuple[float, float],
    *,
    derivative: bool | int = False,
    tangents: Any = (),
    chords: Any = (),
    paths: Paths = None,
    points: int = 401,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Plot a function of one number, or several by name.

    Args:
        f: function of a number, or of an array elementwise; or {name: function}.
        xlim: from where to where.
        derivative: True for f′ as well; 2 for f′ and f″, and so on.
        tangents: numbers x at which to draw the tangent; its slope is in the legend.
        chords: pairs (a, b) of numbers: the straight line from (a, f(a)) to (b, f(b)). It lies above a convex function.
        paths: of optimisers, from `nn.optim.trace`: one, or {name: path}. A point x is drawn at (x, f(x)) of the first function.
        points: how many points to evaluate.
        ax: where to draw; without, on a new figure.
        theme: "light" or "dark".

    Returns:
        the Axes; save it by `ax.figure.savefig("curve.png")`.

    Raises:
        DTypeError, ShapeError: if an argument or a result of f is not as described.
        RenderError: if matplotlib is missing.

    >>> ax = curve(lambda x: x**2 - 3 * x + 3, (-1, 4), tangents=[3.0], derivative=True)  # doctest: +SKIP
    """
    low, high = limits("curve", "xlim", xlim)
    named = f if isinstance(f, Mapping) else {"": f}
    if not named:
        raise ShapeError("curve: got no functions, expected a function or {name: function}")
    orders = count("curve", "derivative", int(derivative) if isinstance(derivative, bool) else derivative, 0)
    touched, joined = places("curve", "tangents", tangents, 1), places("curve", "chords", chords, 2)
    routes_read = routes.read("curve", paths, 1)
    x = np.linspace(low, high, count("curve", "points", points))
    fields = []
    for name, one in named.items():
        field = Field("curve", one, 1)
        if isinstance(f, Mapping):
            field.name = plain(str(name))
        for _ in range(orders + 1):
            fields.append(field)
            field = field.derivative()
    lines = [_line(field, x) for field in fields]
    mains = fields[:: orders + 1]
    with styled("curve", theme) as plt:
        ax = axes_of(plt, ax)
        colours = colours_of(theme)
        for k, (field, line) in enumerate(zip(fields, lines, strict=True)):
            ax.plot(*line, color=colours[k % len(colours)], ls=DASHES[k % len(DASHES)], label=_label(field, f))
        _extent(ax, (low, high), np.concatenate([y for _, y in lines]))
        _lines(ax, mains, touched, joined, (low, high), theme)
        heights = [[path.points[:, 0], mains[0].values(path.points[:, 0])] for path in routes_read]
        routes.draw(ax, routes_read, heights, theme, (low, high), first=len(fields))
        ax.set_xlabel(fields[0].names[0])
        several = len(ax.get_legend_handles_labels()[0]) > 1
        if several:
            ax.legend()
        else:
            ax.set_ylabel(_label(fields[0], f))
    return ax


def _label(field: Field, given: Any) -> str:
    """The name of a function as the user gave it; f(x) if it has none."""
    return field.name if isinstance(given, Mapping) else f"{field.name}({field.names[0]})"


@np.errstate(invalid="ignore")  # infinity less infinity
def _line(field: Field, x: Array) -> tuple[Array, Array]:
    """The function at x, with a gap where it jumps: there its change does not shrink with the interval."""
    y = finite("curve", field.values(x), ["xlim"])
    change = np.abs(np.diff(y))
    steep = np.flatnonzero(change > _STEEP * (np.nanmax(y) - np.nanmin(y)))
    left, right = np.stack([x[steep], y[steep]]), np.stack([x[steep + 1], y[steep + 1]])
    for _ in range(_HALVINGS if steep.size else 0):
        place = (left[0] + right[0]) / 2
        middle = np.stack([place, field.values(place)])
        before = np.abs(middle[1] - left[1]) > np.abs(right[1] - middle[1])
        left, right = np.where(before, left, middle), np.where(before, middle, right)
    end = np.abs(right[1] - left[1])
    jumps = end > 0.5 * change[steep]
    pole = end > 2 * change[steep]  # the larger, the closer: its sides would flatten the rest
    sides = np.stack([left, (left[0] + right[0]) / 2 * [[1.0], [np.nan]], right])  # (3, 2, n)
    sides[0::2, 1, pole] = np.nan
    gaps = sides[:, :, jumps].transpose(1, 2, 0).reshape(2, -1)
    both = np.insert(np.stack([x, y]), np.repeat(steep[jumps] + 1, 3), gaps, axis=1)
    return both[0], both[1]


def _extent(ax: Axes, xlim: tuple[float, float], y: Array) -> None:
    """Limits for the functions alone, so that a steep tangent does not flatten them."""
    ax.set_xlim(*xlim)
    low, high = float(np.nanmin(y)), float(np.nanmax(y))
    margin = 0.06 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + margin)


def _lines(
    ax: Axes, fields: list[Field], touched: Array, joined: Array, xlim: tuple[float, float], theme: Theme
) -> None:
    """Tangents and chords, in the colour of the ink: the dots on them are on the function."""
    ink, paper = ink_of(theme), paper_of(theme)
    ends = np.array(xlim)
    dot: dict[str, Any] = {"ls": "", "marker": "o", "ms": 7, "mfc": ink, "mec": paper, "zorder": 4, "label": "_"}
    k = 0
    for field in fields:
        for (a,) in touched:
            value, (slope,) = field.at(a)
            if not np.isfinite([value, slope]).all():
                raise DTypeError(
                    f"curve: f({shown(a)}) is {value} with slope {slope}, expected finite numbers for a tangent"
                )
            label = f"tangent at ({shown(a)}, {shown(value)}): slope {shown(slope)}"
            ax.plot(ends, value + slope * (ends - a), color=ink, lw=1.2, ls=DASHES[(k + 1) % len(DASHES)], label=label)
            ax.plot([a], [value], **dot)
            k += 1
        for pair in joined:
            values = field.values(pair)
            label = f"chord from {shown(pair[0])} to {shown(pair[1])}"
            ax.plot(pair, values, color=ink, lw=1.2, ls=DASHES[(k + 1) % len(DASHES)], label=label)
            ax.plot(pair, values, **dot)
            k += 1
