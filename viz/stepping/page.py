"""The page that steps through an expression: one HTML file, complete in itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from string import Template
from typing import TYPE_CHECKING, Any, ClassVar

from tinygrad_edu import Value

from ..arguments import check_subject, refusing
from ..document import Illustrated
from ..drawing import Drawing
from ..exploring.page import groups
from ..pages import bundle, contents, document, graph_style, markers, module
from ..reading.names import check
from ..text import many, plain
from ..writing import render
from .grid import grid
from .slots import filled, opened, slotted
from .trace import Trace, trace

if TYPE_CHECKING:
    from nn import Module

_MOST_DRAWN = 300  # nodes that Graphviz lays out in a second or two, and that a reader can follow along arrows
_MOST_IN_LAYERS = 1_000
_MOST_STRETCH = 300  # levels that arrows pass; a recurrent layer's weights reach into all of its steps
_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True, repr=False)
class Walkthrough(Illustrated):
    """The forward and the backward pass of an expression or a model, step by step: a web page, and a picture of the graph.

    `save(path)` writes the page (.html) or the picture (.svg). At the end of a notebook's cell it shows the page in a frame, and
    where frames are removed (a notebook that is not trusted) the picture; see `Picture`.

    Args:
        trace: the steps, as data.
    """

    trace: Trace
    _beside: ClassVar[int] = 480

    @refusing()
    def html(self) -> str:
        """The web page as text, complete in itself. Raises RenderError if no Graphviz works."""
        return page(self.trace)

    def svg(self) -> str:
        """The graph with all values and gradients, as an SVG element. Raises RenderError if no Graphviz works."""
        drawing = filled(self.trace)
        return render.svg(drawing) if _is_drawn(drawing) else grid(drawing)

    def _writers(self) -> dict[str, Callable[[], str | bytes]]:
        return {".html": self.html, ".svg": self.svg}

    def __repr__(self) -> str:
        story = self.trace
        return f"<Walkthrough of {many(len(story.forward), 'operation')} and {many(len(story.backward), 'share')} of gradients>"

    def _title(self) -> str:
        return _title(self.trace)


@refusing(
    path="step(...).save(path) writes the file",
    inputs="the inputs stand after the model: step(model, x, loss=...)",
)
def step(
    what: Value | Module,
    *inputs: Any,
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
    loss: Callable[[Any], Value] | None = None,
) -> Walkthrough:
    """Go through forward and backward pass, step by step: a web page for the notebook or, by `save("step.html")`, a file.

    Of an expression each operation is a step; of a model each layer, until the reader opens it. The page works offline. It
    shows each operation's rule with its numbers, how gradients add up where a Value is used several times, and asks for them
    in its practice mode. Of single numbers the inputs can be changed in the page. Backward runs once to know the gradients
    (hooks run with it); the `.grad` of all Values stays as it is.

    Args:
        what: the result, a single number; or a Module, which is run once, in the mode that it is in, and left as it was.
        inputs: of a Module, what to call it with.
        names: what Values and arrays are called, such as locals(); the name that a Value carries itself comes first.
        title: stands above the page.
        loss: of a Module, makes a single number of what it returns, such as lambda y: cross_entropy(y, labels).

    Raises:
        DTypeError: if an argument is of another type.
        ShapeError: if the result is not a single number; step through its .sum(), or give a `loss`.
        GraphError: if nothing requires grad, the graph was released, or a leaf was changed in place meanwhile.
        Exception: what the run of a Module raises.
    """
    check_subject("step", what, inputs, loss)
    check(names, title, "step")
    if isinstance(what, Value):
        return Walkthrough(trace(what, names, title))
    from .calls import trace_of_model  # here, as stepping through Values needs no networks

    return Walkthrough(trace_of_model(what, inputs, loss, names, title))


def page(story: Trace) -> str:
    """The whole page as text. The same expression gives the same text."""
    known = [] if story.fixed else list(dict.fromkeys(node.formula for node in story.nodes if node.formula))
    numbered = {formula: i for i, formula in enumerate(known)}
    data = {
        "nodes": [asdict(node) | {"formula": numbered.get(node.formula, -1)} for node in story.nodes],
        "ids": [node.id for node in story.drawing.nodes],
        "forward": story.forward,
        "backward": [asdict(share) for share in story.backward],
        "fixed": story.fixed,
        "picture": groups(story.drawing),
    }
    body = Template(contents("stepping/page.html")).substitute(
        expression=story.expression, markers=markers(), graph=_graph(story)
    )
    return document(
        title=_title(story),
        body=body,
        style=graph_style() + contents("stepping/page.css"),
        script=bundle(
            "stepping/model.js" if story.drawing.groups else "stepping/operations.js",
            {"stepping/trace.js": module(TRACE=data), "stepping/formulas.js": _formulas(known)},
        ),
    )


def _formulas(known: list[str]) -> str:
    """A module with the formulas of operations, which their nodes number."""
    needs = 'import {np} from "./functions.js";\n\n' if known else ""
    return needs + "export const FORMULAS = [\n" + "".join(f"  {formula},\n" for formula in known) + "];\n"


def _title(story: Trace) -> str:
    return plain(story.drawing.title or "Backpropagation, step by step", _LONGEST_TITLE)


def _is_drawn(drawing: Drawing) -> bool:
    """Whether Graphviz lays the graph out in a few seconds: closed layers are read at once, but long arrows take their time."""
    if not drawing.groups:
        return len(drawing.nodes) <= _MOST_DRAWN
    return len(drawing.nodes) <= _MOST_IN_LAYERS and _stretch(drawing) <= _MOST_STRETCH


def _stretch(drawing: Drawing) -> int:
    """How many levels the arrows from leaves pass together; a leaf stands just before what uses it first."""
    sources: dict[str, list[str]] = {node.id: [] for node in drawing.nodes}
    for edge in drawing.edges:
        sources[edge.target].append(edge.source)
    levels: dict[str, int] = {}
    users: dict[str, list[int]] = {id: [] for id, given in sources.items() if not given}
    for id, given in sources.items():
        levels[id] = 1 + max((levels[x] for x in given), default=-1)
        for x in given:
            if x in users:
                users[x].append(levels[id])
    return sum(level - min(passed) for passed in users.values() for level in passed)


def _graph(story: Trace) -> str:
    """The graph with a slot for each number, which the page fills."""
    drawing = slotted(story)
    svg = opened(render.svg(drawing, handles=True) if _is_drawn(drawing) else grid(drawing))
    return svg.replace('role="img"', 'role="group" aria-labelledby="graph-title"', 1)
