"""Convolution of two sequences, as in signal processing. Its gradients are convolutions too.

conv1d copies windows for many channels at a time; this is one sum of products that allocates only the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from ...data import shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import UnsupportedError
from ...op import PRODUCT, rule
from ...signatures import Array, Plain
from ..arrays.indexing import scatter
from ..arrays.shape import atleast_1d

__all__ = ["convolve", "correlate"]

Mode = Literal["full", "same", "valid"]


def _sequences(_: Shape) -> Iterator[Sample]:
    for mode in ("full", "same", "valid"):
        for shapes in (((4,), (3,)), ((2,), (5,)), ((3,), (3,)), ((1,), (4,))):
            yield Sample(shapes, {"mode": mode})


def _share(g: Any, x: Any, other: Any, mode: Mode) -> Any:
    """The gradient of a convolution with respect to x."""
    other = atleast_1d(other)
    n, m = (shape_of(x) or (1,))[0], shape_of(other)[0]
    if mode == "valid":
        return convolve(g, other[::-1]) if n >= m else convolve(other, g[::-1], mode="valid")[::-1]
    if mode == "same":
        start = (min(n, m) - 1) // 2
        g = scatter(g, shape=(n + m - 1,), indices=(slice(start, start + max(n, m)),))
    return convolve(g, other[::-1], mode="valid")


@operation(
    symbol="∗",
    analytic=True,
    slices=PRODUCT,
    samples=lambda shape: [*_sequences(shape), Sample(((), (2,))), Sample(((3,), ()), {"mode": "same"})],
    rules=(
        rule(
            lambda g, y, a, v, mode: _share(g, a, v, mode),
            says="Σ g[i+j] v[j] over all j, g padded to the full convolution",
        ),
        rule(
            lambda g, y, a, v, mode: _share(g, v, a, mode),
            says="Σ g[i+j] a[j] over all j, g padded to the full convolution",
        ),
    ),
)
def convolve(a: Array, v: Array, /, mode: Mode = "full") -> Plain:
    """Convolution of two sequences: y[i] = Σ a[j] v[i-j] over all j.

    Args:
        mode: "full" for all n + m - 1 numbers, "same" for the central max(n, m), "valid" for those at which the sequences
            overlap completely.

    Raises:
        ShapeError: if a or v is empty, or has more than one axis.
        UnsupportedError: for any other mode.
    """
    _check(mode)
    return np.convolve(a, v, mode)


@derived(symbol="⋆", samples=_sequences)
def correlate(a: Array, v: Array, /, mode: Mode = "valid") -> Plain:
    """Correlation of two sequences: y[i] = Σ a[i+j] v[j] over all j, from i = 1 - m for "full"; modes as for convolve.

    Raises ShapeError and UnsupportedError as convolve does.
    """
    _check(mode)
    a, v = atleast_1d(a), atleast_1d(v)
    if len(shape_of(a)) == len(shape_of(v)) == 1 and shape_of(a) < shape_of(v):
        return convolve(v, a[::-1], mode=mode)[::-1]
    return convolve(a, v[::-1], mode=mode)


def _check(mode: str) -> None:
    if mode not in ("full", "same", "valid"):
        raise UnsupportedError(f"got mode={mode!r:.40}, expected 'full', 'same' or 'valid'")
