"""Node: one entry of the recorded graph. It stores data and computes nothing.

A graph of a million operations has a million Nodes, so a Node has seven slots and no dictionary: 88 bytes, and 195 with its
number, its tuple of inputs and its tick. It refers to its inputs only, never to its consumers: without reference cycles a
graph is freed as soon as its last result is deleted, without the garbage collector.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from .op import Op


class Extra(TypedDict, total=False):
    """Rare attributes, kept out of the slots to save memory on most nodes."""

    name: str  # the user's name for it
    params: dict[str, Any]  # keyword parameters of the recorded call: axis=0
    hooks: list[Callable[[Any], Any]]  # called with the gradient before it is stored
    copies: dict[int, Any]  # of operands, by their place, and
    snapshots: list[Any]  # of arrays that the call shares with the caller: see snapshots.py


NO_GRADIENT = -1  # the greatest tick of Nodes to which no gradient flows


class Node:
    """One recorded result, or one leaf (created by the user). Users hold a Value, which is a Node with operators.

    Attributes:
        raw: the data: float, NumPy float scalar or ndarray (never a 0-d array). Users read and assign it as `Value.data`.
        raw_grad: the gradient of the last backward's output with respect to this node, shaped like `raw`; on leaves the sum
            over all backward passes; None before. Users read and assign it as `Value.grad`.
        grad_fn: the Op that computed `raw`; None on leaves.
        inputs: the operands: Nodes, and constants as plain numbers or arrays. RELEASED after a backward that released the
            graph.
        tick: the time of creation, on one clock that every leaf and every recording advances. A result's tick is greater than
            those of its inputs, so sorting by tick is a topological order. Modifying a leaf in place gives it a new tick (see
            `Value.mark_changed`), so a result older than one of its inputs is stale. Negative if no gradient flows to it: minus
            the time of its last change, or NO_GRADIENT.
        extra: rare fields, or None.
    """

    __slots__ = ("__weakref__", "extra", "grad_fn", "inputs", "raw", "raw_grad", "tick")

    raw: Any
    raw_grad: Any
    grad_fn: Op | None
    inputs: tuple[Any, ...]
    tick: int
    extra: Extra | None


class Released(tuple[Any, ...]):
    """The type of RELEASED, which replaces `inputs` after backward(retain_graph=False)."""

    __slots__ = ()


RELEASED = Released()
