"""Numerical derivatives by three methods, each with an error estimate.

Central differences, (f(x + h) - f(x - h)) / 2h, have a truncation error of about h² f'''/6 and a rounding error of about
ε f / h (ε = 2.2e-16). The best h, near ε^(1/3), leaves ten digits. Ridders' method extrapolates from several h to h = 0. The
complex step, Im f(x + ih) / h, has no subtraction, so with h = 1e-200 every digit is right, but only if f is analytic: it is
silently wrong for abs, norm and max.

Sources: C. Ridders, Advances in Engineering Software 4 (1982); Press et al., Numerical Recipes, section 5.7; W. Squire and
G. Trapp, SIAM Review 40 (1998).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import DTypeError, ShapeError, TinygradError
from ..node import Node
from ..op import Op

_EPS = float(np.finfo(float).eps)
_SHRINK = 1.6  # ratio of successive steps in Ridders' table
_ROWS = 10


class NumericalGradient(NamedTuple):
    """A numerical gradient.

    Attributes:
        value: float64 array of the input's shape.
        error: estimate of the absolute error of each number in `value`; same shape.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]


def numerical_gradient(
    f: Callable[..., Any] | Op,
    *inputs: Any,
    argnum: int = 0,
    cotangent: Any = None,
    method: Literal["ridders", "central", "complex"] = "ridders",
    step: float | None = None,
) -> NumericalGradient:
    """The gradient of sum(cotangent * f(*inputs)) with respect to one input, by finite differences.

    Args:
        f: function of numbers, arrays or Values; or an Op, for its plain forward function. May return a Value.
        inputs: numbers or arrays of any shape; float64 is used throughout. Not modified.
        argnum: position of the input to differentiate with respect to.
        cotangent: weights of f's result, of its shape; optional if the result is a single number.
        method: "ridders" (the more accurate of the two for general f), "central", or "complex" for an Op flagged `analytic`.
        step: the step h, relative to max(1, |x|); by default 1e-2 initially for "ridders", ε^(1/3) = 6e-6 for "central" and
            1e-200 for "complex". It must not cross a kink.

    Returns:
        `NumericalGradient(value, error)`, both of the shape of the input.

    Raises:
        ShapeError: if the cotangent is missing or does not have the shape of the result.
        DTypeError: if the input is not real.
        TinygradError: for the complex step of anything but an analytic Op, and for any other method.

    >>> numerical_gradient(lambda x: x**3, 2.0).value
    array(12.)
    """
    x = np.array(inputs[argnum])
    if x.dtype.kind not in "fiu":
        raise DTypeError(f"numerical_gradient: input {argnum} is {x.dtype}, expected real numbers")
    x = x.astype(float)
    if method == "complex" and not (isinstance(f, Op) and f.analytic):
        raise TinygradError(
            "numerical_gradient: the complex step is silently wrong where f is not analytic (abs, norm, max), so it is for "
            "ops flagged analytic=True only; use method='ridders'"
        )
    if method not in ("ridders", "central", "complex"):
        raise TinygradError(f"numerical_gradient: got method={method!r}, expected 'ridders', 'central' or 'complex'")
    function = f.forward if isinstance(f, Op) else f

    def along(i: tuple[int, ...], h: complex) -> Any:
        """The weighted sum of f's result with element i shifted by h."""
        moved = x.astype(type(h))
        moved[i] += h
        return _weighted(function(*inputs[:argnum], moved if x.ndim else moved[()], *inputs[argnum + 1 :]), cotangent)

    value, error = np.empty(x.shape), np.empty(x.shape)
    for i in np.ndindex(x.shape):
        scale = max(1.0, abs(float(x[i])))
        if method == "complex":
            h = (step or 1e-200) * scale
            value[i] = along(i, complex(0.0, h)).imag / h
            error[i] = 16 * _EPS * abs(value[i])
        elif method == "central":
            value[i], error[i] = _central(partial(along, i), (step or _EPS ** (1 / 3)) * scale)
        else:
            value[i], error[i] = _ridders(partial(along, i), (step or 1e-2) * scale)
    return NumericalGradient(value, error)


def _weighted(y: Any, cotangent: Any) -> Any:
    """sum(cotangent * y), or y itself if it is a single number."""
    y = y.raw if isinstance(y, Node) else y
    if cotangent is None:
        if np.size(y) != 1:
            remedy = "pass cotangent= weights of that shape, or return a sum"
            raise ShapeError(f"numerical_gradient: the result has shape {np.shape(y)}, so {remedy}")
        return np.reshape(y, ())[()]
    if np.shape(cotangent) != np.shape(y):
        raise ShapeError(
            f"numerical_gradient: cotangent has shape {np.shape(cotangent)}, but the result has {np.shape(y)}"
        )
    return np.sum(np.multiply(cotangent, y))


def _slope(f: Callable[[float], Any], h: float) -> tuple[float, float]:
    """The central difference with step h, and its rounding error."""
    right, left = float(f(h)), float(f(-h))
    return (right - left) / (2 * h), _EPS * (abs(right) + abs(left)) / h


def _central(f: Callable[[float], Any], h: float) -> tuple[float, float]:
    """The central difference and its error: rounding, plus truncation, estimated from twice the step."""
    value, rounding = _slope(f, h)
    wide, _ = _slope(f, 2 * h)
    return value, abs(wide - value) + rounding


def _ridders(f: Callable[[float], Any], h: float) -> tuple[float, float]:
    """Central differences over shrinking steps, extrapolated to h = 0 by Neville's scheme; the best entry of the table.

    The error of an entry is its distance from its two neighbours of lower order. The search ends at a row worse than the best
    so far, where rounding dominates.
    """
    value, rounding = _slope(f, h)
    best, error = value, float("inf")
    previous = [value]
    for _ in range(1, _ROWS):
        h /= _SHRINK
        value, rounding = _slope(f, h)
        row = [value]
        factor = _SHRINK**2
        for lower in previous:
            row.append((row[-1] * factor - lower) / (factor - 1))
            factor *= _SHRINK**2
            distance = max(abs(row[-1] - row[-2]), abs(row[-1] - lower)) + rounding
            if distance < error:
                best, error = row[-1], distance
        if not abs(row[-1] - previous[-1]) < 2 * error:
            break
        previous = row
    return best, error
