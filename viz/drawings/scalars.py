"""Scalars: an expression on small arrays taken apart into one on single numbers, so that each entry has a node.

Each operation in the first way that fits:

1. an elementwise one is repeated for each entry of its result;
2. one that moves, adds and multiplies entries runs its own definition on arrays of `Number`, which records every + and ×:
   sums, products, linear layers, reshaping, indexing, joining;
3. any other, such as softmax, becomes one operation for each entry of its result, of all entries that this one depends on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_edu import GraphError, Value

from ..reading.gradients import is_recorded_since
from ..reading.names import entry
from ..reading.passing import passed_on
from ..reading.recorded import Recorded, listed
from ..text import data_of
from .entries import Number, TooManyError, computed
from .entrywise import by_entry

MOST_SCALARS = 500  # nodes; a PNG file holds no more
MOST_ARROWS = 2_000
_Owner = tuple[
    Value, tuple[int, ...]
]  # the Value that a number is an entry of, and which; of a number only moved the first


def has_arrays(record: Recorded) -> bool:
    """Whether there is anything to take apart."""
    return any(np.ndim(data_of(x)) for x in record.items)


def apart(record: Recorded, called: Mapping[int, str]) -> tuple[Recorded, dict[int, str]]:
    """The same expression on single numbers, with the gradients that arrays have, and what its Values are called.

    Args:
        record: of the expression, all numbers with nodes.
        called: names by identity.

    Raises:
        GraphError: if it would have more than 500 nodes, was released, or changed in place.
    """
    if record.changed or record.outdated:
        changed = sorted(filter(None, (called.get(id(record.items[i])) for i in record.changed)))
        raise GraphError(
            f"graph: detail='scalar' computes anew, and {', '.join(changed) or 'an operand'} changed in place; record it again"
        )
    made: list[Value] = []
    arrays: list[Any] = []  # for each item its entries
    names: dict[int, str] = {}
    owners: dict[int, _Owner] = {}
    latest = abs(record.items[-1].tick)
    for i, x in enumerate(record.items):
        _check(x, called, np.size(data_of(x)))
        try:
            entries = (
                _result(x, [arrays[k] for k in record.inputs[i]], made)
                if record.inputs[i]
                else _leaves(x, made, latest)
            )
        except TooManyError as error:
            _check(x, called, len(made), *error.args)
        arrays.append(entries)
        for at in np.ndindex(entries.shape):
            value = entries[at].value
            if isinstance(value, Value):
                if name := called.get(id(x)):
                    names.setdefault(id(value), entry(name, at, entries.shape))
                if isinstance(x, Value):
                    owners.setdefault(id(value), (x, at))
        _check(x, called, len(made), sum(len(v.inputs) for v in made))
    outputs = [(record.items[i], [_recorded(x, made) for x in arrays[i].flat]) for i in sorted(record.outputs)]
    entries = [x for _, entries in outputs for x in entries]
    needed = _reaching(entries)
    apart = listed([v for v in made if id(v) in needed and v.inputs], False, entries)
    _share_out(apart, owners, outputs)
    return apart, names


def _check(x: Any, called: Mapping[int, str], numbers: int, arrows: int = 0) -> None:
    """Raises GraphError, in the name of the item x that was met last, if there are too many."""
    if numbers <= MOST_SCALARS and arrows <= MOST_ARROWS:
        return
    op = x.grad_fn if isinstance(x, Value) else None
    got = f"{numbers:,} numbers" if numbers > MOST_SCALARS else f"{arrows:,} arrows"
    what = f"{op.name if op else called.get(id(x), 'an operand')} of shape {np.shape(data_of(x))}"
    raise GraphError(
        f"graph: detail='scalar' draws at most {MOST_SCALARS} numbers and {MOST_ARROWS:,} arrows, got {got} up to {what}; "
        "pass fewer examples, draw a smaller part, or use detail='tensor'"
    )


def _leaves(x: Any, made: list[Value], latest: int) -> Any:
    """The entries of a leaf or constant: Values of floats, which have nodes of their own; plain numbers as they are.

    Args:
        latest: the tick of the output.
    """
    if isinstance(x, Value) and x.grad_fn is not None:
        raise GraphError("graph: a part of the graph was released by backward(retain_graph=False); record it again")
    data, grad = np.asarray(data_of(x)), data_of(x.grad) if isinstance(x, Value) else None
    stays = not isinstance(x, Value) and (data.ndim == 0 or data.dtype.kind != "f")
    entries = np.empty(data.shape, object)
    for at in np.ndindex(data.shape):
        if stays:
            entries[at] = Number(x if data.ndim == 0 else data[at], made)
            continue
        value = Value(data[at], requires_grad=isinstance(x, Value) and x.requires_grad)
        if grad is not None:
            value.grad = np.asarray(grad)[at]
            if is_recorded_since(x, latest):
                value.grad = Value(value.grad, requires_grad=False)
        made.append(value)
        entries[at] = Number(value, made)
    return entries


def _result(value: Value, operands: list[Any], made: list[Value]) -> Any:
    """The entries of the result of an operation, as objects in its shape."""
    op, params = value.grad_fn, value.params
    assert op is not None
    if op.elementwise:
        stretched: Any = np.broadcast_arrays(*operands)
        entries = np.empty(value.shape, object)
        for at in np.ndindex(value.shape):
            entries[at] = computed(op, params, [x[at] for x in stretched])
        return entries
    start = len(made)
    try:
        entries = _boxed(op.forward(*operands, **params), made)
        if entries.shape == value.shape and _are_close([x.data for x in entries.flat], value):
            return entries
    except TooManyError:
        raise
    except Exception:  # of any kind: it does more than move, add and multiply
        pass
    del made[start:]
    return by_entry(value, operands, MOST_ARROWS)


def _are_close(numbers: list[Any], value: Value) -> bool:
    """Whether they are the numbers of a Value, up to rounding in another order."""
    data = [np.ravel(data_of(x)).astype(float) for x in (value, *value.inputs)]
    every = np.concatenate(data)
    tolerance = np.sqrt(np.finfo(value.dtype).eps if value.dtype.kind == "f" else 0)
    largest = np.max(np.abs(every[np.isfinite(every)]), initial=0)
    return np.allclose(np.array(numbers, float), data[0], rtol=tolerance, atol=tolerance * largest, equal_nan=True)


def _boxed(y: Any, made: list[Value]) -> Any:
    """What a definition returned, with each entry a `Number`: numbers that it fills in itself, such as 0, are plain."""
    entries = np.empty(np.shape(y) if isinstance(y, np.ndarray) else (), object)
    for at in np.ndindex(entries.shape):
        x = y[at] if isinstance(y, np.ndarray) else y
        entries[at] = x if isinstance(x, Number) else Number(x, made)
    return entries


def _recorded(x: Number, made: list[Value]) -> Value:
    """An entry of the output as a Value, which it may not be if it does not depend on any."""
    if not isinstance(x.value, Value):
        made.append(Value(x.value, requires_grad=False))
        x.value = made[-1]
    return x.value


def _reaching(outputs: Sequence[Value]) -> set[int]:
    """The Values that outputs were computed from, by id, themselves among them."""
    seen, waiting = set(), list(outputs)
    while waiting:
        value = waiting.pop()
        if id(value) not in seen:
            seen.add(id(value))
            waiting += [x for x in value.inputs if isinstance(x, Value)]
    return seen


def _share_out(record: Recorded, owners: Mapping[int, _Owner], outputs: Sequence[tuple[Value, list[Value]]]) -> None:
    """Give results their gradients: those that are stored, and inside an operation those that a backward pass gives.

    Args:
        record: of the numbers; leaves have their gradients.
        owners: of the numbers, by id.
        outputs: what was recorded, each with its entries.
    """
    totals: dict[int, Any] = {}
    for output, entries in outputs:
        for value, seed in zip(entries, [] if output.grad is None else np.ravel(data_of(output.grad)), strict=False):
            totals[id(value)] = totals.get(id(value), 0.0) + seed
    for value in reversed(record.items):
        if not isinstance(value, Value):
            continue
        owner, at = owners.get(id(value), (None, ()))
        if owner is not None and owner.extra and "hooks" in owner.extra:  # they may have changed the gradient
            value.extra = {**(value.extra or {}), "hooks": owner.extra["hooks"]}
        if value.inputs and value.requires_grad:
            stored = owner.grad if owner is not None else None
            g = totals.get(id(value)) if stored is None else np.asarray(data_of(stored))[at]
            if g is not None:
                value.grad = g
                for x, share in zip(value.inputs, passed_on(value, g), strict=True):
                    if share is not None:
                        totals[id(x)] = totals.get(id(x), 0.0) + share
