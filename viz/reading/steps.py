"""Steps: what a run of a model is made of, which is calls of modules, operations between them, and what came from outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nn import Module
from nn.calls import is_array, parts
from tinygrad_edu import Op

from ..drawing import Kind
from ..text import constant, data_of

OUTSIDE = (Kind.PARAMETER, Kind.LEAF, Kind.DATA, Kind.CONSTANT)  # kinds of what no operation of the run computed


@dataclass(eq=False, slots=True)
class Step:
    """A call of a module, an operation between calls, or a Value or array that comes from outside.

    Args:
        kind: MODULE for a call, RESULT for an operation, FAILED for what raised an error; one of `OUTSIDE` for what comes from
            outside; OUTPUT for what the model returned.
        result: what it computed, or the array itself; of a call all that it returned.
        path: where the module or the parameter is in the model, such as "layers.0"; the name of an input, an output, or a result
            that has one.
        module: what was called.
        op: the operation.
        sources: what it was computed from, operands in order.
        roles: of an operation, for each source which operand it is, if the order matters; see operands.py.
        weights: parameters, and parts of them, that are mentioned in an operation; see shorten.py.
        ops: names of the operations that a call without others inside recorded; of an operation its own name, after the names of
            those that took the parts of parameters that it mentions.
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
    roles: list[str] = field(default_factory=list)
    weights: tuple[str, ...] = ()
    ops: list[str] = field(default_factory=list)
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
        first = next((i for i, x in enumerate(inputs) if is_array(x)), len(inputs))
        before, after = ([constant(x) for x in some if not is_array(x)] for some in (inputs[:first], inputs[first:]))
        return " ".join([*before, self.op.symbol, *after])

    @property
    def results(self) -> list[Any]:
        """Data of all arrays that it computed."""
        return [data_of(x) for _, x in parts(self.result) if is_array(x)]

    def within(self) -> Iterator[Step]:
        """This step and all inside it, outermost first."""
        yield self
        for step in self.inside:
            yield from step.within()
