"""From a model and inputs to a Drawing at the level of layers: one box a module, one node for each operation between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nn import Module
from tinygrad_edu import DTypeError

from .. import notebook
from ..drawing import Drawing, Edge, Group, Kind, Sizes
from ..folding.shorten import chains, closed, mentions, repeats
from ..reading.attention import name_projections
from ..reading.models import check_run
from ..reading.names import check
from ..reading.origins import is_finite
from ..reading.run import Run
from ..reading.steps import Step
from ..reading.tree import Tree
from ..text import entitled, form, many, plain
from ..words import description
from . import neurons
from .backward import drawing_of_backward
from .boxes import node_of, says, times
from .expression import drawings_of

DETAILS = ("auto", "layer", "tensor", "scalar", "neurons", "backward")
_EXPRESSION = ("tensor", "scalar", "backward")  # details that draw what was recorded, whatever the modules


def drawings_of_model(
    model: Module,
    inputs: Sequence[Any],
    names: Mapping[str, Any] | None,
    title: str | None,
    detail: str,
    derivatives: bool,
    magnitudes: bool,
    loss: Callable[[Any], Any] | None,
    row: int | None,
    symbols: bool,
    *,
    limits: tuple[int, int],
    picture: Callable[[Sizes], Any],
) -> Sizes:
    """Draw what a model computes from inputs. The model is run once, in the mode that it is in, and left as it was.

    Args:
        model: any module.
        inputs: what to call it with: plain arrays, numbers or Values.
        names: what the inputs are called.
        title: stands above the picture; the type of the model and the number of its parameters if None.
        detail: "auto" draws equal modules in a row once, and operations that only hand on as one; "layer" draws each;
            "scalar" and "tensor" draw the expression of the first output, see expression.py, and "backward" its chain rule
            too, see backward.py; "neurons" draws units and weights, see neurons.py.
        derivatives: whether arrows of the expression tell local derivatives.
        magnitudes: whether boxes carry the size of their parameters' gradients, for the colour scale.
        loss: a function of what the model returns, to be drawn after it; None leaves the loss out.
        row: which example of the batch "neurons" shows.
        symbols: whether "neurons" calls units, weights and biases as formulas do.
        limits: the most nodes that may be drawn, and the most in a PNG file.
        picture: what makes a picture of the sizes, for the attribute of an error.

    Raises:
        DTypeError: if an argument is of another type.
        Exception: what the run raises; its attribute `picture` shows how far it came, and what failed.
    """
    _check(model, inputs, names, title, detail, loss)
    if derivatives and detail not in _EXPRESSION:
        raise DTypeError(
            f"graph: got derivatives=True with detail={detail!r}, whose arrows are no single operations; use detail='scalar'"
        )
    if detail == "neurons":
        if loss is not None:
            raise DTypeError("graph: got a loss with detail='neurons', which draws layers alone; leave it out")
        return Sizes(neurons.drawing_of_model(model, inputs, names, title, magnitudes, row, symbols))
    run = Run("graph", model, inputs, names, loss)
    tree = Tree(run)
    if run.error is not None:
        if tree.steps:
            shown = run.error.picture = picture(_sizes(tree, title, detail, magnitudes, limits))  # type: ignore[attr-defined]
            run.error.add_note("graph: the attribute picture of this error shows how far the run came")
            notebook.show(shown)
        raise run.error
    name_projections(tree.steps)
    if detail in _EXPRESSION:
        outputs, called = {step.path: step.result for step in tree.outputs}, {**(names or {}), **_called(tree)}
        shown = _title(model) if title is None else title
        is_one = (
            len({path.rpartition(".")[0] for path, _ in model.named_parameters()}) < 2
        )  # W tells enough, if of one module
        if detail == "backward":
            if len(outputs) > 1:
                raise DTypeError(
                    f"graph: detail='backward' differentiates one output, and {type(model).__name__} returned {len(outputs)}; "
                    "give a loss="
                )
            (output,) = outputs.values()
            return Sizes(drawing_of_backward(output, called, shown, derivatives, magnitudes, is_one))
        if len(outputs) > 1:
            called |= outputs
        return drawings_of([*outputs.values()], called, shown, detail, derivatives, magnitudes, is_one, limits=limits)
    return _sizes(tree, title, detail, magnitudes, limits)


def _check(model: Any, inputs: Any, names: Any, title: Any, detail: Any, loss: Any) -> None:
    if not isinstance(model, Module):
        raise DTypeError(f"graph: got {type(model).__name__} as model, expected a Module")
    if inputs or detail != "neurons":
        check_run("graph", model, inputs, loss, "graph(model, x)")
    check(names, title)
    if detail not in DETAILS:
        raise DTypeError(f"graph: got detail={detail!r} for a model, expected one of {', '.join(map(repr, DETAILS))}")


def _called(tree: Tree) -> dict[str, Any]:
    """Parameters and named results by their paths, and inputs."""
    steps = [step for top in tree.steps for step in top.within() if step.kind is Kind.RESULT and step.path]
    return {step.path: step.result for step in (*tree.inputs, *steps)} | dict(tree.run.model.named_parameters())


def _sizes(tree: Tree, title: str | None, detail: str, magnitudes: bool, limits: tuple[int, int]) -> Sizes:
    stands: dict[Step, Step] = {}
    if detail == "auto":
        mentions(tree.steps, tree.outputs)
        chains(tree.steps, tree.outputs)
        stands = repeats(tree.steps, tree.outputs)
    drawing = _drawing(tree, stands, title, magnitudes, limits[0])
    return Sizes(
        drawing, _drawing(tree, stands, title, magnitudes, limits[1]) if len(drawing.nodes) > limits[1] else None
    )


def _drawing(tree: Tree, stands: Mapping[Step, Step], title: str | None, magnitudes: bool, limit: int) -> Drawing:
    model = tree.run.model
    shut, depth = closed(tree.steps, limit)
    stands = {**stands, **{inner: step for step in shut for inner in step.within() if inner is not step}}
    frames, placed = _placed(tree, shut)
    ids = {step: f"n{i}" for i, (step, _) in enumerate(placed)}
    edges = tuple(edge for step in ids for edge in _edges(step, ids, stands))
    outputs = {ids[step] for step in tree.outputs}
    uses = Counter(edge.source for edge in edges if edge.target not in outputs)
    nodes = tuple(node_of(step, id, uses[id], tree.paths, magnitudes) for step, id in ids.items())
    members: dict[Step, list[str]] = {frame: [] for frame, _ in frames}
    for step, frame in placed:
        if frame is not None:
            members[frame].append(ids[step])
    names = {frame: f"g{i}" for i, (frame, _) in enumerate(frames)}
    groups = tuple(
        Group(
            names[frame],
            _frame_title(frame),
            tuple(members[frame]),
            parent=names[parent] if parent else "",
            lines=tuple(filter(None, map(form, frame.results))),
        )
        for frame, parent in frames
    )
    told = _folded([*(frame for frame, _ in frames), *ids], depth if shut else None)
    words = description(nodes, told, "down")
    return Drawing(_title(model) if title is None else title, words, nodes, edges, groups, folded=told, flow="down")


Placed = list[tuple[Step, "Step | None"]]


def _placed(tree: Tree, shut: set[Step]) -> tuple[Placed, Placed]:
    """The steps that become frames, outer ones first, and those that become nodes, in order; each with the frame around it.

    The model itself has none: a frame around everything would tell nothing.
    """
    frames: Placed = []
    nodes: dict[Step, Step | None] = dict.fromkeys(tree.inputs)
    waiting: Placed = [(step, None) for step in reversed([*tree.steps, *tree.outputs])]
    while waiting:
        step, around = waiting.pop()
        if step.inside and step not in shut:
            frame = None if step is tree.model else step
            if frame:
                frames.append((frame, around))
            waiting += [(inner, frame) for inner in reversed(step.inside)]
        else:
            nodes[step] = around
    return frames, list(nodes.items())


def _edges(step: Step, ids: dict[Step, str], stands: Mapping[Step, Step]) -> Iterator[Edge]:
    """The arrows to a step: to an operation one for each operand, to a module one from each source."""
    is_operation = step.kind is Kind.RESULT
    inner = [each for each in step.within() if not each.inside]
    roles = step.roles if is_operation else [""] * sum(len(each.sources) for each in inner)
    seen = set()
    for source, role in zip((x for each in inner for x in each.sources), roles, strict=True):
        while source in stands:
            source = stands[source]
        if source in ids and source is not step and (is_operation or source not in seen):
            seen.add(source)
            yield Edge(ids[source], ids[step], role, alarm=not all(map(is_finite, source.results)))


def _title(model: Module) -> str:
    return f"{type(model).__name__}, {many(sum(p.size for p in model.parameters()), 'parameter')}"


def _frame_title(step: Step) -> str:
    if step.module is None:
        return f"{step.path or says(step)}{times(step)}"
    same = f", same as {step.same_as}" if step.same_as else ""
    return entitled(step.path, f"{type(step.module).__name__}{times(step)}{same}")


def _folded(steps: list[Step], depth: int | None) -> str:
    """What was drawn as one, in words."""
    repeated = [_frame_title(step) for step in steps if step.times > 1]
    shut = [] if depth is None else [f"modules more than {depth} deep in the model are drawn without their inside"]
    return "; ".join(
        [*(["drawn once, each feeds the next: " + ", ".join(map(plain, repeated))] if repeated else []), *shut]
    )
