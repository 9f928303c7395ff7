"""Operands: what is written on the arrows to an operation, which one each brings and the local derivative by it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from tinygrad_edu import Op, Value

from ..text import data_of, number
from .passing import passed_on
from .since import assigned

_PROBE = (0.3, 0.7)  # in the domain of most operations, and where none is symmetric by accident (as 2**4 is)


def labels(op: Op | None, count: int) -> Sequence[str]:
    """Labels for the arrows to an operation: which operand each brings, if they may not change places.

    One-letter names such as a and b would be taken for the user's own variables, so those read 1st and 2nd.
    """
    if op is None or count < 2 or (op.elementwise and count == 2 and _commutes(op)):
        return [""] * count
    named = {i: name for i, name in enumerate(op.arrays) if len(name) > 1}
    return [named.get(i, ordinal(i + 1)) for i in range(count)]


@cache
def _commutes(op: Op) -> bool:
    """Whether two operands may change places. The operation itself is asked, so that there is no list of names to keep."""
    a, b = _PROBE
    try:
        with np.errstate(all="ignore"):
            return bool(op.forward(a, b) == op.forward(b, a))
    except (ArithmeticError, ValueError):
        return False


def ordinal(n: int) -> str:
    """1st, 2nd, 3rd, ..."""
    suffix = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"


def derivative(value: Value, k: int) -> str:
    """The local derivative of an operation on scalars by its k-th operand; "" for others, and for constants.

    It comes from the operation's own rule, given 1 as the incoming gradient. The rule must be for scalars: that of an elementwise
    operation, or of one of any number of operands. "" too if an operand was assigned since: the rule would mix two runs.
    """
    op, operand = value.grad_fn, value.inputs[k]
    data = [data_of(x) for x in (value, *value.inputs)]
    if op is None or not isinstance(operand, Value) or not operand.requires_grad or any(map(np.ndim, data)):
        return ""
    if any(True for _ in assigned(value)):
        return ""
    if op.shares is not None:
        share = passed_on(value, 1.0)[k]
        return "" if share is None else number(share)
    rule = op.rules[k] if op.elementwise else None
    if rule is None:
        return ""
    with np.errstate(all="ignore"):  # on NumPy's numbers, which answer 1/0 where Python's raise
        return number(rule.apply(np.float64(1), *map(np.float64, data), **value.params))
