"""What layers and losses ask of their arguments, which are sizes or numbers of a domain, and what they show of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from numbers import Real
from typing import Any, TypeAlias, TypeGuard

import numpy as np

from tinygrad_edu import ShapeError, TinygradError, Value, array

Shape: TypeAlias = tuple[int, ...]
Size: TypeAlias = int | Sequence[int]
Domain: TypeAlias = tuple[Callable[[Any], bool], str]  # whether something belongs to it, and its name


def is_real(x: Any) -> TypeGuard[float]:
    """Whether x is one number, Python's or NumPy's, NaN included."""
    return isinstance(x, Real)


REAL: Domain = (is_real, "a real number")
POSITIVE: Domain = (lambda x: is_real(x) and x > 0, "a number > 0")
NOT_NEGATIVE: Domain = (lambda x: is_real(x) and x >= 0, "a number from 0 on")
SHARE: Domain = (lambda x: is_real(x) and 0 <= x <= 1, "a number from 0 to 1")
PROBABILITY: Domain = (SHARE[0], "a probability from 0 to 1")


def data_of(x: Any) -> Any:
    """The numbers of a Value; all else as it is."""
    return x.data if isinstance(x, Value) else x


def plain_array(name: str, what: str, x: Any) -> Any:
    """A nested list as an array; an array or a Value as it is. Errors, as for masked arrays, begin with both names."""
    try:
        return array(x)
    except TinygradError as error:
        error.operation = f"{name}: {what}"
        raise


def checked(layer: str, name: str, given: Any, domain: Domain = REAL) -> Any:
    """A number as it is. Raises TinygradError, in the name of a layer, if it is not in the domain."""
    belongs, expected = domain
    if not belongs(given):
        raise TinygradError(f"{layer}: got {name}={given!r:.60}, expected {expected}")
    return given


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


def unusual(build: Callable[..., Any], given: Mapping[str, Any]) -> list[str]:
    """name=value of each argument that differs from its default in a signature."""
    defaults = signature(build).parameters
    return [f"{name}={short(n)!r}" for name, n in given.items() if short(n) != defaults[name].default]


def stretches(shape: Shape, wanted: Shape) -> bool:
    """Whether NumPy's broadcasting makes `wanted` of a shape, without changing `wanted`."""
    sides = zip(shape[::-1], wanted[::-1], strict=False)
    return len(shape) <= len(wanted) and all(n in (1, m) for n, m in sides)


def _is_integer(n: object) -> bool:
    return isinstance(n, (int, np.integer)) and not isinstance(n, bool)
