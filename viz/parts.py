"""Graph and Part: what folding takes in and what it gives back, as plain numbers."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

MOST_ROLES = 4  # operands of an operation that differ in what they are for; a thousand to join are for the same
Block: TypeAlias = "tuple[int, ...]"  # positions of nodes


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


class Part(NamedTuple):
    """Nodes that are drawn as one.

    Attributes:
        blocks: one for each time that the part occurs: the positions of its nodes, each fed by the one before it. What leaves
            a block is the result of its last node.
        loose: whether it is a layer instead: one block of nodes in no particular arrangement.
    """

    blocks: list[Block]
    loose: bool = False

    def exits(self) -> list[int]:
        """The nodes whose results leave the part."""
        return list(self.blocks[0]) if self.loose else [block[-1] for block in self.blocks]

    def size(self) -> int:
        """How many nodes it stands for."""
        return sum(map(len, self.blocks))


class Links(NamedTuple):
    """How parts are connected.

    Attributes:
        owner: the part of each node.
        sources, targets: for each part those that feed it, and those that it feeds, each once.
    """

    owner: list[int]
    sources: list[tuple[int, ...]]
    targets: list[list[int]]


def connected(graph: Graph, parts: list[Part]) -> Links:
    """The links between parts that follow from those between nodes."""
    owner = [0] * len(graph.keys)
    for p, part in enumerate(parts):
        for block in part.blocks:
            for i in block:
                owner[i] = p
    sources: list[tuple[int, ...]] = []
    targets: list[list[int]] = [[] for _ in parts]
    for q, part in enumerate(parts):
        feeding = {owner[i]: None for block in part.blocks for j in block for i in graph.inputs[j] if i >= 0}
        feeding.pop(q, None)
        sources.append(tuple(feeding))
        for p in feeding:
            targets[p].append(q)
    return Links(owner, sources, targets)
