"""The registry of all ops, and the decorators that put a NumPy function into it; see op.py for what an op is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Literal, TypedDict, Unpack, overload

import numpy as np

from .data import constant, data_of, recover
from .domain import REAL, Domain, Sampler
from .errors import DefinitionError, TinygradError
from .node import Node
from .op import Op, Rule, arguments_of, is_variadic
from .recording import binary, binder, general, naming, unary
from .signatures import Decorator, Function, Operation, P, SeveralDecorator, Unary, UnaryDecorator

registry: dict[str, Operation] = {}
by_numpy: dict[Callable[..., Any], str] = {}  # NumPy's function -> the name of the op that records it


class Options(TypedDict, total=False):
    """What every decorator takes; see `Op`. The symbol is the name, and numpy is NumPy's function of that name, if not given.

    also: other NumPy functions that this op records, by another name of NumPy's or with a slightly different signature.
    """

    symbol: str
    analytic: bool
    numpy: Callable[..., Any]
    also: tuple[Callable[..., Any], ...]


@overload
def elementwise(
    *,
    rules: tuple[Rule | None, ...],
    domain: tuple[Domain, ...],
    scalar: Callable[..., Any] | None = None,
    samples: Sampler | None = None,
    **options: Unpack[Options],
) -> Decorator: ...
@overload
def elementwise(
    *,
    rules: tuple[Rule | None, ...],
    domain: tuple[Domain, ...],
    call: Callable[Concatenate[Any, P], tuple[tuple[Any, ...], dict[str, Any]]],
    **options: Unpack[Options],
) -> Callable[[Callable[..., Any]], Unary[P]]: ...
def elementwise(
    *,
    rules: tuple[Rule | None, ...],
    domain: tuple[Domain, ...],
    scalar: Callable[..., Any] | None = None,
    samples: Sampler | None = None,
    call: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]] | None = None,
    **options: Unpack[Options],
) -> Any:
    """Register a function that works number by number as an op, with NumPy broadcasting.

    Args:
        rules, domain: one per array argument.
        scalar: a faster function for Python floats, from `math` for instance.
        samples: needed if parameters follow the arrays: from a shape, the calls for tests to make.
        call: as for `operation`.
        options: symbol, analytic, numpy; see `Op`.
    """

    def register(forward: Callable[..., Any]) -> Any:
        function = forward if scalar is None else _by_type(scalar, forward)
        op = _define(function, rules, domain, samples, options, elementwise=True, arrays=len(rules))
        if call is not None or None in rules or any(default is not ... for default in arguments_of(forward).values()):
            return _publish(op, call or forward, general(op, call))
        return _publish(op, forward, {1: unary, 2: binary}.get(len(rules), general)(op))

    return register


@overload
def operation(
    *, rules: tuple[Rule | None, ...], samples: Sampler, domain: tuple[Domain, ...] = ..., **options: Unpack[Options]
) -> Decorator: ...
@overload
def operation(
    *,
    rules: tuple[Rule | None, ...],
    samples: Sampler,
    domain: tuple[Domain, ...] = ...,
    call: Callable[P, tuple[tuple[Any, ...], dict[str, Any]]],
    **options: Unpack[Options],
) -> Callable[[Callable[..., Any]], Function[P]]: ...
def operation(
    *,
    rules: tuple[Rule | None, ...],
    samples: Sampler,
    domain: tuple[Domain, ...] = (REAL,),
    call: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]] | None = None,
    **options: Unpack[Options],
) -> Any:
    """Register any function of arrays as an op: arrays first, then parameters.

    Args:
        rules: one per array argument; exactly one for a variadic function (`*arrays`).
        samples: from a shape, the calls for tests to make.
        domain: one per array argument; the last one holds for all that follow.
        call: what users call it with, as a function that returns (inputs, parameters); by default the signature of the
            decorated function.
        options: symbol, analytic, numpy; see `Op`.
    """

    def register(forward: Callable[..., Any]) -> Any:
        op = _define(forward, rules, domain, samples, options, arrays=len(rules))
        return _publish(op, call or forward, general(op, call))

    return register


@overload
def derived(
    *, samples: Sampler, domain: tuple[Domain, ...] = ..., arrays: Literal[1], **options: Unpack[Options]
) -> UnaryDecorator: ...
@overload
def derived(
    *,
    samples: Sampler | None = None,
    domain: tuple[Domain, ...] = ...,
    arrays: Literal[2, 3] | None = None,
    **options: Unpack[Options],
) -> Decorator: ...
@overload
def derived(
    *,
    samples: Sampler,
    domain: tuple[Domain, ...] = ...,
    arrays: int | None = None,
    several: Literal[True],
    **options: Unpack[Options],
) -> SeveralDecorator: ...
@overload
def derived(
    *,
    samples: Sampler,
    domain: tuple[Domain, ...] = ...,
    call: Callable[P, tuple[tuple[Any, ...], dict[str, Any]]],
    several: bool = False,
    **options: Unpack[Options],
) -> Callable[[Callable[..., Any]], Function[P]]: ...
def derived(
    *,
    samples: Sampler | None = None,
    domain: tuple[Domain, ...] = (REAL,),
    arrays: int | None = None,
    call: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]] | None = None,
    several: bool = False,
    **options: Unpack[Options],
) -> Any:
    """Register a plain composition of ops: documented and tested as an op, recorded as the ops that it calls.

    Args:
        samples: from a shape, the calls for tests to make; None if the function works number by number.
        domain, call, options: as for `operation`.
        arrays: how many of the first arguments are arrays; as many as there are domains if not given.
        several: it returns a tuple or list of results.
    """

    def register(forward: Callable[..., Any]) -> Any:
        kind = {"elementwise": samples is None, "derived": True, "several": several}
        op = _define(forward, (), domain, samples, options, arrays=len(domain) if arrays is None else arrays, **kind)
        split = binder(op) if call is None else naming(op, call)

        def composed(*args: Any, **kwargs: Any) -> Any:
            inputs, params = split(*args, **kwargs)
            held = [x if isinstance(x, Node) else constant(op, x) for x in inputs]
            try:
                return forward(*held, **params)
            except TinygradError as error:
                raise _in_the_name_of(op, error) from error
            except (ValueError, TypeError, IndexError) as error:
                return recover(op, [data_of(x) for x in held], params, error)

        return _publish(op, call or forward, composed)

    return register


def _define(
    forward: Callable[..., Any],
    rules: tuple[Rule | None, ...],
    domain: tuple[Domain, ...],
    samples: Sampler | None,
    options: Options,
    **kind: Any,
) -> Op:
    name = forward.__name__
    if name in registry and registry[name].op.forward.__module__ != forward.__module__:
        raise DefinitionError(f"{name}: this name is taken by {registry[name].op.forward.__module__}; choose another")
    variadic = is_variadic(forward)
    numpy = options.get("numpy") or getattr(np, name, None)
    symbol, analytic = options.get("symbol", name), options.get("analytic", False)
    for function in options.get("also", ()):
        by_numpy[function] = name
    return Op(name, forward, rules, symbol, domain, samples, analytic, numpy, variadic=variadic, **kind)


def _publish(op: Op, signature: Callable[..., Any], call: Callable[..., Any]) -> Any:
    """Make `call` the public function: docstring and signature from the definition, `.op` on it, in the registry."""
    public: Any = wraps(signature)(call)
    public.__name__ = public.__qualname__ = op.name
    public.__module__, public.__doc__ = op.forward.__module__, op.forward.__doc__
    public.op = op
    registry[op.name] = public
    if op.numpy is not None:
        by_numpy.setdefault(op.numpy, op.name)
    return public


def _in_the_name_of(op: Op, error: TinygradError) -> TinygradError:
    """The error of an op that `op` is composed of, under the name that the user called."""
    inner, _, reason = str(error).partition(": ")
    if inner == op.name or inner not in registry:
        return error
    return type(error)(f"{op.name}: {reason}")


def _by_type(scalar: Callable[..., Any], array: Callable[..., Any]) -> Callable[..., Any]:
    """One function out of two: `scalar` for Python floats, `array` for all else."""

    def unary(x: Any) -> Any:
        return scalar(x) if type(x) is float else array(x)

    def binary(a: Any, b: Any) -> Any:
        return scalar(a, b) if type(a) is float and type(b) is float else array(a, b)

    return wraps(array)(unary if len(arguments_of(array)) == 1 else binary)
