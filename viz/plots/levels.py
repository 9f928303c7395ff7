"""Levels of contour lines: equally spaced round numbers, or spaced as logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal, TypeAlias

import numpy as np

from tinygrad_edu import DTypeError, ShapeError

from ..drawing import RenderError
from .field import Array

Scale: TypeAlias = Literal["auto", "linear", "log"]

_DECADES = 4  # at most that a logarithmic scale spans
_VALLEY = 0.1  # of the greatest height: linear levels show no structure below


def scale_of(caller: str, values: Array, scale: Scale, inside: bool = True) -> Literal["linear", "log"]:
    """The scale that "auto" stands for: logarithmic for a valley, linear else. Raises RenderError if the scale is unknown.

    A valley: half of the values, (rows, columns), lie within a tenth of the greatest distance from 0 (from the least, if it is
    negative), and the least is not on the border, as beside a hill, unless `inside` is False.
    """
    if scale not in ("auto", "linear", "log"):
        raise RenderError(f'{caller}: got scale={scale!r}, expected "auto", "linear" or "log"')
    if scale != "auto":
        return scale
    row, column = np.unravel_index(np.nanargmin(values), values.shape)
    apart = 0 < row < values.shape[0] - 1 and 0 < column < values.shape[1] - 1
    distance = values - min(float(values[row, column]), 0.0)
    half = float(np.nanmedian(distance))
    return "log" if (apart or not inside) and 0 < half <= _VALLEY * float(np.nanmax(distance)) else "linear"


def levels_of(caller: str, values: Array, given: int | Sequence[float], scale: Literal["linear", "log"]) -> Array:
    """The levels within the range of the values, ascending.

    Args:
        caller: the name of the plot, for messages.
        values: of the function; NaN is left out.
        given: about how many levels, or the levels themselves.
        scale: "linear", or "log": spaced as logarithms of the distance from 0, or from the least value if that is not positive.

    Raises:
        DTypeError, ShapeError: if the levels are not finite numbers, or there are none.
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if not isinstance(given, Integral) or isinstance(given, bool):
        return _stated(caller, given)
    if given < 1:
        raise ShapeError(f"{caller}: got levels={given}, expected at least 1, or the levels themselves")
    if low == high:
        return np.array([low])
    found = _linear(low, high, int(given)) if scale == "linear" else _logarithmic(low, high, int(given))
    inside = found[(found > low) & (found < high)]
    return inside if inside.size else np.array([(low + high) / 2])


def _stated(caller: str, given: Any) -> Array:
    try:
        levels = np.unique(np.asarray(given, float))
    except (TypeError, ValueError):
        raise DTypeError(f"{caller}: got levels={given!r:.60}, expected how many, or the levels themselves") from None
    if not levels.size or not np.isfinite(levels).all():
        raise ShapeError(f"{caller}: got levels={given!r:.60}, expected at least one level, all finite")
    return levels


def _linear(low: float, high: float, most: int) -> Array:
    from matplotlib.ticker import MaxNLocator

    return np.asarray(MaxNLocator(most + 1, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high), float)


def _logarithmic(low: float, high: float, most: int) -> Array:
    """Round distances from 0, or from a least value below it: 1, 3, 10, 30, if there are about as many as asked for."""
    base = min(low, 0.0)
    near, far = max(low - base, (high - base) * 10.0**-_DECADES), high - base
    decades = 10.0 ** np.arange(np.floor(np.log10(near)), np.ceil(np.log10(far)) + 1)
    for digits in ([1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]):
        found = np.outer(decades, digits).ravel()
        found = found[(found > near) & (found < far)]
        if 2 <= len(found) <= most + 2:
            return base + found
    return base + np.geomspace(near, far, most + 2)
