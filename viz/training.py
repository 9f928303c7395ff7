"""Learning curves: how losses and accuracies went, epoch by epoch."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tinygrad_edu import DTypeError, ShapeError

from .drawing import RenderError
from .files import target, write
from .text import number, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curves: TypeAlias = "dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]"

_BEST = {"accuracy": np.nanargmax, "loss": np.nanargmin, "error": np.nanargmin}
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe & Ito's, the dark ones first
_DASHES = ("-", "--", "-.", ":")
_INK = "#1a1a1a"
_DPI = 144


def learning_curves(history: Mapping[str, Sequence[float]], path: str | os.PathLike[str]) -> Path:
    """Draw how training went into a PNG file, and return its path. Needs matplotlib.

    Curves whose names end in the same word, such as train_loss and validation_loss, share one axis, losses above accuracies
    and all else. The best epoch is marked: the highest accuracy, the lowest loss or error, of the validation data if there
    are any. Equal histories give equal files.

    Args:
        history: by name, one number for each epoch, (epochs,), all equally many. NaN leaves a gap.
        path: ends in .png; a file that exists is replaced.

    Raises:
        DTypeError: if `history` is not a mapping from names to lists of real numbers.
        ShapeError: if it is empty, or the lengths differ.
        RenderError: if the file is no .png, or matplotlib is missing.
        FileNotFoundError: if the folder does not exist.
    """
    file = target("learning_curves", path, (".png",))
    panels = _panels(_checked(history))
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise RenderError("learning_curves: matplotlib is missing; pip install 'tinygrad-edu[plot]'") from None
    figure = Figure(figsize=(7.5, 0.5 + 2.8 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)  # draws in memory, and needs no window as pyplot might
    every_axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axes, (quantity, curves) in zip(every_axes, panels.items(), strict=True):
        _draw(axes, quantity, curves)
    every_axes[-1].set_xlabel("epoch")
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=_DPI, metadata={"Software": None})  # else the bytes tell matplotlib's version
    return write("learning_curves", file, png.getvalue())


def _checked(history: Mapping[str, Sequence[float]]) -> Curves:
    """The history as arrays of one length."""
    if not isinstance(history, Mapping) or not all(isinstance(name, str) for name in history):
        expected = 'a mapping from names to numbers per epoch, such as {"train_loss": [0.9, 0.5]}'
        raise DTypeError(f"learning_curves: got {type(history).__name__}, expected {expected}")
    curves = {}
    for name, numbers in history.items():
        try:
            curves[name] = np.asarray(numbers, float)
        except (TypeError, ValueError):
            raise DTypeError(f"learning_curves: {name!r} is not a list of real numbers, one for each epoch") from None
    shapes = {name: curve.shape for name, curve in curves.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 or shape[0] < 1 for shape in shapes.values()):
        raise ShapeError(
            f"learning_curves: got shapes {shapes}, expected lists of one number for each epoch, all equally long"
        )
    return curves


def _panels(curves: Curves) -> dict[str, Curves]:
    """The curves by what they measure, which is the last word of their names; losses first."""
    panels: dict[str, Curves] = {}
    for name in sorted(curves, key=lambda name: not name.endswith("loss")):
        quantity = name.rpartition("_")[2]
        panels.setdefault(quantity, {})[name] = curves[name]
    return panels


def _draw(axes: Axes, quantity: str, curves: Curves) -> None:
    """One panel: curves that differ in colour and dashes, the best epoch, a legend above."""
    count = len(next(iter(curves.values())))
    epochs = np.arange(1, count + 1)
    for i, (name, curve) in enumerate(curves.items()):
        colour, dashes = _COLOURS[i % len(_COLOURS)], _DASHES[i % len(_DASHES)]
        marker = "." if count < 20 else ""  # a line through one point is none
        axes.plot(epochs, curve, dashes, color=colour, marker=marker, linewidth=1.8, label=_legible(name))
    _mark_best(axes, quantity, curves)
    axes.set_ylabel(_legible(quantity), parse_math=False)
    axes.set_xticks(_ticks(count))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    legend = axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, borderaxespad=0.2)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a name with two dollars is no formula


def _mark_best(axes: Axes, quantity: str, curves: Curves) -> None:
    """A ring on the best epoch of the validation curve, or of the first one."""
    curve = next((curves[name] for name in curves if name.startswith("val")), next(iter(curves.values())))
    numbers = np.where(np.isfinite(curve), curve, np.nan)
    if quantity not in _BEST or np.isnan(numbers).all():
        return
    best = int(_BEST[quantity](numbers))
    label = f"best: {number(curve[best])} in epoch {best + 1}"
    axes.axvline(best + 1, color=_INK, linewidth=0.8, alpha=0.4)
    axes.plot(best + 1, curve[best], "o", color=_INK, markersize=10, fillstyle="none", label=label)


def _ticks(count: int) -> list[int]:
    """Round numbers of epochs, and 1, which is the first."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(nbins=10, integer=True).tick_values(0, count)
    return sorted({max(1, round(tick)) for tick in ticks if tick <= count})


def _legible(name: str) -> str:
    """train_loss as "train loss"."""
    return plain(name.replace("_", " ").strip(), 24)
