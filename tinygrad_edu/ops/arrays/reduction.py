"""Broadcasting and reduction, which are each other's transpose: the gradient of each is the other.

`axis` is an integer, a tuple of integers, or None for all; reduced axes are removed, or kept with size 1 if `keepdims`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from ...data import filled, raw_of, shape_of
from ...definition import derived, operation
from ...domain import DISTINCT, Sample, Shape
from ...errors import ShapeError
from ...op import AXIS, rule
from ...signatures import Array, Axis, Plain
from ..numbers.arithmetic import divide
from ..numbers.length import ordinary
from .axes import checked_axes
from .scaled import Scaled, joined, scaled
from .shape import reshape, transpose

__all__ = ["amax", "amin", "broadcast_to", "max", "mean", "min", "prod", "ptp", "sum"]

_total: Any = np.add.reduce  # np.sum without its overhead, and without NumPy's stubs, which require a literal keepdims
_product: Any = np.multiply.reduce


def along_axes(shape: Shape) -> Iterator[Sample]:
    """Samples of a reduction: every choice of axes, with and without keepdims."""
    yield Sample((shape,))
    for count in range(1, len(shape) + 1):
        for axes in combinations(range(len(shape)), count):
            axis = axes[0] - len(shape) if count == 1 else axes
            yield Sample((shape,), {"axis": axis, "keepdims": count % 2 == 0})
            yield Sample((shape,), {"axis": axis, "keepdims": True})


def along_axes_with_numbers(shape: Shape) -> Iterator[Sample]:
    """Samples of a reduction that needs at least one element."""
    return (s for s in along_axes(shape) if all(shape))


def _axes(x: Any, axis: Axis) -> Shape:
    """The reduced axes as non-negative numbers; axis 0 of a scalar, which NumPy accepts, is dropped."""
    return checked_axes(shape_of(x), axis) if shape_of(x) else ()


def kept(g: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """g, shaped like a reduction of x, with the reduced axes restored at size 1, so that it broadcasts against x."""
    if keepdims or axis is None:
        return g
    return reshape(g, reduced(x, _axes(x, axis), keepdims=True))


def reduced(x: Any, axes: Shape, keepdims: bool) -> Shape:
    """The shape of a reduction of x over axes (non-negative)."""
    return tuple([1 if i in axes else n for i, n in enumerate(shape_of(x)) if keepdims or i not in axes])


def columns(x: Any, axis: Axis) -> Any:
    """x as a matrix of (elements to reduce, reductions): the reduced axes first, flattened, then the others, flattened."""
    shape, axes = shape_of(x), _axes(x, axis)
    rest = tuple([i for i in range(len(shape)) if i not in axes])
    return reshape(
        transpose(x, axes + rest), (math.prod([shape[i] for i in axes]), math.prod([shape[i] for i in rest]))
    )


def uncolumns(z: Any, x: Any, axis: Axis) -> Any:
    """The inverse of columns: a matrix laid out as columns(x, axis), in the shape of x."""
    shape, axes = shape_of(x), _axes(x, axis)
    order = axes + tuple([i for i in range(len(shape)) if i not in axes])
    return transpose(reshape(z, tuple([shape[i] for i in order])), tuple([order.index(i) for i in range(len(shape))]))


@operation(
    accumulates=True,
    symbol="Σ",
    analytic=True,
    samples=along_axes,
    rules=(rule(lambda g, y, x, axis, keepdims: kept(g, x, axis, keepdims), says="g, repeated along the axes"),),
)
def sum(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Sum over axes; 0 for an empty sum."""
    return _total(x, axis=axis, keepdims=keepdims)


def _prod_rule(g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    if ordinary(y):
        return kept(g * y, x, axis, keepdims) / x
    return kept(g, x, axis, keepdims) * uncolumns(_products_of_others(scaled(columns(x, axis))).whole(), x, axis)


def _products_of_others(x: Scaled) -> Scaled:
    """For each element of a column the product of the others, by halving: the others of a in ab are b and a's others."""
    half = len(x.e) // 2
    if not half:
        return scaled(np.ones_like(raw_of(x.m)))
    a, b, odd = x.cut(0, 0, half), x.cut(0, half, 2 * half), x.cut(0, 2 * half)
    others = _products_of_others(joined([a * b, odd], 0))
    of_pairs = others.cut(0, 0, half)
    return joined([of_pairs * b, of_pairs * a, others.cut(0, half)], 0)


@operation(
    accumulates=True,
    symbol="Π",
    analytic=True,
    slices=AXIS,
    samples=along_axes,
    rules=(rule(_prod_rule, says=lambda g, y, x, axis, keepdims: g * y / x),),
)
def prod(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Product over axes; 1 for an empty product. The gradient is exact where factors are 0."""
    return _product(x, axis=axis, keepdims=keepdims)


@operation(
    symbol="↔",
    analytic=True,
    samples=lambda shape: [Sample((shape,), {"shape": (2, *shape)}), Sample((shape,), {"shape": shape})],
    rules=(rule(lambda g, y, x, shape: g, says="g, summed over new and stretched axes"),),
)
def broadcast_to(x: Array, /, shape: Shape) -> Plain:
    """x broadcast to a shape. The result may be a read-only view. Raises ShapeError if x does not broadcast to it."""
    return np.broadcast_to(x, shape) if shape_of(x) else filled(x, shape)


@derived(samples=along_axes_with_numbers, accumulates=True)
def mean(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Arithmetic mean over axes; NaN for an empty slice."""
    return divide(sum(x, axis=axis, keepdims=keepdims), count(x, axis))


def count(x: Any, axis: Axis) -> int:
    """The number of elements of x per element of its reduction."""
    shape = shape_of(x)
    return math.prod(shape if axis is None else [shape[i] for i in _axes(x, axis)])


def _to_the_extreme(g: Any, x: Any, y: Any, axis: Axis, keepdims: bool) -> Any:
    """g at the elements equal to the extreme value y, shared equally among them; 0 elsewhere."""
    attained = x == kept(y, x, axis, keepdims)
    wide = np.result_type(getattr(x, "dtype", float), np.float32)  # float16 counts to 2048
    ties = np.sum(attained, axis=axis, keepdims=True, dtype=wide)
    return kept(g, x, axis, keepdims) / ties * attained


def _extreme(ufunc: np.ufunc, x: Array, axis: Axis, keepdims: bool) -> Any:
    try:
        return ufunc.reduce(x, axis=axis, keepdims=keepdims)
    except ValueError as error:
        if np.size(x):
            raise
        raise ShapeError(f"got an array of shape {np.shape(x)}, expected at least one number per slice") from error


_extreme_rule = rule(
    lambda g, y, x, axis, keepdims: _to_the_extreme(g, x, y, axis, keepdims),
    says="g where x = y, shared equally among ties",
)


@operation(domain=(DISTINCT,), also=(np.amax,), slices=AXIS, samples=along_axes_with_numbers, rules=(_extreme_rule,))
def max(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Maximum over axes. Ties share the gradient equally. Raises ShapeError for an empty slice."""
    return _extreme(np.maximum, x, axis, keepdims)


@operation(domain=(DISTINCT,), also=(np.amin,), slices=AXIS, samples=along_axes_with_numbers, rules=(_extreme_rule,))
def min(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Minimum over axes. Ties share the gradient equally. Raises ShapeError for an empty slice."""
    return _extreme(np.minimum, x, axis, keepdims)


amax, amin = max, min  # NumPy's other names


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers)
def ptp(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Peak to peak: maximum minus minimum over axes. Ties share the gradient equally, as for max and min."""
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)
