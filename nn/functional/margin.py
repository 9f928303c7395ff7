"""Losses that are 0 once the right answer leads by a margin, and the similarity of directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu import (
    ShapeError,
    broadcast_to,
    norm,
    relu,
    square,
    sum,
    take_along_axis,
    where,
)

from ..checks import INTEGER, Domain, checked, data_of, explaining, is_real
from ..metrics import mistakes
from .arguments import class_labels, class_weights, filled, numbers, pair, shape_of, signs
from .reduction import in_single, loss_function, reduced

EXPONENT: Domain = (lambda p: is_real(p) and p in (1, 2), "1 or 2")


@explaining
@in_single
def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8) -> Any:
    """x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps)) along an axis of the shape that both broadcast to: from -1 to 1.

    Raises ShapeError if they do not broadcast, or the shape lacks the axis.
    """
    name = "cosine_similarity"
    x1 = numbers(name, "x1", x1)
    x2 = numbers(name, "x2", x2, like=x1)
    checked(name, "axis", axis, INTEGER)
    checked(name, "eps", eps)
    try:
        shape = np.broadcast_shapes(shape_of(x1), shape_of(x2))
    except ValueError:
        shape = ()
    if not -len(shape) <= axis < len(shape):
        got = f"shapes {shape_of(x1)} and {shape_of(x2)}, axis={axis}"
        raise ShapeError(f"{name}: got {got}; expected shapes that broadcast to one with this axis")
    one, two = (broadcast_to(x, shape) for x in (x1, x2))
    return sum(_direction(one, axis, eps) * _direction(two, axis, eps), axis=axis)


def _direction(x: Any, axis: int, eps: float) -> Any:
    length = norm(x, axis=axis, keepdims=True)
    # not maximum, whose gradient is a product: 0 * NaN at the kink to second order
    return x / where(length > eps, length, eps)


@loss_function
def cosine_embedding_loss(x1: Any, x2: Any, target: Any, *, margin: float = 0.0, reduction: str = "mean") -> Any:
    """1 - cos of pairs that belong together (target 1), max(0, cos - margin) of those that do not (target -1).

    Args:
        x1, x2: vectors, (..., size), both of the same shape.
        target: labels 1 and -1, (...).
        margin: how similar strangers may be, from -1 to 1.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes do not fit or are empty.
        TinygradError: for other labels.
    """
    name = "cosine_embedding_loss"
    x1 = filled(name, "x1", numbers(name, "x1", x1))
    x2 = numbers(name, "x2", x2, like=x1)
    if shape_of(x1) != shape_of(x2) or not shape_of(x1):
        got = f"x1 has shape {shape_of(x1)}, x2 {shape_of(x2)}"
        raise ShapeError(f"{name}: {got}; expected the same, (..., size), so reshape one")
    together = data_of(signs(name, target, x1, shape_of(x1)[:-1])) == 1
    similarity = cosine_similarity(x1, x2, axis=-1)
    return reduced(name, where(together, 1 - similarity, relu(similarity - margin)), reduction)


@loss_function
def hinge_loss(prediction: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """max(0, margin - target · prediction), the loss of support vector machines and of micrograd's demo.

    Args:
        prediction: scores, any shape.
        target: labels -1 and +1, the same shape.
        margin: the lead that suffices.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes differ or are empty.
        TinygradError: for other labels.
    """
    x, y = pair("hinge_loss", prediction, target)
    y = signs("hinge_loss", y, x, shape_of(x))
    return reduced("hinge_loss", relu(margin - y * x), reduction)


@loss_function
def hinge_embedding_loss(prediction: Any, target: Any, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """x where the target is 1, max(0, margin - x) where it is -1: of distances x between pairs that belong together, or do not.

    Shapes, args and errors as for `hinge_loss`.
    """
    name = "hinge_embedding_loss"
    x, y = pair(name, prediction, target)
    together = data_of(signs(name, y, x, shape_of(x))) == 1
    return reduced(name, where(together, x, relu(margin - x)), reduction)


@loss_function
def multi_margin_loss(
    scores: Any, target: Any, *, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Any:
    """Σ weight[y] max(0, margin - scores[y] + scores[j])**p / classes over all classes j other than the label y.

    Args:
        scores: (batch, classes) or (classes,).
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
    checked(name, "p", p, EXPONENT)
    x = numbers(name, "scores", scores)
    if len(shape_of(x)) > 2:
        raise ShapeError(f"{name}: got scores {shape_of(x)}, expected (batch, classes) or (classes,)")
    labels = class_labels(name, "scores", shape_of(x), target)
    weights = class_weights(name, weight, x)[labels]
    places = np.expand_dims(labels, -1)
    missing = relu(margin - take_along_axis(x, places, axis=-1) + x)  # of the lead over each class
    rivals = where(np.arange(x.shape[-1]) != places, missing if p == 1 else square(missing), 0.0)
    return reduced(name, sum(rivals, axis=-1) * (weights / x.shape[-1]), reduction)


@loss_function
def zero_one_loss(prediction: Any, target: Any, *, reduction: str = "mean") -> Any:
    """0 where the prediction is right, else 1: what classification is about. Without gradient: train with another loss.

    Args:
        prediction: scores (batch, classes), of which the largest counts, or labels (batch,).
        target: labels, (batch,).
        reduction: "mean", the share of mistakes as a plain float, "sum", their number, or "none", an array (batch,).

    Raises:
        ShapeError: if the shapes do not fit or are empty.
        DTypeError: if labels are not integers.
    """
    return reduced("zero_one_loss", mistakes("zero_one_loss", prediction, target).astype(float), reduction)
