"""evaluate: loss and metrics of a model in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import ShapeError, TinygradError, Value, no_grad

from .checks import data_of, explaining, plain_array
from .data import batches
from .functional import cross_entropy
from .metrics import accuracy
from .module import Module
from .running import mode_of

Data = tuple[NDArray[Any], NDArray[Any]]
Loss = Callable[[Any, NDArray[Any]], Value]
Metric = Callable[[Any, NDArray[Any]], float]


@explaining
def evaluate(
    model: Module,
    data: Data,
    loss: Loss = cross_entropy,
    metrics: Sequence[Metric] = (accuracy,),
    batch_size: int | None = 1024,
) -> dict[str, float]:
    """Loss and metrics of a model in use (`eval`) over (inputs, targets), without recording a graph.

    The loss is the mean over batches, by their sizes; each metric is computed once, of all outputs.

    Returns:
        {"loss": ..., and each metric under its name}.

    Raises:
        ShapeError: if there are no examples.
        TinygradError: if two metrics have the same name.
    """
    named = {_name_of(metric): metric for metric in metrics}
    if len(named) < len(metrics):
        got = ", ".join(map(_name_of, metrics))
        raise TinygradError(f"evaluate: got metrics {got}, expected different names; define functions with names")
    inputs, targets = [
        plain_array("evaluate", what, x) for what, x in zip(("inputs", "targets"), data[:2], strict=True)
    ]
    if not len(inputs):
        raise ShapeError("evaluate: got no examples, expected at least one")
    total, outputs = 0.0, []
    with no_grad(), mode_of(model, training=False):
        for x, y in batches(inputs, targets, batch_size=batch_size or len(inputs)):
            output = model(x)
            total += float(loss(output, y)) * len(x)
            if metrics:
                outputs.append(data_of(output))
    every = np.concatenate(outputs) if metrics else None
    return {"loss": total / len(inputs)} | {name: float(metric(every, targets)) for name, metric in named.items()}


def _name_of(metric: Metric) -> str:
    """Of a function, or of the one that functools.partial was made of."""
    inner = getattr(metric, "func", metric)
    return str(getattr(inner, "__name__", type(inner).__name__))
