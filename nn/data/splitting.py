"""Splitting data into parts, which are arrays of indices. With classes, every part has its share of every class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_edu import DTypeError, ShapeError

from ..checks import explaining, generator, is_integer, plain_array, shown, size

Indices = NDArray[np.intp]
Random = np.random.Generator | int | None


@explaining
def split(examples: int | ArrayLike, fractions: tuple[float, ...], rng: Random) -> list[Indices]:
    """Indices of disjoint parts.

    train, test = nn.split(len(x), (0.8,), rng=0)

    Args:
        examples: how many there are, or an array with them along its first axis.
        fractions: the size of each part but the last, which gets the rest: (0.6, 0.2) makes three parts.
        rng: random generator, or a seed for one, that decides who goes where; None cuts the examples in their order, as is right
            for a series in time.

    Returns:
        one array of indices a part, in increasing order; together they are 0 to n - 1. Their sizes are within 1 of the fractions.

    Raises:
        ShapeError: if the fractions are not floats above 0 with a sum below 1, or a part would be empty.
    """
    n = _count("split", examples)
    sizes = _sizes("split", n, fractions)
    if not all(sizes):
        raise ShapeError(f"split: got fractions={fractions} of {n} examples, which leaves a part without any")
    order = np.arange(n) if rng is None else generator("split", rng).permutation(n)
    return [np.sort(part) for part in np.split(order, np.cumsum(sizes)[:-1])]


@explaining
def stratified_split(labels: ArrayLike, fractions: tuple[float, ...], rng: Random) -> list[Indices]:
    """Indices of disjoint parts, as of `split`, in each of which every class has its share, and one example at least.

    Args:
        labels: (n,), the class of each example.
        fractions, rng: as for `split`.

    Returns:
        as of `split`. Of each class a part has within 2 of its share, unless a class is too small for that.

    Raises:
        ShapeError: if a class has fewer examples than there are parts, a part has fewer than there are classes, or the fractions
            are not floats above 0 with a sum below 1.
        DTypeError: if a label is NaN.
    """
    name = "stratified_split"
    members = _members(name, labels)
    sizes = _sizes(name, sum(map(len, members)), fractions)
    _check_classes(name, labels, members, len(sizes))
    if min(sizes) < len(members):
        got = f"fractions={fractions} of {sum(sizes)} examples, which makes a part of {min(sizes)}"
        raise ShapeError(f"{name}: got {got}, expected at least one for each of {len(members)} classes")
    members = _shuffled(name, members, rng)
    left = np.array([len(own) for own in members])
    starts = np.zeros_like(left)
    parts = []
    for k, part in enumerate(sizes):
        later = len(sizes) - k - 1  # later parts, each of which needs one example of each class
        counts = _apportioned(left * (part / left.sum()), part, left - later)
        parts.append([own[a : a + n] for own, a, n in zip(members, starts, counts, strict=True)])
        starts, left = starts + counts, left - counts
    return [np.sort(np.concatenate(part)) for part in parts]


@explaining
def k_fold(examples: int | ArrayLike, k: int, rng: Random) -> list[tuple[Indices, Indices]]:
    """k pairs of indices (training, test) for cross-validation. Each example is in one test part; sizes differ by at most 1.

    Args:
        examples: how many there are, or an array with them along its first axis.
        k: from 2 to the number of examples.
        rng: random generator, or a seed for one, that decides who goes where; None cuts the examples in their order.

    Raises ShapeError for any other k.
    """
    n, k = _count("k_fold", examples), size("k_fold", "k", k, least=2)
    if n < k:
        raise ShapeError(f"k_fold: got k={k} and {n} examples, expected an example for each part")
    order = np.arange(n) if rng is None else generator("k_fold", rng).permutation(n)
    return _pairs(n, np.array_split(order, k))


@explaining
def stratified_k_fold(labels: ArrayLike, k: int, rng: Random) -> list[tuple[Indices, Indices]]:
    """`k_fold` with all classes in every test part: the examples of a class in two of them differ by at most 1, as do the sizes.

    Args:
        labels: (n,), the class of each example.
        k: from 2 to the size of the smallest class.
        rng: random generator, or a seed for one, that decides who goes where; None keeps the order within each class.

    Raises:
        ShapeError: for any other k.
        DTypeError: if a label is NaN.
    """
    name = "stratified_k_fold"
    members, k = _members(name, labels), size(name, "k", k, least=2)
    _check_classes(name, labels, members, k)
    order = np.concatenate(_shuffled(name, members, rng))  # by classes
    return _pairs(len(order), [order[i::k] for i in range(k)])


def _pairs(n: int, tests: Sequence[Indices]) -> list[tuple[Indices, Indices]]:
    return [(np.setdiff1d(np.arange(n), test), np.sort(test)) for test in tests]


def _count(name: str, examples: Any) -> int:
    """The number of examples, given as an integer or as an array of examples."""
    if is_integer(examples):
        return size(name, "examples", examples)
    array = plain_array(name, "examples", examples)
    if not np.ndim(array) or not len(array):
        raise ShapeError(f"{name}: got examples={shown(examples)}, expected how many there are, or an array of them")
    return len(array)


def _sizes(name: str, n: int, fractions: Any) -> list[int]:
    """The sizes of the parts: those of n examples by the method of largest remainders, which add up to n."""
    given = fractions if isinstance(fractions, (tuple, list)) else ()
    right = all(isinstance(f, (float, np.floating)) and f > 0 for f in given)
    if not (given and right and sum(given) < 1 - 1e-9):  # 0.7 + 0.2 + 0.1 is less than 1
        expected = "a tuple of floats above 0 with a sum below 1, as (0.8,); the last part gets the rest"
        raise ShapeError(f"{name}: got fractions={shown(fractions)}, expected {expected}")
    shares = n * np.array([*given, 1 - sum(given)])
    return [int(size) for size in _apportioned(shares, n, np.full(len(shares), n), least=0)]


def _members(name: str, labels: Any) -> list[Indices]:
    """The indices of the examples of each class."""
    array = np.asarray(plain_array(name, "labels", labels))
    if array.ndim != 1 or not array.size:
        raise ShapeError(f"{name}: got labels of shape {array.shape}, expected (examples,), one class each")
    if strange := np.count_nonzero(array != array):  # NaN, and the NaT of dates
        raise DTypeError(f"{name}: got labels with {strange} NaN, expected classes")
    classes = np.unique(array, return_inverse=True)[1]
    return np.split(np.argsort(classes, kind="stable"), np.cumsum(np.bincount(classes))[:-1])


def _check_classes(name: str, labels: Any, members: Sequence[Indices], parts: int) -> None:
    """Raise ShapeError if a class is smaller than there are parts."""
    smallest = min(members, key=len)
    if len(smallest) < parts:
        found = f"class {shown(np.asarray(labels)[smallest[0]].item())} has {len(smallest)} examples"
        raise ShapeError(f"{name}: {found}, expected at least one for each of {parts} parts")


def _shuffled(name: str, members: list[Indices], rng: Random) -> list[Indices]:
    if rng is None:
        return members
    random = generator(name, rng)
    return [random.permutation(own) for own in members]


def _apportioned(shares: NDArray[Any], total: int, most: NDArray[Any], least: int = 1) -> NDArray[np.intp]:
    """Integers with the given sum, from `least` to `most`, and as near to the shares as that allows: largest remainders first."""
    counts: NDArray[np.intp] = np.clip(np.floor(shares).astype(np.intp), least, most)
    while missing := total - counts.sum():
        step = 1 if missing > 0 else -1
        free = np.flatnonzero(counts < most if step > 0 else counts > least)
        furthest = np.argsort(step * (counts - shares)[free], kind="stable")[: abs(missing)]
        counts[free[furthest]] += step
    return counts
