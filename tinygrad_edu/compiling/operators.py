"""The operators of Traced terms: + - * / ** @ and others, comparisons, and those that change an array in place."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..node import Node
from .lines import asked_by_user
from .traced import NONE, Escape, Trace, Traced, active, computed, described, opened, refuse

_BINARY = {
    "add": ("+", operator.add),
    "sub": ("-", operator.sub),
    "mul": ("*", operator.mul),
    "truediv": ("/", operator.truediv),
    "pow": ("**", operator.pow),
    "matmul": ("@", operator.matmul),
    "floordiv": ("//", operator.floordiv),
    "mod": ("%", operator.mod),
    "and": ("&", operator.and_),
    "or": ("|", operator.or_),
    "xor": ("^", operator.xor),
}
_COMPARISONS = {
    "lt": ("<", operator.lt),
    "le": ("<=", operator.le),
    "gt": (">", operator.gt),
    "ge": (">=", operator.ge),
    "eq": ("==", operator.eq),
    "ne": ("!=", operator.ne),
}
_PREFIXES = {
    "neg": ("-", operator.neg),
    "pos": ("+", operator.pos),
    "invert": ("~", operator.invert),
    "abs": ("abs", operator.abs),
}


def _operator(sign: str, function: Any) -> Callable[..., Any]:
    name = function.__name__

    def call(a: Traced, b: Any) -> Any:
        if type(a.behind) is float and type(b) in _ANSWERED:
            trace = opened.get()
            if trace is not None and not trace.written:
                if type(b) is Traced:
                    if type(b.behind) is float:
                        return _of_floats(trace, sign, name, function, a, b, (sign, id(a), id(b)), b.behind, [a, b])
                elif b != 1:  # by which products are shortened
                    return _of_floats(trace, sign, name, function, a, b, (sign, id(a), repr(b)), b, [a])
        return computed(sign, name, function, (a, b), {}) if type(b) in _ANSWERED or not _answers(b) else NotImplemented

    return call


def _of_floats(
    trace: Trace, sign: str, name: str, function: Any, a: Traced, b: Any, key: Any, number: Any, operands: list[Traced]
) -> Any:
    """`computed` for a term of a float and another number, as most terms of a graph of numbers, in a third of the time."""
    known = trace.known.get(key)
    if known is not None:
        return known
    try:
        behind = function(a.behind, number)
    except ArithmeticError as error:
        trace.escaped = True
        raise Escape(f"{name}: {error}") from error
    return trace.add(key, Traced(name, function, (a, b), NONE, behind, True), sign, operands)


def _reflected(sign: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: computed(sign, function.__name__, function, (b, a), {})


_ANSWERED = {Traced, float, int}


def _answers(other: Any) -> bool:
    """Whether the other operand answers: a Value, or the parts of a gradient."""
    return isinstance(other, Node) or getattr(type(other), "__array_ufunc__", ()) is None


def _unary(sign: str, function: Any) -> Callable[[Any], Any]:
    return lambda x: computed(sign, function.__name__, function, (x,), {})


for _name, (_sign, _function) in (_BINARY | _COMPARISONS).items():
    setattr(Traced, f"__{_name}__", _operator(_sign, _function))
    if _name in _BINARY:
        setattr(Traced, f"__r{_name}__", _reflected(_sign, _function))
for _name, (_sign, _function) in _PREFIXES.items():
    setattr(Traced, f"__{_name}__", _unary(_sign, _function))


def _in_place(key: str) -> Callable[[Traced, Any], Any]:
    plain: Callable[..., Any] = getattr(Traced, f"__{key}__")

    def update(self: Traced, other: Any) -> Any:
        result = plain(self, other)
        if not isinstance(self.behind, np.ndarray):
            return result
        if asked_by_user() or result.shape != self.shape or result.dtype != self.dtype:
            refuse(f"it writes into an array, {described(self)}; write y = y + x in place of y += x")
        result = result if result.shape else computed("np.asarray", "asarray", np.asarray, (result,), {})
        active().written[self] = result  # whoever holds the array reads the new numbers from now on
        return result

    return update


for _name in _BINARY:
    setattr(Traced, f"__i{_name}__", _in_place(_name))
