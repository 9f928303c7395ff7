"""Curves of training: what stands on which axis, where the best epoch is, what is said of the fit, and what is refused."""

from __future__ import annotations

import sys
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import viz
from nn import History
from nn.optim import SGD, trace
from tinygrad_edu import DTypeError, ShapeError, Value
from viz import RenderError, curves
from viz.plots.curves import smoothed
from viz.plots.fitting import verdict

CURVES = {
    "train_accuracy": [0.5, 0.7, 0.9, 0.8],
    "train_loss": [0.9, 0.6, 0.3, 0.2],
    "validation_loss": [1.0, 0.7, 0.8, 0.9],
    "validation_accuracy": [0.4, 0.6, 0.7, 0.65],
}
N = np.arange(1, 41)
FALL, RISE = 1 / N, 1 / N + 0.01 * N  # the lowest RISE is in epoch 10


def legend(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def points(line) -> list[tuple[float, float]]:
    return [tuple(point) for point in line.get_xydata().tolist()]


@pytest.mark.parametrize("history", [CURVES, History(CURVES, best_epoch=2)])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_losses_above_accuracies_with_the_best_validation_epoch(history, theme):
    figure = curves(history, theme=theme)
    assert isinstance(figure, Figure)
    losses, accuracies = figure.axes
    assert (losses.get_ylabel(), accuracies.get_ylabel(), accuracies.get_xlabel()) == ("loss", "accuracy", "epoch")
    assert legend(losses) == ["train loss", "validation loss", "best: 0.7 in epoch 2"]
    assert legend(accuracies) == ["train accuracy", "validation accuracy", "best: 0.7 in epoch 3"]
    assert [points(line) for line in losses.lines] == [
        list(enumerate(CURVES["train_loss"], 1)),
        list(enumerate(CURVES["validation_loss"], 1)),
        [(2, 0.7)],
    ]
    assert len({(line.get_color(), line.get_linestyle()) for line in losses.lines}) == 3


def test_runs_are_compared_on_one_axis_each_with_its_own_best_epoch():
    slow, fast = (
        History({"train_loss": [4.0, 3.0, 2.0], "validation_loss": [4.5, 3.5, 2.5]}),
        {
            "train_loss": [2.0, 1.0],
            "validation_loss": [2.1, 3.0],
        },
    )
    axes = curves({"lr_0.1": slow, "lr_1": fast})
    assert isinstance(axes, Axes)
    assert legend(axes) == [
        "lr_0.1, train",
        "lr_0.1, validation\nbest: 2.5 in epoch 3",
        "lr_1, train",
        "lr_1, validation\nbest: 2.1 in epoch 1",
    ]
    rings = [line for line in axes.lines if line.get_fillstyle() == "none"]
    assert [points(ring) for ring in rings] == [[(3, 2.5)], [(1, 2.1)]]
    runs = [line for line in axes.lines if line not in rings]
    assert [points(line)[-1] for line in runs] == [(3, 2.0), (3, 2.5), (2, 1.0), (2, 3.0)]
    looks = [(line.get_color(), line.get_marker()) for line in runs]
    assert looks[0] == looks[1] != looks[2] == looks[3]
    assert looks[0][0] != looks[2][0]
    assert looks[0][1] != looks[2][1]
    assert [line.get_linestyle() for line in runs] == ["-", "--", "-", "--"]


def test_more_runs_than_colours_still_differ():
    axes = curves({f"run {i}": [1.0, 2.0] for i in range(30)})
    assert len({(line.get_color(), line.get_marker()) for line in axes.lines}) == 30


def test_bare_curves_whose_names_tell_no_quantity_are_runs():
    axes = curves({"lr_0.1": [3.0, 2.0], "lr_1": [2.0, 1.0, 1.5]}, "loss")
    assert axes.get_ylabel() == "loss"
    assert legend(axes) == ["lr_0.1\nbest: 2 in epoch 2", "lr_1\nbest: 1 in epoch 2"]
    axes = curves({"lr_0.1": [3.0, 2.0], "lr_1": [2.0, 1.0]})
    assert (axes.get_ylabel(), legend(axes)) == ("value", ["lr_0.1", "lr_1"])  # no best: of what?


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("train_loss", "loss"),
        ("validation_top_k_accuracy", "top k accuracy"),
        ("val loss", "loss"),
        ("hidden_loss", "loss"),
        ("learning_rate", "learning rate"),
        ("test_my_metric", "my metric"),
        ("loss", "loss"),
    ],
)
def test_the_quantity_that_a_name_tells(name, quantity):
    assert curves({name: [1.0, 2.0]}).get_ylabel() == quantity


def test_a_quantity_is_drawn_on_the_axes_given():
    _, axes = plt.subplots()
    assert curves(CURVES, "accuracy", ax=axes) is axes
    assert points(axes.lines[0]) == list(enumerate(CURVES["train_accuracy"], 1))


@pytest.mark.parametrize(
    ("history", "best"),
    [
        ({"loss": [3, 1, 2]}, ["best: 1 in epoch 2"]),
        ({"error": [3, 1, 2]}, ["best: 1 in epoch 2"]),
        ({"accuracy": [0.3, 0.1, 0.3]}, ["best: 0.3 in epoch 1"]),
        ({"top_k_accuracy": [0.3, 0.1]}, ["best: 0.3 in epoch 1"]),
        ({"loss": [np.nan, 2.0, -np.inf, np.inf]}, ["best: 2 in epoch 2"]),
        ({"loss": [np.nan, np.nan]}, []),
        ({"learning_rate": [0.1, 0.2]}, []),
        ({"train_loss": [1.0, 0.5], "val_loss": [0.7, 0.8]}, ["best: 0.7 in epoch 1"]),
        ({"loss": [Value(3.0), Value(1.0)]}, ["best: 1 in epoch 2"]),
    ],
)
def test_the_best_epoch(history, best):
    assert [text for text in legend(curves(history)) if text.startswith("best")] == best


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({}, []),
        ({"stopped_early": True}, ["stopped early in epoch 4"]),
        ({"interrupted": True}, ["interrupted in epoch 4"]),
    ],
)
def test_how_a_run_ended(ended, said):
    axes = curves(History(CURVES, **ended), "loss")
    assert [text for text in legend(axes) if text.endswith("in epoch 4")] == said
    assert [points(line) for line in axes.lines if line.get_marker() == "X"] == [[(4, 0.9)]] * len(said)


@pytest.mark.parametrize(
    ("train", "validation", "goal", "words"),
    [
        (FALL, RISE, None, "overfitting from epoch 10: validation +105%"),
        (FALL, FALL * 1.1, None, "still falling at the end: more epochs would help"),
        (FALL, FALL + 0.1, 0.01, "underfitting: the training loss ends at 0.026, above the goal"),
        (FALL, None, None, "still falling at the end: more epochs would help"),
        (np.minimum(1, 4 / N**2) + 2, None, None, None),
        (1 + 0 * FALL, 1 + 0 * FALL, None, "underfitting: the training loss only fell from 1 to 1"),
        (N / 10, N / 10, None, "underfitting: the training loss rose from 0.1 to 3.85"),
        (FALL, np.maximum(FALL, 0.1), None, None),
        (RISE, RISE, None, None),  # training rises too: that is no overfitting
        (FALL, np.where(N % 2, 1.0, 0.9), None, None),  # chance
        (FALL[:15], np.where(N == 15, 1.0, FALL)[:15], None, None),  # one bad epoch
        (FALL[:15], np.where(N >= 14, 1.0, FALL)[:15], None, "overfitting from epoch 13: validation +1200%"),
        (np.where(N == 3, np.nan, FALL), RISE, None, None),
        (FALL[:4], RISE[:4], None, None),
    ],
)
def test_the_verdict_on_a_fit(train, validation, goal, words):
    found = verdict(train, validation, goal)
    assert (found and found.words) == words


def test_overfitting_is_shaded_from_the_best_epoch_on_and_a_goal_is_a_line():
    axes = curves({"train_loss": FALL, "validation_loss": RISE}, goal=0.05)
    (shade,) = axes.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == (10, 40)
    assert legend(axes)[-2:] == ["overfitting from epoch 10: validation +105%", "goal: 0.05"]
    assert list(axes.lines[-1].get_ydata()) == [0.05, 0.05]


def timed(numbers, seconds, **ended):
    history = History(numbers, **ended)
    history.seconds = {"epoch": seconds}
    return history


def test_runs_by_the_seconds_since_their_start():
    runs = {
        "slow": timed({"train_loss": [3.0, 1.0, 2.0]}, [2.0, 2.5, 0.5], stopped_early=True),
        "fast": timed({"train_loss": [3.0, 2.0]}, [0.25, 0.5]),
    }
    ax = curves(runs, x="seconds", smooth=0.5)
    assert ax.get_xlabel() == "seconds"
    places = [list(line.get_xdata()) for line in ax.lines]
    assert places == [
        [2, 4.5, 5],
        [2, 4.5, 5],
        [0.25, 0.75],
        [0.25, 0.75],
        [4.5],
        [5],
        [0.75],
    ]  # pale, smooth; best, end
    losses, accuracies = curves(timed(CURVES, [2.0] * 4), x="seconds").axes
    assert list(accuracies.lines[0].get_xdata()) == list(losses.lines[0].get_xdata()) == [2, 4, 6, 8]


def test_overfitting_is_shaded_in_seconds_too():
    ax = curves(timed({"train_loss": FALL, "validation_loss": RISE}, np.full(40, 0.5)), x="seconds")
    (shade,) = ax.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == (5, 20)


@pytest.mark.parametrize(
    ("history", "which"),
    [
        (CURVES, "the run"),
        ({"one": timed({"train_loss": [1.0]}, [1.0]), "other": {"train_loss": [1.0]}}, "run 'other'"),
        (timed({"train_loss": [1.0, 0.5]}, [1.0]), "the run"),  # interrupted between the two
    ],
)
def test_seconds_that_a_run_does_not_have_are_named(history, which):
    with pytest.raises(RenderError, match=f"curves: got x='seconds', but {which} has no seconds for each epoch"):
        curves(history, x="seconds")


def test_smoothing_leaves_the_numbers_as_a_pale_line():
    raw, smooth, _ = curves({"loss": [4.0, 2.0, 3.0]}, smooth=0.5).lines
    assert list(raw.get_ydata()) == [4.0, 2.0, 3.0]
    assert raw.get_alpha() == 0.3
    assert list(smooth.get_ydata()) == pytest.approx([4, 8 / 3, 20 / 7])  # weights 1; 1, 2; 1, 2, 4
    assert np.array_equal(smoothed(np.array([1.0, np.nan, 1.0]), 0.9), [1.0, np.nan, 1.0], equal_nan=True)
    assert smoothed(FALL, 0.0) is FALL


def test_losses_alone_are_logarithmic():
    losses, accuracies = curves(CURVES, yscale="log").axes
    assert (losses.get_yscale(), accuracies.get_yscale()) == ("log", "linear")


@pytest.mark.parametrize(
    ("count", "ticks"),
    [(1, [1]), (3, [1, 2, 3]), (10, [*range(1, 11)]), (50, [1, *range(5, 51, 5)]), (100, [1, *range(10, 101, 10)])],
)
def test_epochs_are_counted_from_one(count, ticks):
    assert list(curves({"loss": [1.0] * count}).get_xticks()) == ticks


def test_names_are_no_formulas_and_may_be_long():
    axes = curves({"$a$_loss": [1.0], "_hidden_loss": [2.0], "x" * 1000 + "_loss": [3.0]})
    assert legend(axes)[:3] == ["$a$ loss", "hidden loss", "x" * 23 + "…"]
    assert not any(text.get_parse_math() for text in axes.get_legend().get_texts())
    assert legend(curves({"_a": [1.0], "x" * 1000: [3.0]})) == ["a", "x" * 39 + "…"]


def test_a_single_epoch_is_visible():
    assert curves({"loss": [1.0]}).lines[0].get_marker() == "o"


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_files_of_any_type(suffix, tmp_path):
    for history in (CURVES, {"loss": [2.0, 1.0]}):
        curves(history).figure.savefig(tmp_path / f"a.{suffix}")
        assert (tmp_path / f"a.{suffix}").stat().st_size > 1000


@pytest.mark.parametrize(
    ("history", "error", "message"),
    [
        ([1.0], DTypeError, "got list, expected a History, a mapping such as"),
        ({1: [1.0]}, DTypeError, "got dict, expected a History"),
        ({"loss": ["high"]}, DTypeError, "'loss' is not a list of real numbers, one for each epoch"),
        ({"loss": [1j]}, DTypeError, "'loss' is not a list of real numbers"),
        ({"loss": [[1.0], [2.0, 3.0]]}, DTypeError, "'loss' is not a list of real numbers"),
        ({"a": {"loss": [1.0]}, "loss": [1.0]}, DTypeError, "'loss' is a curve among runs"),
        ({"loss": 1.0}, ShapeError, "expected lists of one number for each epoch"),
        ({"loss": []}, ShapeError, "expected lists of one number for each epoch"),
        ({"loss": [[1.0]]}, ShapeError, "expected lists of one number for each epoch"),
        ({}, ShapeError, "expected lists of one number for each epoch"),
        (History(), ShapeError, "expected lists of one number for each epoch"),
        ({"a": History()}, ShapeError, "of run 'a' got shapes {}"),
        ({"loss": [1.0], "val_loss": [1.0, 2.0]}, ShapeError, r"got shapes {'loss': \(1,\), 'val_loss': \(2,\)}"),
    ],
)
def test_bad_histories_are_named(history, error, message):
    with pytest.raises(error, match=f"curves: .*{message}"):
        curves(history)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantity": "acc"}, "got quantity='acc', expected one of 'loss', 'accuracy'"),
        ({"x": "hours"}, "got x='hours', expected 'epoch' or 'seconds'"),
        ({"yscale": "ln"}, "got yscale='ln', expected 'linear', 'log' or 'symlog'"),
        ({"smooth": 1}, "got smooth=1, expected a number from 0 to less than 1"),
        ({"theme": "red"}, "got theme='red', expected"),
        ({"ax": 1}, "got one ax for loss and accuracy; choose one by quantity="),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(RenderError, match=f"curves: {message}"):
        curves(CURVES, **options)


def test_a_logarithm_of_no_positive_number_is_refused():
    with pytest.raises(RenderError, match=r"got yscale='log' and a loss of 0 in epoch 2; use 'symlog' or 'linear'"):
        curves({"loss": [1.0, 0.0]}, yscale="log")
    assert curves({"loss": [1.0, 0.0]}, yscale="symlog").get_yscale() == "symlog"


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(RenderError, match=r"curves: matplotlib is missing; pip install 'tinygrad-edu\[plot\]'"):
        curves(CURVES)


def test_the_removed_name_gives_the_new_one():
    with pytest.raises(AttributeError, match=r"viz.learning_curves is not public since 0.2; use viz.curves\(history\)"):
        viz.learning_curves
    with pytest.raises(ImportError, match=r"use viz.curves\(history\)"):
        from viz import learning_curves  # noqa: F401
    with pytest.raises(AttributeError, match=r"viz.draw_dot does not exist; write viz.graph\(y\)"):
        viz.draw_dot
    with pytest.raises(ImportError, match=r"viz.make_dot does not exist; write viz.graph\(y\)"):
        from viz import make_dot  # noqa: F401
    with pytest.raises(AttributeError, match="module 'viz' has no attribute 'nothing'"):
        viz.nothing


@pytest.mark.parametrize(
    "history",
    [
        CURVES,
        History(CURVES, stopped_early=True),
        {"train_loss": FALL, "validation_loss": RISE},
        {"train_loss": 1 + FALL / 100, "validation_loss": FALL},
        {f"a run with a name of many letters {i}": {"train_loss": FALL, "validation_loss": RISE} for i in range(3)},
    ],
)
def test_words_do_not_overlap_nor_leave_the_figure(history, troubles):
    assert troubles(curves(history, goal=0.01).figure) == []


def test_a_single_run_by_name_with_the_quantity_it_measured():
    ax = viz.curves({"SGD": [3.0, 2.0, 1.0]}, "loss")
    assert ax.get_ylabel() == "loss"
    assert ax.lines[0].get_ydata().tolist() == [3.0, 2.0, 1.0]


def test_paths_of_optimisers_are_drawn_by_the_step_from_0():
    paths = {f"lr {lr}": trace(lambda x: x**2, 1.0, partial(SGD, lr=lr), 20) for lr in (0.1, 0.9)}
    ax = viz.curves(paths, yscale="log")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss", "log")
    first = next(line for line in ax.lines if line.get_label().startswith("lr 0.1"))
    assert first.get_xydata().tolist() == [[k, value] for k, value in enumerate(paths["lr 0.1"].values)]
    assert first.get_label().splitlines()[1:] == ["best: 0.0001329 at step 20"], "and no verdict on a fit"
    assert ax.get_xticks()[0] == 0
    alone = viz.curves(paths["lr 0.9"], "distance")
    assert (alone.get_xlabel(), alone.get_ylabel()) == ("step", "distance")


def test_paths_and_trainings_are_not_drawn_together():
    path = trace(lambda x: x**2, 1.0, partial(SGD, lr=0.1), 3)
    with pytest.raises(DTypeError, match="curves: 'other' is none of nn.optim.trace's paths, as the others are"):
        viz.curves({"path": path, "other": [1.0, 2.0]})
    with pytest.raises(RenderError, match="has no seconds for each step"):
        viz.curves(path, x="seconds")
