"""Arrays joined into one. Each gets its part of the gradient.

Python floats, and Values of them, take the type of the arrays that they are joined with, as in arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import index
from typing import Any

import numpy as np

from ..data import data_of, shape_of
from ..domain import REAL, Sample, Shape
from ..errors import ShapeError
from ..op import rule
from ..registry import derived, operation
from ..signatures import Array, Plain
from .axes import along, each_axis
from .identity import astype
from .shape import atleast_1d, atleast_2d, atleast_3d, listed, ravel, reshape


def _stacked(arrays: Sequence[Any], axis: int = 0) -> tuple[tuple[Any, ...], dict[str, Any]]:
    try:
        return tuple(arrays), {"axis": index(axis)}
    except TypeError:
        got = f"{type(arrays).__name__} and axis={axis!r:.40}"
        raise ShapeError(f"concatenate, stack: got {got}, expected a list of arrays and an integer axis") from None


def _joined(arrays: Sequence[Any], axis: int | None = 0) -> tuple[tuple[Any, ...], dict[str, Any]]:
    inputs, params = _stacked(arrays, 0 if axis is None else axis)
    return tuple(map(ravel, inputs)) if axis is None else inputs, params


def _joinable(shape: Shape) -> Iterable[Sample]:
    for axis in each_axis(shape):
        longer = list(shape)
        longer[axis] += 2
        yield Sample((shape, tuple(longer), shape), {"axis": axis})


def _part(i: int, g: Any, arrays: tuple[Any, ...], axis: int) -> Any:
    """The slice of g where array number i lies."""
    sizes = [x.shape[axis] for x in arrays]
    start = int(np.sum(sizes[:i], dtype=int))
    return g[along(axis % len(g.shape), slice(start, start + sizes[i]))]


@operation(
    symbol="++",
    analytic=True,
    call=_joined,
    samples=_joinable,
    numpy=np.concatenate,
    rules=(rule("the part of g where x lies", lambda i, g, y, *arrays, axis: _part(i, g, arrays, axis)),),
)
def concatenate(*arrays: Array, axis: int) -> Plain:
    """Arrays joined along an axis that they have: concatenate([a, b], axis=0); None: all their numbers in a row.

    Raises ShapeError if there are none, or their other sizes differ.
    """
    return np.concatenate(arrays, axis=axis)


@operation(
    symbol="stack",
    analytic=True,
    call=_stacked,
    samples=lambda shape: [Sample((shape, shape), {"axis": axis}) for axis in range(-1, len(shape) + 1)],
    numpy=np.stack,
    rules=(rule("the slice of g where x lies", lambda i, g, y, *arrays, axis: g[along(axis % len(g.shape), i)]),),
)
def stack(*arrays: Array, axis: int) -> Plain:
    """Arrays of one shape joined along a new axis: stack([a, b], axis=0). Raises ShapeError if their shapes differ."""
    return np.stack(arrays, axis=axis, dtype=_common(arrays))


def _common(arrays: Sequence[Any]) -> Any:
    """The type of arrays and Python floats together; None if there are none of either. (np.stack makes float64 of floats.)"""
    kinds = {getattr(x, "dtype", type(x)): x for x in map(data_of, arrays)}
    return None if len(kinds) < 2 else np.result_type(*kinds.values())


def _agreeing(arrays: Sequence[Any]) -> Sequence[Any]:
    """The arrays, with each Python float in the type that it takes among them, if that is not its own."""
    dtype = _common(arrays)
    if dtype is None or dtype.kind != "f" or dtype == np.float64:
        return arrays
    return [x if shape_of(x) else astype(x, dtype) for x in arrays]


def _side_by_side(*change: Callable[[Shape], Shape]) -> Callable[[Shape], Iterator[Sample]]:
    """The sampler of a joining op: a shape twice, then beside each shape that fits it."""

    def samples(shape: Shape) -> Iterator[Sample]:
        yield Sample((shape, shape))
        for f in change:
            if shape:
                yield Sample((shape, f(shape)))

    return samples


@derived(
    call=listed,
    samples=_side_by_side(lambda shape: (*shape[:1], 4, *shape[2:]) if len(shape) > 1 else (4,)),
    numpy=np.hstack,
)
def hstack(*arrays: Array) -> Any:
    """Arrays joined side by side, along their second axis; vectors and scalars along their only one."""
    parts = [atleast_1d(x) for x in _agreeing(arrays)]
    return concatenate(parts, axis=0 if parts and len(shape_of(parts[0])) == 1 else 1)


@derived(
    call=listed,
    samples=_side_by_side(lambda shape: (4, *shape[1:]) if len(shape) > 1 else (2, *shape)),
    numpy=np.vstack,
)
def vstack(*arrays: Array) -> Any:
    """Arrays joined one below the other, along their first axis; vectors are rows."""
    return concatenate([atleast_2d(x) for x in _agreeing(arrays)], axis=0)


@derived(
    call=listed,
    samples=_side_by_side(lambda shape: (*shape[:2], 4) if len(shape) > 1 else (1, *shape, 2)),
    numpy=np.dstack,
)
def dstack(*arrays: Array) -> Any:
    """Arrays joined one behind the other, along their third axis: (m, n) count as (m, n, 1), and (n,) as (1, n, 1)."""
    return concatenate([atleast_3d(x) for x in _agreeing(arrays)], axis=2)


@derived(
    call=listed,
    samples=_side_by_side(lambda shape: (shape[0], 4, *shape[2:]) if len(shape) > 1 else (*shape, 2)),
    numpy=np.column_stack,
)
def column_stack(*arrays: Array) -> Any:
    """Vectors (n,) as the columns of a matrix; matrices are joined side by side."""
    columns = [x if len(shape_of(x)) > 1 else reshape(x, (-1, 1)) for x in _agreeing(arrays)]
    return concatenate(columns, axis=1)


def _appendable(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape, (2, 1)))
    yield Sample((shape, ()))
    yield from (Sample(s.shapes[:2], s.params) for s in _joinable(shape))


@derived(domain=(REAL, REAL), samples=_appendable)
def append(x: Array, values: Array, axis: int | None = None) -> Any:
    """x followed by values, along an axis; without one, the numbers of both in a row."""
    pair = _agreeing((x, values))
    return concatenate(list(map(ravel, pair)) if axis is None else pair, axis=axis or 0)
