"""Memory: which arrays of a program lie where, so that memory is used again.

An array that a call of NumPy made, and that nothing reads any more, takes the next result of its shape: in place, if that is
computed from it. What may be a view has the memory of all that it was computed from.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .traced import Traced

_KEPT_FROM = 2_048  # bytes of an array that is kept between calls
_KEPT_UP_TO = 2**26  # bytes of all of them
_UFUNCS: dict[Any, np.ufunc] = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.divide,
    operator.matmul: np.matmul,
    operator.neg: np.negative,
    operator.invert: np.invert,
    operator.abs: np.absolute,
    operator.lt: np.less,
    operator.le: np.less_equal,
    operator.gt: np.greater,
    operator.ge: np.greater_equal,
    operator.eq: np.equal,
    operator.ne: np.not_equal,
}  # not **: it takes short cuts
_FRESH = {np.where, np.concatenate, np.stack, np.full, operator.pow}  # whose results are no views
REDUCTIONS = {"np.add.reduce", "np.maximum.reduce", "np.minimum.reduce", "np.multiply.reduce"}
_NOTHING: frozenset[Traced] = frozenset()


class Layout(NamedTuple):
    """What arrays have in common that may take each other's place."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]

    def empty(self) -> np.ndarray[Any, Any]:
        """An array of any numbers."""
        x = np.empty(self.shape, self.dtype)
        return x if x.strides == self.strides else np.empty(self.shape, self.dtype, order="F")


class Slot:
    """Memory for one array after the other.

    Attributes:
        terms: the arrays, in the order of computation.
        layout: of all of them.
        name: in the text.
        is_kept: whether it is kept between calls; no result lies in it.
    """

    def __init__(self, first: Traced, layout: Layout) -> None:
        self.terms, self.layout, self.name, self.is_kept = [first], layout, "", False


class Memory:
    """Which terms lie in the memory of which.

    Args:
        live: the terms, in the order of computation.
        lasting: those that are read at the end.
        outputs: those that are returned.
        aliases: terms that are views of others, or these themselves.

    Attributes:
        slots: for each term that has memory of its own, which others may take, that memory.
    """

    def __init__(
        self,
        live: Sequence[Traced],
        lasting: Sequence[Traced],
        outputs: Sequence[Any],
        aliases: Mapping[Traced, Traced],
    ) -> None:
        self.slots: dict[Traced, Slot] = {}
        self._owners: dict[Traced, frozenset[Traced]] = {}
        if not any(isinstance(term.behind, (np.ndarray, tuple, list)) for term in live):
            return
        fresh = {term for term in live if term not in aliases and is_fresh(term)}
        last: dict[Traced, int] = {}
        for i, term in enumerate(live):
            operands = [aliases[term]] if term in aliases else term.operands
            last.update((owner, i) for x in operands for owner in self.owners(x))
            if term in fresh:
                self._owners[term], last[term] = frozenset([term]), i
            elif isinstance(term.behind, (np.ndarray, tuple, list)):
                self._owners[term] = _NOTHING.union(*map(self.owners, operands))
        last.update((owner, len(live)) for term in lasting for owner in self.owners(term))
        ends: list[list[Traced]] = [[] for _ in range(len(live) + 1)]
        for term, i in last.items():
            ends[i].append(term)
        idle: dict[Layout, list[Slot]] = {}
        for term, ending in zip(live, ends, strict=False):
            if term in fresh:
                self._place(term, ending, idle)
            for x in ending:
                slot = self.slots.get(x)
                if slot is not None and slot.terms[-1] is x:
                    idle.setdefault(slot.layout, []).append(slot)
        returned = {owner for x in outputs if isinstance(x, Traced) for owner in self.owners(x)}
        self._keep(returned)

    def owners(self, term: Traced) -> frozenset[Traced]:
        """The terms in whose memory a term may lie; none for arguments, captured arrays and numbers."""
        return self._owners.get(term, _NOTHING)

    def _place(self, term: Traced, ending: Sequence[Traced], idle: dict[Layout, list[Slot]]) -> None:
        """Memory for a term: that of an operand that nothing reads any more, that of another such array, or new memory."""
        x: np.ndarray[Any, Any] = term.behind
        if not (x.flags.c_contiguous or x.flags.f_contiguous):
            return
        layout, function = Layout(x.shape, x.dtype, x.strides), ufunc_of(term)
        slot: Slot | None = None
        if function is not None and function.signature is None:
            slot = next((self.slots[x] for x in ending if self._may_become(x, term, layout)), None)
        if function is not None and slot is None and idle.get(layout):
            slot = idle[layout].pop()
        if slot is None:
            slot = self.slots[term] = Slot(term, layout)
        else:
            self.slots[term] = slot
            slot.terms.append(term)

    def _may_become(self, x: Traced, term: Traced, layout: Layout) -> bool:
        """Whether an elementwise call may write its result over x: it reads x as it is, and no view of it."""
        slot = self.slots.get(x)
        if x is term or slot is None or slot.layout != layout:
            return False
        return all(operand is x or x not in self.owners(operand) for operand in term.operands)

    def _keep(self, returned: set[Traced]) -> None:
        """Choose what is kept between calls: large arrays, in which no result lies."""
        size = 0
        for slot in dict.fromkeys(self.slots.values()):
            first = slot.terms[0]
            nbytes = first.behind.nbytes
            if nbytes >= _KEPT_FROM and size + nbytes <= _KEPT_UP_TO and returned.isdisjoint(slot.terms):
                slot.is_kept = ufunc_of(first) is not None
                size += nbytes * slot.is_kept


def ufunc_of(term: Traced) -> np.ufunc | None:
    """The ufunc that computes an array, if one does whose result may lie in memory that is given to it."""
    x = term.behind
    if term.params or type(x) is not np.ndarray or not x.shape or not x.size:
        return None
    function = _UFUNCS.get(term.function, term.function)
    if not isinstance(function, np.ufunc) or function.nout != 1 or len(term.args) != function.nin:
        return None
    return function if getattr(np, function.__name__, None) is function else None


def is_fresh(term: Traced) -> bool:
    """Whether a term is an array that is certain to have memory of its own."""
    x = term.behind
    if type(x) is not np.ndarray or not x.shape or not x.flags.owndata:
        return False
    return ufunc_of(term) is not None or term.spelling in REDUCTIONS or term.function in _FRESH
