"""Other numbers of the same kind, on which a function is run again: what does not move with them was computed unseen."""

from __future__ import annotations

from typing import Any

import numpy as np


def moved(x: Any) -> Any:
    """Numbers rolled along the first axis, floats a little larger."""
    if isinstance(x, np.ndarray):
        other = np.roll(x, 1, axis=0) if x.ndim else x
        return laid_like(x, (other * (1 + 2.0**-10)).astype(x.dtype) if x.dtype.kind == "f" else other)
    return type(x)(x * (1 + 2.0**-10))


def laid_like(x: np.ndarray[Any, Any], numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Numbers in the memory layout of x, as far as a program is compiled for it."""
    if x.flags.c_contiguous:
        return np.ascontiguousarray(numbers).reshape(x.shape)
    return np.asfortranarray(numbers) if x.flags.f_contiguous else np.repeat(numbers, 2, axis=-1)[..., ::2]
