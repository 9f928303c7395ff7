"""A function of one number with its slope, as the engine's rules give it, and the places where either jumps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError, vjp

from ..text import data_of
from .jumps import narrowed

Array: TypeAlias = NDArray[np.float64]

_SIDE = 1e-9  # of a kink: as close as a picture needs
_JUMP = 1e-3  # the least change, relative to the largest number, that counts once the interval has shrunk to nothing


class Curve(NamedTuple):
    """A function over an interval: places x, values and slopes there, all (points,), and its kinks, (k,).

    Where slopes jump they are NaN, and values where those jump, so that no line joins both sides.
    """

    x: Array
    values: Array
    slopes: Array
    kinks: Array


def values_and_slopes(f: Callable[[Any], Any], x: Array) -> tuple[Array, Array]:
    """f(x) and f′(x) of an elementwise function: (n,) -> (n,), (n,)."""
    y, pull = vjp(f, x)
    return np.asarray(data_of(y), float), np.asarray(pull(np.ones_like(x))[0], float)


def is_elementwise(f: Callable[[Any], Any]) -> bool:
    """Whether f maps an array number by number: each result depends on the argument at its place alone."""
    x = np.array([-1.5, 0.5, 2.0])
    try:
        together, alone = data_of(f(x)), [np.ravel(data_of(f(x[i : i + 1]))) for i in range(3)]
    except (TypeError, ValueError, TinygradError):
        return False
    return np.shape(together) == x.shape and np.array_equal(together, np.concatenate(alone), equal_nan=True)


def curve(f: Callable[[Any], Any], low: float, high: float, points: int = 401) -> Curve:
    """An elementwise function from `low` to `high`."""
    grid = np.linspace(low, high, points)
    kinks, jumps = _kinks(f, grid)
    x = np.unique(np.concatenate([grid, kinks - _SIDE, kinks, kinks + _SIDE]))
    values, slopes = values_and_slopes(f, x)
    values[np.isin(x, jumps)] = slopes[np.isin(x, kinks)] = np.nan
    return Curve(x, values, slopes, kinks)


def _kinks(f: Callable[[Any], Any], x: Array) -> tuple[Array, Array]:
    """Places where the slope or the value jumps, and those where the value does."""
    ends = np.stack([x[:-1], x[1:]])
    values = _jumps(lambda x: values_and_slopes(f, x)[0], ends)
    slopes = _jumps(lambda x: values_and_slopes(f, x)[1], ends)
    return np.union1d(slopes, values), values


def _jumps(f: Callable[[Array], Array], ends: Array) -> Array:
    """Places where f jumps by more than a small part of its largest number."""
    least = _JUMP * float(np.max(np.abs([f(end) for end in ends])))
    return np.unique(np.round(narrowed(f, ends, least)[0].mean(axis=0), 9) + 0.0)
