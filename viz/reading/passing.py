"""What one operation of the backward pass hands on to each of its inputs."""

from __future__ import annotations

from typing import Any

from tinygrad_edu import Value

_NEEDED = ("params", "copies", "snapshots")  # of what a node keeps, what its rules need


def passed_on(value: Value, g: Any) -> list[Any]:
    """What each input gets of g, the gradient of `value`; None for constants.

    It is the engine's backward pass of this one operation, on leaves that share the inputs' data: no `.grad` of the recorded
    Values changes, and no hook runs.
    """
    leaves = [Value(x.data, copy=False) if isinstance(x, Value) and x.requires_grad else x for x in value.inputs]
    alone = Value(value.data, copy=False)
    alone.grad_fn, alone.inputs = value.grad_fn, tuple(leaves)
    alone.extra = {k: x for k, x in (value.extra or {}).items() if k in _NEEDED} or None  # type: ignore[assignment]
    alone.backward(g)
    return [x.grad if isinstance(x, Value) else None for x in leaves]
