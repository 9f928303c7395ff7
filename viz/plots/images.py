"""images: examples that are pictures, with what a model says of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError

from ..arguments import refusing
from ..drawing import RenderError
from ..text import data_of, plain
from .observed import Array, examples
from .style import Theme, colours_of, several, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@refusing()
def images(
    x: Any,
    predictions: Any = None,
    y: Any = None,
    labels: Sequence[str] | None = None,
    *,
    columns: int = 8,
    most: int = 40,
    cmap: str = "gray",
    theme: Theme = "light",
) -> Figure:
    """Draw a batch of images, each under what it was taken for, and what it is if that is something else.

    All images have one scale of brightness. Mistakes have a frame, and their title says "3, is 5".

    Args:
        x: (n, height, width), (n, 1, height, width), (n, 3, height, width) for red, green and blue; or (n, pixels) of
            square images.
        predictions: labels (n,) or scores (n, classes); None for none.
        y: the right labels, (n,); None if they are not known.
        labels: names of the classes.
        columns: images in a row.
        most: draw so many at most; the title says how many there are.
        cmap: matplotlib's name of a colour map for images of one channel; "gray_r" for ink on paper.
        theme: "light" or "dark".

    Raises:
        ShapeError, DTypeError: if x is no batch of images, or predictions, y or labels do not fit.
        RenderError: for fewer than one column or image, or without matplotlib.

    >>> wrong = model(x).data.argmax(axis=1) != y  # doctest: +SKIP
    >>> viz.images(x[wrong], model(x[wrong]), y[wrong]).savefig("misread.png")  # doctest: +SKIP
    """
    if columns < 1 or most < 1:
        raise RenderError(f"images: got columns={columns} and most={most}, expected at least 1")
    pictures = as_pictures("images", examples("images", x))
    said, right = _decided("predictions", predictions, len(pictures)), _decided("y", y, len(pictures))
    titles = _titles(said, right, labels) or [""] * len(pictures)
    shown = min(len(pictures), most)
    columns = min(columns, shown)
    with styled("images", theme) as plt:
        figure, axes = several(plt, -(-shown // columns), columns, (1.15, 1.35))
        limits = {} if pictures.ndim == 4 else {"vmin": pictures.min(), "vmax": pictures.max(), "cmap": cmap}
        for i, ax in enumerate(axes):
            ax.set_axis_off()
            if i < shown:
                ax.imshow(pictures[i], interpolation="nearest", **limits)
                ax.set_title(titles[i], fontsize=9)
                if said is not None and right is not None and said[i] != right[i]:
                    _frame(ax, colours_of(theme)[1])
        if shown < len(pictures):
            figure.suptitle(f"the first {shown} of {len(pictures):,}", fontsize=10)
    return figure


def as_pictures(caller: str, x: Array) -> Array:
    """A batch as (n, height, width), or (n, height, width, 3) with numbers from 0 to 1. Raises ShapeError for other shapes."""
    if x.ndim == 2 and isqrt(x.shape[1]) ** 2 == x.shape[1]:
        x = x.reshape(len(x), isqrt(x.shape[1]), -1)
    if x.ndim == 4 and x.shape[1] == 1:
        x = x[:, 0]
    coloured = x.ndim == 4 and x.shape[1] == 3
    if not (x.ndim == 3 or coloured) or not x.size:
        expected = "(n, height, width), (n, 1 or 3, height, width) or (n, pixels) of squares"
        raise ShapeError(f"{caller}: x has shape {x.shape}, expected {expected}; reshape it")
    if not coloured:
        return x
    low, high = (0, 255) if x.dtype.kind in "iu" else (min(0.0, float(x.min())), max(1.0, float(x.max())))
    return np.moveaxis((x - low) / (high - low), 1, -1)


def _decided(what: str, given: Any, count: int) -> Array | None:
    """Labels as integers, (n,); of scores the class with the largest."""
    if given is None:
        return None
    array = np.asarray(data_of(given))
    if array.shape[:1] != (count,) or array.ndim > 2:
        raise ShapeError(f"images: {what} has shape {array.shape}, expected ({count},) or ({count}, classes)")
    decided = np.argmax(array, axis=1) if array.ndim == 2 else array
    if decided.dtype.kind not in "iub":
        raise DTypeError(f"images: {what} is of {decided.dtype}, expected integers; cast labels with .astype(int)")
    return decided.astype(int)


def _titles(said: Array | None, right: Array | None, labels: Sequence[str] | None) -> list[str]:
    """The label that was predicted, and the right one if it is another."""
    highest = max((int(each.max()) for each in (said, right) if each is not None), default=-1)
    lowest = min((int(each.min()) for each in (said, right) if each is not None), default=0)
    if labels is not None and (highest >= len(labels) or lowest < 0):
        got = f"labels from {lowest} to {highest}"
        raise ShapeError(f"images: got {got} and {len(labels)} names of classes, expected a name for each")

    def name(k: int) -> str:
        return str(k) if labels is None else plain(str(labels[k]), 14)

    if said is None:
        return [] if right is None else [name(k) for k in right]
    if right is None:
        return [name(k) for k in said]
    between = ", is " if max(len(name(k)) for k in (*said, *right)) < 5 else "\nis "
    return [name(a) if a == b else f"{name(a)}{between}{name(b)}" for a, b in zip(said, right, strict=True)]


def _frame(ax: Axes, colour: str) -> None:
    """A border around an image."""
    ax.set_axis_on()
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set(visible=True, color=colour, linewidth=3)
