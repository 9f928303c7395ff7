"""Rearranging the elements of an array: flip, roll, rotate, sort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from ...data import raw_of, shape_of
from ...definition import derived, operation
from ...domain import DISTINCT, Sample, Shape
from ...errors import ShapeError
from ...op import rule
from ...signatures import Array, Axis, Plain
from .axes import along_each_axis, checked_axes, checked_axis, each_axis, integer
from .indexing import getitem, index_set
from .selecting import places_along
from .shape import reshape, swapaxes

__all__ = ["flip", "fliplr", "flipud", "roll", "rot90", "sort"]


def _along_axes(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape,), {"axis": None})
    yield from along_each_axis(shape)


def _along_several(shape: Shape) -> Iterator[Sample]:
    yield from _along_axes(shape)
    yield Sample((shape,), {"axis": tuple(range(len(shape)))[1:]})


@derived(samples=_along_several)
def flip(x: Array, /, axis: Axis = None) -> Any:
    """x reversed along one or several axes; along all for None. A view."""
    axes = checked_axes(shape_of(x), axis)
    backwards = slice(None, None, -1)
    return getitem(x, tuple([backwards if i in axes else slice(None) for i in range(len(shape_of(x)))]))


@derived(samples=lambda shape: [Sample((shape,))] if shape else ())
def flipud(x: Array, /) -> Any:
    """x flipped up/down: reversed along its first axis."""
    checked_axis(shape_of(x), 0)
    return flip(x, 0)


@derived(samples=lambda shape: [Sample((shape,))] if len(shape) > 1 else ())
def fliplr(x: Array, /) -> Any:
    """x flipped left/right: reversed along its second axis."""
    checked_axis(shape_of(x), 1)
    return flip(x, 1)


def _shifts(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape,), {"shift": 2})
    for axis in each_axis(shape):
        yield Sample((shape,), {"shift": -4 if axis else 1, "axis": axis})
        yield Sample((shape,), {"shift": (1, 2), "axis": (axis, 0)})
        yield Sample((shape,), {"shift": 1, "axis": (axis, -1)})


@operation(
    analytic=True,
    samples=_shifts,
    rules=(rule(lambda g, y, x, shift, axis: roll(g, np.negative(shift), axis), says="g, rolled back"),),
)
def roll(x: Array, /, shift: int | Sequence[int], axis: Axis = None) -> Plain:
    """x shifted cyclically along axes: elements beyond the last position re-enter at the first; None rolls flattened x.

    A primitive, since its gradient takes one pass; composed of slices it takes two. Raises ShapeError for an axis that x does
    not have.
    """
    return np.roll(x, shift, axis)


def _turns(shape: Shape) -> Iterator[Sample]:
    for axes in permutations(range(len(shape)), 2):
        for k in (-1, 0, 1, 2):
            yield Sample((shape,), {"k": k, "axes": axes})


@derived(samples=_turns)
def rot90(x: Array, /, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """x rotated k times by 90 degrees in the plane of two axes, from the first towards the second."""
    plane = checked_axes(shape_of(x), axes)
    if len(plane) != 2:
        raise ShapeError(f"got axes={axes}, expected two")
    k = integer("k", k)
    if k % 2:
        return flip(swapaxes(x, *plane), plane[k % 4 // 2])
    return flip(x, plane if k % 4 else ())


@operation(
    domain=(DISTINCT,),
    samples=lambda shape: _along_axes(shape) if shape else (),
    rules=(
        rule(
            lambda g, y, x, axis, kind, stable: _unsorted(g, raw_of(x), axis),
            says="g, each number back where it came from",
        ),
    ),
)
def sort(x: Array, /, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Plain:
    """x sorted in ascending order along an axis, NaN last; None sorts flattened x.

    The gradient treats the sort as stable, whatever its kind: equal numbers keep their order. Raises ShapeError for an axis
    that x does not have.
    """
    return np.sort(x, axis=axis, kind=kind, stable=stable)  # type: ignore[arg-type]  # a literal in NumPy's stubs


def _unsorted(g: Any, x: Array, axis: int | None) -> Any:
    """g, given in sorted order, rearranged to the order of x."""
    if axis is None:
        return reshape(_unsorted(g, x.reshape(-1), 0), x.shape)
    order = np.argsort(x, axis=axis, kind="stable")
    return index_set(np.zeros_like(x), g, places_along(x.shape, order, axis))
