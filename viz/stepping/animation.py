"""animate: a recorded expression computed step by step, and its gradients on their way back, as a GIF or as a page."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from math import isfinite
from string import Template
from textwrap import wrap
from typing import Any, Literal

from tinygrad_edu import DTypeError, GraphError, Value

from ..animated import Animation
from ..arguments import refusing
from ..drawing import Drawing, Kind, RenderError
from ..drawings.paths import factor
from ..pages import bundle, contents, document, graph_style, markers, module, player
from ..reading.names import check
from ..reading.recorded import recorded
from ..text import minus, number, plain
from ..theme import DARK_PAPER, INK, PAGE, PAPER, painted
from ..writing import layout as layouts
from ..writing import render
from ..writing.dot import dot
from ..writing.finish import Finish
from ..writing.layout import Layout
from ..writing.placing import placed
from ..writing.rows import wrapped
from .slots import opened, slotted
from .trace import NodeData, Numbers, Share, Trace, trace

_MOST_NODES = 60  # that an audience can follow
_SECONDS = 0.05, 60.0
_LAST = 3  # times as long as the others the last frame stays
_UNKNOWN = "?"  # in place of a number
_SPACE = "\u00a0"
_NARROW, _WIDE = 'WIDTH="48"', 'WIDTH="96"'  # of cells for numbers: room for -1.234e-05, so that boxes keep their size
_LONG, _RATIO = 1_300.0, 16 / 9  # points; a longer graph is wrapped for a slide
_PIXELS, _DPI = 1_400, 120  # most dots across a GIF, and most dots per inch
_HEIGHT = 620  # of its page in a notebook, in pixels
_LETTER = 8.4  # points of a caption's letter


@refusing(path="animate(y).save(path) writes the file")
def animate(
    output: Value,
    *,
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
    seconds: float = 1.5,
    theme: Literal["light", "dark"] = "light",
) -> Animation:
    """Animate forward and backward pass of an expression; `save("backprop.gif")` writes it as a GIF, "backprop.html" as a page.

    The values appear in the order of their computation, then each operation passes its gradient back; a caption spells each
    step, such as "dy/da += dy/dv1 · ∂v1/∂a = 0.5 · (−3) = −1.5". The page can be paused and gone through by steps, and does
    not move by itself if the reader's system asks for reduced motion. A GIF repeats. Equal arguments give equal files.
    The `.grad` of all Values stays as it is; hooks run, as in any backward pass.

    Args:
        output: the result, a single number, of at most 60 recorded nodes.
        names: what Values and arrays are called, such as locals(); the name that a Value carries itself comes first.
        title: stands above the picture.
        seconds: how long a step stays, from 0.05 to 60; the last one three times as long.
        theme: "light" or "dark".

    Raises:
        DTypeError: if an argument is of another type.
        ShapeError: if the result is not a single number; animate its .sum().
        GraphError: if nothing requires grad, the graph is too large or was released, or a leaf was changed in place meanwhile.
        RenderError: if no Graphviz works.
    """
    check(names, title, "animate")
    if not isinstance(output, Value):
        raise DTypeError(f"animate: got {type(output).__name__}, expected a Value; of a model give its loss")
    low, high = _SECONDS
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, (int, float))
        or not isfinite(seconds)
        or not low <= seconds <= high
    ):
        raise DTypeError(f"animate: got seconds={seconds!r}, expected a number from {low:g} to {high:g}")
    if theme not in ("light", "dark"):
        raise DTypeError(f"animate: got theme={theme!r}, expected 'light' or 'dark'")
    count = len(recorded(output, numbers_inside=False).items)
    if count > _MOST_NODES:
        raise GraphError(
            f"animate: got a graph of {count:,} nodes, expected at most {_MOST_NODES}; animate a smaller part, or write a page "
            "by viz.step"
        )
    story = trace(output, names, title)
    if not story.backward:
        raise GraphError(
            "animate: got a Value that was not computed from one that requires grad, so there are no steps"
        )
    frames = _frames(story)
    return Animation(
        _title(story),
        len(frames) - 1,
        _HEIGHT,
        page=lambda: _page(story, frames, seconds, theme),
        film=lambda: _gif(story, frames, seconds, theme),
    )


@dataclass(frozen=True)
class _Frame:
    """What one step shows.

    Args:
        caption: the step in words.
        known: the nodes whose value is known.
        gradients: by node, so far.
        now: the node that gets a number; None at the start and at the end.
        edges: the arrows that it comes along.
        backward: whether it comes against them.
    """

    caption: str
    known: frozenset[int]
    gradients: Mapping[int, Numbers]
    now: int | None = None
    edges: tuple[int, ...] = ()
    backward: bool = False


def _frames(story: Trace) -> list[_Frame]:
    """The steps of a trace, each with all that is known by then."""
    nodes, last = story.nodes, story.forward[-1]
    into: dict[int, list[int]] = {i: [] for i in range(len(nodes))}
    ids = [node.id for node in story.drawing.nodes]
    for k, edge in enumerate(story.drawing.edges):
        into[ids.index(edge.target)].append(k)
    computed = set(story.forward)
    known = frozenset(range(len(nodes))) - computed
    inputs = [
        f"{node.label} = {_shown(node)}" for i, node in enumerate(nodes) if i in known and node.label != _shown(node)
    ]
    frames = [_Frame(f"Inputs: {_some(inputs)}", known, {})]
    for i in story.forward:
        known |= {i}
        frames.append(_Frame(f"Forward: {_computed(story, i)}", known, {}, i, tuple(into[i])))
    gradients: dict[int, Numbers] = {last: nodes[last].gradient or (1.0,)}
    name = nodes[last].label
    frames.append(_Frame(f"Backward begins: {_d(name, name)} = 1", known, dict(gradients), last, (), backward=True))
    for share in story.backward:
        first = share.source not in gradients
        gradients[share.source] = share.total
        along = (into[share.result][share.operand],)
        caption = _passed(story, share, first)
        frames.append(_Frame(caption, known, dict(gradients), share.source, along, backward=True))
    found = [
        f"{_d(name, node.label)} = {_numbers(node.gradient)}"
        for i, node in enumerate(nodes)
        if i not in computed and node.gradient
    ]
    return [*frames, _Frame(f"The gradients: {_some(found)}", known, dict(gradients), backward=True)]


def _some(texts: Sequence[str], most: int = 6) -> str:
    return ", ".join(texts[:most]) + (", …" if len(texts) > most else "")


def _computed(story: Trace, i: int) -> str:
    """v1 = a × b = 2 × (−3) = −6"""
    node = story.nodes[i]
    operands = [story.nodes[k] for k in node.inputs]
    parts = [node.label, _filled(node.text, [x.label for x in operands])]
    if not any(x.form for x in (node, *operands)):
        parts.append(_filled(node.text, [_shown(x) for x in operands]))
    return " = ".join(dict.fromkeys([*parts, _shown(node)]))


def _passed(story: Trace, share: Share, first: bool) -> str:
    """dy/da += dy/dv1 · ∂v1/∂a = 0.5 · (−3) = −1.5; together 2"""
    output, result, source = (story.nodes[i] for i in (story.forward[-1], share.result, share.source))
    incoming = _d(output.label, result.label)
    labels = [story.nodes[k].label for k in result.inputs]
    parts = [f"{_d(output.label, source.label)} += "]
    if share.factor is not None:
        numbers = factor(_numbers(result.gradient)), factor(_numbers((share.factor,)))
        parts.append(f"{incoming} · {_d(result.label, source.label, '∂')} = {' · '.join(numbers)} = ")
    elif share.is_factor:
        parts.append(f"{incoming} · ({_filled(share.rule, labels, result.label)}): ")
    elif share.rule:
        parts.append(f"{_filled(share.rule, labels, result.label)} where g = {incoming}: ")
    parts.append(minus(share.share_listed) or _numbers(share.share))
    if not first:
        parts.append(f"; together {minus(share.total_listed) or _numbers(share.total)}")
    return "".join(parts)


def _d(of: str, by: str, d: str = "d") -> str:
    """dy/da, and d loss/d v1 of longer names."""
    return "/".join(f"{d}{x}" if len(x) == 1 or re.fullmatch(r"[a-z]\d{1,2}", x) else f"{d} {x}" for x in (of, by))


def _filled(template: str, operands: Sequence[str], y: str = "") -> str:
    """A template such as "{0} × {1}" with its places filled; a negative number in brackets, except alone in brackets."""
    template = minus(template)
    known = {str(k): text for k, text in enumerate(operands)} | {"y": y}

    def fill(match: re.Match[str]) -> str:
        text = known.get(match[1], match[0])
        before, after = template[: match.start()], template[match.end() :]
        alone = re.search(r"(^|[(|⌊⌈]|, )$", before) and re.match(r"$|[)|⌋⌉,]", after)
        return text if alone else factor(text)

    return re.sub(r"\{(\w)\}", fill, template)


def _shown(node: NodeData) -> str:
    return minus(node.value_listed) or (node.form if len(node.value) > 1 else _numbers(node.value))


def _numbers(numbers: Numbers | None) -> str:
    """A number; of an array its mean, least and largest."""
    if not numbers:
        return ""
    texts = [number(x) for x in numbers]
    return texts[0] if len(texts) == 1 else "mean {}, min {}, max {}".format(*texts)


# -- As a GIF ----------------------------------------------------------------------------------------------------------


def _gif(story: Trace, frames: list[_Frame], seconds: float, theme: Literal["light", "dark"]) -> bytes:
    """Each frame drawn by Graphviz in one layout."""
    try:
        from PIL import Image
        from PIL.PngImagePlugin import PngImageFile
    except ImportError:
        raise RenderError(
            "animate: Pillow is missing for a GIF; pip install 'tinygrad-edu[plot]', or write .html"
        ) from None
    layout = _layout(_at(story, frames[-1]))
    width = max(layout.size()[0], 460.0)
    captions = [wrap(plain(frame.caption, 400), int(width / _LETTER)) for frame in frames]
    lines = max(map(len, captions))
    dpi = min(_DPI, int(72 * _PIXELS / width))
    images = []
    for frame, caption in zip(frames, captions, strict=True):
        drawing = _at(story, frame)
        marked = _marked(drawing, frame, layout, theme) | {"": {"label": _label(drawing, caption, lines, width, theme)}}
        source = dot(drawing, dpi, theme=theme, places=marked).replace(_NARROW, _WIDE)
        images.append(PngImageFile(io.BytesIO(render.render(source, "png", is_placed=True))).convert("RGB"))
    size = max(image.width for image in images), max(image.height for image in images)
    paper = PAPER if theme == "light" else DARK_PAPER
    sheets = []
    for image in images:
        sheet = Image.new("RGB", size, paper)
        sheet.paste(image, ((size[0] - image.width) // 2, size[1] - image.height))
        sheets.append(sheet)
    few = [sheets[1], sheets[len(sheets) // 2], sheets[-2]]  # both passes, for their colours
    sample = Image.new("RGB", (size[0], 3 * size[1]))
    for k, sheet in enumerate(few):
        sample.paste(sheet, (0, k * size[1]))
    palette = sample.quantize(255)
    flat = [sheet.quantize(palette=palette, dither=Image.Dither.NONE) for sheet in sheets]
    colours = palette.getpalette() or []
    ground = 3 * flat[0].tobytes()[0]  # the corner's
    colours[ground : ground + 3] = [
        int(paper[i : i + 2], 16) for i in (1, 3, 5)
    ]  # exactly: it covers most of the picture
    for image in flat:
        image.putpalette(colours)
    durations = [round(1000 * seconds)] * (len(frames) - 1) + [round(1000 * seconds * _LAST)]
    made = io.BytesIO()
    flat[0].save(made, "GIF", save_all=True, append_images=flat[1:], duration=durations, loop=0)
    return made.getvalue()


def _layout(drawing: Drawing) -> Layout:
    """Where all stands; a long graph in rows."""
    source = dot(replace(drawing, title="")).replace(_NARROW, _WIDE)
    layout = layouts.read(render.render(source, "json0"), drawing.flow, {})
    return wrapped(layout, _RATIO, Layout.size) if layout.size()[0] > _LONG else layout


def _at(story: Trace, frame: _Frame) -> Drawing:
    """The drawing with the numbers that are known, and a question mark for those that are not."""
    nodes = []
    for i, (node, data) in enumerate(zip(story.drawing.nodes, story.nodes, strict=True)):
        blank = replace(node, notes=(), uses=0, name=data.label)
        if node.kind is Kind.CONSTANT:
            nodes.append(replace(blank, name=data.label if node.form else ""))
            continue
        value = node.value if i in frame.known else (_UNKNOWN,) * len(node.value)
        found = frame.gradients.get(i)
        gradient = tuple(map(number, found)) if found is not None else (_UNKNOWN,) * len(data.gradient or ())
        nodes.append(replace(blank, value=value, gradient=gradient))
    return replace(story.drawing, nodes=tuple(nodes))


def _marked(
    drawing: Drawing, frame: _Frame, layout: Layout, theme: Literal["light", "dark"]
) -> dict[str, dict[str, str]]:
    """The places, and how this frame looks: what is not yet computed is pale, the arrows and the node of the step are thick."""
    lines = {
        id: line.headed_back() if frame.backward and int(id[1:]) in frame.edges else line
        for id, line in layout.lines.items()
    }
    marked = layouts.attributes(replace(layout, lines=lines))
    colour = PAGE["backward" if frame.backward else "forward"][theme == "dark"]
    for i, node in enumerate(drawing.nodes):
        if i not in frame.known:
            marked[node.id] |= {"fillcolor": PAPER if theme == "light" else DARK_PAPER, "style": "filled,dashed"}
        if i == frame.now:
            marked[node.id] |= {"color": colour, "penwidth": "4"}
    for k in frame.edges:
        marked[f"e{k}"] |= {"color": colour, "penwidth": "3"}
        if frame.backward:
            marked[f"e{k}"]["dir"] = "back"
    return marked


def _label(drawing: Drawing, caption: list[str], lines: int, width: float, theme: Literal["light", "dark"]) -> str:
    """Title and caption, as high and as wide in every frame."""
    rows = [f"<B>{escape(plain(drawing.title, 100))}</B>"] if drawing.title else []
    rows += [f'<FONT POINT-SIZE="14">{escape(line)}</FONT>' for line in [*caption, *[_SPACE] * (lines - len(caption))]]
    cells = "".join(f'<TR><TD WIDTH="{round(width)}">{row}</TD></TR>' for row in rows)
    label = f'<<FONT COLOR="{INK}"><TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">{cells}</TABLE></FONT>>'
    return str(painted(theme, {"label": label})["label"])


# -- As a page ---------------------------------------------------------------------------------------------------------


def _page(story: Trace, frames: list[_Frame], seconds: float, theme: Literal["light", "dark"]) -> str:
    """The page: one picture with slots for numbers, and for each step what is known by then."""
    drawing = slotted(story)
    layout = layouts.read(render.render(dot(drawing), "json0"), drawing.flow, {})
    finish = Finish(theme, _RATIO if layout.size()[0] > _LONG else None)
    shown, places = placed(drawing, finish, lambda source: render.render(source, "json0"))
    picture = opened(render.svg(shown, finish=Finish(theme), places=places))
    data = {
        "ids": [node.id for node in drawing.nodes],
        "values": [[number(x) for x in node.value] for node in story.nodes],
        "seconds": seconds,
        "frames": [
            {
                "caption": frame.caption,
                "pending": sorted(set(range(len(drawing.nodes))) - frame.known),
                "gradients": {str(i): [number(x) for x in found] for i, found in frame.gradients.items()},
                "now": frame.now,
                "edges": frame.edges,
                "way": "behind" if frame.backward else "ahead",
            }
            for frame in frames
        ],
    }
    return document(
        title=_title(story),
        body=Template(contents("stepping/animation.html")).substitute(
            markers=markers(), picture=picture, player=player()
        ),
        style=graph_style() + contents("stepping/animation.css"),
        script=bundle("stepping/animation.js", {"stepping/frames.js": module(DATA=data)}),
        theme=theme,
    )


def _title(story: Trace) -> str:
    return plain(story.drawing.title or "Backpropagation, step by step", 200)
