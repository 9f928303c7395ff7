"""Splits: the training, validation and test examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError

from ..checks import shown
from ..data import split, stratified_split
from .examples import Examples
from .plan import Plan

SPLITS = ("training", "validation", "test")


def splits(plan: Plan, examples: Examples) -> dict[str, NDArray[np.intp]]:
    """Indices of the examples for training, for validation after each epoch, and for a test at the end.

    Every split has its share of every class. Separate test data remain the test data.

    Raises TinygradError if a class has too few examples for that, or there is one class.
    """
    count = len(examples.targets) - examples.held_back
    rest = 1 - plan.validation
    fractions = (rest,) if examples.held_back else (rest - plan.test, plan.validation)
    rng = plan.generators()[0]
    if examples.classes:
        labels = examples.targets[:count]
        names, counts = np.unique(labels, return_counts=True)
        if len(names) < 2:
            got = f"one class, {shown(examples.classes[names[0]])}"
            raise TinygradError(f"{examples.title}: {shown(examples.target)} has {got}; expected two or more")
        if counts.min() <= len(fractions):
            rare = f"{counts.min()} of class {shown(examples.classes[names[counts.argmin()]])}"
            many = f"{len(fractions) + 1} or more of each, one for each of {', '.join(SPLITS[: len(fractions) + 1])}"
            more = "; real numbers? pass --task numbers" if "whole" in examples.decided else ""
            raise TinygradError(f"{examples.title}: got {rare} in {shown(examples.target)}, expected {many}{more}")
        divided = stratified_split(labels, fractions, rng)
    else:
        divided = split(count, fractions, rng)
    if examples.held_back:
        divided.append(np.arange(count, len(examples.targets)))
    return dict(zip(SPLITS, divided, strict=True))
