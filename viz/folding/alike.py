"""Which blocks of nodes are alike: computed in the same way from what is alike, and used in the same way by what is alike.

So all terms of a sum become one, and all neurons of a layer, while the weights of two layers stay apart: they are used in
different places. Each block is looked at twice, once on the way up and once on the way down.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import groupby
from typing import Any

from .parts import MOST_ROLES, Block, Graph, Group

HOPELESS = 20_000  # blocks that all do something else will not fit on a page, however they are used
_STEP_BEFORE = -2  # in place of an operand's class: the result of the step before
_WITHIN = -3  # or a number without node


def alike(graph: Graph, blocks: list[Block]) -> Sequence[Group]:
    """Put blocks that are alike together; none, where there is no hope that few are left.

    Args:
        graph: the recorded nodes.
        blocks: all of them, in blocks; each block after those that feed it.
    """
    owner = [0] * len(graph.keys)
    for b, block in enumerate(blocks):
        for i in block:
            owner[i] = b
    made = _made_alike(graph, blocks, owner)
    if made is None:
        return list(zip(blocks, strict=True))  # plain tuples of numbers are no work for the garbage collector
    classes = _used_alike(graph, blocks, owner, made)
    groups: dict[int, list[Block]] = {}
    for block, same in zip(blocks, classes, strict=True):
        groups.setdefault(same, []).append(block)
    # By the last of each, so that inputs stand before results.
    return sorted(groups.values(), key=lambda group: group[-1][-1])


def _made_alike(graph: Graph, blocks: list[Block], owner: list[int]) -> list[int] | None:
    """A number for each block, equal where the same operations were applied to what has equal numbers; None if hopeless."""
    numbers: dict[Hashable, int] = {}
    classes: list[int] = []
    for b, block in enumerate(blocks):
        steps = [_step(graph, i, b, owner, classes) for i in block]
        signature = (
            steps[0] if len(steps) == 1 else tuple((step, sum(1 for _ in same)) for step, same in groupby(steps))
        )
        classes.append(numbers.setdefault(signature, len(numbers)))
        if len(numbers) > HOPELESS:
            return None
    return classes


def _step(graph: Graph, i: int, b: int, owner: list[int], classes: list[int]) -> tuple[int, ...]:
    """What one node does: its key, and of each operand the class; x * x is not x * y."""
    sources = graph.inputs[i]
    if not sources:
        return (graph.keys[i],)
    step = [graph.keys[i]]
    for k, source in enumerate(sources):
        if source < 0:
            step.append(_WITHIN)
        elif owner[source] == b:
            step.append(_STEP_BEFORE)
        elif k < MOST_ROLES and source in sources[:k]:
            step.append(_WITHIN - 1 - sources.index(source))
        else:
            step.append(classes[owner[source]])
    return tuple(step)


def _used_alike(graph: Graph, blocks: list[Block], owner: list[int], made: list[int]) -> list[int]:
    """A number for each block, equal where blocks are made alike and feed the same operand of what has equal numbers."""
    numbers: dict[Hashable, int] = {}
    users: list[Any] = [None] * len(blocks)  # for each block the (class, operand) it feeds: a pair, or a set of several
    classes = [0] * len(blocks)
    for b in range(len(blocks) - 1, -1, -1):
        block, use = blocks[b], users[b]
        name = block[-1] if block[-1] in graph.pinned else None
        classes[b] = numbers.setdefault((made[b], frozenset(use) if type(use) is set else use, name), len(numbers))
        users[b] = None
        for source, operand in _operands(graph, block):
            feeds, pair = owner[source], (classes[b], operand)
            if feeds == b or users[feeds] == pair:
                continue
            if users[feeds] is None:
                users[feeds] = pair
            elif type(users[feeds]) is set:
                users[feeds].add(pair)
            else:
                users[feeds] = {users[feeds], pair}
    return classes


def _operands(graph: Graph, block: Block) -> Iterator[tuple[int, int]]:
    """What feeds a block, with the number of the operand; in a row of operations, or of many operands, all count as one."""
    for i in block:
        tells = len(block) == 1 and len(graph.inputs[i]) <= MOST_ROLES
        for k, source in enumerate(graph.inputs[i]):
            if source >= 0:
                yield source, k if tells else 0
