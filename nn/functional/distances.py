"""Distances and angles between vectors, and losses of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu import ShapeError, broadcast_to, minimum, norm, relu, sum, where

from ..checks import Dim, Flag, Function, NotNegative, Positive, Real, Reduction, Shape, data_of, explaining
from .arguments import filled, numbers, pair, shape_of, signs
from .reduction import in_single, loss_function, reduced


@explaining
@in_single
def cosine_similarity(x1: Any, x2: Any, dim: Dim = 1, eps: NotNegative = 1e-8) -> Any:
    """x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps)) along an axis of the shape that both broadcast to: from -1 to 1.

    Raises ShapeError if they do not broadcast, or the shape lacks the axis.
    """
    one, two, shape = _both("cosine_similarity", x1, x2, dim)
    one, two = (_unit(broadcast_to(x, shape), 2.0, dim, eps) for x in (one, two))
    return sum(one * two, axis=dim)


@explaining
@in_single
def pairwise_distance(x1: Any, x2: Any, p: Real = 2.0, eps: Real = 1e-6, keepdim: Flag = False) -> Any:
    """‖x1 - x2 + eps‖, the p-norm along the last axis of the shape that both broadcast to.

    Args:
        p: exponent of the norm, inf for the largest distance along an axis.
        eps: added to each difference, so that equal vectors have a gradient.
        keepdim: keep the last axis, of size 1.

    Raises ShapeError if they do not broadcast, or have no axis.
    """
    one, two, _ = _both("pairwise_distance", x1, x2, -1)
    return norm(one - two + eps, p, axis=-1, keepdims=keepdim)


@explaining
@in_single
def normalize(input: Any, p: Real = 2.0, dim: Dim = 1, eps: NotNegative = 1e-12) -> Any:
    """input / max(‖input‖, eps), the p-norm along an axis: vectors of length 1. Any shape -> the same.

    Raises ShapeError if the input lacks the axis.
    """
    x = numbers("normalize", "input", input)
    if not -len(shape_of(x)) <= dim < len(shape_of(x)):
        raise ShapeError(f"normalize: got an input of shape {shape_of(x)} and dim={dim}, expected one with this axis")
    return _unit(x, p, dim, eps)


def _both(name: str, x1: Any, x2: Any, dim: int) -> tuple[Any, Any, Shape]:
    """Both as numbers, and the shape that they broadcast to, which has the axis."""
    x1 = numbers(name, "x1", x1)
    x2 = numbers(name, "x2", x2, like=x1)
    try:
        shape = np.broadcast_shapes(shape_of(x1), shape_of(x2))
    except ValueError:
        shape = ()
    if not -len(shape) <= dim < len(shape):
        got = f"shapes {shape_of(x1)} and {shape_of(x2)}, dim={dim}"
        raise ShapeError(f"{name}: got {got}; expected shapes that broadcast to one with this axis")
    return x1, x2, shape


def _unit(x: Any, p: float, dim: int, eps: float) -> Any:
    length = norm(x, p, axis=dim, keepdims=True)
    # not maximum, whose gradient is a product: 0 * NaN at the kink to second order
    return x / where(length > eps, length, eps)


@loss_function
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: Real = 0.0, *, reduction: Reduction = "mean"
) -> Any:
    """1 - cos of pairs that belong together (target 1), max(0, cos - margin) of those that do not (target -1).

    Args:
        input1, input2: vectors, (..., size), both of the same shape.
        target: labels 1 and -1, (...).
        margin: how similar strangers may be, from -1 to 1.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes do not fit or are empty.
        TinygradError: for other labels.
    """
    name = "cosine_embedding_loss"
    one, two = _vectors(name, input1=input1, input2=input2)
    together = data_of(signs(name, target, one, shape_of(one)[:-1])) == 1
    similarity = cosine_similarity(one, two, dim=-1)
    return reduced(name, where(together, 1 - similarity, relu(similarity - margin)), reduction)


@loss_function
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: Positive = 1.0,
    p: Real = 2.0,
    eps: Real = 1e-6,
    swap: Flag = False,
    *,
    reduction: Reduction = "mean",
) -> Any:
    """max(0, margin + ‖anchor - positive‖ - ‖anchor - negative‖): a like is to be nearer than an unlike, by a margin.

    Args:
        anchor, positive, negative: vectors, (..., size), all of the same shape.
        margin: the lead that suffices.
        p, eps: of the distance; see `pairwise_distance`.
        swap: take ‖positive - negative‖ where it is less than ‖anchor - negative‖ (Balntas et al., BMVC 2016).
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes differ or are empty.
        TinygradError: unless margin > 0.
    """
    name = "triplet_margin_loss"
    vectors = _vectors(name, anchor=anchor, positive=positive, negative=negative)
    return _triplet(name, vectors, lambda a, b: pairwise_distance(a, b, p, eps), margin, swap, reduction)


@loss_function
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Function | None = None,
    margin: Positive = 1.0,
    swap: Flag = False,
    reduction: Reduction = "mean",
) -> Any:
    """max(0, margin + d(anchor, positive) - d(anchor, negative)) with a distance d: `pairwise_distance` if None.

    Args and errors as for `triplet_margin_loss`.
    """
    name = "triplet_margin_with_distance_loss"
    vectors = _vectors(name, anchor=anchor, positive=positive, negative=negative)
    return _triplet(name, vectors, distance_function or pairwise_distance, margin, swap, reduction)


def _vectors(name: str, **inputs: Any) -> list[Any]:
    """Inputs of the same shape (..., size), as numbers. Raises ShapeError for other shapes, or empty ones."""
    (first, x), *others = inputs.items()
    x = filled(name, first, numbers(name, first, x))
    if not shape_of(x):
        raise ShapeError(f"{name}: {first} is a scalar, expected vectors (..., size)")
    return [x, *(pair(name, x, other, (first, what))[1] for what, other in others)]


def _triplet(name: str, vectors: list[Any], distance: Function, margin: float, swap: bool, reduction: str) -> Any:
    anchor, positive, negative = vectors
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(name, relu(margin + near - far), reduction)
