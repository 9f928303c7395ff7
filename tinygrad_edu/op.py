"""Op: the definition of one operation, and the recording of a call.

An operation is a decorated NumPy function. From that one definition follow its recording, its gradients of every order,
its NumPy protocol, its property tests, its row in the docs and its drawing:

    @elementwise(symbol="×", domain=(REAL, REAL), analytic=True,
                 rules=(rule("b", lambda g, y, a, b: g * b),
                        rule("a", lambda g, y, a, b: g * a)))
    def multiply(a, b):
        return a * b

The decorator (see registry.py) makes an Op of it, and the function that users call: one of `unary`, `binary` and `general`
below. It is polymorphic by type: numbers and arrays in, numbers and arrays out, and nothing is recorded; a Value in, a Value
out, recorded. A rule turns g, the gradient of some output with respect to this operation's result y, into the gradient with
respect to one of its inputs. Rules are written in ops, so fed arrays a rule computes a gradient at NumPy speed, and fed
Values the same text records the graph of the gradient.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from .data import PLAIN, constant, recover, tidy
from .domain import Domain, Sampler
from .errors import DefinitionError, UnsupportedError
from .node import Node


class Rule(NamedTuple):
    """The gradient rule for one argument.

    Attributes:
        formula: the rule as a calculus book prints it: the local derivative for elementwise operations ("1 - y²"), the
            whole product with the incoming gradient for the others ("g @ bᵀ").
        apply: function of (g, y, *inputs, **params): the incoming gradient, the output, the inputs, the parameters.
    """

    formula: str
    apply: Callable[..., Any]


rule = Rule


@dataclass(frozen=True, eq=False, slots=True)
class Op:
    """The definition of one operation.

    Args:
        name: as in NumPy where NumPy has it.
        forward: the NumPy function, of plain numbers and arrays.
        rules: one per array argument; None where no gradient flows. A variadic op has one rule, whose `apply` takes first
            the number of the input that it is for.
        symbol: what a drawing shows.
        domain: one per array argument; the last one holds for all that follow.
        samples: from one shape, the calls that tests make; None for elementwise ops, which take any shapes that broadcast.
        analytic: True if `forward` is complex-differentiable on its domain, so that the complex step may check it.
        numpy: the NumPy function that it equals (to 4 ulp), or a plain formula where NumPy has none.
        elementwise: one number out for each number in, with NumPy broadcasting; the zero rule holds.
        derived: composed of other ops and recorded as those, so it has no rules.
        variadic: takes any number of arrays.

    Raises:
        DefinitionError: if the docstring, a rule, a domain or the samples are missing.
    """

    name: str
    forward: Callable[..., Any]
    rules: tuple[Rule | None, ...]
    symbol: str
    domain: tuple[Domain, ...]
    samples: Sampler | None
    analytic: bool
    numpy: Callable[..., Any] | None
    elementwise: bool = False
    derived: bool = False
    variadic: bool = False

    def __post_init__(self) -> None:
        arguments = len(arguments_of(self.forward))
        if not self.forward.__doc__:
            raise DefinitionError(f"{self.name}: an op needs a docstring")
        if self.samples is None and not self.elementwise:
            raise DefinitionError(
                f"{self.name}: an op needs samples=, a function from a shape to the calls that test it"
            )
        if self.elementwise and not self.derived and not arguments == len(self.rules) == len(self.domain):
            got = f"{arguments} arguments, {len(self.rules)} rules and {len(self.domain)} domains"
            raise DefinitionError(f"{self.name}: got {got}; an elementwise op needs a rule and a domain per argument")
        if len(self.rules) > arguments and not self.variadic:
            raise DefinitionError(
                f"{self.name}: got {len(self.rules)} rules for {arguments} arguments; one each, at most"
            )
        if self.variadic and len(self.rules) != 1:
            raise DefinitionError(f"{self.name}: got {len(self.rules)} rules; a variadic op needs exactly one")

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def rule(self, i: int) -> Rule | None:
        """The rule for input number i."""
        each = self.rules[0 if self.variadic else i]
        if self.variadic and each is not None:
            apply = each.apply
            return Rule(each.formula, lambda *args, **params: apply(i, *args, **params))
        return each


def arguments_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Its argument names with their defaults, `...` where there is none. (inspect.signature takes 50 times as long.)"""
    function = inspect.unwrap(function)
    code = function.__code__
    last = code.co_argcount + code.co_kwonlyargcount
    names = code.co_varnames[:last]
    if is_variadic(function):
        names = (code.co_varnames[last], *names)
    values = function.__defaults__ or ()
    defaults = dict(zip(code.co_varnames[code.co_argcount - len(values) : code.co_argcount], values, strict=True))
    defaults |= function.__kwdefaults__ or {}
    return {name: defaults.get(name, ...) for name in names}


def is_variadic(function: Callable[..., Any]) -> bool:
    """Whether it takes any number of arrays, as *arrays."""
    return bool(inspect.unwrap(function).__code__.co_flags & inspect.CO_VARARGS)


# -- Recording a call --------------------------------------------------------------------------------------------------

result_type: type[Node] = Node  # value.py puts Value here
_recording: ContextVar[bool] = ContextVar("recording", default=True)
_is_recording = _recording.get
_new = object.__new__
PLAIN_ONLY = -2  # in place of a tick where no input is a Value: below -1, the tick of constants
clock = count(1)
_next_tick = clock.__next__


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording, in this thread or async task: results are Values without inputs.

    Use it as `with no_grad():` or as a decorator of a function.
    """
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


def record(y: Any, op: Op | None = None, inputs: tuple[Any, ...] = (), required: bool = False) -> Node:
    """Wrap y, the result of op(*inputs), as a Value; a constant unless gradient is `required` and recording is on."""
    v = _new(result_type)
    v.data = y
    v.grad = v.extra = None
    if required and _is_recording():
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
    """`apply` behind the signature that users see: split into inputs and parameters by `call`, else the first arguments, as many
    as there are rules, are the inputs."""
    if call is not None:
        return lambda *args, **kwargs: apply(op, *call(*args, **kwargs))
    n = len(op.rules)
    parameters = arguments_of(op.forward)
    names = list(parameters)
    default_params = {name: parameters[name] for name in names[n:] if parameters[name] is not ...}
    if op.variadic:
        return lambda *arrays, **params: apply(op, arrays, default_params | params)

    def bound(*args: Any, **kwargs: Any) -> Any:
        if len(args) < n:  # arrays given by name
            args += tuple([kwargs.pop(name, parameters[name]) for name in names[len(args) : n]])
        params = default_params
        if kwargs or len(args) > n:
            params = default_params | dict(zip(names[n:], args[n:], strict=False)) | kwargs
            if len(args) > len(names) or not params.keys() <= parameters.keys():
                unknown = [f"{name}=" for name in params if name not in names] or args[len(names) :]
                takes = ", ".join(names)
                raise UnsupportedError(f"{op.name}: does not take {', '.join(map(str, unknown))}; it takes {takes}")
        return apply(op, args[:n], params)

    return bound
