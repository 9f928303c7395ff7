"""Misuse: the errors of NumPy and Python from a failed call of an op, explained by the arguments that it got and expected.

All of this runs after the failure, so that successful calls pay nothing. The expected arguments come from the annotations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from .domain import Shape
from .errors import DTypeError, MatrixError, OutOfBoundsError, ShapeError, TinygradError, UnsupportedError
from .node import Node
from .op import Op

# the first that fits counts: a LinAlgError is a ValueError, an AxisError also an IndexError
_KINDS: dict[type[Exception], type[TinygradError]] = {
    np.linalg.LinAlgError: MatrixError,
    np.exceptions.AxisError: ShapeError,
    IndexError: OutOfBoundsError,
    OverflowError: OutOfBoundsError,
    TypeError: DTypeError,
    ValueError: ShapeError,
    ArithmeticError: ShapeError,
}


def refusal(
    op: Op, inputs: Sequence[Any], params: dict[str, Any], error: Exception, operation: str | None = None
) -> Exception:
    """The error to raise after an op failed: the same TinygradError with its name, or another error explained by one.

    A user's own op keeps errors that do not speak of its arguments, such as an AttributeError; a MemoryError is kept too. They
    get a note that names the op.
    """
    if isinstance(error, Warning):  # of NumPy's, which a filter made an error
        return error
    if isinstance(error, UnsupportedError) and _holds_values(params.get("index")):
        error = UnsupportedError(
            "got a Value in the index, expected plain integers or booleans; "
            "write x[i.data.astype(int)], or a comparison as in x[i > 0]"
        )
    if isinstance(error, TinygradError):
        error.operation, error.failed = operation or op.name, (op, tuple(inputs))
        return error
    built_in = is_built_in(op)
    known = None if isinstance(error, MemoryError) else _explained(op, inputs, params, error, built_in)
    if known is None:
        error.add_note(f"in {operation or op.name}: got {_call_described(op, inputs, params)}")
        return error
    known.operation, known.failed = operation or op.name, (op, tuple(inputs))
    # users need to see the failing line
    known.__cause__, known.__suppress_context__ = None if built_in else error, True
    return known


def is_built_in(op: Op) -> bool:
    """Whether this package defines the op."""
    return op.forward.__module__.startswith(f"{__package__}.ops")


def _explained(
    op: Op, inputs: Sequence[Any], params: dict[str, Any], error: Exception, built_in: bool
) -> TinygradError | None:
    """An error of NumPy or Python as a TinygradError that says what the op got; None for an unknown kind in a user's op."""
    reason = str(error).removeprefix("matmul: ") or type(error).__name__  # NumPy's internal name
    shapes = [np.shape(x.raw if isinstance(x, Node) else x) for x in inputs]
    if op.elementwise and isinstance(error, ValueError) and not _broadcast(shapes):
        got = " and ".join(map(str, shapes))
        return ShapeError(f"shapes {got} do not broadcast; counted from the right, sizes must be equal or 1")
    if any(type(x) is int and x.bit_length() > 63 for x in inputs):
        return DTypeError("got an integer of more than 64 bits; write it as a float")
    if "integer powers" in reason:
        return DTypeError(f"{reason}; write the numbers as floats")
    made = next((ours for kind, ours in _KINDS.items() if isinstance(error, kind)), DTypeError if built_in else None)
    if made is None:
        return None
    if not isinstance(error, np.exceptions.AxisError) and (wrong := _wrong_option(op, params)):
        return made(wrong)
    if isinstance(error, AttributeError):
        reason = "expected arrays"
    return made(f"{reason}; got {_call_described(op, inputs, params)}; see help({op.called or op.name})")


def _broadcast(shapes: Sequence[Shape]) -> bool:
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True


# -- Parameters --------------------------------------------------------------------------------------------------------


def integer_of(x: Any) -> int:
    """x as a Python integer. Raises TypeError for anything else, booleans too, which older NumPy takes for 0 and 1."""
    if isinstance(x, (bool, np.bool_)):
        raise TypeError("a boolean is no integer")
    return index(x)


def _holds_values(index: Any) -> bool:
    """Whether a part of an index is a Value or a list of Values, which hold floats."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(i, Node) for part in parts for i in (part if isinstance(part, list) else (part,)))


def _integer(x: Any) -> bool:
    try:
        integer_of(x)
    except TypeError:
        return False
    return True


def _integers(x: Any) -> bool:
    return isinstance(x, (tuple, list)) and all(map(_integer, x))


def is_number(x: Any) -> bool:
    """Whether x is a single real number. (NumPy counts a span of time as an integer.)"""
    return isinstance(x, (int, float, np.integer, np.floating)) and not isinstance(x, np.timedelta64)


_TAKES: dict[str, tuple[Callable[[Any], bool], str]] = {  # by one alternative of an annotation
    "None": (lambda x: x is None, "None"),
    "bool": (lambda x: isinstance(x, (bool, int, np.bool_)), "True or False"),
    "int": (_integer, "an integer"),
    "float": (is_number, "a number"),
    "str": (lambda x: isinstance(x, str), "text"),
    "Axis": (
        lambda x: x is None or _integer(x) or (isinstance(x, tuple) and _integers(x)),
        "an integer, a tuple of integers or None",
    ),
    "Shape": (_integers, "a tuple of integers"),
    "Size": (lambda x: _integer(x) or _integers(x), "an integer or a tuple of integers"),
    "Sequence[int]": (_integers, "a tuple of integers"),
    "tuple[int, ...]": (_integers, "a tuple of integers"),
}


def _wrong_option(op: Op, params: dict[str, Any]) -> str | None:
    """A message about the first option that contradicts its annotation; None without one. Unknown annotations are skipped."""
    for name, x in params.items():
        takes = [_TAKES.get(kind) for kind in op.parameters.types.get(name, "Any").split(" | ")]
        known = [each for each in takes if each is not None]
        if len(known) == len(takes) and not any(fits(x) for fits, _ in known):
            return f"got {name}={described(x)}, expected {' or '.join([text for _, text in known])}"
    return None


# -- Arguments in a message --------------------------------------------------------------------------------------------


def _call_described(op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> str:
    """The arguments of a call, for a message: the shapes of arrays, and the parameters that are not the defaults."""
    names = op.arrays if len(op.arrays) == len(inputs) else [f"{op.many or 'array'}[{i}]" for i in range(len(inputs))]
    defaults = op.parameters.defaults
    changed = {name: x for name, x in params.items() if name not in defaults or x is not defaults[name]}
    given = [f"{name}={described(x)}" for name, x in (*zip(names, inputs, strict=True), *changed.items())]
    return ", ".join([text.replace("=an array", "", 1) for text in given])


def described(x: Any) -> str:
    """An argument in a message: an array by its shape, and its dtype if it is not float64; else its repr, shortened."""
    x = x.raw if isinstance(x, Node) else x
    if isinstance(x, np.ndarray):
        return f"an array of shape {x.shape}" + ("" if x.dtype == float else f" and dtype {x.dtype}")
    return " ".join(repr(x).split())[:60]
