"""landscape: the loss of a model around its parameters, over a plane of directions, with the path of its training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tinygrad_edu import DTypeError, ShapeError, no_grad

from ..arguments import refusing
from ..drawing import RenderError
from ..text import data_of
from . import contour, surface
from . import path as routes
from .directions import Normalise, Plane, plane, projected, read
from .field import Array, Limits, count, finite, limits
from .levels import Scale, scale_of
from .observed import check_module, in_evaluation
from .path import Path
from .sharing import shared
from .style import Theme, axes_of, colours_of, styled
from .terrain import Terrain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nn import Module

_MARGIN = 0.25  # around a path, of its range


@refusing(path="it is paths= now, as in the other plots")
def landscape(
    model: Module,
    loss: Callable[[Any, Any], Any],
    data: tuple[Any, Any],
    directions: Literal["random", "pca"] | Sequence[Any] = "random",
    *,
    normalise: Normalise = "filter",
    paths: Any = None,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    steps: int = 51,
    rng: np.random.Generator | int | None = 0,
    kind: Literal["contour", "surface"] = "contour",
    levels: int | Sequence[float] = 10,
    scale: Scale = "auto",
    workers: int | None = None,
    progress: bool = True,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes:
    """Plot the loss of a model over a plane through its parameters: loss(model(x), y) at parameters + a d₁ + b d₂.

    The model runs in evaluation mode, without recording, and is left as it was: parameters, modes, buffers, random generators,
    gradients; also after an error or Ctrl-C. The plane has two of very many dimensions: what it shows is there, and what it does
    not show may be elsewhere.

    Args:
        model: whose parameters are the origin (0, 0).
        loss: of the model's result and y, a single number, such as nn.functional.cross_entropy; it may use the parameters too.
        data: (x, y), all of which each point is evaluated on.
        directions: "random": two of Gaussian numbers, see `normalise`. "pca": the first two principal components of `paths`, at
            unit length, with the share of the path's variance that each carries. Or a tuple of two directions, or of one for a
            curve: each the changes of parameters by path, as {"0.weight": array} (others stay), or all of them in order.
        normalise: of random directions, as Li et al. (Visualizing the Loss Landscape of Neural Nets, NeurIPS 2018) do: "filter"
            scales the numbers of each filter to the norm of its weights, in a dense layer those of each output neuron;
            "layer" those of each parameter. Both leave parameters of one dimension (biases, batch norm) as they are. None: plain
            Gaussian numbers for all parameters. Frozen parameters stay. Other directions are taken as they are.
        paths: of training, projected to the plane: one, snapshots in order such as [model.state_dict(), ...]; or {name: path}.
            Collect them by `fit(..., on_epoch=lambda *_: path.append(model.state_dict()))`, or by `nn.optim.trace`.
        xlim, ylim: from where to where; None for (-1, 1), or with "pca" for the range of the path and a margin.
        steps: points of each axis; the model is evaluated steps * steps times.
        rng: draws random directions: a generator, or a seed for one.
        kind: "contour" or "surface".
        levels, scale: as for `contour`; "auto" takes logarithms where half of the picture is below a tenth of the greatest loss.
        workers: processes that share the work, forked, so on Linux only; elsewhere this process does all. None for one on each
            processor, if it takes more than two seconds. Each has one thread of BLAS, as this process has meanwhile. The
            numbers are the same to the last bit.
        progress: draw a progress bar (plain lines where the output is not a terminal).
        ax: where to draw, for a surface of projection="3d"; without, on a new figure.
        theme: "light" or "dark".

    Returns:
        the Axes; save it by `ax.figure.savefig("landscape.png")`.

    Raises:
        DTypeError, ShapeError: if an argument or the loss is not as described.
        RenderError: if an option is unknown, "pca" has no path, or matplotlib is missing.

    >>> ax = landscape(model, cross_entropy, (x, y))  # doctest: +SKIP
    >>> path = [model.state_dict()]  # doctest: +SKIP
    >>> fit(model, (x, y), optimizer, on_epoch=lambda *_: path.append(model.state_dict()))  # doctest: +SKIP
    >>> ax = landscape(model, cross_entropy, (x, y), "pca", paths=path)  # doctest: +SKIP
    """
    _check(model, loss, data, normalise, kind, workers)
    from nn.checks import generator

    snapshots = read(model, paths)
    flat = plane(model, directions, normalise, generator("landscape", rng), snapshots)
    pca = isinstance(directions, str) and directions == "pca"
    paths = projected(flat, snapshots, carried=not pca)
    side = count("landscape", "steps", steps)
    box = [
        _range(paths, i, pca) if given is None else limits("landscape", which, given)
        for i, (which, given) in enumerate((("xlim", xlim), ("ylim", ylim))[: len(flat.names)])
    ]
    axes = np.meshgrid(*[np.linspace(*ends, side) for ends in box])
    on_paths = [one.points for one in paths] if kind == "surface" or len(box) == 1 else []
    points = np.concatenate([np.stack([a.ravel() for a in axes], axis=1), *on_paths])
    with styled("landscape", theme):  # a missing matplotlib, or an unknown theme, is known before the work
        found = losses(model, loss, data, flat, points, workers, progress)
    heights, *rest = np.split(found, np.cumsum([axes[0].size, *map(len, on_paths)])[:-1])
    z = finite("landscape", heights.reshape(axes[0].shape), ["xlim", "ylim"])
    if len(box) == 1:
        return _curve(flat, axes[0], z, box[0], paths, rest, ax, theme)
    names = flat.names if kind == "contour" else tuple(name.replace(" (", "\n(") for name in flat.names)
    land = Terrain(axes[0], axes[1], z, box[0], box[1], names, "loss")
    if kind == "contour":
        spacing = scale_of("landscape", z, scale, inside=False)  # what is low matters, wherever it is
        return contour.plot("landscape", land, paths, levels, spacing, None, ax, theme)
    lines = [[*one.points.T, on] for one, on in zip(paths, rest, strict=True)]
    drawn: Axes = surface.plot("landscape", land, paths, lines, ax, theme, 0.75 if paths else 1.0)
    return drawn


def losses(
    model: Module,
    loss: Callable[[Any, Any], Any],
    data: tuple[Any, Any],
    flat: Plane,
    points: Array,
    workers: int | None,
    progress: bool,
) -> Array:
    """The loss at points of a plane, (points, 1 or 2) -> (points,). The model is left as it was."""
    from ..reading.restore import generators  # here, as drawing Values needs no networks

    parameters = {path: p for path, p in model.named_parameters() if path in flat.places}
    before = {path: p.raw for path, p in parameters.items()}
    sources = generators(model)
    states = [source.state for source in sources]

    def at(k: int) -> float:
        for source, state in zip(sources, states, strict=True):
            source.state = state  # a model that draws numbers in evaluation mode draws the same everywhere
        for path, numbers in flat.at(points[k]).items():
            parameters[path].raw = numbers.astype(parameters[path].dtype)[()]
        return _number(loss(model(data[0]), data[1]))

    with no_grad(), in_evaluation(model, recorded=False), np.errstate(all="ignore"):
        try:
            return shared("landscape", at, len(points), workers, progress)
        finally:
            for path, p in parameters.items():
                p.raw = before[path]  # the very array, so that graphs recorded before stay valid


def _number(y: Any) -> float:
    data = np.asarray(data_of(y))
    if data.dtype.kind not in "fiub":
        raise DTypeError(f"landscape: the loss returned a {type(y).__name__}, expected a real number")
    if data.size != 1:
        raise ShapeError(
            f"landscape: the loss has shape {data.shape}, expected a single number; reduce it with .mean()"
        )
    return float(data.reshape(()))


def _check(model: Any, loss: Any, data: Any, normalise: Any, kind: Any, workers: Any) -> None:
    check_module("landscape", model)
    if not callable(loss):
        raise DTypeError(
            f"landscape: got {type(loss).__name__} as loss, expected a function such as nn.functional.mse_loss"
        )
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ShapeError(f"landscape: got a {type(data).__name__} as data, expected a tuple (x, y)")
    if normalise not in ("filter", "layer", None):
        raise RenderError(f'landscape: got normalise={normalise!r:.60}, expected "filter", "layer" or None')
    if kind not in ("contour", "surface"):
        raise RenderError(f'landscape: got kind={kind!r:.60}, expected "contour" or "surface"')
    if workers is not None:
        count("landscape", "workers", workers, 1)


def _range(paths: list[Path], variable: int, pca: bool) -> Limits:
    """(-1, 1), or the range of the paths and the origin with a margin."""
    if not pca:
        return (-1.0, 1.0)
    numbers = np.concatenate([[0.0], *[path.points[:, variable] for path in paths]])
    low, high = float(numbers.min()), float(numbers.max())
    margin = _MARGIN * (high - low)
    return low - margin, high + margin


def _curve(
    flat: Plane, x: Array, y: Array, xlim: Limits, paths: list[Path], rest: list[Array], ax: Axes | None, theme: Theme
) -> Axes:
    """The loss along one direction."""
    with styled("landscape", theme) as plt:
        ax = axes_of(plt, ax)
        ax.plot(x, y, color=colours_of(theme)[0], ls="-", label="loss")
        lines = [[path.points[:, 0], on] for path, on in zip(paths, rest, strict=True)]
        routes.draw(ax, paths, lines, theme, xlim, first=1)
        ax.set_xlim(*xlim)
        ax.set_xlabel(flat.names[0])
        ax.set_ylabel("loss")
        if paths:
            ax.legend()
    return ax
