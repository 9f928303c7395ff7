"""Drawing: what a picture shows, as plain data. How it looks is dot.py's business, and rendering it is render.py's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tinygrad_edu import TinygradError

NO_GRADIENT = "no gradient yet"
PIECE = "+"  # in the id of a further piece of a frame
STATISTICS = ("mean", "min", "max")  # what stands for the numbers of an array


class RenderError(TinygradError, RuntimeError):
    """A picture could not be made: no program to lay it out, a program that failed, or a file type that is not written."""


class Kind(StrEnum):
    """What a node stands for; drawn by its own colour and its own shape."""

    LEAF = "leaf"  # a Value that the user made and gradient flows to: a variable
    PARAMETER = "parameter"  # a leaf that belongs to a model
    DATA = "data"  # a Value that no gradient flows to: requires_grad=False, detached, or computed under no_grad()
    CONSTANT = "constant"  # a plain number or array that an operation was called with
    RESULT = "result"  # an operation, together with the Value that it computed
    OUTPUT = "output"  # the result that the drawing was asked for
    MODULE = "module"  # a module of a network, with all that it computes
    UNIT = "unit"  # one unit of a layer, a neuron
    FOLD = "fold"  # several nodes drawn as one
    GRADIENT = "gradient"  # an operation of the backward pass
    FAILED = "failed"  # the operation that raised an error
    WORDS = "words"  # what a legend says about an arrow


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
        uses: how many arrows leave it; a node with several is shared, and its gradient is a sum.
        count: how many recorded nodes it stands for; of a model, how many steps.
        ops: names of the operations that it stands for, those inside a module included; only in drawings of models.
        calls: paths of the modules whose calls it stands for; of a module outside of the model its type.
        alarm: whether its value or gradient is NaN or infinite.
        magnitude: log10 of the largest |gradient|, for the colour scale; -inf if all are 0, None if there is none, or one is NaN
            or infinite.
        origin: what begins here, as "NaN arises here"; "" where nothing does, and where NaN and infinity only pass.
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
    uses: int = 0
    count: int = 1
    alarm: bool = False
    magnitude: float | None = None
    origin: str = ""
    ops: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


def remarks(node: DrawnNode) -> tuple[str, ...]:
    """What is said below a node's numbers: what begins there, its notes, and whether it is shared, unless no gradient comes."""
    notes = (node.origin, *node.notes) if node.origin else node.notes
    if node.uses < 2 or node.kind in (Kind.CONSTANT, Kind.DATA):
        return notes
    return (*notes, f"{'each ' * node.form.startswith('×')}used {node.uses:,}×: gradients add up")


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from an input to the result computed from it.

    Args:
        source, target: ids of nodes.
        label: which operand the input is, where the order matters: "1st", or the argument's name.
        derivative: the local derivative of the result by this input, at 4 significant digits; "" if not asked for or no number.
        alarm: whether NaN or infinite numbers pass along it.
        weight: of an arrow between units, from -1 to 1, drawn as width and colour; None elsewhere.
    """

    source: str
    target: str
    label: str = ""
    derivative: str = ""
    alarm: bool = False
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that belong together, drawn in one frame.

    Args:
        id: "g0", "g1", ...
        title: stands on the frame.
        nodes: ids of those directly inside; no node belongs to two groups.
        parent: the id of the group around it; "" if there is none.
        closed: whether a web page shows it as one box until it is opened.
        lines: what that box says below the title.
    """

    id: str
    title: str
    nodes: tuple[str, ...]
    parent: str = ""
    closed: bool = False
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole picture.

    Args:
        title: stands above it; "" for none.
        description: the same content in words, for those who cannot see it.
        nodes: in topological order.
        edges: in the order of their targets, and of the operands of each.
        groups: frames around some of the nodes, outer ones first.
        folded: what was drawn as one to keep the picture readable, in words; "" if nothing was.
        flow: where arrows lead, "right" or, as the layers of networks are mostly drawn, "down".
        lines: what else stands below the title, such as how to read the picture.
        beside: pairs of nodes that stand in one column, such as a Value and its gradient.
    """

    title: str
    description: str
    nodes: tuple[DrawnNode, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...] = ()
    folded: str = ""
    flow: str = "right"
    lines: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()


class Sizes(NamedTuple):
    """One picture at several sizes.

    Attributes:
        drawing: what is shown.
        smaller: the same with fewer nodes, for PNG files; None to take `drawing` for that too.
        opened: the same with the inside of what is folded, in groups that a web page opens; None where nothing opens.
    """

    drawing: Drawing
    smaller: Drawing | None = None
    opened: Drawing | None = None
