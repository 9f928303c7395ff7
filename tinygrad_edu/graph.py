"""Walking a recorded graph: who was computed from whom, and the chain rule from the output back to the leaves.

Backward is reverse-mode differentiation (Griewank & Walther, Evaluating Derivatives, section 3.2). With g the gradient of
the output with respect to a node, each rule of the node's op turns g into that input's share, and shares add up where a
node is used more than once. A node's g is complete once all that was computed from it has been visited: hence the order,
deepest first. There is no recursion, so a chain of a million operations is no deeper than one of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from operator import attrgetter
from sys import getrefcount
from typing import Any

import numpy as np

from . import ops
from .errors import GraphError, ShapeError
from .node import RELEASED, Node
from .op import Op, record
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
                if create_graph and not isinstance(g, Node):
                    g = record(g)  # a constant gradient, but one that can be computed with
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
    add, append = seen.add, found.append
    for node in found:  # grows as we go
        depth = node.depth
        for x in node.inputs:
            if isinstance(x, Node):
                if 0 <= x.depth < depth:
                    if x not in seen:
                        add(x)
                        append(x)
                elif x.depth >= depth:
                    raise _stale(node, x)
        if node.inputs is RELEASED:
            raise _released(node)
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
        if g is None:  # reached only through arguments without a rule
            continue
        params = None
        if node.extra is not None:
            params = node.extra.get("params")
            g = _run_hooks(node, g)
        yield node, g
        op, inputs = node.grad_fn, node.inputs
        if op is None:
            continue
        if release:
            node.inputs = RELEASED
        if create_graph or len(inputs) > 1 + (params is None):
            _share_out(node, op, inputs, g, totals, create_graph)
            continue
        # From here to the end: _share_out unrolled for one and for two inputs, which scalar expressions consist of.
        y = node.data
        a_share = b_share = None
        try:
            if len(inputs) == 1:
                a = inputs[0]
                a_data = a.data
                rule = op.rule(0) if op.variadic else op.rules[0]
                if rule is not None:
                    a_share = rule.apply(g, y, a_data) if params is None else rule.apply(g, y, a_data, **params)
            else:
                a, b = inputs
                a_data = a.data if isinstance(a, Node) else a
                b_data = b.data if isinstance(b, Node) else b
                a_rule, b_rule = op.rules
                if a_data is not a and a.depth >= 0 and a_rule is not None:
                    a_share = a_rule.apply(g, y, a_data, b_data)
                if b_data is not b and b.depth >= 0 and b_rule is not None:
                    b_share = b_rule.apply(g, y, a_data, b_data)
        except (ArithmeticError, ValueError):
            _share_out(node, op, inputs, g, totals, create_graph)
            continue
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


def _share_out(
    node: Node, op: Op, inputs: tuple[Any, ...], g: Any, totals: dict[Node, Any], create_graph: bool
) -> None:
    """Add to the total of each input of `node` its share of g. Never in place: two shares may be one object."""
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
    data = x.data
    if op.elementwise and share is not g:
        share = _zero_rule(share, g)
    array = type(share) is np.ndarray and type(data) is np.ndarray
    if not (array and share.shape == data.shape and share.dtype == data.dtype):
        share = _conform(share, data, op)
    if array and x.grad_fn is None and (share is g or (share.base is not None and getrefcount(share.base) > 2)):
        share = share.copy()  # g is others' too, and so is a view's memory if more than the view and this call hold it
    return share


def _zero_rule(share: Any, g: Any) -> Any:
    """Where g is exactly 0 and the rule yields NaN (0 * inf), the share is 0: a branch not taken leaks nothing."""
    plain = share.data if isinstance(share, Node) else share
    square = np.vdot(plain, plain)  # one pass, no temporary, and infinities alone do not make it NaN
    if square == square:
        return share
    leaks = np.isnan(plain) & ((g.data if isinstance(g, Node) else g) == 0)
    return ops.where(leaks, 0.0, share) if np.any(leaks) else share


def _conform(share: Any, data: Any, op: Op) -> Any:
    """`share` summed over the axes along which `data` was stretched, or stretched itself to it; in the dtype of `data`."""
    got, shape = shape_of(share), shape_of(data)
    if not got and type(data) is np.ndarray and not isinstance(share, Node):
        full = np.empty(shape, data.dtype)
        full.fill(share)  # a third of np.full's time on small arrays
        return full
    if got != shape:
        lead = len(got) - len(shape)
        axes = tuple([i for i, n in enumerate(got) if i < lead or shape[i - lead] == 1 != n])
        try:
            share = share.sum(axis=axes) if axes else share
            if (got := shape_of(share)) != shape:
                share = ops.reshape(share, shape) if prod(got) == prod(shape) else ops.broadcast_to(share, shape)
        except ValueError:
            expected = f"expected the input's {shape} or one that broadcasts with it"
            raise ShapeError(f"{op.name}: a rule returned a gradient of shape {got}, {expected}") from None
    plain = share.data if isinstance(share, Node) else share
    if type(plain) is not type(data) or (shape and plain.dtype != data.dtype):
        share = ops.astype(share, float if type(data) is float else data.dtype)
    return share


def _seed(output: Node, gradient: Any, create_graph: bool) -> Any:
    """The gradient with respect to the output itself: 1 unless the user gives one."""
    data, shape = output.data, shape_of(output.data)
    if gradient is None:
        if prod(shape) != 1:
            raise ShapeError(
                f"backward: the output has shape {shape}, so pass gradient= an array of that shape, or reduce it with .sum()"
            )
        gradient = np.ones(shape, data.dtype) if shape else type(data)(1)
    elif shape_of(gradient) != shape and np.shape(gradient) != shape:
        raise ShapeError(f"backward: gradient= has shape {np.shape(gradient)}, but the output has shape {shape}")
    else:
        gradient = ops.astype(gradient, float if type(data) is float else data.dtype)
    if create_graph:
        return gradient if isinstance(gradient, Node) else record(gradient)
    return gradient.data if isinstance(gradient, Node) else gradient


def _run_hooks(node: Node, g: Any) -> Any:
    """The gradient after the node's hooks, each of which may replace it by another of the same shape."""
    for hook in list(node.extra.get("hooks", ())) if node.extra else ():
        replacement = hook(g)
        if replacement is not None:
            if shape_of(replacement) != shape_of(g):
                got, expected = shape_of(replacement), shape_of(g)
                raise ShapeError(f"hook: returned a gradient of shape {got}, expected {expected}")
            g = replacement
    return g


def _released(node: Node) -> GraphError:
    return GraphError(
        f"backward: the inputs of {node.grad_fn} were released by an earlier backward(retain_graph=False); "
        "record the expression again, or pass retain_graph=True there"
    )


def _stale(node: Node, leaf: Node) -> GraphError:
    name = f" {leaf.extra['name']!r}" if leaf.extra and "name" in leaf.extra else ""
    return GraphError(
        f"backward: the leaf{name} of shape {shape_of(leaf.data)} was changed in place after {node.grad_fn} had used it, "
        "so its gradient would be wrong; record the expression again after an optimiser's step"
    )


def shape_of(x: Any) -> Shape:
    """() for a float, the shape of an array or Value."""
    return () if type(x) is float else getattr(x, "shape", ())


def _numpy_scalar(x: Any) -> Any:
    return np.float64(x) if type(x) in (float, int) else x
