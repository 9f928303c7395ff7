"""descent: the paths of optimisers over contour lines, step by step, as a GIF or as a page with controls."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path as File
from string import Template
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import ShapeError

from ..animated import Animation
from ..arguments import refusing
from ..drawing import RenderError
from ..pages import bundle, contents, document, module, player
from . import contour as contours
from . import path as routes
from .contour import legend_beside
from .field import Array, Field, Limits, count
from .levels import Scale, levels_of, scale_of
from .path import Path, Paths
from .style import Theme, axes_of, colours_of, paper_of, shown, styled
from .terrain import terrain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_FRAMES = 80
_LAST = 1.5  # seconds that the last frame of a GIF stays
_DPI = 110
_POINTS = 121  # of each axis, where f is evaluated
_HEIGHT = 640  # of its page in a notebook, in pixels
_TITLE = "Descent, step by step"


@refusing(file="descent(f, paths).save(file) writes the file")
def descent(
    f: Callable[..., Any],
    paths: Paths,
    *,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    levels: int | Sequence[float] = 10,
    scale: Scale = "auto",
    fps: int = 6,
    title: str = "",
    theme: Theme = "light",
) -> Animation:
    """Animate the paths of optimisers over the contour lines of a function.

    `save("descent.html")` writes a page that is complete in itself, and can be played, paused and gone through by steps; it does
    not move by itself if the reader's system asks for reduced motion. `save("descent.gif")` writes a GIF, which repeats. Equal
    arguments give equal files. f is called now, not when the file is written.

    Args:
        f: f(x, y) of two numbers, or f(p) of an array of shape (2,).
        paths: from `nn.optim.trace`: one, or {name: path}; or arrays of shape (points, 2).
        xlim, ylim: from where to where; None for the range of the paths and a margin.
        levels, scale: as for `contour`.
        fps: frames, each one step, in a second. Of long paths a GIF shows every second step, every third, and so on.
        title: stands above the picture.
        theme: "light" or "dark".

    Raises:
        DTypeError, ShapeError: if an argument or a result of f is not as described.
        RenderError: if every path diverges, or matplotlib is missing.

    >>> from nn.optim import SGD, trace
    >>> bowl = lambda x, y: x**2 + 8 * y**2
    >>> path = trace(bowl, (-4.0, 2.0), lambda p: SGD(p, lr=0.1), 20)
    >>> descent(bowl, {"SGD": path}).save("descent.gif")  # doctest: +SKIP
    """
    field = Field("descent", f, 2)
    read = routes.judged(routes.read("descent", paths, 2), field.values)
    if not read:
        raise ShapeError("descent: got no paths, expected one of nn.optim.trace, or {name: path}")
    across = _range(read, 0) if xlim is None else xlim
    along = _range(read, 1) if ylim is None else ylim
    rate = count("descent", "fps", fps, 1)
    with styled("descent", theme):  # a missing matplotlib, or an unknown theme, is known before the work
        land = terrain("descent", field, across, along, _POINTS)
    levels_of("descent", land.z, levels, scale_of("descent", land.z, scale))  # refuses what they cannot be
    values = [field.values(*path.points.T) for path in read]

    @contextmanager
    def ground(width: float, height: float) -> Iterator[Axes]:
        with styled("descent", theme) as plt:
            ax = axes_of(plt, None, (width, height))
            try:
                yield contours.plot("descent", land, [], levels, scale, None, ax, theme)
            finally:
                plt.close(ax.figure)

    def page() -> str:
        with ground(5.2, 4.2) as ax:  # inches; the page fits a phone
            return _page(ax, field.name, read, values, rate, title, theme)

    def film() -> bytes:
        with ground(7.0, 4.6) as ax:
            return _gif(ax, read, rate, title, theme)

    return Animation(title or _TITLE, _last(read), _HEIGHT, page, film)


def _last(read: list[Path]) -> int:
    """The number of the last step, from 0."""
    return max(len(path.points) for path in read) - 1


def _range(read: list[Path], variable: int) -> Limits:
    """The range of the paths that do not diverge, with a margin."""
    kept = [path.points[:, variable] for path in read if not path.diverges]
    if not kept:
        raise RenderError("descent: every path diverges; choose what to show by xlim= and ylim=")
    values = np.concatenate(kept)
    low, high = float(values.min()), float(values.max())
    margin = 0.2 * (high - low) or 1.0
    return low - margin, high + margin


def _gif(ax: Axes, read: list[Path], fps: int, title: str, theme: Theme) -> bytes:
    """A frame for each step, or for every second one, and so on; the last one stays for longer."""
    from matplotlib.animation import PillowWriter

    last = _last(read)
    steps = [*range(0, last, -(-last // _MOST_FRAMES) or 1), last]
    figure: Any = ax.figure
    figure.set_dpi(_DPI)
    below = len(ax.lines)
    _frame(ax, read, last, theme)
    legend_beside(ax)
    ax.set_title(_caption(title, last))
    figure.canvas.draw()
    figure.set_layout_engine("none")
    caption = _flatten(ax, ax.lines[below:])
    with TemporaryDirectory() as folder:
        draft = File(folder) / "descent.gif"
        writer = PillowWriter(fps=fps)
        writer.setup(figure, str(draft), dpi=_DPI)
        for step in [*steps, *[last] * round(_LAST * fps)]:
            for line in list(ax.lines):
                line.remove()
            _frame(ax, read, step, theme)
            caption.set_text(_caption(title, step))
            writer.grab_frame()
        writer.finish()
        return draft.read_bytes()


def _flatten(ax: Any, lines: Any) -> Any:
    """Replace all but the lines by a picture of it, as drawing it anew took most of the time of a frame; returns a caption."""
    figure, title = ax.figure, ax.title
    for line in lines:
        line.remove()
    place = figure.transFigure.inverted().transform(title.get_window_extent().get_points().mean(axis=0))
    title.set_visible(False)
    figure.canvas.draw()
    ground = np.array(figure.canvas.buffer_rgba())
    for artist in ax.get_children():
        artist.set_visible(False)
    ax.set_axis_off()
    figure.figimage(ground, zorder=-1)
    return figure.text(*place, "", ha="center", va="center", fontsize=title.get_fontsize())


def _frame(ax: Axes, read: list[Path], step: int, theme: Theme) -> None:
    """The paths up to a step."""
    routes.draw(ax, read, [list(path.points[: step + 1].T) for path in read], theme, ax.get_xlim(), ax.get_ylim())


def _caption(title: str, step: int) -> str:
    return f"{title}: step {step}" if title else f"step {step}"


def _page(ax: Axes, function: str, read: list[Path], values: list[Array], fps: int, title: str, theme: Theme) -> str:
    """The page: the contour lines as a picture, and over it the paths, which its script draws."""
    figure: Any = ax.figure
    figure.canvas.draw()
    width, height = figure.get_size_inches() * 100  # a viewBox of round numbers
    scale = np.array([width, height]) / figure.bbox.size
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=144, metadata={"Software": None})
    (left, bottom), (right, top) = ax.get_window_extent().get_points() * scale
    limits = (ax.get_xlim(), ax.get_ylim())
    data = {
        "fps": fps,
        "colours": colours_of(theme),
        "paper": paper_of(theme),
        "paths": [_route(ax, path, on, limits, scale, height) for path, on in zip(read, values, strict=True)],
    }
    text = title or _TITLE
    body = Template(contents("plots/descent.html")).substitute(
        description=escape(f"{text}: contour lines of {function}, and the paths of {', '.join(p.name for p in read)}"),
        player=player(),
        width=round(width),
        height=round(height),
        picture=base64.b64encode(picture.getvalue()).decode(),
        clip=f'x="{left:.1f}" y="{height - top:.1f}" width="{right - left:.1f}" height="{top - bottom:.1f}"',
    )
    return document(
        title=text,
        body=body,
        style=contents("plots/descent.css"),
        script=bundle("plots/descent.js", {"plots/routes.js": module(DATA=data)}),
        theme=theme,
    )


def _route(
    ax: Axes, path: Path, values: Array, limits: tuple[Limits, Limits], scale: Array, height: float
) -> dict[str, Any]:
    """A path as the page's script reads it: places in the picture, and the numbers at each as text."""
    places = ax.transData.transform(path.points) * scale
    return {
        "name": path.label(*limits),
        "places": [[round(float(x), 1), round(float(height - y), 1)] for x, y in np.clip(places, -1e5, 1e5)],
        "points": [f"({shown(x)}, {shown(y)})" for x, y in path.points],
        "values": [shown(value) for value in values],
    }
