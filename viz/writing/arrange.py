"""Arrange: what Graphviz is told about where nodes go, where it does not find the best place by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..drawing import Drawing, DrawnNode, Edge, Group, Kind
from ..theme import INK

if TYPE_CHECKING:
    from graphviz import Digraph

_DOWN = {"rankdir": "TB"}
_COLUMNS = {
    "splines": "line",  # weights are compared best as straight lines
    "ranksep": "1.6",
    "nodesep": "0.12",
    "outputorder": "edgesfirst",
}
_NUMBERED = {"ranksep": "1.4", "splines": "true"}  # curves make room for the numbers above them


def layout(drawing: Drawing) -> dict[str, str]:
    """What differs from the layout of other drawings."""
    ranks = {"newrank": "true"} if drawing.beside else {}  # else nodes of two frames never share a rank
    columns = _COLUMNS if has_units(drawing) else {}
    if columns and any(edge.label for edge in drawing.edges):
        columns = columns | _NUMBERED
    return (_DOWN if drawing.flow == "down" else {}) | columns | ranks


def least_size(drawing: Drawing) -> dict[str, str]:
    """Units are circles of one size, in inches: large enough for their names and numbers."""
    units = [node for node in drawing.nodes if node.kind is Kind.UNIT]
    if not units:
        return {}
    numbers = max(bool(node.value) + bool(node.params) + bool(node.gradient) for node in units)
    longest = max(len(node.name) for node in units)
    return {"width": f"{max((0.45, 1.2, 1.3, 1.4)[numbers], 0.25 + 0.2 * longest):.2f}"}


def against(drawing: Drawing) -> set[Edge]:
    """Arrows that lead against the flow: those of a backward pass, so that a gradient stands where its Value does."""
    gradients = {node.id for node in drawing.nodes if node.kind is Kind.GRADIENT}
    return {edge for edge in drawing.edges if edge.source in gradients and edge.target in gradients}


def declared(drawing: Drawing) -> list[DrawnNode]:
    """The nodes in the order to tell Graphviz of, so that the backward pass stands below the forward pass, or right of it.

    What is declared first stands lowest where arrows lead to the right, and leftmost where they lead down.
    """
    return sorted(drawing.nodes, key=lambda node: (node.kind is Kind.GRADIENT) == (drawing.flow == "down"))


def add_columns(
    graph: Digraph,
    columns: Sequence[Group],
    escaped: Callable[[str], str],
    dress: Callable[..., Any],
    tied: bool,
) -> None:
    """Columns of units in order, below their titles; in frames that order would not hold.

    Args:
        escaped: makes text of a title.
        dress: gives attributes the colours of a theme.
        tied: whether invisible arrows lead from each unit to the next: not if their places are known.
    """
    for group in columns:
        with graph.subgraph() as column:
            column.attr(rank="same")
            title = dress(
                group.id, id=group.id, label=f"<{escaped(group.title)}>", shape="plaintext", width="0", fontcolor=INK
            )
            column.node(group.id, **title)
            for upper, lower in pairwise((group.id, *group.nodes)) if tied else ():
                column.edge(upper, lower, style="invis")


def add_ranks(graph: Digraph, drawing: Drawing) -> None:
    """Nodes that stand in one column, whatever frame they are in."""
    for pair in drawing.beside:
        with graph.subgraph() as column:
            column.attr(rank="same")
            for id in pair:
                column.node(id)


def has_units(drawing: Drawing) -> bool:
    """Whether it is one of neurons, whose groups are columns."""
    return any(node.kind is Kind.UNIT for node in drawing.nodes)
