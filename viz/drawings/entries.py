"""Entries: the numbers that an array is made of, so that a definition for arrays can run on them one by one and be recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_edu import Op, Value, add, divide, multiply, negative, subtract

from ..text import data_of

_HOPELESS = 10_000  # Values; twenty times as many as a picture shows


class TooManyError(Exception):
    """There are more numbers, or as many arrows as it says, than could be drawn."""


class Number:
    """An entry of an array: a Value or a plain number. It can only be moved, added and multiplied.

    Anything else that a definition tries, such as a comparison, is a TypeError: it is then not made of those.
    """

    __slots__ = ("made", "value")

    def __init__(self, value: Any, made: list[Value]) -> None:
        self.value, self.made = value, made

    @property
    def data(self) -> Any:
        return data_of(self.value)

    def __add__(self, other: Any) -> Number:
        return self if _is_zero(other) else self._with(add.op, self, other)

    def __radd__(self, other: Any) -> Number:
        return self if _is_zero(other) else self._with(add.op, other, self)

    def __sub__(self, other: Any) -> Number:
        return self._with(subtract.op, self, other)

    def __rsub__(self, other: Any) -> Number:
        return self._with(subtract.op, other, self)

    def __mul__(self, other: Any) -> Number:
        return self._with(multiply.op, self, other)

    def __rmul__(self, other: Any) -> Number:
        return self._with(multiply.op, other, self)

    def __truediv__(self, other: Any) -> Number:
        return self._with(divide.op, self, other)

    def __neg__(self) -> Number:
        return self._with(negative.op, self)

    def conjugate(self) -> Number:
        return self

    def _with(self, op: Op, *operands: Any) -> Number:
        if len(self.made) > _HOPELESS:
            raise TooManyError
        return computed(op, {}, [x if isinstance(x, Number) else Number(x, self.made) for x in operands])


def _is_zero(x: Any) -> bool:
    """Whether it is a plain 0, such as the bias of a layer without one."""
    value = x.value if isinstance(x, Number) else x
    return not isinstance(value, Value) and bool(value == 0)


def computed(op: Op, params: dict[str, Any], operands: Sequence[Number], data: Any = None) -> Number:
    """The result of an operation on single numbers, recorded if one of them is a Value."""
    made = operands[0].made
    if data is None:
        with np.errstate(all="ignore"):
            data = op.forward(*(np.float64(x.data) if type(x.data) is float else x.data for x in operands), **params)
    data = np.asarray(data)[()]
    if not any(isinstance(x.value, Value) for x in operands):
        return Number(data, made)
    needs = any(isinstance(x.value, Value) and x.value.requires_grad for x in operands)
    value = Value(float(data) if data.dtype == float else data, requires_grad=needs and data.dtype.kind == "f")
    value.grad_fn, value.inputs = op, tuple(x.value for x in operands)
    value.extra = {"params": params} if params else None
    made.append(value)
    return Number(value, made)
