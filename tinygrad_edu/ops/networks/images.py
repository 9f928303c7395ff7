"""Images as operands: a batch of them, or a single one, which counts as a batch of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...data import shape_of
from ...domain import Shape
from ...errors import ShapeError
from ..arrays.shape import reshape

AXES = {1: "length", 2: "height, width", 3: "depth, height, width"}


def batch_shape(x: Any, axes: int) -> Shape:
    """(batch, channels, *size) of x, with a batch of 1 for a single image (channels, *size). Raises ShapeError for other axes."""
    shape = shape_of(x)
    if len(shape) not in (axes + 1, axes + 2):
        expected = f"(batch, channels, {AXES[axes]}), or the same without the batch"
        raise ShapeError(f"got x of shape {shape}, expected {expected}; reshape it, or add axes with x[None]")
    return shape if len(shape) == axes + 2 else (1, *shape)


def per_batch(function: Callable[[Any], Any], x: Any, shape: Shape) -> Any:
    """function(x), given the batch_shape of x; the result for a single image has no batch either."""
    if len(shape_of(x)) == len(shape):
        return function(x)
    y = function(reshape(x, shape))
    return reshape(y, shape_of(y)[1:])
