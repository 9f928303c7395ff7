"""Domains of an operation's arguments, and samples of its calls, from which tests draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Any, NamedTuple, TypeAlias

Shape: TypeAlias = tuple[int, ...]


class Domain(NamedTuple):
    """The set on which an operation is defined and smooth in an argument: an open interval without its kinks.

    Attributes:
        low, high: the ends of the interval.
        kinks: points inside it where the operation is not smooth; tests keep away from them.
        distinct: True if equal numbers are a kink (maximum, max).
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
    """A call of an operation, for which tests draw the inputs.

    Attributes:
        shapes: the shapes of the inputs.
        params: the keyword parameters.
        keywords: names of the last inputs, if they are passed by name: ("weights",).
        prepare: turns the drawn arrays into valid inputs, for example an invertible matrix.
        gauge: returns, for a result, an array of 1 and -1 whose product with the result is unique (eigenvectors may have
            either sign).
        within: maps an input that a check has moved back to those that the operation accepts, as a symmetric matrix.
    """

    shapes: tuple[Shape, ...]
    params: dict[str, Any] = {}  # noqa: RUF012  # read only
    keywords: tuple[str, ...] = ()
    prepare: Callable[..., tuple[Any, ...]] | None = None
    gauge: Callable[[Any], Any] | None = None
    within: Callable[[Any], Any] | None = None


Sampler: TypeAlias = Callable[[Shape], Iterable[Sample]]


def with_params(*params: dict[str, Any]) -> Sampler:
    """Samples of an op of one array: one call for each set of keyword parameters."""
    return lambda shape: [Sample((shape,), each) for each in params]
