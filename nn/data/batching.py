"""Data in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import ShapeError

from ..checks import FLAG, checked, explaining, generator, plain_array, size


@explaining
def batches(
    *arrays: NDArray[Any], batch_size: int, rng: np.random.Generator | int | None = None, drop_last: bool = False
) -> Iterator[tuple[NDArray[Any], ...]]:
    """The arrays cut along their first axis into batches; the last one may be smaller.

    Args:
        arrays: of equal lengths.
        batch_size: at least 1.
        rng: random generator, or a seed for one, that shuffles before cutting, all arrays alike; None keeps the order.
        drop_last: leave out the last batch if it is smaller.

    Raises:
        ShapeError: if the lengths differ, the batch size is not an integer ≥ 1, or no batch would be left.
    """
    arrays = tuple([plain_array("batches", f"array {i}", a) for i, a in enumerate(arrays)])
    lengths = [len(a) for a in arrays]
    if len(set(lengths)) != 1:
        raise ShapeError(f"batches: got lengths {lengths}, expected one length")
    batch_size, end = size("batches", "batch_size", batch_size), lengths[0]
    if checked("batches", "drop_last", drop_last, FLAG):
        end -= end % batch_size
        if not end:
            got = f"{lengths[0]} examples, fewer than batch_size={batch_size}"
            raise ShapeError(f"batches: got {got}; with drop_last=True nothing is left")
    order = np.arange(lengths[0]) if rng is None else generator("batches", rng).permutation(lengths[0])
    parts = (order[start : start + batch_size] for start in range(0, end, batch_size))
    return (tuple([a[chosen] for a in arrays]) for chosen in parts)
