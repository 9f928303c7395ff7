"""Parameters that must be whole numbers: one of them, or an array that names places or classes. Plain numbers, no ops."""

from __future__ import annotations

from operator import index
from typing import Any

from ..data import array_of
from ..errors import DTypeError
from ..node import Node


def integer(name: str, what: str, given: Any) -> int:
    """One whole number, for the op of this name. Raises DTypeError for anything else."""
    try:
        return index(given)
    except TypeError:
        raise DTypeError(f"{name}: got {what}={given!r:.40}, expected an integer") from None


def integers(name: str, what: str, given: Any, count: int | None = None) -> Any:
    """Whole numbers as an array, of any sign; or, where there is a count, from 0 to count - 1.

    Raises:
        DTypeError: if they are not integers, or a Value, whose numbers are floats.
        IndexError: if one is out of range.
    """
    if isinstance(given, Node):
        raise DTypeError(f"{name}: {what} are a Value, expected plain integers; write i.data.astype(int)")
    numbers = array_of(name, given)
    if not numbers.size:
        numbers = numbers.astype(int)
    if numbers.dtype.kind not in "iu":
        raise DTypeError(f"{name}: {what} are {numbers.dtype}, expected integers; cast them with .astype(int)")
    if count is not None and numbers.size and (numbers.min() < 0 or numbers.max() >= count):
        got = f"{what} from {numbers.min()} to {numbers.max()}"
        raise IndexError(f"{name}: got {got}, expected 0 to {count - 1}")
    return numbers
