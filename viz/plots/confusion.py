"""confusion_matrix: which classes a classifier takes for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import ShapeError

from ..text import data_of, plain
from .observed import Array
from .style import Theme, axes_of, colours_of, ink_of, paper_of, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEGIBLE = 30  # classes; more leave no room for numbers


def confusion_matrix(
    y: Any,
    prediction: Any,
    labels: Sequence[str] | None = None,
    *,
    shares: bool = False,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Draw how often each class was taken for each: a row for each class, a column for each prediction.

    Right answers, on the diagonal, have one colour, mistakes another, each with its own scale, so that few mistakes among many
    right answers stand out; cells without an example are empty. At the right stands the recall of each class, above the precision
    of each prediction. The numbers are those of `nn.metrics.confusion_matrix`.

    Args:
        y: the right labels, (n,), integers from 0; scikit-learn's order, not that of nn.metrics.
        prediction: scores (n, classes) or labels (n,).
        labels: names of the classes.
        shares: percentages of each row in place of numbers of examples.
        ax: where to draw; None for a new figure.
        theme: "light" or "dark".

    Raises:
        ShapeError, DTypeError: as `nn.metrics.confusion_matrix`, and for another number of labels than classes.
        TinygradError: without scikit-learn.
        RenderError: without matplotlib.

    >>> viz.confusion_matrix(y, model(x)).figure.savefig("confusion.png")  # doctest: +SKIP
    """
    from nn import metrics

    matrix = metrics.confusion_matrix(prediction, np.asarray(data_of(y)))
    count = len(matrix)
    names = [str(k) for k in range(count)] if labels is None else [plain(str(label), 16) for label in labels]
    if len(names) != count:
        raise ShapeError(f"confusion_matrix: got {len(names)} labels, expected {count}, one for each class")
    with styled("confusion_matrix", theme) as plt:
        side = min(2.6 + 0.42 * count, 14.0)
        ax = axes_of(plt, ax, (side + 0.6, side))
        _colour(ax, matrix, theme)
        if count <= _LEGIBLE:
            _write(ax, matrix, shares)
        _name(ax, matrix, names)
        right, total = int(np.trace(matrix)), int(matrix.sum())
        ax.set_title(f"accuracy {right / total:.1%}: {total - right:,} of {total:,} wrong")
    return ax


def _colour(ax: Axes, matrix: Array, theme: Theme) -> None:
    """Right answers and mistakes, each from the colour of the paper to their own; examples of a class are one whole."""
    from matplotlib.colors import to_rgb

    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    diagonal = np.eye(len(matrix), dtype=bool)
    paper, ink = np.array(to_rgb(paper_of(theme))), to_rgb(ink_of(theme))
    pixels = np.empty((*matrix.shape, 3))
    for place, end in ((diagonal, colours_of(theme)[0]), (~diagonal, colours_of(theme)[1])):
        depth = share[place] / max(share[place].max(initial=0), 1e-12)
        depth = np.where(matrix[place] > 0, 0.15 + 0.55 * depth, 0)[:, None]
        pixels[place] = paper + depth * (np.array(to_rgb(end)) - paper)
    ax.imshow(pixels, interpolation="nearest")
    ax.set_xticks(np.arange(len(matrix) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(matrix) + 1) - 0.5, minor=True)
    ax.grid(False)
    ax.grid(which="minor", color=ink, alpha=0.15, linewidth=0.5)
    ax.tick_params(which="minor", length=0)


def _write(ax: Axes, matrix: Array, shares: bool) -> None:
    rows = matrix.sum(axis=1)
    for i, j in np.argwhere(matrix):
        text = f"{matrix[i, j] / rows[i]:.0%}" if shares else f"{matrix[i, j]:,}"
        ax.text(j, i, text, ha="center", va="center", fontsize=9, fontweight="bold" if i == j else "normal")


def _name(ax: Axes, matrix: Array, names: list[str]) -> None:
    """Classes at the left and below; recall and precision opposite."""
    shown = range(0, len(names), -(-len(names) // _LEGIBLE))
    long = max(map(len, names)) > 3
    ax.set_xticks(list(shown), [names[k] for k in shown], rotation=45 if long else 0, ha="right" if long else "center")
    ax.set_yticks(list(shown), [names[k] for k in shown])
    ax.set_xlabel("prediction")
    ax.set_ylabel("class")
    if len(names) > _LEGIBLE:
        return
    right = np.diagonal(matrix)
    for axis, totals, title in ((1, matrix.sum(axis=1), "recall"), (0, matrix.sum(axis=0), "precision")):
        told = [f"{a / b:.0%}" if b else "–" for a, b in zip(right, totals, strict=True)]
        beside = ax.secondary_yaxis("right") if axis else ax.secondary_xaxis("top")
        ticks = beside.yaxis if axis else beside.xaxis
        ticks.set_ticks(range(len(names)), told)
        ticks.set_label_text(title)
        beside.tick_params(labelsize=8, length=0)
        beside.spines[:].set_visible(False)
