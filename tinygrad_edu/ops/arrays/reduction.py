"""Broadcasting and its mirror image, reduction: the gradient of each is the other.

`axis` is an integer, a tuple of them, or None for all; reduced axes vanish, or stay with size 1 if `keepdims`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from ...data import raw_of, shape_of
from ...definition import derived, operation
from ...domain import DISTINCT, Sample, Shape
from ...errors import ShapeError
from ...op import rule
from ...signatures import Array, Axis, Plain
from ..numbers.arithmetic import divide
from .arguments import checked_axes
from .joining import concatenate
from .shape import reshape, transpose

__all__ = ["amax", "amin", "broadcast_to", "max", "mean", "min", "prod", "ptp", "sum"]

_total: Any = np.add.reduce  # np.sum less its overhead, and less NumPy's stubs, which want keepdims as a literal
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
    """The same for reductions that need at least one number."""
    return (s for s in along_axes(shape) if all(shape))


def _axes(x: Any, axis: Axis) -> Shape:
    """The axes of a reduction that has been made: a scalar's axis 0, which NumPy lets pass, is none."""
    return checked_axes(shape_of(x), axis) if shape_of(x) else ()


def kept(g: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """g, shaped like a reduction of x, with the reduced axes back at size 1, so that it broadcasts against x."""
    if keepdims or axis is None:
        return g
    return reshape(g, reduced(x, _axes(x, axis), keepdims=True))


def reduced(x: Any, axes: Shape, keepdims: bool) -> Shape:
    """The shape of a reduction of x over axes counted from 0."""
    return tuple([1 if i in axes else n for i, n in enumerate(shape_of(x)) if keepdims or i not in axes])


def columns(x: Any, axis: Axis) -> Any:
    """The reduced axes as one axis, and the others as a second one behind it: (numbers to reduce, reductions)."""
    shape, axes = shape_of(x), _axes(x, axis)
    rest = tuple([i for i in range(len(shape)) if i not in axes])
    return reshape(
        transpose(x, axes + rest), (math.prod([shape[i] for i in axes]), math.prod([shape[i] for i in rest]))
    )


def uncolumns(z: Any, x: Any, axis: Axis) -> Any:
    """Numbers that lie as in columns(x, axis), back in their places in x."""
    shape, axes = shape_of(x), _axes(x, axis)
    order = axes + tuple([i for i in range(len(shape)) if i not in axes])
    return transpose(reshape(z, tuple([shape[i] for i in order])), tuple([order.index(i) for i in range(len(shape))]))


@operation(
    symbol="Σ",
    analytic=True,
    samples=along_axes,
    rules=(rule(lambda g, y, x, axis, keepdims: kept(g, x, axis, keepdims), says="g, repeated along the axes"),),
)
def sum(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Sum over axes; 0 where there is nothing to sum."""
    return _total(x, axis=axis, keepdims=keepdims)


def ordinary(y: Any) -> bool:
    """Whether products y are neither 0, nor out of range, so that y / x is the product of all other factors."""
    size = np.abs(raw_of(y))
    return bool(np.all((size >= np.finfo(size.dtype).tiny) & (size < np.inf)))


def _prod_rule(g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    if ordinary(y):
        return kept(g * y, x, axis, keepdims) / x
    return kept(g, x, axis, keepdims) * uncolumns(_products_of_others(columns(x, axis)), x, axis)


def _products_of_others(x: Any) -> Any:
    """For each number of a column the product of all others in it: halved, as others of a are b and the others of ab."""
    half = len(x) // 2
    if not half:
        return np.ones(x.shape, x.dtype)
    a, b, odd = x[:half], x[half : 2 * half], x[2 * half :]
    others = _products_of_others(concatenate([a * b, odd], axis=0))
    of_pairs = others[:half]
    return concatenate([of_pairs * b, of_pairs * a, others[half:]], axis=0)


@operation(
    symbol="Π",
    analytic=True,
    samples=along_axes,
    rules=(rule(_prod_rule, says=lambda g, y, x, axis, keepdims: g * y / x),),
)
def prod(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Product over axes; 1 where there is nothing to multiply. Right where factors are 0."""
    return _product(x, axis=axis, keepdims=keepdims)


@operation(
    symbol="↔",
    analytic=True,
    samples=lambda shape: [Sample((shape,), {"shape": (2, *shape)}), Sample((shape,), {"shape": shape})],
    rules=(rule(lambda g, y, x, shape: g, says="g, summed over the new axes"),),
)
def broadcast_to(x: Array, /, shape: Shape) -> Plain:
    """x stretched to a shape by NumPy's rules. The result may be a read-only view. Raises ShapeError if it does not fit."""
    return np.broadcast_to(x, shape) if shape_of(x) else np.full(shape, x)


@derived(samples=along_axes_with_numbers)
def mean(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Arithmetic mean over axes; NaN where there is nothing to average."""
    return divide(sum(x, axis=axis, keepdims=keepdims), count(x, axis))


def count(x: Any, axis: Axis) -> int:
    """How many numbers of x go into one number of its reduction."""
    shape = shape_of(x)
    return math.prod(shape if axis is None else [shape[i] for i in _axes(x, axis)])


def _to_the_extreme(g: Any, x: Any, y: Any, axis: Axis, keepdims: bool) -> Any:
    """g at the places that attain the extreme value y, shared equally among them; 0 elsewhere."""
    attained = x == kept(y, x, axis, keepdims)
    ties = np.sum(attained, axis=axis, keepdims=True, dtype=getattr(x, "dtype", float))
    return kept(g, x, axis, keepdims) / ties * attained


def _extreme(ufunc: np.ufunc, x: Array, axis: Axis, keepdims: bool) -> Any:
    try:
        return ufunc.reduce(x, axis=axis, keepdims=keepdims)
    except ValueError as error:
        if np.size(x):
            raise
        raise ShapeError(f"got an array of shape {np.shape(x)}, expected at least one number to choose from") from error


_extreme_rule = rule(
    lambda g, y, x, axis, keepdims: _to_the_extreme(g, x, y, axis, keepdims),
    says="g where x = y, shared equally among ties",
)


@operation(domain=(DISTINCT,), also=(np.amax,), samples=along_axes_with_numbers, rules=(_extreme_rule,))
def max(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Largest number over axes. Ties share the gradient equally. Raises ShapeError where there is nothing to choose from."""
    return _extreme(np.maximum, x, axis, keepdims)


@operation(domain=(DISTINCT,), also=(np.amin,), samples=along_axes_with_numbers, rules=(_extreme_rule,))
def min(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Smallest number over axes. Ties share the gradient equally. Raises ShapeError where there is nothing to choose from."""
    return _extreme(np.minimum, x, axis, keepdims)


amax, amin = max, min  # NumPy's other names


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers)
def ptp(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Peak to peak: largest less smallest number over axes. Ties share the gradient equally, as for max and min."""
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)
