"""Layers and losses as functions, under PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinygrad_edu import DTypeError, ShapeError, Value, matmul, transpose
from tinygrad_edu import cross_entropy as _cross_entropy
from tinygrad_edu import linear as _linear


def linear(x: Any, weight: Value, bias: Value | None = None) -> Any:
    """x @ weight.T + bias: (..., in), (out, in), (out,) -> (..., out)."""
    shape = x.shape if isinstance(x, (Value, np.ndarray)) else np.shape(x)
    if shape[-1:] != weight.shape[1:]:
        raise ShapeError(
            f"linear: got an input of shape {shape}, expected (..., {weight.shape[1]}) for a weight of shape {weight.shape}"
        )
    return matmul(x, transpose(weight)) if bias is None else _linear(x, weight, bias)


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
    loss: Value = _cross_entropy(logits, _checked_labels(logits, labels))
    return loss


def _checked_labels(logits: Value, labels: ArrayLike) -> Any:
    """The labels as an array of integers."""
    classes = np.asarray(labels)
    if classes.dtype.kind not in "iu":
        raise DTypeError(
            f"cross_entropy: labels are {classes.dtype}, expected integers: the number of each right class"
        )
    if logits.ndim != 2 or classes.shape != logits.shape[:1] or not classes.size:
        raise ShapeError(
            f"cross_entropy: got logits {logits.shape} and labels {classes.shape}, "
            "expected (batch, classes) and (batch,), at least one"
        )
    if classes.min() < 0 or classes.max() >= logits.shape[1]:
        got = f"labels from {classes.min()} to {classes.max()}"
        raise ShapeError(
            f"cross_entropy: got {got}, expected 0 to {logits.shape[1] - 1} for logits of shape {logits.shape}"
        )
    return classes


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
    """Share of rows whose largest logit is at the label: (batch, classes), (batch,) -> plain float."""
    scores = logits.data if isinstance(logits, Value) else np.asarray(logits)
    return float(np.mean(np.argmax(scores, axis=-1) == np.asarray(labels)))
