"""Recording a call: compute on plain data, and wrap the result in a Value that stores the op and its inputs.

`apply` does this. unrolled.py contains the same code, unrolled for one and two inputs.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from .data import PLAIN, recover, to_operand, to_result
from .modes import is_recording
from .node import NO_GRADIENT, Node
from .op import Op
from .snapshots import ATOMS, keep

result_type: type[Node] = Node  # value.py sets it to Value
_new = object.__new__
NO_VALUE = -(2**63)  # the tick of plain operands, below that of any Value
clock = count(1)
_next_tick = clock.__next__
last_change = 0  # the time at which a leaf was last modified in place


def record(y: Any, op: Op | None = None, inputs: tuple[Any, ...] = (), required: bool = False) -> Node:
    """Wrap y, the result of op(*inputs), as a Value; without inputs unless a gradient is `required` and recording is on."""
    v = _new(result_type)
    v.raw = y
    v.raw_grad = v.extra = None
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
    result if Python raises (1/0), or adds the operation's name to the error. All three are in data.py. `keep` copies or samples
    the arrays that the caller may change.
    """
    held, data, latest, constant = [], [], NO_VALUE, False
    try:
        for x in inputs:
            if isinstance(x, Node):
                held.append(x)
                data.append(x.raw)
                if x.tick > latest:
                    latest = x.tick
                if x.tick < 0:
                    constant = True
            else:
                if type(x) not in PLAIN:
                    constant, x = True, to_operand(x)
                held.append(x)
                data.append(x)
        y = op.forward(*data, **params)
        if type(y) is not float:
            y = to_result(op, y, data)
    except Exception as error:
        y = recover(op, inputs, params, error)
    if latest == NO_VALUE:
        return y
    v = record(y, op, tuple(held), latest > NO_GRADIENT and op.differentiable)
    if v.inputs:
        if params:
            v.extra = {"params": params}
            for x in params.values():
                if type(x) not in ATOMS:
                    constant = True
        if constant:
            return keep(v)
    return v
