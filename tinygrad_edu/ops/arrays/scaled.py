"""Products without intermediate overflow or underflow: numbers m · 2**e, with integers e.

The product of 1e-200, 1e-200, 1e200 and 1e200 is 1, but that of the first two is 0. Powers of 2 are exact factors, so the results
are as exact as ordinary products, also where numbers are 0. Values, which record higher derivatives, are not scaled: their
gradients would be scaled by the inverse, and underflow in turn.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...data import raw_of
from ...node import Node
from .axes import cut
from .joining import concatenate


class Scaled(NamedTuple):
    """The numbers m · 2**e; |m| is 0, or from 1/2 to 1, unless m is a Value."""

    m: Any
    e: Any

    def __mul__(self, other: Scaled) -> Scaled:  # type: ignore[override]  # not a tuple's
        return _normal(self.m * other.m, self.e + other.e)

    def __add__(self, other: Scaled) -> Scaled:  # type: ignore[override]
        e = np.maximum(np.where(raw_of(self.m) == 0, other.e, self.e), np.where(raw_of(other.m) == 0, self.e, other.e))
        return _normal(_shifted(self.m, self.e - e) + _shifted(other.m, other.e - e), e)

    def cut(self, axis: int, start: int | None = None, stop: int | None = None) -> Scaled:
        """The slice start:stop along one axis."""
        return Scaled(cut(self.m, axis, start, stop), cut(self.e, axis, start, stop))

    def whole(self) -> Any:
        """The numbers themselves."""
        return _shifted(self.m, self.e)


def scaled(x: Any) -> Scaled:
    """An array as scaled numbers."""
    return _normal(x, np.zeros(np.shape(raw_of(x)), int))


def joined(parts: list[Scaled], axis: int) -> Scaled:
    """Scaled numbers joined along an axis."""
    return Scaled(concatenate([x.m for x in parts], axis=axis), np.concatenate([x.e for x in parts], axis=axis))


def _normal(m: Any, e: Any) -> Scaled:
    if isinstance(m, Node):
        return Scaled(m, e)
    by = np.frexp(raw_of(m))[1]
    return Scaled(_shifted(m, -by), e + by)


def _shifted(m: Any, by: Any) -> Any:
    """m · 2**by, in two steps, since 2**by alone could overflow; rounded once, since the first one is in range."""
    if not np.any(by):
        return m
    dtype = raw_of(m).dtype
    by = np.clip(by, 2 * np.finfo(dtype).minexp, 2 * np.finfo(dtype).maxexp - 2)
    one, half = dtype.type(1), by // 2
    return m * np.ldexp(one, half) * np.ldexp(one, by - half)
