"""Staleness: refusing gradients of graphs whose leaves or arrays were changed after they were recorded.

Ticks tell of leaves (see node.py), snapshots of other arrays (see snapshots.py).
"""

from __future__ import annotations

from .data import shape_of
from .errors import GraphError
from .node import Node
from .op import Op
from .snapshots import Snapshot


def refuse_stale(*outputs: Node) -> None:
    """Raise GraphError if an input of the nodes, or of those that they were computed from, was modified after its use."""
    seen, waiting = set(outputs), list(outputs)
    while waiting:
        node = waiting.pop()
        for x in node.inputs:
            if isinstance(x, Node):
                if abs(x.tick) > node.tick:
                    raise stale(node, x)
                if x not in seen:
                    seen.add(x)
                    waiting.append(x)


def stale(node: Node, leaf: Node) -> GraphError:
    """The error of a leaf that was modified in place after its use in a node."""
    name = f" {leaf.extra['name']!r}" if leaf.extra and "name" in leaf.extra else ""
    return GraphError(
        f"backward: the leaf{name} of shape {shape_of(leaf.raw)} was changed in place after {node.grad_fn} had used it, "
        "so its gradient would be wrong; record the expression again after an optimiser's step or unfreezing, and detach() what "
        "is carried from one step to the next"
    )


def refuse_changed(snapshots: list[Snapshot], op: Op, wanted: list[int]) -> None:
    """Raise GraphError if an array that one of the wanted rules reads was changed after the call."""
    for snapshot in snapshots:
        if not snapshot.changed:
            continue
        from .reading import operands_read  # loads formulas, which most programs never need

        i = snapshot.operand
        what = i if isinstance(i, str) else op.arrays[i] if op.arrays else f"{op.many}[{i}]"
        read = {name.partition("[")[0] for k in wanted for name in operands_read(op, 0 if op.shares else k)}
        if isinstance(i, str) or what.partition("[")[0] in read:
            error = GraphError(
                f"{what} was changed after the call, so the gradient would be wrong; pass a copy of it, or change it after "
                "backward (tinygrad_edu.debug() copies every array)"
            )
            error.operation = f"backward through {op.called or op.name}"
            raise error
