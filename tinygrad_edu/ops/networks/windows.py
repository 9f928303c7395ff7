"""Sliding windows over the last axes of an image: the geometry of convolution and pooling. Plain numbers, no ops.

A tap is one position within the window. For all windows together, a tap is a strided slice of the image, so work on every
window is a loop over the few taps. Padding is never stored: a tap's slice ends at the edge of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np

from ...domain import Shape
from ...errors import ShapeError
from ...misuse import described

Size: TypeAlias = int | Sequence[int]  # an option for all axes, or for each
Padding: TypeAlias = tuple[tuple[int, int], ...]  # along each axis: before, after
Index: TypeAlias = tuple[Any, ...]
LIMIT = 1 << 31  # of options: positions computed from them fit into 64 bits


@lru_cache(maxsize=256)
def taps(
    size: Shape, out: Shape, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape
) -> tuple[tuple[Index, Index], ...]:
    """For each tap, in row-major order, two indices: its slice of the image, and the windows that the slice belongs to."""
    along = [
        [_overlap(n, m, s, i * d - before) for i in range(k)]
        for n, m, k, s, (before, _), d in zip(size, out, kernel, stride, padding, dilation, strict=True)
    ]
    return tuple([((..., *[seen for seen, _ in tap]), (..., *[by for _, by in tap])) for tap in product(*along)])


def _overlap(n: int, m: int, stride: int, offset: int) -> tuple[slice, slice]:
    """For windows o = 0 to m - 1 at places offset + stride * o: the places within 0 to n - 1, and their windows."""
    first = max(0, -(offset // stride))
    last = min(m - 1, (n - 1 - offset) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    return slice(offset + stride * first, offset + stride * last + 1, stride), slice(first, last + 1)


def count(size: Shape, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Shape:
    """The number of windows along each axis."""
    return tuple(
        [
            (n + before + after - d * (k - 1) - 1) // s + 1
            for n, k, s, (before, after), d in zip(size, kernel, stride, padding, dilation, strict=True)
        ]
    )


def seen(x: Any, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape, fill: float = 0.0) -> Any:
    """The elements of each window, from NumPy's sliding windows: (n, c, *out, *kernel). For the reference formulas of tests."""
    axes = tuple(range(2, x.ndim))
    spans = tuple([d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)])
    filled = np.pad(x, [(0, 0), (0, 0), *padding], constant_values=fill)
    view: Any = np.lib.stride_tricks.sliding_window_view(filled, spans, axes)
    return view[(..., *[slice(None, None, s) for s in stride], *[slice(None, None, d) for d in dilation])]


def units(shape: Shape) -> Any:
    """All unit arrays of a shape: 1 at one place, 0 elsewhere."""
    return np.eye(prod(shape)).reshape(prod(shape), *shape)


def rounded_up(size: Shape, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> Padding:
    """The padding with what a last, incomplete window along each axis needs, unless that window would see padding alone."""
    more = []
    for n, k, s, (before, after), d in zip(size, kernel, stride, padding, dilation, strict=True):
        room, span = n + before + after, d * (k - 1) + 1
        last = -(-(room - span) // s) * s
        last -= s if last >= n + before else 0
        more.append((before, max(after, last + span - n - before)))
    return tuple(more)


def check_fit(size: Shape, kernel: Shape, padding: Padding, dilation: Shape) -> None:
    """Raise ShapeError if a window is larger than the padded image."""
    span = tuple([d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)])
    room = tuple([n + before + after for n, (before, after) in zip(size, padding, strict=True)])
    if any(s > n for s, n in zip(span, room, strict=True)):
        raise ShapeError(f"the kernel spans {span}, the padded x only {room}; use a smaller kernel or pad more")


def check_seen(size: Shape, out: Shape, kernel: Shape, stride: Shape, padding: Padding, dilation: Shape) -> None:
    """Raise ShapeError if a window, all of whose taps lie in the padding, sees nothing of the image."""
    for n, m, k, s, (before, _), d in zip(size, out, kernel, stride, padding, dilation, strict=True):
        places = np.add.outer(np.arange(m) * s - before, np.arange(k) * d)
        if not np.all(np.any((places >= 0) & (places < n), axis=1)):
            raise ShapeError(f"a window of kernel_size={kernel} and dilation={dilation} sees only padding; pad less")


def per_axis(option: str, given: Any, axes: int, least: int = 1) -> Shape:
    """An option as a tuple with one integer per axis, from an integer for all axes or a sequence."""
    if type(given) is int and least <= given < LIMIT:
        return (given,) * axes
    numbers = tuple(given) if isinstance(given, (tuple, list)) else (given,) * axes
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, (bool, np.timedelta64)) for n in numbers)
    if len(numbers) != axes or not whole or min(numbers) < least or max(numbers) >= LIMIT:
        expected = f"an integer of at least {least} (and below 2**31), or a tuple of {axes}"
        raise ShapeError(f"got {option}={described(given)}, expected {expected}")
    return tuple(map(int, numbers))
