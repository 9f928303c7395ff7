"""Repeats: what a loop does is drawn once, each of its steps with the number of times.

The groups that are operations, in their order, are read as a text. A loop is a stretch of it in which each does the same as
the one a period before: the same operation, on results from equally far back (so of the same time or of a time before), on
what all times share, on a leaf of its own of the same kind, or on what one step of an earlier loop computed. Only the first
times may take from outside what the later ones take from each other. As a loop is a stretch without gaps, what feeds it is
before it and what it feeds is behind it, and no circle closes but that from one time to the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from .parts import Block, Graph, Group, Part, Turn

_LONGEST_PERIOD = 50  # groups that repeat together
_FEWEST_TIMES = 3
_LEAST_SAVED = 30  # groups; fewer make little difference on a page, and occur by accident
_MOST_TRIED = 1_000  # stretches, those that save most; a page has no room for more loops
_NEAR = 2 * _LONGEST_PERIOD  # how far back a loop takes its own results from
_OFTEN = 8  # what more groups use than this, over a longer way than `_NEAR`, is shared by all times
_NO_NODE = -1  # in place of a group: a number inside an operation

# Where an operand comes from, and what is known about it: nothing, how far back, which group, the key, the key.
_INSIDE, _RESULT, _SHARED, _LEAF, _EARLIER = range(5)
_Operand: TypeAlias = "tuple[int, int]"
_Wiring: TypeAlias = "tuple[int, tuple[_Operand, ...]]"  # what a group does, as a number, and to what


class _Text(NamedTuple):
    """The groups that are operations, in their order; a place is a position among them.

    Attributes:
        groups: which groups these are.
        place: of each such group.
        sources: for each of them the groups that its operands come from, or `_NO_NODE`.
    """

    groups: list[int]
    place: dict[int, int]
    sources: list[tuple[int, ...]]


class _Loop(NamedTuple):
    """Places from `start` on, in blocks of `period`, one for each time."""

    start: int
    period: int
    times: int

    def end(self) -> int:
        """The first place behind it."""
        return self.start + self.period * self.times

    def steps(self) -> list[range]:
        """For each step of the loop its places, one for each time."""
        return [range(k, self.end(), self.period) for k in range(self.start, self.start + self.period)]


def repeated(graph: Graph, groups: Sequence[Group]) -> tuple[list[Part], dict[int, Turn]] | None:
    """Put together what is the same step of a loop, and the leaves that each time has of its own.

    Args:
        graph: the recorded nodes.
        groups: of all nodes; inputs before results.

    Returns:
        the parts, inputs before results but for what a loop hands on, and for each node of a loop its turn; None if there
        are no loops.
    """
    if not _stretches([graph.keys[group[0][-1]] for group in groups if graph.inputs[group[0][-1]]]):
        return None  # which is soon seen
    text = _text(graph, groups)
    wirings = _wirings(graph, groups, text)
    merged = _Merged(graph, groups, text)
    for loop in sorted(_loops(wirings, text.place)):
        merged.add(loop, [wirings[step[-1]] for step in loop.steps()])
    return (merged.parts(), merged.turns) if merged.turns else None


def _stretches(text: Sequence[int]) -> list[tuple[int, int, int]]:
    """Where each number equals the one a period before: start, end and period of each stretch; what saves most first."""
    numbers = np.array(text, np.int32)
    found: list[tuple[int, int, int]] = []
    for period in range(1, min(_LONGEST_PERIOD, len(text) // _FEWEST_TIMES) + 1):
        breaks = np.flatnonzero(np.concatenate(([True], numbers[period:] != numbers[:-period], [True])))
        saved = np.diff(breaks) - 1
        long = np.flatnonzero(saved >= max(_LEAST_SAVED, (_FEWEST_TIMES - 1) * period))
        starts, ends = breaks[long], breaks[long] + saved[long] + period
        found += [(start, end, period) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return sorted(found, key=lambda stretch: (2 * stretch[2] + stretch[0] - stretch[1], stretch))


def _text(graph: Graph, groups: Sequence[Group]) -> _Text:
    owner = [*graph.owner(groups), _NO_NODE]  # which is what a number inside an operation refers to
    text = [g for g, group in enumerate(groups) if graph.inputs[group[0][-1]]]
    sources = [tuple([owner[i] for block in groups[g] for j in block for i in graph.inputs[j]]) for g in text]
    return _Text(text, {g: r for r, g in enumerate(text)}, sources)


def _wirings(graph: Graph, groups: Sequence[Group], text: _Text) -> list[_Wiring]:
    """One for each place, equal for what may be the same step of a loop."""
    shared = _shared(graph, groups, text)
    numbers: dict[Hashable, int] = {}
    known: dict[_Wiring, _Wiring] = {}
    wirings: list[_Wiring] = []
    for r, g in enumerate(text.groups):
        operands: list[_Operand] = []
        for source in text.sources[r]:
            if source == _NO_NODE:
                operands.append((_INSIDE, 0))
            elif source in shared:
                operands.append((_SHARED, source))
            elif source not in text.place:
                operands.append((_LEAF, graph.keys[groups[source][0][-1]]))
            elif r - text.place[source] <= _NEAR:
                operands.append((_RESULT, r - text.place[source]))
            else:
                operands.append((_EARLIER, graph.keys[groups[source][0][-1]]))
        does = len(groups[g]), tuple([graph.keys[i] for i in groups[g][0]]), g if _is_named(graph, groups[g]) else None
        wiring = numbers.setdefault(does, len(numbers)), tuple(operands)
        wirings.append(known.setdefault(wiring, wiring))  # equal ones need no memory of their own
    return wirings


def _is_named(graph: Graph, group: Group) -> bool:
    """Whether the user named it: then it is like nothing else."""
    return group[-1][-1] in graph.pinned


def _shared(graph: Graph, groups: Sequence[Group], text: _Text) -> set[int]:
    """The groups that all times of a loop use, as far as that is seen from how often and over what way they are used."""
    first, last, users = [0] * len(groups), [-1] * len(groups), [0] * len(groups)
    for r, sources in enumerate(text.sources):
        for g in sources:
            if g != _NO_NODE and last[g] != r:
                first[g] = first[g] if users[g] else r
                last[g] = r
                users[g] += 1
    often = {g for g, n in enumerate(users) if n > _OFTEN and last[g] - first[g] > _NEAR}
    return often | {g for g, group in enumerate(groups) if _is_named(graph, group)}


def _loops(wirings: list[_Wiring], place: dict[int, int]) -> list[_Loop]:
    """Loops that do not overlap; where there is a choice, those that save most. Given the places of groups."""
    numbers: dict[_Wiring, int] = {}
    taken = np.zeros(len(wirings), bool)
    loops: list[_Loop] = []
    for start, end, period in _stretches([numbers.setdefault(w, len(numbers)) for w in wirings])[:_MOST_TRIED]:
        free = np.flatnonzero(~taken[start:end])
        if free.size < _FEWEST_TIMES * period or free[-1] - free[0] >= free.size:  # too little is left, or pieces
            continue
        start, end = start + int(free[0]), start + int(free[-1]) + 1
        earliest = max([0, *(loop.end() for loop in loops if loop.end() <= start)])
        first = _begin(wirings, place, range(earliest, start), period)
        loop = _Loop(first, period, (end - first) // period)
        if loop.times >= _FEWEST_TIMES and (loop.times - 1) * period >= _LEAST_SAVED:
            loops.append(loop)
            taken[first : loop.end()] = True
    return loops


def _begin(wirings: list[_Wiring], place: dict[int, int], before: range, period: int) -> int:
    """Where a loop begins, given the places before those that are like the one a period later.

    The first times may be fed from outside: by what is before the beginning, as also what is shared must be.
    """
    second = wirings[before.stop + period : before.stop + 2 * period]
    shared = [operand for _, operands in second for operand in operands if operand[0] == _SHARED]
    earliest = max([before.start, *(_behind(operand, before.stop, place) for operand in shared)])
    start = before.stop
    while start > earliest:
        (does, first), (does_later, later) = wirings[start - 1], wirings[start - 1 + period]
        if does != does_later or len(first) != len(later):
            break
        differing = [pair for pair in zip(first, later, strict=True) if pair[0] != pair[1]]
        if any(a[0] == _INSIDE or b[0] != _RESULT for a, b in differing):
            break
        start -= 1
        earliest = max([earliest, *(_behind(operand, start, place) for pair in differing for operand in pair)])
    return max(start, earliest)


def _behind(operand: _Operand, r: int, place: dict[int, int]) -> int:
    """The place behind where an operand of place r comes from, or would come from if there were an earlier time."""
    how, what = operand
    return r - what + 1 if how == _RESULT else place.get(what, -1) + 1 if how == _SHARED else 0


class _Merged:
    """Groups that are to be drawn as one.

    Args:
        graph, groups: all there is.
        text: those that are operations.

    Attributes:
        turns: for each node of a loop, which loop and which time.
    """

    def __init__(self, graph: Graph, groups: Sequence[Group], text: _Text) -> None:
        self.graph, self.groups, self.text = graph, groups, text
        self.turns: dict[int, Turn] = {}
        self.stands: dict[int, int] = {}  # for groups that are drawn with others, which stands for them all
        self.handed: dict[int, list[int]] = defaultdict(list)  # for such a one, what takes its results the next time

    def add(self, loop: _Loop, wirings: list[_Wiring]) -> None:
        """Put the times of a loop together, given the wiring of each step; not if a step works on results of several."""
        steps = [[self.text.groups[r] for r in step] for step in loop.steps()]
        columns = [
            column for step in loop.steps() for column in zip(*(self.text.sources[r] for r in step), strict=True)
        ]
        ways = [how for _, operands in wirings for how, _ in operands]
        leaves = [column for how, column in zip(ways, columns, strict=True) if how == _LEAF]
        earlier = [column for how, column in zip(ways, columns, strict=True) if how == _EARLIER]
        if any(len({self.stands.get(g, g) for g in column}) > 1 for column in earlier):
            return
        for same in [*leaves, *steps]:
            first = self.stands.get(same[0], same[0])
            for g in same:
                self.stands.setdefault(g, first)
        turns = [Turn(loop.start, time) for time in range(loop.times)]
        for k, (step, (_, operands)) in enumerate(zip(steps, wirings, strict=True)):
            for g, turn in zip(step, turns, strict=True):
                for block in self.groups[g]:
                    self.turns.update(dict.fromkeys(block, turn))
            for how, back in operands:
                if how == _RESULT and back > k:
                    self.handed[steps[(k - back) % loop.period][0]].append(self.groups[step[0]][0][-1])

    def parts(self) -> list[Part]:
        """One for each group that stands for itself, and for all for which another stands; leaves first."""
        members: dict[int, list[Block]] = {}
        for g, group in enumerate(self.groups):
            members.setdefault(self.stands.get(g, g), []).extend(group)
        parts = [Part(blocks, handed=tuple(dict.fromkeys(self.handed.get(g, ())))) for g, blocks in members.items()]
        return sorted(parts, key=lambda part: bool(self.graph.inputs[part.blocks[0][0]]))
