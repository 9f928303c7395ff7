"""Shares: converting a rule's result for one input to a gradient of the input's shape and dtype, once for all rules."""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np
from numpy import ndarray, vdot

from . import ops
from .data import dtype_of, kind_of, raw_of, shape_of
from .errors import DefinitionError, DTypeError, ShapeError, TinygradError
from .half import HALF, SINGLE
from .node import Node
from .op import Op
from .ops.arrays.indexing import Parts
from .term import Term

_total: Any = np.add.reduce  # np.sum without its overhead


def fit(share: Any, g: Any, x: Node, op: Op) -> Any:
    """A rule's result as the gradient of x: with the zero rule applied, in x's shape and dtype, in own memory for a leaf."""
    data = x.raw
    if op.elementwise and share is not g and share is not None:
        plain = raw_of(share)
        if type(plain) is not ndarray and isinstance(plain, Term):
            plain.note_share(raw_of(g))
        else:
            square = vdot(plain, plain)  # one pass, no temporary; NaN if there is a NaN, not for infinities alone
            if square != square:
                share = _zero_rule(share, g)
    if type(share) is not ndarray or type(data) is not ndarray:
        return conform(share, data, op)
    if share.shape != data.shape or share.dtype != data.dtype:
        share = conform(share, data, op)
    if x.grad_fn is None and (share is g or (share.base is not None and getrefcount(share.base) > 2)):
        share = share.copy()  # g is shared, and so is a view's memory if anything else refers to it
    return share


def _zero_rule(share: Any, g: Any) -> Any:
    """The share with 0 where g is exactly 0 and the rule gives NaN (0 * inf): a branch not taken leaks no NaN."""
    leaks = np.isnan(raw_of(share)) & (raw_of(g) == 0)
    return ops.where(leaks, 0.0, share) if np.any(leaks) else share


def conform(share: Any, data: Any, op: Op) -> Any:
    """`share` summed over the axes along which `data` was broadcast, or broadcast to `data`; in the dtype of `data`.

    For a share of shape (4, 3), axis 0 is summed if the input is (3,); axis 1 is summed and kept with size 1 if it is (4, 1).
    """
    if type(share) is Parts or kind_of(share) is float is kind_of(data):
        return share
    if share is None or type(share) is list:
        remedy = "write return" if share is None else "return a number or an array"
        raise _wrong(
            op, DefinitionError(f"a rule returned {'None' if share is None else type(share).__name__}; {remedy}")
        )
    got, shape = shape_of(share), shape_of(data)
    if not got and type(data) is np.ndarray and data.dtype.kind == "f" and not isinstance(share, Node):
        full = np.empty(shape, data.dtype)
        full.fill(share)  # three times faster than np.full on small arrays
        return full
    if got != shape:
        lead = len(got) - len(shape)
        axes = tuple([i for i, n in enumerate(got) if i < lead or shape[i - lead] == 1 != n])
        try:
            if axes:
                inner = axes[-1] >= lead
                share = _summed(share, axes, inner)
                share = ops.reshape(share, shape_of(share)[lead:]) if inner and lead > 0 else share
            share = share if shape_of(share) == shape else ops.broadcast_to(share, shape)
        except ValueError:
            expected = f"expected the input's {shape} or one that broadcasts with it"
            raise _wrong(op, ShapeError(f"a rule returned a gradient of shape {got}, {expected}")) from None
    plain = raw_of(share)
    if kind_of(plain) is not kind_of(data) or (shape and plain.dtype != data.dtype):
        dtype = dtype_of(data)
        if dtype.kind != "f":
            raise DTypeError(f"backward: a leaf holds {dtype} now, which has no gradient; assign floats to its data")
        share = ops.astype(share, float if kind_of(data) is float else dtype)
    return share


def _summed(share: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if isinstance(share, Node):
        return ops.sum(share, axis=axes, keepdims=keepdims)
    return _total(share, axis=axes, keepdims=keepdims, dtype=SINGLE if share.dtype == HALF else None)


def _wrong(op: Op, error: TinygradError) -> TinygradError:
    """The error of a rule, with the name of its op."""
    error.operation = f"backward through {op.called or op.name}"
    return error
