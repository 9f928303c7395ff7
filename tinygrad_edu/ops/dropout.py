"""Random zeros, against a network's reliance on single numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data import floating, shape_of
from ..domain import Sample, Shape
from ..errors import TinygradError
from ..registry import derived
from ..signatures import Array, Plain


def _choices(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape,), {"rng": 3})
    yield Sample((shape,), {"p": 0.25, "rng": 1})
    yield Sample((shape,), {"p": 1.0, "rng": 0})
    yield Sample((shape,), {"p": 0.0})
    yield Sample((shape,), {"training": False})


def _formula(x: Any, p: float = 0.5, rng: Any = None, training: bool = True) -> Any:
    if not training or not p:
        return x
    keep = np.random.default_rng(rng).random(np.shape(x), np.float32) >= p
    return x * 0.0 if p == 1 else x * keep / (1 - p)


@derived(samples=_choices, numpy=_formula)
def dropout(x: Array, p: float = 0.5, rng: np.random.Generator | int | None = None, training: bool = True) -> Plain:
    """Each number of x set to 0 with probability p, else divided by 1 - p: the mean stays. x itself if not training.

    Args:
        rng: where the randomness comes from: a generator, which moves on, or a seed.

    Raises TinygradError without rng, and for p outside 0 to 1. See Srivastava et al., "Dropout" (2014).
    """
    if not isinstance(p, (int, float, np.number)) or not 0 <= p <= 1:
        raise TinygradError(f"dropout: got p={p!r}, expected a probability from 0 to 1")
    if not training or not p:
        return x
    if rng is None:
        raise TinygradError("dropout: rng is missing; pass rng=np.random.default_rng(seed), or training=False")
    keep = np.random.default_rng(rng).random(shape_of(x), np.float32) >= p
    x = floating(x)
    scale = np.multiply(keep, 1 / (1 - p) if p < 1 else 0.0, dtype=getattr(x, "dtype", float))
    return x * (scale if shape_of(x) else scale.item())
