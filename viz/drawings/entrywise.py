"""Entrywise: an operation that does more than add and multiply as one operation for each entry of its result."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from tinygrad_edu import Op, Rule, Value

from ..reading.names import entry
from ..reading.passing import passed_on
from ..text import data_of
from .entries import Number, TooManyError, computed


def by_entry(value: Value, operands: list[Any], most: int) -> Any:
    """One operation for each entry of the result, of the entries of operands that it depends on.

    Args:
        value: the result.
        operands: their entries, as arrays of objects.
        most: how many entries of operands may be used in all.

    Raises TooManyError.
    """
    every = [x for operand in operands for x in operand.flat]
    touched = _dependence(value)
    if touched.sum() > most:
        raise TooManyError(int(touched.sum()))
    results = np.empty(value.shape, object)
    for number, at in enumerate(np.ndindex(value.shape)):
        places = np.flatnonzero(touched[:, number])
        chosen = [every[k] for k in places]
        if not chosen:
            results[at] = Number(np.asarray(value.data)[at], every[0].made)
            continue
        op = _entry_op(value, at, places)
        results[at] = computed(op, value.params, chosen, np.asarray(value.data)[at])
    return results


def _entry_op(value: Value, at: tuple[int, ...], places: Any) -> Op:
    """The operation that computes one entry of a result, of the operands' entries at some places.

    Its local derivatives are those of the whole operation, for these numbers.
    """
    op, y, g = value.grad_fn, np.asarray(value.data)[at], np.zeros(value.shape, value.dtype)
    assert op is not None
    g[at] = 1
    given = passed_on(value, g if value.shape else 1.0) if value.requires_grad else [None] * len(value.inputs)
    slopes: list[Any] = []
    for x, share in zip(value.inputs, given, strict=True):
        slopes += [None] * np.size(data_of(x)) if share is None else list(np.ravel(share))
    known = [slopes[k] for k in places]

    def forward(*_numbers: Any) -> Any:
        """An entry of the result of an operation on arrays."""
        return y

    def shares(g: Any, _y: Any, *_numbers: Any, **_params: Any) -> list[Any]:
        return [None if slope is None else g * slope for slope in known]

    symbol = op.symbol + entry("y", at, value.shape)[1:]
    return Op(op.name, forward, (), Rule(shares), symbol, (), None, False, None)


def _dependence(value: Value) -> Any:
    """Which entries of operands, in rows, each entry of the result depends on: it turns NaN or another number as they do."""
    op, data = value.grad_fn, [np.array(data_of(x)) for x in value.inputs]
    assert op is not None
    touched = np.ones((sum(x.size for x in data), value.size), bool)
    places = [(k, at) for k, x in enumerate(data) for at in product(*map(range, x.shape))]
    for row, (k, at) in enumerate(places):
        if data[k].dtype.kind != "f":
            continue
        touched[row] = False
        for other in (np.nan, data[k][at] + 1):
            changed = [x.copy() for x in data]
            changed[k][at] = other
            try:
                with np.errstate(all="ignore"):
                    touched[row] |= np.ravel(op.forward(*changed, **value.params) != value.data)
            except Exception:  # it refuses such a number: any entry may depend on it
                touched[row] = True
    return touched
