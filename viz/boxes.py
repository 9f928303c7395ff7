"""Boxes: what the nodes of a model's drawing say about its modules and the operations between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from textwrap import wrap
from typing import Any

import numpy as np

from tinygrad_edu import Value

from .drawing import NO_GRADIENT, STATISTICS, DrawnNode, Kind
from .steps import Step
from .text import data_of, form, many, number, parameters, plain, statistics

_SHORT = 12  # characters of a module's arguments that fit beside its type
_LINE, _MESSAGE_LINE = 26, 44  # characters in a line of a module's arguments, and of an error's message
_LONGEST_MESSAGE = 400
_ARROW = " → "


def node_of(step: Step, id: str, uses: int, paths: Mapping[int, str], magnitudes: bool) -> DrawnNode:
    """The node for a step.

    Args:
        uses: how many arrows leave it.
        paths: those of the model's parameters, by id.
        magnitudes: whether it carries the size of its parameters' gradients.
    """
    results = step.results
    node = DrawnNode(
        id,
        step.kind,
        (),
        symbol=says(step),
        form=", ".join(filter(None, map(form, results))),
        notes=tuple(_notes(step, paths)),
        uses=uses if len(results) == 1 else 0,  # of several results each may be used once
        count=len(step.copies),
        alarm=not all(map(is_finite, results)),
    )
    if step.kind is Kind.RESULT:
        params = "" if step.chain else parameters(step.result)
        return replace(node, name=step.path, symbol=node.symbol + times(step), params=params, value=_scalar(results))
    if step.module is None:
        return replace(node, name=step.path, value=_numbers(results[:1]))
    if step.op is not None:
        return replace(node, name=step.path)
    told = step.module.describe()
    return replace(
        node,
        name=step.path,
        symbol=node.symbol + times(step),
        params=told if len(told) <= _SHORT else "",  # longer ones stand below
        value=_scalar(results),
        magnitude=_magnitude(_gradients(step)) if magnitudes else None,
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


def _numbers(data: list[Any]) -> tuple[str, ...]:
    return tuple(map(number, statistics(data)))


def _magnitude(grads: list[Any]) -> float | None:
    largest = max((float(np.max(np.abs(g))) for g in grads if g.size), default=0.0)
    return float(np.log10(largest)) if 0 < largest < np.inf else None


def _notes(step: Step, paths: Mapping[int, str]) -> Iterator[str]:
    """What stands below: an error's message, arguments, parameters and how their gradients are."""
    if step.error:
        yield from wrap(plain(step.error, _LONGEST_MESSAGE), _MESSAGE_LINE)
    if step.weights:
        names = [path.rpartition(".")[2] for path in step.weights]
        yield f"with {', '.join(names if len(set(names)) == len(names) else step.weights)}"
    if step.module is None or step.op is not None:
        return
    told = step.module.describe()
    yield from wrap(plain(told, _LONGEST_MESSAGE), _LINE) if len(told) > _SHORT else ()
    if step.same_as:
        yield f"same as {step.same_as}"
    if step.kind is not Kind.FAILED:
        yield from _of_parameters(step, paths)


def _of_parameters(step: Step, paths: Mapping[int, str]) -> Iterator[str]:
    """How many there are, which belong to another module as well, which are frozen, and the gradients of the others."""
    calls, modules = len(step.copies), len({id(copy.module) for copy in step.copies})
    if modules < calls:
        yield f"{calls} calls of {many(modules, 'module')}"
    parameters = _parameters(step)
    if not parameters:
        return
    total = sum(p.size for p in parameters)
    yield f"{modules} × {many(total // modules, 'parameter')}" if modules > 1 else many(total, "parameter")
    if step.module is not None and not step.same_as:
        for name, p in step.module.named_parameters():
            owner = paths.get(id(p), "")
            if owner not in ("", f"{step.path}.{name}" if step.path else name):
                yield f"{name} is {owner}"
    frozen = sum(p.size for p in parameters if not p.requires_grad)
    if frozen:
        yield "frozen" if frozen == total else f"{frozen:,} of them frozen"
    if frozen < total:
        numbers = _numbers(_gradients(step))
        if len(numbers) == len(STATISTICS):
            yield f"gradient: mean {numbers[0]},"
            yield f"min {numbers[1]}, max {numbers[2]}"
        else:
            yield f"gradient: {numbers[0]}" if numbers else NO_GRADIENT


def _parameters(step: Step) -> list[Value]:
    """Those of a module and its copies, each once."""
    modules = [copy.module for copy in step.copies if copy.module is not None]
    return list({id(p): p for module in modules for p in module.parameters()}.values())


def _gradients(step: Step) -> list[Any]:
    grads = [p.grad for p in _parameters(step)]
    return [np.asarray(data_of(g)) for g in grads if g is not None]


def is_finite(data: Any) -> bool:
    """Whether no number of an array is NaN or infinite."""
    return bool(np.isfinite(data).all())
