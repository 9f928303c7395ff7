"""Scalars: an expression on small arrays taken apart into one on single numbers, so that each entry has a node.

Each operation in the first way that fits:

1. an elementwise one is repeated for each entry of its result;
2. one that moves, adds and multiplies entries runs its own definition on arrays of `_Number`, which records every + and ×:
   sums, products, linear layers, reshaping, indexing, joining;
3. any other, such as softmax, becomes one operation for each entry of its result, of all entries that this one depends on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from tinygrad_edu import GraphError, Op, Rule, Value, add, divide, multiply, negative, subtract

from .names import entry
from .passing import passed_on
from .recorded import Recorded, listed
from .text import data_of

MOST_SCALARS = 500  # nodes; a PNG file holds no more
MOST_ARROWS = 2_000
_HOPELESS = 20 * MOST_SCALARS


class _TooManyError(Exception):
    """A definition adds and multiplies more numbers than could be drawn."""


class _Number:
    """An entry of an array: a Value or a plain number. It can only be moved, added and multiplied.

    Anything else that a definition tries, such as a comparison, is a TypeError: it is then not made of those.
    """

    __slots__ = ("made", "value")

    def __init__(self, value: Any, made: list[Value]) -> None:
        self.value, self.made = value, made

    @property
    def data(self) -> Any:
        return data_of(self.value)

    def __add__(self, other: Any) -> _Number:
        return self if _is_zero(other) else self._with(add.op, self, other)

    def __radd__(self, other: Any) -> _Number:
        return self if _is_zero(other) else self._with(add.op, other, self)

    def __sub__(self, other: Any) -> _Number:
        return self._with(subtract.op, self, other)

    def __rsub__(self, other: Any) -> _Number:
        return self._with(subtract.op, other, self)

    def __mul__(self, other: Any) -> _Number:
        return self._with(multiply.op, self, other)

    def __rmul__(self, other: Any) -> _Number:
        return self._with(multiply.op, other, self)

    def __truediv__(self, other: Any) -> _Number:
        return self._with(divide.op, self, other)

    def __neg__(self) -> _Number:
        return self._with(negative.op, self)

    def conjugate(self) -> _Number:
        return self

    def _with(self, op: Op, *operands: Any) -> _Number:
        if len(self.made) > _HOPELESS:
            raise _TooManyError
        return computed(op, {}, [x if isinstance(x, _Number) else _Number(x, self.made) for x in operands])


def _is_zero(x: Any) -> bool:
    """Whether it is a plain 0, such as the bias of a layer without one."""
    return not isinstance(x.value if isinstance(x, _Number) else x, Value) and data_of(getattr(x, "value", x)) == 0


def computed(op: Op, params: dict[str, Any], operands: Sequence[_Number], data: Any = None) -> _Number:
    """The result of an operation on single numbers, recorded if one of them is a Value."""
    made = operands[0].made
    if data is None:
        with np.errstate(all="ignore"):
            data = op.forward(*(np.float64(x.data) if type(x.data) is float else x.data for x in operands), **params)
    data = np.asarray(data)[()]
    if not any(isinstance(x.value, Value) for x in operands):
        return _Number(data, made)
    needs = any(isinstance(x.value, Value) and x.value.requires_grad for x in operands)
    value = Value(float(data) if data.dtype == float else data, requires_grad=needs and data.dtype.kind == "f")
    value.grad_fn, value.inputs = op, tuple(x.value for x in operands)
    value.extra = {"params": params} if params else None
    made.append(value)
    return _Number(value, made)


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
    if record.changed:
        raise GraphError("graph: detail='scalar' computes anew, and a leaf was changed in place; record it again")
    made: list[Value] = []
    arrays: list[Any] = []  # for each item its entries
    names: dict[int, str] = {}
    for i, x in enumerate(record.items):
        _check(x, called, np.size(data_of(x)), 0)
        try:
            entries = _result(x, [arrays[k] for k in record.inputs[i]], made) if record.inputs[i] else _leaves(x, made)
        except _TooManyError:
            _check(x, called, len(made), 0)
        arrays.append(entries)
        if name := called.get(id(x)):
            for at in np.ndindex(entries.shape):
                names.setdefault(id(entries[at].value), entry(name, at, entries.shape))
        _check(x, called, len(made), sum(len(v.inputs) for v in made))
    outputs = [_recorded(x, made) for x in arrays[-1].flat]
    needed = _reaching(outputs)
    apart = listed([v for v in made if id(v) in needed and v.inputs], False, outputs)
    _share_out(apart, outputs, record.items[-1])
    return apart, names


def _check(x: Any, called: Mapping[int, str], numbers: int, arrows: int) -> None:
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


def _leaves(x: Any, made: list[Value]) -> Any:
    """The entries of a leaf or constant: Values of floats, which have nodes of their own; plain numbers as they are."""
    if isinstance(x, Value) and x.grad_fn is not None:
        raise GraphError("graph: a part of the graph was released by backward(retain_graph=False); record it again")
    data, grad = np.asarray(data_of(x)), data_of(x.grad) if isinstance(x, Value) else None
    stays = not isinstance(x, Value) and (data.ndim == 0 or data.dtype.kind != "f")
    entries = np.empty(data.shape, object)
    for at in np.ndindex(data.shape):
        if stays:
            entries[at] = _Number(x if data.ndim == 0 else data[at], made)
            continue
        value = Value(data[at], requires_grad=isinstance(x, Value) and x.requires_grad)
        if grad is not None:
            value.grad = np.asarray(grad)[at]
        made.append(value)
        entries[at] = _Number(value, made)
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
    except _TooManyError:
        raise
    except Exception:  # of any kind: it does more than move, add and multiply
        pass
    del made[start:]
    return _by_entry(value, operands)


def _are_close(numbers: list[Any], value: Value) -> bool:
    """Whether they are the numbers of a Value, up to rounding in another order."""
    data = [np.ravel(data_of(x)).astype(float) for x in (value, *value.inputs)]
    every = np.concatenate(data)
    tolerance = np.sqrt(np.finfo(value.dtype).eps if value.dtype.kind == "f" else 0)
    largest = np.max(np.abs(every[np.isfinite(every)]), initial=0)
    return np.allclose(np.array(numbers, float), data[0], rtol=tolerance, atol=tolerance * largest, equal_nan=True)


def _boxed(y: Any, made: list[Value]) -> Any:
    """What a definition returned, with each entry a `_Number`: numbers that it fills in itself, such as 0, are plain."""
    entries = np.empty(np.shape(y) if isinstance(y, np.ndarray) else (), object)
    for at in np.ndindex(entries.shape):
        x = y[at] if isinstance(y, np.ndarray) else y
        entries[at] = x if isinstance(x, _Number) else _Number(x, made)
    return entries


def _by_entry(value: Value, operands: list[Any]) -> Any:
    """One operation for each entry of the result, of the entries of operands that it depends on."""
    every = [x for operand in operands for x in operand.flat]
    touched = _dependence(value)
    _check(value, {}, 0, int(touched.sum()))
    results = np.empty(value.shape, object)
    for number, at in enumerate(np.ndindex(value.shape)):
        places = np.flatnonzero(touched[:, number])
        chosen = [every[k] for k in places]
        if not chosen:
            results[at] = _Number(np.asarray(value.data)[at], every[0].made)
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


def _recorded(x: _Number, made: list[Value]) -> Value:
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


def _share_out(record: Recorded, outputs: Sequence[Value], output: Value) -> None:
    """Give results the gradients that backward() would leave, if it ran from the output; leaves have their own."""
    if output.grad is None:
        return
    totals: dict[int, Any] = {}
    for value, seed in zip(outputs, np.ravel(data_of(output.grad)), strict=True):
        totals[id(value)] = totals.get(id(value), 0.0) + seed
    for value in reversed(record.items):
        if isinstance(value, Value) and value.inputs and value.requires_grad and id(value) in totals:
            value.grad = totals[id(value)]
            for x, share in zip(value.inputs, passed_on(value, totals[id(value)]), strict=True):
                if share is not None:
                    totals[id(x)] = totals.get(id(x), 0.0) + share
