"""Traversing a recorded graph: its topological order, and the chain rule from the output back to the leaves.

Backward is reverse-mode differentiation (Griewank & Walther, Evaluating Derivatives, section 3.2). With g the gradient of
the output with respect to a node, each rule of the node's op computes from g one input's share; shares add up if a node is
used more than once. A node's g is complete once every node computed from it has been visited, so nodes are visited latest
first. For an array output, sum(output * seed) is differentiated. There is no recursion, so the length of a chain of
operations is not limited.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from math import prod
from operator import attrgetter
from typing import Any

import numpy as np

from . import ops, recording
from .data import is_finite, kind_of, raw_of, shape_of
from .errors import DefinitionError, GraphError, ShapeError, TinygradError
from .misuse import is_built_in, refusal
from .node import RELEASED, Node
from .op import Op, Rule
from .ops.arrays.indexing import Parts
from .recording import record
from .share import fit
from .slices import harmless
from .staleness import refuse_changed, refuse_stale, stale
from .term import a_term
from .unrolled import UNROLLED


@np.errstate(all="ignore")  # twice as fast as a `with`
def backward(output: Node, gradient: Any = None, *, retain_graph: bool = True, create_graph: bool = False) -> None:
    """Differentiate `output` and store the gradient of each Value in its `.grad`; see `Value.backward`."""
    if output.tick < 0:
        raise GraphError(
            "backward: the output does not require grad; it was computed from constants only, under no_grad() or "
            "after detach(), or is itself Value(..., requires_grad=False)"
        )
    if create_graph and not retain_graph:
        raise GraphError("backward: create_graph=True needs the graph again, so pass retain_graph=True with it")
    seed = _seed(output, gradient, create_graph)
    walk = chain_rule({output: seed}, ancestors(output), create_graph=create_graph, release=not retain_graph)
    arrived = []
    for node, g in walk:
        if node.grad_fn is None:
            arrived.append((node, g))
        else:  # computed Values keep none: released, or a reference cycle if recorded
            node.raw_grad = g if retain_graph and not create_graph else None
    for leaf, g in arrived:  # only now, so that an error on the way adds nothing
        if create_graph and not isinstance(g, Node):
            g = record(g)  # a constant gradient, as a Value
        leaf.raw_grad = g if leaf.raw_grad is None else leaf.raw_grad + g


def ancestors(*outputs: Node, since: int = 0) -> list[Node]:
    """All Values to which gradient flows from the outputs, and the outputs, in topological order: inputs first.

    Args:
        since: excludes Values with a lower tick: leaves, and Values recorded earlier.

    Raises:
        GraphError: if a part of the graph was released, or a leaf was modified in place after its use.
    """
    seen = dict.fromkeys(outputs)
    found, waiting = list(seen), list(seen)
    while waiting:
        node = waiting.pop()
        tick = node.tick
        for x in node.inputs:
            if isinstance(x, Node):
                if since <= x.tick < tick:  # below 0: no gradient; not below the node's: modified in place later
                    if x not in seen:
                        seen[x] = None
                        found.append(x)
                        waiting.append(x)
                elif x.tick >= tick or -x.tick > tick:
                    raise stale(node, x)
        if node.inputs is RELEASED:
            raise GraphError(
                f"backward: the inputs of {node.grad_fn} were released by an earlier backward(retain_graph=False); "
                "record the expression again, pass retain_graph=True there, or detach() what is carried from one step to the next"
            )
    found.sort(key=attrgetter("tick"))
    return found


def chain_rule(
    seeds: dict[Node, Any],
    order: list[Node],
    *,
    ends: Collection[Node] = (),
    create_graph: bool = False,
    release: bool = False,
) -> Iterator[tuple[Node, Any]]:
    """The Values in `order` that the outputs depend on, with the gradient of Σ sum(output * seed) with respect to each.

    Args:
        seeds: for each output, the gradient with respect to itself, of its shape and dtype.
        order: the Values to which gradient may flow, in topological order. Emptied, to release them.
        ends: the Values at which it stops.
        create_graph: gradients are recorded Values, which can be differentiated again.
        release: release each node's inputs as soon as they have their shares.
    """
    totals: dict[Node, Any] = dict.fromkeys(order) | seeds
    unrolled = {} if create_graph else UNROLLED
    while order:
        node = order.pop()
        g = totals.pop(node)
        if g is None:  # reached only through arguments without a rule, such as where's condition
            continue
        if type(g) is Parts:
            g = g.whole()
        if node.extra is not None and "hooks" in node.extra:
            before = next(recording.clock)
            g = _run_hooks(node, node.extra["hooks"], g)
            if recording.last_change > before:
                refuse_stale(node, *order)
        yield node, g
        op = node.grad_fn
        if op is None or (ends and node in ends):
            continue
        share_out_to_few = unrolled.get(op.way)
        if share_out_to_few is None or not share_out_to_few(node, op, g, totals, fit):
            share_out(node, op, g, totals, create_graph)
        if release:
            node.inputs = RELEASED


def share_out(node: Node, op: Op, g: Any, totals: dict[Node, Any], create_graph: bool = False) -> None:
    """Add to the total of each input of `node` its share of g. Never in place: two shares may be one object.

    `fit` (share.py) turns a rule's result into a gradient of the input's shape and dtype.
    """
    wanted = [i for i, x in enumerate(node.inputs) if isinstance(x, Node) and x in totals]
    if not wanted:
        return
    inputs, params, extra = node.inputs, {}, node.extra
    if extra is not None:
        params = extra.get("params", {})
        if "copies" in extra:
            copies = extra["copies"]
            inputs = tuple([copies.get(i, x) for i, x in enumerate(inputs)])
        if "snapshots" in extra:
            refuse_changed(extra["snapshots"], op, wanted)
    given = (g, node, *inputs) if create_graph else (g, node.raw, *map(raw_of, inputs))
    if op.slices and not is_finite(node.raw):
        given = harmless(op, given, params)
    every = None if op.shares is None else _every_share(op, op.shares, given, params)
    for i in wanted:
        if every is None:
            rule = op.rules[i]
            if rule is None:
                continue
            share = _ruled(op, rule.apply, given, params)
        elif every[i] is None:
            continue
        else:
            share = _ruled(op, every[i], (), {}) if callable(every[i]) else every[i]
        x = node.inputs[i]
        share, total = fit(share, g, x, op), totals[x]
        if total is None:
            totals[x] = share
        elif type(share) is Parts:  # in this order, as total may be a Value, whose + is an op
            totals[x] = share + total
        else:
            totals[x] = total + share


def _every_share(op: Op, rule: Rule, given: tuple[Any, ...], params: dict[str, Any]) -> list[Any]:
    """The shares of all inputs of an op with one rule; all arrays are distinct objects, since leaves keep them.

    Raises DefinitionError unless the rule returns a list or tuple of one share per input.
    """
    numbers = tuple([np.float64(x) if type(x) is float else x for x in given])  # as in _ruled
    every = _ruled(op, rule.apply, numbers, params)
    expected = len(given) - 2
    if not isinstance(every, (list, tuple)) or len(every) != expected:
        got = f"{len(every)} shares" if isinstance(every, (list, tuple)) else type(every).__name__
        error = DefinitionError(f"shares= returned {got}, expected a list of {expected}, one per array")
        error.operation = f"backward through {op.called or op.name}"
        raise error
    first = {id(share): i for i, share in reversed(list(enumerate(every)))}
    return [x.copy() if type(x) is np.ndarray and first[id(x)] != i else x for i, x in enumerate(every)]


def _ruled(op: Op, rule: Callable[..., Any], given: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The result of a rule; errors name the op. If Python's floats raise (1/0, log 0), NumPy's result."""
    try:
        try:
            return rule(*given, **params)
        except (ArithmeticError, ValueError, TypeError) as error:
            long = any(type(x) is int and x.bit_length() > 63 for x in given)  # an object to NumPy
            if not long and (isinstance(error, (TinygradError, TypeError)) or float not in map(type, given)):
                raise
            return rule(
                *[np.float64(x) if type(x) is float or (long and type(x) is int) else x for x in given], **params
            )
    except Exception as error:
        traced = a_term(given, params)
        if traced is not None and not any(isinstance(x, Node) for x in given):
            return traced.called(f"{op.name}'s rule", rule, given, params)
        if isinstance(error, TinygradError) or is_built_in(op):
            failure = refusal(op, given[2:], params, error, f"backward through {op.called or op.name}")
        else:
            error.add_note(f"in a gradient rule of {op.name}")
            raise
    raise failure


def _seed(output: Node, gradient: Any, create_graph: bool) -> Any:
    """The gradient with respect to the output itself: 1 if not given."""
    data, shape = output.raw, shape_of(output.raw)
    if gradient is None:
        if shape and prod(shape) != 1:
            raise ShapeError(
                f"backward: the output has shape {shape}, so pass gradient= an array of that shape, or reduce it with .sum()"
            )
        gradient = np.ones(shape, data.dtype) if shape else kind_of(data)(1)
    else:
        got = gradient.shape if isinstance(gradient, Node) else np.shape(gradient)  # type: ignore[attr-defined]
        if got != shape:
            raise ShapeError(
                f"backward: gradient= has shape {got}, but the output has shape {shape}; give one weight per number, or .sum() it"
            )
        gradient = ops.astype(gradient, float if type(data) is float else data.dtype)
    if create_graph:
        return gradient if isinstance(gradient, Node) else record(gradient)
    return raw_of(gradient)


def _run_hooks(node: Node, hooks: list[Callable[[Any], Any]], g: Any) -> Any:
    """The gradient after the node's hooks, each of which may replace it by another of the same shape."""
    for hook in list(hooks):
        replacement = hook(g)
        if replacement is not None:
            if isinstance(replacement, Node) and not isinstance(g, Node):
                replacement = replacement.raw
            if shape_of(replacement) != shape_of(g):
                got, expected = shape_of(replacement), shape_of(g)
                raise ShapeError(f"hook: returned a gradient of shape {got}, expected {expected}")
            g = ops.astype(replacement, float if type(node.raw) is float else node.raw.dtype)
    return g
