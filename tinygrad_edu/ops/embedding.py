"""From whole numbers that name classes to vectors: rows of a table, or rows of 0 and 1."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..data import shape_of
from ..domain import Sample, Shape
from ..errors import ShapeError
from ..registry import derived
from ..signatures import Array, Plain
from .indexing import getitem
from .integers import integers


def _lookups(shape: Shape) -> Iterator[Sample]:
    if len(shape) == 2 and shape[0]:
        last = shape[0] - 1
        for indices in (last, [0, last, 0], np.array([[last], [last]]), np.zeros((0,), int)):
            yield Sample((shape,), {"indices": indices})


@derived(samples=_lookups, numpy=lambda weight, indices: weight[np.asarray(indices)])
def embedding(weight: Array, indices: ArrayLike) -> Plain:
    """Rows of a table: weight (count, size), integers (...) -> (..., size). Gradients of repeated rows add up.

    Raises:
        ShapeError: if the weight is not a matrix.
        DTypeError: if the indices are not plain integers.
        IndexError: if an index is not from 0 to count - 1.
    """
    if len(shape_of(weight)) != 2:
        raise ShapeError(
            f"embedding: got a weight of shape {shape_of(weight)}, expected (count, size), a row per index"
        )
    return getitem(weight, integers("embedding", "indices", indices, shape_of(weight)[0]))


def one_hot(labels: ArrayLike, num_classes: int | None = None, dtype: DTypeLike = float) -> Array:
    """Rows of 0 with 1 at the label: integers (...) -> (..., num_classes), plain numbers.

    num_classes is the largest label and one if not given. Raises DTypeError and IndexError as embedding does.
    """
    if num_classes is None:
        num_classes = int(np.max(integers("one_hot", "labels", labels), initial=-1)) + 1
    classes = integers("one_hot", "labels", labels, num_classes)
    return np.asarray(classes[..., None] == np.arange(num_classes)).astype(dtype)
