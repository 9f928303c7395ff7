"""Gradients: whether those in a picture are of the graph that it shows. A `.grad` does not say where it came from.

Each gradient is to be the sum of what the operations that use the Value hand on from theirs. Where it is not, it came from an
earlier run, or was added to one, or came through uses that are not drawn, or was changed, as by clipping.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from tinygrad_edu import Op, TinygradError, Value

from ..drawing import NO_GRADIENT
from ..text import data_of
from .passing import passed_on
from .recorded import INSIDE, Recorded
from .since import close

OTHER = "gradient of another run"
MIXED = "gradient differs from this run's"
CLEARED = "gradient cleared since"
NONE_COMES = "no gradient reaches it"
NOT_KEPT = "gradient not kept (create_graph=True)"
_OURS = "tinygrad_edu.", "viz."  # modules whose operations run no function of the user
_MOST = 100_000  # operations, and
_MOST_BYTES = 100_000_000  # of operands, that are gone through; beyond, gradients are believed


def doubts(record: Recorded) -> dict[int, str]:
    """What there is to say of the gradients of which items, by position."""
    items = record.items
    flowing = [
        i for i, x in enumerate(items) if isinstance(x, Value) and x.requires_grad and (x.inputs or not x.grad_fn)
    ]
    if all(items[i].grad is None for i in flowing):
        return dict.fromkeys(flowing, NO_GRADIENT)
    check = _Check(record)
    with np.errstate(all="ignore"):
        for i in reversed(flowing):
            check.look(i)
    return check.found


class _Check:
    """A backward pass, one operation at a time, each from the gradient that is stored at its result.

    Attributes:
        found: what there is to say, by position.
    """

    def __init__(self, record: Recorded) -> None:
        self.record, self.found = record, dict[int, str]()
        outputs = [record.items[i] for i in record.outputs]
        latest = max(abs(output.tick) for output in outputs)
        self.has_run = any(output.grad is not None for output in outputs)
        self.was_recorded = any(isinstance(x, Value) and is_recorded_since(x, latest) for x in record.items)
        self.totals: dict[int, Any] = {}  # what the uses of a Value hand on, and how large the parts of that are
        self.sizes: dict[int, float] = {}
        self.unknown: set[int] = set()  # Values of which a use hands on what is not known
        self.heirs: dict[int, str] = {}  # Values to which a use hands on what is in doubt
        self.operations = self.bytes = 0

    def look(self, i: int) -> None:
        """Compare the gradient of an item with what came from its uses, and hand it on."""
        x = self.record.items[i]
        note = self._missing(i, x) if x.grad is None else self._doubt(i, x)
        if note:
            self.found[i] = note
        if x.inputs and x.grad is not None:
            self._hand_on(i, x, note)

    def _missing(self, i: int, x: Value) -> str:
        if i in self.totals:
            return CLEARED
        if self.was_recorded and x.grad_fn is not None:
            return NOT_KEPT
        return NONE_COMES if self.has_run and i not in self.unknown else NO_GRADIENT

    def _doubt(self, i: int, x: Value) -> str:
        if i in self.record.outputs:
            return ""
        total, g = self.totals.pop(i, None), x.grad
        if i in self.unknown or isinstance(g, Value) or (x.extra and "hooks" in x.extra):
            return self.heirs.get(i, "")
        if (g == 0.0 if type(g) is float else not np.any(g)) and (total is None or np.any(total)):  # set to 0 by hand
            return "" if total is None else CLEARED
        if total is None:
            return OTHER
        return self.heirs.get(i, "") if close(total, g, self.sizes[i]) else MIXED

    def _hand_on(self, i: int, x: Value, note: str) -> None:
        shares = None if self._is_outdated(i) else self._shares(x)
        if shares is None:
            self.unknown.update(self.record.inputs[i])
            return
        for k, share in zip(self.record.inputs[i], shares, strict=True):
            if k != INSIDE and share is not None:
                self.totals[k] = self.totals[k] + share if k in self.totals else share
                self.sizes[k] = max(self.sizes.get(k, 0.0), _size(share))
                if note:
                    self.heirs[k] = note

    def _is_outdated(self, i: int) -> bool:
        record = self.record
        return i in record.outdated or bool(record.changed and not record.changed.isdisjoint(record.inputs[i]))

    def _shares(self, x: Value) -> list[Any] | None:
        """What an operation hands on to its operands; None if it is not known, or would cost too much."""
        self.operations += 1
        op = x.grad_fn
        if op is None or isinstance(x.grad, Value) or self.operations > _MOST:
            return None
        if op.name == "checkpoint" or not op.forward.__module__.startswith(_OURS):  # which run a user's function
            return None
        shares = _of_floats(x, op)
        if shares is None:
            self.bytes += sum(getattr(data_of(operand), "nbytes", 8) for operand in x.inputs)
            if self.bytes < _MOST_BYTES:
                try:
                    shares = [data_of(share) for share in passed_on(x, x.grad)]
                except TinygradError:
                    return None
        return shares


def _of_floats(x: Value, op: Op) -> list[Any] | None:
    """What the rules alone give, several times faster; None if they need more than Python's floats."""
    y, g = x.data, x.grad
    if not op.elementwise or type(y) is not float or type(g) is not float:
        return None
    data = [data_of(operand) for operand in x.inputs]
    params = x.params if x.extra else {}
    shares: list[Any] = []
    try:
        for operand, rule in zip(x.inputs, op.rules, strict=True):
            flows = rule is not None and isinstance(operand, Value) and operand.tick > 0
            shares.append(rule.apply(g, y, *data, **params) if flows else None)  # type: ignore[union-attr]
    except (ArithmeticError, ValueError):
        return None
    return shares if all(share is None or (type(share) is float and isfinite(share)) for share in shares) else None


def _size(share: Any) -> float:
    if type(share) is float:
        return abs(share) if isfinite(share) else 0.0
    return float(np.max(np.abs(share), initial=0.0, where=np.isfinite(share)))


def is_recorded_since(x: Value, tick: int) -> bool:
    """Whether the gradient of a leaf was itself recorded, after an output with this tick: by backward(create_graph=True)."""
    g = x.grad
    return x.grad_fn is None and isinstance(g, Value) and (g.tick > tick or not g.requires_grad)
