"""Common mistakes, recognised from the pattern of the wrong numbers."""

from __future__ import annotations

import numpy as np

from .slopes import Vector


def diagnosis(claimed: Vector, slopes: Vector, sizes: set[int]) -> str | None:
    """The common mistake that turns the gradient `slopes` into `claimed`, as a sentence; None if there is none.

    Args:
        claimed, slopes: the claimed gradient of one argument, and the one from the function's values; of one shape.
        sizes: the axis lengths and element counts of the arrays involved.
    """
    if not np.all(np.isfinite(claimed)) or not np.all(np.isfinite(slopes)) or not np.any(slopes):
        return None
    if not np.any(claimed):
        return "it is 0 everywhere: is the gradient passed on at all?"
    scale = float(np.vdot(claimed, slopes) / np.vdot(slopes, slopes))
    if np.allclose(claimed, scale * slopes, rtol=1e-4, atol=1e-6 * float(np.max(np.abs(claimed)))):
        return _of_factor(scale, sizes)
    if (
        claimed.ndim == 2
        and claimed.shape[0] == claimed.shape[1]
        and np.allclose(claimed.T, slopes, rtol=1e-4, atol=1e-8)
    ):
        return "it is transposed"
    if np.allclose(np.abs(claimed), np.abs(slopes), rtol=1e-4, atol=1e-8):
        wrong = int(np.sum(claimed * slopes < 0))
        return f"the sign of {wrong} of {claimed.size} numbers is wrong"
    if np.all((claimed == 0) | np.isclose(claimed, slopes, rtol=1e-4, atol=1e-8)):
        return f"{int(np.sum((claimed == 0) & (slopes != 0)))} of {claimed.size} numbers are 0 and should not be"
    return None


def _of_factor(scale: float, sizes: set[int]) -> str | None:
    if np.isclose(scale, -1, rtol=1e-4):
        return "the sign is wrong"
    if np.isclose(scale, 1, rtol=1e-4):
        return None
    for n in sorted({2, *sizes} - {0, 1}):
        many = "2" if n == 2 else f"{n}, the size of an axis or a count (a mean?)"
        if np.isclose(abs(scale), n, rtol=1e-4):
            return f"a factor of {many}, too many" + (", and the sign" if scale < 0 else "")
        if np.isclose(abs(scale), 1 / n, rtol=1e-4):
            return f"a factor of {many}, is missing" + (", and the sign" if scale < 0 else "")
    return f"all numbers are {scale:.5g} times what they should be"
