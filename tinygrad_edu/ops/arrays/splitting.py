"""Splitting an array into parts along an axis; each part is a view, as from indexing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...signatures import Array
from .axes import along, checked_axis, each_axis, integer, integers
from .indexing import getitem

__all__ = ["array_split", "dsplit", "hsplit", "split", "unstack", "vsplit"]

Cuts = int | Sequence[int]


def _bounds(n: int, cuts: Cuts, equal: bool) -> list[int | None]:
    """The boundaries of the parts of an axis of size n, from a number of parts or from indices to split before."""
    if np.ndim(cuts):
        return [0, *integers("indices", cuts).tolist(), None]
    parts = integer("indices_or_sections", cuts)
    if parts < 1 or (equal and n % parts):
        expected = f"a divisor of {n}, or use array_split" if equal else "at least 1"
        raise ShapeError(f"got {parts} parts of an axis of size {n}, expected {expected}")
    return [n // parts * i + min(i, n % parts) for i in range(parts + 1)]  # the first parts take the remainder


def _parts(x: Any, cuts: Cuts, axis: int, equal: bool = True) -> tuple[Any, ...]:
    """The parts of x between the cuts."""
    axis = checked_axis(shape_of(x), axis)
    bounds = _bounds(shape_of(x)[axis], cuts, equal)
    return tuple([getitem(x, along(axis, slice(*ends))) for ends in pairwise(bounds)])


def _cuts(shape: Shape, cut: int, **params: Any) -> Iterator[Sample]:
    """Samples that split one axis of a shape, by a divisor of its size and at indices."""
    if len(shape) > max(cut, -cut - 1):
        for cuts in (1, max(shape[cut], 1), [1], [1, -1, 5], (2, 1), []):
            yield Sample((shape,), {"indices_or_sections": cuts, **params})


def _along_each_axis(shape: Shape) -> Iterator[Sample]:
    for axis in each_axis(shape):
        yield from _cuts(shape, axis, axis=axis)


def _unequally(shape: Shape) -> Iterator[Sample]:
    yield from _along_each_axis(shape)
    yield from (Sample((shape,), {"indices_or_sections": n, "axis": 0}) for n in (2, 5) if shape)


@derived(several=True, samples=_along_each_axis)
def split(x: Array, /, indices_or_sections: Cuts, axis: int = 0) -> Any:
    """x split along an axis into a number of equal parts, or before the given indices; a tuple.

    Raises ShapeError if the number does not divide the axis; array_split allows unequal parts.
    """
    return _parts(x, indices_or_sections, axis)


@derived(several=True, samples=_unequally)
def array_split(x: Array, /, indices_or_sections: Cuts, axis: int = 0) -> Any:
    """x split along an axis into a number of parts whose sizes differ by at most 1, or before the given indices; a tuple."""
    return _parts(x, indices_or_sections, axis, equal=False)


@derived(several=True, samples=lambda shape: _cuts(shape, 1 if len(shape) > 1 else 0))
def hsplit(x: Array, /, indices_or_sections: Cuts) -> Any:
    """x split horizontally: along its second axis, a vector along its first; see split."""
    return _parts(x, indices_or_sections, 1 if len(shape_of(x)) > 1 else 0)


@derived(several=True, samples=lambda shape: _cuts(shape, 0) if len(shape) > 1 else ())
def vsplit(x: Array, /, indices_or_sections: Cuts) -> Any:
    """x split vertically: along its first axis, of at least two; see split."""
    checked_axis(shape_of(x), 1)
    return _parts(x, indices_or_sections, 0)


@derived(several=True, samples=lambda shape: _cuts(shape, 2))
def dsplit(x: Array, /, indices_or_sections: Cuts) -> Any:
    """x split depthwise: along its third axis, of at least three; see split."""
    return _parts(x, indices_or_sections, 2)


@derived(
    several=True, samples=lambda shape: [Sample((shape,), {"axis": axis}) for axis in each_axis(shape) if shape[axis]]
)
def unstack(x: Array, /, axis: int = 0) -> Any:
    """The parts x[0], x[1], ... along an axis, which is removed; a tuple. The inverse of stack."""
    axis = checked_axis(shape_of(x), axis)
    return tuple([getitem(x, along(axis, i)) for i in range(shape_of(x)[axis])])
