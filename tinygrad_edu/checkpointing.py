"""Checkpointing: recomputing the intermediate results of a function during backward instead of storing them.

A chain of n checkpointed functions stores n results instead of all intermediate results, at the cost of one more forward
pass. Source: Griewank & Walther, Evaluating Derivatives, chapter 12.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from . import ops
from .binding import check_function
from .data import raw_of
from .domain import REAL
from .errors import GraphError
from .linearization import active, between, pull, twin
from .modes import enable_grad, is_recording
from .node import Node
from .op import Op, Rule
from .ops.numbers.arithmetic import positive
from .randomness import States, note, noting, repeating
from .recording import clock, record
from .tree import leaves, rebuild
from .value import Value


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """f with the same results and gradients, storing only its arguments for backward, which runs f again.

    Args:
        f: function of any arguments that returns a tree of Values. It may use outer Values, such as a layer's weights, which
            receive gradients too. It must be repeatable: it may draw other random numbers only from a generator that it seeds.

    Returns:
        function of the same arguments, which it copies: arrays may be reused afterwards. Dropout, and generators among the
        arguments, draw the same numbers again. Backward raises GraphError if f returns other results the second time.

    >>> x = Value(2.0)
    >>> y = checkpoint(lambda x: (x * x) ** 2)(x)
    >>> y.backward()
    >>> x.grad
    32.0
    """

    check_function("checkpoint", f)

    @wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not is_recording():
            return f(*args, **kwargs)
        held = [_copied(x) for _, x in leaves((args, kwargs))]
        arguments = rebuild((args, kwargs), iter(held))
        given = [x for x in held if active(x)]

        def run(values: list[Node]) -> Any:
            """f's results with these Values in place of the given ones."""
            standing = iter(values)
            args, kwargs = rebuild(arguments, iter([next(standing) if active(x) else x for x in held]))
            return f(*args, **kwargs)

        since = next(clock)
        twins = [twin(x) for x in given]
        with noting() as states:
            for x in held:
                if isinstance(x, np.random.Generator):
                    note(x)
            output = run(twins)
        _, outside = between(twins, output, since)
        results = [y for _, y in leaves(output)]
        kept = list(filter(active, results))
        if not kept:
            return output
        data = [x.raw.copy() if x.grad_fn is None and isinstance(x.raw, np.ndarray) else x.raw for x in given]
        op = _recomputing(run, data, outside, states)
        packed = record(_pack(kept), op, tuple(given) + tuple(outside), True)
        unpacked = iter(_unpack(packed, kept))
        return rebuild(output, iter([next(unpacked) if active(y) else y for y in results]))

    return checkpointed


def _copied(x: Any) -> Any:
    """An argument that is unaffected when the caller's array changes. A Value to which gradient flows is unchanged."""
    if isinstance(x, Node) and not active(x):
        return Value(x.raw, requires_grad=False)
    return x.copy() if isinstance(x, np.ndarray) else x


def _recomputing(run: Callable[[list[Node]], Any], data: list[Any], outside: list[Node], states: States) -> Op:
    """The op that records one call as a single node: its inputs are the given and the outer Values.

    Args:
        data: the data of the given Values at the time of the call.
        states: of the generators that the call drew from.
    """

    def shares(g: Any, y: Any, *inputs: Any) -> list[Any]:
        recorded = isinstance(g, Node)
        since = next(clock)
        with enable_grad(), repeating(states):
            stands = [_standing(x, numbers) for x, numbers in zip(inputs, data, strict=False)]
            output = run(stands)
        kept = [v for _, v in leaves(output) if active(v)]
        if not np.array_equal(_pack(kept), raw_of(y), equal_nan=True):
            raise GraphError(
                "f returned other results when backward ran it again; seed its random numbers inside f, "
                "and do not let it modify the data that it uses"
            )
        order = between(stands + outside, output, since)[0]
        seeds = zip(kept, _unpack(g, kept), strict=True)
        return pull(stands + outside, order, seeds, recorded, release=not recorded)

    def forward(*inputs: Any) -> Any:
        """A function's results; backward recomputes its intermediate results."""
        return _pack([v for _, v in leaves(run(list(inputs[: len(data)])))])

    return Op(
        name="checkpoint",
        forward=forward,
        rules=(),
        shares=Rule(shares, says="gᵀJ, with f run again"),
        symbol="⟲",
        domain=(REAL,),
        samples=lambda _: (),
        analytic=False,
        numpy=None,
    )


def _standing(x: Any, numbers: Any) -> Node:
    """A fresh Value with these numbers, whose gradient flows on to x, if that is a Value."""
    return record(numbers, positive.op, (x,), True) if isinstance(x, Node) else Value(numbers, copy=False)


def _pack(results: list[Any]) -> Any:
    """The data of several results, flattened and joined; that of a single result unchanged."""
    data = [raw_of(y) for y in results]
    return data[0] if len(data) == 1 else np.concatenate([np.ravel(y) for y in data])


def _unpack(packed: Any, results: list[Any]) -> list[Any]:
    """The parts of packed data, with the shapes and dtypes of the results."""
    if len(results) == 1:
        return [packed]
    parts, start = [], 0
    for y in results:
        part = ops.reshape(packed[start : start + y.size], y.shape) if y.shape else packed[start]
        parts.append(ops.astype(part, y.dtype))
        start += y.size
    return parts
