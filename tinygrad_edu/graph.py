"""Walking a recorded graph: who was computed from whom, and the chain rule from the output back to the leaves.

Backward is reverse-mode differentiation (Griewank & Walther, Evaluating Derivatives, section 3.2). With g the gradient of
the output with respect to a node, each rule of the node's op turns g into that input's share, and shares add up where a
node is used more than once. A node's g is complete once all that was computed from it has been visited: hence the order,
deepest first. There is no recursion, so a chain of a million operations is no deeper than one of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from . import ops
from .errors import GraphError, ShapeError
from .node import RELEASED, Node
from .op import Op
from .signatures import Shape

_depth = attrgetter("depth")


def backward(output: Node, gradient: Any = None, *, retain_graph: bool = True, create_graph: bool = False) -> None:
    """Differentiate `output` and store what each Value gets in its `.grad`; see `Value.backward`."""
    if output.depth < 0:
        raise GraphError(
            "backward: the output does not require grad; it was computed from constants only, under no_grad() or "
            "after detach(), or is itself Value(..., requires_grad=False)"
        )
    if create_graph and not retain_graph:
        raise GraphError("backward: create_graph=True needs the graph again, so pass retain_graph=True with it")
    with np.errstate(all="ignore"):
        seed = _seed(output, gradient, create_graph)
        for node, g in chain_rule(output, seed, create_graph=create_graph, release=not retain_graph):
            if node.grad_fn is None:
                node.grad = g if node.grad is None else node.grad + g
            elif retain_graph and not create_graph:
                node.grad = g
            else:
                node.grad = None


def ancestors(output: Node) -> list[Node]:
    """All Values that gradient flows to from `output`, itself included, each before what was computed from it.

    Raises:
        GraphError: if a part of the graph was released, or a leaf was changed in place after it was used.
    """
    seen = {output}
    found = [output]
    for node in found:  # grows as we go
        if node.inputs is RELEASED:
            raise GraphError(
                f"backward: the inputs of {node.grad_fn} were released by an earlier backward(retain_graph=False); "
                "record the expression again, or pass retain_graph=True there"
            )
        for x in node.inputs:
            if isinstance(x, Node) and x.depth >= 0:
                if x.depth >= node.depth:
                    raise _stale(node, x)
                if x not in seen:
                    seen.add(x)
                    found.append(x)
    found.sort(key=_depth)
    return found


def chain_rule(
    output: Node, seed: Any, *, create_graph: bool = False, release: bool = False
) -> Iterator[tuple[Node, Any]]:
    """Every Value that `output` depends on, with the gradient of sum(output * seed) with respect to it; output first.

    Args:
        output: the result to differentiate.
        seed: the gradient with respect to `output` itself, of its shape and dtype.
        create_graph: gradients are recorded Values, which can be differentiated again.
        release: let go of each node's inputs as soon as they have their shares.

    Raises:
        GraphError: see `ancestors`.
    """
    order = ancestors(output)
    totals: dict[Node, Any] = dict.fromkeys(order)
    totals[output] = seed
    while order:
        node = order.pop()
        g = totals.pop(node)
        op = node.grad_fn
        if g is not None:  # None: reached only through arguments without a rule
            if node.extra and "hooks" in node.extra:
                g = _run_hooks(node, g)
            yield node, g
            if op is not None:
                _share_out(node, op, g, totals, create_graph)
        if release and op is not None:
            node.inputs = RELEASED


def _share_out(node: Node, op: Op, g: Any, totals: dict[Node, Any], create_graph: bool) -> None:
    """Add to the total of each input of `node` its share of g. Never in place: two shares may be one object."""
    inputs = node.inputs
    params = node.extra.get("params", {}) if node.extra else {}
    y, args = (node, inputs) if create_graph else (node.data, [x.data if isinstance(x, Node) else x for x in inputs])
    for i, x in enumerate(inputs):
        if isinstance(x, Node) and x.depth >= 0 and (rule := op.rule(i)) is not None:
            try:
                share = rule.apply(g, y, *args, **params)
            except (ArithmeticError, ValueError):  # Python's floats refuse 1/0 and log(0); NumPy's do not
                share = rule.apply(*[_numpy_scalar(v) for v in (g, y, *args)], **params)
            share = fit(share, g, x, op)
            total = totals[x]
            totals[x] = share if total is None else total + share


# -- What the engine does for every rule, so that no rule has to ------------------------------------------------------


def fit(share: Any, g: Any, x: Node, op: Op) -> Any:
    """A rule's raw answer as the gradient of x: the zero rule kept, of x's shape and dtype, and a leaf's own memory."""
    if op.elementwise and share is not g:
        share = _zero_rule(share, g)
    data = x.data
    shape = shape_of(data)
    if shape_of(share) != shape:
        share = _unbroadcast(share, shape, op)
    plain = share.data if isinstance(share, Node) else share
    if type(plain) is not type(data) or (shape and plain.dtype != data.dtype):
        dtype = float if type(data) is float else data.dtype
        share = ops.astype(share, dtype)
    if x.grad_fn is None and shape and plain is share and (share is g or share.base is not None):
        share = share.copy()
    return share


def _zero_rule(share: Any, g: Any) -> Any:
    """Where g is exactly 0 and the rule yields NaN (0 * inf), the share is 0: a branch not taken leaks nothing."""
    plain = share.data if isinstance(share, Node) else share
    if not np.isnan(np.vdot(plain, plain)):  # one pass, no temporary; infinities alone do not make it NaN
        return share
    leaks = np.isnan(plain) & ((g.data if isinstance(g, Node) else g) == 0)
    return ops.where(leaks, 0.0, share) if np.any(leaks) else share


def _unbroadcast(share: Any, shape: Shape, op: Op) -> Any:
    """Sum over the axes along which an input of this shape was stretched; stretch a constant to it."""
    got = shape_of(share)
    lead = len(got) - len(shape)
    axes = tuple([i for i, n in enumerate(got) if i < lead or shape[i - lead] == 1 != n])
    try:
        if axes:
            share = share.sum(axis=axes)
        return ops.reshape(share, shape) if np.prod(shape_of(share)) == np.prod(shape) else ops.broadcast_to(share, shape)
    except ValueError:
        message = f"{op.name}: a rule returned shape {got} for an input of shape {shape}; it must broadcast from that shape"
        raise ShapeError(message) from None


def _seed(output: Node, gradient: Any, create_graph: bool) -> Any:
    """The gradient with respect to the output itself: 1 unless the user gives one."""
    data, shape = output.data, shape_of(output.data)
    if gradient is None:
        if np.size(data) != 1:
            raise ShapeError(
                f"backward: the output has shape {shape}, so pass gradient= an array of that shape, or reduce it with .sum()"
            )
        seed = np.ones(shape)
    elif isinstance(gradient, Node):
        seed = gradient
    else:
        seed = np.array(gradient)
    if shape_of(seed) != shape:
        raise ShapeError(f"backward: gradient= has shape {shape_of(seed)}, but the output has shape {shape}")
    seed = ops.astype(seed, float if type(data) is float else data.dtype)
    if create_graph:
        return seed if isinstance(seed, Node) else type(output)(seed, requires_grad=False)
    return seed.data if isinstance(seed, Node) else seed


def _run_hooks(node: Node, g: Any) -> Any:
    """The gradient after the node's hooks, each of which may replace it by another of the same shape."""
    for hook in list(node.extra["hooks"]) if node.extra else []:
        replacement = hook(g)
        if replacement is not None:
            if shape_of(replacement) != shape_of(g):
                got, expected = shape_of(replacement), shape_of(g)
                raise ShapeError(f"hook: returned a gradient of shape {got}, expected {expected}")
            g = replacement
    return g


def _stale(node: Node, leaf: Node) -> GraphError:
    name = f" {leaf.extra['name']!r}" if leaf.extra and "name" in leaf.extra else ""
    return GraphError(
        f"backward: the leaf{name} of shape {shape_of(leaf.data)} was changed in place after {node.grad_fn} had used it, "
        "so its gradient would be wrong; record the expression again after an optimiser's step"
    )


def shape_of(x: Any) -> Shape:
    """() for a float, the shape of an array or Value."""
    return getattr(x, "shape", ())


def _numpy_scalar(x: Any) -> Any:
    return np.float64(x) if type(x) in (float, int) else x
