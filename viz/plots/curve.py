"""curve: functions of one number, with derivatives, tangents, chords, and paths of optimisers."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from tinygrad_edu import DTypeError, ShapeError, Value

from ..arguments import refusing
from ..drawing import RenderError
from ..text import plain
from . import path as routes
from .field import Array, Field, Limits, count, finite, limits, places
from .jumps import has_pole, narrowed
from .path import Paths
from .style import DASHES, MARKERS, Theme, axes_of, colours_of, ink_of, paper_of, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale: TypeAlias = Literal["linear", "log"]

_STEEP = 0.02  # of the range: a change between two points that may be a jump
_CUT = 0.1  # of the numbers of a function with a pole, at either end


@refusing()
def curve(
    f: Callable[..., Any] | Mapping[str, Any],
    xlim: Limits,
    *,
    ylim: Limits | None = None,
    derivative: bool | int = False,
    tangents: Any = (),
    chords: Any = (),
    paths: Paths = None,
    xscale: Scale = "linear",
    yscale: Scale = "linear",
    points: int = 401,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Plot a function of one number, or several by name.

    Args:
        f: function of a number, or of an array elementwise; or {name: function}. There a pair (x, y) of arrays may replace a
            function: what was measured, drawn as points joined by a line.
        xlim: from where to where.
        ylim: the same upwards; None for all numbers of the functions, of one with a pole those between the tenths at either end.
        derivative: True for f′ as well; 2 for f′ and f″, and so on.
        tangents: numbers x at which to draw the tangent; its slope is in the legend.
        chords: pairs (a, b) of numbers: the straight line from (a, f(a)) to (b, f(b)). It lies above a convex function.
        paths: of optimisers, from `nn.optim.trace`: one, or {name: path}. A point x is drawn at (x, f(x)) of the first function.
        xscale, yscale: "log" for powers of ten at equal distances: for an error against a step size, say. Numbers that are not
            positive are left out of a logarithmic y axis; jumps get no gap.
        points: how many points to evaluate, spaced as the x axis.
        ax: where to draw; without, on a new figure.
        theme: "light" or "dark".

    Returns:
        the Axes; save it by `ax.figure.savefig("curve.png")`.

    Raises:
        DTypeError, ShapeError: if an argument or a result of f is not as described.
        RenderError: for an unknown scale, a logarithmic x axis that does not begin above 0, or tangents or chords on logarithmic
            axes, where they are not straight; or without matplotlib.

    >>> ax = curve(lambda x: x**2 - 3 * x + 3, (-1, 4), tangents=[3.0], derivative=True)  # doctest: +SKIP
    """
    low, high = limits("curve", "xlim", xlim)
    fixed = None if ylim is None else limits("curve", "ylim", ylim)
    orders = count("curve", "derivative", int(derivative) if isinstance(derivative, bool) else derivative, 0)
    touched, joined = places("curve", "tangents", tangents, 1), places("curve", "chords", chords, 2)
    routes_read = routes.read("curve", paths, 1)
    _check_scales(xscale, yscale, low, bool(len(touched) or len(joined)))
    spaced = np.geomspace if xscale == "log" else np.linspace
    x = spaced(low, high, count("curve", "points", points))
    if isinstance(f, Mapping) and not f:
        raise ShapeError("curve: got no functions, expected a function or {name: function}")
    measured = _measured(f)
    fields = _fields(f, orders, measured)
    if not fields and (orders or len(touched) or len(joined) or routes_read):
        raise ShapeError(
            "curve: got measured points alone, expected a function beside derivative, tangents, chords or paths"
        )
    lines = [_line(field, x) if xscale == yscale == "linear" else _bare(field, x, yscale) for field in fields]
    mains = fields[:: orders + 1]
    if routes_read:
        routes_read = routes.judged(routes_read, mains[0].values)
    tangent_lines = [_tangent(field, float(a)) for field in mains for (a,) in touched]
    with styled("curve", theme) as plt:
        ax = axes_of(plt, ax)
        colours = colours_of(theme)
        for k, (field, line) in enumerate(zip(fields, lines, strict=True)):
            ax.plot(*line, color=colours[k % len(colours)], ls=DASHES[k % len(DASHES)], label=_label(field, f))
        for k, (name, pair) in enumerate(measured.items(), len(fields)):
            colour, marker, dash = colours[k % len(colours)], MARKERS[k % len(MARKERS)], DASHES[k % len(DASHES)]
            ax.plot(*pair, color=colour, marker=marker, ls=dash, label=plain(name))
        ax.set_xscale(xscale)
        ax.set_yscale(yscale)
        ax.set_xlim(low, high)
        if fixed or yscale == "linear":
            others = [value for _, value, _ in tangent_lines] + [value for _, y in measured.values() for value in y]
            ax.set_ylim(*fixed or _extent(fields, lines, orders, others))
        _lines(ax, mains, tangent_lines, joined, (low, high), theme)
        heights = [[path.points[:, 0], mains[0].values(path.points[:, 0])] for path in routes_read]
        routes.draw(ax, routes_read, heights, theme, (low, high), first=len(fields))
        ax.set_xlabel(fields[0].names[0] if fields else "x")
        if len(ax.get_legend_handles_labels()[0]) > 1:
            ax.legend()
        else:
            ax.set_ylabel(_label(fields[0], f) if fields else plain(next(iter(measured))))
    return ax


def _measured(f: Any) -> dict[str, tuple[Array, Array]]:
    """The pairs of arrays among the functions. Raises ShapeError or DTypeError for others than two rows of numbers."""
    found = {}
    for name, pair in f.items() if isinstance(f, Mapping) else ():
        if not isinstance(pair, (tuple, list)):
            continue
        rows = [np.asarray(x.data if isinstance(x, Value) else x) for x in pair]
        if any(x.dtype.kind not in "fiub" for x in rows):
            raise DTypeError(
                f"curve: got {name!r} of {' and '.join(str(x.dtype) for x in rows)}, expected real numbers"
            )
        if len(rows) != 2 or rows[0].ndim != 1 or rows[0].shape != rows[1].shape or not rows[0].size:
            shapes = " and ".join(str(x.shape) for x in rows)
            raise ShapeError(
                f"curve: got {name!r} with arrays of shape {shapes}, expected a pair (x, y) of equal lengths"
            )
        found[name] = rows[0].astype(float), rows[1].astype(float)
    return found


def _check_scales(xscale: str, yscale: str, low: float, straight: bool) -> None:
    """Raises RenderError if the scales are unknown, or do not go with the other arguments."""
    for name, scale in (("xscale", xscale), ("yscale", yscale)):
        if scale not in ("linear", "log"):
            raise RenderError(f'curve: got {name}={scale!r}, expected "linear" or "log"')
    if xscale == "log" and low <= 0:
        raise RenderError(f'curve: got xscale="log" and xlim from {shown(low)}, expected xlim to begin above 0')
    if straight and "log" in (xscale, yscale):
        raise RenderError(
            "curve: got tangents or chords on a logarithmic axis, where they are not straight; leave them out"
        )


def _bare(field: Field, x: Array, yscale: str) -> tuple[Array, Array]:
    """The function at x, without a search for jumps: on a logarithmic axis the small changes show as well."""
    y = finite("curve", field.values(x), ["xlim"])
    return x, np.where(y > 0, y, np.nan) if yscale == "log" else y


def _fields(f: Any, orders: int, measured: Container[str]) -> list[Field]:
    """Each function that is not a measured pair, followed by its derivatives."""
    named = f if isinstance(f, Mapping) else {"": f}
    fields = []
    for name, one in named.items():
        if name in measured:
            continue
        field = Field("curve", one, 1)
        if isinstance(f, Mapping):
            field.name = plain(str(name))
        fields.append(field)
        for _ in range(orders):
            field = field.derivative()
            fields.append(field)
    return fields


def _label(field: Field, given: Any) -> str:
    """The name of a function as the user gave it; f(x) if it has none."""
    return field.name if isinstance(given, Mapping) else f"{field.name}({field.names[0]})"


def _line(field: Field, x: Array) -> tuple[Array, Array]:
    """The function at x, with a gap where it jumps: there its change does not shrink with the interval."""
    y = finite("curve", field.values(x), ["xlim"])
    change = np.abs(np.diff(y))
    steep = np.flatnonzero(change > _STEEP * (np.nanmax(y) - np.nanmin(y)))
    if not steep.size:
        return x, y
    ends, values, which = narrowed(field.values, np.stack([x[steep], x[steep + 1]]), 0.5 * change[steep])
    pole = np.abs(values[1] - values[0]) > 2 * change[steep[which]]  # the larger, the closer
    values = np.where(pole, np.nan, values)
    sides = np.stack([ends[0], ends.mean(axis=0), ends[1]]), np.stack([values[0], values[0] * np.nan, values[1]])
    after = np.repeat(steep[which] + 1, 3)
    return np.insert(x, after, sides[0].T.ravel()), np.insert(y, after, sides[1].T.ravel())


def _extent(fields: list[Field], lines: list[tuple[Array, Array]], orders: int, others: list[float]) -> Limits:
    """Limits for the functions alone, so that a steep tangent does not flatten them, nor a pole, of which the ends are cut."""
    every = np.concatenate([np.empty(0), *(y for _, y in lines)])
    kept = [np.array(others)]
    for k, (field, (x, y)) in enumerate(zip(fields, lines, strict=True)):
        typical = every if k % (orders + 1) else y  # a derivative's pole is steeper than the function's
        kept.append(np.nanquantile(typical, [_CUT, 1 - _CUT]) if has_pole(field.values, x, y) else y)
    low, high = float(np.nanmin(np.concatenate(kept))), float(np.nanmax(np.concatenate(kept)))
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin


def _tangent(field: Field, a: float) -> tuple[float, float, float]:
    """Where a tangent touches, and its slope. Raises DTypeError if there is none."""
    value, (slope,) = field.at(a)
    if not np.isfinite([value, slope]).all():
        raise DTypeError(f"curve: f({shown(a)}) is {value} with slope {slope}, expected finite numbers for a tangent")
    return a, value, slope


def _lines(
    ax: Axes,
    fields: list[Field],
    tangents: list[tuple[float, float, float]],
    joined: Array,
    xlim: Limits,
    theme: Theme,
) -> None:
    """Tangents and chords, in the colour of the ink: the dots on them are on the function."""
    ink, paper = ink_of(theme), paper_of(theme)
    ends = np.array(xlim)
    found: list[tuple[Array, Array, Array, Array, str]] = []
    for a, value, slope in tangents:
        label = f"tangent at ({shown(a)}, {shown(value)}): slope {shown(slope)}"
        found.append((ends, value + slope * (ends - a), np.array([a]), np.array([value]), label))
    for field in fields:
        for pair in joined:
            values = field.values(pair)
            found.append((pair, values, pair, values, f"chord from {shown(pair[0])} to {shown(pair[1])}"))
    for k, (x, y, at, on, label) in enumerate(found, 1):
        ax.plot(x, y, color=ink, lw=1.2, ls=DASHES[k % len(DASHES)], label=label)
        ax.plot(at, on, ls="", marker="o", ms=7, mfc=ink, mec=paper, zorder=4, label="_")
