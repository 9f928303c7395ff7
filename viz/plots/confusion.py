"""confusion_matrix: which classes a classifier takes for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from tinygrad_edu import ShapeError

from ..arguments import refusing
from ..drawing import RenderError
from ..text import data_of, plain
from ..theme import DARK, INK
from .observed import Array
from .style import Theme, axes_of, colours_of, ink_of, paper_of, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Whole: TypeAlias = Literal["true", "pred", "all"]
_WHOLES: dict[Whole, tuple[int | None, str]] = {  # the axis along which a whole adds up, and its name
    "true": (1, "each class"),
    "pred": (0, "each prediction"),
    "all": (None, "all examples"),
}
_LEGIBLE = 30  # classes; more leave no room for numbers


@refusing()
def confusion_matrix(
    y: Any,
    prediction: Any,
    labels: Sequence[str] | None = None,
    *,
    normalise: Whole | None = None,
    values: bool | None = None,
    cmap: str | Colormap | None = None,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Draw how often each class was taken for each: a row for each class, a column for each prediction.

    Right answers, on the diagonal, have one colour, mistakes another, each with its own scale, so that few mistakes among many
    right answers stand out; cells without an example are empty. A colour is the deeper, the larger the share of its class. At the
    right stands the recall of each class, above the precision of each prediction. The numbers are those of
    `nn.metrics.confusion_matrix`.

    Args:
        y: the right labels, (n,), integers from 0; scikit-learn's order, not that of nn.metrics.
        prediction: scores (n, classes) or labels (n,).
        labels: names of the classes.
        normalise: percentages in place of numbers of examples: of each class ("true"), so that rows add up to 100%, of each
            prediction ("pred"), so that columns do, or of all examples ("all"); colours follow. The words are scikit-learn's.
        values: whether to write the numbers into the cells; None for up to 30 classes.
        cmap: one colour map of matplotlib's for all cells, from 0 to the largest, in place of the two colours.
        ax: where to draw; None for a new figure.
        theme: "light" or "dark".

    Raises:
        ShapeError, DTypeError: as `nn.metrics.confusion_matrix`, and for another number of labels than classes.
        TinygradError: without scikit-learn.
        RenderError: for another `normalise` or an unknown colour map, or without matplotlib.

    >>> viz.confusion_matrix(y, model(x)).figure.savefig("confusion.png")  # doctest: +SKIP
    """
    from nn import metrics

    if normalise not in (None, *_WHOLES):
        raise RenderError(f"confusion_matrix: got normalise={normalise!r}, expected 'true', 'pred', 'all' or None")

    matrix = metrics.confusion_matrix(prediction, np.asarray(data_of(y)))
    count = len(matrix)
    names = [str(k) for k in range(count)] if labels is None else [plain(str(label), 16) for label in labels]
    if len(names) != count:
        raise ShapeError(f"confusion_matrix: got {len(names)} labels, expected {count}, one for each class")
    with styled("confusion_matrix", theme) as plt:
        side = min(2.6 + 0.42 * count, 14.0)
        ax = axes_of(plt, ax, (side + 0.6, side))
        share = _shares(matrix, normalise or "true")
        pixels = _two_colours(share, theme) if cmap is None else _one_map(matrix if normalise is None else share, cmap)
        _colour(ax, pixels, theme)
        if count <= _LEGIBLE if values is None else values:
            _write(ax, matrix, None if normalise is None else share, pixels)
        _name(ax, matrix, names)
        if normalise is not None:
            ax.set_xlabel(f"prediction; percentages of {_WHOLES[normalise][1]}")
        right, total = int(np.trace(matrix)), int(matrix.sum())
        ax.set_title(f"accuracy {right / total:.1%}: {total - right:,} of {total:,} wrong")
    return ax


def _shares(matrix: Array, normalise: Whole) -> Array:
    """What part of its whole each cell is, from 0 to 1; 0 where there is none."""
    whole = matrix.sum(axis=_WHOLES[normalise][0], keepdims=True)
    return matrix / np.maximum(whole, 1)  # type: ignore[no-any-return]


def _two_colours(share: Array, theme: Theme) -> Array:
    """Right answers and mistakes, each from the colour of the paper to their own."""
    from matplotlib.colors import to_rgb

    diagonal = np.eye(len(share), dtype=bool)
    paper = np.array(to_rgb(paper_of(theme)))
    pixels = np.empty((*share.shape, 3))
    for place, end in ((diagonal, colours_of(theme)[0]), (~diagonal, colours_of(theme)[1])):
        depth = share[place] / max(share[place].max(initial=0), 1e-12)
        depth = np.where(share[place] > 0, 0.15 + 0.55 * depth, 0)[:, None]
        pixels[place] = paper + depth * (np.array(to_rgb(end)) - paper)
    return pixels


def _one_map(numbers: Array, cmap: str | Colormap) -> Array:
    """One colour map for all cells, from 0 to the largest."""
    import matplotlib as mpl

    try:
        colours = mpl.colormaps.get_cmap(cmap)
    except (ValueError, TypeError):
        raise RenderError(f"confusion_matrix: got cmap={cmap!r}, expected a colour map of matplotlib's") from None
    return np.asarray(colours(numbers / numbers.max()))[..., :3]


def _colour(ax: Axes, pixels: Array, theme: Theme) -> None:
    ax.imshow(pixels, interpolation="nearest")
    ax.set_xticks(np.arange(len(pixels) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(pixels) + 1) - 0.5, minor=True)
    ax.grid(False)
    ax.grid(which="minor", color=ink_of(theme), alpha=0.15, linewidth=0.5)
    ax.tick_params(which="minor", length=0)


def _write(ax: Axes, matrix: Array, share: Array | None, pixels: Array) -> None:
    """How many examples, or what share, in each cell that is not empty, in black or white, whichever is easier to read there."""
    luminance = pixels**2.2 @ np.array([0.2126, 0.7152, 0.0722])  # white and black contrast alike with 0.18
    for i, j in np.argwhere(matrix):
        text = f"{matrix[i, j]:,}" if share is None else _percent(share[i, j])
        ink = INK if luminance[i, j] > 0.18 else DARK[INK]
        weight = "bold" if i == j else "normal"
        ax.text(j, i, text, ha="center", va="center", fontsize=9, fontweight=weight, color=ink)


def _percent(share: float) -> str:
    """A share to 1%, to 0.1% near 0 and 1; 0% and 100% are exact."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 < share < 1:
        return ">99.9%"
    return f"{share:.1%}" if 0 < share < 0.01 or 0.99 < share < 1 else f"{share:.0%}"


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
        told = [_percent(a / b) if b else "–" for a, b in zip(right, totals, strict=True)]
        beside = ax.secondary_yaxis("right") if axis else ax.secondary_xaxis("top")
        ticks = beside.yaxis if axis else beside.xaxis
        ticks.set_ticks(range(len(names)), told)
        ticks.set_label_text(title)
        beside.tick_params(labelsize=8, length=0)
        beside.spines[:].set_visible(False)
