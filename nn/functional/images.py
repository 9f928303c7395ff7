"""Functions that move the numbers of images, with PyTorch's arguments; inputs may lack the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tinygrad_edu
from tinygrad_edu import ShapeError, TinygradError, moveaxis, reshape

from ..checks import REAL, Size, checked, explaining, is_integer, plain_array, shown, size

LAST = (-4, -3, -2, -1)
# What lies beyond the border, by PyTorch's names, and the mode of NumPy's pad that puts it there.
MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@explaining
def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """The input with numbers added before and after its last axes, or removed where pad is negative.

    Args:
        pad: (before, after) of the last axis, then those of the axis before it, and so on, in one sequence.
        mode: what the added places hold: "constant" (value), "reflect", "replicate" (the last number again) or "circular" (the
            numbers from the other end).
        value: 0 if None.

    Raises:
        ShapeError: if pad has an odd length, too many numbers, or removes more than there is.
        TinygradError: for another mode, or a value with a mode other than "constant".
    """
    x = plain_array("pad", "input", input)
    given = tuple(pad) if isinstance(pad, (tuple, list)) else (None,)
    if len(given) % 2 or len(given) > 2 * x.ndim or not all(map(is_integer, given)):
        expected = "a tuple of integers, before and after for each of the last axes, the last one first"
        raise ShapeError(f"pad: got pad={shown(pad)} and an input of shape {x.shape}, expected {expected}")
    if mode not in MODES:
        raise TinygradError(f"pad: got mode={shown(mode)}, expected one of {', '.join(map(repr, MODES))}")
    if value is not None and mode != "constant":
        raise TinygradError(
            f"pad: got value={shown(value)} and mode={mode!r}, expected a value with mode='constant' only"
        )
    sides = [(0, 0)] * (x.ndim - len(given) // 2) + [(given[i], given[i + 1]) for i in range(len(given) - 2, -1, -2)]
    if any(n + min(before, 0) + min(after, 0) < 0 for n, (before, after) in zip(x.shape, sides, strict=True)):
        raise ShapeError(
            f"pad: got pad={shown(pad)} and an input of shape {x.shape}, which has fewer numbers to remove"
        )
    if min(given, default=0) < 0:
        x = x[
            tuple(
                [slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, sides, strict=True)]
            )
        ]
    added = [(max(before, 0), max(after, 0)) for before, after in sides]
    if mode == "constant":
        return tinygrad_edu.pad(
            x, added, constant_values=0.0 if value is None else checked("pad", "value", value, REAL)
        )
    return tinygrad_edu.pad(x, added, mode=MODES[mode])


@explaining
def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Channels as pixels between pixels: (..., C r², H, W) -> (..., C, H r, W r), r = upscale_factor.

    Raises ShapeError if r² does not divide the channels. See Shi et al., CVPR 2016.
    """
    r = size("pixel_shuffle", "upscale_factor", upscale_factor)
    x = _image("pixel_shuffle", input)
    *lead, channels, height, width = x.shape
    if channels % r**2:
        got = f"upscale_factor={r} and an input of shape {x.shape}"
        raise ShapeError(f"pixel_shuffle: got {got}, expected channels that are a multiple of {r**2}")
    blocks = reshape(x, (*lead, channels // r**2, r, r, height, width))
    blocks = moveaxis(blocks, (-2, -4, -1, -3), LAST)  # (..., height, r, width, r)
    return reshape(blocks, (*lead, channels // r**2, height * r, width * r))


@explaining
def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """The inverse of pixel_shuffle: (..., C, H r, W r) -> (..., C r², H, W), r = downscale_factor.

    Raises ShapeError if r does not divide height and width.
    """
    r = size("pixel_unshuffle", "downscale_factor", downscale_factor)
    x = _image("pixel_unshuffle", input)
    *lead, channels, height, width = x.shape
    if height % r or width % r:
        got = f"downscale_factor={r} and an input of shape {x.shape}"
        raise ShapeError(f"pixel_unshuffle: got {got}, expected height and width that are multiples of {r}")
    blocks = reshape(x, (*lead, channels, height // r, r, width // r, r))
    blocks = moveaxis(blocks, (-3, -1, -4, -2), LAST)  # (..., r, r, height, width)
    return reshape(blocks, (*lead, channels * r**2, height // r, width // r))


def unfold(input: Any, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Any:
    """Windows as columns: (N, C, H, W) -> (N, C · kernel's numbers, windows). Sizes are integers, or pairs.

    The input may lack the batch. padding counts as 0. Raises ShapeError where arguments do not fit.
    """
    return tinygrad_edu.unfold(input, kernel_size, dilation, padding, stride)


def fold(
    input: Any, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Any:
    """Columns added up at the places from which unfold takes them: (N, C · kernel's numbers, windows) -> (N, C, *output_size).

    The transpose of unfold, and its gradient. Raises ShapeError where arguments do not fit.
    """
    return tinygrad_edu.fold(input, output_size, kernel_size, dilation, padding, stride)


def _image(name: str, x: Any) -> Any:
    """A Value or array of at least three axes. Raises ShapeError for fewer."""
    x = plain_array(name, "input", x)
    if np.ndim(x) < 3:
        raise ShapeError(f"{name}: got an input of shape {np.shape(x)}, expected (..., channels, height, width)")
    return x
