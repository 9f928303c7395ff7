"""A figure of small panels, each a function of one number with its derivative, all kinks marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..text import plain
from .slopes import Curve, curve, values_and_slopes
from .style import DASHES, Theme, colours_of, ink_of, several, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_FLAT = 0.02  # of the values' range: slopes of a smaller one would be a line along the axis
_LONG = 1e5  # numbers that need powers of ten


class Panel(NamedTuple):
    """A function to draw: its title, the elementwise function, where from and to, and what its argument is."""

    title: str
    function: Callable[[Any], Any]
    xlim: tuple[float, float]
    argument: str = ""


def draw(name: str, panels: Sequence[Panel], theme: Theme, columns: int, ylim: tuple[float, float] | None) -> Figure:
    """All panels in reading order; `ylim` for all of them, None for limits that fit the values."""
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    with styled(name, theme) as plt:
        size = (2.6, 2.1 if ylim else 2.3) if columns > 2 else (3.6, 2.9)
        figure, axes = several(plt, rows, columns, size)
        for ax, panel in zip(axes, panels, strict=False):
            _draw(ax, panel, curve(panel.function, *panel.xlim), ylim, theme)
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        _legend(figure, figure.axes, columns if columns > 2 else 1)
    return figure


def _draw(ax: Axes, panel: Panel, drawn: Curve, ylim: tuple[float, float] | None, theme: Theme) -> None:
    first, second = colours_of(theme)[:2]
    ax.plot(drawn.x, drawn.values, DASHES[0], color=first, label="f(x)")
    flat = 0 < np.ptp(drawn.slopes[np.isfinite(drawn.slopes)]) < _FLAT * np.nanmax(np.abs(drawn.values))
    beside = ax.twinx() if flat else ax
    beside.plot(
        drawn.x, drawn.slopes, color=second, linestyle=DASHES[1], label="f′(x), on the right" if flat else "f′(x)"
    )
    if flat:
        beside.spines["right"].set(visible=True, color=second)
        beside.tick_params(labelsize=8, colors=second)
        beside.grid(False)
    if np.nanmax(np.abs(drawn.values)) >= _LONG:
        ax.yaxis.set_major_formatter(lambda y, _: shown(y))
    if drawn.kinks.size:
        slopes = values_and_slopes(panel.function, drawn.kinks)[1]
        beside.plot(
            drawn.kinks,
            slopes,
            "o",
            color=ink_of(theme),
            markersize=5,
            label="f′ at a kink or jump",
        )
    ax.set_title(plain(panel.title, 40), fontsize=9)
    ax.set_xlabel(panel.argument, fontsize=8)
    ax.tick_params(labelsize=8)
    ax.set_xlim(*panel.xlim)
    if ylim:
        ax.set_ylim(*ylim)


def _legend(figure: Figure, axes: Sequence[Axes], columns: int) -> None:
    """One for all panels, below them."""
    found = {label: line for ax in axes for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(list(found.values()), list(found), loc="outside lower center", ncols=min(columns, 3), fontsize=9)
