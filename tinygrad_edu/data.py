"""Plain data: what may go into an operation, and how its result is held.

A scalar is a Python float (float64), or a NumPy float scalar of another width; never a 0-d array. One operation on floats
takes 0.03 us where one on 0-d arrays takes 0.43 us.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .domain import Shape
from .errors import DTypeError, ShapeError, TinygradError
from .node import Node
from .op import Op

PLAIN = {float, int, bool}


def shape_of(x: Any) -> Shape:
    """() for a number, the shape of an array or Value."""
    return () if type(x) is float else getattr(x, "shape", ())


def constant(op: Op, x: Any) -> Any:
    """A plain operand of `op` as float, int, bool or ndarray; lists and tuples become arrays.

    Integers of fewer than 64 bits become floats, as NumPy's promotion would have them: squared, the pixels of an image of
    bytes would overflow.

    Raises:
        DTypeError: for text, None, complex numbers, other objects, and lists whose rows differ in length.
    """
    if type(x) in PLAIN or (type(x) is np.ndarray and x.dtype.kind == "f"):
        return x
    if isinstance(x, np.generic) and x.dtype.kind in "fiub":
        return x if x.dtype.kind == "f" and not isinstance(x, np.float64) else x.item()
    if isinstance(x, (list, tuple)):
        if any(isinstance(item, Node) for item in x):
            raise DTypeError(f"{op.name}: got a {type(x).__name__} of Values; join them with stack() or concatenate()")
        x = array_of(op.name, x)
    if isinstance(x, np.ndarray) and x.dtype.kind in "fiub":
        if x.dtype.kind in "iu" and x.dtype.itemsize < 8:
            return x.astype(np.float32 if x.dtype.itemsize < 4 else np.float64)
        return np.asarray(x)
    got = f"{type(x).__name__} of {x.dtype}" if isinstance(x, np.ndarray) else f"{type(x).__name__} {str(x)[:40]!r}"
    raise DTypeError(f"{op.name}: got {got}, expected a Value, a real number or an array of them")


def data_of(x: Any) -> Any:
    """The numbers of a Value; all else as it is."""
    return x.data if isinstance(x, Node) else x


def floating(x: Any) -> Any:
    """A Value or plain numbers in floating point: integers and booleans become float64."""
    if type(x) in PLAIN:
        return float(x)
    return x.astype(float) if x.dtype.kind in "biu" else x


def operand(name: str, x: Any) -> Any:
    """A Value as it is, all else as an array: an array among the parameters of a derived op `name`."""
    return x if isinstance(x, Node) else array_of(name, x)


def weak(name: str, x: Any) -> Any:
    """An operand whose single number, if it is one, takes the type of what it meets: a Value, a Python float, or an array."""
    x = operand(name, x)
    return x if isinstance(x, Node) or x.ndim else float(x)


def array_of(name: str, x: Any) -> np.ndarray[Any, Any]:
    """A nested list as an array; the error for one with rows of different lengths names who asked."""
    try:
        return np.asarray(x)
    except ValueError:
        raise DTypeError(f"{name}: got a nested list with rows of different lengths, expected equal ones") from None


def tidy(op: Op, y: Any, data: Sequence[Any]) -> Any:
    """A result as a Value may hold it: float64 scalars as Python floats, no 0-d arrays, nothing but real numbers."""
    if isinstance(y, np.ndarray):
        if y.ndim and y.dtype.kind == "f" and type(y) is np.ndarray:
            return y
        y = np.asarray(y) if y.ndim else y[()]
    if isinstance(y, np.float64):
        return float(y)
    if isinstance(y, int) or (isinstance(y, (np.ndarray, np.generic)) and y.dtype.kind in "fiub"):
        return y
    if isinstance(y, complex) and not any(isinstance(x, (complex, np.ndarray)) for x in data):
        return tidy(op, op.forward(*map(np.float64, data)), data)  # Python's power of a negative base
    kind = getattr(y, "dtype", type(y).__name__)
    raise DTypeError(f"{op.name}: the result is {kind}, expected real numbers; cast the inputs to float")


def recover(op: Op, data: Sequence[Any], params: dict[str, Any], error: Exception) -> Any:
    """After `forward` raised: NumPy's answer for scalars that Python refuses (1/0 is inf), else an error naming the op."""
    if isinstance(error, TinygradError):
        raise error
    scalars = not any(isinstance(x, np.ndarray) for x in data)
    if op.elementwise and scalars and isinstance(error, (ArithmeticError, ValueError)):
        try:
            return op.forward(*map(np.float64, data), **params)
        except OverflowError:
            raise DTypeError(f"{op.name}: got an integer too large for a float; write it as a float") from None
    shapes = " and ".join(str(np.shape(x)) for x in data)
    if isinstance(error, IndexError) and not isinstance(error, ValueError):
        raise IndexError(f"{op.name}: {error}") from None
    if isinstance(error, TypeError):
        raise DTypeError(f"{op.name}: {error}; inputs of shape {shapes}") from None
    if op.elementwise:
        try:
            np.broadcast_shapes(*map(np.shape, data))
        except ValueError:
            remedy = "counted from the right, sizes must be equal or 1"
            raise ShapeError(f"{op.name}: shapes {shapes} do not broadcast; {remedy}") from None
        raise DTypeError(f"{op.name}: {error}; write the numbers as floats") from None
    raise ShapeError(f"{op.name}: {error}; inputs of shape {shapes}") from None


def leaf_data(data: Any, requires_grad: bool, copy: bool) -> Any:
    """What a leaf holds, from what the user gave."""
    if isinstance(data, Node):
        raise DTypeError("Value: got a Value; it can be used as it is, or detach() makes a constant of it")
    array = array_of("Value", data)
    kind = array.dtype.kind
    if kind not in "fiub":
        raise DTypeError(f"Value: got {type(data).__name__} of dtype {array.dtype}, expected real numbers")
    if kind != "f" and not isinstance(data, (np.ndarray, np.generic)):
        array = array.astype(float)
    elif kind != "f" and requires_grad:
        remedy = "cast it with .astype(float), or pass requires_grad=False for a constant"
        raise DTypeError(f"Value: got an array of dtype {array.dtype}, which has no gradient; {remedy}")
    if array.ndim:
        return np.array(array) if copy else array
    return float(array) if array.dtype == float else array[()]
