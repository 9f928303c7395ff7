"""Arrays assembled from blocks, in nested lists that show how they lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import Sample, Shape
from ..errors import ShapeError
from ..registry import derived
from ..signatures import Array
from .joining import concatenate
from .shape import reshape


def _nested(arrays: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The blocks in a row, and the nested lists with each block's number in its place."""
    blocks: list[Any] = []

    def numbered(part: Any) -> Any:
        if isinstance(part, list):
            return [numbered(inner) for inner in part]
        blocks.append(part)
        return len(blocks) - 1

    layout = numbered(arrays)
    return tuple(blocks), {"layout": layout}


def _listed(blocks: tuple[Any, ...], layout: Any) -> Any:
    """The mirror image of _nested."""
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
    """The array that nested lists of blocks show: block([[a, b], [c, d]]) has a and b side by side, c and d below them.

    The innermost lists join along the last axis, those around them along the one before it, ... Blocks with fewer axes than
    the others get axes of size 1 in front.

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
        raise ShapeError(f"block: got {got}, expected blocks in lists nested equally deep")
    return depths.pop() + 1


def _joined(blocks: list[Any], layout: Any, axis: int) -> Any:
    if not isinstance(layout, list):
        return blocks[layout]
    return concatenate([_joined(blocks, part, axis + 1) for part in layout], axis=axis)
