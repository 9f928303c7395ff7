"""Moving numbers to other places: reshaping, transposing, joining. Each gradient moves them back."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import Sample, Shape
from ..errors import ShapeError
from ..op import rule
from ..registry import operation
from ..signatures import Array, Plain


@operation(
    analytic=True,
    samples=lambda shape: [
        Sample((shape,), {"shape": s}) for s in ((-1,), (*shape, 1), shape[::-1]) if all(shape) or s != (-1,)
    ],
    rules=(rule("g in the shape of x", lambda g, y, x, shape: reshape(g, shape_of(x))),),
)
def reshape(x: Array, shape: int | Shape) -> Plain:
    """The numbers of x, row by row, in another shape; one size may be -1, to be worked out."""
    return np.reshape(x, shape)


@operation(
    symbol="ᵀ",
    analytic=True,
    samples=lambda shape: [Sample((shape,), {"axes": axes}) for axes in (None, tuple(range(-1, len(shape) - 1)))],
    rules=(
        rule(
            "g with the axes back in place",
            lambda g, y, x, axes: transpose(
                g, None if axes is None else tuple([int(i) for i in np.argsort(np.mod(axes, len(axes) or 1))])
            ),
        ),
    ),
)
def transpose(x: Array, axes: Shape | None = None) -> Plain:
    """x with its axes in another order; None reverses them."""
    return np.transpose(x, axes)


def _joined(arrays: Sequence[Any], axis: int = 0) -> tuple[tuple[Any, ...], dict[str, Any]]:
    try:
        return tuple(arrays), {"axis": operator.index(axis)}
    except TypeError:
        got = f"{type(arrays).__name__} and axis={axis!r:.40}"
        raise ShapeError(f"concatenate, stack: got {got}, expected a list of arrays and an integer axis") from None


def _joinable(shape: Shape) -> Iterable[Sample]:
    for axis in range(-1, len(shape)):
        if shape:
            longer = list(shape)
            longer[axis] += 2
            yield Sample((shape, tuple(longer), shape), {"axis": axis})


def _part(i: int, g: Any, arrays: tuple[Any, ...], axis: int) -> Any:
    """The slice of g where array number i lies."""
    sizes = [x.shape[axis] for x in arrays]
    start = int(np.sum(sizes[:i], dtype=int))
    return g[(slice(None),) * (axis % len(g.shape)) + (slice(start, start + sizes[i]),)]


@operation(
    symbol="++",
    analytic=True,
    call=_joined,
    samples=_joinable,
    numpy=np.concatenate,
    rules=(rule("the part of g where x lies", lambda i, g, y, *arrays, axis: _part(i, g, arrays, axis)),),
)
def concatenate(*arrays: Array, axis: int) -> Plain:
    """Arrays joined along an axis that they have: concatenate([a, b], axis=0)."""
    return np.concatenate(arrays, axis=axis)


@operation(
    symbol="stack",
    analytic=True,
    call=_joined,
    samples=lambda shape: [Sample((shape, shape), {"axis": axis}) for axis in range(-1, len(shape) + 1)],
    numpy=np.stack,
    rules=(
        rule(
            "the slice of g where x lies",
            lambda i, g, y, *arrays, axis: g[(slice(None),) * (axis % len(g.shape)) + (i,)],
        ),
    ),
)
def stack(*arrays: Array, axis: int) -> Plain:
    """Arrays of one shape joined along a new axis: stack([a, b], axis=0)."""
    return np.stack(arrays, axis=axis)
