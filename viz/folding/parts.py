"""Graph and Part: what folding takes in and what it gives back, as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

MOST_ROLES = 4  # operands of an operation that differ in what they are for; a thousand to join are for the same
Block: TypeAlias = "tuple[int, ...]"  # positions of nodes, each fed by the one before; the last feeds others
Group: TypeAlias = "Sequence[Block]"  # blocks that are to be drawn as one


class Graph(NamedTuple):
    """Recorded nodes by position, inputs before results, the output last.

    Attributes:
        keys: equal for nodes that do the same thing.
        inputs: positions of the operands of each, in their order; negative for what has no node.
        uses: how many arrows leave each.
        pinned: nodes that the user named; they stay visible.
    """

    keys: list[int]
    inputs: list[tuple[int, ...]]
    uses: list[int]
    pinned: frozenset[int]

    def with_pins(self, most: int) -> Graph:
        """The same with at most so many pinned nodes, the last ones, which are nearest to the output."""
        return self._replace(pinned=frozenset(sorted(self.pinned)[-most:]))

    def operands(self, group: Group) -> list[int]:
        """What feeds the nodes of a group, once for each arrow; nodes of its own too."""
        return [i for block in group for j in block for i in self.inputs[j] if i >= 0]

    def owner(self, groups: Sequence[Group]) -> list[int]:
        """For each node, which of the groups it is in."""
        owner = [0] * len(self.keys)
        for g, group in enumerate(groups):
            for block in group:
                for i in block:
                    owner[i] = g
        return owner


class Part(NamedTuple):
    """Nodes that are drawn as one.

    Attributes:
        blocks: one for each time that the part occurs.
        loose: whether it is a layer instead: one block of nodes in no particular arrangement.
        handed: of a step of a loop, which nodes of the loop take its result the next time; of each step one.
    """

    blocks: Group
    loose: bool = False
    handed: tuple[int, ...] = ()

    def exits(self) -> list[int]:
        """The nodes whose results leave the part."""
        return list(self.blocks[0]) if self.loose else [block[-1] for block in self.blocks]

    def size(self) -> int:
        """How many nodes it stands for."""
        return sum(map(len, self.blocks))


class Turn(NamedTuple):
    """Which loop, and which time."""

    loop: int
    time: int


class Links(NamedTuple):
    """How groups are connected.

    Attributes:
        owner: the group of each node.
        sources, targets: for each group those that feed it, and those that it feeds, each once.
    """

    owner: list[int]
    sources: list[tuple[int, ...]]
    targets: list[list[int]]


def connected(graph: Graph, groups: Sequence[Group]) -> Links:
    """The links between groups that follow from those between nodes."""
    owner = graph.owner(groups)
    sources: list[tuple[int, ...]] = []
    targets: list[list[int]] = [[] for _ in groups]
    for q, group in enumerate(groups):
        feeding = {owner[i]: None for i in graph.operands(group)}
        feeding.pop(q, None)
        sources.append(tuple(feeding))
        for p in feeding:
            targets[p].append(q)
    return Links(owner, sources, targets)
