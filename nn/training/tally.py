"""The loss of several batches, from the loss of each: add up sums and weights, and take a mean once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import isfunction
from math import hypot, inf, sqrt
from typing import Any

import numpy as np

from tinygrad_edu import TinygradError, astype

from ..checks import FUNCTION, checked, data_of, is_real
from ..functional.reduction import DEFAULTS, InParts, Part, noted
from ..loss import Loss

Parts = Callable[[Any, Any], Part]


def parts(name: str, loss: Any) -> Parts:
    """A function that computes the Part of a batch from a loss: (output, targets) -> Part.

    The losses of nn and `partial`s of them compute it, with their settings; so does a function that returns the result of
    one, such as `lambda outputs, y: cross_entropy(outputs[0], y)`. Any other loss returns the mean over the batch's
    examples; or, if some weigh more than others, a pair: the sum and the weight, such as `((e * mask).sum(), mask.sum())`.

    Raises TinygradError, in the name of the function `name`, if the loss is not callable.
    """
    inner, settings = origin(checked(name, "loss", loss, FUNCTION))
    if isinstance(inner, Loss) and type(inner).forward is Loss.forward:
        default = inner.reduction
    elif isfunction(inner) and inner in DEFAULTS:
        default = DEFAULTS[inner]
    else:
        return partial(_own, name, loss)
    return partial(_known, loss, InParts(settings.get("reduction", default)))


def origin(loss: Any) -> tuple[Any, dict[str, Any]]:
    """The loss inside a functools.partial, and the keywords of the partial."""
    settings: dict[str, Any] = {}
    while isinstance(loss, partial):
        settings, loss = {**loss.keywords, **settings}, loss.func
    return loss, settings


def _known(loss: Any, reduction: InParts, output: Any, target: Any) -> Part:
    given = loss(output, target, reduction=reduction)
    return given if isinstance(given, Part) else Part(given, 1.0)


def _own(name: str, loss: Any, output: Any, target: Any) -> Part:
    notes: list[Part] = []
    token = noted.set(notes)
    try:
        given = loss(output, target)
    finally:
        noted.reset(token)
    if not isinstance(given, tuple):
        return next((part for part in notes if part.value is given), Part(given, len(target)))
    weight: Any = data_of(given[1]) if len(given) == 2 else None
    weight = weight[()] if isinstance(weight, np.ndarray) and not weight.ndim else weight
    is_number = is_real(weight) or (
        getattr(weight, "ndim", 1) == 0 and weight.dtype.kind in "fiu"
    )  # as of a compiled loss
    if not is_number or not 0 <= weight < inf:
        expected = "one number, or a pair: the sum over the batch, and a finite weight from 0 on to divide by"
        raise TinygradError(f"{name}: the loss returned a tuple {given!r:.60}, expected {expected}")
    weight = float(weight) if is_real(weight) else astype(weight, float)
    return Part(given[0] / weight if weight else given[0], weight)


class Tally:
    """The loss of all added batches.

    Of means it is Σ weight · loss / Σ weight; of roots √(Σ weight · loss² / Σ weight), or √(Σ loss²); of sums Σ loss.
    """

    __slots__ = ("root", "summed", "total", "unit", "weight")

    def __init__(self) -> None:
        self.total = self.weight = self.unit = 0.0  # unit: the weight that has share 1
        self.root = self.summed = False

    def add(self, number: float, part: Part) -> None:
        """Add the loss of a batch: the number and its Part."""
        weight = part.weight
        self.weight += weight
        if part.root or part.summed:
            self.root, self.summed = part.root, part.summed
            weight = 1.0 if part.summed else weight
            self.total = hypot(self.total, sqrt(weight) * number) if part.root else self.total + number
        else:
            self.total += (weight or 1.0) * number  # at weight 0 the number is a sum: of label smoothing, or 0

    def loss(self, name: str) -> float:
        """The loss of all batches. Raises TinygradError, in the name of the function `name`, for a mean of weight 0."""
        if self.summed:
            return self.total
        if not self.weight:
            raise TinygradError(f"{name}: all labels are ignored or weigh 0, expected one that counts")
        return self.total / (sqrt(self.weight) if self.root else self.weight)

    def share(self, number: float, part: Part) -> float:
        """The factor of the gradient of the batch that was added last; `factor` then scales the sum."""
        self.unit = self.unit or part.weight or 1.0
        return (1.0 if self.summed else (part.weight or 1.0) / self.unit) * (number if self.root else 1.0)

    def factor(self, name: str) -> float:
        """The factor that turns the sum of the gradients, each times its share, into the gradient of `loss`."""
        number = self.loss(name) if self.root else 1.0
        return (1.0 if self.summed else self.unit / self.weight) / number if number else 0.0
