"""Snapshots: what a recorded call keeps of the arrays that its rules will read, since the caller may change them before backward.

Constants, masks, indices and labels of up to 16 KiB are copied when the call is recorded. Larger ones are shared; 64 of their
numbers are kept, and compared before a rule reads the array. So are constant Values, which drawings show as they are. Leaves
that require grad need none: changing them advances their tick (see node.py).
"""

from __future__ import annotations

from functools import lru_cache
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from .node import Node

SMALL = 16 * 1024  # bytes; copying them takes 0.6 us, a sample 0.4 us
_SAMPLED = 64  # numbers
_ATOMS = {int, float, bool, str, slice, type(None), type(...), type}  # parameters that cannot change
_debugging = [False]


class debug:
    """Copy all arrays when a call is recorded, large ones too: exact, and slower. Switched on by the call.

    >>> with debug():
    ...     pass  # on here, and as it was before from here on

    Args:
        on: False switches it off.
    """

    def __init__(self, on: bool = True) -> None:
        self._before = _debugging[0]
        _debugging[0] = on

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _debugging[0] = self._before


class Snapshot(NamedTuple):
    """Numbers of an array that a recorded call shares with the caller.

    Attributes:
        operand: its place among the operands, or the name of the parameter that holds it.
        holder: the array, or the constant Value that holds it.
        places: those of the numbers kept; None for all.
        numbers: their bytes, so that NaN equals NaN.
    """

    operand: int | str
    holder: Any
    places: Any
    numbers: bytes

    @property
    def changed(self) -> bool:
        """Whether the numbers kept are others now."""
        return _numbers(self.holder, self.places) != self.numbers


def keep(node: Node) -> None:
    """Replace the arrays of a call just recorded by copies, or store snapshots of them in `node.extra`."""
    found: list[Snapshot] = []
    node.inputs = tuple([x if type(x) is float else _kept(x, i, found) for i, x in enumerate(node.inputs)])
    extra = node.extra
    if extra is not None and "params" in extra:
        params = extra["params"]
        extra["params"] = {name: x if type(x) in _ATOMS else _kept(x, name, found) for name, x in params.items()}
    if found:
        node.extra = extra = extra or {}
        extra["snapshots"] = found


def _kept(x: Any, operand: int | str, found: list[Snapshot]) -> Any:
    if isinstance(x, np.ndarray):
        if x.nbytes <= SMALL or _debugging[0]:
            return x.copy("K")
        found.append(_snapshot(operand, x, _places(x.size)))
    elif isinstance(x, Node):
        if x.tick < 0 and type(x.raw) is np.ndarray:
            small = x.raw.nbytes <= SMALL or _debugging[0]
            found.append(_snapshot(operand, x, None if small else _places(x.raw.size)))
    elif type(x) is list or type(x) is tuple:
        return type(x)([_kept(part, operand, found) for part in x])
    return x


@lru_cache(1024)
def _places(size: int) -> np.ndarray[Any, Any]:
    """Places that no period of the array coincides with: multiples of the golden ratio."""
    golden = (5**0.5 - 1) / 2
    return (np.arange(_SAMPLED) * golden % 1 * size).astype(np.intp)


def _snapshot(operand: int | str, holder: Any, places: Any) -> Snapshot:
    return Snapshot(operand, holder, places, _numbers(holder, places))


def _numbers(holder: Any, places: Any) -> bytes:
    array: np.ndarray[Any, Any] = holder.raw if isinstance(holder, Node) else holder
    if places is not None:
        flags = array.flags  # take copies the whole of an array that is not contiguous
        rows = array if flags.c_contiguous else array.T if flags.f_contiguous else None
        array = array.flat[places] if rows is None else rows.take(places)
    return array.tobytes()
