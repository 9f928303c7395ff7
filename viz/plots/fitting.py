"""Over- and underfitting as losses tell it: rules of thumb, stated in words with the numbers that they rest on.

The end of a curve is the mean of its last tenth. A run
- overfits from the epoch of the lowest validation loss, if that loss ends more than 5% higher, and higher than chance (twice the
  usual change from one epoch to the next), in each of the last two epochs too, while the training loss did not;
- underfits if the training loss ends above a goal, if there is one; or fell by less than 5% in all; or both losses still fell by
  more than 5% over the last tenth.

See Goodfellow, Bengio & Courville, Deep Learning (2016), section 5.2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .style import shown

_SLIGHT = 0.05


class Verdict(NamedTuple):
    """What losses tell: in words, and the epoch, from 1, since when; None for the whole run."""

    words: str
    epoch: int | None = None


def verdict(train: NDArray[Any], validation: NDArray[Any] | None, goal: float | None = None) -> Verdict | None:
    """What losses per epoch, both (epochs,), tell about the fit; None if they tell nothing, or are not finite."""
    every = train if validation is None else np.stack([train, validation])
    if train.size < 5 or not np.isfinite(every).all():
        return None
    if validation is not None and (found := _overfits(train, validation)):
        return found
    first, last = train[0], _end(train)
    if goal is not None and last > goal:
        return Verdict(f"underfitting: the training loss ends at {shown(last)}, above the goal")
    if first - last < _SLIGHT * abs(first):
        course = "rose" if last > first else "only fell"
        return Verdict(f"underfitting: the training loss {course} from {shown(first)} to {shown(last)}")
    watched = [train] if validation is None else [train, validation]
    if all(_falls(losses) for losses in watched):
        return Verdict("still falling at the end: more epochs would help")
    return None


def _overfits(train: NDArray[Any], validation: NDArray[Any]) -> Verdict | None:
    best = int(np.argmin(validation))
    rise = _end(validation) - validation[best]
    chance = 2 * float(np.median(np.abs(np.diff(validation))))
    learned = _end(train) - train[best] <= _SLIGHT * abs(train[best])
    held = min(rise, *(validation[-2:] - validation[best]))  # one bad epoch is no overfitting
    if held <= _SLIGHT * abs(validation[best]) or held <= chance or not learned:
        return None
    return Verdict(f"overfitting from epoch {best + 1}: validation +{rise / abs(validation[best]):.0%}", best + 1)


def _end(losses: NDArray[Any], before: int = 0) -> float:
    """Mean of the last tenth of a curve, or of the one `before` that."""
    tenth = max(1, len(losses) // 10)
    stop = len(losses) - before * tenth
    return float(np.mean(losses[stop - tenth : stop]))


def _falls(losses: NDArray[Any]) -> bool:
    earlier = _end(losses, before=1)
    return earlier - _end(losses) > _SLIGHT * abs(earlier)
