"""Repeating the elements of an array: repeat, tile, pad, broadcast. The gradients of all copies of an element add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from math import prod
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived
from ...domain import Sample, Shape
from ...errors import ShapeError, UnsupportedError
from ...node import Node
from ...signatures import Array
from .axes import along, checked_axis, each_axis, integers
from .indexing import getitem, index_set, scatter
from .reduction import broadcast_to
from .shape import ravel, reshape

__all__ = ["broadcast_arrays", "meshgrid", "pad", "repeat", "resize", "tile"]


def _repetitions(shape: Shape) -> Iterator[Sample]:
    for repeats in (2, [3], 0):
        yield Sample((shape,), {"repeats": repeats})
        for axis in each_axis(shape):
            yield Sample((shape,), {"repeats": repeats, "axis": axis})
            yield Sample((shape,), {"repeats": np.arange(shape[axis]), "axis": axis})


@derived(samples=_repetitions)
def repeat(x: Array, /, repeats: Any, axis: int | None = None) -> Any:
    """Repeat each element of x along an axis; None flattens x first.

    repeats: the number of repetitions, one for the whole axis or one for each position along it.
    """
    if axis is None:
        x, axis = ravel(x), 0
    shape = shape_of(x)
    i = checked_axis(shape, axis)
    counts = integers("repeats", repeats)
    if np.any(counts < 0) or counts.ndim > 1 or counts.size not in (1, shape[i]):
        raise ShapeError(
            f"got repeats={repeats!r:.40} for an axis of size {shape[i]}, "
            f"expected an integer from 0, or {shape[i]} integers"
        )
    if counts.size != 1:
        return getitem(x, along(i, np.repeat(np.arange(shape[i]), counts)))
    before, after, times = shape[: i + 1], shape[i + 1 :], int(counts.reshape(()))
    wide = broadcast_to(reshape(x, (*before, 1, *after)), (*before, times, *after))
    return reshape(wide, (*shape[:i], shape[i] * times, *after))


@derived(
    samples=lambda shape: [
        Sample((shape,), {"reps": reps}) for reps in (2, 0, (), (2, 1), (1,) * len(shape), (3,) + (1,) * len(shape))
    ]
)
def tile(x: Array, /, reps: int | Sequence[int]) -> Any:
    """x repeated as a whole, reps times along each axis; the last number of reps is for the last axis, as in broadcasting."""
    times = tuple(integers("reps", reps).reshape(-1).tolist())
    ndim = max(len(times), len(shape_of(x)))
    times, shape = [(1,) * (ndim - len(t)) + t for t in (times, shape_of(x))]
    if any(t < 0 for t in times):
        raise ShapeError(f"got reps={reps}, expected integers from 0")
    apart = reshape(x, tuple(chain.from_iterable((1, n) for n in shape)))
    wide = broadcast_to(apart, tuple(chain.from_iterable(zip(times, shape, strict=True))))
    return reshape(wide, tuple([t * n for t, n in zip(times, shape, strict=True)]))


@derived(samples=lambda shape: [Sample((shape,), {"new_shape": s}) for s in ((2, 3), 5, (0,), ()) if np.prod(shape)])
def resize(x: Array, /, new_shape: int | Shape) -> Any:
    """The elements of x, in row-major order, in a shape of any size: repeated from the start, or truncated.

    Raises ShapeError if x is empty.
    """
    sizes = tuple(integers("sizes", new_shape).reshape(-1).tolist())
    if not prod(shape_of(x)) or any(n < 0 for n in sizes):
        raise ShapeError(f"got shape {shape_of(x)} and new_shape={new_shape}, expected no 0 and no negative size")
    return getitem(ravel(x), np.resize(np.arange(prod(shape_of(x))), sizes))


# -- Padding -----------------------------------------------------------------------------------------------------------

_COPYING = ("edge", "reflect", "symmetric", "wrap")  # the modes that copy elements of x


def _paddings(shape: Shape) -> Iterator[Sample]:
    if not shape:
        yield Sample((shape,), {"pad_width": 3})
        return
    by_axis = tuple([(i, 2) for i in range(len(shape))])
    for width in (1, (0, 2), by_axis):
        yield Sample((shape,), {"pad_width": width})
        for mode in _COPYING:
            if all(shape):
                yield Sample((shape,), {"pad_width": width, "mode": mode})
    yield Sample((shape,), {"pad_width": 1, "constant_values": 1.5})
    yield Sample((shape,), {"pad_width": by_axis, "constant_values": (0.5, -1)})


def _widths(shape: Shape, pad_width: Any) -> Any:
    """The number of elements to add before and after each axis: (ndim, 2)."""
    widths = np.zeros((len(shape), 2), int)
    for axis, width in pad_width.items() if isinstance(pad_width, dict) else ((..., pad_width),):
        try:
            widths[axis] = integers("widths", width)
        except (ValueError, IndexError):
            widths[...] = -1
    if np.any(widths < 0):
        expected = "an integer from 0, (before, after), or such a pair for each axis"
        raise ShapeError(f"got pad_width={pad_width!r:.60} for an input of shape {shape}, expected {expected}")
    return widths


@derived(samples=_paddings)
def pad(
    x: Array,
    /,
    pad_width: int | Sequence[Any] | dict[int, Any],
    mode: str = "constant",
    *,
    constant_values: float | Sequence[Any] = 0,
) -> Any:
    """x padded before and after each axis, with constants or with copies of its elements.

    Args:
        x: array of any shape.
        pad_width: the number of elements: an integer, (before, after), such a pair for each axis, or a dict from axes to either.
        mode: "constant", "edge" (repeats the last element), "reflect" (mirrors without repeating the last element),
            "symmetric" (mirrors and repeats it) or "wrap" (continues from the other end).
        constant_values: plain numbers, in the same forms; no gradient flows to them.

    Raises:
        UnsupportedError: for NumPy's other modes.
        ShapeError: if pad_width does not fit, or a mode that copies meets an empty axis.
    """
    shape = shape_of(x)
    widths = _widths(shape, pad_width)
    if isinstance(constant_values, Node) or (mode != "constant" and constant_values != 0):
        raise UnsupportedError("constant_values are plain numbers, for mode='constant'; join Values by concatenate()")
    if not shape:
        return reshape(x, ())  # as in NumPy: there is no axis to pad along
    if mode == "constant":
        inside = tuple([slice(before, before + n) for n, (before, _) in zip(shape, widths.tolist(), strict=True)])
        if not np.any(constant_values):
            return scatter(x, shape=tuple((np.array(shape) + widths.sum(axis=1)).tolist()), indices=(inside,))
        frame = np.pad(np.zeros(shape, x.dtype), widths, constant_values=constant_values)
        return index_set(frame, x, inside)
    if mode not in _COPYING:
        raise UnsupportedError(f"got mode={mode!r:.40}, expected 'constant' or one of {', '.join(_COPYING)}")
    try:
        places = np.pad(np.arange(prod(shape)).reshape(shape), widths, mode=mode)  # type: ignore[call-overload]
    except ValueError as error:
        raise ShapeError(f"{error}; input of shape {shape}") from None
    return getitem(ravel(x), places)


@derived(
    several=True,
    samples=lambda shape: [Sample((shape,)), Sample((shape, ())), Sample((shape, (2, *shape), (1,)))],
)
def broadcast_arrays(*arrays: Array) -> Any:
    """The arrays broadcast against each other; a tuple. The results may be read-only views."""
    shapes = [shape_of(x) for x in arrays]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        together = " and ".join(map(str, shapes))
        raise ShapeError(
            f"shapes {together} do not broadcast; counted from the right, sizes must be equal or 1"
        ) from None
    return tuple([broadcast_to(x, shape) for x in arrays])


def _grids(shape: Shape) -> Iterator[Sample]:
    for shapes in ((shape,), (shape, (2,)), ((2,), shape, (3,)), ((), (3,))):
        for indexing in ("xy", "ij"):
            for sparse in (False, True):
                yield Sample(shapes, {"indexing": indexing, "sparse": sparse})


@derived(
    several=True,
    samples=_grids,
)
def meshgrid(*arrays: Array, sparse: bool = False, indexing: str = "xy") -> Any:
    """Coordinate arrays of a grid, from the coordinates along each axis; a tuple of one array per axis.

    Args:
        arrays: the coordinates along each axis, (n,); other shapes are flattened.
        sparse: return arrays of size 1 along all axes except the one they vary along; they broadcast against each other.
        indexing: "ij": axes in the order of the arrays; "xy": the first two exchanged, (rows, columns) for x and y.
    """
    if indexing not in ("xy", "ij"):
        raise ShapeError(f"got indexing={indexing!r}, expected 'xy' or 'ij'")
    order = list(range(len(arrays)))
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    grid = [reshape(x, tuple([-1 if i == j else 1 for j in order])) for i, x in enumerate(arrays)]
    return tuple(grid) if sparse or not grid else broadcast_arrays(*grid)
