"""What every engine trains: the data, the first weights, and how an engine's training becomes a Job.

Numbers are random and dense, so that no step meets all zeros. Agreement is checked on five steps at a learning rate at
which the weights move: the losses, and how far each weight went. Timed steps use 1e-7, so that gradients stay alive for as
many steps as it takes; converged weights would lead Adam's squared gradients into denormal numbers, which are slow.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...work import Job, flat, timed

Array: TypeAlias = NDArray[Any]
Optimiser: TypeAlias = Literal["SGD", "Adam"]
Step: TypeAlias = Callable[[], float]  # forward, backward, update; the loss before the update
Trainer: TypeAlias = Callable[[Optimiser, float, Array, Array, list[Array]], tuple[Step, Callable[[], list[Any]]]]

SIZES = (784, 100, 40, 10)
CHECKED_RATE: dict[Optimiser, float] = {"SGD": 0.1, "Adam": 1e-3}
TIMED_RATE = 1e-7
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def batch(size: int) -> tuple[Array, Array]:
    """Images (size, 784) and labels (size,)."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((size, SIZES[0]), dtype=np.float32), rng.integers(0, SIZES[-1], size)


def first_weights() -> list[Array]:
    """Weight (in, out), bias (out,), layer by layer: He's normal initialisation, and zeros."""
    rng = np.random.default_rng(1)
    weights: list[Array] = []
    for n_in, n_out in pairwise(SIZES):
        scale = np.float32(np.sqrt(2 / n_in))
        weights += [scale * rng.standard_normal((n_in, n_out), dtype=np.float32), np.zeros(n_out, np.float32)]
    return weights


def job(train: Trainer, optimiser: Optimiser, size: int) -> Job:
    """The Job of an engine.

    Args:
        train: from (optimiser, learning rate, images, labels, first weights), which it may change, the function that makes
            a training step, and the one that returns the weights as (in, out) and (out,).
    """
    images, labels = batch(size)
    step, weights = train(optimiser, CHECKED_RATE[optimiser], images, labels, first_weights())
    losses = [step() for _ in range(5)]
    moved = [np.asarray(w) - first for w, first in zip(weights(), first_weights(), strict=True)]
    step, _ = train(optimiser, TIMED_RATE, images, labels, first_weights())
    return timed(step, flat(losses, *moved))
