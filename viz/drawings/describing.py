"""What a node of a drawing says: about one Value or constant, or about many of them at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from tinygrad_edu import Value

from ..drawing import DrawnNode, Kind
from ..folding.parts import Part
from ..magnitudes import magnitude
from ..reading.gradients import doubts
from ..reading.operands import labels
from ..reading.origins import origins, told
from ..reading.recorded import INSIDE, Recorded
from ..reading.since import assigned
from ..text import constant, data_of, form, number, parameters, statistics

_RELEASED = "released"
_CHANGED = "changed in place since"  # so its results were computed from other numbers
_OUTDATED = "operands changed in place since"
REFUSED = "no derivatives: an operand changed since"
_MOST_STEPS = 5  # operations of a chain, or kinds of operations of a layer, that are told


class Describer:
    """Makes nodes of parts of a record.

    Args:
        record: the expression.
        uses: for each recorded node, how many arrows leave it.
        called: names by identity of Values and arrays.
        magnitudes: whether the nodes carry the size of their gradients.
        derivatives: whether the arrows are to tell local derivatives.
        gradients: whether there are gradients to tell.
    """

    def __init__(
        self,
        record: Recorded,
        uses: list[int],
        called: Mapping[int, str],
        magnitudes: bool,
        derivatives: bool,
        gradients: bool,
    ) -> None:
        self.record, self.uses, self.called = record, uses, called
        self.magnitudes, self.derivatives, self.gradients = magnitudes, derivatives, gradients
        self.doubts = doubts(record) if gradients else {}
        self.origins = origins(record, self.doubts, gradients)

    def __call__(self, part: Part, id: str) -> DrawnNode:
        """The node for a part."""
        items = self.record.items
        kind = self._kind(part)
        exits = [items[i] for i in (part.exits() if kind is not Kind.OUTPUT else part.blocks[-1][-1:])]
        inner = [items[i] for block in part.blocks for i in block] if part.size() > len(exits) else exits
        gradients = self._gradients(exits)
        grads = statistics(gradients)
        values = statistics([data_of(x) for x in exits])
        unusual = values if inner is exits else statistics([data_of(x) for x in inner])
        slopes = grads if inner is exits else statistics(self._gradients(inner))
        symbol, params = self._says(part)
        shared = {self.uses[i] for i in part.exits()}
        return DrawnNode(
            id,
            kind,
            tuple(map(constant if kind is Kind.CONSTANT and len(values) == 1 else number, values)),
            symbol=symbol,
            params=params,
            name=self._name(exits),
            form=_form(exits[0], part),
            gradient=tuple(map(number, grads)),
            notes=(*_counts(exits, values, gradients, grads), *self._notes(part.exits()), *self._handed(part)),
            uses=shared.pop() if len(shared) == 1 and not part.loose else 0,
            count=part.size(),
            alarm=not (_finite(unusual) and _finite(slopes)),
            magnitude=magnitude(grads[-2:]) if self.magnitudes else None,
            origin=self._origin(part),
        )

    def _kind(self, part: Part) -> Kind:
        last = part.blocks[-1][-1]
        x = self.record.items[last]
        if not isinstance(x, Value):
            return Kind.FOLD if part.loose else Kind.CONSTANT
        if last in self.record.outputs and x.grad_fn is not None and not part.loose:
            return Kind.OUTPUT
        if part.loose or len(part.blocks[0]) > 1:
            return Kind.FOLD
        if x.grad_fn is not None:
            return Kind.RESULT
        return Kind.LEAF if x.requires_grad else Kind.DATA

    def _says(self, part: Part) -> tuple[str, str]:
        """The operation and what belongs to it; of several operations how many, and which."""
        if part.loose:
            return _crowd([self.record.items[i] for i in part.blocks[0]])
        steps = [self.record.items[i] for i in part.blocks[0]]
        if not isinstance(steps[-1], Value) or steps[-1].grad_fn is None:
            return "", ""
        if len(steps) == 1:
            members = [self.record.items[block[0]] for block in part.blocks]
            inside = _numbers_inside(members) if INSIDE in self.record.inputs[part.blocks[0][0]] else ""
            return steps[0].grad_fn.symbol, ", ".join(filter(None, (inside, _parameters(members))))
        rows = [(symbol, sum(1 for _ in same)) for symbol, same in groupby(x.grad_fn.symbol for x in steps)]
        if len(rows) == 1:
            return rows[0][0], f"{len(steps):,} in a row"
        told = [f"{symbol} ×{n:,}" if n > 1 else symbol for symbol, n in rows]
        return f"{len(steps):,} operations", ", ".join(told[:_MOST_STEPS] + ["…"] * (len(told) > _MOST_STEPS))

    def _name(self, exits: list[Any]) -> str:
        return self.called.get(id(exits[0]), "") if len(exits) == 1 else ""

    def _notes(self, exits: list[int]) -> tuple[str, ...]:
        notes = Counter(self._notes_on(exits))
        return tuple(note if n == len(exits) else f"{note} ({n:,} of {len(exits):,})" for note, n in notes.items())

    def _handed(self, part: Part) -> Iterator[str]:
        """Which operations of a loop take the result the next time: no arrow leads back to them."""
        if part.handed:
            symbols = dict.fromkeys(self.record.items[i].grad_fn.symbol for i in part.handed)
            yield f"each feeds the next {', '.join(symbols)}"

    def _notes_on(self, exits: list[int]) -> Iterator[str]:
        for i in exits:
            x = self.record.items[i]
            if isinstance(x, Value) and x.grad_fn is not None and not x.inputs:
                yield _RELEASED  # and with the graph went the gradients of all but leaves
            if i in self.doubts:
                yield self.doubts[i]
            if i in self.record.changed:
                yield _CHANGED
            if i in self.record.outdated:
                yield _OUTDATED
            if self.derivatives and isinstance(x, Value) and not x.shape and any(True for _ in assigned(x)):
                yield REFUSED

    def _origin(self, part: Part) -> str:
        """What begins in a part; of several operations how many times."""
        begins = (
            Counter(self.origins[i] for block in part.blocks for i in block if i in self.origins)
            if self.origins
            else {}
        )
        return "; ".join(
            what if part.size() == 1 else f"{what} ({n:,} of {part.size():,})" for what, n in begins.items()
        )

    def _gradients(self, items: list[Any]) -> list[Any]:
        found = [x.grad for x in items if isinstance(x, Value) and x.grad is not None] if self.gradients else []
        return [data_of(grad) for grad in found]


def _counts(exits: list[Any], values: Sequence[Any], gradients: list[Any], grads: Sequence[Any]) -> Iterator[str]:
    """How many numbers are NaN or infinite, if the statistics tell that there are any."""
    if not _finite(values):
        yield from told([data_of(x) for x in exits])
    if not _finite(grads):
        yield from (f"gradient: {count}" for count in told(gradients))


def _finite(numbers: Sequence[Any]) -> bool:
    """Whether the least and the largest number, which tell about all, are neither NaN nor infinite."""
    return all(abs(x) < float("inf") for x in numbers[-2:])


def _form(x: Any, part: Part) -> str:
    """Shape and dtype, after how many there are of them."""
    if part.loose:
        return ""
    times = len(part.blocks)
    return " ".join(filter(None, (f"×{times:,}" if times > 1 else "", form(data_of(x)))))


def _crowd(items: list[Any]) -> tuple[str, str]:
    """How many operations, and the commonest of them."""
    symbols = Counter(x.grad_fn.symbol for x in items if isinstance(x, Value) and x.grad_fn is not None)
    leaves = len(items) - symbols.total()
    common = [f"{symbol} {n:,}" for symbol, n in symbols.most_common(_MOST_STEPS)]
    rest = symbols.total() - sum(n for _, n in symbols.most_common(_MOST_STEPS))
    told = [*common, *([f"others {rest:,}"] if rest else []), *([f"leaves {leaves:,}"] if leaves else [])]
    return (f"{symbols.total():,} operations", ", ".join(told)) if symbols else (f"{leaves:,} leaves", "")


def _parameters(members: list[Value]) -> str:
    """The keyword parameters; of several operations those that they share."""
    texts = {parameters(x): None for x in members} if members[0].params else {}
    return next(iter(texts)) if len(texts) == 1 else "…" if texts else ""


def _numbers_inside(members: list[Value]) -> str:
    """The plain numbers among the operands, told where they have no nodes; of several operations the range of each."""
    first = members[0]
    names = labels(first.grad_fn, len(first.inputs))
    told = []
    for k, x in enumerate(first.inputs):
        if not isinstance(x, Value) and not np.ndim(x):
            numbers = [member.inputs[k] for member in members]
            low, high = min(numbers), max(numbers)
            text = constant(low) if len(numbers) == 1 or low == high else f"{number(low)} to {number(high)}"
            is_last = k == len(names) - 1 == 1  # as in x - 2, where the number follows the symbol anyway
            told.append(f"{names[k]}={text}" if names[k] and not is_last else text)
    return ", ".join(told)
