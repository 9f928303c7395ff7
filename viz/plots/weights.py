"""weights: the weights of a layer as pictures, one for each unit or kernel."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError, Value

from ..arguments import refusing
from ..drawing import RenderError
from ..text import data_of
from .observed import Array
from .style import SIGNED, Theme, several, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@refusing()
def weights(
    layer: Any,
    shape: tuple[int, int] | None = None,
    *,
    columns: int = 10,
    most: int = 100,
    theme: Theme = "light",
) -> Figure:
    """Draw the weights of a layer: for each unit the image that it looks for, or one matrix if its inputs are no image.

    Blue is negative, red positive, white 0; all images share one scale, which a bar explains.

    Args:
        layer: a Linear layer, weight (units, inputs); a convolution, weight (units, channels, height, width), whose kernels
            stand in a row for each unit; or the weight itself, as a Value or an array.
        shape: (height, width) of the inputs of a Linear layer; None for square images if the number of inputs is a square greater
            than 9, and otherwise a matrix, a row for each unit.
        columns: images in a row.
        most: draw so many images at most; the title says how many there are.
        theme: "light" or "dark".

    Raises:
        DTypeError: for what has no weight.
        ShapeError: if the weight has fewer than two axes, or does not have `shape`.
        RenderError: for fewer than one column or image, or without matplotlib.

    >>> viz.weights(model[0], (8, 8)).savefig("weights.png")  # doctest: +SKIP
    """
    if columns < 1 or most < 1:
        raise RenderError(f"weights: got columns={columns} and most={most}, expected at least 1")
    weight = _weight(layer)
    tiles, columns, titles = _tiles(weight, shape, columns)
    drawn = tiles[:most]
    columns = min(columns, len(drawn))
    far = float(np.max(np.abs(weight[np.isfinite(weight)]), initial=0.0)) or 1.0
    alone = len(tiles) == 1
    look: dict[str, Any] = {"cmap": SIGNED, "vmin": -far, "vmax": far, "interpolation": "nearest"}
    with styled("weights", theme) as plt:
        figure, axes = several(plt, -(-len(drawn) // columns), columns, (5.6, 4.0) if alone else (0.85, 1.0))
        figure.set_figwidth(figure.get_figwidth() + 1.2)  # for the bar
        for ax in axes:
            ax.grid(False)
            ax.set_axis_off()
        for ax, tile, title in zip(axes, drawn, titles, strict=False):
            image = ax.imshow(tile, **look, aspect="auto" if alone else "equal")
            ax.set_title(title, fontsize=7, pad=2)
        if alone:
            _label(axes[0])
        bar = figure.colorbar(image, ax=axes, label="weight", fraction=0.05, aspect=30, ticks=[-far, 0, far])
        bar.ax.set_yticklabels([shown(-far), "0", shown(far)])
        if len(drawn) < len(tiles):
            figure.suptitle(f"the first {len(drawn)} of {len(tiles):,}", fontsize=10)
    return figure


def _label(ax: Axes) -> None:
    """Axes of a matrix."""
    ax.set_axis_on()
    ax.set_xlabel("input")
    ax.set_ylabel("unit")
    ax.locator_params(integer=True)


def _weight(layer: Any) -> Array:
    """The weight of a layer as a plain array of at least two axes."""
    weight = layer if isinstance(layer, (Value, np.ndarray)) else getattr(layer, "weight", None)
    if not isinstance(weight, (Value, np.ndarray)):
        inside = [path for path, p in getattr(layer, "named_parameters", list)() if np.ndim(p) > 1]
        remedy = f"; pass one of those inside, such as {inside[0]}" if inside else ""
        raise DTypeError(f"weights: got {type(layer).__name__}, expected a layer with a weight{remedy}")
    array = np.asarray(data_of(weight))
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"weights: the weight is of {array.dtype}, expected real numbers")
    if array.ndim < 2 or not array.size:
        raise ShapeError(
            f"weights: the weight has shape {array.shape}, expected (units, inputs) or (units, channels, ...)"
        )
    return array.astype(float)


def _tiles(weight: Array, shape: tuple[int, int] | None, columns: int) -> tuple[list[Array], int, list[str]]:
    """The images to draw, how many stand in a row, and their titles."""
    units, size = weight.shape[0], int(np.prod(weight.shape[1:]))
    if weight.ndim > 2 and shape is None:
        kernels = weight if weight.ndim == 4 else weight.reshape(units, weight.shape[1], 1, -1)
        channels = kernels.shape[1]
        titles = [f"{i}" if channels == 1 else f"{i}, {j}" for i in range(units) for j in range(channels)]
        return list(kernels.reshape(-1, *kernels.shape[2:])), columns if channels == 1 else channels, titles
    if shape is None:
        side = isqrt(size)
        if side * side != size or side <= 3:
            return [weight], 1, [""]
        shape = (side, side)
    if len(shape) != 2 or shape[0] * shape[1] != size:
        raise ShapeError(f"weights: got shape={shape} for {size} inputs, expected height · width = {size}")
    return list(weight.reshape(units, *shape)), columns, [str(i) for i in range(units)]
