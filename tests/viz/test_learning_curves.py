"""Learning curves: what stands on which axis, where the best epoch is, and what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from tinygrad_edu import DTypeError, ShapeError
from viz import RenderError, learning_curves

HISTORY = {
    "train_accuracy": [0.5, 0.7, 0.9, 0.8],
    "train_loss": [0.9, 0.6, 0.3, 0.2],
    "validation_loss": [1.0, 0.7, 0.8, 0.9],
    "validation_accuracy": [0.4, 0.6, 0.7, 0.65],
}


@pytest.fixture
def figures(monkeypatch) -> list[Figure]:
    """The figures that are saved."""
    saved: list[Figure] = []
    save = Figure.savefig

    def spy(self, *args, **kwargs):
        saved.append(self)
        return save(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", spy)
    return saved


def legend(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_losses_above_accuracies_with_the_best_validation_epoch(figures, tmp_path):
    path = learning_curves(HISTORY, tmp_path / "a.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    losses, accuracies = figures[0].axes
    assert (losses.get_ylabel(), accuracies.get_ylabel(), accuracies.get_xlabel()) == ("loss", "accuracy", "epoch")
    assert legend(losses) == ["train loss", "validation loss", "best: 0.7 in epoch 2"]
    assert legend(accuracies) == ["train accuracy", "validation accuracy", "best: 0.7 in epoch 3"]
    curves = [line for line in losses.lines if not line.get_label().startswith("_")]
    assert [list(line.get_xdata()) for line in curves] == [[1, 2, 3, 4], [1, 2, 3, 4], [2]]
    assert list(curves[1].get_ydata()) == HISTORY["validation_loss"]
    assert len({(line.get_color(), line.get_linestyle()) for line in curves}) == 3


@pytest.mark.parametrize(
    ("history", "best"),
    [
        ({"loss": [3, 1, 2]}, ["best: 1 in epoch 2"]),
        ({"error": [3, 1, 2]}, ["best: 1 in epoch 2"]),
        ({"accuracy": [0.3, 0.1, 0.3]}, ["best: 0.3 in epoch 1"]),
        ({"loss": [np.nan, 2.0, -np.inf, np.inf]}, ["best: 2 in epoch 2"]),
        ({"loss": [np.nan, np.nan]}, []),
        ({"learning_rate": [0.1, 0.2]}, []),
        ({"train_loss": [1.0, 0.5], "val_loss": [0.7, 0.8]}, ["best: 0.7 in epoch 1"]),
    ],
)
def test_the_best_epoch(history, best, figures, tmp_path):
    learning_curves(history, tmp_path / "a.png")
    assert [text for text in legend(figures[0].axes[0]) if text.startswith("best")] == best


@pytest.mark.parametrize(
    ("count", "ticks"),
    [(1, [1]), (3, [1, 2, 3]), (10, [*range(1, 11)]), (50, [1, *range(5, 51, 5)]), (100, [1, *range(10, 101, 10)])],
)
def test_epochs_are_counted_from_one(count, ticks, figures, tmp_path):
    learning_curves({"loss": [1.0] * count}, tmp_path / "a.png")
    assert list(figures[0].axes[0].get_xticks()) == ticks


def test_names_are_no_formulas_and_may_be_long(figures, tmp_path):
    learning_curves({"$a$_loss": [1.0], "_hidden_loss": [2.0], "x" * 1000 + "_loss": [3.0]}, tmp_path / "a.png")
    (axes,) = figures[0].axes
    assert legend(axes)[:3] == ["$a$ loss", "hidden loss", "x" * 23 + "…"]
    assert not any(text.get_parse_math() for text in axes.get_legend().get_texts())


def test_a_single_epoch_is_visible(figures, tmp_path):
    learning_curves({"loss": [1.0]}, tmp_path / "a.png")
    assert figures[0].axes[0].lines[0].get_marker() == "."


def test_equal_histories_give_equal_files(tmp_path):
    one, other = (learning_curves(dict(HISTORY), tmp_path / name).read_bytes() for name in ("a.png", "b.png"))
    assert one == other
    assert b"Software" not in one


@pytest.mark.parametrize(
    ("history", "error", "message"),
    [
        ([1.0], DTypeError, "got list, expected a mapping from names to numbers per epoch"),
        ({1: [1.0]}, DTypeError, "got dict, expected a mapping from names"),
        ({"loss": ["high"]}, DTypeError, "'loss' is not a list of real numbers, one for each epoch"),
        ({"loss": [1j]}, DTypeError, "'loss' is not a list of real numbers"),
        ({"loss": [[1.0], [2.0, 3.0]]}, DTypeError, "'loss' is not a list of real numbers"),
        ({"loss": 1.0}, ShapeError, "expected lists of one number for each epoch"),
        ({"loss": []}, ShapeError, "expected lists of one number for each epoch"),
        ({"loss": [[1.0]]}, ShapeError, "expected lists of one number for each epoch"),
        ({}, ShapeError, "expected lists of one number for each epoch"),
        ({"loss": [1.0], "val_loss": [1.0, 2.0]}, ShapeError, r"got shapes {'loss': \(1,\), 'val_loss': \(2,\)}"),
    ],
)
def test_bad_histories_are_named(history, error, message, tmp_path):
    with pytest.raises(error, match=f"learning_curves: .*{message}"):
        learning_curves(history, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_bad_paths_are_named(tmp_path):
    with pytest.raises(RenderError, match=r"learning_curves: got '.*', expected a file name that ends in \.png"):
        learning_curves(HISTORY, tmp_path / "a.svg")
    with pytest.raises(FileNotFoundError, match=r"learning_curves: got .* there is no folder"):
        learning_curves(HISTORY, tmp_path / "gone" / "a.png")


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        RenderError, match=r"learning_curves: matplotlib is missing; pip install 'tinygrad-edu\[plot\]'"
    ):
        learning_curves(HISTORY, tmp_path / "a.png")
