"""How good predictions are, as plain numbers without gradient. Most come from scikit-learn, which is imported when first asked.

The prediction comes first, then the target, as for losses. Predictions of classes are scores (batch, classes), of which the
largest counts, or labels (batch,); there may be more axes before the last, or none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_edu import DTypeError, ShapeError, TinygradError

from .checks import data_of, explaining, plain_array

__all__ = ["accuracy", "confusion_matrix", "f1", "mistakes", "precision", "r2", "recall", "rmse", "top_k_accuracy"]

AVERAGES = ("binary", "micro", "macro", "weighted", None)


def _plain(name: str, what: str, x: Any) -> NDArray[Any]:
    return np.asarray(plain_array(name, what, data_of(x)))


def _decided(name: str, prediction: Any, target: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """The predicted and the right labels, of the same shape."""
    scores, labels = _plain(name, "prediction", prediction), _plain(name, "target", target)
    given = scores.shape == labels.shape
    if not given and scores.shape[-1:] == (1,):
        remedy = "of two classes pass (scores[:, 0] > 0).astype(int)"
        raise ShapeError(f"{name}: got one score a row, {scores.shape}, expected one for each class; {remedy}")
    if not scores.size or not (given or scores.shape[:-1] == labels.shape):
        got = f"scores {scores.shape} and labels {labels.shape}"
        raise ShapeError(f"{name}: got {got}, expected (batch, classes) or (batch,), and (batch,), at least one")
    decided = scores if given else np.argmax(scores, axis=-1)
    for what, array in (("target", labels), ("prediction", decided)):
        if array.dtype.kind not in "iub":
            remedy = "cast labels with .astype(int)" if what == "target" else "pass scores as (batch, classes)"
            raise DTypeError(f"{name}: {what} is of {array.dtype}, expected integers; {remedy}")
    return decided, labels


def mistakes(name: str, prediction: Any, target: ArrayLike) -> NDArray[np.bool]:
    """Where the predicted label is not the right one: (batch,). Errors, which say who asked, as for `accuracy`."""
    decided, labels = _decided(name, prediction, target)
    wrong: NDArray[np.bool] = decided != labels
    return wrong


@explaining
def accuracy(prediction: Any, target: ArrayLike) -> float:
    """Share of right predictions, from 0 to 1.

    Args:
        prediction: scores (batch, classes) or labels (batch,).
        target: labels, (batch,).

    Raises:
        ShapeError: if there is not one label a row, or no row.
        DTypeError: if labels are not integers.
    """
    return float(np.mean(~mistakes("accuracy", prediction, target)))


@explaining
def top_k_accuracy(scores: Any, target: ArrayLike, k: int = 5) -> float:
    """Share of rows where fewer than k other classes score higher than the right one: (batch, classes), (batch,) -> float.

    Raises TinygradError unless k is from 1 to the number of classes, ShapeError or DTypeError as `accuracy`.
    """
    table, labels = _plain("top_k_accuracy", "scores", scores), _decided("top_k_accuracy", scores, target)[1]
    if table.shape == labels.shape:
        raise ShapeError(f"top_k_accuracy: got labels {table.shape} as prediction, expected scores (batch, classes)")
    if not 1 <= k <= table.shape[-1]:
        raise TinygradError(f"top_k_accuracy: got k={k}, expected 1 to {table.shape[-1]}, the number of classes")
    if labels.min() < 0 or labels.max() >= table.shape[-1]:
        got = f"labels from {labels.min()} to {labels.max()}"
        raise ShapeError(f"top_k_accuracy: got {got}, expected 0 to {table.shape[-1] - 1} for scores {table.shape}")
    own = np.take_along_axis(table, labels[..., None], axis=-1)
    return float(np.mean(np.sum(table > own, axis=-1) < k))


@explaining
def confusion_matrix(prediction: Any, target: ArrayLike) -> NDArray[Any]:
    """How often what is class i was taken for class j: (batch, classes) or (batch,), and (batch,) -> (classes, classes).

    Of predictions that are labels the classes are 0 to the largest. Errors as for `accuracy`.
    """
    decided, labels = _decided("confusion_matrix", prediction, target)
    scores = _plain("confusion_matrix", "prediction", prediction)
    classes = scores.shape[-1] if scores.shape != labels.shape else int(max(decided.max(), labels.max())) + 1
    if labels.min() < 0 or decided.min() < 0 or labels.max() >= classes:
        got = f"labels from {min(labels.min(), decided.min())} to {labels.max()}"
        raise ShapeError(f"confusion_matrix: got {got}, expected 0 to {classes - 1}")
    sklearn = _sklearn("confusion_matrix")
    matrix: NDArray[Any] = sklearn.confusion_matrix(labels.ravel(), decided.ravel(), labels=np.arange(classes))
    return matrix


@explaining
def precision(prediction: Any, target: ArrayLike, average: str | None = "macro") -> Any:
    """Of what was taken for a class, the share that is of it; 0 where nothing was.

    Args:
        prediction: scores (batch, classes) or labels (batch,).
        target: labels, (batch,).
        average: "macro", the mean over classes; "weighted", by how often each occurs; "micro", over all rows; "binary", of class
            1; None, an array of one number for each class that occurs.

    Raises:
        TinygradError: for any other average, or if scikit-learn is not installed.
        ShapeError, DTypeError: as `accuracy`.
    """
    return _score("precision", prediction, target, average)


@explaining
def recall(prediction: Any, target: ArrayLike, average: str | None = "macro") -> Any:
    """Of what is of a class, the share that was taken for it; 0 where nothing is. Args and errors as for `precision`."""
    return _score("recall", prediction, target, average)


@explaining
def f1(prediction: Any, target: ArrayLike, average: str | None = "macro") -> Any:
    """2 precision · recall / (precision + recall). Args and errors as for `precision`."""
    return _score("f1", prediction, target, average)


def _score(name: str, prediction: Any, target: ArrayLike, average: str | None) -> Any:
    decided, labels = _decided(name, prediction, target)
    if average not in AVERAGES:
        raise TinygradError(f"{name}: got average={average!r}, expected one of {', '.join(map(repr, AVERAGES))}")
    classes = np.union1d(decided, labels)
    if average == "binary" and classes.max() > 1:
        raise TinygradError(
            f"{name}: got labels up to {classes.max()} and average='binary', expected 0 and 1 or 'macro'"
        )
    score = getattr(_sklearn(name), f"{name}_score")(labels.ravel(), decided.ravel(), average=average, zero_division=0)
    return score if average is None else float(score)


@explaining
def r2(prediction: Any, target: ArrayLike) -> float:
    """1 - Σ (target - prediction)² / Σ (target - mean)²: 1 is perfect, 0 no better than the mean. (batch,) or (batch, outputs).

    Of several outputs the mean. Raises ShapeError if the shapes differ, or for fewer than two rows.
    """
    return float(_sklearn("r2").r2_score(*_truth_first("r2", prediction, target, least=2)))


@explaining
def rmse(prediction: Any, target: ArrayLike) -> float:
    """√ of the mean squared error: (batch,) or (batch, outputs); of several outputs the mean of their roots.

    Raises ShapeError if the shapes differ or are empty.
    """
    return float(_sklearn("rmse").root_mean_squared_error(*_truth_first("rmse", prediction, target, least=1)))


def _truth_first(name: str, prediction: Any, target: ArrayLike, least: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Target and prediction, in scikit-learn's order."""
    ours, truth = _plain(name, "prediction", prediction), _plain(name, "target", target)
    if ours.shape != truth.shape or ours.ndim not in (1, 2) or len(ours) < least or not ours.size:
        got = f"prediction has shape {ours.shape}, target {truth.shape}"
        raise ShapeError(f"{name}: {got}; expected the same, (batch,) or (batch, outputs), at least {least} rows")
    return truth, ours


def _sklearn(name: str) -> Any:
    try:
        from sklearn import metrics
    except ImportError:
        raise TinygradError(
            f"{name}: needs scikit-learn, which is not installed; pip install 'tinygrad-edu[datasets]'"
        ) from None
    return metrics
