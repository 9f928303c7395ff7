"""Since: what changed after an operation was recorded. A picture shows numbers of now beside results of then, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_edu import Value

from ..text import data_of

_HALF = 2.0**-26  # of the digits of a float
_LARGEST = 100_000_000  # bytes of the operands of an operation that is computed again


def assigned(value: Value) -> Iterator[int]:
    """The operands whose data was assigned after `value` was recorded: by hand, by an optimiser, by loading a state."""
    return (k for k, x in enumerate(value.inputs) if isinstance(x, Value) and abs(x.tick) >= abs(value.tick))


def rewritten(value: Value) -> list[int]:
    """The operands that are arrays, or leaves that hold one, whose memory was written to after `value` was recorded.

    A copy or a sample that was kept tells of some. A leaf may share its memory with an array of the user, and a write to that
    leaves no trace: such an operation is computed again and the result compared. Any of its leaves may then be the one.
    """
    extra = value.extra or {}
    copies, kept = extra.get("copies", {}), extra.get("snapshots", ())
    sure = [k for k, copy in copies.items() if not np.array_equal(copy, value.inputs[k], equal_nan=True)]
    sure += [one.operand for one in kept if isinstance(one.operand, int) and one.changed]
    leaves = [
        k
        for k, x in enumerate(value.inputs)
        if isinstance(x, Value) and x.grad_fn is None and x.shape and k not in sure
    ]
    data = [copies.get(k, data_of(x)) for k, x in enumerate(value.inputs)]
    return [*sure, *leaves] if leaves and not sure and _differs(value, data) else sure


def _differs(value: Value, data: list[Any]) -> bool:
    """Whether the operation gives another result now. A user's own operation, or a costly one, is believed."""
    op = value.grad_fn
    if op is None or op.name == "checkpoint" or not op.forward.__module__.startswith("tinygrad_edu."):
        return False
    if sum(getattr(x, "nbytes", 8) for x in data) > _LARGEST:
        return False
    try:
        with np.errstate(all="ignore"):
            again = np.asarray(op.forward(*data, **value.params))
    except Exception:  # hostile parameters
        return False
    return again.shape != np.shape(value.data) or not close(again, value.data)


def close(a: Any, b: Any, size: float = 0.0) -> bool:
    """Whether two arrays of one shape agree to half the digits of b's dtype, relative to the largest number or to `size`."""
    if type(a) is float and type(b) is float:
        return a == b or abs(a - b) <= _HALF * max(size, abs(b)) or (a != a and b != b)
    b = np.asarray(b)
    if b.dtype.kind != "f":
        return np.array_equal(a, b)
    largest = max(size, float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b))))
    return bool(np.allclose(a, b, rtol=0.0, atol=float(np.sqrt(np.finfo(b.dtype).eps)) * largest, equal_nan=True))
