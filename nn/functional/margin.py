"""Losses that are 0 once the right answer leads by a margin, and the smooth ones beside them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError, Value, mean, relu, softplus, square, sum, take, take_along_axis, where

from ..checks import Exponent, Real, Reduction, Weights, data_of, plain_array
from ..metrics import mistakes
from .arguments import (
    class_labels,
    class_weights,
    factor,
    filled,
    numbers,
    pair,
    require_probabilities,
    shape_of,
    signs,
)
from .reduction import loss_function, reduced


@loss_function
def hinge_loss(input: Any, target: Any, margin: Real = 1.0, *, reduction: Reduction = "mean") -> Any:
    """max(0, margin - target · input), the loss of support vector machines and of micrograd's demo.

    Args:
        input: scores, any shape.
        target: labels -1 and +1, the same shape.
        margin: the lead that suffices.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes differ or are empty.
        TinygradError: for other labels.
    """
    x, y = pair("hinge_loss", input, target)
    y = signs("hinge_loss", y, x, shape_of(x))
    return reduced("hinge_loss", relu(margin - y * x), reduction)


@loss_function
def hinge_embedding_loss(input: Any, target: Any, margin: Real = 1.0, *, reduction: Reduction = "mean") -> Any:
    """x where the target is 1, max(0, margin - x) where it is -1: of distances x between pairs that belong together, or do not.

    Shapes, args and errors as for `hinge_loss`.
    """
    name = "hinge_embedding_loss"
    x, y = pair(name, input, target)
    together = data_of(signs(name, y, x, shape_of(x))) == 1
    return reduced(name, where(together, x, relu(margin - x)), reduction)


@loss_function
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: Real = 0.0, *, reduction: Reduction = "mean"
) -> Any:
    """max(0, margin - target · (input1 - input2)): input1 is to rank above input2 (target 1), or below (target -1).

    Args:
        input1, input2: scores, both of the same shape.
        target: labels 1 and -1, the same shape.
        margin: the lead that suffices.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes differ or are empty.
        TinygradError: for other labels.
    """
    name = "margin_ranking_loss"
    one, two = pair(name, input1, input2, ("input1", "input2"))
    y = signs(name, target, one, shape_of(one))
    return reduced(name, relu(margin - y * (one - two)), reduction)


@loss_function
def soft_margin_loss(input: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """ln(1 + e**(-target · input)), the logistic loss: a smooth hinge, exact for scores of any size.

    Shapes, args and errors as for `hinge_loss`.
    """
    x, y = pair("soft_margin_loss", input, target)
    y = signs("soft_margin_loss", y, x, shape_of(x))
    return reduced("soft_margin_loss", softplus(-(y * x)), reduction)


@loss_function
def multi_margin_loss(
    input: Any,
    target: Any,
    p: Exponent = 1,
    margin: Real = 1.0,
    weight: Weights = None,
    *,
    reduction: Reduction = "mean",
) -> Any:
    """Σ weight[y] max(0, margin - input[y] + input[j])**p / classes over all classes j other than the label y.

    Args:
        input: scores, (batch, classes) or (classes,).
        target: labels 0 to classes - 1, (batch,) or ().
        p: 1 or 2.
        margin: the lead over each other class that suffices.
        weight: (classes,), all 1 if None.
        reduction: "mean" over the batch, "sum" or "none".

    Raises:
        ShapeError: if the shapes do not fit or are empty, or a label is out of range.
        DTypeError: if the labels are not integers.
        TinygradError: for another p.
    """
    name = "multi_margin_loss"
    x = numbers(name, "input", input)
    if len(shape_of(x)) > 2:
        raise ShapeError(f"{name}: got scores {shape_of(x)}, expected (batch, classes) or (classes,)")
    labels = class_labels(name, "scores", shape_of(x), target)
    weights = take(class_weights(name, weight, x), labels)
    places = np.expand_dims(labels, -1)
    missing = relu(margin - take_along_axis(x, places, axis=-1) + x)  # of the lead over each class
    rivals = where(np.arange(x.shape[-1]) != places, missing if p == 1 else square(missing), 0.0)
    return reduced(name, sum(rivals, axis=-1) * (weights / x.shape[-1]), reduction)


@loss_function
def multilabel_margin_loss(input: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """Σ max(0, 1 - input[y] + input[j]) / classes over an example's labels y and all classes j that are not among them.

    Args:
        input: scores, (batch, classes) or (classes,).
        target: the same shape: each example's labels 0 to classes - 1, then -1, after which the rest does not count.
        reduction: "mean" over the batch, "sum" or "none".

    Raises:
        ShapeError: if the shapes do not fit or are empty, or a label is out of range.
        DTypeError: if the labels are not integers.
    """
    name = "multilabel_margin_loss"
    x = filled(name, "input", numbers(name, "input", input))
    labels, kept = _label_lists(name, target, shape_of(x))
    own = np.any((labels[..., None] == np.arange(x.shape[-1])) & kept[..., None], axis=-2)
    lead = np.expand_dims(take_along_axis(x, labels, axis=-1), -1) - np.expand_dims(x, -2)  # (..., labels, classes)
    missing = where(kept[..., None] & ~own[..., None, :], relu(1 - lead), 0.0)
    return reduced(name, sum(missing, axis=(-2, -1)) / x.shape[-1], reduction)


def _label_lists(name: str, target: Any, scores: tuple[int, ...]) -> tuple[Any, Any]:
    """The labels up to the first -1 of each row, 0 after it; and which of them are there."""
    if isinstance(target, Value):
        raise DTypeError(f"{name}: labels are a Value, expected plain integers; write labels.data.astype(int)")
    labels = plain_array(name, "target", target)
    if labels.shape != scores or len(scores) not in (1, 2):
        expected = "both (batch, classes) or (classes,), at least one"
        raise ShapeError(f"{name}: got scores {scores} and labels {labels.shape}, expected {expected}")
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"{name}: labels are {labels.dtype}, expected integers; cast them with .astype(int)")
    kept = np.logical_and.accumulate(labels != -1, axis=-1)
    labels = np.where(kept, labels, 0)
    if labels.min() < 0 or labels.max() >= scores[-1]:
        got = f"labels from {labels.min()} to {labels.max()}"
        raise ShapeError(f"{name}: got {got}, expected 0 to {scores[-1] - 1}, and -1 after the last of a row")
    return labels, kept


@loss_function
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Weights = None, *, reduction: Reduction = "mean"
) -> Any:
    """-(t ln σ(x) + (1 - t) ln(1 - σ(x))) of logits x, averaged over the classes: each class is true or not by itself.

    Args:
        input: logits, (..., classes).
        target: probabilities or labels 0 and 1, the same shape.
        weight: factors of the terms, (classes,) or a shape that broadcasts to that of the input.
        reduction: "mean" over the examples, "sum" or "none".

    Raises:
        ShapeError: if the shapes differ or are empty.
        TinygradError: if a target is not from 0 to 1.
    """
    name = "multilabel_soft_margin_loss"
    x, t = pair(name, input, target)
    if not shape_of(x):
        raise ShapeError(f"{name}: got scalars, expected an axis of classes")
    require_probabilities(name, "target", t)
    terms = (t * softplus(-x) + (1 - t) * softplus(x)) * factor(name, "weight", weight, x)
    return reduced(name, mean(terms, axis=-1), reduction)


@loss_function
def zero_one_loss(input: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """0 where the prediction is right, else 1: what classification is about. Without gradient: train with another loss.

    Args:
        input: scores (batch, classes), of which the largest counts, or labels (batch,).
        target: labels, (batch,).
        reduction: "mean", the share of mistakes as a plain float, "sum", their number, or "none", an array (batch,).

    Raises:
        ShapeError: if the shapes do not fit or are empty.
        DTypeError: if labels are not integers.
    """
    return reduced("zero_one_loss", mistakes("zero_one_loss", input, target).astype(float), reduction)
