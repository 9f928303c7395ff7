"""evaluate: loss and metrics of a model in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import ShapeError, TinygradError, no_grad, tree_map

from .. import metrics as known
from ..checks import MODULE, checked, data_of, explaining, is_real, shown, size
from ..data import batches
from ..functional import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    multi_margin_loss,
    nll_loss,
)
from ..loss import Loss as LossModule
from ..module import Module
from ..running import mode_of
from .arguments import Data, checked_data
from .tally import Parts, Tally, origin, parts

Loss: TypeAlias = Callable[[Any, NDArray[Any]], Any]
Metric: TypeAlias = Callable[[Any, NDArray[Any]], float]
Metrics: TypeAlias = Mapping[str, Metric]

OF_CLASSES = (cross_entropy, nll_loss, multi_margin_loss)  # the losses of one score for each class
OF_TWO = {  # those of one score for two classes: the threshold of the outputs, and of the targets
    binary_cross_entropy: (0.5, 0.5),
    binary_cross_entropy_with_logits: (0.0, 0.5),
    hinge_loss: (0.0, 0.0),
}
BATCH = 1024  # examples evaluated at once


@explaining
def evaluate(
    model: Module,
    data: Data,
    loss: Loss = cross_entropy,
    metrics: Sequence[Metric] | None = None,
    batch_size: int | None = BATCH,
) -> dict[str, float]:
    """Loss and metrics of a model in evaluation mode over (inputs, targets), without recording a graph.

    The loss does not depend on the batch size, except for rounding: a mean is taken once, over all examples, each with its
    weight, and a sum runs over all. See `fit` for custom losses. Each metric is computed once, from all outputs.

    Args:
        metrics: functions of (outputs, targets), plain arrays; outputs that are tuples come as tuples of arrays. None for
            accuracy beside losses of classes, and none otherwise. For cross_entropy, nll_loss and multi_margin_loss it is the
            share of examples whose highest score is at the label, or at the target's largest probability, without ignored
            labels; for the binary cross-entropies and hinge_loss the share of outputs on the right side of the threshold.
        batch_size: examples computed at once; None for all of them.

    Returns:
        {"loss": ..., and each metric under its name}.

    Raises:
        ShapeError: if there are no examples, or not one target for each.
        TinygradError: if data is no pair, two metrics have the same name, one is named "loss" or returns anything but a number,
            or all examples weigh 0.
    """
    checked("evaluate", "model", model, MODULE)
    inputs, targets = checked_data("evaluate", "data", data)
    named = named_metrics("evaluate", loss, metrics, (inputs, targets))
    count = len(inputs) if batch_size is None else size("evaluate", "batch_size", batch_size)
    number, outputs = run("evaluate", model, (inputs, targets), parts("evaluate", loss), count, bool(named))
    return {"loss": number} | measured("evaluate", named, outputs, targets)


def run(name: str, model: Module, data: Data, loss: Parts, batch_size: int, keep: bool) -> tuple[float, Any]:
    """The loss over all data, and all outputs if `keep`, else None."""
    tally, outputs = Tally(), []
    with no_grad(), mode_of(model, training=False):
        for x, y in batches(*data, batch_size=batch_size):
            output = model(x)
            part = loss(output, y)
            number = data_of(part.value)
            if np.shape(number):
                expected = "one number: a mean or a sum"
                raise TinygradError(f"{name}: the loss returned {shown(number)}, expected {expected}")
            tally.add(float(number), part)
            if keep:
                outputs.append(tree_map(data_of, output))
    return tally.loss(name), tree_map(lambda *of: _joined(name, of, len(data[0])), *outputs) if keep else None


def _joined(name: str, outputs: Sequence[Any], examples: int) -> Any:
    """The outputs of all batches as one array, or None."""
    if outputs[0] is None:
        return None
    shapes = [np.shape(output) for output in outputs]
    if not all(shapes) or sum([shape[0] for shape in shapes]) != examples:
        got = f"an output of shape {shapes[0]}"
        remedy = "pass metrics=(), or let the model not return it"
        raise ShapeError(f"{name}: got {got} for metrics, expected one row for each example; {remedy}")
    return np.concatenate(outputs)


# -- Metrics -----------------------------------------------------------------------------------------------------------


def named_metrics(name: str, loss: Any, metrics: Sequence[Metric] | None, *data: Data) -> Metrics:
    """The metrics by name; for None, the default metrics of the loss.

    Raises TinygradError if one is not a function, two have the same name, one is named "loss", or the default metrics do not fit
    the targets of the data.
    """
    given = _beside(name, loss, data) if metrics is None else metrics
    if not isinstance(given, (tuple, list)) or not all(map(callable, given)):
        expected = "several functions of (outputs, targets), as in metrics=(nn.metrics.accuracy,)"
        raise TinygradError(f"{name}: got metrics={shown(metrics)}, expected {expected}")
    named = {name_of(metric): metric for metric in given}
    if len(named) < len(given):
        got = ", ".join(map(name_of, given))
        raise TinygradError(f"{name}: got metrics {got}, expected different names; define functions with names")
    if "loss" in named:
        raise TinygradError(f"{name}: got a metric named 'loss', which is the name of the loss; rename the function")
    return named


def measured(name: str, metrics: Metrics, outputs: Any, targets: NDArray[Any]) -> dict[str, float]:
    """Each metric's number. Raises TinygradError for one that returns anything but a number, or NaN."""
    return {title: _number(name, title, metric(outputs, targets)) for title, metric in metrics.items()}


def _number(name: str, title: str, given: Any) -> float:
    number = data_of(given)
    number = number[()] if isinstance(number, np.ndarray) and not number.ndim else number
    if not is_real(number) and not isinstance(number, (bool, np.bool)):
        raise TinygradError(f"{name}: the metric {title} returned {shown(given)}, expected one number")
    if isnan(number):
        raise TinygradError(f"{name}: the metric {title} returned nan, expected a number")
    return float(number)


def name_of(metric: Metric) -> str:
    """The name of a function, or of the function inside a functools.partial."""
    inner = origin(metric)[0]
    return str(getattr(inner, "__name__", type(inner).__name__))


def _beside(name: str, loss: Any, data: Sequence[Data]) -> tuple[Metric, ...]:
    """The default metrics of a loss: accuracy beside losses of classes, without the labels that the loss ignores."""
    inner, settings = origin(loss)
    function = type(inner).function if isinstance(inner, LossModule) else inner
    for own, (threshold, middle) in OF_TWO.items():
        if function is own:
            return (_right_sides(threshold, middle),)
    if not any(function is own for own in OF_CLASSES):
        return ()
    if function is cross_entropy:
        for _, targets in data:
            _check_probabilities(name, targets)
    ignored = settings.get("ignore_index", getattr(inner, "ignore_index", -100))

    def accuracy(outputs: Any, targets: NDArray[Any]) -> float:
        """The accuracy of nn.metrics, for classes along axis 1, as in the loss."""
        if np.ndim(outputs) > 2:
            outputs = np.moveaxis(outputs, 1, -1)
            targets = np.moveaxis(targets, 1, -1) if np.ndim(targets) == np.ndim(outputs) else targets
        return known.accuracy(outputs, targets, ignore_index=ignored)

    return (accuracy,)


def _right_sides(threshold: float, middle: float) -> Metric:
    def accuracy(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        """The share of outputs above the threshold whose targets are above the middle, or both below; NaN is never right."""
        return float(np.mean(((outputs > threshold) == (targets > middle)) & ~np.isnan(outputs)))

    return accuracy


def _check_probabilities(name: str, targets: NDArray[Any]) -> None:
    """Raises TinygradError for targets of cross_entropy that are floats, but no distributions over several classes."""
    if targets.dtype.kind != "f" or targets.ndim < 2:
        return
    if targets.shape[1] == 1:
        got = f"targets {targets.shape}, probabilities of a single class, of which cross_entropy is always 0"
        remedy = "pass labels, targets[:, 0].astype(int), with an output for each class"
        raise ShapeError(f"{name}: got {got}; {remedy}, or of two classes use binary_cross_entropy_with_logits")
    sums = np.sum(targets, axis=1, dtype=float)
    if np.any(np.abs(sums - 1) > known.ROUNDING):
        got = f"targets whose rows sum to {np.nanmin(sums):.3g} to {np.nanmax(sums):.3g}"
        remedy = "for several labels an example use binary_cross_entropy_with_logits; metrics=() if they are right"
        raise TinygradError(f"{name}: got {got}, expected one-hot rows or probabilities, which sum to 1; {remedy}")
