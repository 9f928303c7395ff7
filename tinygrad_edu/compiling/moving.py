"""Other numbers of the same kind, on which a function is run again: what does not move with them was computed unseen."""

from __future__ import annotations

from typing import Any

import numpy as np


def moved(x: Any, by: float = 1 + 2.0**-10) -> Any:
    """Numbers rolled along the first axis; floats a little larger, or multiplied by another number."""
    if isinstance(x, np.ndarray):
        other = np.roll(x, 1, axis=0) if x.ndim else x
        return laid_like(x, np.asarray(other * by, x.dtype) if x.dtype.kind == "f" else other)
    return type(x)(x * by)


def laid_like(x: np.ndarray[Any, Any], numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A copy of numbers in the memory layout of x, as far as a program is compiled for it."""
    if x.flags.c_contiguous:
        return numbers.copy(order="C")
    return numbers.copy(order="F") if x.flags.f_contiguous else np.repeat(numbers, 2, axis=-1)[..., ::2]
