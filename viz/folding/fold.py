"""Folding: which recorded nodes to draw as one, so that a graph of any size fits on a page. Times are linear in its size.

It works on plain numbers, not on Values: `keys` says which nodes do the same thing, `inputs` which feed which. Five steps,
each taken only if the picture is still too large after those before:

1. rows: the same operation many times in a row, such as the additions of a sum, becomes one;
2. alike: what is computed in the same way and used in the same way, such as the terms of that sum, is drawn once (alike.py);
3. chains: operations that only hand on to the next become one;
4. repeats: what a loop does is drawn once, on what 2. left (repeats.py);
5. bands: all but the neighbourhood of the output is cut into layers by depth (bands.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from types import MappingProxyType
from typing import NamedTuple

from .alike import HOPELESS, alike
from .bands import banded
from .parts import Block, Graph, Group, Part, Turn, connected
from .repeats import repeated

_SHORTEST_ROW = 2
_SHORTEST_CHAIN = 3  # two different operations are as quickly read one by one


class Folding(NamedTuple):
    """What is to be drawn.

    Attributes:
        parts: in topological order, but for what a loop hands on; each becomes one node.
        owner: for each recorded node, the position of its part.
        turns: for each node of a loop, which loop and which time.
    """

    parts: list[Part]
    owner: list[int]
    turns: Mapping[int, Turn] = MappingProxyType({})

    def hands_on(self, i: int, j: int) -> bool:
        """Whether the arrow from node i to node j leads from one time of a loop to a later one; it is not drawn."""
        source, target = self.turns.get(i), self.turns.get(j)
        return source is not None and target is not None and source.loop == target.loop and source.time < target.time


def fold(graph: Graph, weight: Callable[[int], float], limit: int) -> Folding:
    """Put nodes together until at most `limit` are left.

    Args:
        graph: the recorded nodes.
        weight: how much a leaf matters; where layers are folded, the heaviest leaves stay visible.
        limit: at least 60.
    """
    if len(graph.keys) <= limit:
        return Folding([Part([(i,)]) for i in range(len(graph.keys))], list(range(len(graph.keys))))
    graph = graph.with_pins(limit // 8)
    steps = groups = alike(graph, _rows(graph))
    if limit < len(groups) < HOPELESS:
        groups = _chains(graph, groups)
    if len(groups) <= limit:
        return _ordered([Part(group) for group in groups], graph)
    loops = repeated(graph, steps)
    if loops is not None and len(loops[0]) <= limit:
        parts, turns = loops
        return Folding(parts, graph.owner([part.blocks for part in parts]), turns)
    return _ordered(banded(graph, groups, weight, limit), graph)


def _rows(graph: Graph) -> list[Block]:
    """All nodes as blocks, in the order of their last ones: rows of one operation, and single nodes."""
    keys, inputs, uses, pinned = graph
    before: dict[int, int] = {}  # the step in front of each, in its row
    for j, sources in enumerate(inputs):
        key = keys[j]
        steps = [i for i in sources if keys[i] == key and uses[i] == 1 and inputs[i] and i >= 0 and i not in pinned]
        if len(steps) == 1:
            before[j] = steps[0]
    return _runs(range(len(keys)), before, _SHORTEST_ROW)


def _runs(order: Sequence[int], before: dict[int, int], shortest: int) -> list[Block]:
    """Everything in `order`, in runs along `before`; runs that are too short fall apart."""
    inner = set(before.values())
    runs: list[Block] = []
    for last in order:
        if last in before and last not in inner:
            run = [last]
            while run[-1] in before:
                run.append(before[run[-1]])
            run.reverse()
            runs += [tuple(run)] if len(run) >= shortest else [(i,) for i in run]
        elif last not in inner:
            runs.append((last,))
    return runs


def _chains(graph: Graph, groups: Sequence[Group]) -> Sequence[Group]:
    """Groups that have one use each, and no other operation feeds the next, become one."""
    links = connected(graph, groups)
    before: dict[int, int] = {}
    for q, sources in enumerate(links.sources):
        steps = [p for p in sources if links.sources[p]]
        if len(steps) == 1 and _hands_on(graph, groups[steps[0]], groups[q]):
            before[q] = steps[0]
    return [_joined(graph, [groups[p] for p in run]) for run in _runs(range(len(groups)), before, _SHORTEST_CHAIN)]


def _hands_on(graph: Graph, group: Group, target: Group) -> bool:
    exits = [block[-1] for block in group]
    return len(exits) == len(target) and all(graph.uses[i] == 1 and i not in graph.pinned for i in exits)


def _joined(graph: Graph, run: list[Group]) -> Group:
    """A run of groups as one group, each block as long as all of theirs."""
    if len(run) == 1:
        return run[0]
    heads = list(run[-1])  # of each block that is to be, the piece that was put in last
    pieces = [[head] for head in heads]
    for group in reversed(run[:-1]):
        by_exit = {block[-1]: block for block in group}
        for k, head in enumerate(heads):
            feeding = (i for j in head for i in graph.inputs[j] if i in by_exit)
            heads[k] = by_exit[next(feeding)]
            pieces[k].append(heads[k])
    return [tuple(i for piece in reversed(block) for i in piece) for block in pieces]


def _ordered(parts: list[Part], graph: Graph) -> Folding:
    """Inputs before results, as far as possible in the order of recording."""
    links = connected(graph, [part.blocks for part in parts])
    waiting = [len(sources) for sources in links.sources]
    ready = [(part.blocks[-1][-1], p) for p, part in enumerate(parts) if not waiting[p]]
    heapify(ready)
    place: list[int] = []
    while ready:
        p = heappop(ready)[1]
        place.append(p)
        for q in links.targets[p]:
            waiting[q] -= 1
            if not waiting[q]:
                heappush(ready, (parts[q].blocks[-1][-1], q))
    position = {p: k for k, p in enumerate(place)}
    return Folding([parts[p] for p in place], [position[p] for p in links.owner])
