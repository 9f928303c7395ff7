"""histograms: how the numbers that flow through each layer are distributed, and those of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from tinygrad_edu import ShapeError

from ..arguments import refusing
from ..drawing import RenderError
from ..text import data_of, many, statistics
from .observed import Array, Loss, check_module, examples, flow, resting
from .style import Theme, colours_of, several, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nn import Module

Kind: TypeAlias = Literal["activations", "gradients", "parameters", "parameter gradients"]
_TITLES: dict[Kind, str] = {
    "activations": "outputs of the layers",
    "gradients": "gradients of the loss by outputs",
    "parameters": "parameters",
    "parameter gradients": "gradients by parameters",
}
_MANY_ZEROS = 0.05  # a share of exact zeros that would hide all else


@refusing()
def histograms(
    model: Module,
    x: Any = None,
    kind: Kind = "activations",
    *,
    loss: Loss | None = None,
    bins: int = 40,
    yscale: Literal["linear", "log"] = "linear",
    theme: Theme = "light",
) -> Figure:
    """Draw how the outputs of each layer are distributed, or the gradients of a loss with respect to them; or the parameters.

    Each panel says the mean and the standard deviation of its layer. Exact zeros, of a ReLU for example, are told as a share and
    left out of the bars if they are more than 5%; NaN and infinite numbers are counted. The model runs once, in evaluation mode,
    and is left as it was, its gradients too. Layers are the modules that have none inside, in the order in which they ran;
    parameters have a panel each.

    Args:
        model: the model to run.
        x: a batch of inputs, (batch, ...). Parameters need none, nor do their gradients after a backward() of your own.
        kind: "activations", "gradients" (with respect to the outputs of the layers), "parameters" or "parameter gradients".
        loss: for gradients, a function of what the model returns: lambda y: cross_entropy(y, labels).
        bins: bars in a panel.
        yscale: "log" shows the few large numbers beside the many small ones, of gradients for example.
        theme: "light" or "dark".

    Returns:
        the Figure, a panel for each layer.

    Raises:
        DTypeError: if the model is no Module, x no numbers, or the loss returns no Value computed from the output.
        ShapeError: without the x that activations and gradients need.
        RenderError: for another kind or scale, gradients without a loss, fewer than one bar, or without matplotlib.

    See Glorot & Bengio, AISTATS 2010, figures 6 and 7.

    >>> viz.histograms(model, x).savefig("activations.png")  # doctest: +SKIP
    >>> viz.histograms(model, x, "gradients", loss=lambda scores: cross_entropy(scores, y))  # doctest: +SKIP
    >>> viz.histograms(model, kind="parameters")  # doctest: +SKIP
    """
    if kind not in (*_TITLES,):
        raise RenderError(f"histograms: got kind={kind!r}, expected one of {', '.join(map(repr, _TITLES))}")
    if bins < 1:
        raise RenderError(f"histograms: got bins={bins}, expected at least 1")
    if yscale not in ("linear", "log"):
        raise RenderError(f"histograms: got yscale={yscale!r}, expected 'linear' or 'log'")
    check_module("histograms", model)
    numbers = _parameters(model, x, kind, loss) if kind.startswith("parameter") else _layers(model, x, kind, loss)
    numbers = {title: arrays for title, arrays in numbers.items() if arrays}
    if not numbers:
        hint = "call backward() first" if kind == "parameter gradients" else "are there modules inside?"
        raise RenderError(f"histograms: no layer of {type(model).__name__} has {kind}; {hint}")
    columns = min(4, len(numbers))
    with styled("histograms", theme) as plt:
        figure, axes = several(plt, -(-len(numbers) // columns), columns, (2.9, 2.3))
        for ax, (title, arrays) in zip(axes, numbers.items(), strict=False):
            _draw(ax, title, np.concatenate([np.ravel(a) for a in arrays]).astype(float), bins, yscale == "log", theme)
        for ax in axes[len(numbers) :]:
            ax.set_axis_off()
        for ax in axes[::columns]:
            ax.set_ylabel("share of numbers", fontsize=9)
        figure.suptitle(_TITLES[kind], fontsize=11)
    return figure


def _layers(model: Module, x: Any, kind: Kind, loss: Loss | None) -> dict[str, list[Array]]:
    """What flowed through each layer, by its title."""
    if kind == "gradients" and loss is None:
        raise RenderError("histograms: gradients need a loss; pass loss=lambda y: cross_entropy(y, labels)")
    if x is None:
        raise ShapeError(f"histograms: got no x, expected (batch, ...); {kind} need a batch of inputs")
    layers = flow("histograms", model, examples("histograms", x), loss if kind == "gradients" else None)
    return {layer.title: layer.outputs if kind == "activations" else layer.gradients for layer in layers}


def _parameters(model: Module, x: Any, kind: Kind, loss: Loss | None) -> dict[str, list[Array]]:
    """The parameters of each layer, or their gradients, by title: gradients of the loss, or those that the model holds."""
    if kind == "parameters" or loss is None is x:
        layers = resting("histograms", model)
    elif loss is None or x is None:
        expected = "x and loss=, or neither after a backward() of your own"
        raise RenderError(f"histograms: got {'x' if loss is None else 'a loss'} alone for gradients; pass {expected}")
    else:
        layers = flow("histograms", model, examples("histograms", x), loss)
    found: dict[str, list[Array]] = {}
    for layer in layers:
        data = {path: np.asarray(data_of(p)) for path, p in layer.module.named_parameters()}
        for path, gradient in layer.parameters.items():
            numbers = data[path] if kind == "parameters" else gradient
            found[f"{layer.title}, {path}"] = [] if numbers is None else [numbers]
    return found


def _draw(ax: Axes, title: str, numbers: Array, bins: int, log: bool, theme: Theme) -> None:
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
        ax.hist(barred, bins, weights=np.full(barred.size, 1 / numbers.size), color=colours_of(theme)[0], log=log)
    if barred.size and log:
        ax.set_ylim(bottom=0.4 / numbers.size)  # a bar of a single number is seen
    ax.set_title("\n".join([title, *words]), fontsize=8)
    ax.set_axisbelow(True)
    ax.tick_params(which="both", labelsize=7)
    ax.ticklabel_format(axis="x", scilimits=(-3, 4))
    ax.xaxis.get_offset_text().set_fontsize(7)
    ax.locator_params(axis="x", nbins=4)
