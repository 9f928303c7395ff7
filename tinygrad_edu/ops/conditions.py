"""Choosing by conditions: between arrays, or which numbers of an array to keep. Conditions are plain booleans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..data import data_of, shape_of
from ..domain import CONDITION, REAL, Sample, Shape
from ..errors import DTypeError, ShapeError
from ..registry import derived
from ..signatures import Array, Plain
from .axes import along, checked_axis, each_axis
from .choosing import where
from .indexing import getitem
from .shape import ravel


def _select_call(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    conditions = tuple([np.asarray(data_of(condition)) for condition in condlist])
    if not conditions or len(conditions) != len(choicelist):
        got = f"{len(conditions)} conditions and {len(choicelist)} choices"
        raise ShapeError(f"select: got {got}, expected as many, one or more")
    if any(condition.dtype != bool for condition in conditions):
        kinds = ", ".join([str(condition.dtype) for condition in conditions])
        raise DTypeError(f"select: got conditions of {kinds}, expected booleans; write x != 0")
    return (*choicelist, default), {"conditions": conditions}


def _choices(shape: Shape) -> Iterator[Sample]:
    places = np.arange(int(np.prod(shape))).reshape(shape)
    conditions = (places % 3 == 0, places % 2 == 0)
    yield Sample((shape, shape, ()), {"conditions": conditions})
    yield Sample((shape, (), shape[1:]), {"conditions": conditions})
    yield Sample((shape, shape), {"conditions": conditions[:1]})


@derived(
    call=_select_call,
    samples=_choices,
    numpy=lambda *choices, conditions: np.select(conditions, choices[:-1], choices[-1]),
    also=(np.select,),
)
def select(*choices: Array, conditions: tuple[Any, ...]) -> Plain:
    """Elementwise the choice whose condition is the first to hold, else the default: select(conditions, choices, default=0).

    Shapes broadcast. Only what was chosen gets gradient.

    Raises:
        ShapeError: if there are not as many conditions as choices, or none.
        DTypeError: for conditions that are not booleans.
    """
    y = choices[-1]
    for condition, choice in zip(conditions[::-1], choices[-2::-1], strict=True):
        y = where(condition, choice, y)
    return y


def _kept(shape: Shape) -> Iterator[Sample]:
    yield Sample(((int(np.prod(shape)),), shape))
    for axis in each_axis(shape):
        yield Sample(((shape[axis],), shape), {"axis": axis})
        yield Sample(((shape[axis] // 2,), shape), {"axis": axis})


@derived(domain=(CONDITION, REAL), samples=_kept)
def compress(condition: Array, x: Array, axis: int | None = None) -> Plain:
    """The slices of x along an axis for which a vector of booleans holds, or numbers of all of x in a row.

    A shorter condition leaves the rest out. Raises ShapeError if it is not a vector, IndexError if it holds past the end.
    """
    if len(shape_of(condition)) != 1:
        raise ShapeError(f"compress: got a condition of shape {shape_of(condition)}, expected a vector; see extract()")
    if axis is None:
        x, axis = ravel(x), 0
    return getitem(x, along(checked_axis("compress", shape_of(x), axis), np.flatnonzero(data_of(condition))))


@derived(domain=(CONDITION, REAL), samples=lambda shape: [Sample((shape, shape))])
def extract(condition: Array, x: Array) -> Plain:
    """The numbers of x, in a row, for which a condition of its shape holds. Raises IndexError if it holds past the end."""
    return getitem(ravel(x), np.flatnonzero(data_of(condition)))
