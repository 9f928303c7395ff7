"""Needed: the terms of a run that its results and guards need, and where the zero rule is checked."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..term import terms
from .traced import Trace, Traced

# calls whose result has a NaN, or is one, where an operand has one
_SPREAD = {
    "+",
    "-",
    "*",
    "/",
    "@",
    "float",
    ".T",
    ".mT",
    ".astype",
    "np.full",
    "np.broadcast_to",
    "np.transpose",
    "scatter(",
}
_SPREAD |= {"np.add", "np.subtract", "np.multiply", "np.divide", "np.negative", "np.matmul", "np.add.reduce"}
_SPREAD |= {"np.reshape", ".reshape", "np.stack", "np.concatenate"}


class Needed:
    """What a program computes.

    Attributes:
        live: the terms, in the order of computation.
        guards: the branches that they depend on.
        finite: results that must be finite.
        checks: shares in which NaN would show where the zero rule applies.
        uses: how often each term is used.
        users: of each term the last one that uses it.
    """

    def __init__(self, trace: Trace, outputs: Sequence[Any]) -> None:
        self.trace, self.outputs = trace, list(outputs)
        self.finite = trace.finite
        self.guards = list({guard.condition: guard for guard in trace.guards}.values())
        self.checks = [share for share, g in trace.leaks if isinstance(share, Traced) and not _cannot_leak(share, g)]
        self.live = self._live()
        self.checks = self._smallest(self.live) if self.checks else []
        self.finite = self._latest_finite()
        self.uses = self._uses()
        if not all(term in self.uses for term in self.live):  # some were needed by checks alone
            self.live = self._live()
            self.uses = self._uses()
        self.users = {operand: user for user in self.live for operand in user.operands}

    def roots(self) -> Iterator[Traced]:
        """What is needed at the end: results, conditions, checks, and draws."""
        yield from terms(self.outputs)  # type: ignore[misc]
        yield from (guard.condition for guard in self.guards)
        yield from self.checks
        yield from self.finite
        yield from self.trace.draws

    def _live(self) -> list[Traced]:
        """The terms that results and guards need, in the order of computation."""
        needed = set(self.roots())
        live = []
        for term in reversed(self.trace.made):
            if term in needed:
                live.append(term)
                needed.update(term.operands)
        live.reverse()
        return live

    def _smallest(self, live: Sequence[Traced]) -> list[Traced]:
        """Where to look for the NaN of shares: in the smallest result or share that it is bound to reach."""
        suspects = set(self.checks)
        candidates = suspects | {x for x in self.outputs if isinstance(x, Traced)}
        best: dict[Traced, Traced] = {}  # for each term the candidate in which its NaN shows
        for term in reversed(live):
            known = best.get(term)
            if term in candidates and (known is None or term.size < known.size):
                known = best[term] = term
            if known is not None and term.spelling in _SPREAD:
                for operand in term.operands:
                    other = best.get(operand)
                    if other is None or (other is not known and known.size < other.size):
                        best[operand] = known
        return list(dict.fromkeys(best[share] for share in self.checks))

    def _latest_finite(self) -> list[Traced]:
        """Results that must be finite, with what is added to them, so that one expression makes both: inf + b is not finite."""
        latest = {x: x for x in self.trace.finite}
        heads = set(latest)
        for term in self.live if heads else ():
            if term.spelling in ("+", "-", "np.add", "np.subtract") and not term.params and len(term.args) == 2:
                before = {x for x in term.operands if x in heads and x.shape == term.shape and x.dtype == term.dtype}
                if before and np.isfinite(term.behind).all():
                    latest |= {x: term for x, head in latest.items() if head in before}
                    heads = set(latest.values())
        return list(dict.fromkeys(latest.values()))

    def _uses(self) -> dict[Traced, int]:
        uses: dict[Traced, int] = defaultdict(int)
        for term in self.live:
            for operand in term.operands:
                uses[operand] += 1
        for root in self.roots():
            uses[root] += 1
        return uses


def _cannot_leak(share: Traced, g: Any) -> bool:
    """Whether a share is 0 wherever g is: g times booleans or finite numbers, or -g."""
    if share is g or (not isinstance(g, Traced) and np.all(g != 0)):
        return True
    if share.spelling == "-" and len(share.args) == 1:
        return isinstance(share.args[0], Traced) and _cannot_leak(share.args[0], g)
    if share.spelling in ("*", "/") and len(share.args) == 2:
        a, b = share.args
        if _is_tame(b, share.spelling == "/") and isinstance(a, Traced):
            return _cannot_leak(a, g)
        if share.spelling == "*" and _is_tame(a, False) and isinstance(b, Traced):
            return _cannot_leak(b, g)
    return False


def _is_tame(x: Any, divides: bool) -> bool:
    """Whether a factor is finite for sure."""
    if isinstance(x, Traced):
        return not divides and x.dtype == bool
    return type(x) in (int, float) and math.isfinite(x) and not (divides and x == 0)
