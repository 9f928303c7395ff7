"""The results as a picture: a panel per work, a bar per engine, from 1 (the reference) to its ratio on a logarithmic axis.

Bars to the left are faster than the reference, bars to the right slower; within a panel equal lengths are equal factors.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .environment import Environment
from .report import ENGINES, cell
from .rounds import Result
from .work import OURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
BLUE, GREY, ORANGE = "#0072B2", "#B3B3B3", "#D55E00"  # Okabe & Ito's palette, told apart by all common eyes


def png(results: Sequence[Result], about: Environment) -> bytes:
    """The chart as a PNG file."""
    rows = ceil((len(results) + 1) / COLUMNS)  # one panel for the legend
    figure = Figure(figsize=(12, 2.4 * rows + 0.8), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("tinygrad-edu beside its peers: same work, one run, one thread", fontsize=14)
    panels = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    most = max(len(result.figures) for result in results)
    for axes, result in zip(panels, results, strict=False):
        _panel(axes, result, most)
    for axes in panels[len(results) :]:
        axes.set_axis_off()
    _legend(panels[len(results)], about)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _panel(axes: Axes, result: Result, most: int) -> None:
    """One work; all panels have room for as many bars as the fullest, so that bars are equally thick."""
    engines = [engine for engine in ENGINES if engine in result.figures]
    ratios = [result.figures[engine].ratio for engine in engines]
    colours = [BLUE if engine == OURS else GREY for engine in engines]
    places = range(len(engines))
    axes.barh(places, [ratio - 1 for ratio in ratios], left=1, color=colours, height=0.7)
    hold = result.work.hold
    if hold is not None and result.work.unit == "bytes":
        hold /= result.figures[result.work.reference].sample
    axes.axvline(1, color="black", linewidth=1.2)
    if hold is not None:
        axes.axvline(hold, color=ORANGE, linewidth=1.5, linestyle="--")
    for place, engine, ratio in zip(places, engines, ratios, strict=True):
        left = ratio < 1
        axes.annotate(
            cell(result, engine),
            (ratio, place),
            xytext=(-4 if left else 4, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
            fontweight="bold" if engine == OURS else "normal",
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
        )

    marks = ratios if hold is None else [*ratios, hold]
    low, high = min(*marks, 0.8), max(*marks, 1.25)
    room = (high / low) ** 0.22  # for the numbers beside the bars
    axes.set_xscale("log")
    axes.set_xlim(low / room, high * room)
    axes.xaxis.set_major_locator(
        LogLocator(subs=(1,) if high / low > 30 else (1, 2, 5) if high / low > 6 else (1, 1.5, 2, 3, 5))
    )
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(places, engines)
    axes.set_ylim(most - 0.5, -0.5)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{result.work.title} ({result.work.reference} = 1)", fontsize=9)


def _legend(axes: Axes, about: Environment) -> None:
    """What the colours mean, and what the figures were measured on."""
    handles = [
        Patch(color=BLUE, label="tinygrad-edu"),
        Patch(color=GREY, label="peers"),
        Line2D([], [], color="black", linewidth=1.2, label="the reference: left is better, right is worse"),
        Line2D([], [], color=ORANGE, linewidth=1.5, linestyle="--", label="the most that tinygrad-edu may take"),
    ]
    axes.legend(handles=handles, loc="upper left", frameon=False, fontsize=9)
    measured = f"{about['cpu']}\nPython {about['python']}, NumPy {about['versions']['numpy']}\n{about['date']}"
    axes.text(0.04, 0.1, measured, fontsize=9, va="bottom", transform=axes.transAxes)
