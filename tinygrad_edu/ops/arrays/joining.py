"""Joining arrays into one. Each input receives its part of the gradient.

Python floats, and Values that hold one, adopt the dtype of the arrays that they are joined with, as in arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ...binding import Bound, named
from ...data import raw_of, shape_of, to_array
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...misuse import integer_of
from ...node import Node
from ...op import rule
from ...signatures import Array, Plain
from ..numbers.arithmetic import astype
from .axes import along, each_axis
from .shape import atleast_1d, atleast_2d, atleast_3d, reshape

__all__ = ["append", "array", "block", "column_stack", "concatenate", "dstack", "hstack", "stack", "vstack"]


def _joinable(shape: Shape) -> Iterable[Sample]:
    for axis in each_axis(shape):
        longer = list(shape)
        longer[axis] += 2
        yield Sample((shape, tuple(longer), shape), {"axis": axis})
    yield Sample((shape, (2, 1)), {"axis": None})


def _whole(axis: Any) -> int:
    try:
        return integer_of(axis)
    except TypeError:
        raise ShapeError(f"got axis={axis!r:.40}, expected a list of arrays and an integer axis") from None


def _parts(g: Any, arrays: tuple[Any, ...], axis: int | None) -> list[Any]:
    """The part of g for each array."""
    sizes = [math.prod(shape_of(x)) if axis is None else x.shape[axis] for x in arrays]
    place = 0 if axis is None else axis % len(g.shape)
    parts = [g[along(place, slice(end - n, end))] for n, end in zip(sizes, accumulate(sizes), strict=True)]
    return parts if axis is not None else [reshape(part, shape_of(x)) for part, x in zip(parts, arrays, strict=True)]


@operation(
    symbol="++",
    analytic=True,
    listed=True,
    samples=_joinable,
    shares=rule(lambda g, y, *arrays, axis: _parts(g, arrays, axis), says="the part of g where x lies"),
)
def concatenate(*arrays: Array, axis: int | None = 0) -> Plain:
    """Join arrays along an existing axis: concatenate([a, b], axis=0); None flattens them first.

    Raises ShapeError if there are no arrays, or if they differ in size along another axis.
    """
    return np.concatenate(arrays, axis=None if axis is None else _whole(axis))


def _stackable(shape: Shape) -> list[Sample]:
    return [Sample((shape, shape), {"axis": axis}) for axis in range(-1, len(shape) + 1)]


@operation(
    symbol="stack",
    analytic=True,
    listed=True,
    samples=_stackable,
    shares=rule(
        lambda g, y, *arrays, axis: [g[along(axis % len(g.shape), i)] for i in range(len(arrays))],
        says="the slice of g where x lies",
    ),
)
def stack(*arrays: Array, axis: int = 0) -> Plain:
    """Join arrays of one shape along a new axis: stack([a, b], axis=0). Raises ShapeError if their shapes differ."""
    return np.stack(arrays, axis=_whole(axis), dtype=_common(arrays))


def _common(arrays: Sequence[Any]) -> Any:
    """The common dtype of arrays and Python floats; None if all have one dtype. (np.stack turns floats into float64.)"""
    kinds = {getattr(x, "dtype", type(x)): x for x in map(raw_of, arrays)}
    return None if len(kinds) < 2 else np.result_type(*kinds.values())


def _agreeing(arrays: Sequence[Any]) -> Sequence[Any]:
    """The arrays, with each scalar cast to the common dtype if that is a float dtype other than float64."""
    dtype = _common(arrays)
    if dtype is None or dtype.kind != "f" or dtype == np.float64:
        return arrays
    return [x if shape_of(x) else astype(x, dtype) for x in arrays]


def _side_by_side(*change: Callable[[Shape], Shape]) -> Callable[[Shape], Iterator[Sample]]:
    """The sampler of a joining op: a shape twice, then with each changed shape that fits it."""

    def samples(shape: Shape) -> Iterator[Sample]:
        yield Sample((shape, shape))
        for f in change:
            if shape:
                yield Sample((shape, f(shape)))

    return samples


@derived(
    listed=True,
    samples=_side_by_side(lambda shape: (*shape[:1], 4, *shape[2:]) if len(shape) > 1 else (4,)),
)
def hstack(*arrays: Array) -> Any:
    """Join arrays horizontally: along their second axis; vectors and scalars along their first."""
    parts = [atleast_1d(x) for x in _agreeing(arrays)]
    return concatenate(parts, axis=0 if parts and len(shape_of(parts[0])) == 1 else 1)


@derived(
    listed=True,
    samples=_side_by_side(lambda shape: (4, *shape[1:]) if len(shape) > 1 else (2, *shape)),
)
def vstack(*arrays: Array) -> Any:
    """Join arrays vertically: along their first axis; vectors are rows."""
    return concatenate([atleast_2d(x) for x in _agreeing(arrays)], axis=0)


@derived(
    listed=True,
    samples=_side_by_side(lambda shape: (*shape[:2], 4) if len(shape) > 1 else (1, *shape, 2)),
)
def dstack(*arrays: Array) -> Any:
    """Join arrays depthwise: along their third axis; (m, n) counts as (m, n, 1), and (n,) as (1, n, 1)."""
    return concatenate([atleast_3d(x) for x in _agreeing(arrays)], axis=2)


@derived(
    listed=True,
    samples=_side_by_side(lambda shape: (shape[0], 4, *shape[2:]) if len(shape) > 1 else (*shape, 2)),
)
def column_stack(*arrays: Array) -> Any:
    """Join vectors (n,) as the columns of a matrix; matrices are joined horizontally."""
    columns = [x if len(shape_of(x)) > 1 else reshape(x, (-1, 1)) for x in _agreeing(arrays)]
    return concatenate(columns, axis=1)


def _appendable(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape, (2, 1)))
    yield Sample((shape, ()))
    yield from (Sample(s.shapes[:2], s.params) for s in _joinable(shape))


@derived(samples=_appendable)
def append(x: Array, values: Array, /, axis: int | None = None) -> Any:
    """x followed by values along an axis; None flattens both first."""
    return concatenate(_agreeing((x, values)), axis=axis)


@named("array")
def array(x: Any) -> Any:
    """A nested list or tuple of numbers, arrays and Values as one Value; an ndarray if there are no Values.

    Raises ShapeError if the rows differ in length.

    >>> array([[c, -s], [s, c]])  # doctest: +SKIP
    """
    if isinstance(x, (list, tuple)) and _holds_values(x):
        return stack([array(row) for row in x])
    return x if isinstance(x, Node) else to_array(x)


def _holds_values(x: Any) -> bool:
    return any(_holds_values(row) for row in x) if isinstance(x, (list, tuple)) else isinstance(x, Node)


def _nested(arrays: Any) -> Bound:
    """The blocks in a flat sequence, and the nested lists with the number of each block in its place."""
    blocks: list[Any] = []

    def numbered(part: Any) -> Any:
        if isinstance(part, list):
            return [numbered(inner) for inner in part]
        blocks.append(part)
        return len(blocks) - 1

    layout = numbered(arrays)
    return tuple(blocks), {"layout": layout}


def _listed(blocks: tuple[Any, ...], layout: Any) -> Any:
    """The arguments of block() from _nested's results: its inverse."""
    return [_listed(blocks, part) for part in layout] if isinstance(layout, list) else blocks[layout]


def _layouts(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape,), {"layout": 0})
    yield Sample((shape, shape), {"layout": [0, 1]})
    yield Sample((shape, shape, shape, shape), {"layout": [[0, 1], [2, 3]]})
    yield Sample((shape, shape), {"layout": [[[0]], [[1]]]})
    yield Sample(((2, 2), (2, 1), (2,), ()), {"layout": [[0, 1], [2, 3]]})


@derived(
    call=_nested,
    samples=_layouts,
    numpy=lambda *blocks, layout: np.block(_listed(blocks, layout)),
    also=(np.block,),
)
def block(*blocks: Array, layout: Any) -> Any:
    """Assemble an array from nested lists of blocks: block([[a, b], [c, d]]) has a beside b, and c and d below them.

    The innermost lists are joined along the last axis, the next along the second-to-last, and so on. Blocks with fewer axes
    than the others get leading axes of size 1.

    Raises ShapeError if blocks lie at different depths of lists, a list is empty, or sizes do not fit.
    """
    depth = _depth(layout)
    ndim = max([depth, *[len(shape_of(x)) for x in blocks]])
    full = [reshape(x, (1,) * (ndim - len(shape_of(x))) + shape_of(x)) for x in blocks]
    return _joined(full, layout, -depth)


def _depth(layout: Any) -> int:
    if not isinstance(layout, list):
        return 0
    depths = {_depth(part) for part in layout}
    if len(depths) != 1:
        got = "an empty list" if not depths else "blocks at different depths"
        raise ShapeError(f"got {got}, expected blocks in lists nested equally deep")
    return depths.pop() + 1


def _joined(blocks: list[Any], layout: Any, axis: int) -> Any:
    if not isinstance(layout, list):
        return blocks[layout]
    return concatenate([_joined(blocks, part, axis + 1) for part in layout], axis=axis)
