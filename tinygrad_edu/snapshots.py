"""Snapshots: a recorded call copies or samples the arrays that its rules will read, since the caller may change them.

Constants, masks, indices and labels of up to 16 KiB are copied when the call is recorded. Larger ones are shared; 64 of their
numbers are kept, and compared before a rule reads the array. So are constant Values, which drawings show as they are. Leaves
that require grad need none: changing them advances their tick (see node.py).
"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from .node import Node
from .term import Term

SMALL = 16 * 1024  # bytes; copying them takes 0.6 us, a sample 0.4 us
limit: float = SMALL  # of the arrays that are copied; debug() sets it to inf
_SAMPLED = 64  # numbers
ATOMS = {int, float, bool, str, slice, type(None), type(...), type}  # parameters that cannot change


class debug:
    """Copy all arrays when a call is recorded, large ones too: exact, but slower. In effect from the call on.

    >>> with debug():
    ...     pass  # on in the block; afterwards as before

    Args:
        on: False switches it off.
    """

    def __init__(self, on: bool = True) -> None:
        global limit
        self._before, limit = limit, inf if on else SMALL

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        global limit
        limit = self._before


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
        """Whether the numbers differ from those kept."""
        array = self.holder.raw if isinstance(self.holder, Node) else self.holder
        return _numbers(array, self.places) != self.numbers


def keep(node: Node) -> Node:
    """The node of a call just recorded, with copies or snapshots in its `extra` of the arrays that may change.

    `inputs` keeps the caller's arrays, by which drawings name them.
    """
    if type(node.raw) is not np.ndarray and isinstance(node.raw, Term):
        return _by_reference(node, node.raw)
    found: list[Snapshot] = []
    copies: dict[int, Any] = {}
    for i, x in enumerate(node.inputs):
        if type(x) is np.ndarray:
            if x.nbytes <= limit:
                copies[i] = x.copy("K")
            else:
                found.append(_snapshot(i, x, x))
        elif isinstance(x, Node) and x.tick < 0 and type(x.raw) is np.ndarray:
            found.append(_snapshot(i, x, x.raw))
    extra = node.extra
    if extra is not None:
        params = extra["params"]
        extra["params"] = {name: x if type(x) in ATOMS else _kept(x, name, found) for name, x in params.items()}
    if copies or found:
        node.extra = extra = extra or {}
        if copies:
            extra["copies"] = copies
        if found:
            extra["snapshots"] = found
    return node


def _by_reference(node: Node, result: Term) -> Node:
    """Of a run on Terms: what is compiled reads the caller's arrays themselves, or copies where `keep` makes other strides."""
    for i, x in enumerate(node.inputs):
        array = x.raw if isinstance(x, Node) and x.tick < 0 else x
        if type(array) is np.ndarray:
            constant = result.constant(array)
            if array is x and array.nbytes <= limit and not (array.flags.c_contiguous or array.flags.f_contiguous):
                constant = constant.copy("K")
            if constant is not array:
                node.extra = node.extra or {}
                node.extra.setdefault("copies", {})[i] = constant
    return node


def _kept(x: Any, operand: int | str, found: list[Snapshot]) -> Any:
    """A copy of a small array, also inside lists, tuples and dicts; a large one itself, and its snapshot added to `found`."""
    if isinstance(x, dict):
        return {key: _kept(part, operand, found) for key, part in x.items()}
    if isinstance(x, (list, tuple)):
        parts = [_kept(part, operand, found) for part in x]
        return x._make(parts) if hasattr(x, "_make") else type(x)(parts)
    array = x.raw if isinstance(x, Node) and x.tick < 0 else x  # a constant Value as an index is its numbers
    if not isinstance(array, np.ndarray):
        return array
    if array.nbytes <= limit:
        return array.copy("K")
    found.append(_snapshot(operand, array, array))
    return array


def _snapshot(operand: int | str, holder: Any, array: np.ndarray[Any, Any]) -> Snapshot:
    places = None if array.nbytes <= limit else _places(array.size)
    return Snapshot(operand, holder, places, _numbers(array, places))


@lru_cache(1024)
def _places(size: int) -> np.ndarray[Any, Any]:
    """Places that no period of the array coincides with: multiples of the golden ratio."""
    golden = (5**0.5 - 1) / 2
    return (np.arange(_SAMPLED) * golden % 1 * size).astype(np.intp)


def _numbers(array: np.ndarray[Any, Any], places: Any) -> bytes:
    if places is not None:
        flags = array.flags  # take copies the whole of an array that is not contiguous
        rows = array if flags.c_contiguous else array.T if flags.f_contiguous else None
        array = array.flat[places] if rows is None else rows.take(places)
    return array.tobytes()
