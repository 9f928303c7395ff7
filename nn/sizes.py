"""Sizes that users give: an integer, or one for each axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tinygrad_edu import ShapeError

Size: TypeAlias = int | Sequence[int]


def size(layer: str, name: str, given: int, least: int = 1) -> int:
    """A single integer. Raises ShapeError, in the name of a layer, if it is none, or less than `least`."""
    if not _is_integer(given) or given < least:
        raise ShapeError(f"{layer}: got {name}={given!r:.60}, expected an integer from {least} on")
    return int(given)


def sizes(layer: str, name: str, given: Size | str, axes: int | None = None, least: int = 1) -> tuple[int, ...]:
    """A tuple with an integer for each axis, which a single one is for all of; as many as are given if axes is None.

    Raises ShapeError, in the name of a layer, if they are no integers, too many, too few, or less than `least`.
    """
    numbers: tuple[Any, ...] = tuple(given) if isinstance(given, (tuple, list)) else (given,) * (axes or 1)
    if not numbers or len(numbers) != (axes or len(numbers)) or not all(_is_integer(n) and n >= least for n in numbers):
        many = "a tuple of them" if axes is None else f"a tuple of {axes} of them"
        raise ShapeError(f"{layer}: got {name}={given!r:.60}, expected an integer from {least} on, or {many}")
    return tuple([int(n) for n in numbers])


def short(numbers: Any) -> Any:
    """The number that a tuple repeats, as a user would have given it; anything else as it is."""
    return numbers[0] if isinstance(numbers, tuple) and len(set(numbers)) == 1 else numbers


def _is_integer(n: object) -> bool:
    return isinstance(n, (int, np.integer)) and not isinstance(n, bool)
