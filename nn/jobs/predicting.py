"""Predictions of a job's model: scored on examples, and of new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError, no_grad

from ..container import MLP
from ..data import batches, idx
from ..functional import cross_entropy
from ..metrics import accuracy
from ..training.evaluation import BATCH
from .examples import Examples, columns
from .job import Job


@dataclass(frozen=True)
class Score:
    """The quality of a model on some examples.

    Attributes:
        examples: the number of examples.
        numbers: "loss", and "accuracy", or "rmse" in the unit of the target and "r2".
        pairs: the confusion matrix, entry [i, j] counting examples of class i predicted as class j; None for numbers.
    """

    examples: int
    numbers: dict[str, float]
    pairs: NDArray[np.int64] | None = None


def scored(job: Job, model: MLP, examples: Examples, chosen: Any = slice(None)) -> Score:
    """The score of a model on some of the examples, chosen by index."""
    outputs = _outputs(job, model, examples.inputs[chosen])
    targets = job.scaling.targets(examples)[chosen]
    if job.classes:
        numbers = {"loss": float(cross_entropy(outputs, targets)), "accuracy": accuracy(outputs, targets)}
        pairs = np.bincount(targets * len(job.classes) + np.argmax(outputs, axis=1), minlength=len(job.classes) ** 2)
        return Score(len(targets), numbers, pairs.reshape(len(job.classes), -1))
    loss = float(np.mean(np.square(outputs - targets, dtype=np.float64)))
    variance = float(np.var(targets, dtype=np.float64))
    numbers = {"loss": loss, "rmse": loss**0.5 * job.scaling.target_scale}
    return Score(len(targets), numbers | ({"r2": 1 - loss / variance} if variance else {}))


def predictions(job: Job, model: MLP, path: str) -> tuple[list[tuple[str, ...]], list[str]]:
    """A header and a row for each example of a file; and the unused columns of the file.

    The file is a CSV file with the columns of the run, or an IDX file for images. Raises TinygradError for any other.
    """
    if job.kind == "images":
        images, others = idx(path), list[str]()
        if images.dtype != np.uint8 or images.shape[1:] != job.image:
            got = f"{images.dtype} of shape {images.shape}"
            raise TinygradError(
                f"{path!r}: got {got}, expected images, bytes of shape (n, {job.image[0]}, {job.image[1]})"
            )
        x = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    else:
        x, others = columns(path, job.features)
        others = [name for name in others if name != job.target]
    outputs = _outputs(job, model, x).astype(np.float64)
    if not job.classes:
        numbers = outputs[:, 0] * job.scaling.target_scale + job.scaling.target_mean
        return [("prediction",), *[(f"{number:.7g}",) for number in numbers]], others
    shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    found = np.argmax(outputs, axis=1)
    rows = [(job.classes[label], f"{row[label]:.4f}") for label, row in zip(found, shares, strict=True)]
    return [("prediction", "probability"), *rows], others


def _outputs(job: Job, model: MLP, x: NDArray[Any]) -> NDArray[np.float32]:
    """The model's outputs. Raises TinygradError if one is not finite."""
    with no_grad(), np.errstate(all="ignore"):
        every = [model(part).data for (part,) in batches(job.scaling.inputs(x), batch_size=BATCH)]
    outputs: NDArray[np.float32] = np.concatenate(every)
    if wrong := np.flatnonzero(~np.isfinite(outputs).all(axis=1)).tolist():
        raise TinygradError(f"example {wrong[0] + 1}: the model's output is not finite; its numbers may be too large")
    return outputs
