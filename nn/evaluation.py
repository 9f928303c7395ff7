"""evaluate: loss and metrics of a model in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import ShapeError, Value, no_grad

from .data import batches
from .functional import cross_entropy
from .metrics import accuracy
from .module import Module
from .running import mode_of

Data = tuple[NDArray[Any], NDArray[Any]]
Loss = Callable[[Any, NDArray[Any]], Value]
Metric = Callable[[Any, NDArray[Any]], float]


def evaluate(
    model: Module,
    data: Data,
    loss: Loss = cross_entropy,
    metrics: Sequence[Metric] = (accuracy,),
    batch_size: int = 1024,
) -> dict[str, float]:
    """Loss and metrics of a model in use (`eval`) over (inputs, targets), without recording a graph.

    The loss is the mean over batches, by their sizes; each metric is computed once, of all outputs.

    Returns:
        {"loss": ..., and each metric under its name}.

    Raises ShapeError if there are no examples.
    """
    inputs, targets = np.asarray(data[0]), np.asarray(data[1])
    if not len(inputs):
        raise ShapeError("evaluate: got no examples, expected at least one")
    total, outputs = 0.0, []
    with no_grad(), mode_of(model, training=False):
        for x, y in batches(inputs, targets, batch_size=batch_size):
            output = model(x)
            total += float(loss(output, y)) * len(x)
            outputs.append(output.data)
    every = np.concatenate(outputs) if metrics else None
    return {"loss": total / len(inputs)} | {metric.__name__: float(metric(every, targets)) for metric in metrics}
