"""Recording a call: compute on plain data, and wrap the result in a Value that stores the op and its inputs.

`apply` does this. unrolled.py contains the same code, unrolled for one and two inputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import Any

from .data import PLAIN, recover, to_operand, to_result
from .node import NO_GRADIENT, Node
from .op import Op

result_type: type[Node] = Node  # value.py sets it to Value
_recording: ContextVar[bool] = ContextVar("recording", default=True)
is_recording = _recording.get  # whether operations on Values are recorded: False inside no_grad()
_transforming: ContextVar[bool] = ContextVar("transforming", default=False)
is_transforming = _transforming.get  # whether a transform is running its function
_new = object.__new__
NO_VALUE = NO_GRADIENT - 1  # the tick of plain operands, below that of any Value
clock = count(1)
_next_tick = clock.__next__


@contextmanager
def _set(mode: ContextVar[bool], to: bool) -> Iterator[None]:
    token = mode.set(to)
    try:
        yield
    finally:
        mode.reset(token)


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording, in this thread or async task: results are Values without inputs.

    Use it as `with no_grad():` or as a decorator of a function.
    """
    with _set(_recording, False):
        yield


@contextmanager
def enable_grad() -> Iterator[None]:
    """Enable recording inside no_grad(), in this thread or async task."""
    with _set(_recording, True):
        yield


@contextmanager
def transforming() -> Iterator[None]:
    """Record within a transform, where converting a Value to a plain number raises: it would silently become a constant."""
    with _set(_transforming, True), enable_grad():
        yield


def record(y: Any, op: Op | None = None, inputs: tuple[Any, ...] = (), required: bool = False) -> Node:
    """Wrap y, the result of op(*inputs), as a Value; without inputs unless a gradient is `required` and recording is on."""
    v = _new(result_type)
    v.raw = y
    v.grad = v.extra = None
    if required and is_recording():
        v.grad_fn = op
        v.inputs = inputs
        v.tick = _next_tick()
    else:
        v.grad_fn = None
        v.inputs = ()
        v.tick = NO_GRADIENT
    return v


def youngest(*inputs: Any) -> int:
    """The greatest tick of the inputs; NO_VALUE if none is a Value."""
    return max([x.tick for x in inputs if isinstance(x, Node)], default=NO_VALUE)


def apply(op: Op, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Compute op(*inputs, **params), and record it if one of the inputs is a Value.

    `to_operand` converts an operand to plain data; `to_result` converts a 0-d array to a float; `recover` returns NumPy's
    result if Python raises (1/0), or adds the operation's name to the error. All three are in data.py.
    """
    held, data, latest = [], [], NO_VALUE
    try:
        for x in inputs:
            if isinstance(x, Node):
                held.append(x)
                data.append(x.raw)
                if x.tick > latest:
                    latest = x.tick
            else:
                held.append(x if type(x) in PLAIN else to_operand(x))
                data.append(held[-1])
        y = op.forward(*data, **params)
        if type(y) is not float:
            y = to_result(op, y, data)
    except Exception as error:
        y = recover(op, inputs, params, error)
    if latest == NO_VALUE:
        return y
    v = record(y, op, tuple(held), latest > NO_GRADIENT and op.differentiable)
    if params and v.inputs:
        v.extra = {"params": params}
    return v
