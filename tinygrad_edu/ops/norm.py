"""Norms of vectors and matrices."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np

from ..data import floating, shape_of
from ..domain import DISTINCT, NONZERO, Sample, Shape
from ..errors import ShapeError, UnsupportedError
from ..op import rule
from ..registry import derived, operation
from ..signatures import Array, Axis, Plain
from .arithmetic import abs, power, sign
from .axes import checked_axes
from .reduction import along_axes_with_numbers, kept, max, min, sum
from .shape import moveaxis
from .singular_values import svdvals

_total: Any = np.add.reduce


def _every_p(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        for p in (2, 3, 1.5, -1):
            yield Sample((shape,), s.params | {"p": p})


def _p_norm_rule(g: Any, y: Any, x: Any, p: float, axis: Axis, keepdims: bool) -> Any:
    g, length = g * (y != 0), y + (y == 0)  # at x = 0 no gradient, of no order
    if p == 2:
        return x * kept(g / length, x, axis, keepdims)
    ratio = abs(x) / kept(length, x, axis, keepdims) + (x == 0)
    return kept(g, x, axis, keepdims) * (sign(x) * power(ratio, p - 1))


@operation(
    symbol="‖x‖",
    domain=(NONZERO,),
    samples=_every_p,
    numpy=lambda x, p=2, axis=None, keepdims=False: np.sum(np.abs(x) ** p, axis=axis, keepdims=keepdims) ** (1 / p),
    rules=(rule("g · sign(x) (|x| / y)^(p-1)", _p_norm_rule),),
)
def p_norm(x: Array, p: float = 2, axis: Axis = None, keepdims: bool = False) -> Plain:
    """(Σ |x|**p)**(1/p) over axes, without overflow or underflow; Euclidean length for p = 2. At x = 0 the gradient is 0.

    Any finite p but 0. Raises UnsupportedError for others, which `norm` knows.
    """
    x = np.asarray(floating(x))
    if p == 2 and axis is None and not keepdims:
        squares = np.vdot(x, x)  # a third of the time
        if 1e-30 < squares < np.inf:
            return np.sqrt(squares)
    if not p or not isfinite(p):
        raise UnsupportedError(f"p_norm: got p={p}, expected a finite number other than 0; norm(x, ord={p}) knows it")
    try:
        return _unscaled(x, p, axis, keepdims)
    except FloatingPointError:
        return _scaled(x, p, axis, keepdims)


def _sum_of_powers(x: Array, p: float, axis: Axis, keepdims: bool) -> Any:
    return _total(x * x if p == 2 else np.abs(x) ** p, axis=axis, keepdims=keepdims)


@np.errstate(over="raise", under="raise", divide="ignore")  # the processor's own check: it costs nothing
def _unscaled(x: Array, p: float, axis: Axis, keepdims: bool) -> Any:
    y = _sum_of_powers(x, p, axis, keepdims)
    return np.sqrt(y) if p == 2 else y ** (1 / p)


@np.errstate(all="ignore")
def _scaled(x: Array, p: float, axis: Axis, keepdims: bool) -> Any:
    """The same of x over the number that counts most: the largest, or the smallest if p < 0."""
    scale = (np.max if p > 0 else np.min)(np.abs(x), axis=axis, keepdims=True)
    scale = np.where((scale > 0) & (scale < np.inf), scale, 1)
    y = _sum_of_powers(x / scale, p, axis, True) ** (1 / p) * scale
    return y if keepdims else np.squeeze(y, axis)


def _every_ord(shape: Shape) -> Iterator[Sample]:
    """Every kind of norm, of numbers that differ in size."""

    def prepare(x: Any) -> tuple[Any]:
        places = 8 * (x - np.min(x))
        return (1.1**places * np.where(places % 2, -1, 1),)

    for s in along_axes_with_numbers(shape):
        axes = s.params.get("axis", tuple(range(len(shape))))
        count = np.size(axes)
        vector = (None, 0, 1, 2, 3, -0.5, np.inf, -np.inf)
        matrix = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
        for ord in matrix if count == 2 else vector if count == 1 else ():
            yield Sample((shape,), s.params | {"ord": ord}, prepare=prepare)
            if count == 2 and "axis" in s.params:
                yield Sample((shape,), s.params | {"ord": ord, "axis": axes[::-1]}, prepare=prepare)
    yield Sample((shape,), prepare=prepare) if all(shape) else Sample((shape,))


@derived(domain=(DISTINCT,), samples=_every_ord, numpy=np.linalg.norm)
def norm(x: Array, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Norm of vectors (one axis) or matrices (two), over all axes if None; without overflow or underflow.

    Args:
        ord: None for √Σx²; of a vector inf or -inf for the largest or smallest |x|, 0 for how many are not 0, another
            number p for (Σ |x|**p)**(1/p); of a matrix "fro" for √Σx², 1 or -1 for the largest or smallest sum of |x| over
            a column, inf or -inf over a row, 2 or -2 for the largest or smallest singular value, "nuc" for their sum.

    At x = 0 the gradient is 0; ties for largest or smallest share it equally.

    Raises:
        UnsupportedError: for another `ord`.
        ShapeError: if there are neither one nor two axes, and `ord` is not None.
    """
    if ord is None:
        return p_norm(x) if axis is None and not keepdims else p_norm(x, axis=axis, keepdims=keepdims)
    axes = checked_axes("norm", shape_of(x), axis)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    if len(axes) != 1:
        got = f"axis={axis} of an array of shape {shape_of(x)}"
        raise ShapeError(f"norm: got {got}, expected one axis for vectors or two for matrices with ord={ord!r}")
    if isinstance(ord, str):
        raise UnsupportedError(f"norm: got ord={ord!r} for vectors, expected None or a number; two axes make a matrix")
    if ord == 0:
        return sum(abs(sign(x)), axis=axis, keepdims=keepdims)
    if ord == 1:
        return sum(abs(x), axis=axis, keepdims=keepdims)
    if np.isnan(ord):
        raise UnsupportedError(f"norm: got ord={ord!r} for vectors, expected None or a number")
    if np.isinf(ord):
        return (max if ord > 0 else min)(abs(x), axis=axis, keepdims=keepdims)
    return p_norm(x, p=ord, axis=axis, keepdims=keepdims)


def _matrix_norm(x: Any, ord: float | str, axes: Shape, keepdims: bool) -> Any:
    if ord in ("fro", "f"):
        return p_norm(x, axis=axes, keepdims=keepdims)
    if ord in (2, -2, "nuc"):
        values = svdvals(moveaxis(x, axes, (-2, -1)))
        y = sum(values, axis=-1) if ord == "nuc" else (max if ord == 2 else min)(values, axis=-1)
        return kept(y, x, axes, False) if keepdims else y
    if ord not in (1, -1, np.inf, -np.inf):
        expected = "None, 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        raise UnsupportedError(f"norm: got ord={ord!r} for matrices, expected {expected}")
    down, across = axes
    sums = sum(abs(x), axis=down if ord in (1, -1) else across, keepdims=True)
    return (max if ord > 0 else min)(sums, axis=axes, keepdims=keepdims)
