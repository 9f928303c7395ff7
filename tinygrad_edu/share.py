"""A share: what a rule returns for one input, made an honest gradient. What the engine does here, no rule has to."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray, vdot

from . import ops
from .data import raw_of, shape_of
from .errors import DefinitionError, DTypeError, ShapeError, TinygradError
from .node import Node
from .op import Op
from .ops.arrays.indexing import Parts

_SHARES: Any = (Node, ndarray, float, int, np.generic)  # what a rule may return


def fit(share: Any, g: Any, x: Node, op: Op) -> Any:
    """A rule's raw answer as the gradient of x: the zero rule kept, of x's shape and dtype, and a leaf's own memory."""
    data = x.raw
    if op.elementwise and share is not g and share is not None:
        plain = raw_of(share)
        square = vdot(plain, plain)  # one pass, no temporary, and infinities alone do not make it NaN
        if square != square:
            share = _zero_rule(share, g)
    if type(share) is not ndarray or type(data) is not ndarray:
        return _conform(share, data, op)
    if share.shape != data.shape or share.dtype != data.dtype:
        share = _conform(share, data, op)
    if x.grad_fn is None and (share is g or (share.base is not None and getrefcount(share.base) > 2)):
        share = share.copy()  # g is others' too, and so is a view's memory if more than the view and this call hold it
    return share


def _zero_rule(share: Any, g: Any) -> Any:
    """Where g is exactly 0 and the rule yields NaN (0 * inf), the share is 0: a branch not taken leaks nothing."""
    leaks = np.isnan(raw_of(share)) & (raw_of(g) == 0)
    return ops.where(leaks, 0.0, share) if np.any(leaks) else share


def _conform(share: Any, data: Any, op: Op) -> Any:
    """`share` summed over the axes along which `data` was stretched, or stretched itself to it; in the dtype of `data`.

    Of shape (4, 3) for an input of (3,): axis 0 is summed; for one of (4, 1): axis 1 is, and stays with size 1.
    """
    if type(share) is Parts:
        return share
    if not isinstance(share, _SHARES):
        remedy = "write return" if share is None else "return a number or an array"
        raise _wrong(
            op, DefinitionError(f"a rule returned {'None' if share is None else type(share).__name__}; {remedy}")
        )
    got, shape = shape_of(share), shape_of(data)
    if not got and type(data) is np.ndarray and data.dtype.kind == "f" and not isinstance(share, Node):
        full = np.empty(shape, data.dtype)
        full.fill(share)  # a third of np.full's time on small arrays
        return full
    if got != shape:
        lead = len(got) - len(shape)
        axes = tuple([i for i, n in enumerate(got) if i < lead or shape[i - lead] == 1 != n])
        try:
            if axes:
                inner = axes[-1] >= lead
                share = share.sum(axis=axes, keepdims=inner)
                share = ops.reshape(share, shape_of(share)[lead:]) if inner and lead > 0 else share
            share = share if shape_of(share) == shape else ops.broadcast_to(share, shape)
        except ValueError:
            expected = f"expected the input's {shape} or one that broadcasts with it"
            raise _wrong(op, ShapeError(f"a rule returned a gradient of shape {got}, {expected}")) from None
    plain = raw_of(share)
    if type(plain) is not type(data) or (shape and plain.dtype != data.dtype):
        dtype = np.asarray(data).dtype
        if dtype.kind != "f":
            raise DTypeError(f"backward: a leaf holds {dtype} now, which has no gradient; assign floats to its data")
        share = ops.astype(share, float if type(data) is float else dtype)
    return share


def _wrong(op: Op, error: TinygradError) -> TinygradError:
    """What is wrong with a rule, named after its op."""
    error.operation = f"backward through {op.called or op.name}"
    return error
