"""Linearization: running a function on fresh Values in place of some of its arguments, so that it can be differentiated.

The fresh Values make transforms compose. An argument that is already a Value is replaced by a fresh node that points back to
it. So contributions that reach the same Value by another route are excluded from the gradient for this argument, and that
gradient is itself recorded, for the transform around this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from . import ops, recording
from .binding import check_function
from .data import dtype_of, raw_of, refuse_foreign, shape_of
from .errors import DTypeError, ShapeError, UnsupportedError
from .graph import ancestors, chain_rule
from .modes import is_recording, transforming
from .node import NO_GRADIENT, Node
from .recording import clock, record
from .staleness import refuse_stale
from .term import Term
from .tree import leaves, rebuild
from .value import Value

Argnums: TypeAlias = int | str | Sequence[int | str]


class Linearization:
    """One recorded run of f.

    Args:
        name: the transform, for messages.
        f: function of any arguments, which returns a tree of results.
        args, kwargs: the arguments of the call.
        argnums: the arguments to differentiate with respect to: positions, or names of keyword arguments.
        has_aux: f returns (results, auxiliary data).

    Attributes:
        output: the tree of results; those that depend on the arguments are Values.
        aux: the auxiliary data; None without has_aux.
        given: the leaves of the chosen arguments, each with its path.
        inputs: the fresh Values that replace them.
        order: the recorded Values between inputs and output, in topological order.
        since: the time of the run.
        recorded: whether results are Values that can be differentiated again, since f used a Value from outside.

    Raises:
        DTypeError: for an argument that has no gradient: integers, booleans, text.
        UnsupportedError: if `argnums` names a missing argument.
    """

    def __init__(
        self,
        name: str,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: Argnums,
        has_aux: bool = False,
    ) -> None:
        check_function(name, f)
        self.name, self.argnums = name, argnums
        self.chosen = _chosen(name, args, kwargs, argnums)
        self.given = [leaf for key, tree in self.chosen.items() for leaf in leaves(tree, repr(key))]
        inside = bool(is_recording())
        self.since = since = next(clock)
        with transforming():
            self.inputs = [_stand_in(name, path, x) for path, x in self.given]
            replaced = rebuild(self.chosen, iter(self.inputs))
            args = tuple([replaced.get(i, x) for i, x in enumerate(args)])
            kwargs = kwargs | {key: x for key, x in replaced.items() if isinstance(key, str)}
            try:
                self.output = f(*args, **kwargs)
            except ValueError as error:
                if isinstance(error.__cause__, UnsupportedError):  # NumPy's, of array[i] = v: says "a sequence"
                    raise error.__cause__.with_traceback(error.__traceback__) from None  # the user's line
                raise
        self.aux = None
        if has_aux:
            self.output, self.aux = _with_aux(name, self.output)
        self.order, outside = between(self.inputs, self.output, since)
        self.recorded = inside and (bool(outside) or any(x.grad_fn is not None for x in self.inputs))

    def pull(self, seeds: Iterable[tuple[Node, Any]], recorded: bool, release: bool = False) -> list[Any]:
        """The gradient of Σ sum(output * seed) for each input; None if no output depends on it.

        Args:
            seeds: outputs, each with its seed, of its shape and dtype.
            recorded: gradients are Values that can be differentiated again.
            release: release the graph.
        """
        order = list(self.order)
        if recording.last_change > self.since:
            refuse_stale(*[y for _, y in leaves(self.output) if active(y)])
        if release:
            self.order = []
        return pull(self.inputs, order, seeds, recorded, release and not recorded)

    def records(self, weights: Iterable[Any] = ()) -> bool:
        """Whether a result with these weights is a Value that can be differentiated again."""
        return (self.recorded or any(map(active, weights))) and bool(is_recording())

    def result(self, x: Any, recorded: bool, copy: bool = False) -> Any:
        """A result for the caller: a Value if recorded, or if an argument was; else plain, a copy if the graph may share it."""
        if recorded:
            return x if isinstance(x, Node) else record(x)
        plain = raw_of(x)
        if type(plain) is np.ndarray and (copy or plain.base is not None):
            plain = plain.copy()
        return record(plain) if any(isinstance(given, Node) for _, given in self.given) else plain

    def results(self, tree: Any) -> Any:
        """A tree of f's results for the caller: Values as in `result`, anything else unchanged."""
        found = [self.result(x, self.recorded, copy=True) if isinstance(x, Node) else x for _, x in leaves(tree)]
        return rebuild(tree, iter(found))

    def like_arguments(self, gradients: Iterable[Any], recorded: bool) -> Any:
        """Gradients in the structure of the chosen arguments, 0 for None; a tuple if argnums is one."""
        filled = [ops.zeros_like(x) if g is None else g for x, g in zip(self.inputs, gradients, strict=True)]
        tree = rebuild(self.chosen, iter([self.result(g, recorded) for g in filled]))
        return tuple(tree.values()) if isinstance(self.argnums, (tuple, list)) else tree[next(iter(tree))]

    def unreached(self, gradients: list[Any]) -> Iterator[int | str]:
        """The chosen arguments on which the output does not depend."""
        found = iter(gradients)
        for key, tree in self.chosen.items():
            own = [next(found) for _ in leaves(tree)]
            if own and all(g is None for g in own):
                yield key


def active(x: Any) -> bool:
    """Whether gradient flows to x: a Value that is not a constant."""
    return isinstance(x, Node) and x.tick > NO_GRADIENT


def between(inputs: list[Node], output: Any, since: int) -> tuple[list[Node], list[Node]]:
    """The Values between the inputs and a tree of outputs, in topological order; and the outer Values that f used.

    Args:
        since: the clock before the run: older Values are outer ones, except the inputs.
    """
    ends = [v for _, v in leaves(output) if active(v)]
    wanted = set(inputs)
    reached = set(inputs)
    order = sorted((x for x in inputs if x.tick < since), key=attrgetter("tick"))  # the traversal stops before these
    outside = dict.fromkeys(v for v in ends if v.tick < since and v not in wanted)
    for node in ancestors(*ends, since=since):
        if node in wanted:
            order += [node] * (node.tick >= since)
            continue
        sources = list(filter(active, node.inputs))
        outside |= dict.fromkeys(x for x in sources if x.tick < since and x not in wanted)
        if any(x in reached for x in sources):
            reached.add(node)
            order.append(node)
    return order, list(outside)


@np.errstate(all="ignore")
def pull(
    inputs: list[Node], order: list[Node], seeds: Iterable[tuple[Node, Any]], recorded: bool, release: bool
) -> list[Any]:
    """The gradient of Σ sum(output * seed) for each input, along `order`, which is emptied; None if none arrives."""
    on_the_way = set(order)
    totals: dict[Node, Any] = {}
    for node, seed in seeds:
        if node in on_the_way:
            seed = record(seed) if recorded and not isinstance(seed, Node) else seed
            totals[node] = seed if node not in totals else totals[node] + seed
    del on_the_way  # so that the traversal can release them
    wanted = set(inputs)
    walk = chain_rule(totals, order=order, ends=wanted, create_graph=recorded, release=release)
    found = {node: g for node, g in walk if node in wanted}
    for node, g in found.items():
        if isinstance(node.raw, Term):
            node.raw.note_gradient(raw_of(g))
    return [found.get(x) for x in inputs]


def matched(name: str, what: str, given: Any, expected: Any) -> list[tuple[Any, Any]]:
    """The leaves of `expected`, each with the corresponding leaf of `given`, in its shape and dtype.

    Raises:
        ShapeError: if the structures or the shapes differ.
        DTypeError: for leaves that are not numbers.
    """
    found, wanted = dict(leaves(given)), dict(leaves(expected))
    if found.keys() != wanted.keys():
        raise ShapeError(
            f"{name}: the {what} have leaves at {_listed(found)}, expected {_listed(wanted)}; "
            "give them the same tuples, lists and dictionaries"
        )
    pairs = []
    for path, target in wanted.items():
        x, shape = found[path], shape_of(raw_of(target))
        got = np.shape(raw_of(x))
        if got != shape:
            raise ShapeError(f"{name}: the {what} at {path or 'the top'} have shape {got}, expected {shape}")
        kind = dtype_of(raw_of(target))
        pairs.append((target, ops.astype(x, kind if kind.kind == "f" and shape else float)))
    return pairs


def _listed(paths: Iterable[str]) -> str:
    return ", ".join(path or "the top" for path in paths) or "no place"


def _chosen(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Argnums) -> dict[int | str, Any]:
    """The arguments to differentiate with respect to, by position or name."""
    chosen: dict[int | str, Any] = {}
    keys = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    for key in keys:
        if isinstance(key, str) and key in kwargs:
            chosen[key] = kwargs[key]
        elif isinstance(key, int) and -len(args) <= key < len(args):
            chosen[key % len(args)] = args[key]
        else:
            named = "".join(f", {keyword}=" for keyword in kwargs)
            called = f"f was called with {len(args)} arguments{named}"
            raise UnsupportedError(
                f"{name}: argnums={argnums!r}, expected a position, a keyword, or a tuple of these; {called}"
            )
    if len(chosen) < len(keys):
        raise UnsupportedError(f"{name}: argnums={argnums!r} names an argument twice")
    return chosen


def _stand_in(name: str, path: str, x: Any) -> Node:
    """The fresh Value that replaces x in a run."""
    if active(x):
        return twin(x)
    data = raw_of(x)
    try:
        refuse_foreign(data)
    except DTypeError as error:
        error.operation = f"{name}: argument {path}"
        raise
    dtype = dtype_of(data)
    if dtype.kind != "f" and type(data) is not int:
        remedy = "cast it with .astype(float), or leave it out of argnums"
        raise DTypeError(f"{name}: argument {path} is {dtype}, which has no gradient; {remedy}")
    return Value(data)


def twin(x: Node) -> Node:
    """A fresh recorded Value with the data of x, whose gradient flows on to x."""
    return record(x.raw, ops.positive.op, (x,), True)


def _with_aux(name: str, returned: Any) -> tuple[Any, Any]:
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise UnsupportedError(f"{name}: has_aux=True, so f must return (result, aux); it returned {type(returned)}")
    return returned
