"""Numerical derivatives by three methods, each with an error estimate.

Central differences, (f(x + h) - f(x - h)) / 2h, have a truncation error of about h² f'''/6 and a rounding error of about
ε f / h (ε = 2.2e-16). The best h, near ε^(1/3), leaves ten digits. Ridders' method extrapolates from several h to h = 0. The
complex step, Im f(x + ih) / h, has no subtraction, so with h = 1e-200 every digit is right, but only if f is analytic: it is
silently wrong for abs, norm and max.

Near a pole or the end of the domain the first steps of Ridders' method are too large: it begins again with smaller ones, until
the differences settle.

Sources: C. Ridders, Advances in Engineering Software 4 (1982); Press et al., Numerical Recipes, section 5.7; W. Squire and
G. Trapp, SIAM Review 40 (1998).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import DTypeError, ShapeError, TinygradError
from ..node import Node
from ..op import Op

_EPS = float(np.finfo(float).eps)
_SHRINK = 1.6  # ratio of successive steps in Ridders' table
_ROWS = 10
_FINER = 10.0  # ratio of successive first steps
_FINEST = 1e-25  # the smallest first step from 0
_SETTLED, _NOISY = 1e-9, 1e-3  # relative errors of a slope from settled differences; if f is rounded coarsely
_COARSE = 1e-6  # results that change by this share, and then no more, may be rounded


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
        step: the step h, relative to max(1, |x|); by default ε^(1/3) = 6e-6 for "central", 1e-200 for "complex", and 1e-2
            initially for "ridders", which finds smaller ones near a pole or the end of the domain. It must not cross a kink.

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
        elif step:
            value[i], error[i], _ = _ridders(partial(along, i), step * scale)
        else:
            value[i], error[i] = _settled(partial(along, i), 1e-2 * scale, abs(float(x[i])))
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


def _settled(f: Callable[[float], Any], h: float, size: float) -> tuple[float, float]:
    """The slope and its error by Ridders' method: from h, or from smaller steps if the differences do not settle there.

    Args:
        size: the absolute value of the input, whose spacing is the smallest step.
    """

    def exact(h: float) -> float:
        return size + h - size

    def inside(h: float) -> Any:
        """NaN beyond the domain of a function that raises there."""
        try:
            return f(h)
        except (ArithmeticError, ValueError):
            return np.nan

    def bend(h: float) -> float:
        """The second difference: it shrinks with h, unless a pole or a spike lies within h."""
        return float(abs(inside(h) + inside(-h) - 2 * here))

    value, error, rounding = _ridders(inside, h)
    if 0 < error <= _SETTLED * abs(value) < inf:
        return value, error
    here = f(0.0)  # raises what is no matter of the domain
    best, change = (np.nan, inf), inf
    finest, coarse = max(_FINEST, 8 * float(np.spacing(size))), _COARSE * float(abs(here))
    while h >= finest:
        if error <= 30 * rounding < inf:
            if value == 0 and change <= coarse:
                break  # below the resolution of f
            if bend(h / 4) <= max(bend(h) / 2, coarse):
                return value, error
        elif error <= _NOISY * abs(value) < inf:
            others = [_ridders(inside, factor * h, exact)[:2] for factor in (4.0, 0.25)]
            agreeing = [found for found in others if abs(found[0] - value) <= 3 * (error + found[1])]
            if others[1] in agreeing and others[1][1] <= 10 * _NOISY * abs(value):
                return min([(value, error), *agreeing], key=lambda found: found[1])
        if not error * abs(best[0]) >= best[1] * abs(value):  # the relative error
            best = value, error
        change = max(abs(inside(h) - here), abs(inside(-h) - here))
        h /= _FINER
        value, error, rounding = _ridders(inside, h, exact)
    return best


def _ridders(
    f: Callable[[float], Any], h: float, exact: Callable[[float], float] = float
) -> tuple[float, float, float]:
    """Central differences over shrinking steps, extrapolated to h = 0 by Neville's scheme; the best entry of the table.

    The error of an entry is its distance from its two neighbours of lower order. The search ends at a row worse than the best
    so far, where rounding dominates.

    Args:
        exact: h -> the nearest step by which the input moves without rounding.

    Returns:
        the slope, its error, and the part of it that is rounding.
    """
    h = exact(h)
    value, rounding = _slope(f, h)
    best, error, least = value, float("inf"), rounding
    previous, steps = [value], [h]
    for _ in range(1, _ROWS):
        h = exact(h / _SHRINK)
        if not 0 < h < steps[-1]:
            break
        value, rounding = _slope(f, h)
        row = [value]
        for lower, step in zip(previous, reversed(steps), strict=True):
            row.append(row[-1] + (row[-1] - lower) / ((step / h) ** 2 - 1))
            distance = max(abs(row[-1] - row[-2]), abs(row[-1] - lower)) + rounding
            if distance < error:
                best, error, least = row[-1], distance, rounding
        if not abs(row[-1] - previous[-1]) < 2 * error:
            break
        previous, steps = row, [*steps, h]
    return best, error, least
