"""Bands: the last resort for graphs without repetition. What is near the output stays; the rest is cut into layers by depth."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence

from .parts import Graph, Group, Part

_BANDS = 6
_LEAVES = 8  # that stay visible for their gradient


def banded(graph: Graph, groups: Sequence[Group], weight: Callable[[int], float], limit: int) -> list[Part]:
    """Keep a quarter of `limit` groups around the output, the named ones and the heaviest leaves; put the rest into bands.

    Args:
        graph: the recorded nodes.
        groups: of all nodes; inputs before results.
        weight: how much a leaf matters.
        limit: how many parts may be left.
    """
    owner = graph.owner(groups)
    near = _near_the_output(graph, groups, owner, limit // 4)
    named = {owner[i] for i in graph.pinned} - near
    kept = near | named
    leaves = [g for g, group in enumerate(groups) if not graph.inputs[group[0][0]] and g not in kept]
    weights = {g: max([weight(block[-1]) for block in groups[g]]) for g in leaves}
    kept |= {g for g in sorted(leaves, key=lambda g: -weights[g])[:_LEAVES] if weights[g] > 0}
    levels = _levels(graph, groups, owner)
    cuts = {levels[g] for g in named}  # a band on both sides of a named group would be before it and after it
    bands = _cut([g for g in range(len(groups)) if g not in kept], levels, cuts)
    layers = [tuple(sorted(i for g in band for block in groups[g] for i in block)) for band in bands]
    return [Part(groups[g]) for g in sorted(kept)] + [Part([layer], loose=True) for layer in layers]


def _near_the_output(graph: Graph, groups: Sequence[Group], owner: list[int], most: int) -> set[int]:
    """The groups from which the output is soonest reached; each only together with all that it feeds, so no circle closes."""
    waiting: dict[int, int] = {}  # for each that feeds one of them, its arrows to others
    near: set[int] = set()
    queue = deque([len(groups) - 1])
    while queue and len(near) < most:
        q = queue.popleft()
        near.add(q)
        arrows = Counter(owner[i] for i in graph.operands(groups[q]))
        del arrows[q]
        for p, count in arrows.items():
            if p not in waiting:
                waiting[p] = sum(graph.uses[block[-1]] for block in groups[p])
            waiting[p] -= count
            if not waiting[p]:
                queue.append(p)
    return near


def _levels(graph: Graph, groups: Sequence[Group], owner: list[int]) -> list[int]:
    """How far each group is from the inputs, along the longest way; a leaf stands just before what it feeds first."""
    levels = [0] * len(groups)
    from_leaves: list[tuple[int, int]] = []  # each with what it feeds
    for j in [j for group in groups for block in group for j in block]:
        q = owner[j]
        for i in graph.inputs[j]:
            p = owner[i]
            if i >= 0 and p != q:
                if levels[p] >= levels[q]:
                    levels[q] = levels[p] + 1
                if not graph.inputs[i]:
                    from_leaves.append((p, q))
    first: dict[int, int] = {}  # for each leaf the lowest level that it feeds
    for p, q in from_leaves:
        first[p] = min(first.get(p, levels[q]), levels[q])
    for p, level in first.items():
        levels[p] = level - 1
    return levels


def _cut(rest: list[int], levels: list[int], cuts: set[int]) -> list[list[int]]:
    """Groups in bands of about equal size, each of whole levels; a new one begins at each of `cuts`."""
    bands: list[list[int]] = []
    enough = len(rest) / _BANDS
    level = -1
    for g in sorted(rest, key=lambda g: levels[g]):
        if levels[g] > level:
            passed = any(level < cut <= levels[g] for cut in cuts) if bands else True
            if passed or len(bands[-1]) >= enough:
                bands.append([])
            level = levels[g]
        bands[-1].append(g)
    return bands
