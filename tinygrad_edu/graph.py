"""Walking a recorded graph: who was computed from whom, and the chain rule from the output back to the leaves.

Backward is reverse-mode differentiation (Griewank & Walther, Evaluating Derivatives, section 3.2). With g the gradient of
the output with respect to a node, each rule of the node's op turns g into that input's share, and shares add up where a
node is used more than once. A node's g is complete once all that was computed from it has been visited: hence the order,
latest first. Of an array output it is sum(output * seed) that is differentiated. There is no recursion, so a chain of a
million operations is no deeper than one of two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from math import prod
from operator import attrgetter
from typing import Any

import numpy as np

from . import ops
from .data import shape_of
from .errors import GraphError, ShapeError
from .node import RELEASED, Node
from .op import Op
from .recording import record
from .share import fit


@np.errstate(all="ignore")  # half as long as a `with`
def backward(output: Node, gradient: Any = None, *, retain_graph: bool = True, create_graph: bool = False) -> None:
    """Differentiate `output` and store what each Value gets in its `.grad`; see `Value.backward`."""
    if output.tick < 0:
        raise GraphError(
            "backward: the output does not require grad; it was computed from constants only, under no_grad() or "
            "after detach(), or is itself Value(..., requires_grad=False)"
        )
    if create_graph and not retain_graph:
        raise GraphError("backward: create_graph=True needs the graph again, so pass retain_graph=True with it")
    seed = _seed(output, gradient, create_graph)
    for node, g in chain_rule({output: seed}, create_graph=create_graph, release=not retain_graph):
        if node.grad_fn is None:
            if create_graph and not isinstance(g, Node):
                g = record(g)  # a constant gradient, but one that can be computed with
            node.grad = g if node.grad is None else node.grad + g
        else:  # released, or a reference cycle if it were recorded: none for the interior
            node.grad = g if retain_graph and not create_graph else None


def ancestors(*outputs: Node, since: int = 0) -> list[Node]:
    """All Values that gradient flows to from the outputs, these included, each before what was computed from it.

    Args:
        since: leaves out those with a lower tick: leaves, and what was recorded earlier.

    Raises:
        GraphError: if a part of the graph was released, or a leaf was changed in place after it was used.
    """
    seen = dict.fromkeys(outputs)
    found, waiting = list(seen), list(seen)
    while waiting:
        node = waiting.pop()
        tick = node.tick
        for x in node.inputs:
            if isinstance(x, Node):
                if since <= x.tick < tick:  # below 0: a constant; not below the node's: changed in place since
                    if x not in seen:
                        seen[x] = None
                        found.append(x)
                        waiting.append(x)
                elif x.tick >= tick:
                    raise _stale(node, x)
        if node.inputs is RELEASED:
            raise GraphError(
                f"backward: the inputs of {node.grad_fn} were released by an earlier backward(retain_graph=False); "
                "record the expression again, or pass retain_graph=True there"
            )
    found.sort(key=attrgetter("tick"))
    return found


def chain_rule(
    seeds: dict[Node, Any],
    *,
    order: list[Node] | None = None,
    ends: Collection[Node] = (),
    create_graph: bool = False,
    release: bool = False,
) -> Iterator[tuple[Node, Any]]:
    """Every Value that the outputs depend on, with the gradient of Σ sum(output * seed) with respect to it; outputs first.

    Args:
        seeds: for each output, the gradient with respect to itself, of its shape and dtype.
        order: the Values to go through, in topological order, if not all `ancestors`; gradient flows to no others. Emptied.
        ends: where to stop, among those in `order`: gradient flows to these, and no further.
        create_graph: gradients are recorded Values, which can be differentiated again.
        release: let go of each node's inputs as soon as they have their shares.

    Raises:
        GraphError: see `ancestors`.
    """
    everywhere = order is None
    order = ancestors(*seeds) if order is None else order
    totals: dict[Node, Any] = dict.fromkeys(order) | seeds
    while order:
        node = order.pop()
        g = totals.pop(node)
        if g is None:  # reached only through arguments without a rule, such as where's condition
            continue
        if node.extra is not None and "hooks" in node.extra:
            g = _run_hooks(node, node.extra["hooks"], g)
        yield node, g
        op = node.grad_fn
        if op is not None and (everywhere or node not in ends):
            if everywhere and not create_graph and not op.variadic:
                _UNROLLED.get(len(node.inputs), _share_out)(node, op, g, totals)
            else:
                _share_out(node, op, g, totals, create_graph)
            if release:
                node.inputs = RELEASED


def _share_out(node: Node, op: Op, g: Any, totals: dict[Node, Any], create_graph: bool = False) -> None:
    """Add to the total of each input of `node` its share of g. Never in place: two shares may be one object.

    `fit` (share.py) makes of a rule's raw answer a gradient of the input's shape and dtype.
    """
    inputs = node.inputs
    params = node.extra.get("params", {}) if node.extra else {}
    y, args = (node, inputs) if create_graph else (node.data, [x.data if isinstance(x, Node) else x for x in inputs])
    joint: Any = None
    for i, x in enumerate(inputs):
        rule = op.rule(i) if op.variadic else op.rules[i]
        if rule is None or not isinstance(x, Node) or x not in totals:  # not in totals: a constant, or not asked for
            continue
        if op.joint:
            joint = rule.apply(g, y, *args, **params) if joint is None else joint
            share = joint[i]
            if share is None:
                continue
        else:
            try:
                share = rule.apply(g, y, *args, **params)
            except (ArithmeticError, ValueError):  # Python's floats refuse 1/0 and log(0); NumPy's do not
                share = rule.apply(*[np.float64(v) if type(v) is float else v for v in (g, y, *args)], **params)
        share = fit(share, g, x, op)
        total = totals[x]
        totals[x] = share if total is None else total + share


def _share_out_to_one(node: Node, op: Op, g: Any, totals: dict[Node, Any]) -> None:
    """`_share_out` unrolled for one input and plain data. A float's share that is a float, and not NaN, needs no fitting."""
    x = node.inputs[0]
    data, rule = x.data, op.rules[0]
    if x.tick < 0:  # frozen since
        return
    try:
        if node.extra is None:
            share = rule.apply(g, node.data, data)  # type: ignore[union-attr]  # without a rule it is not recorded
        else:
            share = rule.apply(g, node.data, data, **node.extra.get("params", {}))  # type: ignore[union-attr]
    except (ArithmeticError, ValueError):
        _share_out(node, op, g, totals)
        return
    if type(share) is not float or type(data) is not float or share != share:
        share = fit(share, g, x, op)
    total = totals[x]
    totals[x] = share if total is None else total + share


def _share_out_to_two(node: Node, op: Op, g: Any, totals: dict[Node, Any]) -> None:
    """`_share_out` unrolled for two inputs without parameters and plain data."""
    if node.extra is not None:
        _share_out(node, op, g, totals)
        return
    (a, b), (a_rule, b_rule), y = node.inputs, op.rules, node.data
    a_data = a.data if isinstance(a, Node) else a
    b_data = b.data if isinstance(b, Node) else b
    a_share = b_share = None
    try:
        if a_data is not a and a.tick >= 0 and a_rule is not None:
            a_share = a_rule.apply(g, y, a_data, b_data)
        if b_data is not b and b.tick >= 0 and b_rule is not None:
            b_share = b_rule.apply(g, y, a_data, b_data)
    except (ArithmeticError, ValueError):
        _share_out(node, op, g, totals)
        return
    if a_share is not None:
        if type(a_share) is not float or type(a_data) is not float or a_share != a_share:
            a_share = fit(a_share, g, a, op)
        total = totals[a]
        totals[a] = a_share if total is None else total + a_share
    if b_share is not None:
        if type(b_share) is not float or type(b_data) is not float or b_share != b_share:
            b_share = fit(b_share, g, b, op)
        total = totals[b]
        totals[b] = b_share if total is None else total + b_share


_UNROLLED = {1: _share_out_to_one, 2: _share_out_to_two}


def _seed(output: Node, gradient: Any, create_graph: bool) -> Any:
    """The gradient with respect to the output itself: 1 unless the user gives one."""
    data, shape = output.data, shape_of(output.data)
    if gradient is None:
        if shape and prod(shape) != 1:
            raise ShapeError(
                f"backward: the output has shape {shape}, so pass gradient= an array of that shape, or reduce it with .sum()"
            )
        gradient = np.ones(shape, data.dtype) if shape else type(data)(1)
    else:
        got = gradient.shape if isinstance(gradient, Node) else np.shape(gradient)  # type: ignore[attr-defined]
        if got != shape:
            raise ShapeError(
                f"backward: gradient= has shape {got}, but the output has shape {shape}; weigh each of its numbers, or .sum() it"
            )
        gradient = ops.astype(gradient, float if type(data) is float else data.dtype)
    if create_graph:
        return gradient if isinstance(gradient, Node) else record(gradient)
    return gradient.data if isinstance(gradient, Node) else gradient


def _run_hooks(node: Node, hooks: list[Callable[[Any], Any]], g: Any) -> Any:
    """The gradient after the node's hooks, each of which may replace it by another of the same shape."""
    for hook in list(hooks):
        replacement = hook(g)
        if replacement is not None:
            if isinstance(replacement, Node) and not isinstance(g, Node):
                replacement = replacement.data
            if shape_of(replacement) != shape_of(g):
                got, expected = shape_of(replacement), shape_of(g)
                raise ShapeError(f"hook: returned a gradient of shape {got}, expected {expected}")
            g = ops.astype(replacement, float if type(node.data) is float else node.data.dtype)
    return g


def _stale(node: Node, leaf: Node) -> GraphError:
    name = f" {leaf.extra['name']!r}" if leaf.extra and "name" in leaf.extra else ""
    return GraphError(
        f"backward: the leaf{name} of shape {shape_of(leaf.data)} was changed in place after {node.grad_fn} had used it, "
        "so its gradient would be wrong; record the expression again after an optimiser's step"
    )
