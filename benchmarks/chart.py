"""The results as a picture: a panel per work, a bar per engine, from 1 (the reference) to its ratio on a logarithmic axis.

Bars to the left are faster than the reference, bars to the right slower; equal lengths are equal factors.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .environment import Environment
from .report import ENGINES, cell
from .rounds import Result
from .work import OURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
BLUE, GREY, ORANGE = "#0072B2", "#999999", "#D55E00"  # Okabe & Ito's palette, told apart by all common eyes


def png(results: Sequence[Result], about: Environment) -> bytes:
    """The chart as a PNG file."""
    rows = ceil(len(results) / COLUMNS)
    figure = Figure(figsize=(12, 2.35 * rows + 1.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("tinygrad-edu beside its peers: time of one step, reference = 1 (left is faster)", fontsize=14)
    panels = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for axes, result in zip(panels, results, strict=False):
        _panel(axes, result)
    for axes in panels:
        axes.set_axis_off()
    figure.supxlabel(
        f"blue: tinygrad-edu; dashed orange: the most it may take; black line: the reference.  "
        f"{about['cpu']}, one thread, Python {about['python']}, NumPy {about['versions']['numpy']}, {about['date']}",
        fontsize=9,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _panel(axes: Axes, result: Result) -> None:
    engines = [engine for engine in ENGINES if engine in result.figures]
    ratios = [result.figures[engine].ratio for engine in engines]
    colours = [BLUE if engine == OURS else GREY for engine in engines]
    places = range(len(engines))
    axes.barh(places, [ratio - 1 for ratio in ratios], left=1, color=colours, height=0.7)
    axes.set_xscale("log")
    hold = result.work.hold
    if result.work.unit == "bytes":
        hold /= result.figures[result.work.reference].sample
    axes.axvline(1, color="black", linewidth=1.2)
    axes.axvline(hold, color=ORANGE, linewidth=1.5, linestyle="--")
    low, high = min(*ratios, hold, 0.8), max(*ratios, hold, 1.25)
    room = (high / low) ** 0.22  # for the numbers beside the bars
    axes.set_xlim(low / room, high * room)
    for place, engine, ratio in zip(places, engines, ratios, strict=True):
        left = ratio < 1
        axes.annotate(
            cell(result, engine),
            (ratio, place),
            xytext=(-3 if left else 3, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
            fontweight="bold" if engine == OURS else "normal",
        )
    axes.set_yticks(places, engines, fontsize=8)
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 30 else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{result.work.title}\n{result.work.reference} = 1", fontsize=9)
