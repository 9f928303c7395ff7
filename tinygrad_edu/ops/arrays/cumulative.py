"""Cumulative sums and products along an axis. Derivatives of products of every order are exact where factors are 0.

cumulative_sum and cumulative_prod are the array API standard's names; they can include the initial value, 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...data import raw_of, shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...op import AXIS, rule
from ...signatures import Array, Plain
from ..numbers.length import ordinary
from .axes import along_each_axis, checked_axis, cut
from .joining import concatenate
from .scaled import Scaled, joined, scaled
from .shape import atleast_1d, reshape

__all__ = ["cumprod", "cumsum", "cumulative_prod", "cumulative_sum"]


def along_one_axis(shape: Shape) -> list[Sample]:
    """Samples along each axis, and of the flattened array."""
    return [Sample((shape,)), *along_each_axis(shape)]


def _place(y: Any, axis: int | None) -> int:
    """The axis of the result along which the operation accumulates."""
    return 0 if axis is None else checked_axis(shape_of(y), axis)


def _sums_from_the_end(g: Any, axis: int) -> Any:
    return cut(cumsum(cut(g, axis, step=-1), axis=axis), axis, step=-1)


@operation(
    accumulates=True,
    symbol="Σ…",
    analytic=True,
    samples=along_one_axis,
    rules=(
        rule(
            lambda g, y, x, axis: reshape(_sums_from_the_end(g, _place(y, axis)), shape_of(x)),
            says="Σ of g from each place to the end",
        ),
    ),
)
def cumsum(x: Array, /, axis: int | None = None) -> Plain:
    """Cumulative sum along an axis; None flattens x first. Raises ShapeError for an axis that x does not have."""
    return np.cumsum(x, axis=axis)


def _cumprod_rule(g: Any, y: Any, x: Any, axis: int | None) -> Any:
    flat, axis = x if shape_of(x) == shape_of(y) else reshape(x, shape_of(y)), _place(y, axis)
    if ordinary(y):
        share = _sums_from_the_end(g * y, axis) / flat
    else:
        share = (_products_before(scaled(flat), axis) * _sums_of_products(scaled(g), scaled(flat), axis)).whole()
    return reshape(share, shape_of(x))


def _products_before(x: Scaled, axis: int) -> Scaled:
    """P[i] = x[0] ... x[i-1], by doubling: each round doubles the number of factors in P[i]."""
    count, reach = x.e.shape[axis], 1
    P = joined([scaled(np.ones_like(cut(raw_of(x.m), axis, 0, 1))), x.cut(axis, 0, count - 1)], axis)
    while reach < count:
        P = joined([P.cut(axis, 0, reach), P.cut(axis, reach) * P.cut(axis, 0, count - reach)], axis)
        reach *= 2
    return P


def _sums_of_products(g: Scaled, x: Scaled, axis: int) -> Scaled:
    """S[i] = g[i] + x[i+1] S[i+1], by doubling: each round doubles the number of terms in S[i]."""
    factor, S, count, reach = x.cut(axis, 1), g, x.e.shape[axis], 1
    while reach < count:
        rest = count - reach
        S = joined([S.cut(axis, 0, rest) + factor * S.cut(axis, reach), S.cut(axis, rest)], axis)
        factor = factor.cut(axis, 0, max(rest - reach, 0)) * factor.cut(axis, reach)
        reach *= 2
    return S


@operation(
    accumulates=True,
    symbol="Π…",
    analytic=True,
    slices=AXIS,
    samples=along_one_axis,
    rules=(rule(_cumprod_rule, says="(Σ of g y from each place to the end) / x"),),
)
def cumprod(x: Array, /, axis: int | None = None) -> Plain:
    """Cumulative product along an axis; None flattens x first. Its gradient takes time n log n if a product is 0, else n.

    Raises ShapeError for an axis that x does not have.
    """
    return np.cumprod(x, axis=axis)


def _with_initial(shape: Shape) -> Iterator[Sample]:
    for sample in along_one_axis(shape) if len(shape) < 2 else along_each_axis(shape):
        yield sample
        yield sample._replace(params=sample.params | {"include_initial": True})


@derived(symbol="Σ…", samples=_with_initial)
def cumulative_sum(x: Array, /, axis: int | None = None, include_initial: bool = False) -> Plain:
    """Cumulative sum along an axis; with include_initial the result starts with 0 and is one element longer.

    Raises ShapeError if axis is None and x has several axes; cumsum flattens them.
    """
    y, axis = atleast_1d(x), _axis(x, axis)
    return _after(0, cumsum(y, axis=axis), axis) if include_initial else cumsum(y, axis=axis)


@derived(symbol="Π…", samples=_with_initial)
def cumulative_prod(x: Array, /, axis: int | None = None, include_initial: bool = False) -> Plain:
    """Cumulative product along an axis; with include_initial the result starts with 1 and is one element longer.

    Raises ShapeError if axis is None and x has several axes; cumprod flattens them.
    """
    y, axis = atleast_1d(x), _axis(x, axis)
    return _after(1, cumprod(y, axis=axis), axis) if include_initial else cumprod(y, axis=axis)


def _axis(x: Any, axis: int | None) -> int:
    if axis is None and len(shape_of(x)) > 1:
        raise ShapeError(f"got an array of shape {shape_of(x)} and no axis, expected axis=")
    return 0 if axis is None else axis


def _after(start: int, y: Any, axis: int) -> Any:
    """y with the start value prepended along the axis."""
    shape = list(y.shape)
    shape[axis] = 1
    return concatenate([np.full(shape, start, y.dtype), y], axis=axis)
