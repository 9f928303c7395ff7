"""Curves of training: how losses and accuracies went, epoch by epoch, in one run or in several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeGuard

import numpy as np

from tinygrad_edu import DTypeError, ShapeError

from ..arguments import refusing
from ..drawing import RenderError
from ..text import data_of, number, plain
from .fitting import Verdict, verdict
from .style import DASHES, MARKERS, Theme, axes_of, colours_of, ink_of, several, shown, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nn import History
    from nn.optim import Trace

Numbers: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]]"
Scale: TypeAlias = Literal["linear", "log", "symlog"]

_DATA = ("train", "training", "validation", "valid", "val", "test")  # what a curve was measured on
_LOWEST, _HIGHEST = (
    ("loss", "error", "rmse", "mse"),
    ("accuracy", "correct", "precision", "recall", "f1", "r2"),
)  # are the best


class _Run(NamedTuple):
    """One training, or a path of an optimiser: its curves by name, and how it ended: "", "stopped early" or "interrupted"."""

    name: str
    curves: dict[str, Numbers]
    end: str = ""
    seconds: Numbers | None = None  # that each epoch took
    first: int = 1  # epoch; of a path step 0, the start


class _Curve(NamedTuple):
    """A curve of a panel: the number of its run, the data that it was measured on, its numbers, and where each stands."""

    run: int
    data: str
    numbers: Numbers
    at: Numbers


@refusing()
def curves(
    history: Any,
    quantity: str | None = None,
    *,
    x: Literal["epoch", "seconds"] = "epoch",
    yscale: Scale = "linear",
    smooth: float = 0.0,
    goal: float | None = None,
    ax: Axes | None = None,
    theme: Theme = "light",
) -> Axes | Figure:
    """Draw how one or several trainings went, or descents: a panel for each quantity, losses first.

    The best epoch of each run is ringed: the highest accuracy, the lowest loss or error, on validation data if there are any.
    Marked as well: where a run stopped early or was interrupted, where overfitting begins, and whether a run underfits; the
    rules are those of `viz.plots.fitting`. NaN leaves a gap.

    Args:
        history: what `nn.fit` returned; or a mapping from names to numbers per epoch, such as {"train_loss": [0.9, 0.5]}; or, to
            compare runs, a mapping from their names to either. {"lr 0.1": losses, "lr 1": losses}, where no name says what was
            measured, is a comparison too. Paths of `nn.optim.trace` count steps, from 0: their values are losses, if quantity
            says nothing else.
        quantity: the quantity to draw, such as "loss"; None for all. It also says what numbers are whose names do not.
        x: what stands below: the epochs, or the seconds since the start, which compares optimisers whose steps take different
            times; of a History that has them.
        yscale: "log" or "symlog" for losses and errors; other panels stay linear.
        smooth: weight of the past in an exponential mean, from 0 to less than 1; the numbers themselves stay as a pale line.
        goal: a loss that would be good enough, such as the variance of the noise; drawn as a line.
        ax: where to draw a single quantity; None for a new figure.
        theme: "light" or "dark".

    Returns:
        the Axes, or the Figure if there are several quantities; of both, `.figure.savefig("curves.svg")` writes a file.

    Raises:
        DTypeError: if `history` is none of these.
        ShapeError: if it is empty, or the curves of a run differ in length.
        RenderError: for other options, seconds that a run does not have, a logarithm of numbers ≤ 0, several quantities for one
            ax, or without matplotlib.

    >>> history = nn.fit(model, train, optimizer, validation=validation)  # doctest: +SKIP
    >>> viz.curves(history, yscale="log").figure.savefig("curves.png")  # doctest: +SKIP
    >>> viz.curves({"SGD": one, "Adam": other}, "loss")  # doctest: +SKIP
    """
    runs = _runs(history, quantity)
    panels = _panels(runs, quantity, x)
    _check(panels, yscale, smooth, ax)
    with styled("curves", theme) as plt:
        wide = 7.5 if len(runs) == 1 else 9.5
        if len(panels) == 1:
            every = [axes_of(plt, ax, (wide, 4.0))]
        else:
            _, every = several(plt, len(panels), 1, (wide, 3.2))
        for axes, (name, drawn) in zip(every, panels.items(), strict=True):
            axes.set_yscale(yscale if _direction(name) is np.nanargmin else "linear")
            _draw(axes, name, drawn, runs, smooth, goal, theme)
            if x == "epoch":
                axes.set_xticks(_ticks(max(len(curve.numbers) for curve in drawn), runs[0].first))
        every[-1].set_xlabel(x if runs[0].first else "step")
    return every[0] if len(every) == 1 else every[0].figure  # type: ignore[return-value]  # no SubFigure


# -- What there is to draw ---------------------------------------------------------------------------------------------


def _runs(history: Any, quantity: str | None) -> list[_Run]:
    """The runs that the user gave, checked; of one curve `quantity` tells whether its name is that of a run."""
    if _is_history(history) or _is_trace(history):
        return [_run("", history, quantity)]
    if not isinstance(history, Mapping) or not all(isinstance(name, str) for name in history):
        expected = 'a History, a mapping such as {"train_loss": [0.9, 0.5]}, or a mapping from names of runs to these'
        raise DTypeError(f"curves: got {type(history).__name__}, expected {expected}")
    if any(paths := [_is_trace(each) for each in history.values()]):
        if not all(paths):
            odd = next(name for name, is_path in zip(history, paths, strict=True) if not is_path)
            raise DTypeError(
                f"curves: {odd!r} is none of nn.optim.trace's paths, as the others are; draw them in two pictures"
            )
        return [_run(name, each, quantity) for name, each in history.items()]
    nested = [_is_history(each) or isinstance(each, Mapping) for each in history.values()]
    if any(nested) and not all(nested):
        odd = next(name for name, inner in zip(history, nested, strict=True) if not inner)
        raise DTypeError(f"curves: {odd!r} is a curve among runs; expected all runs, or all curves of one run")
    if any(nested):
        return [_run(name, each) for name, each in history.items()]
    if (len(history) > 1 or quantity not in (None, *history)) and not any(map(_split, history)):
        return [_run(name, {"": numbers}) for name, numbers in history.items()]
    return [_run("", history)]


def _is_history(x: Any) -> TypeGuard[History]:
    from nn import History  # here, as drawing Values needs no networks

    return isinstance(x, History)


def _is_trace(x: Any) -> TypeGuard[Trace]:
    from nn.optim import Trace

    return isinstance(x, Trace)


def _run(name: str, history: Any, quantity: str | None = None) -> _Run:
    if _is_trace(history):
        return _Run(name, {quantity or "loss": _numbers(name, history.values)}, first=0)
    ended, given, seconds = {}, history, None
    if _is_history(history):
        ended = {"interrupted": history.interrupted, "stopped early": history.stopped_early}
        given, seconds = history.curves, history.seconds.get("epoch")
    curves = {key: _numbers(key or name, numbers) for key, numbers in given.items()}
    shapes = {key or name: curve.shape for key, curve in curves.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 or shape[0] < 1 for shape in shapes.values()):
        of = f"of run {name!r} " if name else ""
        expected = "lists of one number for each epoch, all of a run equally long"
        raise ShapeError(f"curves: {of}got shapes {shapes}, expected {expected}")
    end = next((end for end, so in ended.items() if so), "")
    return _Run(name, curves, end, None if seconds is None else _numbers("seconds", seconds))


def _numbers(name: str, numbers: Any) -> Numbers:
    try:
        listed = [data_of(x) for x in numbers] if isinstance(numbers, Sequence) else data_of(numbers)
        return np.asarray(listed, float)
    except (TypeError, ValueError):
        raise DTypeError(f"curves: {name!r} is not a list of real numbers, one for each epoch") from None


def _split(name: str) -> tuple[str, str] | None:
    """Data and quantity that a name tells of: train_loss as ("train", "loss"); None if it does not say what was measured."""
    name = name.replace(" ", "_")
    first, _, rest = name.partition("_")
    if rest and first in _DATA:
        return first, rest
    rest, _, last = name.rpartition("_")
    return (rest, last) if last in _LOWEST + _HIGHEST else None


def _panels(runs: Sequence[_Run], quantity: str | None, x: str) -> dict[str, list[_Curve]]:
    """The curves by quantity, losses first; of the quantity alone, if it is given."""
    unnamed = quantity or "value"
    panels: dict[str, list[_Curve]] = {}
    for i, run in enumerate(runs):
        for name, numbers in run.curves.items():
            data, measured = _split(name) or ("", name or unnamed)
            panels.setdefault(measured, []).append(_Curve(i, data, numbers, _places(run, len(numbers), x)))
    panels = dict(sorted(panels.items(), key=lambda panel: not panel[0].endswith("loss")))
    if quantity is None:
        return panels
    if quantity not in panels:
        raise RenderError(f"curves: got quantity={quantity!r}, expected one of {', '.join(map(repr, panels))}")
    return {quantity: panels[quantity]}


def _places(run: _Run, count: int, x: str) -> Numbers:
    """Where the numbers of a run's epochs stand: at the epoch, from 1, or at its end, in seconds since the start."""
    if x == "epoch":
        return np.arange(float(run.first), count + run.first)
    if x != "seconds":
        raise RenderError(f"curves: got x={x!r}, expected 'epoch' or 'seconds'")
    if run.seconds is None or len(run.seconds) != count:
        which = f"run {run.name!r}" if run.name else "the run"
        raise RenderError(
            f"curves: got x='seconds', but {which} has no seconds for each {'epoch' if run.first else 'step'}; leave x out"
        )
    return np.cumsum(run.seconds)


def _check(panels: Mapping[str, list[_Curve]], yscale: Scale, smooth: float, ax: Axes | None) -> None:
    if yscale not in ("linear", "log", "symlog"):
        raise RenderError(f"curves: got yscale={yscale!r}, expected 'linear', 'log' or 'symlog'")
    if not 0 <= smooth < 1:
        raise RenderError(f"curves: got smooth={smooth!r}, expected a number from 0 to less than 1")
    if ax is not None and len(panels) > 1:
        raise RenderError(f"curves: got one ax for {' and '.join(panels)}; choose one by quantity=, or leave ax out")
    for name, drawn in panels.items():
        for curve in drawn if yscale == "log" and _direction(name) is np.nanargmin else ():
            if np.any(low := curve.numbers <= 0):
                at = f"{number(curve.numbers[low][0])} in epoch {int(np.argmax(low)) + 1}"
                raise RenderError(f"curves: got yscale='log' and a {name} of {at}; use 'symlog' or 'linear'")


def _direction(quantity: str) -> Any:
    """np.nanargmin for quantities whose lowest number is the best, np.nanargmax for the highest, None if that is not known."""
    last = quantity.replace(" ", "_").rpartition("_")[2]
    return np.nanargmin if last in _LOWEST else np.nanargmax if last in _HIGHEST else None


# -- Drawing -----------------------------------------------------------------------------------------------------------


def _draw(
    axes: Axes,
    quantity: str,
    drawn: list[_Curve],
    runs: Sequence[_Run],
    smooth: float,
    goal: float | None,
    theme: Theme,
) -> None:
    """One panel. Of several runs each has a colour and a marker, and the data have dashes; of one run the data have all three."""
    colours, kinds = colours_of(theme), list(dict.fromkeys(curve.data for curve in drawn))
    judged = {i: _watched([curve for curve in drawn if curve.run == i]) for i in {curve.run for curve in drawn}}
    marks = []
    for curve in drawn:
        count, data = len(curve.numbers), kinds.index(curve.data)
        i = data if len(runs) == 1 else curve.run
        look: dict[str, Any] = {"color": colours[i % len(colours)], "linestyle": DASHES[data % len(DASHES)]}
        label = _label(quantity, curve.data, runs[curve.run].name, len(kinds))
        if smooth:
            axes.plot(curve.at, curve.numbers, **look, alpha=0.3, linewidth=1, label=f"_{label}")
        watched = judged[curve.run] is curve
        notes = _notes(quantity, curve, drawn, runs[curve.run], goal) if watched else _Notes()
        told = "\n".join([label, *notes.words]) if len(runs) > 1 else label
        marker = MARKERS[(i + i // len(MARKERS)) % len(MARKERS)] if len(runs) > 1 or count < 20 else ""
        line = smoothed(curve.numbers, smooth)
        axes.plot(curve.at, line, **look, marker=marker, markersize=4, markevery=max(1, count // 8), label=told)
        marks.append((curve, notes, look["color"] if len(runs) > 1 else ink_of(theme)))
    for mark in marks:  # after the curves, in the legend as well
        _mark(axes, *mark, alone=len(runs) == 1)
    if goal is not None and _direction(quantity) is np.nanargmin:
        axes.axhline(goal, linestyle=DASHES[3], linewidth=1.2, color=ink_of(theme), label=f"goal: {shown(goal)}")
    axes.set_ylabel(_legible(quantity))
    if len(runs) == 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, fontsize=9)
    else:
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), labelspacing=1, fontsize=9)


class _Notes(NamedTuple):
    """What is marked on a curve: its best epoch, its end, a verdict; and all of it in words."""

    best: int | None = None
    end: str = ""
    fit: Verdict | None = None
    words: tuple[str, ...] = ()


def _notes(quantity: str, curve: _Curve, drawn: list[_Curve], run: _Run, goal: float | None) -> _Notes:
    best, fit, words = None, None, []
    finite = np.where(np.isfinite(curve.numbers), curve.numbers, np.nan)
    direction = _direction(quantity)
    if direction is not None and not np.isnan(finite).all():
        best = int(direction(finite))
        words.append(f"best: {shown(curve.numbers[best])} {'in epoch' if run.first else 'at step'} {best + run.first}")
    if run.end:
        words.append(f"{run.end} in epoch {len(curve.numbers)}")
    if direction is np.nanargmin and run.first:  # a path of an optimiser is no fit
        train = next((c for c in drawn if c.run == curve.run and c.data.startswith("train")), curve)
        fit = verdict(train.numbers, None if train is curve else curve.numbers, goal)
        words += [] if fit is None else [fit.words]
    return _Notes(best, run.end, fit, tuple(words))


def _mark(axes: Axes, curve: _Curve, notes: _Notes, colour: str, alone: bool) -> None:
    """The best epoch, the end, and overfitting; of a run that is alone also their words in the legend."""
    numbers, at = curve.numbers, curve.at
    words = iter(notes.words if alone else ())
    if notes.best is not None:
        axes.plot(
            at[notes.best],
            numbers[notes.best],
            "o",
            color=colour,
            markersize=11,
            fillstyle="none",
            label=next(words, "_best"),
        )
    if notes.end:
        axes.plot(at[-1], numbers[-1], "X", color=colour, markersize=8, label=next(words, "_end"))
    if notes.fit is None or not alone:
        return
    if notes.fit.epoch is None:
        axes.plot([], [], linestyle="none", label=next(words))  # words alone
    else:
        axes.axvspan(at[notes.fit.epoch - 1], at[-1], color="#d55e00", alpha=0.15, linewidth=0, label=next(words))


def _watched(drawn: list[_Curve]) -> _Curve:
    """Of the curves of a run the one of validation data, else the first."""
    return next((curve for curve in drawn if curve.data.startswith("val")), drawn[0])


def smoothed(numbers: Numbers, weight: float) -> Numbers:
    """Exponential mean of the numbers up to each, unbiased at the start as Adam's moments: (epochs,) -> (epochs,). NaN stays."""
    if not weight:
        return numbers
    total = share = 0.0
    means = np.full(len(numbers), np.nan)
    for i in np.flatnonzero(np.isfinite(numbers)):
        total = weight * total + (1 - weight) * numbers[i]
        share = weight * share + (1 - weight)
        means[i] = total / share
    return means


def _label(quantity: str, data: str, run: str, kinds: int) -> str:
    """ "train loss" of a single run; of several the run's name, and the data where a panel has different ones."""
    if not run:
        return _legible(f"{data}_{quantity}")
    name = plain(run.strip().lstrip("_"), 40) or "run"  # matplotlib hides labels that begin with an underscore
    return f"{name}, {_legible(data or quantity)}" if kinds > 1 else name


def _ticks(count: int, first: int) -> list[int]:
    """Round numbers of epochs, and 1, which is the first; or of steps from 0."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(nbins=10, integer=True).tick_values(0, count)
    return sorted({max(first, round(tick)) for tick in ticks if tick <= count})


def _legible(name: str) -> str:
    """train_loss as "train loss"."""
    return plain(name.replace("_", " ").strip(), 24)
