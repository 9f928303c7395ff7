"""Broadcasting and its mirror image, reduction: the gradient of each is the other.

`axis` is an integer, a tuple of them, or None for all; reduced axes vanish, or stay with size 1 if `keepdims`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import prod
from operator import index
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import DISTINCT, Sample, Shape
from ..errors import ShapeError
from ..op import rule
from ..registry import derived, operation
from ..signatures import Array, Axis, Plain
from .arithmetic import divide, where
from .exponential import exp
from .shape import reshape, transpose

_total: Any = np.add.reduce  # np.sum less its overhead, and less NumPy's stubs, which want keepdims as a literal
_largest: Any = np.maximum.reduce


def along_axes(shape: Shape) -> Iterator[Sample]:
    """Samples of a reduction: every choice of axes, with and without keepdims."""
    yield Sample((shape,), {})
    for count in range(1, len(shape) + 1):
        for axes in combinations(range(len(shape)), count):
            axis = axes[0] - len(shape) if count == 1 else axes
            yield Sample((shape,), {"axis": axis, "keepdims": count % 2 == 0})
            yield Sample((shape,), {"axis": axis, "keepdims": True})


def along_axes_with_numbers(shape: Shape) -> Iterator[Sample]:
    """The same for reductions that need at least one number."""
    return (s for s in along_axes(shape) if all(shape))


def along_axes_with_freedom(shape: Shape) -> Iterator[Sample]:
    """The same for variances, also divided by one less than the count."""
    for s in along_axes_with_numbers(shape):
        yield s
        if _count(np.empty(shape), s.params.get("axis")) > 1:
            yield Sample((shape,), s.params | {"ddof": 1})


def axes_of(x: Any, axis: Axis) -> Shape:
    """The reduced axes as a tuple of numbers from 0."""
    ndim = len(shape_of(x))
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (index(axis),)
    try:
        return tuple([range(ndim)[i] for i in axes]) if ndim else ()
    except IndexError:
        got = f"axis {axis} of an array of shape {shape_of(x)}"
        raise ShapeError(f"got {got}, expected axes from {-ndim} to {ndim - 1}") from None


def kept(g: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """g, shaped like a reduction of x, with the reduced axes back at size 1, so that it broadcasts against x."""
    if keepdims or axis is None:
        return g
    axes = axes_of(x, axis)
    return reshape(g, tuple([1 if i in axes else n for i, n in enumerate(shape_of(x))]))


def columns(x: Any, axis: Axis) -> Any:
    """The reduced axes as one axis, and the others as a second one behind it: (numbers to reduce, reductions)."""
    shape, axes = shape_of(x), axes_of(x, axis)
    rest = tuple([i for i in range(len(shape)) if i not in axes])
    return reshape(transpose(x, axes + rest), (_count(x, axis), prod([shape[i] for i in rest])))


def uncolumns(z: Any, x: Any, axis: Axis) -> Any:
    """Numbers that lie as in columns(x, axis), back in their places in x."""
    shape, axes = shape_of(x), axes_of(x, axis)
    order = axes + tuple([i for i in range(len(shape)) if i not in axes])
    return transpose(reshape(z, tuple([shape[i] for i in order])), tuple([order.index(i) for i in range(len(shape))]))


@operation(
    symbol="Σ",
    analytic=True,
    samples=along_axes,
    rules=(rule("g, repeated along the axes", lambda g, y, x, axis, keepdims: kept(g, x, axis, keepdims)),),
)
def sum(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Sum over axes; 0 where there is nothing to sum."""
    return _total(x, axis=axis, keepdims=keepdims)


@operation(
    symbol="↔",
    analytic=True,
    samples=lambda shape: [Sample((shape,), {"shape": (2, *shape)}), Sample((shape,), {"shape": shape})],
    rules=(rule("g, summed over the new axes", lambda g, y, x, shape: g),),
)
def broadcast_to(x: Array, shape: Shape) -> Plain:
    """x stretched to a shape by NumPy's rules. The result may be a read-only view."""
    return np.broadcast_to(x, shape) if isinstance(x, np.ndarray) else np.full(shape, x)


@derived(samples=along_axes_with_numbers)
def mean(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Arithmetic mean over axes; NaN where there is nothing to average."""
    return divide(sum(x, axis=axis, keepdims=keepdims), _count(x, axis))


@derived(samples=along_axes_with_freedom)
def var(x: Array, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Plain:
    """Variance over axes: squared deviations from the mean, summed, over (count - ddof). Exact for data far from 0."""
    deviation = x - mean(x, axis=axis, keepdims=True)
    return divide(sum(deviation * deviation, axis=axis, keepdims=keepdims), freedom(x, axis, ddof))


def freedom(x: Any, axis: Axis, ddof: int) -> int:
    """Degrees of freedom: how many numbers a reduction takes, less ddof; never below 0."""
    n = _count(x, axis) - ddof
    return n if n > 0 else 0


def _count(x: Any, axis: Axis) -> int:
    """How many numbers of x go into one number of its reduction."""
    count = 1
    for i in axes_of(x, axis):
        count *= shape_of(x)[i]
    return count


def _to_the_extreme(g: Any, x: Any, y: Any, axis: Axis, keepdims: bool) -> Any:
    """g at the places that attain the extreme value y, shared equally among them; 0 elsewhere."""
    attained = x == kept(y, x, axis, keepdims)
    axes = None if axis is None else axes_of(x, axis)
    count = np.sum(attained, axis=axes, keepdims=True, dtype=getattr(x, "dtype", float))
    return kept(g, x, axis, keepdims) / count * attained


def _extreme(ufunc: np.ufunc, x: Array, axis: Axis, keepdims: bool) -> Any:
    try:
        return ufunc.reduce(x, axis=axis, keepdims=keepdims)
    except ValueError as error:
        if np.size(x):
            raise
        name = {"maximum": "max", "minimum": "min"}[ufunc.__name__]
        raise ShapeError(
            f"{name}: an array of shape {np.shape(x)} has no {name}; expected at least one number"
        ) from error


_extreme_rule = rule(
    "g where x = y, shared equally among ties",
    lambda g, y, x, axis, keepdims: _to_the_extreme(g, x, y, axis, keepdims),
)


@operation(domain=(DISTINCT,), also=(np.amax,), samples=along_axes_with_numbers, rules=(_extreme_rule,))
def max(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Largest number over axes. Ties share the gradient equally. Raises ShapeError where there is nothing to choose from."""
    return _extreme(np.maximum, x, axis, keepdims)


@operation(domain=(DISTINCT,), also=(np.amin,), samples=along_axes_with_numbers, rules=(_extreme_rule,))
def min(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Smallest number over axes. Ties share the gradient equally. Raises ShapeError where there is nothing to choose from."""
    return _extreme(np.minimum, x, axis, keepdims)


amax, amin = max, min  # NumPy's other names


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers)
def ptp(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Peak to peak: largest less smallest number over axes. Ties share the gradient equally, as for max and min."""
    return max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)


@operation(
    samples=along_axes_with_numbers,
    numpy=lambda x, axis=None, keepdims=False: (
        np.logaddexp.reduce(x, axis=axis, keepdims=keepdims)
        if isinstance(axis, int)
        else np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))
    ),
    rules=(
        rule(
            "g · softmax(x)",
            lambda g, y, x, axis, keepdims: (
                kept(g, x, axis, keepdims) * exp(x - kept(where(y == -np.inf, 0.0, y), x, axis, keepdims))
            ),
        ),
    ),
)
def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """ln Σ e**x over axes, without overflow or underflow; -inf where there is nothing to sum."""
    x = x if np.asarray(x).dtype.kind == "f" else np.asarray(x, float)
    largest = _largest(x, axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0)  # x - largest is never inf - inf
    e = np.exp(x - largest)
    top = e == 1
    rest = _total(e, axis=axis, keepdims=True, where=~top) + (np.sum(top, axis=axis, keepdims=True, dtype=e.dtype) - 1)
    with np.errstate(divide="ignore"):
        y = np.log1p(rest) + largest  # log1p of all but one of the largest: as exact as np.logaddexp
    return y if keepdims else np.squeeze(y, axis=None if axis is None else axes_of(x, axis))
