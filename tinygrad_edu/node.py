"""Node: one entry of the recorded graph. It holds; it computes nothing.

A graph of a million operations is a million of these, so a Node is seven slots and no dictionary: 88 bytes, and 195
with its number, its tuple of inputs and its tick. It refers to its inputs only, never to what was computed from it: with
no reference cycles a graph is freed at once when its last result goes, without waiting for the garbage collector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from .op import Op


class Extra(TypedDict, total=False):
    """What few nodes have; kept out of the slots so that the many pay nothing for it."""

    name: str  # what the user calls it
    params: dict[str, Any]  # keyword parameters of the recorded call: axis=0
    hooks: list[Callable[[Any], Any]]  # called with the gradient before it is stored


NO_GRADIENT = -1  # the tick of a Node that no gradient flows to: below every time


class Node:
    """One recorded result, or one leaf (a number the user put in). What users hold is a Value, the Node with operators.

    Attributes:
        raw: its number: float, NumPy float scalar or ndarray (never a 0-d array). Users read and assign it as `Value.data`.
        grad: the gradient of the last backward's output with respect to this node, shaped like `raw`; on leaves the sum over
            all backward passes; None before.
        grad_fn: the Op that computed `raw`; None on leaves.
        inputs: what it was computed from: Nodes, and constants as plain numbers or arrays. RELEASED after a backward that
            let go of the graph.
        tick: when it was made, on one clock that every leaf and every recording advances; NO_GRADIENT on those that gradient
            does not flow to. A result's tick is greater than those of its inputs, so sorting by tick is a topological order.
            Changing a leaf in place gives it a new tick (see `Value.mark_changed`): a result older than one of its inputs is
            then known to be stale.
        extra: rare fields, or None.
    """

    __slots__ = ("__weakref__", "extra", "grad", "grad_fn", "inputs", "raw", "tick")

    raw: Any
    grad: Any
    grad_fn: Op | None
    inputs: tuple[Any, ...]
    tick: int
    extra: Extra | None


class Released(tuple[Any, ...]):
    """Takes the place of `inputs` once backward(retain_graph=False) has let go of them."""

    __slots__ = ()


RELEASED = Released()
