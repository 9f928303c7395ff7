"""Steps: what a run of a model is made of, which is calls of modules, operations between them, and what came from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn import Module
from tinygrad_edu import Op, Value

from ..drawing import Kind
from ..text import constant, data_of


@dataclass(eq=False, slots=True)
class Step:
    """A call of a module, an operation between calls, or a Value or number that comes from outside.

    Args:
        kind: MODULE for a call, RESULT for an operation, FAILED for what raised an error; LEAF, DATA or CONSTANT for what comes
            from outside, PARAMETER for parameters and what is computed from them alone; OUTPUT for what the model returned.
        result: what it computed, or the number itself; a tuple if there are several.
        path: where the module is in the model, such as "layers.0"; the name of an input, an output, or a result that has one.
        module: what was called.
        op: the operation.
        sources: what it was computed from, operands in order.
        weights: paths of parameters that an operation between modules uses.
        inside: the steps of a call in which other modules were called.
        same_as: the path of the first call of the same module; "" if this is the first.
        error: what a failed step raised, in words.
        chain: operations before this one that are drawn as one with it, the first one first; see shorten.py.
        copies: steps that are drawn as one with this one, because they do the same, itself among them.
        times: how often it is repeated in a row.
    """

    kind: Kind
    result: Any = None
    path: str = ""
    module: Module | None = None
    op: Op | None = None
    sources: list[Step] = field(default_factory=list)
    weights: tuple[str, ...] = ()
    inside: list[Step] = field(default_factory=list)
    same_as: str = ""
    error: str = ""
    chain: list[Step] = field(default_factory=list)
    copies: list[Step] = field(default_factory=list)
    times: int = 1

    def __post_init__(self) -> None:
        self.copies = self.copies or [self]

    @property
    def title(self) -> str:
        """The type of the module, or the operation with the plain numbers among its operands where they stand: "÷ 2.5"."""
        if self.op is None or self.kind is Kind.FAILED:
            return self.op.symbol if self.op else type(self.module).__name__ if self.module else ""
        inputs = self.result.inputs
        first = next((i for i, x in enumerate(inputs) if is_data(x)), len(inputs))
        before, after = ([constant(x) for x in some if not is_data(x)] for some in (inputs[:first], inputs[first:]))
        return " ".join([*before, self.op.symbol, *after])

    @property
    def results(self) -> list[Any]:
        """Data of all that it computed."""
        return [data_of(x) for x in parts(self.result) if x is not None]

    def within(self) -> Iterator[Step]:
        """This step and all inside it, outermost first."""
        yield self
        for step in self.inside:
            yield from step.within()


def parts(tree: Any) -> Iterator[Any]:
    """What tuples, lists and dictionaries hold, in order."""
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, (tuple, list)):
        for part in tree:
            yield from parts(part)
    else:
        yield tree


def is_data(x: Any) -> bool:
    """Whether it can be told apart from all others, as plain numbers cannot."""
    return isinstance(x, (Value, np.ndarray))


def inputs_of(x: Any) -> tuple[Any, ...]:
    """What a Value was computed from."""
    return x.inputs if isinstance(x, Value) else ()
