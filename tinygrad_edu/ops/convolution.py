"""conv1d, conv2d and their mirror images: conv with options as in PyTorch, checked, and a bias. (conv is in correlation.py.)"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import REAL, Sample, Shape
from ..errors import ShapeError
from ..registry import derived
from ..signatures import Plain
from . import windows
from .correlation import by_definition, conv, conv_transpose, transposed_by_definition
from .shape import reshape
from .windows import Padding, Size


def _convolved(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (x, weight), {"bias": bias, **options}


def _spread(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (x, weight), {"bias": bias, "output_padding": output_padding, **options}


def _lines(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 1
    yield Sample(((n, 2, 4), (3, 2, 2)))
    yield Sample(((1, 2, 6), (4, 1, 3), (4,)), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2})
    yield Sample(((1, 1, 3), (2, 1, 2), (2,)), {"padding": "same"}, keywords=("bias",))


def _pictures(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 1
    yield Sample(((n, 1, 3, 4), (2, 1, 2, 3)), {"padding": "valid"})
    how = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}
    yield Sample(((1, 2, 4, 3), (2, 1, 3, 2), (2,)), how)
    yield Sample(((1, 1, 2, 3), (1, 1, 2, 2), (1,)), {"padding": "same", "dilation": (1, 3)}, keywords=("bias",))


def _spread_lines(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 1
    yield Sample(((n, 2, 3), (2, 3, 2)))
    how = {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2, "dilation": 2}
    yield Sample(((1, 2, 2), (2, 1, 3), (2,)), how, keywords=("bias",))


def _spread_pictures(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 1
    yield Sample(((n, 1, 2, 3), (1, 2, 2, 1), (2,)), {"stride": 2})
    how = {"stride": (1, 2), "padding": (1, 0), "output_padding": (0, 1), "groups": 2, "dilation": (2, 1)}
    yield Sample(((1, 2, 2, 2), (2, 1, 2, 2)), how)


def _formula(
    call: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]], plain: Callable[..., Any]
) -> Callable[..., Any]:
    """The definition behind a signature, by plain(x, weight, stride, padding, dilation, groups)."""

    def formula(*args: Any, **kwargs: Any) -> Any:
        (x, weight), options = call(*args, **kwargs)
        bias, extra = options.pop("bias"), options.pop("output_padding", None)
        how = _checked("conv_transpose" if extra is not None else "conv", x, weight, options, x.ndim - 2)
        if extra is not None:
            how["size"] = _size(x, weight, how, windows.per_axis("", "", extra, x.ndim - 2, least=0))
        y = plain(x, weight, **how)
        return y if bias is None else y + np.reshape(bias, (-1, *[1] * (x.ndim - 2)))

    return formula


@derived(
    symbol="conv1d", domain=(REAL, REAL), call=_convolved, samples=_lines, numpy=_formula(_convolved, by_definition)
)
def conv1d(x: Any, weight: Any, bias: Any, **options: Any) -> Plain:
    """Cross-correlation along one axis: (batch, channels, length), (out, channels / groups, k) -> (batch, out, length').

    bias: (out,), or None. stride, padding, dilation: integers; padding also "same" (stride 1, the odd number after) or "valid".
    groups: channels and kernels are split into so many groups that do not see each other.

    Raises ShapeError where shapes, groups or options do not fit.
    """
    return _sliding(x, weight, bias, options, 1)


@derived(
    symbol="conv2d", domain=(REAL, REAL), call=_convolved, samples=_pictures, numpy=_formula(_convolved, by_definition)
)
def conv2d(x: Any, weight: Any, bias: Any, **options: Any) -> Plain:
    """Cross-correlation of pictures: (batch, channels, height, width), (out, channels / groups, kh, kw) -> (batch, out, h, w).

    bias: (out,), or None. stride, padding, dilation: integers, or pairs for height and width; padding also "same" (stride 1, the
    odd number after) or "valid". groups: channels and kernels are split into so many groups that do not see each other.

    Raises ShapeError where shapes, groups or options do not fit.
    """
    return _sliding(x, weight, bias, options, 2)


@derived(
    symbol="conv1dᵀ",
    domain=(REAL, REAL),
    call=_spread,
    samples=_spread_lines,
    numpy=_formula(_spread, transposed_by_definition),
)
def conv_transpose1d(x: Any, weight: Any, bias: Any, **options: Any) -> Plain:
    """The mirror image of conv1d: (batch, channels, length), (channels, out / groups, k) -> (batch, out, length').

    It is the gradient of conv1d with that weight and those options in its x, of length (length - 1) stride - 2 padding +
    dilation (k - 1) + 1 + output_padding, which is less than the stride.

    Raises ShapeError where shapes, groups or options do not fit.
    """
    return _mirrored(x, weight, bias, options, 1)


@derived(
    symbol="conv2dᵀ",
    domain=(REAL, REAL),
    call=_spread,
    samples=_spread_pictures,
    numpy=_formula(_spread, transposed_by_definition),
)
def conv_transpose2d(x: Any, weight: Any, bias: Any, **options: Any) -> Plain:
    """The mirror image of conv2d: (batch, channels, height, width), (channels, out / groups, kh, kw) -> (batch, out, h, w).

    It is the gradient of conv2d with that weight and those options in its x, of size (n - 1) stride - 2 padding +
    dilation (k - 1) + 1 + output_padding along each axis; output_padding is less than the stride.

    Raises ShapeError where shapes, groups or options do not fit.
    """
    return _mirrored(x, weight, bias, options, 2)


def _sliding(x: Any, weight: Any, bias: Any, options: dict[str, Any], axes: int) -> Any:
    """conv1d and conv2d, their options checked."""
    name = f"conv{axes}d"
    how = _checked(name, x, weight, options, axes)
    size, kernel, groups = shape_of(x)[2:], shape_of(weight)[2:], how["groups"]
    if shape_of(x)[1] != shape_of(weight)[1] * groups or shape_of(weight)[0] % groups:
        got = f"x {shape_of(x)}, weight {shape_of(weight)} and groups={groups}"
        raise ShapeError(
            f"{name}: got {got}, expected a weight of (out, {shape_of(x)[1]} channels / groups, ...), groups dividing both"
        )
    windows.check_fit(name, size, kernel, how["padding"], how["dilation"])
    return _biased(name, conv(x, weight, **how), bias)


def _mirrored(x: Any, weight: Any, bias: Any, options: dict[str, Any], axes: int) -> Any:
    """conv_transpose1d and conv_transpose2d, their options checked."""
    name = f"conv_transpose{axes}d"
    extra = windows.per_axis(name, "output_padding", options.pop("output_padding"), axes, least=0)
    how = _checked(name, x, weight, options, axes)
    if shape_of(x)[1] != shape_of(weight)[0] or shape_of(x)[1] % how["groups"]:
        got = f"x {shape_of(x)}, weight {shape_of(weight)} and groups={how['groups']}"
        raise ShapeError(f"{name}: got {got}, expected a weight of ({shape_of(x)[1]} channels, out / groups, ...)")
    if any(e >= s for e, s in zip(extra, how["stride"], strict=True)):
        raise ShapeError(f"{name}: got output_padding={extra}, expected less than stride={how['stride']}")
    size = _size(x, weight, how, extra)
    if any(n < 1 for n in size):
        raise ShapeError(f"{name}: the result would be of size {size}; pad less")
    return _biased(name, conv_transpose(x, weight, size=size, **how), bias)


def _size(x: Any, weight: Any, how: dict[str, Any], extra: Shape) -> Shape:
    """How large an image conv would need to make x of it."""
    sizes = shape_of(x)[2:], shape_of(weight)[2:], how["stride"], how["padding"], how["dilation"], extra
    return tuple(
        [(n - 1) * s + d * (k - 1) + 1 + e - low - high for n, k, s, (low, high), d, e in zip(*sizes, strict=True)]
    )


def _checked(name: str, x: Any, weight: Any, options: dict[str, Any], axes: int) -> dict[str, Any]:
    """stride, padding, dilation and groups as the primitives take them."""
    windows.check_image(name, x, axes)
    if len(shape_of(weight)) != axes + 2 or not all(shape_of(weight)):
        expected = f"(channels, channels / groups, {windows.AXES[axes]})"
        raise ShapeError(f"{name}: got a weight of shape {shape_of(weight)}, expected {expected}, nothing empty")
    stride = windows.per_axis(name, "stride", options["stride"], axes)
    dilation = windows.per_axis(name, "dilation", options["dilation"], axes)
    (groups,) = windows.per_axis(name, "groups", options["groups"], 1)
    padding = _padding(name, options["padding"], shape_of(weight)[2:], stride, dilation)
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def _padding(name: str, padding: Any, kernel: Shape, stride: Shape, dilation: Shape) -> Padding:
    """Padding before and after along each axis."""
    if padding == "same" and name.startswith("conv_transpose"):
        raise ShapeError(f"{name}: got padding='same', expected integers")
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ShapeError(
                f"{name}: got padding='same' with stride={stride}, expected stride=1; give padding in numbers"
            )
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple([(n // 2, n - n // 2) for n in total])
    sides = windows.per_axis(name, "padding", 0 if padding == "valid" else padding, len(kernel), least=0)
    return tuple([(n, n) for n in sides])


def _biased(name: str, y: Any, bias: Any) -> Any:
    """y with a number added to each channel."""
    if bias is None:
        return y
    channels, *size = shape_of(y)[1:]
    if np.shape(bias) != (channels,):
        raise ShapeError(
            f"{name}: got a bias of shape {np.shape(bias)}, expected one number per channel, ({channels},)"
        )
    return y + reshape(bias, (channels, *[1] * len(size)))
