"""gradient_flow: how large the gradients of each layer are, and where they get lost."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

from tinygrad_edu import DTypeError

from ..arguments import refusing
from ..drawing import RenderError
from ..text import many
from .faults import Finding, findings
from .observed import Loss, examples, flow, resting
from .style import Theme, axes_of, colours_of, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nn import Module


@refusing()
def gradient_flow(
    model: Module,
    x: Any = None,
    *,
    loss: Loss | None = None,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Draw the root mean square of the gradients of each layer's parameters, and say at the right what is wrong with a layer.

    Vanishing and exploding gradients are found from the gradients alone; saturated activations and dead units also need inputs.
    See `viz.plots.faults` for the rules. Activations are seen if they are modules, such as nn.ReLU().

    Args:
        model: the model. Without a loss the gradients are those of its last backward().
        x: a batch of inputs, to see what the activations do with them; None for gradients alone. The model runs once, in
            evaluation mode, and is left as it was, its gradients too.
        loss: a function of what the model returns, whose gradients to draw: lambda y: cross_entropy(y, labels). Needs x.
        ax: where to draw; None for a new figure.
        theme: "light" or "dark".

    Raises:
        DTypeError: if the model is no Module, or the loss returns no Value computed from the output.
        RenderError: if there are no gradients and no loss, a loss and no x, or without matplotlib.

    >>> loss.backward()  # doctest: +SKIP
    >>> viz.gradient_flow(model)  # doctest: +SKIP
    >>> viz.gradient_flow(model, x, loss=lambda scores: cross_entropy(scores, y))  # doctest: +SKIP
    """
    if loss is not None and x is None:
        raise RenderError("gradient_flow: got a loss and no x; pass the inputs that the model is to run on")
    layers = (
        resting("gradient_flow", model)
        if x is None
        else flow("gradient_flow", model, examples("gradient_flow", x), loss)
    )
    if not any(layer.parameters for layer in layers):
        raise DTypeError(f"gradient_flow: {type(model).__name__} has no parameters, so it has no gradients")
    if all(g is None for layer in layers for g in layer.parameters.values()):
        raise RenderError("gradient_flow: no parameter has a gradient; call backward() first, or pass x and loss=")
    found = findings(layers)
    with styled("gradient_flow", theme) as plt:
        ax = axes_of(plt, ax, (9.5, 1.4 + 0.42 * len(found)))
        _draw(ax, found, theme)
    return ax


def _draw(ax: Axes, found: list[Finding], theme: Theme) -> None:
    """A row for each layer, the first one on top; sizes on a logarithmic axis; words at the right."""
    sized = [(row.size, i) for i, row in enumerate(found) if row.size]
    first, second = colours_of(theme)[:2]
    ax.set_xscale("log")
    if sized:
        ax.plot(*zip(*sized, strict=True), "o-", color=first, label="gradient")
        low, high = min(size for size, _ in sized), max(size for size, _ in sized)
        margin = max(
            2.0, 10 / (high / low) ** 0.5
        )  # two decades at least: a narrow axis makes equal sizes look unequal
        ax.set_xlim(low / margin, high * margin)
    if faulty := [(row.size, i) for i, row in enumerate(found) if row.size and row.faults]:
        ax.plot(*zip(*faulty, strict=True), "X", color=second, markersize=10, linestyle="none", label="fault")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    rows = range(len(found))
    ax.set_ylim(len(found) - 0.5, -0.5)
    ax.set_yticks(rows, [row.title for row in found])
    beside = ax.secondary_yaxis("right")
    beside.set_yticks(rows, [fill("; ".join(row.faults), 52) for row in found], color=second, fontsize=8)
    beside.tick_params(length=0)
    beside.spines[:].set_visible(False)
    ax.set_xlabel("root mean square of the parameters' gradients")
    count = sum(len(row.faults) for row in found)
    ax.set_title(many(count, "fault") if count else "no fault found", loc="right", fontsize=10)
