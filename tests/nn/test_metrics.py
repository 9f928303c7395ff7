"""Metrics against their definitions by loops, scikit-learn missing, and the error for each wrong use."""

import re
import sys

import numpy as np
import pytest

from nn import functional, metrics
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value

RNG = np.random.default_rng(1)
SCORES, TARGET = RNG.normal(size=(40, 4)), RNG.integers(0, 3, size=40)  # class 3 never occurs, but may be predicted
DECIDED = SCORES.argmax(axis=1)
MATRIX = np.array([[np.sum((i == TARGET) & (j == DECIDED)) for j in range(4)] for i in range(4)])


@pytest.mark.parametrize(
    "prediction", [SCORES, Value(SCORES), DECIDED, DECIDED.tolist()], ids=["array", "Value", "labels", "list"]
)
def test_accuracy_and_confusion(prediction):
    assert metrics.accuracy(prediction, TARGET) == pytest.approx(np.trace(MATRIX) / 40)
    assert type(metrics.accuracy(prediction, TARGET)) is float
    assert np.array_equal(metrics.confusion_matrix(prediction, TARGET), MATRIX)
    assert functional.accuracy is metrics.accuracy
    assert metrics.correct(prediction, TARGET) == np.trace(MATRIX)
    assert type(metrics.correct(prediction, TARGET)) is int


@pytest.mark.parametrize("shape", [(40,), (40, 1), (8, 5)])
def test_binary_accuracy(shape):
    scores, truth = RNG.normal(size=shape), RNG.random(shape) > 0.4
    for threshold, outputs in ((0.0, scores), (0.5, 1 / (1 + np.exp(-scores)))):
        for given in (truth, truth.astype(int), truth.astype(np.float32)):
            right = sum(bool(x > threshold) == bool(t) for x, t in zip(outputs.flat, truth.flat, strict=True))
            assert metrics.binary_accuracy(Value(outputs), given, threshold=threshold) == pytest.approx(right / 40)
    assert metrics.binary_accuracy([np.nan, np.nan, 0.5, 0.6], [0, 1, 0, 1]) == 0.5, "NaN is on no side, .5 is no"
    for prediction, target in ((scores, truth[:4]), (scores, truth.T[None]), ([], [])):
        with pytest.raises(ShapeError, match="^binary_accuracy: prediction has shape"):
            metrics.binary_accuracy(prediction, target)
    with pytest.raises(TinygradError, match="^binary_accuracy: got threshold='a'"):
        metrics.binary_accuracy(scores, truth, threshold="a")


def test_more_axes_and_none():
    deep, labels = SCORES.reshape(5, 8, 4), TARGET.reshape(5, 8)
    for f in (metrics.accuracy, metrics.f1, lambda s, y: metrics.top_k_accuracy(s, y, k=2)):
        assert f(deep, labels) == f(SCORES, TARGET)
    assert np.array_equal(metrics.confusion_matrix(deep, labels), MATRIX)
    assert metrics.accuracy(np.array([0.1, 0.9]), 1) == 1.0
    assert metrics.confusion_matrix(np.array([[1.0, 0.0, 0.0]]), [0]).shape == (3, 3)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_top_k_accuracy(k):
    among = [label in np.argsort(-row)[:k] for row, label in zip(SCORES, TARGET, strict=True)]
    assert metrics.top_k_accuracy(Value(SCORES), TARGET, k=k) == pytest.approx(np.mean(among))


def test_precision_recall_and_f1():
    with np.errstate(invalid="ignore"):
        right, taken, there = np.diag(MATRIX), MATRIX.sum(axis=0), MATRIX.sum(axis=1)
        parts = {
            "precision": right / np.maximum(taken, 1),
            "recall": right / np.maximum(there, 1),
            "f1": 2 * right / np.maximum(taken + there, 1),
        }
    for name, each in parts.items():
        f = getattr(metrics, name)
        assert np.allclose(f(SCORES, TARGET, average=None), each)
        assert f(SCORES, TARGET) == pytest.approx(each.mean())
        assert f(SCORES, TARGET, average="weighted") == pytest.approx(np.sum(each * there) / 40)
        assert f(SCORES, TARGET, average="micro") == pytest.approx(np.trace(MATRIX) / 40)
        assert type(f(SCORES, TARGET)) is float
    assert metrics.precision([1, 1, 1, 0], [1, 0, 1, 1], average="binary") == pytest.approx(2 / 3)
    assert metrics.precision([0, 0], [1, 1], average="binary") == 0.0  # no warning


def test_scores_and_labels_that_are_interchanged():
    for f in (metrics.accuracy, metrics.confusion_matrix):
        with pytest.raises(ShapeError, match=r"labels \(40, 4\), expected .*; are the two interchanged\?$"):
            f(TARGET, SCORES)
        with pytest.raises(ShapeError, match="at least one$"):
            f(TARGET[:3], SCORES)


def test_r2_and_rmse():
    y = RNG.normal(size=(20, 2))
    x = y + 0.1 * RNG.normal(size=(20, 2))
    r2 = 1 - np.sum((x - y) ** 2, axis=0) / np.sum((y - y.mean(axis=0)) ** 2, axis=0)
    assert metrics.r2(Value(x), y) == pytest.approx(r2.mean())
    assert metrics.r2(x[:, 0], Value(y[:, 0])) == pytest.approx(r2[0])
    assert metrics.rmse(Value(x[:, 0]), y[:, 0]) == pytest.approx(float(functional.rmse_loss(x[:, 0], y[:, 0])))
    assert metrics.rmse(x, y) == pytest.approx(np.sqrt(np.mean((x - y) ** 2, axis=0)).mean())


@pytest.mark.parametrize("name", ["confusion_matrix", "precision", "recall", "f1", "r2", "rmse"])
def test_without_scikit_learn_the_error_says_how_to_get_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(TinygradError, match=rf"{name}: needs scikit-learn.*pip install 'tinygrad-edu\[datasets\]'"):
        getattr(metrics, name)(np.arange(3), np.arange(3))
    assert metrics.accuracy([1], [1]) == metrics.top_k_accuracy([[0.0, 1.0]], [1], k=1) == 1.0


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: metrics.accuracy(SCORES, TARGET[:, None]), ShapeError, "accuracy: got scores (40, 4) and labels (40, 1), expected"),
        (lambda: metrics.accuracy(np.ones((0, 3)), np.ones(0, int)), ShapeError, "at least one"),
        (lambda: metrics.accuracy([0.2, 0.7], [0, 1]), DTypeError, "prediction is of float64, expected integers; pass scores as (batch, classes)"),
        (lambda: metrics.accuracy(SCORES, TARGET / 2), DTypeError, "target is of float64, expected integers; for numbers in place of classes use mse_loss"),
        (lambda: metrics.top_k_accuracy(SCORES, TARGET), TinygradError, "top_k_accuracy: got k=5, expected 1 to 4, the number of classes"),
        (lambda: metrics.top_k_accuracy(DECIDED, TARGET), ShapeError, "got labels (40,) as prediction, expected scores"),
        (lambda: metrics.top_k_accuracy(SCORES, TARGET + 2, k=1), ShapeError, "got labels from 2 to 4, expected 0 to 3"),
        (lambda: metrics.confusion_matrix(SCORES, TARGET + 2), ShapeError, "confusion_matrix: got labels from 2 to 4, expected 0 to 3"),
        (lambda: metrics.confusion_matrix(DECIDED - 1, TARGET), ShapeError, "got labels from -1"),
        (lambda: metrics.f1(SCORES, TARGET, average="mean"), TinygradError, "f1: got average='mean', expected one of 'binary', 'micro', 'macro', 'weighted', None"),
        (lambda: metrics.recall(SCORES, TARGET, average="binary"), TinygradError, "expected 0 and 1 or 'macro'"),
        (lambda: metrics.r2([1.0], [1.0]), ShapeError, "r2: prediction has shape (1,), target (1,); expected the same"),
        (lambda: metrics.rmse(SCORES, TARGET), ShapeError, "rmse: prediction has shape (40, 4), target (40,)"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(wrong, error, message):
    with pytest.raises(error, match=re.escape(message)):
        wrong()
