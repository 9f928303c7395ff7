"""conv1d, conv2d and their transposes: conv with PyTorch's options, checked, and a bias. (conv is in correlation.py.)"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...signatures import Plain
from ..arrays.shape import reshape
from . import windows
from .correlation import by_definition, conv, conv_transpose, transposed_by_definition
from .images import AXES, batch_shape, per_batch
from .windows import Padding, Size

__all__ = ["conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"]


def _lines(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 1
    yield Sample(((n, 2, 4), (3, 2, 2)))
    yield Sample(((1, 2, 6), (4, 1, 3), (4,)), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2})
    yield Sample(((1, 1, 3), (2, 1, 2), (2,)), {"padding": "same"}, keywords=("bias",))
    yield Sample(((2, 4), (3, 2, 2)), {"padding": 1})


def _pictures(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 1
    yield Sample(((n, 1, 3, 4), (2, 1, 2, 3)), {"padding": "valid"})
    how = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}
    yield Sample(((1, 2, 4, 3), (2, 1, 3, 2), (2,)), how)
    yield Sample(((1, 1, 2, 3), (1, 1, 2, 2), (1,)), {"padding": "same", "dilation": (1, 3)}, keywords=("bias",))
    yield Sample(((2, 3, 2), (1, 2, 2, 1)), {"stride": 2})


def _spread_lines(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 1
    yield Sample(((n, 2, 3), (2, 3, 2)))
    how = {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2, "dilation": 2}
    yield Sample(((1, 2, 2), (2, 1, 3), (2,)), how, keywords=("bias",))
    yield Sample(((2, 3), (2, 1, 2)))


def _spread_pictures(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 1
    yield Sample(((n, 1, 2, 3), (1, 2, 2, 1), (2,)), {"stride": 2})
    how = {"stride": (1, 2), "padding": (1, 0), "output_padding": (0, 1), "groups": 2, "dilation": (2, 1)}
    yield Sample(((1, 2, 2, 2), (2, 1, 2, 2)), how)
    yield Sample(((2, 1, 2), (2, 1, 2, 2)), {"padding": (0, 1)})


def _by_definition(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Reference for conv1d and conv2d: the sum over NumPy's sliding windows."""
    how = _checked(weight, _options(stride, padding, dilation, groups), weight.ndim - 2)
    images = x.reshape(-1, *x.shape[1 - weight.ndim :])
    y = _with_bias(by_definition(images, weight, **how), bias)
    return y if x.ndim == weight.ndim else y[0]


def _transposed_by_definition(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Reference for conv_transpose1d and conv_transpose2d: the transpose of that sum, element by element."""
    how = _checked(weight, _options(stride, padding, dilation, groups), weight.ndim - 2)
    images = x.reshape(-1, *x.shape[1 - weight.ndim :])
    size = _size(images.shape, weight, how, windows.per_axis("", output_padding, weight.ndim - 2, least=0))
    y = _with_bias(transposed_by_definition(images, weight, size=size, **how), bias)
    return y if x.ndim == weight.ndim else y[0]


def _with_bias(y: Any, bias: Any) -> Any:
    return y if bias is None else y + np.reshape(bias, (-1, *[1] * (y.ndim - 2)))


@derived(symbol="conv1d", samples=_lines, numpy=_by_definition)
def conv1d(
    x: Any,
    weight: Any,
    /,
    bias: Any = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Plain:
    """Cross-correlation along one axis: (batch, channels, length), (out, channels / groups, k) -> (batch, out, length').

    x may lack the batch. bias: (out,), or None. stride, padding, dilation: integers; padding also "same" (stride 1; an odd total
    pads one more after) or "valid". groups: the number of independent groups into which channels and kernels are split.

    Raises ShapeError where shapes, groups or options do not fit.
    """
    return _sliding(x, weight, bias, _options(stride, padding, dilation, groups), 1)


@derived(symbol="conv2d", samples=_pictures, numpy=_by_definition)
def conv2d(
    x: Any,
    weight: Any,
    /,
    bias: Any = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Plain:
    """Cross-correlation of images: (batch, channels, height, width), (out, channels / groups, kh, kw) -> (batch, out, h, w).

    x may lack the batch. bias: (out,), or None. stride, padding, dilation: integers, or pairs for height and width; padding also
    "same" (stride 1; an odd total pads one more after) or "valid". groups: the number of independent groups into which channels
    and kernels are split.

    Raises ShapeError where shapes, groups or options do not fit.
    """
    return _sliding(x, weight, bias, _options(stride, padding, dilation, groups), 2)


@derived(symbol="conv1dᵀ", samples=_spread_lines, numpy=_transposed_by_definition)
def conv_transpose1d(
    x: Any,
    weight: Any,
    /,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Plain:
    """Transposed conv1d: (batch, channels, length), (channels, out / groups, k) -> (batch, out, length').

    It is the gradient of conv1d, with the same weight and options, with respect to x. length' is (length - 1) stride -
    2 padding + dilation (k - 1) + 1 + output_padding; output_padding is less than the stride. x may lack the batch.

    Raises ShapeError where shapes, groups or options do not fit.
    """
    return _mirrored(x, weight, bias, output_padding, _options(stride, padding, dilation, groups), 1)


@derived(symbol="conv2dᵀ", samples=_spread_pictures, numpy=_transposed_by_definition)
def conv_transpose2d(
    x: Any,
    weight: Any,
    /,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Plain:
    """Transposed conv2d: (batch, channels, height, width), (channels, out / groups, kh, kw) -> (batch, out, h, w).

    It is the gradient of conv2d, with the same weight and options, with respect to x. Each size n becomes (n - 1) stride -
    2 padding + dilation (k - 1) + 1 + output_padding; output_padding is less than the stride. x may lack the batch.

    Raises ShapeError where shapes, groups or options do not fit.
    """
    return _mirrored(x, weight, bias, output_padding, _options(stride, padding, dilation, groups), 2)


def _options(stride: Size, padding: Size | str, dilation: Size, groups: int) -> dict[str, Any]:
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def _sliding(x: Any, weight: Any, bias: Any, options: dict[str, Any], axes: int) -> Any:
    """conv1d and conv2d, with checked options."""
    shape = batch_shape(x, axes)
    how = _checked(weight, options, axes)
    kernel, groups = shape_of(weight)[2:], how["groups"]
    if shape[1] != shape_of(weight)[1] * groups or shape_of(weight)[0] % groups:
        got = f"x {shape_of(x)}, weight {shape_of(weight)} and groups={groups}"
        expected = f"a weight of (out, {shape[1]} channels / groups, ...), groups dividing both"
        raise ShapeError(f"got {got}, expected {expected}{_remedy(x, axes)}")
    windows.check_fit(shape[2:], kernel, how["padding"], how["dilation"])
    return per_batch(lambda images: _biased(conv(images, weight, **how), bias), x, shape)


def _mirrored(x: Any, weight: Any, bias: Any, output_padding: Size, options: dict[str, Any], axes: int) -> Any:
    """conv_transpose1d and conv_transpose2d, with checked options."""
    if options["padding"] == "same":
        raise ShapeError("got padding='same', expected integers")
    extra = windows.per_axis("output_padding", output_padding, axes, least=0)
    shape = batch_shape(x, axes)
    how = _checked(weight, options, axes)
    if shape[1] != shape_of(weight)[0] or shape[1] % how["groups"]:
        got = f"x {shape_of(x)}, weight {shape_of(weight)} and groups={how['groups']}"
        raise ShapeError(f"got {got}, expected a weight of ({shape[1]} channels, out / groups, ...){_remedy(x, axes)}")
    if any(e >= s for e, s in zip(extra, how["stride"], strict=True)):
        raise ShapeError(f"got output_padding={extra}, expected less than stride={how['stride']}")
    size = _size(shape, weight, how, extra)
    if any(n < 1 for n in size):
        raise ShapeError(f"the result would be of size {size}; pad less")
    return per_batch(lambda images: _biased(conv_transpose(images, weight, size=size, **how), bias), x, shape)


def _remedy(x: Any, axes: int) -> str:
    """For a batch of images whose axis of channels was left out."""
    return "; of a batch with one channel each pass x[:, None]" if len(shape_of(x)) == axes + 1 else ""


def _size(image: Shape, weight: Any, how: dict[str, Any], extra: Shape) -> Shape:
    """The image size from which conv produces the size of x."""
    sizes = image[2:], shape_of(weight)[2:], how["stride"], how["padding"], how["dilation"], extra
    return tuple(
        [(n - 1) * s + d * (k - 1) + 1 + e - low - high for n, k, s, (low, high), d, e in zip(*sizes, strict=True)]
    )


def _checked(weight: Any, options: dict[str, Any], axes: int) -> dict[str, Any]:
    """stride, padding, dilation and groups as the primitives take them."""
    if len(shape_of(weight)) != axes + 2 or not all(shape_of(weight)):
        expected = f"(channels, channels / groups, {AXES[axes]})"
        raise ShapeError(f"got a weight of shape {shape_of(weight)}, expected {expected}, no size 0")
    stride = windows.per_axis("stride", options["stride"], axes)
    dilation = windows.per_axis("dilation", options["dilation"], axes)
    (groups,) = windows.per_axis("groups", options["groups"], 1)
    padding = _padding(options["padding"], shape_of(weight)[2:], stride, dilation)
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def _padding(padding: Any, kernel: Shape, stride: Shape, dilation: Shape) -> Padding:
    """Padding before and after along each axis."""
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ShapeError(f"got padding='same' with stride={stride}, expected stride=1; pass padding as integers")
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple([(n // 2, n - n // 2) for n in total])
    sides = windows.per_axis("padding", 0 if padding == "valid" else padding, len(kernel), least=0)
    return tuple([(n, n) for n in sides])


def _biased(y: Any, bias: Any) -> Any:
    """y with a bias added to each channel."""
    if bias is None:
        return y
    channels, *size = shape_of(y)[1:]
    if np.shape(bias) != (channels,):
        raise ShapeError(f"got a bias of shape {np.shape(bias)}, expected one number per channel, ({channels},)")
    return y + reshape(bias, (channels, *[1] * len(size)))
