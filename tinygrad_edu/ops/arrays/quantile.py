"""Quantiles over axes: the gradient goes to the numbers from which a result was computed.

Equal numbers are ranked by their order in x.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from ...data import raw_of, shape_of, to_array, to_floating
from ...definition import derived, operation
from ...domain import DISTINCT, Sample, Shape
from ...errors import ShapeError, UnsupportedError
from ...node import Node
from ...op import rule
from ...signatures import Array, Axis, Plain
from .axes import checked_axes
from .indexing import scatter
from .reduction import along_axes_with_numbers, columns, mean, reduced
from .shape import reshape

__all__ = ["median", "percentile", "quantile"]


def _ranks(shape: Shape) -> Iterator[Sample]:
    if len(shape) == 2 and shape[0]:
        yield Sample((shape,), {"ranks": (0,)})
        yield Sample((shape,), {"ranks": (0, shape[0] // 2, shape[0] - 1)})


def _places(x: Any, y: Any, ranks: tuple[int, ...]) -> Any:
    """For each number y of these ranks its row in x; equal numbers are ranked by their order in x."""
    rows = []
    for rank, number in zip(ranks, y, strict=True):
        lower = np.count_nonzero(x < number, axis=0)
        seen = np.cumsum((x == number) | (np.isnan(number) & np.isnan(x)), axis=0)
        rows.append(np.argmax(seen == np.where(np.isnan(number), 1, rank - lower + 1), axis=0))
    return np.stack(rows) if rows else np.empty((0, shape_of(x)[1]), int)


@operation(
    symbol="sort[ ]",
    domain=(DISTINCT,),
    samples=_ranks,
    numpy=lambda x, ranks: np.sort(x, axis=0)[list(ranks)],
    rules=(
        rule(
            lambda g, y, x, ranks: scatter(
                g, shape=shape_of(x), indices=((_places(raw_of(x), raw_of(y), ranks), np.arange(shape_of(x)[1])),)
            ),
            says="g at the places of the numbers of these ranks, 0 elsewhere",
        ),
    ),
)
def ranked(x: Array, /, ranks: tuple[int, ...]) -> Plain:
    """The order statistics of each column, rank 0 the smallest: (n, m) -> (ranks, m). NaN if a column has NaN.

    A primitive, since NumPy finds them without sorting; their indices are computed only for the gradient.
    """
    parts = np.partition(x, (*ranks, len(x) - 1), axis=0)
    return np.where(np.isnan(parts[-1]), parts[-1], parts[list(ranks)])


@derived(domain=(DISTINCT,), samples=along_axes_with_numbers, accumulates=True)
def median(x: Array, /, axis: Axis = None, keepdims: bool = False) -> Plain:
    """Median over axes; the gradient goes to the middle number, or half to each of the two middle numbers.

    NaN for a slice that is empty or contains NaN. Equal numbers are ranked by their order in x.
    """
    axes = checked_axes(shape_of(x), axis)
    table = columns(to_floating(x), axes)
    n = shape_of(table)[0]
    middle = ranked(table, tuple(range((n - 1) // 2, n // 2 + 1))) if n else table
    return reshape(mean(middle, axis=0), reduced(x, axes, keepdims))


Method = Literal["linear", "lower", "higher", "nearest", "midpoint"]
PLACES: dict[str, Any] = {  # from the exact position among the sorted numbers to the position to read
    "linear": lambda place: place,
    "lower": np.floor,
    "higher": np.ceil,
    "nearest": np.rint,
    "midpoint": lambda place: (np.floor(place) + np.ceil(place)) / 2,
}


def _fractions(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        for q in (0.3, [0.0, 0.5, 1.0], [[0.1, 0.9]]):
            yield Sample((shape,), s.params | {"q": q})
        for method in PLACES:
            yield Sample((shape,), s.params | {"q": [0.25, 0.7], "method": method})


def checked_fractions(q: Any, method: Method, x: Any, table: Any) -> Any:
    """q as an array of floats. Raises UnsupportedError and ShapeError as quantile does; table has the numbers of x in columns."""
    if method not in PLACES:
        raise UnsupportedError(f"got method={method!r}, expected one of {', '.join(PLACES)}")
    if isinstance(q, Node):
        raise UnsupportedError("got a Value for q, which is not differentiated; pass q.numpy()")
    q = to_array(q).astype(float)
    if not np.all((q >= 0) & (q <= 1)) or not shape_of(table)[0]:
        got = f"q={q.tolist()} of an array of shape {shape_of(x)}"
        raise ShapeError(f"got {got}, expected q from 0 to 1 and at least one number; percentile takes 0 to 100")
    return q


@derived(domain=(DISTINCT,), samples=_fractions, accumulates=True)
def quantile(x: Array, /, q: Any, axis: Axis = None, method: Method = "linear", keepdims: bool = False) -> Plain:
    """The qth quantile over axes; an array q gives one result per element, along leading axes.

    Args:
        q: numbers from 0 (the minimum) to 1 (the maximum); not differentiated.
        method: the result if q falls between two numbers: "linear" (interpolation), "lower", "higher", "nearest", "midpoint".

    NaN for a slice that contains NaN. Equal numbers are ranked by their order in x.

    Raises:
        ShapeError: if a q is not between 0 and 1, or a slice is empty.
        UnsupportedError: for another method, or if q is a Value.
    """
    axes = checked_axes(shape_of(x), axis)
    table = columns(to_floating(x), axes)
    q = checked_fractions(q, method, x, table)
    place = PLACES[method](q.ravel() * (shape_of(table)[0] - 1))
    lower = np.floor(place)
    part = (place - lower)[:, None]
    ranks = np.unique([lower, np.ceil(place)]).astype(int)
    found = ranked(table, tuple(ranks.tolist()))

    def at(places: Any) -> Any:
        return found[np.searchsorted(ranks, places)]

    if part.any():  # from the nearer end, as NumPy does
        step = at(np.ceil(place)) - at(lower)
        y = at(lower + (part[:, 0] >= 0.5)) + step * (part - (part >= 0.5)).astype(step.dtype)
    else:
        y = at(lower)
    return reshape(y, q.shape + reduced(x, axes, keepdims))


def _percents(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        yield Sample((shape,), s.params | {"q": 30.0})
        yield Sample((shape,), s.params | {"q": [10.0, 75.0], "method": "midpoint"})


@derived(domain=(DISTINCT,), samples=_percents, accumulates=True)
def percentile(x: Array, /, q: Any, axis: Axis = None, method: Method = "linear", keepdims: bool = False) -> Plain:
    """The qth percentile over axes: quantile(x, q / 100)."""
    fraction = q if isinstance(q, Node) else np.true_divide(q, 100)
    return quantile(x, fraction, axis=axis, method=method, keepdims=keepdims)
