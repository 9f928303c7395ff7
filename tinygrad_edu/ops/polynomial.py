"""Polynomials: their values, and the powers that they are made of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..data import shape_of
from ..domain import REAL, Sample, Shape
from ..errors import ShapeError
from ..registry import derived
from ..signatures import Array, Plain
from .arithmetic import power
from .plain import zeros_like
from .shape import reshape


@derived(domain=(REAL, REAL), samples=lambda shape: [Sample(((n,), shape)) for n in (1, 2, 4)])
def polyval(p: Array, x: Array) -> Plain:
    """The polynomial with the coefficients p, the highest power's first, at each x: by Horner's rule.

    Raises ShapeError if p is not a vector.
    """
    if len(shape_of(p)) != 1:
        raise ShapeError(f"polyval: got coefficients of shape {shape_of(p)}, expected a vector")
    y = zeros_like(x)
    for i in range(shape_of(p)[0]):
        y = y * x + p[i]
    return y


def _vectors(shape: Shape) -> Iterator[Sample]:
    if len(shape) == 1:
        for params in ({}, {"N": 3}, {"N": 0}, {"N": 4, "increasing": True}):
            yield Sample((shape,), params)


@derived(symbol="xⁿ", samples=_vectors)
def vander(x: Array, N: int | None = None, increasing: bool = False) -> Plain:
    """The powers of a vector's numbers, a row for each (Vandermonde's matrix): from xᴺ⁻¹ to 1, or from 1 if increasing.

    N is the size of x if not given. Raises ShapeError if x is not a vector.
    """
    if len(shape_of(x)) != 1:
        raise ShapeError(f"vander: got an array of shape {shape_of(x)}, expected a vector; use ravel()")
    n = shape_of(x)[0] if N is None else N
    powers = np.arange(n).astype(x.dtype if x.dtype.kind == "f" else float)
    return power(reshape(x, (-1, 1)), powers if increasing else powers[::-1])
