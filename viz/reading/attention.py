"""Attention: which operations of a run compute the queries, keys and values, so that pictures can name them."""

from __future__ import annotations

from collections.abc import Sequence

from nn import MultiheadAttention
from tinygrad_edu import registry

from ..drawing import Kind
from .steps import Step

_OPERATION = registry["linear"].op


def name_projections(steps: Sequence[Step]) -> None:
    """Name the results Q, K and V of each call of a MultiheadAttention, and the same with an axis of heads, after its path.

    They are its own three linear operations, in the order in which it computes them; `out_proj` is a call of its own.
    """
    for call in (inner for top in steps for inner in top.within()):
        if not isinstance(call.module, MultiheadAttention):
            continue
        operations = [step for step in call.inside if step.kind is Kind.RESULT]
        projected = sorted((x for x in operations if x.op is _OPERATION), key=lambda step: step.result.tick)
        for letter, step in zip("QKV", projected, strict=False):
            step.path = f"{call.path}.{letter}" if call.path else letter
            split = step
            for (
                user
            ) in operations:  # (batch, length, size) -> (batch, length, heads, size) -> (batch, heads, length, size)
                if user.sources == [split] and user.op is not None and user.op.name in ("reshape", "transpose"):
                    split = user
                    if user.op.name == "transpose":
                        split.path = f"{step.path} by head"
                        break
