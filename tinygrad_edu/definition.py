"""Defining operations: the decorators that turn a NumPy function into an Op, and the registry of all ops; see op.py.

@elementwise(rules=(lambda g, y, x: g * (1 - y * y),))
def tanh(x, /):
    "Elementwise hyperbolic tangent."
    return np.tanh(x)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, Unpack

import numpy as np

from .binding import Split, binder, calling, listed_signature, listing, parameters_of
from .data import to_operand
from .domain import REAL, Sample, Sampler
from .errors import DefinitionError, TinygradError
from .half import in_single
from .misuse import refusal
from .node import Node
from .op import Op, Rule
from .recording import apply
from .signatures import AllOptions, Operation, as_derived, as_elementwise, as_operation
from .term import Term, TermMet
from .unrolled import binary, unary

registry: dict[str, Operation] = {}
by_numpy: dict[Callable[..., Any], str] = {}  # NumPy's function -> the name of the op that records it


@as_elementwise
def elementwise(
    *,
    rules: tuple[Rule | Callable[..., Any] | None, ...],
    scalar: Callable[..., Any] | None = None,
    samples: Sampler | None = None,
    **options: Unpack[AllOptions],
) -> Any:
    """Register an elementwise function as an op, with NumPy broadcasting.

    Args:
        rules: one per array, that is, per positional-only parameter.
        scalar: a faster function for Python floats, for example from `math`.
        samples: given a shape, yields the calls to test; by default one call with the parameters' defaults.
        options: see `signatures.AllOptions`.
    """

    def register(forward: Callable[..., Any]) -> Any:
        function = forward if scalar is None else _by_type(scalar, forward)
        op = _define(function, rules, None, samples, options, elementwise=True, scalar=scalar)
        plain = "call" not in options and None not in rules and not op.parameters.options and not op.parameters.defaults
        unrolled = {1: unary, 2: binary}.get(len(op.arrays)) if plain else None
        return _publish(op, options, _recorded(op, options) if unrolled is None else unrolled(op))

    return register


@as_operation
def operation(
    *,
    rules: tuple[Rule | Callable[..., Any] | None, ...] = (),
    shares: Rule | Callable[..., Any] | None = None,
    samples: Sampler | None = None,
    **options: Unpack[AllOptions],
) -> Any:
    """Register any function of arrays as an op: the arrays before the slash, or `*arrays`, then parameters.

    Args:
        rules: one per array.
        shares: for a function of `*arrays`, the one rule that returns the shares of all arrays.
        samples: given a shape, yields the calls to test; by default one call with arrays of that shape and the parameters'
            defaults.
        options: see `signatures.AllOptions`.
    """

    def register(forward: Callable[..., Any]) -> Any:
        op = _define(forward, rules, shares, samples or _by_default(forward), options)
        return _publish(op, options, _recorded(op, options))

    return register


@as_derived
def derived(*, samples: Sampler | None = None, several: Any = False, **options: Unpack[AllOptions]) -> Any:
    """Register a composition of ops: documented and tested as an op, recorded as the ops that it calls.

    Args:
        samples: given a shape, yields the calls to test; None for an elementwise function.
        several: True if it returns several results, or the named tuple that it returns.
        options: see `signatures.AllOptions`.
    """

    def register(forward: Callable[..., Any]) -> Any:
        op = _define(
            forward, (), None, samples, options, elementwise=samples is None, derived=True, several=bool(several)
        )
        split = _split(op, options)

        def composed(*args: Any, **kwargs: Any) -> Any:
            inputs: tuple[Any, ...] = ()
            params: dict[str, Any] = {}
            try:
                inputs, params = split(*args, **kwargs)
                inputs = tuple([x if isinstance(x, Node) else to_operand(x) for x in inputs])
                return forward(*inputs, **params)
            except TermMet:
                return Term.call(op.name, forward, inputs, params)
            except Exception as error:
                failure = refusal(op, inputs, params, error)
            raise failure

        return _publish(op, options, composed)

    return register


def _define(
    forward: Callable[..., Any],
    rules: Any,
    shares: Any,
    samples: Sampler | None,
    options: AllOptions,
    **kind: Any,
) -> Op:
    name = forward.__name__
    if unknown := options.keys() - AllOptions.__annotations__.keys():
        raise DefinitionError(
            f"{name}: unknown option {', '.join(unknown)}=; there are {', '.join(AllOptions.__annotations__)}"
        )
    if name in registry and registry[name].op.forward.__module__ != forward.__module__:
        raise DefinitionError(f"{name}: this name is taken by {registry[name].op.forward.__module__}; choose another")
    return Op(
        name,
        forward,
        rules,
        shares,
        options.get("symbol", name),
        options.get("domain", (REAL,)),
        samples,
        options.get("analytic", False),
        options.get("numpy") or getattr(np, name, None),
        listed=options.get("listed", False),
        called=options.get("called", ""),
        slices=options.get("slices"),
        **kind,
    )


def _split(op: Op, options: AllOptions) -> Split:
    """The function that splits the arguments of a call into arrays and parameters."""
    if op.listed:
        return listing(op.forward, Node)
    return calling(options["call"], Node) if "call" in options else binder(op.forward, Node)


def _recorded(op: Op, options: AllOptions) -> Callable[..., Any]:
    """The function that users call: it splits the arguments and calls `recording.apply`."""
    split = _split(op, options)

    def call(*args: Any, **kwargs: Any) -> Any:
        try:  # not binding.named, whose frame would be 3% of a small array's step
            inputs, params = split(*args, **kwargs)
        except TinygradError as error:
            error.operation = op.name
            raise
        return apply(op, inputs, params)

    return call


def _publish(op: Op, options: AllOptions, call: Callable[..., Any]) -> Any:
    """Make `call` the public function: docstring and signature from the definition, `.op` on it, in the registry."""
    if options.get("accumulates"):
        call = in_single(call, registry["astype"])
    public: Any = wraps(options.get("call", op.forward))(call)
    if op.listed:
        public.__signature__ = listed_signature(op.forward)
    elif "call" in options:
        public.__signature__ = signature(options["call"]).replace(return_annotation="Plain")
    public.__name__ = public.__qualname__ = op.name
    public.__module__, public.__doc__ = op.forward.__module__, op.forward.__doc__
    public.op = op
    registry[op.name] = public
    if op.numpy is not None:
        by_numpy.setdefault(op.numpy, op.name)
    for function in options.get("also", ()):
        by_numpy[function] = op.name
    return public


def _by_default(forward: Callable[..., Any]) -> Sampler:
    """The default sampler: one call with arrays of one shape and the parameters' defaults."""
    count = len(parameters_of(forward).arrays) or 2  # two for *arrays
    return lambda shape: [Sample((shape,) * count)]


def _by_type(scalar: Callable[..., Any], array: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls `scalar` for Python floats, and `array` for anything else."""

    def unary(x: Any) -> Any:
        if type(x) is float:
            return scalar(x)
        if type(x) is np.ndarray or not isinstance(x, Term) or not x.seen:
            return array(x)
        return x.of_number(scalar, array, x)

    def binary(a: Any, b: Any) -> Any:
        if type(a) is float and type(b) is float:
            return scalar(a, b)
        traced = a if isinstance(a, Term) else b
        return traced.of_number(scalar, array, a, b) if isinstance(traced, Term) and traced.seen else array(a, b)

    return wraps(array)(unary if len(parameters_of(array).arrays) == 1 else binary)
