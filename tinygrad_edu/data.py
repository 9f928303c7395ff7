"""Plain data: conversion of operands and of results.

A scalar is a Python float (float64), or a NumPy float scalar of another width; never a 0-d array. An operation takes 0.03 us
on floats, and 0.43 us on 0-d arrays.

`to_...` returns plain data; `value_or_...` passes a Value through, for the parameters of derived ops that may be Values:

    raw_of          the raw data of a Value; anything else unchanged
    to_operand      the operand of a primitive: float, int, bool or array; integers of 64 bits
    to_array        a nested list as an array, with an error for uneven rows
    to_floating     integers and booleans as float64
    to_result       the data of a result: floats and arrays, no 0-d arrays
    to_leaf         the data of a leaf, from the user's argument
    value_or_array  a Value unchanged, anything else as an array
    value_or_weak   the same, but a single number as a Python float, so that it adopts the dtype of the other operand

Errors of an op are handled by `recover`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from math import isfinite
from typing import Any

import numpy as np
from numpy import ndarray, vdot

from .domain import Shape
from .errors import DTypeError, TinygradError
from .misuse import refusal
from .node import Node
from .op import Op
from .term import Term, TermMet, a_term

PLAIN = {float, int, bool}


def shape_of(x: Any) -> Shape:
    """The shape of an array or Value; () for a number."""
    return () if type(x) is float else getattr(x, "shape", ())


def kind_of(x: Any) -> type:
    """The type of plain data; of a Term that of the numbers behind it."""
    return type(x.behind) if isinstance(x, Term) else type(x)


def dtype_of(x: Any) -> np.dtype[Any]:
    """The dtype of plain data."""
    return x.dtype if isinstance(x, (np.ndarray, np.generic, Term)) else np.asarray(x).dtype


def raw_of(x: Any) -> Any:
    """The raw data of a Value; anything else unchanged."""
    return x.raw if isinstance(x, Node) else x


def to_operand(x: Any) -> Any:
    """A plain operand as float, int, bool or ndarray; lists and tuples become arrays.

    Integers of fewer than 64 bits become floats, since they overflow easily: the square of a pixel does not fit in a byte.

    Raises:
        DTypeError: for text, None, complex numbers, other objects, and lists whose rows differ in length.
    """
    if type(x) in PLAIN or (type(x) is np.ndarray and x.dtype.kind == "f"):
        return x
    if isinstance(x, np.generic) and x.dtype.kind in "fiub":
        return x if x.dtype.kind == "f" and not isinstance(x, np.float64) else x.item()
    if isinstance(x, (list, tuple)):
        if any(isinstance(item, Node) for item in x):
            raise DTypeError(f"got a {type(x).__name__} of Values; join them with stack() or concatenate()")
        x = to_array(x)
    refuse_foreign(x)
    if isinstance(x, np.ndarray) and x.dtype.kind in "fiub":
        if x.dtype.kind in "iu" and x.dtype.itemsize < 8:
            return x.astype(np.float32 if x.dtype.itemsize < 4 else np.float64)
        return np.asarray(x)
    if isinstance(x, Term):
        if x.seen:
            return x.as_operand()
        raise TermMet
    got = f"{type(x).__name__} of {x.dtype}" if isinstance(x, np.ndarray) else f"{type(x).__name__} {str(x)[:40]!r}"
    raise DTypeError(f"got {got}, expected a Value, a real number or an array of them")


def operand_array(x: Any) -> Any:
    """An operand as an array inside `forward`: np.asarray, except that a Term is returned unchanged."""
    return x if isinstance(x, Term) else np.asarray(x)


def on_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """For a helper of plain arrays that no expression says: a compiled program calls it, and has its source when saved."""

    @wraps(function)
    def call(*args: Any, **params: Any) -> Any:
        for x in args:
            if isinstance(x, Term) or type(x) is tuple:  # an index may hold one
                traced = a_term(args)
                if traced is not None:
                    return traced.called(function.__name__, function, args, params)
                break
        return function(*args, **params)

    return call


def filled(x: Any, shape: Shape) -> Any:
    """An array full of a number."""
    return x.filled(shape) if isinstance(x, Term) and x.seen else np.full(shape, x)


def some(x: Any) -> bool:
    """np.any; True for a Term whose numbers are unknown."""
    return (isinstance(x, Term) and not x.seen) or bool(np.any(x))


def to_array(x: Any) -> Any:
    """A nested list as an array. Raises DTypeError if its rows differ in length, and as `refuse_foreign`."""
    if type(x) is np.ndarray or (isinstance(x, Term) and x.seen):
        return x
    for part in x if isinstance(x, (list, tuple)) else (x,):
        refuse_foreign(part)
    try:
        return np.asarray(x)
    except ValueError:
        raise DTypeError("got a nested list with rows of different lengths, expected equal lengths") from None


def refuse_foreign(x: Any) -> None:
    """Raise DTypeError for arrays whose arithmetic is not NumPy's: masked arrays, np.matrix, arrays with units, sparse matrices.

    As plain arrays they would lose their meaning without a word. Other subclasses, such as np.memmap, are plain arrays.
    """
    own: Any = type(x)
    if own is np.ndarray or not (isinstance(x, np.ndarray) or (hasattr(own, "toarray") and hasattr(own, "nnz"))):
        return
    if not isinstance(x, np.ndarray):
        raise DTypeError(f"got a sparse {own.__name__}, expected an array; write x.toarray()")
    name = f"{own.__module__}.{own.__name__}"
    if hasattr(own, "mask"):
        remedy = "write x.filled(0), and where(~x.mask, result, 0) or weights of 0 and 1 for the mask"
        raise DTypeError(f"got a {name}, whose mask would be lost; {remedy}")
    if own.__mul__ is not np.ndarray.__mul__ or own.__array_ufunc__ is not np.ndarray.__array_ufunc__:
        raise DTypeError(f"got a {name}, whose arithmetic differs from an array's; write np.asarray(x)")


def is_finite(y: Any) -> bool:
    """Whether all elements are finite. Arrays: by a sum of squares, one pass without a temporary; False if that overflows."""
    if type(y) is ndarray:
        return isfinite(vdot(y, y))
    return y.is_finite() if isinstance(y, Term) else isfinite(y)


def to_floating(x: Any) -> Any:
    """A Value or plain numbers in floating point: integers and booleans become float64."""
    if type(x) in PLAIN:
        return float(x)
    return x.astype(float) if x.dtype.kind in "biu" else x


def value_or_array(x: Any) -> Any:
    """A Value unchanged, anything else as an array."""
    return x if isinstance(x, Node) else to_array(x)


def value_or_weak(x: Any) -> Any:
    """A Value unchanged, a single number as a Python float, which adopts the dtype of the other operand; else an array."""
    x = value_or_array(x)
    if isinstance(x, Node) or x.ndim:
        return x
    return x.as_number() if isinstance(x, Term) else float(x)


def to_result(op: Op, y: Any, data: Sequence[Any]) -> Any:
    """The result y as data of a Value: float64 scalars as Python floats, no 0-d arrays, real numbers only.

    Raises DTypeError for anything else.
    """
    if isinstance(y, np.ndarray):
        if y.ndim and y.dtype.kind == "f" and type(y) is np.ndarray:
            return y
        y = np.asarray(y) if y.ndim else y[()]
    if isinstance(y, np.float64):
        return float(y)
    if isinstance(y, int) or (isinstance(y, (np.ndarray, np.generic)) and y.dtype.kind in "fiub"):
        return y
    if isinstance(y, complex) and not any(isinstance(x, (complex, np.ndarray)) for x in data):
        return to_result(op, op.forward(*map(np.float64, data)), data)  # Python's power of a negative base
    if y is None:
        raise DTypeError("the function returned None, expected a number or an array; write return")
    if isinstance(y, Term):
        return y.as_result()
    kind = getattr(y, "dtype", type(y).__name__)
    raise DTypeError(f"the result is {kind}, expected real numbers; cast the inputs to float")


def recover(op: Op, inputs: Sequence[Any], params: dict[str, Any], error: Exception) -> Any:
    """Handle an error of `forward`: NumPy's result for scalars if only Python refuses them (1/0 is inf), else raise.

    The error raised names the op.
    """
    if isinstance(error, TermMet):
        return Term.call(op.name, op.forward, tuple(inputs), params)
    plain = tuple(map(raw_of, inputs))
    traced = a_term(plain, params)
    if traced is not None:
        return to_result(op, traced.called(op.name, op.forward, plain, params), ())
    if (
        op.elementwise
        and isinstance(error, (ArithmeticError, ValueError, TypeError))
        and not isinstance(error, TinygradError)
    ):
        data = [x.raw if isinstance(x, Node) else to_operand(x) for x in inputs]
        if not any(isinstance(x, np.ndarray) for x in data):  # NumPy has no functions of integers of more than 64 bits
            try:
                return to_result(op, op.forward(*map(np.float64, data), **params), data)
            except OverflowError:
                error = DTypeError("got an integer too large for a float; write it as a float")
            except Exception as again:
                error = again
    raise refusal(op, inputs, params, error)


def to_leaf(data: Any, requires_grad: bool, copy: bool) -> Any:
    """The data of a leaf, from the user's argument.

    Raises DTypeError for a Value, for integers in an array that requires grad, and for data that is not real numbers.
    """
    if isinstance(data, Node):
        raise DTypeError("got a Value; use it directly, or detach() for a constant")
    if isinstance(data, Term) and data.seen:
        return data.as_leaf()
    array = to_array(data)
    kind = array.dtype.kind
    if kind not in "fiub":
        raise DTypeError(f"got {type(data).__name__} of dtype {array.dtype}, expected real numbers")
    if kind != "f" and not isinstance(data, (np.ndarray, np.generic)):
        array = array.astype(float)
    elif kind != "f" and requires_grad:
        remedy = "cast it with .astype(float), or pass requires_grad=False for a constant"
        raise DTypeError(f"got an array of dtype {array.dtype}, which has no gradient; {remedy}")
    if not array.dtype.isnative:  # of a file, such as >f8
        array, copy = array.astype(array.dtype.newbyteorder("=")), False
    if array.ndim:
        return np.array(array) if copy else array
    return float(array) if array.dtype == float else array[()]
