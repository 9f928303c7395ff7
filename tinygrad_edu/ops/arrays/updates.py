"""Functional updates of part of an array: at(x, index).set(values), and .add, .multiply, .min and .max, as in JAX.

Repeated indices accumulate, except in set(), where the last value wins.
"""

from __future__ import annotations

from typing import Any, Generic, cast

import numpy as np

from ...binding import named
from ...data import on_numbers, raw_of, shape_of
from ...definition import derived, operation
from ...domain import DISTINCT
from ...op import rule
from ...signatures import Array, Plain, Raw, V
from .indexing import by_numpy, combine, copied, getitem, index_add, index_set, places_of, repeats, writing
from .shape import reshape

__all__ = ["at"]


@derived(samples=writing, numpy=by_numpy(np.multiply))
def index_multiply(x: Array, values: Array, /, index: Any) -> Any:
    """A copy of x multiplied by values at the index; for repeated integer indices by all values.

    Derivatives of every order are exact where numbers are 0: they consist of products, without a quotient.
    """
    part = getitem(x, index)
    if not repeats(index):
        return index_set(x, part * values, index)
    factors, places = reshape(values * np.ones_like(raw_of(part)), (-1,)), places_of(shape_of(x), index).ravel()
    order = np.argsort(places, kind="stable")
    factors, places = getitem(factors, order), places[order]
    while np.any(places[1:] == places[:-1]):  # multiply pairs of neighbours until each place occurs once
        new = np.append(True, places[1:] != places[:-1])
        start = np.flatnonzero(new)[np.cumsum(new) - 1]
        right = (np.arange(len(places)) - start) % 2 == 1
        left = np.append(right[1:], False)
        factors = index_set(factors, getitem(factors, left) * getitem(factors, right), left)
        factors, places = getitem(factors, ~right), places[~right]
    flat = reshape(x, (-1,))
    return reshape(index_set(flat, getitem(flat, places) * factors, places), shape_of(x))


def _attained(x: Any, values: Any, y: Any, index: Any) -> tuple[Any, Any]:
    """For x and for values: 1 / (number of ties) where they equal the extreme y, else 0. Plain numbers."""
    found: tuple[Any, Any] = shared_at(raw_of(x), raw_of(values), raw_of(y), index)
    return found


@on_numbers
def shared_at(x: Any, values: Any, extreme: Any, index: Any) -> tuple[Any, Any]:
    """The share of the gradient of an extreme for x and for values."""
    ours, theirs = x == extreme, values == np.asarray(extreme)[index]
    count = combine(np.add, np.array(ours, float), index, 1.0 * theirs)
    return ours / count, np.divide(theirs, count[index])  # 0 / 0 where y is NaN


_extreme_rules = (
    rule(
        lambda g, y, x, v, index: g * _attained(x, v, y, index)[0],
        says="g where x = y, shared equally with the values equal to y",
    ),
    rule(
        lambda g, y, x, v, index: getitem(g, index) * _attained(x, v, y, index)[1],
        says="g[index] where values = y[index], shared equally with x and other values equal to y",
    ),
)


@operation(domain=(DISTINCT,), samples=writing, numpy=by_numpy(np.maximum), rules=_extreme_rules)
def index_max(x: Array, values: Array, /, index: Any) -> Plain:
    """A copy of x with the maximum of x and values at the index; for repeated integer indices of all values.

    Ties share the gradient equally.
    """
    return combine(np.maximum, copied(x, values), index, values)


@operation(domain=(DISTINCT,), samples=writing, numpy=by_numpy(np.minimum), rules=_extreme_rules)
def index_min(x: Array, values: Array, /, index: Any) -> Plain:
    """A copy of x with the minimum of x and values at the index; for repeated integer indices of all values.

    Ties share the gradient equally.
    """
    return combine(np.minimum, copied(x, values), index, values)


class at(Generic[V]):
    """Functional updates at an index: at(x, index).set(values), .add(values) and so on return an updated copy of x.

    values broadcast to the shape of x[index].

    Args:
        x: Value or array.
        index: any NumPy index.
    """

    def __init__(self, x: V | Raw, index: Any) -> None:
        self.x, self.index = x, index

    @named("at(...).set")
    def set(self, values: V | Raw) -> V:
        """A copy of x with x[index] = values; for repeated integer indices the last value wins."""
        return cast(V, index_set(self.x, values, self.index))

    @named("at(...).add")
    def add(self, values: V | Raw) -> V:
        """A copy of x with values added at the index; for repeated integer indices all values are added."""
        return cast(V, index_add(self.x, values, self.index))

    @named("at(...).multiply")
    def multiply(self, values: V | Raw) -> V:
        """A copy of x multiplied by values at the index; for repeated integer indices by all values."""
        return cast(V, index_multiply(self.x, values, self.index))

    @named("at(...).min")
    def min(self, values: V | Raw) -> V:
        """A copy of x with the minimum of x and values at the index; ties share the gradient equally."""
        return cast(V, index_min(self.x, values, self.index))

    @named("at(...).max")
    def max(self, values: V | Raw) -> V:
        """A copy of x with the maximum of x and values at the index; ties share the gradient equally."""
        return cast(V, index_max(self.x, values, self.index))


class Places(Generic[V]):
    """The type of v.at: v.at[index], or v.at(index), is at(v, index); see `at`."""

    __slots__ = ("value",)

    def __init__(self, value: V) -> None:
        self.value = value

    def __call__(self, index: Any) -> at[V]:
        return at(self.value, index)

    __getitem__ = __call__
