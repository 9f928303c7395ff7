"""A drawing in words: for those who listen to it, and about what was folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .drawing import STATISTICS, Drawing, DrawnNode, Edge, remarks
from .folding.fold import Folding
from .magnitudes import scale
from .text import many, plain

WAYS = {
    "right": "from the inputs on the left to the output on the right",
    "down": "from the inputs at the top to the output at the bottom",
}
_MOST_TOLD = 40  # nodes that the description goes through one by one; nobody listens to more


def description(nodes: Sequence[DrawnNode], folded: str = "", flow: str = "right", edges: Sequence[Edge] = ()) -> str:
    """The drawing in words. Of a large one only the output."""
    told = nodes if len(nodes) <= _MOST_TOLD else nodes[-1:]
    parts = [
        f"{many(len(nodes), 'node')}, {WAYS[flow]}.",
        folded and f"{folded}.",
        scale(nodes),
    ]
    parts.append("; ".join(map(_in_words, told)) + ".")
    called = {
        node.id: node.name or node.symbol or node.value[0] for node in told if node.name or node.symbol or node.value
    }
    slopes = [
        f"{called[edge.target]} by {called[edge.source]} {edge.derivative}"
        for edge in edges
        if edge.derivative and {edge.source, edge.target} <= called.keys()
    ]
    return " ".join(filter(None, [*parts, f"Local derivatives: {'; '.join(slopes)}." if slopes else ""]))


def turned(drawing: Drawing, flow: str) -> Drawing:
    """The drawing with arrows that lead another way."""
    return replace(drawing, flow=flow, description=drawing.description.replace(WAYS[drawing.flow], WAYS[flow]))


def folded(recorded: int, folding: Folding, nodes: Sequence[DrawnNode]) -> str:
    """What was drawn as one, in words; "" if nothing was."""
    if all(part.size() == 1 for part in folding.parts):
        return ""
    loops = [p for p in folding.parts if p.blocks[0][0] in folding.turns]
    equals = [p for p in folding.parts if len(p.blocks) > 1 and p.blocks[0][0] not in folding.turns]
    folds = [
        (loops, "step", "of loops, each drawn once with its number"),
        (equals, "group", "of equals, each drawn once with its number"),
        ([p for p in folding.parts if p.size() > len(p.blocks) == 1 and not p.loose], "run", "of operations"),
        ([p for p in folding.parts if p.loose], "layer", "by their depth"),
    ]
    said = [
        f"{sum(p.size() for p in parts):,} in {many(len(parts), what)} {how}" for parts, what, how in folds if parts
    ]
    inside = recorded - sum(part.size() for part in folding.parts)
    said += [f"{many(inside, 'number')} inside operations"] if inside else []
    return f"{recorded:,} recorded nodes drawn as {len(nodes):,}: {'; '.join(said)}"


def _in_words(node: DrawnNode) -> str:
    what = " ".join(filter(None, (node.kind, plain(node.name), node.symbol, node.params)))
    numbers = [_numbers("value", node.value), _numbers("gradient", node.gradient)]
    return f"{what}: " + ", ".join(filter(None, (node.form, *numbers, *remarks(node))))


def _numbers(what: str, numbers: tuple[str, ...]) -> str:
    """As "value 2", or of an array "value mean 2, min 1, max 3"."""
    if len(numbers) <= 1:
        return " ".join((what, *numbers)) if numbers else ""
    return f"{what} " + ", ".join(map(" ".join, zip(STATISTICS, numbers, strict=True)))
