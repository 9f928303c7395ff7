"""All parameters as one vector, for rules that relate each to every other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import Value

from ..checks import data_of


def vector(parameters: Sequence[Value]) -> NDArray[Any]:
    """Their numbers, one after the other."""
    return np.concatenate([np.ravel(p.data) for p in parameters])


def gradient(parameters: Sequence[Value]) -> NDArray[Any]:
    """Their gradients likewise; 0 where there is none, and where they are frozen."""
    gradients = [data_of(p.grad) for p in parameters]
    return np.concatenate(
        [
            np.zeros(p.size, p.dtype) if g is None or not p.requires_grad else np.ravel(g)
            for p, g in zip(parameters, gradients, strict=True)
        ]
    )


def place(parameters: Sequence[Value], w: NDArray[Any]) -> None:
    """Write such a vector into the parameters, in their own memory."""
    start = 0
    for p in parameters:
        part = w[start : start + p.size].reshape(p.shape)
        start += p.size
        if p.shape:
            p.data[...] = part
        else:
            p.data = part.astype(p.dtype)[()] if isinstance(p.data, np.generic) else float(part)
        p.mark_changed()
