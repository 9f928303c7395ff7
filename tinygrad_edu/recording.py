"""Recording a call: compute on plain data, and wrap the result in a Value that notes the op and its inputs.

`apply` is the whole of it. `unary` and `binary` are the same, unrolled; `general` stands in front of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import Any

from .data import PLAIN, constant, recover, tidy
from .errors import TinygradError, UnsupportedError
from .node import Node
from .op import Op, arguments_of

result_type: type[Node] = Node  # value.py puts Value here
_recording: ContextVar[bool] = ContextVar("recording", default=True)
is_recording = _recording.get  # whether operations on Values are recorded here: not inside no_grad()
_tracing: ContextVar[bool] = ContextVar("tracing", default=False)
is_tracing = _tracing.get  # whether a transform is running its function
_new = object.__new__
PLAIN_ONLY = -2  # in place of a tick where no input is a Value: below -1, the tick of constants
clock = count(1)
_next_tick = clock.__next__


@contextmanager
def _set(mode: ContextVar[bool], to: bool) -> Iterator[None]:
    token = mode.set(to)
    try:
        yield
    finally:
        mode.reset(token)


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording, in this thread or async task: results are Values without inputs.

    Use it as `with no_grad():` or as a decorator of a function.
    """
    with _set(_recording, False):
        yield


@contextmanager
def enable_grad() -> Iterator[None]:
    """Record again, inside a no_grad() around it; in this thread or async task."""
    with _set(_recording, True):
        yield


@contextmanager
def tracing() -> Iterator[None]:
    """Record on behalf of a transform: a Value that became a plain number would silently count as a constant there."""
    with _set(_tracing, True), enable_grad():
        yield


def record(y: Any, op: Op | None = None, inputs: tuple[Any, ...] = (), required: bool = False) -> Node:
    """Wrap y, the result of op(*inputs), as a Value; a constant unless gradient is `required` and recording is on."""
    v = _new(result_type)
    v.data = y
    v.grad = v.extra = None
    if required and is_recording():
        v.grad_fn = op
        v.inputs = inputs
        v.tick = _next_tick()
    else:
        v.grad_fn = None
        v.inputs = ()
        v.tick = -1
    return v


def apply(op: Op, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Compute op(*inputs, **params), and record it if one of the inputs is a Value.

    `constant` makes an operand plain data; `recover` finds NumPy's answer where Python raises (1/0), or names the error;
    `tidy` turns a 0-d array into a float. All three are in data.py.
    """
    held, data, youngest = [], [], PLAIN_ONLY
    for x in inputs:
        if isinstance(x, Node):
            held.append(x)
            data.append(x.data)
            if x.tick > youngest:
                youngest = x.tick
        else:
            held.append(x if type(x) in PLAIN else constant(op, x))
            data.append(held[-1])
    try:
        y = op.forward(*data, **params)
    except (ArithmeticError, ValueError, TypeError, IndexError) as error:
        y = recover(op, data, params, error)
    if type(y) is not float:
        y = tidy(op, y, data)
    if youngest == PLAIN_ONLY:
        return y
    v = record(y, op, tuple(held), youngest >= 0 and any(op.rules))  # an op without rules (detach) gives a constant
    if params and v.inputs:
        v.extra = {"params": params}
    return v


def unary(op: Op) -> Callable[..., Any]:
    """`apply` for one input and no parameters, unrolled: this is where a scalar expression spends its time."""
    forward = op.forward

    def call(x: Any) -> Any:
        if isinstance(x, Node):
            data, tick = x.data, x.tick
        else:
            data, tick = constant(op, x), PLAIN_ONLY
        try:
            y = forward(data)
        except (ArithmeticError, ValueError, TypeError) as error:
            y = recover(op, (data,), {}, error)
        if type(y) is not float:
            y = tidy(op, y, (data,))
        return y if tick == PLAIN_ONLY else record(y, op, (x,), tick >= 0)

    return call


def binary(op: Op) -> Callable[..., Any]:
    """`apply` for two inputs and no parameters, unrolled."""
    forward = op.forward

    def call(a: Any, b: Any) -> Any:
        if isinstance(a, Node):
            a_data, tick = a.data, a.tick
        else:
            a_data = a = a if type(a) in PLAIN else constant(op, a)
            tick = PLAIN_ONLY
        if isinstance(b, Node):
            b_data = b.data
            if b.tick > tick:
                tick = b.tick
        else:
            b_data = b = b if type(b) in PLAIN else constant(op, b)
        try:
            y = forward(a_data, b_data)
        except (ArithmeticError, ValueError, TypeError) as error:
            y = recover(op, (a_data, b_data), {}, error)
        if type(y) is not float:
            y = tidy(op, y, (a_data, b_data))
        return y if tick == PLAIN_ONLY else record(y, op, (a, b), tick >= 0)

    return call


def general(op: Op, call: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """`apply` behind the signature that users see: split into inputs and parameters by `call`, else by `binder`."""
    split = binder(op) if call is None else naming(op, call)
    return lambda *args, **kwargs: apply(op, *split(*args, **kwargs))


def naming(op: Op, call: Callable[..., Any]) -> Callable[..., Any]:
    """`call`, whose complaints about its arguments name the op."""

    def split(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except TypeError as error:
            if isinstance(error, TinygradError):
                raise
            reason, takes = str(error).rpartition("() ")[2], ", ".join(arguments_of(call))
            raise UnsupportedError(f"{op.name}: {reason}; it takes {takes}") from None

    return split


def binder(op: Op) -> Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]:
    """A function from the arguments of a call to (inputs, params): the first `op.arrays` arguments, and all others by name.

    It raises UnsupportedError for an argument that the op does not take.
    """
    n = op.arrays
    parameters = arguments_of(op.forward)
    names = list(parameters)
    defaults = {name: parameters[name] for name in names[n:] if parameters[name] is not ...}
    if op.variadic:
        return lambda *arrays, **params: (arrays, defaults | params)

    def bind(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if len(args) < n:  # arrays given by name
            args += tuple([kwargs.pop(name, parameters[name]) for name in names[len(args) : n]])
            missing = [name for name, x in zip(names, args, strict=False) if x is ...]
            if missing:
                raise UnsupportedError(f"{op.name}: {', '.join(missing)} missing; it takes {', '.join(names)}")
        if not kwargs and len(args) == n:
            return args, defaults
        params = defaults | dict(zip(names[n:], args[n:], strict=False)) | kwargs
        if len(args) > len(names) or not params.keys() <= parameters.keys():
            unknown = [f"{name}=" for name in params if name not in names] or args[len(names) :]
            takes = ", ".join(names)
            raise UnsupportedError(f"{op.name}: does not take {', '.join(map(str, unknown))}; it takes {takes}")
        return args[:n], params

    return bind
