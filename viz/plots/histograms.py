"""histograms: how the numbers that flow through each layer are distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..drawing import RenderError
from ..text import many, statistics
from .observed import Array, Loss, examples, flow
from .style import Theme, colours_of, several, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nn import Module

_MANY_ZEROS = 0.05  # a share of exact zeros that would hide all else


def histograms(
    model: Module,
    x: Any,
    kind: Literal["activations", "gradients"] = "activations",
    *,
    loss: Loss | None = None,
    bins: int = 40,
    theme: Theme = "light",
) -> Figure:
    """Draw how the outputs of each layer are distributed, or the gradients of a loss with respect to them.

    Each panel says the mean and the standard deviation of its layer. Exact zeros, of a ReLU for example, are told as a share and
    left out of the bars if they are more than 5%; NaN and infinite numbers are counted. The model runs once, in evaluation mode,
    and is left as it was, its gradients too. Layers are the modules that have none inside, in the order in which they ran.

    Args:
        model: the model to run.
        x: a batch of inputs, (batch, ...).
        kind: "activations" or "gradients".
        loss: for gradients, a function of what the model returns: lambda y: cross_entropy(y, labels).
        bins: bars in a panel.
        theme: "light" or "dark".

    Returns:
        the Figure, a panel for each layer.

    Raises:
        DTypeError: if the model is no Module, x no numbers, or the loss returns no Value computed from the output.
        RenderError: for another kind, gradients without a loss, fewer than one bar, or without matplotlib.

    See Glorot & Bengio, AISTATS 2010, figures 6 and 7.

    >>> viz.histograms(model, x).savefig("activations.png")  # doctest: +SKIP
    >>> viz.histograms(model, x, "gradients", loss=lambda scores: cross_entropy(scores, y))  # doctest: +SKIP
    """
    if kind not in ("activations", "gradients"):
        raise RenderError(f"histograms: got kind={kind!r}, expected 'activations' or 'gradients'")
    if kind == "gradients" and loss is None:
        raise RenderError("histograms: gradients need a loss; pass loss=lambda y: cross_entropy(y, labels)")
    if bins < 1:
        raise RenderError(f"histograms: got bins={bins}, expected at least 1")
    layers = flow("histograms", model, examples("histograms", x), loss if kind == "gradients" else None)
    numbers = {layer.title: layer.outputs if kind == "activations" else layer.gradients for layer in layers}
    numbers = {title: arrays for title, arrays in numbers.items() if arrays}
    if not numbers:
        raise RenderError(f"histograms: no layer of {type(model).__name__} has {kind}; are there modules inside?")
    columns = min(4, len(numbers))
    with styled("histograms", theme) as plt:
        figure, axes = several(plt, -(-len(numbers) // columns), columns, (2.9, 2.3))
        for ax, (title, arrays) in zip(axes, numbers.items(), strict=False):
            _draw(ax, title, np.concatenate([np.ravel(a) for a in arrays]).astype(float), bins, theme)
        for ax in axes[len(numbers) :]:
            ax.set_axis_off()
        for ax in axes[::columns]:
            ax.set_ylabel("share of numbers", fontsize=9)
        figure.suptitle(
            "outputs of the layers" if kind == "activations" else "gradients of the loss by outputs", fontsize=11
        )
    return figure


def _draw(ax: Axes, title: str, numbers: Array, bins: int, theme: Theme) -> None:
    finite = numbers[np.isfinite(numbers)]
    words = []
    if finite.size:
        words.append(f"mean {shown(statistics([finite])[0])}, sd {shown(finite.std())}")
    zero = np.mean(finite == 0) if finite.size else 0.0
    if zero > _MANY_ZEROS:
        words.append(f"{zero:.0%} exactly 0")
    if lost := numbers.size - finite.size:
        words.append(f"{lost:,} of {many(numbers.size, 'number')} not finite")
    barred = finite[finite != 0] if zero > _MANY_ZEROS else finite
    if barred.size:
        ax.hist(barred, bins, weights=np.full(barred.size, 1 / numbers.size), color=colours_of(theme)[0])
    ax.set_title("\n".join([title, *words]), fontsize=8)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=7)
    ax.ticklabel_format(axis="x", scilimits=(-3, 4))
    ax.xaxis.get_offset_text().set_fontsize(7)
    ax.locator_params(axis="x", nbins=4)
