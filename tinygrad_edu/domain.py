"""Where an operation's arguments may lie, and how it may be called: what its tests are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Any, NamedTuple, TypeAlias

Shape: TypeAlias = tuple[int, ...]


class Domain(NamedTuple):
    """Where an argument may lie so that the operation is defined and smooth: an open interval less its kinks.

    Attributes:
        low, high: the ends of the interval.
        kinks: points inside it where the operation is not smooth; tests keep away from them.
        distinct: True where two equal numbers make a kink (maximum, max).
        boolean: True for a condition, which is not differentiated.
    """

    low: float = -inf
    high: float = inf
    kinks: tuple[float, ...] = ()
    distinct: bool = False
    boolean: bool = False


REAL = Domain()
POSITIVE = Domain(low=0.0)
NONZERO = Domain(kinks=(0.0,))
DISTINCT = Domain(distinct=True)
CONDITION = Domain(boolean=True)


class Sample(NamedTuple):
    """One way to call an operation, for tests to draw numbers for.

    Attributes:
        shapes: of its inputs.
        params: its keyword parameters.
        keywords: names of the last inputs, where they are passed by name: ("weights",).
        prepare: makes of the drawn arrays inputs that the operation accepts: a matrix that has an inverse, say.
        gauge: from the result, an array of 1 and -1 by which it is to be multiplied to make it unique (an eigenvector may be
            returned with either sign).
    """

    shapes: tuple[Shape, ...]
    params: dict[str, Any] = {}  # noqa: RUF012  # read only
    keywords: tuple[str, ...] = ()
    prepare: Callable[..., tuple[Any, ...]] | None = None
    gauge: Callable[[Any], Any] | None = None


Sampler: TypeAlias = Callable[[Shape], Iterable[Sample]]


def with_params(*params: dict[str, Any]) -> Sampler:
    """Samples of an op of one array: one call for each set of keyword parameters."""
    return lambda shape: [Sample((shape,), each) for each in params]
