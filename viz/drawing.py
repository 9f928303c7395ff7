"""Drawing: what a picture shows, as plain data. How it looks is dot.py's business, and rendering it is render.py's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NO_GRADIENT = "no gradient yet"
STATISTICS = ("mean", "min", "max")  # what stands for the numbers of an array


class Kind(StrEnum):
    """What a node stands for; drawn by its own colour and its own shape."""

    LEAF = "leaf"  # a Value that the user made and gradient flows to: a variable, a parameter
    DATA = "data"  # a Value that no gradient flows to: requires_grad=False, detached, or computed under no_grad()
    CONSTANT = "constant"  # a plain number or array that an operation was called with
    RESULT = "result"  # an operation, together with the Value that it computed
    OUTPUT = "output"  # the result that the drawing was asked for


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """One node, with the text that it shows; "" or () where there is nothing to show.

    Args:
        id: "n0", "n1", ...: the position in topological order, inputs before results.
        kind: what it stands for.
        value: the number, at 4 significant digits; of an array the mean, the least and the largest number (see `STATISTICS`).
        symbol: the operation, such as "×".
        params: the operation's keyword parameters, such as "axis=0".
        name: what the user calls it.
        form: shape and dtype of an array.
        gradient: as `value`; () if there is none.
        notes: what else there is to know, such as `NO_GRADIENT`.
    """

    id: str
    kind: Kind
    value: tuple[str, ...]
    symbol: str = ""
    params: str = ""
    name: str = ""
    form: str = ""
    gradient: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from an input to the result computed from it.

    Args:
        source, target: ids of nodes.
        label: which operand the input is, where the order matters: "1st", or the argument's name.
    """

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that belong together, drawn in one frame.

    Args:
        id: "g0", "g1", ...
        title: stands on the frame.
        nodes: ids; no node belongs to two groups.
    """

    id: str
    title: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole picture.

    Args:
        title: stands above it; "" for none.
        description: the same content in words, for those who cannot see it.
        nodes: in topological order.
        edges: in the order of their targets, and of the operands of each.
        groups: frames around some of the nodes.
    """

    title: str
    description: str
    nodes: tuple[DrawnNode, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...] = ()
