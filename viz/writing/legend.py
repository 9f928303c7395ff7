"""Legend: the boxes and arrows that occur in a drawing, each with what it means; drawn as nodes and arrows themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from ..drawing import Drawing, DrawnNode, Edge, Group, Kind

LEGEND = "legend"  # the id of its frame
_MEANINGS = {
    Kind.LEAF: ("variable", "gradient flows to it"),
    Kind.PARAMETER: ("parameter", "trained: gradient flows to it"),
    Kind.DATA: ("data", "no gradient flows to it"),
    Kind.CONSTANT: ("constant", ""),
    Kind.RESULT: ("operation", "and its result"),
    Kind.OUTPUT: ("output", "backward() starts here"),
    Kind.MODULE: ("layer", "a module of the model"),
    Kind.UNIT: ("unit", ""),
    Kind.FOLD: ("several operations", "drawn as one"),
    Kind.GRADIENT: ("gradient", "a rule of the backward pass"),
    Kind.FAILED: ("failed", "raised an error"),
}


def with_legend(drawing: Drawing) -> Drawing:
    """The drawing with a legend in a frame, and the legend in its description."""
    legend = legend_of(drawing)
    return replace(
        drawing,
        description=f"{drawing.description} {legend.description}",
        nodes=(*drawing.nodes, *legend.nodes),
        edges=(*drawing.edges, *legend.edges),
        groups=(*drawing.groups, *legend.groups),
    )


def legend_of(drawing: Drawing) -> Drawing:
    """The legend alone: a box for each kind of node that occurs, an arrow for each kind of arrow."""
    nodes = [_sample(*box) for box in _boxes(drawing)]
    for node in {bool(node.origin): node for node in drawing.nodes if node.alarm}.values():
        says = "begins here" if node.origin else "in its value or gradient"
        nodes.append(replace(_sample(node.kind, "NaN or infinity", says), alarm=True, origin=node.origin))
    told = [", ".join((node.name or node.value[0], *node.notes)) for node in nodes]
    edges = []
    for sample, says in _arrows(drawing):
        start, end = (f"{LEGEND}{len(nodes) + k}" for k in (0, 1))
        nodes += [DrawnNode("", Kind.WORDS, ()), DrawnNode("", Kind.WORDS, (), form=says)]
        edges.append(replace(sample, source=start, target=end))
        told.append(f"arrow: {says}")
    named = tuple(replace(node, id=f"{LEGEND}{k}") for k, node in enumerate(nodes))
    frame = Group(LEGEND, "Legend", tuple(node.id for node in named))
    return Drawing("", f"Legend: {'; '.join(told)}.", named, tuple(edges), (frame,), flow=drawing.flow)


def chain(drawing: Drawing) -> Iterator[tuple[str, str]]:
    """Pairs of neighbours in the legend, which a layout program is to put in a row; those of an arrow have that."""
    joined = {(edge.source, edge.target) for edge in drawing.edges}
    ids = [node for group in drawing.groups if group.id == LEGEND for node in group.nodes]
    return (pair for pair in pairwise(ids) if pair not in joined)


def _sample(kind: Kind, name: str, says: str) -> DrawnNode:
    value, name = ((name,), "") if kind is Kind.CONSTANT else ((), name)  # a constant is its number
    return DrawnNode("", kind, value, name=name, notes=(says,) * bool(says))


def _boxes(drawing: Drawing) -> Iterator[tuple[Kind, str, str]]:
    kinds = {node.kind for node in drawing.nodes}
    return ((kind, *meaning) for kind, meaning in _MEANINGS.items() if kind in kinds)


def _arrows(drawing: Drawing) -> Iterator[tuple[Edge, str]]:
    """A sample of each kind of arrow, and what it means."""
    edges = drawing.edges
    numbered = [edge for edge in edges if edge.weight is not None and edge.label]
    operands = [edge for edge in edges if edge.weight is None]
    if any(not edge.alarm for edge in operands):
        yield Edge("", ""), "from an input to what is computed from it"
    if any(edge.label and not edge.label.startswith("×") for edge in operands):
        yield Edge("", "", label="1st"), "which operand, where the order matters"
    if any(edge.label.startswith("×") for edge in operands):
        yield Edge("", "", label="×2"), "how many operands of each"
    if any(edge.derivative for edge in operands):
        yield Edge("", "", derivative="2"), "local derivative of the result"
    if numbered:
        slope = next((edge.derivative for edge in numbered if edge.derivative), "")
        yield replace(numbered[0], derivative=slope), "a weight" + ", and below it its gradient" * bool(slope)
    if any((edge.weight or 0) > 0 for edge in edges):
        yield Edge("", "", weight=1.0), "positive weight, wider if larger"
    if any((edge.weight or 0) < 0 for edge in edges):
        yield Edge("", "", weight=-1.0), "negative weight, wider if larger"
    if any(edge.alarm for edge in edges):
        yield Edge("", "", alarm=True), "NaN or infinity passes"
