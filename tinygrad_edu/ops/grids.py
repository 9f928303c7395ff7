"""Several arrays stretched against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import Sample, Shape
from ..errors import ShapeError
from ..registry import derived
from ..signatures import Array
from .reduction import broadcast_to
from .shape import each, reshape


@derived(
    several=True,
    call=each,
    samples=lambda shape: [Sample((shape,)), Sample((shape, ())), Sample((shape, (2, *shape), (1,)))],
    numpy=lambda *arrays: np.broadcast_arrays(*arrays),
    also=(np.broadcast_arrays,),
)
def broadcast_arrays(*arrays: Array) -> Any:
    """Each array stretched to the shape that all of them have together; a tuple. The results may be read-only views."""
    shapes = [shape_of(x) for x in arrays]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        together = " and ".join(map(str, shapes))
        raise ShapeError(
            f"broadcast_arrays: shapes {together} do not broadcast; counted from the right, sizes must be equal or 1"
        ) from None
    return tuple([broadcast_to(x, shape) for x in arrays])


def _grid(*arrays: Any, sparse: bool = False, indexing: str = "xy") -> tuple[tuple[Any, ...], dict[str, Any]]:
    return arrays, {"sparse": sparse, "indexing": indexing}


def _grids(shape: Shape) -> Iterator[Sample]:
    for shapes in ((shape,), (shape, (2,)), ((2,), shape, (3,)), ((), (3,))):
        for indexing in ("xy", "ij"):
            for sparse in (False, True):
                yield Sample(shapes, {"indexing": indexing, "sparse": sparse})


@derived(
    several=True,
    call=_grid,
    samples=_grids,
    numpy=lambda *arrays, **params: np.meshgrid(*arrays, **params),
    also=(np.meshgrid,),
)
def meshgrid(*arrays: Array, sparse: bool = False, indexing: str = "xy") -> Any:
    """The coordinates of a grid, from those along each of its axes; a tuple of one array an axis.

    Args:
        arrays: the coordinates, each (n,), or of any shape and taken row by row.
        sparse: leave the results at size 1 along all axes but their own; they broadcast with each other.
        indexing: "ij": axes in the order of the arrays; "xy": the first two exchanged, (rows, columns) for x and y.
    """
    if indexing not in ("xy", "ij"):
        raise ShapeError(f"meshgrid: got indexing={indexing!r}, expected 'xy' or 'ij'")
    order = list(range(len(arrays)))
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    grid = [reshape(x, tuple([-1 if i == j else 1 for j in order])) for i, x in enumerate(arrays)]
    return tuple(grid) if sparse or not grid else broadcast_arrays(*grid)
