"""How good predictions are, as plain numbers without gradient. Most come from scikit-learn, which is imported when first asked.

The prediction comes first, then the target, as for losses. Predictions of classes are scores (batch, classes), of which the
largest counts, or labels (batch,); there may be more axes before the last, or none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_edu import DTypeError, ShapeError, TinygradError

from .checks import Real, as_integers, data_of, explaining, plain_array

__all__ = [
    "accuracy",
    "binary_accuracy",
    "confusion_matrix",
    "correct",
    "f1",
    "mistakes",
    "precision",
    "r2",
    "recall",
    "rmse",
    "top_k_accuracy",
]

ROUNDING = 0.05  # of the sum of probabilities, which may be float16 or rounded to some digits
AVERAGES = ("binary", "micro", "macro", "weighted", None)


def _plain(name: str, what: str, x: Any) -> NDArray[Any]:
    return np.asarray(plain_array(name, what, data_of(x)))


def _decided(
    name: str,
    prediction: Any,
    target: Any,
    ignore_index: int | None = None,
    strict: bool = True,
    what: str = "prediction",
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The predicted and the right labels of the rows that count, and their scores, or labels if labels were given.

    Raises TinygradError for rows of scores that hold NaN, if strict; else their predicted label is -1.
    """
    scores, labels = _scores(name, what, prediction), _plain(name, "target", target)
    if scores.shape == labels.shape and scores.ndim > 1 and "f" in (scores.dtype.kind, labels.dtype.kind):
        labels = _from_shares(name, labels)
    given = scores.shape == labels.shape
    if not given and scores.shape[-1:] == (1,):
        remedy = "of two classes use binary_accuracy, or pass (scores[:, 0] > 0).astype(int)"
        raise ShapeError(f"{name}: got one score a row, {scores.shape}, expected one for each class; {remedy}")
    if not scores.size or not (given or scores.shape[:-1] == labels.shape):
        got = f"scores {scores.shape} and labels {labels.shape}"
        swapped = "; are the two interchanged?" if scores.size and labels.shape[:-1] == scores.shape != () else ""
        raise ShapeError(
            f"{name}: got {got}, expected (batch, classes) or (batch,), and (batch,), at least one{swapped}"
        )
    of_two = "pass scores as (batch, classes); of two classes use binary_accuracy, or pass (scores > 0).astype(int)"
    alike = (
        "number both alike: prediction, target = np.unique([prediction, target], return_inverse=True)[1].reshape(2, -1)"
    )
    for part, array, remedy in (
        *([("prediction", scores, of_two if scores.dtype.kind == "f" else alike)] if given else []),
        ("target", labels, as_integers(labels)),
    ):
        if array.dtype.kind not in "iub":
            raise DTypeError(f"{name}: {part} is of {array.dtype}, expected integers; {remedy}")
    if ignore_index is not None:
        scores, labels = scores[labels != ignore_index], labels[labels != ignore_index]
        if not labels.size:
            raise ShapeError(f"{name}: all labels are {ignore_index}, which are ignored, expected one that counts")
    if given:
        return scores, labels, scores
    if labels.min() < 0 or labels.max() >= scores.shape[-1]:
        got, expected = f"labels from {labels.min()} to {labels.max()}", f"0 to {scores.shape[-1] - 1}"
        remedy = "; pass ignore_index= if one of them marks rows to leave out" if ignore_index is None else ""
        raise ShapeError(f"{name}: got {got}, expected {expected} for scores {scores.shape}{remedy}")
    nothing = np.isnan(scores).any(axis=-1) if scores.dtype.kind == "f" else np.zeros(labels.shape, bool)
    if strict and nothing.any():
        got = f"{np.sum(nothing)} of {nothing.size} rows of scores hold NaN"
        raise TinygradError(f"{name}: {got}, which predict no class; look for their origin, or leave them out")
    return np.where(nothing, -1, np.argmax(scores, axis=-1)), labels, scores


def _scores(name: str, what: str, prediction: Any) -> NDArray[Any]:
    if isinstance(prediction, tuple):
        remedy = f"write a metric of one of them, such as lambda outputs, y: {name}(outputs[0], y)"
        raise TinygradError(f"{name}: got a tuple of {len(prediction)} outputs, expected one array; {remedy}")
    return _plain(name, what, prediction)


def _from_shares(name: str, target: NDArray[Any]) -> NDArray[Any]:
    """The labels of one-hot rows or probabilities, the class with the largest share; other targets unchanged.

    Raises TinygradError for several labels a row.
    """
    if target.dtype.kind not in "biuf" or target.shape[-1] < 2 or not np.all((target >= 0) & (target <= 1)):
        return target
    sums = np.sum(target, axis=-1, dtype=float)
    if np.any(np.abs(sums - 1) > ROUNDING):
        got = f"rows of target that sum to {np.min(sums):.3g} to {np.max(sums):.3g}"
        remedy = "of several labels a row pass labels as both, (scores > 0).astype(int) and target.astype(int)"
        raise TinygradError(f"{name}: got {got}, expected labels, or one-hot rows or probabilities; {remedy}")
    labels: NDArray[Any] = np.argmax(target, axis=-1)
    return labels


def mistakes(name: str, prediction: Any, target: Any, ignore_index: int | None = None) -> NDArray[np.bool]:
    """Where the predicted label is not the right one: (batch,). Errors, which say who asked, as for `accuracy`."""
    decided, labels, _ = _decided(name, prediction, target, ignore_index, strict=False)
    wrong: NDArray[np.bool] = decided != labels
    return wrong


@explaining
def accuracy(prediction: Any, target: ArrayLike, *, ignore_index: int | None = None) -> float:
    """Share of right predictions, from 0 to 1. Of equal scores the first counts; a row with NaN is never right.

    Args:
        prediction: scores (batch, classes) or labels (batch,).
        target: labels, (batch,); or beside scores probabilities or one-hot rows, (batch, classes), whose largest counts.
        ignore_index: a label whose rows are left out.

    Raises:
        ShapeError: if there is not one label a row, no row that counts, or no score for a label.
        DTypeError: if labels are not integers.
    """
    return float(np.mean(~mistakes("accuracy", prediction, target, ignore_index)))


@explaining
def correct(prediction: Any, target: ArrayLike, *, ignore_index: int | None = None) -> int:
    """Number of right predictions: `accuracy` before it is divided. Args and errors as for `accuracy`."""
    return int(np.sum(~mistakes("correct", prediction, target, ignore_index)))


@explaining
def binary_accuracy(prediction: Any, target: ArrayLike, *, threshold: Real = 0.5) -> float:
    """Share of outputs on the right side of the threshold, from 0 to 1, where each output answers yes or no; NaN is never right.

    Args:
        prediction: yes above the threshold; any shape, such as (batch,), or (batch, outputs) for several questions.
        target: yes above 0.5, such as 1 or True; the same shape.
        threshold: 0.5 for probabilities, 0 for logits.

    Raises ShapeError if the shapes differ or are empty, DTypeError for anything but real numbers.
    """
    outputs, truth = _plain("binary_accuracy", "prediction", prediction), _plain("binary_accuracy", "target", target)
    if outputs.shape != truth.shape or not outputs.size:
        got = f"prediction has shape {outputs.shape}, target {truth.shape}"
        raise ShapeError(f"binary_accuracy: {got}; expected the same, at least one number")
    return float(np.mean(((outputs > threshold) == (truth > 0.5)) & ~np.isnan(outputs)))


@explaining
def top_k_accuracy(scores: Any, target: ArrayLike, k: int = 5, *, ignore_index: int | None = None) -> float:
    """Share of rows where fewer than k other classes score as high as the right one, or higher; a row with NaN is no such row.

    So equal scores never help: where all are equal the share is 0, unless k is the number of classes. scikit-learn's
    top_k_accuracy_score takes the last k in order of score and index, so that of equal scores the higher index counts.

    Args:
        scores: (batch, classes).
        target: labels, (batch,), or probabilities as for `accuracy`.
        k: from 1 to the number of classes.
        ignore_index: a label whose rows are left out.

    Raises TinygradError for another k, ShapeError or DTypeError as `accuracy`.
    """
    _, labels, table = _decided("top_k_accuracy", scores, target, ignore_index, strict=False, what="scores")
    if table.shape == labels.shape:
        raise ShapeError(f"top_k_accuracy: got labels {table.shape} as prediction, expected scores (batch, classes)")
    if not 1 <= k <= table.shape[-1]:
        raise TinygradError(f"top_k_accuracy: got k={k}, expected 1 to {table.shape[-1]}, the number of classes")
    own = np.take_along_axis(table, labels[..., None], axis=-1)
    among = np.sum(table >= own, axis=-1) <= k  # the right one among them
    return float(np.mean(among & ~np.isnan(table).any(axis=-1)))


@explaining
def confusion_matrix(prediction: Any, target: ArrayLike, *, ignore_index: int | None = None) -> NDArray[Any]:
    """How often what is class i was taken for class j: (batch, classes) or (batch,), and (batch,) -> (classes, classes).

    Of predictions that are labels the classes are 0 to the largest. Args and errors as for `accuracy`; NaN among scores is one.
    """
    decided, labels, scores = _decided("confusion_matrix", prediction, target, ignore_index)
    classes = scores.shape[-1] if scores.shape != labels.shape else int(max(decided.max(), labels.max())) + 1
    if labels.min() < 0 or decided.min() < 0 or labels.max() >= classes:
        got = f"labels from {min(labels.min(), decided.min())} to {labels.max()}"
        raise ShapeError(f"confusion_matrix: got {got}, expected 0 to {classes - 1}")
    sklearn = _sklearn("confusion_matrix")
    matrix: NDArray[Any] = sklearn.confusion_matrix(labels.ravel(), decided.ravel(), labels=np.arange(classes))
    return matrix


@explaining
def precision(
    prediction: Any, target: ArrayLike, average: str | None = "macro", *, ignore_index: int | None = None
) -> Any:
    """Of what was taken for a class, the share that is of it; 0 where nothing was.

    Args:
        prediction: scores (batch, classes) or labels (batch,).
        target: labels, (batch,).
        average: "macro", the mean over classes; "weighted", by how often each occurs; "micro", over all rows; "binary", of class
            1; None, an array of one number for each class that occurs.
        ignore_index: a label whose rows are left out.

    Raises:
        TinygradError: for any other average, scores that hold NaN, or if scikit-learn is not installed.
        ShapeError, DTypeError: as `accuracy`.
    """
    return _score("precision", prediction, target, average, ignore_index)


@explaining
def recall(
    prediction: Any, target: ArrayLike, average: str | None = "macro", *, ignore_index: int | None = None
) -> Any:
    """Of what is of a class, the share that was taken for it; 0 where nothing is. Args and errors as for `precision`."""
    return _score("recall", prediction, target, average, ignore_index)


@explaining
def f1(prediction: Any, target: ArrayLike, average: str | None = "macro", *, ignore_index: int | None = None) -> Any:
    """2 precision · recall / (precision + recall). Args and errors as for `precision`."""
    return _score("f1", prediction, target, average, ignore_index)


def _score(name: str, prediction: Any, target: ArrayLike, average: str | None, ignore_index: int | None) -> Any:
    decided, labels, _ = _decided(name, prediction, target, ignore_index)
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
