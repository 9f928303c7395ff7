"""Sequences: the steps between their numbers, and angles without their jumps."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi
from typing import Any

import numpy as np

from ..data import data_of, operand, shape_of
from ..domain import DISTINCT, Sample, Shape
from ..errors import ShapeError
from ..registry import derived
from ..signatures import Array, Plain
from .axes import along_each_axis
from .difference import diff
from .joining import concatenate
from .shape import ravel


def _ends(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape,))
    yield Sample((shape, (2, 1)), keywords=("to_end",))
    yield Sample((shape, (2,), ()), keywords=("to_end", "to_begin"))


@derived(samples=_ends)
def ediff1d(x: Array, to_end: Any = None, to_begin: Any = None) -> Plain:
    """Differences of neighbours in the row of all numbers of x, between to_begin and to_end; differentiable in all three."""
    steps = diff(ravel(x))
    ends = [None if part is None else ravel(operand("ediff1d", part)) for part in (to_begin, to_end)]
    return concatenate([part for part in (ends[0], steps, ends[1]) if part is not None])


def _angles(shape: Shape) -> Iterator[Sample]:
    yield from along_each_axis(shape)
    yield from along_each_axis(shape, discont=3.5, period=0.8125)


@derived(domain=(DISTINCT,), samples=_angles)
def unwrap(p: Array, discont: float | None = None, axis: int = -1, period: float = 2 * pi) -> Plain:
    """Angles along an axis, with periods added so that no step is longer than half of one; the gradient ignores the jumps.

    Args:
        p: any shape but a scalar.
        discont: steps of less stay as they are; period / 2 if not given, or less.
        period: 2π, or 360 for degrees.

    Raises ShapeError for a scalar.
    """
    if not shape_of(p):
        raise ShapeError("unwrap: got a scalar, expected at least one axis")
    angles = data_of(p)
    return p + (np.unwrap(angles, discont, axis, period=period) - angles)
