"""Pooling as functions, with PyTorch's arguments; inputs may lack the batch."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import tinygrad_edu
from tinygrad_edu import ShapeError, UnsupportedError, argmax, concatenate, mean, reshape, take_along_axis

from ..checks import FLAG, Size, checked, explaining, is_integer, plain_array, shown

OutputSize: TypeAlias = int | tuple[int | None, ...] | None  # None for the input's size


def max_pool1d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Largest number of each window: (N, C, L) -> (N, C, L'). Of equal numbers the first gets the gradient.

    stride: kernel_size if None. padding: at most half of kernel_size, never the largest. ceil_mode: whether an incomplete window
    at the end counts. Raises ShapeError where arguments do not fit, UnsupportedError for return_indices.
    """
    _refuse_indices("max_pool1d", return_indices)
    return tinygrad_edu.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """max_pool1d for images: (N, C, H, W) -> (N, C, H', W'). Sizes are integers, or pairs."""
    _refuse_indices("max_pool2d", return_indices)
    return tinygrad_edu.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)


def avg_pool1d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Mean of each window: (N, C, L) -> (N, C, L').

    padding counts as zeros, or not at all without count_include_pad; what ceil_mode adds at the end never counts. Otherwise as
    `max_pool1d`.
    """
    return tinygrad_edu.avg_pool1d(input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool2d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """avg_pool1d for images: (N, C, H, W) -> (N, C, H', W'). divisor_override divides all sums in place of their counts."""
    return tinygrad_edu.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@explaining
def adaptive_avg_pool1d(input: Any, output_size: OutputSize) -> Any:
    """Mean of each of output_size windows that cover the input: (N, C, L) -> (N, C, output_size).

    Window i goes from floor(i L / output_size) to ceil((i + 1) L / output_size). Raises ShapeError where arguments do not fit.
    """
    return _adaptive_mean("adaptive_avg_pool1d", input, output_size, 1)


@explaining
def adaptive_avg_pool2d(input: Any, output_size: OutputSize) -> Any:
    """adaptive_avg_pool1d for images: (N, C, H, W) -> (N, C, *output_size). output_size: a pair, where None keeps a size."""
    return _adaptive_mean("adaptive_avg_pool2d", input, output_size, 2)


@explaining
def adaptive_max_pool1d(input: Any, output_size: OutputSize, return_indices: bool = False) -> Any:
    """Largest number of each window of `adaptive_avg_pool1d`. Of equal numbers the first gets the gradient."""
    _refuse_indices("adaptive_max_pool1d", return_indices)
    return _adaptive_max("adaptive_max_pool1d", input, output_size, 1)


@explaining
def adaptive_max_pool2d(input: Any, output_size: OutputSize, return_indices: bool = False) -> Any:
    """Largest number of each window of `adaptive_avg_pool2d`. Of equal numbers the first in row-major order gets the gradient."""
    _refuse_indices("adaptive_max_pool2d", return_indices)
    return _adaptive_max("adaptive_max_pool2d", input, output_size, 2)


def _refuse_indices(name: str, return_indices: bool) -> None:
    if checked(name, "return_indices", return_indices, FLAG):
        raise UnsupportedError(f"{name}: got return_indices=True, which is not there; leave it out")


# -- Adaptive pooling --------------------------------------------------------------------------------------------------


def output_sizes(name: str, given: Any, axes: int) -> tuple[int | None, ...]:
    """output_size as a tuple with an integer or None for each axis. Raises ShapeError, in the name of a function, for others."""
    sizes = tuple(given) if isinstance(given, (tuple, list)) else (given,) * axes
    if len(sizes) != axes or not all(m is None or (is_integer(m) and m >= 1) for m in sizes):
        expected = f"an integer from 1 on, or a tuple of {axes}, where None keeps the size"
        raise ShapeError(f"{name}: got output_size={shown(given)}, expected {expected}")
    return sizes


def _sizes(name: str, x: Any, output_size: Any, axes: int) -> tuple[int, ...]:
    """The size of the output along each axis. Raises ShapeError if x has other axes, or nothing along one."""
    shape, wanted = np.shape(x), output_sizes(name, output_size, axes)
    if len(shape) not in (axes + 1, axes + 2) or 0 in shape[-axes:]:
        expected = f"(batch, channels, {('length', 'height, width')[axes - 1]}), or the same without the batch"
        raise ShapeError(
            f"{name}: got an input of shape {shape}, expected {expected}, at least one number along each axis"
        )
    return tuple([n if m is None else int(m) for n, m in zip(shape[-axes:], wanted, strict=True)])


def _adaptive_mean(name: str, x: Any, output_size: Any, axes: int) -> Any:
    x = plain_array(name, "input", x)
    sizes = _sizes(name, x, output_size, axes)
    if set(sizes) == {1}:
        return mean(x, axis=tuple(range(-axes, 0)), keepdims=True)
    spread, kernel, counts = _spread(x, sizes, 0.0)
    y = POOLS["avg", axes](spread, kernel)
    return y if np.all(counts == prod(kernel)) else y * (prod(kernel) / counts).astype(y.dtype)


def _adaptive_max(name: str, x: Any, output_size: Any, axes: int) -> Any:
    x = plain_array(name, "input", x)
    sizes = _sizes(name, x, output_size, axes)
    if x.dtype.kind in "iub":
        x = x.astype(np.result_type(x.dtype, np.float32))  # integers hold no -inf
    if set(sizes) == {1}:
        numbers = reshape(x, (*x.shape[:-axes], prod(x.shape[-axes:])))
        largest = take_along_axis(numbers, np.expand_dims(argmax(numbers, axis=-1), -1), axis=-1)
        return reshape(largest, (*x.shape[:-axes], *sizes))
    spread, kernel, _ = _spread(x, sizes, -np.inf)
    return POOLS["max", axes](spread, kernel)


POOLS: dict[tuple[str, int], Callable[..., Any]] = {
    ("avg", 1): tinygrad_edu.avg_pool1d,
    ("avg", 2): tinygrad_edu.avg_pool2d,
    ("max", 1): tinygrad_edu.max_pool1d,
    ("max", 2): tinygrad_edu.max_pool2d,
}


def _spread(x: Any, sizes: tuple[int, ...], fill: float) -> tuple[Any, tuple[int, ...], NDArray[Any]]:
    """The windows of adaptive pooling side by side, each filled up to the size of the largest, which is the kernel.

    Also how many numbers each window has.
    """
    counts: NDArray[Any] = np.ones((), int)
    kernel = []
    for axis, m in zip(range(-len(sizes), 0), sizes, strict=True):
        n = x.shape[axis]
        start, stop = np.arange(m) * n // m, -(-np.arange(1, m + 1) * n // m)
        k = int(np.max(stop - start))
        kernel.append(k)
        counts = np.multiply.outer(counts, stop - start)
        if n % m:
            after = (slice(None),) * (-axis - 1)
            empty = np.full((*x.shape[:axis], 1, *x.shape[x.ndim + axis + 1 :]), fill, x.dtype)
            parts = [(x[(..., slice(i, j), *after)], *[empty] * (k - j + i)) for i, j in zip(start, stop, strict=True)]
            x = concatenate([part for window in parts for part in window], axis=axis)
    return x, tuple(kernel), counts
