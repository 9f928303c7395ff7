"""Losses of class probabilities: minus the log likelihood of what is true, from logits, log probabilities or probabilities."""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np

from tinygrad_edu import (
    DTypeError,
    ShapeError,
    Term,
    TinygradError,
    log,
    log1p,
    log_softmax,
    softplus,
    squeeze,
    sum,
    take,
    take_along_axis,
    where,
)
from tinygrad_edu import cross_entropy as _mean_cross_entropy

from ..checks import Integer, Reduction, Share, Weights, data_of, plain_array
from .arguments import class_axis, class_labels, class_weights, factor, numbers, pair, require_probabilities
from .reduction import loss_function, part, reduced

_LOWEST = -100.0  # as in PyTorch: one wrong certainty does not make the loss infinite


@loss_function
def binary_cross_entropy(input: Any, target: Any, weight: Weights = None, *, reduction: Reduction = "mean") -> Any:
    """-(t ln p + (1 - t) ln(1 - p)) of probabilities p and t, logarithms below -100 counting as -100.

    Where one does, no gradient flows through it: sigmoids that say 0 or 1 are better left to `binary_cross_entropy_with_logits`.

    Args:
        input: probabilities p, any shape.
        target: probabilities or labels 0 and 1, the same shape.
        weight: factors of the losses, of this shape or broadcast to it.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes differ or are empty.
        TinygradError: if a probability is not from 0 to 1.
    """
    name = "binary_cross_entropy"
    p, t = pair(name, input, target)
    require_probabilities(name, "input", p)
    require_probabilities(name, "target", t)
    losses = -(t * _limited(log, p, p > exp(_LOWEST)) + (1 - t) * _limited(log1p, -p, p < 1))
    return reduced(name, losses * factor(name, "weight", weight, p), reduction)


def _limited(logarithm: Any, x: Any, counts: Any) -> Any:
    """The logarithm of x where it counts, else the lowest."""
    return where(counts, logarithm(where(counts, x, 0.5)), _LOWEST)  # 0.5: any number with a finite logarithm


@loss_function
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Weights = None, *, reduction: Reduction = "mean", pos_weight: Weights = None
) -> Any:
    """-(t ln σ(x) + (1 - t) ln(1 - σ(x))) of logits x, exact for logits of any size.

    Args:
        input: logits x, any shape.
        target: probabilities or labels 0 and 1, the same shape.
        weight: factors of the losses, of this shape or broadcast to it.
        reduction: "mean", "sum" or "none".
        pos_weight: factors of the first term alone, likewise; more than 1 for more recall, less for more precision.

    Raises:
        ShapeError: if the shapes differ or are empty.
        TinygradError: if a target is not from 0 to 1.
    """
    name = "binary_cross_entropy_with_logits"
    x, t = pair(name, input, target)
    require_probabilities(name, "target", t)
    positive, every = factor(name, "pos_weight", pos_weight, x), factor(name, "weight", weight, x)
    return reduced(name, (t * softplus(-x) * positive + (1 - t) * softplus(x)) * every, reduction)


@loss_function
def nll_loss(
    input: Any, target: Any, weight: Weights = None, *, ignore_index: Integer = -100, reduction: Reduction = "mean"
) -> Any:
    """-weight[label] · input[label], the negative log likelihood of labels.

    The mean is Σ losses / Σ weight[label], of labels that are not ignored.

    Args:
        input: log probabilities, (batch, classes), (batch, classes, ...) or (classes,).
        target: labels 0 to classes - 1: (batch,), (batch, ...) or ().
        weight: (classes,), all 1 if None.
        ignore_index: a label whose loss is 0.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes do not fit or are empty, or a label is out of range.
        DTypeError: if the labels are not integers.
        TinygradError: if there is nothing to take a mean of.
    """
    name = "nll_loss"
    x = numbers(name, "input", input)
    labels = class_labels(name, "log probabilities", np.shape(x), target, ignore_index)
    weights = class_weights(name, weight, x)
    kept = labels != ignore_index
    return _over_labels(name, _label_losses(x, labels, kept, weights), _label_weights(labels, kept, weights), reduction)


def _label_weights(labels: Any, kept: Any, weights: Any) -> Any:
    """The weight of each label, 0 for those ignored."""
    return np.where(kept, take(weights, np.where(kept, labels, 0)), weights.dtype.type(0))


def _label_losses(log_p: Any, labels: Any, kept: Any, weights: Any) -> Any:
    """-weight ln p of each label, 0 for those that are ignored or weigh 0, also where p is 0."""
    axis = class_axis(log_p.shape)
    places = np.expand_dims(np.where(kept, labels, 0), axis)
    losses = -squeeze(take_along_axis(log_p, places, axis=axis), axis=axis)
    factors = _label_weights(labels, kept, weights)
    return _weighed(losses, factors, kept)


def _weighed(losses: Any, factors: Any, kept: Any = True) -> Any:
    """factors · losses, 0 for those not kept, and where an infinite loss has the factor 0: 0 ln 0 = 0, also to its gradient."""
    impossible = (data_of(factors) == 0) & np.isinf(data_of(losses))
    return where(kept & ~impossible, losses, 0.0) * factors


def _over_labels(name: str, losses: Any, weights: Any, reduction: str) -> Any:
    """The losses reduced: their mean is Σ losses / Σ weights, those of the labels."""
    total = np.sum(weights, dtype=float)
    return reduced(name, losses, reduction, total.as_number() if isinstance(total, Term) else float(total))


@loss_function
def cross_entropy(
    input: Any,
    target: Any,
    weight: Weights = None,
    *,
    ignore_index: Integer = -100,
    reduction: Reduction = "mean",
    label_smoothing: Share = 0.0,
) -> Any:
    """-Σ weight · t · ln softmax(input) over the classes, t the target's distribution; stable for logits of any size.

    Of a label, t is 1 at its class and 0 elsewhere; 0 ln 0 is 0. The mean is Σ losses / Σ weight[label], of labels that are not
    ignored. Of probabilities the mean is that of the losses.

    Args:
        input: logits, which are unnormalised log probabilities, (batch, classes), (batch, classes, ...) or (classes,).
        target: labels 0 to classes - 1, (batch,), (batch, ...) or (); or probabilities, floats in the shape of the input.
        weight: (classes,), all 1 if None.
        ignore_index: a label whose loss is 0; of probabilities none can be ignored.
        reduction: "mean", "sum" or "none".
        label_smoothing: from 0 to 1, how much of t is spread evenly over all classes (Szegedy et al. 2016).

    Raises:
        ShapeError: if the shapes do not fit or are empty, or a label is out of range.
        DTypeError: if the labels are not integers.
        TinygradError: if a probability is not from 0 to 1, there is nothing to take a mean of, or a class to ignore is given
            beside probabilities.
    """
    if weight is None and ignore_index == -100 and reduction == "mean" and not label_smoothing:
        try:
            value = _mean_cross_entropy(input, target)  # of labels alone, in one operation
            return part(value, target, reduction)
        except (ShapeError, DTypeError):
            pass  # more axes, probabilities or ignored labels; or a mistake, which the checks below name
    return _cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def _cross_entropy(
    input: Any, target: Any, weight: Any, ignore_index: int, reduction: str, label_smoothing: float
) -> Any:
    name = "cross_entropy"
    x = numbers(name, "input", input)
    target = plain_array(name, "target", target)
    probabilities = target.dtype.kind == "f" and np.ndim(x) == np.ndim(target) and np.ndim(x) > 0
    if probabilities:
        x, target = pair(name, x, target)
        require_probabilities(name, "target", target)
        if ignore_index >= 0:
            got = f"ignore_index={ignore_index} and a target of probabilities"
            raise TinygradError(f"{name}: got {got}, expected labels beside it; leave it out, or pass weight= with a 0")
    else:
        target = class_labels(name, "logits", np.shape(x), target, ignore_index)
    axis = class_axis(x.shape)
    log_p, weights = log_softmax(x, axis=axis), class_weights(name, weight, x)
    by_class = np.reshape(weights, (-1, *[1] * (x.ndim - axis - 1)))
    smooth = label_smoothing / x.shape[axis]
    if probabilities:
        shares = target * (1 - label_smoothing) + smooth
        return reduced(name, -sum(_weighed(log_p, by_class * shares), axis=axis), reduction)
    kept = target != ignore_index
    losses = _label_losses(log_p, target, kept, weights)
    if label_smoothing:
        spread = -sum(_weighed(log_p, by_class), axis=axis)
        losses = losses * (1 - label_smoothing) + where(kept, spread, 0.0) * smooth
    return _over_labels(name, losses, _label_weights(target, kept, weights), reduction)
