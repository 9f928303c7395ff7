"""decision_boundary: the regions in which a classifier of points in the plane says one class or the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError, sigmoid, softmax

from ..arguments import refusing
from ..drawing import RenderError
from ..text import data_of, plain
from .observed import Array, examples, outputs
from .style import MARKERS, Theme, axes_of, colours_of, ink_of, paper_of, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SURE, _LAYER = (0.0, 0.6, 0.75, 0.9, 0.99), 0.16  # probabilities at which a colour gets deeper, and by how much


@refusing()
def decision_boundary(
    model: Callable[[Any], Any],
    x: Any,
    y: Any = None,
    labels: Sequence[str] | None = None,
    *,
    threshold: float | None = None,
    probabilities: bool = False,
    steps: int = 200,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Draw what a classifier says everywhere in the plane around the examples, and which examples it gets wrong.

    With one score a point (a logit, a margin, a probability) the shade is the score, and the boundary is where it crosses the
    threshold; with a score for each class the region of a class is where its score is the largest. Wrong examples have a ring.
    An estimator of scikit-learn's comes by its method: clf.decision_function or clf.predict_proba.

    Args:
        model: a Module, run in evaluation mode, or a function: points (n, 2) -> scores (n,), (n, 1) or (n, classes).
        x: the examples, (n, 2). For a plane in a larger space pass a function: lambda p: model(p @ plane + centre).
        y: their classes, (n,): integers 0 to classes - 1, or -1 and 1 for one score; None to draw no examples.
        labels: names of the classes.
        threshold: of a single score; None for 0.5 if all scores are from 0 to 1, as probabilities are, else 0.
        probabilities: whether to show how sure the model is: the sigmoid of a single score, the softmax of several; scores that
            are probabilities already stay as they are. The threshold is then that of the probability.
        steps: the grid has steps × steps points.
        ax: where to draw; None for a new figure.
        theme: "light" or "dark".

    Raises:
        ShapeError: if x, y, the labels or the scores have other shapes.
        DTypeError: if classes are not integers, or x are no real numbers.
        RenderError: for fewer than 2 steps, scores that are NaN or infinite, or without matplotlib.

    >>> viz.decision_boundary(model, x, y).figure.savefig("boundary.png")  # doctest: +SKIP
    """
    points = _points(x)
    if steps < 2:
        raise RenderError(f"decision_boundary: got steps={steps}, expected at least 2")
    dtype = np.asarray(data_of(x)).dtype
    ask = partial(_ask, model, dtype if dtype.kind == "f" else np.dtype(float))
    mesh = np.meshgrid(*[_side(column, steps) for column in points.T])
    scores = ask(np.stack([m.ravel() for m in mesh], axis=1))
    if bad := int(np.sum(~np.isfinite(scores))):
        got = f"{bad:,} of {scores.size:,} scores are NaN or infinite"
        raise RenderError(f"decision_boundary: {got}, so there is no boundary")
    given = None if y is None else ask(points)
    if probabilities and not _are_probabilities(scores):
        scores, given = _probabilities(scores), None if given is None else _probabilities(given)
    if threshold is None:
        threshold = 0.5 if scores.shape[1] == 1 and scores.min() >= 0 and scores.max() <= 1 else 0.0
    classes = None if y is None else _classes(y, len(points), scores.shape[1])
    names = _names(labels, scores.shape[1])
    with styled("decision_boundary", theme) as plt:
        ax = axes_of(plt, ax, (6.8, 4.6))
        _regions(ax, mesh, scores, threshold, probabilities, theme)
        if classes is not None and given is not None:
            _examples(ax, points, classes, _decided(given, threshold), names, theme)
        elif scores.shape[1] > 1:
            for k, name in enumerate(names):
                ax.plot([], [], "s", color=_colour(k, theme), alpha=0.5, label=name)
        _finish(ax, columns=3 if probabilities or scores.shape[1] == 1 else 4)  # a bar takes room
    return ax


def _ask(model: Callable[[Any], Any], dtype: np.dtype[Any], points: Array) -> Array:
    """The scores of points, (n, classes) or (n, 1)."""
    return _scores(outputs("decision_boundary", model, points.astype(dtype)))


def _regions(ax: Axes, mesh: Any, scores: Array, threshold: float, probabilities: bool, theme: Theme) -> None:
    regions = scores.T.reshape(-1, *mesh[0].shape)
    if len(regions) == 1:
        _shade(ax, mesh, regions[0], threshold, "probability" if probabilities else "score", theme)
        return
    _fill(ax, mesh, regions, probabilities, theme)
    if probabilities:
        _sureness(ax, theme)


def _finish(ax: Axes, columns: int) -> None:
    """Names of the axes, and a legend in so many columns."""
    ax.set_xlabel("x₁")
    ax.set_ylabel("x₂")
    ax.grid(False)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)


def _points(x: Any) -> Array:
    """The examples as (n, 2)."""
    points = examples("decision_boundary", x).astype(float, copy=False)
    if points.ndim != 2 or points.shape[1] != 2:
        remedy = "pass two columns, and a function that fills in the others"
        raise ShapeError(f"decision_boundary: x has shape {points.shape}, expected (n, 2); {remedy}")
    return points


def _side(column: Array, steps: int) -> Array:
    """Places along one axis, a little beyond the examples."""
    low, high = column.min(), column.max()
    margin = 0.1 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, steps)


def _scores(given: Array) -> Array:
    """Scores as (n, classes), or (n, 1)."""
    scores = given[:, None] if given.ndim == 1 else given
    if scores.ndim != 2 or not scores.shape[1]:
        got = f"the model returned shape {given.shape}"
        raise ShapeError(f"decision_boundary: {got}, expected (n,), (n, 1) or (n, classes)")
    return scores.astype(float)


def _are_probabilities(scores: Array) -> bool:
    """Whether all scores are from 0 to 1, and of several classes add up to 1."""
    whole = scores.shape[1] == 1 or np.allclose(scores.sum(axis=1), 1, atol=1e-3)
    return bool(whole and scores.min() >= 0 and scores.max() <= 1)


def _probabilities(logits: Array) -> Array:
    """The sigmoid of a single logit, the softmax of several: (n, classes) -> (n, classes)."""
    return np.asarray(sigmoid(logits) if logits.shape[1] == 1 else softmax(logits, axis=1))


def _classes(y: Any, count: int, columns: int) -> Array:
    """The classes as integers from 0; of one score -1 and 1 as 0 and 1."""
    given = np.asarray(data_of(y))
    classes = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    if classes.shape != (count,):
        raise ShapeError(f"decision_boundary: y has shape {given.shape}, expected ({count},), a class for each example")
    if classes.dtype.kind not in "biuf" or np.any(classes != np.round(classes)):
        raise DTypeError(
            f"decision_boundary: y is of {classes.dtype}, expected integers; cast labels with .astype(int)"
        )
    classes = classes.astype(int)
    if columns == 1 and set(np.unique(classes)) <= {-1, 1}:
        classes = (classes + 1) // 2
    most = max(columns, 2)
    if classes.min() < 0 or classes.max() >= most:
        got = f"classes from {classes.min()} to {classes.max()} for {columns} score{'s' * (columns > 1)} a point"
        raise ShapeError(f"decision_boundary: got {got}, expected 0 to {most - 1}")
    return classes


def _names(labels: Sequence[str] | None, columns: int) -> list[str]:
    count = max(columns, 2)
    if labels is None:
        return [f"class {k}" for k in range(count)]
    if len(labels) != count:
        raise ShapeError(f"decision_boundary: got {len(labels)} labels, expected {count}, one for each class")
    return [plain(str(label), 24) for label in labels]


def _decided(scores: Array, threshold: float) -> Array:
    return (scores[:, 0] > threshold).astype(int) if scores.shape[1] == 1 else np.argmax(scores, axis=1)


def _colour(k: int, theme: Theme) -> str:
    colours = colours_of(theme)
    return colours[k % len(colours)]


def _shade(ax: Axes, mesh: Any, scores: Array, threshold: float, what: str, theme: Theme) -> None:
    """A single score: from the colour of class 0 over that of the paper, at the threshold, to that of class 1."""
    from matplotlib.colors import LinearSegmentedColormap

    ends = LinearSegmentedColormap.from_list("", [_colour(0, theme), paper_of(theme), _colour(1, theme)])
    far = float(f"{np.quantile(np.abs(scores - threshold), 0.98):.2g}") or 1.0  # a round number, for the bar
    levels = threshold + far * np.linspace(-1, 1, 21)
    drawn = ax.contourf(*mesh, scores, levels, cmap=ends, extend="both", alpha=0.7)
    if scores.min() < threshold < scores.max():
        ax.contour(*mesh, scores, [threshold], colors=ink_of(theme), linewidths=1.8)
    bar = ax.figure.colorbar(drawn, ax=ax, ticks=levels[::5])
    bar.set_label(f"{what}; the boundary is at {shown(threshold)}")
    bar.ax.set_yticklabels([shown(level) for level in levels[::5]])


def _fill(ax: Axes, mesh: Any, scores: Array, probabilities: bool, theme: Theme) -> None:
    """A score for each class: where its lead over the best other class is positive, the colour of the class.

    Of probabilities a layer of the colour for each of _SURE that it exceeds.
    """
    for k, own in enumerate(scores):
        lead = own - np.max(np.delete(scores, k, axis=0), axis=0)
        layers = [np.minimum(lead, own - least) for least in _SURE] if probabilities else [lead]
        for layer in layers:
            if layer.max() > 0:
                alpha = _LAYER if probabilities else 0.3
                ax.contourf(*mesh, layer, [0, layer.max()], colors=[_colour(k, theme)], alpha=alpha)
        if lead.min() < 0 < lead.max():
            ax.contour(*mesh, lead, [0], colors=ink_of(theme), linewidths=1.2)


def _sureness(ax: Axes, theme: Theme) -> None:
    """A bar that says which depth of a colour is which probability."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgb

    paper, ink = (np.array(to_rgb(colour)) for colour in (paper_of(theme), ink_of(theme)))
    depths = [1 - (1 - _LAYER) ** (k + 1) for k in range(len(_SURE))]  # of so many layers
    greys = ListedColormap([paper + depth * (ink - paper) for depth in depths])
    edges = [*_SURE, 1.0]
    mapped = ScalarMappable(BoundaryNorm(edges, len(_SURE)), greys)
    bar = ax.figure.colorbar(mapped, ax=ax, ticks=edges, spacing="uniform")
    bar.set_label("probability of the class that is the most probable")
    bar.ax.set_yticklabels([shown(edge) for edge in edges])


def _examples(ax: Axes, points: Array, classes: Array, said: Array, names: list[str], theme: Theme) -> None:
    for k, name in enumerate(names):
        marker = MARKERS[(k + k // len(MARKERS)) % len(MARKERS)]
        own = points[classes == k]
        if len(own):
            ax.plot(*own.T, marker, color=_colour(k, theme), markersize=5.5, mec=paper_of(theme), mew=0.6, label=name)
    if np.any(wrong := said != classes):
        label = f"wrong: {np.count_nonzero(wrong)} of {len(points)}"
        ax.plot(*points[wrong].T, "o", color=ink_of(theme), markersize=11, fillstyle="none", label=label)
