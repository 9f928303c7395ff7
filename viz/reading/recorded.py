"""Recorded: an expression as lists, so that a million Values are walked in about a second, and folded as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu import Value

from .since import rewritten

INSIDE = -1  # in place of a position: a number that is told inside its operation, and has no node of its own


class Recorded(NamedTuple):
    """What one or several outputs were computed from, inputs before results; a single output is the last.

    Attributes:
        items: Values, and constants as plain numbers and arrays. An array that was used twice occurs once.
        inputs: for each item the positions of its operands, in their order, or `INSIDE`; () for leaves and constants.
        changed: positions of the leaves and arrays that were changed in place after they were used.
        outdated: positions of the results that were computed from other numbers, of which it is not known what changed.
        outputs: positions of the outputs.
    """

    items: list[Any]
    inputs: list[tuple[int, ...]]
    changed: set[int]
    outdated: set[int]
    outputs: frozenset[int]

    def total(self) -> int:
        """How many nodes there are, those included that are told inside an operation."""
        return len(self.items) + sum(sources.count(INSIDE) for sources in self.inputs)

    def uses(self) -> list[int]:
        """For each item, how many arrows leave it."""
        uses = [0] * len(self.items)
        for sources in self.inputs:
            for i in sources:
                if i != INSIDE:
                    uses[i] += 1
        return uses


def recorded(*outputs: Value, numbers_inside: bool) -> Recorded:
    """All that Values were computed from: operations in the order in which they were recorded, leaves before their first use.

    Args:
        outputs: any Values.
        numbers_inside: whether plain numbers count as part of the operation that they were given to.
    """
    return listed(_operations(outputs), numbers_inside, outputs)


def listed(operations: Sequence[Value], numbers_inside: bool, outputs: Sequence[Value]) -> Recorded:
    """The same of operations that are in order already, and that several outputs may be computed by."""
    items, inputs, changed, outdated, _ = record = Recorded([], [], set(), set(), frozenset())
    place: dict[Value, int] = {}
    arrays: dict[int, int] = {}  # the places of arrays, by identity: equal ones need not be the same

    def put(x: Any) -> int:
        items.append(x)
        inputs.append(())
        return len(items) - 1

    for value in operations:
        sources = []
        tick, may_differ = abs(value.tick), False  # arrays that an operation was given can be written to
        for x in value.inputs:
            if isinstance(x, Value):
                at = place.get(x)
                if at is None:
                    at = place[x] = put(x)
                if abs(x.tick) >= tick:  # younger than its use
                    changed.add(at)
                elif x.grad_fn is None and type(x.data) is np.ndarray:
                    may_differ = True
            elif isinstance(x, np.ndarray):
                may_differ = True
                at = arrays.get(id(x))
                if at is None:
                    at = arrays[id(x)] = put(x)
            else:
                at = INSIDE if numbers_inside else put(x)
            sources.append(at)
        place[value] = len(items)
        items.append(value)
        inputs.append(tuple(sources))
        if may_differ:
            places = {sources[k] for k in rewritten(value)} - changed
            sure = len(places) == 1 or all(isinstance(items[i], np.ndarray) for i in places)
            if sure:
                changed |= places
            else:
                outdated.add(place[value])
    for value in outputs:  # of which some may be leaves
        if value not in place:
            place[value] = put(value)
    return record._replace(outputs=frozenset(place[value] for value in outputs))


def _operations(outputs: Sequence[Value]) -> list[Value]:
    """The results among what `outputs` were computed from, and these. A result is younger than its inputs."""
    seen = set(outputs)
    found = list(dict.fromkeys(outputs))
    for value in found:  # which grows meanwhile
        for x in value.inputs:
            if isinstance(x, Value) and x.inputs and x not in seen:
                seen.add(x)
                found.append(x)
    found.sort(key=attrgetter("tick"))
    return found
