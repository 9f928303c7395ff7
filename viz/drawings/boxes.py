"""Boxes: what the nodes of a model's drawing say about its modules and the operations between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from textwrap import wrap
from typing import Any

import numpy as np

from tinygrad_edu import Value

from ..drawing import NO_GRADIENT, STATISTICS, DrawnNode, Kind
from ..magnitudes import magnitude
from ..reading.origins import arisen, is_finite, told, what
from ..reading.steps import Step
from ..text import data_of, form, many, number, parameters, plain, spread, statistics

_SHORT = 12  # characters of a module's arguments that fit beside its type
_LINE, _MESSAGE_LINE = 26, 44  # characters in a line of a module's arguments, and of an error's message
_LONGEST_MESSAGE = 400
_ARROW = " → "
_EARLIER = "earlier gradient"  # of a run before this one, which has had no backward pass


def node_of(step: Step, id: str, uses: int, paths: Mapping[int, str], magnitudes: bool) -> DrawnNode:
    """The node for a step.

    Args:
        uses: how many arrows leave it.
        paths: those of the model's modules and parameters, by id.
        magnitudes: whether it carries the size of its parameters' gradients.
    """
    own = _parameters(step)
    results, leaves = step.results, [inner for inner in step.within() if not inner.inside]
    node = DrawnNode(
        id,
        step.kind,
        (),
        symbol=says(step),
        form=", ".join(filter(None, map(form, results))),
        notes=tuple(_notes(step, own, paths)),
        uses=uses if len(results) == 1 else 0,  # of several results each may be used once
        count=len(step.copies),
        alarm=not all(map(is_finite, (*results, *_held(step, own)))),
        origin=_origin(step, own),
        ops=tuple(op for inner in leaves for copy in inner.copies for each in (*copy.chain, copy) for op in each.ops),
        calls=tuple(path for inner in leaves for path in _calls(inner, paths)),
    )
    if step.kind is Kind.RESULT:
        params = "" if step.chain else parameters(*(copy.result for copy in step.copies))
        value = _scalar([data for copy in step.copies for data in copy.results])
        return replace(node, name=step.path, symbol=node.symbol + times(step), params=params, value=value)
    if step.module is None:
        name = spread(copy.path for copy in step.copies)
        size = magnitude(_largest(_gradients(own))) if magnitudes and own else None
        value = _numbers([data for copy in step.copies for data in copy.results])
        return replace(node, name=name, value=value, magnitude=size)
    if step.op is not None:
        return replace(node, name=step.path)
    arguments = step.module.describe()
    return replace(
        node,
        name=step.path,
        symbol=node.symbol + times(step),
        params=arguments if len(arguments) <= _SHORT else "",  # longer ones stand below
        value=_scalar(results),
        magnitude=magnitude(_largest(_gradients(own))) if magnitudes else None,
    )


def says(step: Step) -> str:
    """The operation or type of module, after the operations that are drawn as one with it."""
    return _ARROW.join(x.title for x in (*step.chain, step))


def times(step: Step) -> str:
    """How often a step is repeated in a row, such as " ×12"."""
    return f" ×{step.times}" if step.times > 1 else ""


def _scalar(results: list[Any]) -> tuple[str, ...]:
    """The number, if that is all there is: of arrays the form tells enough."""
    return _numbers(results) if len(results) == 1 and not np.ndim(results[0]) else ()


def _calls(step: Step, paths: Mapping[int, str]) -> Iterator[str]:
    """Where the modules are that a step without an inside was the call of, and its copies."""
    for copy in step.copies:
        if copy.module is not None and copy.op is None:
            yield copy.path if id(copy.module) in paths else type(copy.module).__name__


def _numbers(data: list[Any]) -> tuple[str, ...]:
    return tuple(map(number, statistics(data)))


def _largest(grads: list[Any]) -> list[float]:
    return [float(np.max(np.abs(g))) for g in grads if g.size]


def _held(step: Step, parameters: list[Value]) -> list[Any]:
    """Data and gradients of a module's parameters."""
    return [*(p.data for p in parameters), *_gradients(parameters)] if step.op is None else []


def _origin(step: Step, parameters: list[Value]) -> str:
    """What begins in a step, as "NaN arises here"; "" if nothing does."""
    within = [inner for outer in (*step.chain, step) for inner in outer.within()]
    sources = [source for inner in within for source in inner.sources if source not in within]
    if step.error or (not sources and step.module is None):  # what comes from outside
        return "" if step.error or all(map(is_finite, step.results)) else f"{what(step.results)} comes in here"
    given = [data for source in sources for data in source.results]
    own = [p.data for p in parameters]
    if all(map(is_finite, given)) and not all(map(is_finite, own)):
        return f"{what(own)} comes in by a parameter"
    return arisen(step.results, [*given, *own])


def _notes(step: Step, parameters: list[Value], paths: Mapping[int, str]) -> Iterator[str]:
    """What stands below: an error's message, arguments, parameters and how their gradients are."""
    if step.error:
        yield from wrap(plain(step.error, _LONGEST_MESSAGE), _MESSAGE_LINE)
    yield from told(step.results)
    if step.weights:
        names = zip(*(copy.weights for copy in step.copies), strict=True)
        yield f"with {', '.join(map(spread, names))}"
    if step.kind is Kind.PARAMETER:
        yield from _of_gradients(step, parameters)
    if step.module is None or step.op is not None:
        return
    arguments = step.module.describe()
    yield from wrap(plain(arguments, _LONGEST_MESSAGE), _LINE) if len(arguments) > _SHORT else ()
    if step.same_as:
        yield f"same as {step.same_as}"
    if step.kind is not Kind.FAILED:
        yield from _of_parameters(step, parameters, paths)


def _of_parameters(step: Step, parameters: list[Value], paths: Mapping[int, str]) -> Iterator[str]:
    """How many there are, which belong to another module as well, which are frozen, and the gradients of the others."""
    calls, modules = len(step.copies), len({id(copy.module) for copy in step.copies})
    if modules < calls:
        yield f"{calls} calls of {many(modules, 'module')}"
    if not parameters:
        return
    total = sum(p.size for p in parameters)
    yield f"{modules} × {many(total // modules, 'parameter')}" if modules > 1 else many(total, "parameter")
    if step.module is not None and not step.same_as:
        for name, p in step.module.named_parameters():
            owner = paths.get(id(p), "")
            if owner not in ("", f"{step.path}.{name}" if step.path else name):
                yield f"{name} is {owner}"
    yield from _of_gradients(step, parameters)


def _of_gradients(step: Step, parameters: list[Value]) -> Iterator[str]:
    """How many of its parameters are frozen, and the gradients of the others."""
    total = sum(p.size for p in parameters)
    frozen = sum(p.size for p in parameters if not p.requires_grad)
    if frozen:
        yield "frozen" if frozen == total else f"{frozen:,} of them frozen"
    yield from _not_finite(step)
    if frozen < total:
        numbers = _numbers(_gradients(parameters))
        if len(numbers) == len(STATISTICS):
            yield f"{_EARLIER}: mean {numbers[0]},"
            yield f"min {numbers[1]}, max {numbers[2]}"
        else:
            yield f"{_EARLIER}: {numbers[0]}" if numbers else NO_GRADIENT


def _not_finite(step: Step) -> Iterator[str]:
    """How many numbers of which parameter or of its gradient are NaN or infinite."""
    for copy in step.copies:
        for name, p in _named_parameters(copy):
            for kind, data in (("", p.data), (" gradient", data_of(p.grad))):
                if data is not None and not is_finite(data):
                    yield from (f"{name}{kind}: {count}" for count in told([data]))


def _named_parameters(step: Step) -> Iterable[tuple[str, Value]]:
    """Those of a module, or the parameter that a step is."""
    if step.kind is Kind.PARAMETER:
        return [(step.path.rpartition(".")[2], step.result)]
    return step.module.named_parameters() if step.module is not None else ()


def _parameters(step: Step) -> list[Value]:
    """Those of a module, or the parameter that a step is, and of its copies, each once."""
    return list({id(p): p for copy in step.copies for _, p in _named_parameters(copy)}.values())


def _gradients(parameters: list[Value]) -> list[Any]:
    return [np.asarray(data_of(p.grad)) for p in parameters if p.grad is not None]
