"""fitted: examples of one input, what models predict for them, the truth behind them, and the residuals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError

from ..arguments import refusing
from ..text import data_of, plain
from .field import Array, Field, Limits, count, limits
from .observed import outputs
from .style import COLOURS, DASHES, MARKERS, Theme, axes_of, colours_of, ink_of, paper_of, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINES = (DASHES[0], *DASHES[2:])  # the truth is dashed
_MARGIN = 0.35  # of the range of examples and truth: a polynomial may swing farther


@refusing()
def fitted(
    f: Callable[..., Any] | Mapping[str, Callable[..., Any]],
    x: Any,
    y: Any = None,
    *,
    truth: Callable[..., Any] | None = None,
    residuals: bool | None = None,
    xlim: Limits | None = None,
    points: int = 401,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Plot what models predict beside the examples that they were fitted to, with residuals: overfitting and underfitting.

    The legend has the mean squared error: of the examples, and with the truth that of the curve between the first example and
    the last. A model that overfits has a small first number and a large second one.

    Args:
        f: a function of a number, or of an array elementwise; a Module of inputs (n, 1), run in evaluation mode; or {name: one}.
        x, y: the examples, (n,) or (n, 1) each; or as x alone {name: (x, y)}, a data set for each of several functions.
        truth: the function behind the examples.
        residuals: draw a line from each example to its prediction; None for doing so for a single function.
        xlim: from where to where; None for the range of the examples and a margin.
        points: how many points of the curves to evaluate.
        ax: where to draw; without, on a new figure.
        theme: "light" or "dark".

    Returns:
        the Axes. Their vertical limits are those of examples and truth with a margin, which a curve may leave.

    Raises:
        DTypeError, ShapeError: if the examples, or what a function returns, are not as described.
        RenderError: if matplotlib is missing.

    >>> x = np.linspace(0, 1, 13)  # doctest: +SKIP
    >>> y = np.sin(6 * x) + np.random.default_rng(0).normal(0, 0.3, 13)  # doctest: +SKIP
    >>> ax = fitted(np.polynomial.Polynomial.fit(x, y, 12), x, y, truth=lambda x: np.sin(6 * x))  # doctest: +SKIP
    """
    named = f if isinstance(f, Mapping) else {"prediction": f}
    if not named:
        raise ShapeError("fitted: got no functions, expected a function or {name: function}")
    sets = _sets(x, y, list(named))
    every = np.concatenate([xs for xs, _ in sets])
    low, high = float(every.min()), float(every.max())
    margin = 0.05 * (high - low) or 1.0
    across = (low - margin, high + margin) if xlim is None else limits("fitted", "xlim", xlim)
    grid = np.linspace(*across, count("fitted", "points", points))
    values = [_values(one, grid) for one in named.values()]
    predictions = [_values(one, xs) for one, (xs, _) in zip(named.values(), sets, strict=True)]
    actual = None if truth is None else _values(truth, grid)
    inside = (low <= grid) & (grid <= high)
    with styled("fitted", theme) as plt:
        ax = axes_of(plt, ax)
        if actual is not None:
            ax.plot(grid, actual, color=ink_of(theme), ls=DASHES[1], lw=1.4, label="truth")
        for k, (xs, ys) in enumerate(sets if isinstance(x, Mapping) else sets[:1]):
            colour = colours_of(theme)[k % len(COLOURS)] if isinstance(x, Mapping) else ink_of(theme)
            label, marker = "_" if k else "examples", MARKERS[k % len(MARKERS)]
            ax.plot(xs, ys, ls="", marker=marker, ms=6, zorder=3, label=label, color=colour, mec=paper_of(theme))
        for k, (name, (xs, ys)) in enumerate(zip(named, sets, strict=True)):
            label = f"{plain(name)}: MSE {shown(float(np.mean((ys - predictions[k]) ** 2)))}"
            if actual is not None:
                label += f", to the truth {shown(float(np.mean((values[k] - actual)[inside] ** 2)))}"
            ax.plot(grid, values[k], color=colours_of(theme)[k % len(COLOURS)], ls=_LINES[k % len(_LINES)], label=label)
            if residuals or (residuals is None and len(named) == 1):
                colour, label = colours_of(theme)[1], "_" if k else "residuals"
                ax.vlines(xs, predictions[k], ys, color=colour, lw=1.2, zorder=1.5, label=label)
        _limit(ax, across, [ys for _, ys in sets] + ([] if actual is None else [actual[inside]]))
        ax.set_xlabel("x")
        ax.set_ylabel("y")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    return ax


def _sets(x: Any, y: Any, names: list[str]) -> list[tuple[Array, Array]]:
    """The examples of each function."""
    if not isinstance(x, Mapping):
        return [_examples(x, y)] * len(names)
    if y is not None:
        raise DTypeError("fitted: got y beside several data sets, expected x={name: (x, y)} alone")
    if len(x) != len(names) or not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in x.values()):
        raise ShapeError(f"fitted: got x={x!r:.60}, expected a pair (x, y) for each of {len(names)} functions")
    return [_examples(*pair) for pair in x.values()]


def _examples(x: Any, y: Any) -> tuple[Array, Array]:
    found = []
    for which, given in (("x", x), ("y", y)):
        array = np.asarray(data_of(given))
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise DTypeError(f"fitted: got {which}={given!r:.60}, expected finite real numbers")
        if not array.size or array.shape not in ((array.size,), (array.size, 1)):
            raise ShapeError(f"fitted: {which} has shape {array.shape}, expected (n,) or (n, 1)")
        found.append(array.astype(float).ravel())
    if len(found[0]) != len(found[1]):
        raise ShapeError(f"fitted: got {len(found[0])} numbers as x and {len(found[1])} as y, expected equal lengths")
    return found[0], found[1]


def _values(f: Any, x: Array) -> Array:
    """What a function or a Module says at x, (n,) -> (n,)."""
    from nn import Module

    if not isinstance(f, Module):
        return Field("fitted", f, 1).values(x)
    parameters = f.parameters()
    dtype = parameters[0].dtype if parameters and parameters[0].dtype.kind == "f" else np.dtype(float)
    found = outputs("fitted", f, x[:, None].astype(dtype))
    if found.shape not in ((len(x),), (len(x), 1)):
        raise ShapeError(f"fitted: the model returned shape {found.shape}, expected ({len(x)}, 1)")
    return found.astype(float).ravel()


def _limit(ax: Axes, xlim: Limits, kept: list[Array]) -> None:
    """Limits of what is to be seen, with a margin."""
    every = np.concatenate(kept)
    every = every[np.isfinite(every)]
    low, high = float(every.min()), float(every.max())
    margin = _MARGIN * (high - low) or 1.0
    ax.set_xlim(*xlim)
    ax.set_ylim(low - margin, high + margin)
