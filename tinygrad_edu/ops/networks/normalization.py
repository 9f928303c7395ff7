"""Normalization: shift and scale to mean 0 and variance 1 over chosen axes."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ...data import operand_array, shape_of, to_floating
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...node import Node
from ...op import AXIS, rule
from ...signatures import Array, Axis, Plain
from ..arrays.axes import checked_axes, real
from ..arrays.reduction import along_axes_with_numbers, mean
from ..numbers.arithmetic import sqrt

__all__ = ["layer_norm", "rms_norm"]


def _along_axes(shape: Shape) -> Iterator[Sample]:
    if shape and all(shape):
        yield Sample((shape,))
        for sample in along_axes_with_numbers(shape):
            yield Sample((shape,), {"axis": sample.params.get("axis")})


def _with_eps(shape: Shape) -> Iterator[Sample]:
    """Samples with an eps large enough for an exact numerical derivative at x = 0."""
    return (s._replace(params=s.params | {"eps": eps}) for s in _along_axes(shape) for eps in (0.125, 0.5))


def _layers(shape: Shape) -> Iterator[Sample]:
    if shape and all(shape):
        yield Sample((shape,), {"eps": 0.25})
        yield Sample((shape, shape[-1:]), {"eps": 0.125}, keywords=("weight",))
        yield Sample((shape, shape[-1:], shape[-1:]), {"axis": -1, "eps": 0.5}, keywords=("weight", "bias"))
        yield Sample((shape, shape, ()), {"axis": tuple(range(len(shape))), "eps": 0.25}, keywords=("weight", "bias"))


def _checked(x: Any, axis: Axis) -> tuple[Any, Shape, int]:
    """x in floating point, the axes, and the number of elements along them."""
    axes = checked_axes(shape_of(x), axis)
    count = prod([x.shape[i] for i in axes]) if axes else 0
    if not count:
        got = f"shape {np.shape(x)} and axis={axis}"
        raise ShapeError(f"got {got}, expected at least one number along at least one axis")
    return to_floating(x), axes, count


@operation(
    accumulates=True,
    symbol="x - x̄",
    analytic=True,
    samples=_along_axes,
    numpy=lambda x, axis=-1: x - np.mean(x, axis, keepdims=True),
    rules=(rule(lambda g, y, x, axis: center(g, axis=axis), says="g - mean(g)"),),
)
def center(x: Array, /, axis: Axis = -1) -> Plain:
    """x minus its mean over axes (None: all), as accurate far from 0 as near it. It is its own transpose.

    Raises ShapeError for an empty or missing axis.
    """
    x, axes, count = _checked(x, axis)
    first = x[tuple([slice(0, 1) if i in axes else slice(None) for i in range(x.ndim)])]
    y = x - first  # exact where the numbers are close to each other; the mean is then small
    y -= np.add.reduce(y, axis=axes, keepdims=True) / count
    return y


def _mean_product(a: Any, b: Any, axis: Axis) -> Any:
    """mean(a * b) over axes, kept with size 1; for plain arrays in one pass, without an array of products."""
    if isinstance(a, Node) or isinstance(b, Node):
        return mean(a * b, axis=axis, keepdims=True)
    axes = checked_axes(a.shape, axis)
    letters, kept = list(range(a.ndim)), [i for i in range(a.ndim) if i not in axes]
    total = np.vecdot(a, b) if axes == (a.ndim - 1,) else operand_array(np.einsum(a, letters, b, letters, kept))
    return (total / prod([a.shape[i] for i in axes])).reshape([1 if i in axes else n for i, n in enumerate(a.shape)])


@operation(
    accumulates=True,
    symbol="x / rms",
    slices=AXIS,
    samples=_with_eps,
    numpy=lambda x, axis=-1, eps=1e-5: x / np.sqrt(np.mean(x * x, axis, keepdims=True) + eps),
    rules=(
        rule(
            lambda g, y, x, axis, eps: (y * -_mean_product(g, y, axis) + g) * _inverse_rms(x, axis, eps),
            says="(g - y mean(g y)) / √(mean(x²) + ε)",
        ),
    ),
)
def rms_norm(x: Array, /, axis: Axis = -1, eps: float = 1e-5) -> Plain:
    """x / √(mean(x²) + eps) over axes (None: all): numbers of mean square 1. See Zhang & Sennrich (2019).

    Raises ShapeError for an empty or missing axis.
    """
    x, axes, _ = _checked(x, axis)
    return x * _inverse_rms(x, axes, real("eps", eps))


def _inverse_rms(x: Any, axis: Axis, eps: float) -> Any:
    return 1 / sqrt(_mean_product(x, x, axis) + eps)


def _layer_formula(x: Any, axis: Any = -1, weight: Any = 1.0, bias: Any = 0.0, eps: float = 1e-5) -> Any:
    return (x - np.mean(x, axis, keepdims=True)) / np.sqrt(np.var(x, axis, keepdims=True) + eps) * weight + bias


@derived(samples=_layers, numpy=_layer_formula, accumulates=True)
def layer_norm(x: Array, /, axis: Axis = -1, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Plain:
    """Layer normalization over axes: (x - mean(x)) / √(var(x) + eps) · weight + bias, with the shape of x.

    Args:
        axis: as in NumPy. PyTorch's normalized_shape with two sizes corresponds to axis=(-2, -1).
        weight, bias: arrays that broadcast to the shape of x, or None.

    Raises ShapeError if they do not broadcast. See Ba, Kiros & Hinton, "Layer Normalization" (2016).
    """
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and _stretched(shape_of(x), np.shape(given)) != shape_of(x):
            got = f"x of shape {shape_of(x)} and {name} of shape {np.shape(given)}"
            raise ShapeError(f"got {got}, expected a shape that broadcasts to x: the sizes of the normalized axes")
    y = rms_norm(center(x, axis=axis), axis=axis, eps=eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _stretched(a: Shape, b: Shape) -> Shape | None:
    """The shape that a and b broadcast to; None if they do not."""
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None
