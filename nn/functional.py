"""Layers and losses as functions, under PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinygrad_edu import ShapeError, Value
from tinygrad_edu import cross_entropy as _cross_entropy
from tinygrad_edu import linear as _linear


def linear(x: Any, weight: Value, bias: Value | None = None) -> Any:
    """x @ weight.T + bias: (..., in), (out, in), (out,) -> (..., out). Raises ShapeError if the last axis of x does not fit."""
    return _linear(x, weight, 0.0 if bias is None else bias)


def cross_entropy(logits: Value, labels: ArrayLike) -> Value:
    """Mean of -log softmax(logits)[label] over a batch, stable for logits of any size.

    Args:
        logits: (batch, classes), unnormalised log probabilities.
        labels: (batch,), integers from 0 to classes - 1.

    Returns:
        a scalar.

    Raises:
        ShapeError: if the shapes do not match, the batch is empty, or a label is out of range.
        DTypeError: if the labels are not integers.
    """
    loss: Value = _cross_entropy(logits, labels)
    return loss


def mse_loss(prediction: Value, target: Any) -> Value:
    """Mean of (prediction - target)² over all numbers.

    Raises ShapeError if the shapes differ: broadcasting here would be a mistake that goes unnoticed.
    """
    if np.shape(target) != prediction.shape:
        raise ShapeError(
            f"mse_loss: prediction has shape {prediction.shape}, target {np.shape(target)}; expected the same, so reshape one"
        )
    error: Value = prediction - target
    return error.square().mean()


def accuracy(logits: Any, labels: ArrayLike) -> float:
    """Share of rows whose largest logit is at the label: (batch, classes), (batch,) -> plain float.

    Raises ShapeError if there is not one label a row.
    """
    scores = logits.data if isinstance(logits, Value) else np.asarray(logits)
    read, right = np.argmax(scores, axis=-1), np.asarray(labels)
    if read.shape != right.shape:
        raise ShapeError(
            f"accuracy: got scores {scores.shape} and labels {right.shape}, expected (batch, classes) and (batch,)"
        )
    return float(np.mean(read == right))
