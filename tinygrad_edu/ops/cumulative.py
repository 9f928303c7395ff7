"""Running sums and products along an axis, and the product of all. Products are right where factors are 0, to every order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data import data_of, shape_of
from ..domain import Sample, Shape
from ..op import rule
from ..registry import operation
from ..signatures import Array, Axis, Plain
from .difference import cut
from .joining import concatenate
from .reduction import along_axes, columns, kept, uncolumns
from .shape import reshape

_product: Any = np.multiply.reduce


def _along_one_axis(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape,), {})
    for axis in range(-1, len(shape)):
        if shape:
            yield Sample((shape,), {"axis": axis})


def _sums_from_the_end(g: Any, axis: int) -> Any:
    return cut(cumsum(cut(g, axis, step=-1), axis=axis), axis, step=-1)


@operation(
    symbol="Σ…",
    analytic=True,
    samples=_along_one_axis,
    rules=(
        rule(
            "Σ of g from each place to the end",
            lambda g, y, x, axis: reshape(_sums_from_the_end(g, 0 if axis is None else axis), shape_of(x)),
        ),
    ),
)
def cumsum(x: Array, axis: int | None = None) -> Plain:
    """Running sum along an axis; None flattens x first."""
    return np.cumsum(x, axis=axis)


def _ordinary(y: Any) -> bool:
    """Whether products y are neither 0, nor out of range, so that y / x is the product of all other factors."""
    size = np.abs(data_of(y))
    return bool(np.all((size >= np.finfo(size.dtype).tiny) & (size < np.inf)))


def _cumprod_rule(g: Any, y: Any, x: Any, axis: int | None) -> Any:
    flat, axis = (reshape(x, shape_of(y)), 0) if axis is None else (x, axis)
    if _ordinary(y):
        share = _sums_from_the_end(g * y, axis) / flat
    else:
        ones = np.ones_like(cut(data_of(flat), axis, 0, 1))
        share = concatenate([ones, cut(y, axis, None, -1)], axis=axis) * _horner(g, flat, axis)
    return reshape(share, shape_of(x))


def _horner(g: Any, x: Any, axis: int) -> Any:
    """S[i] = g[i] + x[i+1] S[i+1], by doubling: after a round S holds the terms of twice as many places."""
    count = shape_of(x)[axis]
    factor, S, reach = cut(x, axis, 1), g, 1
    while reach < count:
        S = concatenate([cut(S, axis, None, -reach) + factor * cut(S, axis, reach), cut(S, axis, -reach)], axis=axis)
        factor = cut(factor, axis, None, -reach) * cut(factor, axis, reach)
        reach *= 2
    return S


@operation(
    symbol="Π…",
    analytic=True,
    samples=_along_one_axis,
    rules=(rule("Σ of g y from each place to the end, / x", _cumprod_rule),),
)
def cumprod(x: Array, axis: int | None = None) -> Plain:
    """Running product along an axis; None flattens x first. Its gradient takes time n log n where a product is 0, else n."""
    return np.cumprod(x, axis=axis)


def _prod_rule(g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    if _ordinary(y):
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
    rules=(rule("g y / x", _prod_rule),),
)
def prod(x: Array, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Product over axes; 1 where there is nothing to multiply. Right where factors are 0."""
    return _product(x, axis=axis, keepdims=keepdims)
