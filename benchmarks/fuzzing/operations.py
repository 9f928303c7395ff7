"""Calls of the registry's operations: right ones, of which some arguments are replaced by hostile ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

import tinygrad_edu
from tinygrad_edu import Domain, Sample, Value, linalg, registry

from . import hostile
from .outcome import Call

NAMES = list(registry)
PUBLIC = {*tinygrad_edu.__all__, *linalg.__all__, "getitem", "index_set", "index_add"}
SHAPES = ((), (1,), (3,), (2, 3), (3, 3), (0,), (2, 0), (2, 2, 3))


@cache
def _samples(name: str, shape: tuple[int, ...]) -> list[Sample]:
    op = registry[name].op
    if op.samples is None:
        count = len(op.arrays)
        return [Sample((shape,) * count), Sample(tuple([shape[i % 2 :] for i in range(count)]))]
    return list(op.samples(shape))


def _numbers(rng: np.random.Generator, domain: Domain, shape: tuple[int, ...]) -> Any:
    if domain.boolean:
        return rng.random(shape) < 0.5
    low, high = max(domain.low, -3.0), min(domain.high, 3.0)
    return np.asarray(rng.uniform(low, high, shape))


def _right(rng: np.random.Generator, name: str) -> tuple[list[Any], dict[str, Any]]:
    """The arrays and parameters of a call that should work."""
    op = registry[name].op
    samples: list[Sample] = []
    while not samples:
        samples = _samples(name, SHAPES[rng.integers(len(SHAPES))])
    sample = samples[rng.integers(len(samples))]
    domains = [op.domain[min(i, len(op.domain) - 1)] for i in range(len(sample.shapes))]
    arrays = [_numbers(rng, domain, shape) for domain, shape in zip(domains, sample.shapes, strict=True)]
    arrays = list(sample.prepare(*arrays)) if sample.prepare else arrays
    count = len(arrays) - len(sample.keywords)
    return arrays[:count], dict(zip(sample.keywords, arrays[count:], strict=True)) | sample.params


def _corrupted(rng: np.random.Generator, name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Replace an array or a parameter, or add or leave out one."""
    options = registry[name].op.parameters.options
    choice = rng.random()
    if choice < 0.35 and args:
        i = rng.integers(len(args))
        args[i] = hostile.variant(rng, args[i])
    elif choice < 0.5 and args:
        args[rng.integers(len(args))] = hostile.thing(rng)
    elif choice < 0.92 and options:
        kwargs[options[rng.integers(len(options))]] = hostile.thing(rng)
    elif choice < 0.94:
        args.append(hostile.thing(rng))
    elif choice < 0.96 and args:
        args.pop(rng.integers(len(args)))
    elif choice < 0.97:
        kwargs["nonsense"] = hostile.thing(rng)
    elif args:
        i = rng.integers(len(args))
        args[i] = hostile.variant(rng, args[i])


def _as_value(x: Any) -> Any:
    """A Value of an array of floats; anything else unchanged."""
    floating = isinstance(x, (np.ndarray, np.floating)) and x.dtype.kind == "f" and not isinstance(x, np.ma.MaskedArray)
    return Value(x) if floating else x


def call(rng: np.random.Generator, name: str = "") -> Call:
    """A random call of an operation, a random one if not named."""
    name = name or NAMES[rng.integers(len(NAMES))]
    function: Any = registry[name]
    op = function.op
    args, kwargs = _right(rng, name)
    count = rng.choice(3, p=(0.05, 0.65, 0.3))
    for _ in range(count):
        _corrupted(rng, name, args, kwargs)
    wrapped = rng.random() < 0.85
    args = [_as_value(x) if wrapped and rng.random() < 0.8 else x for x in args]
    kwargs = {key: _as_value(x) if key in ("weights", "bias") and wrapped else x for key, x in kwargs.items()}
    if op.listed:
        args = [hostile.thing(rng) if rng.random() < 0.1 else args]
    elif name == "einsum":
        args = [kwargs.pop("subscripts", None), *args]
    elif name == "select":
        args, kwargs = [kwargs.pop("conditions", None), args], kwargs
    elif name == "block":
        args, kwargs = [hostile.thing(rng) if rng.random() < 0.2 else args], {}
    called, route = function, rng.random()
    names: tuple[str, ...] = (name,)
    held = any(isinstance(x, Value) for x in args)
    if route < 0.15 and held and getattr(op.numpy, "__module__", "").startswith("numpy"):
        called = op.numpy
        names = (name, f"np.{op.numpy.__name__}", f"np.linalg.{op.numpy.__name__}", "len")  # NumPy asks for len()
    elif route < 0.3 and args and isinstance(args[0], Value) and hasattr(Value, name) and op.arrays:
        called, args = getattr(args[0], name), args[1:]
    create_graph = rng.random() < 0.3
    checked = name in PUBLIC or not count  # rules of the helpers that the engine alone calls trust their parameters
    return Call(
        name,
        names,
        lambda: called(*args, **kwargs),
        lambda y: backward(y, create_graph) if checked else None,
        lambda: as_text(name, args, kwargs),
    )


def as_text(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """A call on one line, shortened."""
    shown = [*map(repr, args), *[f"{key}={x!r}" for key, x in kwargs.items()]]
    return re.sub(r"\s+", " ", re.sub(r"(\.\d\d)\d+", r"\1", f"{name}({', '.join(shown)})"))[:300]


def backward(result: Any, create_graph: bool) -> None:
    """backward() from every differentiable result; with create_graph also from the gradients."""
    for y in result if isinstance(result, (tuple, list)) else (result,):
        if not isinstance(y, Value) or not y.requires_grad:
            continue
        leaves = _leaves(y)
        y.backward(np.ones(y.shape, y.dtype), create_graph=create_graph)
        if create_graph:
            for leaf in leaves:
                if isinstance(leaf.grad, Value) and leaf.grad.requires_grad:
                    leaf.grad.backward(np.ones(leaf.shape, leaf.grad.dtype))
                    break
        for leaf in leaves:
            leaf.zero_grad()


def _leaves(y: Value) -> list[Value]:
    found, waiting = {}, [y]
    while waiting:
        node = waiting.pop()
        if id(node) not in found:
            found[id(node)] = node
            waiting += [x for x in node.inputs if isinstance(x, Value)]
    return [node for node in found.values() if node.grad_fn is None]
