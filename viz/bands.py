"""Bands: the last resort for graphs without repetition. What is near the output stays; the rest is cut into layers by depth."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from .parts import Graph, Links, Part, connected

_BANDS = 6
_LEAVES = 8  # that stay visible for their gradient


def banded(graph: Graph, parts: list[Part], weight: Callable[[int], float], limit: int) -> list[Part]:
    """Keep a quarter of `limit` parts around the output, the named ones and the heaviest leaves; put the rest into bands.

    Args:
        graph: the recorded nodes.
        parts: of the graph, inputs before results.
        weight: how much a leaf matters.
        limit: how many parts may be left.
    """
    links = connected(graph, parts)
    near = _near_the_output(links, limit // 4)
    named = {links.owner[i] for i in graph.pinned} - near
    whole = near | named
    rest = [p for p in range(len(parts)) if p not in whole]
    weights = {p: max(map(weight, parts[p].exits())) for p in rest if not links.sources[p]}
    heavy = {p for p in sorted(weights, key=lambda p: -weights[p])[:_LEAVES] if weights[p] > 0}
    levels = _levels(links)
    cuts = {levels[p] for p in named}  # a band on both sides of a named part would be before it and after it
    bands = _cut([p for p in rest if p not in heavy], levels, cuts)
    layers = [
        Part([tuple(sorted(i for p in band for block in parts[p].blocks for i in block))], loose=True) for band in bands
    ]
    return [parts[p] for p in sorted(near | named | heavy)] + layers


def _near_the_output(links: Links, most: int) -> set[int]:
    """The parts from which the output is soonest reached; each only together with all that it feeds, so no circle closes."""
    output = len(links.targets) - 1
    waiting = [len(targets) for targets in links.targets]
    near: set[int] = set()
    queue = deque([output])
    while queue and len(near) < most:
        q = queue.popleft()
        near.add(q)
        for p in links.sources[q]:
            waiting[p] -= 1
            if not waiting[p]:
                queue.append(p)
    return near


def _levels(links: Links) -> list[int]:
    """How far each part is from the inputs, along the longest way; a leaf stands just before what it feeds first."""
    levels = [0] * len(links.sources)
    for p, sources in enumerate(links.sources):
        levels[p] = 1 + max([levels[s] for s in sources], default=0)
    for p, targets in enumerate(links.targets):
        if targets and not links.sources[p]:
            levels[p] = min(levels[q] for q in targets) - 1
    return levels


def _cut(rest: list[int], levels: list[int], cuts: set[int]) -> list[list[int]]:
    """Parts in bands of about equal size, each of whole levels; a new one begins at each of `cuts`."""
    bands: list[list[int]] = []
    enough = len(rest) / _BANDS
    level = -1
    for p in sorted(rest, key=lambda p: levels[p]):
        if levels[p] > level:
            passed = any(level < cut <= levels[p] for cut in cuts) if bands else True
            if passed or len(bands[-1]) >= enough:
                bands.append([])
            level = levels[p]
        bands[-1].append(p)
    return bands
