"""A case: something to call with arguments that work, of which some are replaced by hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, NamedTuple

import numpy as np

import nn
from tinygrad_edu import Value

from . import hostile
from .operations import as_text, backward
from .outcome import Call

Arguments = dict[str, Any]


class Case(NamedTuple):
    """Something to call.

    Attributes:
        name: as messages begin with it.
        function: a class or function.
        arguments: of a call that works, new ones at every call.
        then: what to do with the result: None, or a function and the arguments of its call.
    """

    name: str
    function: Callable[..., Any]
    arguments: Callable[[], Arguments]
    then: Callable[[Any], tuple[Callable[..., Any], Arguments]] | None = None


def corrupted(rng: np.random.Generator, function: Callable[..., Any], arguments: Arguments) -> None:
    """Replace an argument or give one that was left out."""
    kinds = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    called = function.forward if isinstance(function, nn.Module) else function
    names = [p.name for p in signature(called).parameters.values() if p.kind not in kinds]
    if not names:
        return
    name = names[rng.integers(len(names))]
    given = arguments.get(name)
    if isinstance(given, np.ndarray) and given.dtype.kind == "f" and rng.random() < 0.6:
        arguments[name] = hostile.variant(rng, given)
    else:
        arguments[name] = hostile.thing(rng)


def drawn(rng: np.random.Generator, case: Case, names: tuple[str, ...]) -> Call:
    """A random call of a case, whose messages begin with one of the names."""
    arguments, count = case.arguments(), rng.choice(3, p=(0.05, 0.7, 0.25))
    later = case.then is not None and rng.random() < 0.4
    if not later:
        for _ in range(count):
            corrupted(rng, case.function, arguments)
    shown = [as_text(case.name, (), arguments)]

    def run() -> Any:
        result = case.function(**arguments)
        if case.then is None:
            return result
        function, inputs = case.then(result)
        if later:
            for _ in range(count):
                corrupted(rng, function, inputs)
            shown.append(as_text("", (), inputs))
        inputs = {n: Value(x) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for n, x in inputs.items()}
        return function(**inputs)

    return Call(case.name, names, run, lambda y: backward(y, False), lambda: "".join(shown))
