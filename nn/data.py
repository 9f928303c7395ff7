"""Splitting data and serving it in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_edu import ShapeError

from .checks import explaining, generator, plain_array


@explaining
def batches(
    *arrays: NDArray[Any], batch_size: int, rng: np.random.Generator | int | None = None
) -> Iterator[tuple[NDArray[Any], ...]]:
    """The arrays cut along their first axis into batches; the last one may be smaller.

    Args:
        arrays: of one length each.
        batch_size: at least 1.
        rng: random generator, or a seed for one, that shuffles before cutting, all arrays alike; None keeps the order.

    Raises:
        ShapeError: if the lengths differ or the batch size is below 1.
    """
    arrays = tuple([plain_array("batches", f"array {i}", a) for i, a in enumerate(arrays)])
    lengths = [len(a) for a in arrays]
    if len(set(lengths)) != 1 or batch_size < 1:
        raise ShapeError(
            f"batches: got lengths {lengths} and batch_size={batch_size}, expected one length and at least 1"
        )
    order = np.arange(lengths[0]) if rng is None else generator("batches", rng).permutation(lengths[0])
    parts = (order[start : start + batch_size] for start in range(0, lengths[0], batch_size))
    return (tuple([a[chosen] for a in arrays]) for chosen in parts)


@explaining
def stratified_split(
    labels: ArrayLike, fractions: tuple[float, ...], rng: np.random.Generator | int
) -> list[NDArray[np.intp]]:
    """Indices of disjoint parts in which every class has its share.

    Args:
        labels: (n,), the class of each example.
        fractions: the size of each part but the last, which gets the rest: (0.6, 0.2) makes three parts.
        rng: random generator, or a seed for one, that decides who goes where.

    Returns:
        one array of indices a part, in increasing order; together they are 0 to n - 1.

    Raises:
        ShapeError: if a class has fewer examples than there are parts, or the fractions are not positive and below 1 in sum.
    """
    rng = generator("stratified_split", rng)  # a Generator stays itself
    classes, members = np.unique(plain_array("stratified_split", "labels", labels), return_inverse=True)
    if not all(f > 0 for f in fractions) or not 0 < sum(fractions) < 1:
        raise ShapeError(
            f"stratified_split: got fractions {fractions}, expected positive ones with a sum below 1; leave out the last part's"
        )
    parts: list[list[NDArray[np.intp]]] = [[] for _ in range(len(fractions) + 1)]
    for c in range(len(classes)):
        own = rng.permutation(np.flatnonzero(members == c))
        if len(own) < len(parts):
            found = f"class {classes[c]} has {len(own)} examples"
            raise ShapeError(f"stratified_split: {found}, expected at least one for each of {len(parts)} parts")
        cuts = np.rint(np.cumsum(fractions) * len(own)).astype(int)
        for part, chosen in zip(parts, np.split(own, cuts), strict=True):
            part.append(chosen)
    return [np.sort(np.concatenate(part)) for part in parts]
