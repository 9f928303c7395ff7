"""Paths over functions: reading them from what users give, and drawing them. Each segment is a step; start and end are marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from tinygrad_edu import DTypeError, ShapeError, tree_map

from ..text import plain
from .field import LARGEST, Array, Limits
from .style import DASHES, MARKERS, Theme, colours_of, ink_of, paper_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nn.optim import Trace

Paths: TypeAlias = "Trace | Array | tuple[Array, ...] | Mapping[str, Any] | None"

_MARKS = 40  # of a path, about: more would hide the paths below
_FEW = 4  # steps, of which nothing is said
_WIDER = 1.0  # points, each path than the next one, which is drawn over it


class Path(NamedTuple):
    """A path as it is drawn.

    Attributes:
        name: as the user gave it.
        points: those that are finite, (points, variables).
        diverges: whether it goes on to infinity or NaN, or is on the way.
        note: about it, for the legend.
    """

    name: str
    points: Array
    diverges: bool
    note: str = ""

    def label(self, *limits: Limits) -> str:
        """The name, with notes: whether the path diverges, ends outside of the picture, or was outside in between."""
        lows, highs = np.array(limits[: self.points.shape[1]]).T
        outside = ((self.points < lows) | (self.points > highs)).any(axis=1)
        left = "leaves the picture" if outside[-1] else "partly outside the picture" if outside.any() else ""
        notes = [note for note in (self.note, "diverges" if self.diverges else left) if note]
        return plain(self.name) + (f" ({', '.join(notes)})" if notes else "")


def read(caller: str, given: Paths, variables: int) -> list[Path]:
    """Paths by name, or a single one: Traces, arrays of shape (points, variables), or a tuple of an array for each variable.

    Raises DTypeError or ShapeError, in the name of `caller`, if they are something else.
    """
    if given is None:
        return []
    named = given if isinstance(given, Mapping) else {"path": given}
    return [_path(caller, str(name), one, variables) for name, one in named.items()]


def judged(paths: list[Path], f: Callable[..., Array]) -> list[Path]:
    """The paths, those marked that diverge though they are finite: their last step is the longest, and f is higher there."""
    return [path._replace(diverges=path.diverges or _grows(path.points, f)) for path in paths]


def _grows(points: Array, f: Callable[..., Array]) -> bool:
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    if len(steps) < _FEW or steps[-1] < steps.max() or steps[-1] <= steps[0]:
        return False
    first, last = f(*points[[0, -1]].T)
    return bool(last > first)


def _path(caller: str, name: str, given: Any, variables: int) -> Path:
    from nn.optim import Trace  # here, as drawing Values needs no networks

    tree = given.parameters if isinstance(given, Trace) else given
    expected = f"a Trace of nn.optim.trace, or points of shape (points, {variables})"
    columns: list[Any] = [tree]
    if not isinstance(tree, np.ndarray):
        columns = []
        tree_map(columns.append, tree)
    try:
        arrays = [np.asarray(column, float) for column in columns]
        if isinstance(tree, list):  # of points
            arrays = [np.asarray(tree, float)]
    except (TypeError, ValueError):
        raise DTypeError(f"{caller}: path {name!r} is a {type(given).__name__}, expected {expected}") from None
    shapes = [array.shape for array in arrays]
    if len(arrays) == variables and len(set(shapes)) == 1 and len(shapes[0]) == 1:
        points = np.stack(arrays, axis=1)
    elif len(arrays) == 1 and len(shapes[0]) == 2:
        points = arrays[0]
    else:
        raise ShapeError(
            f"{caller}: path {name!r} has shape {shapes[0] if len(shapes) == 1 else shapes}, expected {expected}"
        )
    if points.shape[1] != variables or not len(points):
        raise ShapeError(f"{caller}: path {name!r} has shape {points.shape}, expected {expected}")
    good = (np.abs(points) < LARGEST).all(axis=1)
    end = len(points) if good.all() else int(np.argmin(good))
    if not end:
        raise ShapeError(f"{caller}: path {name!r} begins at {points[0]}, expected finite numbers")
    return Path(name, points[:end], end < len(points))


def draw(
    ax: Axes | Any,
    paths: list[Path],
    lines: list[list[Array]],
    theme: Theme,
    *limits: Limits,
    first: int = 0,
) -> None:
    """Draw paths, each along the columns of coordinates in `lines`: two on plane Axes, three in space.

    Where paths coincide the lower one is seen, as it is wider. Of a long path every second or third step is marked, and so on.

    Args:
        first: the number of the first path's colour, dashes and marks.
    """
    from matplotlib.patheffects import Normal, Stroke

    colours = colours_of(theme)
    ink, paper = ink_of(theme), paper_of(theme)
    intervals = [max(len(path.points) // _MARKS, 1) for path in paths]
    differ = len(set(intervals)) > 1
    for k, (path, line, every) in enumerate(zip(paths, lines, intervals, strict=True), first):
        colour, marker = colours[k % len(colours)], MARKERS[k % len(MARKERS)]
        style: dict[str, Any] = {"color": colour, "zorder": 5}
        above = len(paths) - 1 - (k - first)
        width = 1.6 + _WIDER * above
        (drawn,) = ax.plot(
            *line, ls=DASHES[k % len(DASHES)], marker=marker, ms=4, markevery=(k % every, every), lw=width,
            label=path.label(*limits) + (f", a mark every {every} steps" if differ and every > 1 else ""), **style,
        )  # fmt: skip
        drawn.set_path_effects([Stroke(linewidth=width + 1.4, foreground=paper), Normal()])
        ends: dict[str, Any] = {"ls": "", "mec": colour, "zorder": 6, "label": "_"}
        ax.plot(*[column[:1] for column in line], marker="o", ms=9, mfc=paper, mew=2, **ends)
        if len(line[0]) > 1:
            ax.plot(*[column[-1:] for column in line], marker="*", ms=14, mfc=colour, **(ends | {"mec": paper}))
    if paths:
        nowhere: list[Any] = [[] for _ in lines[0]]
        ax.plot(*nowhere, ls="", marker="o", ms=9, mfc=paper, mec=ink, mew=2, label="start")
        ax.plot(*nowhere, ls="", marker="*", ms=14, mfc=ink, mec=paper, label="end")
        if not differ and intervals[0] > 1:
            ax.plot(*nowhere, ls="", label=f"a mark every {intervals[0]} steps")
