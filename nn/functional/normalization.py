"""Normalization: to mean 0 and variance 1, over the last axes, groups of channels, an example's channel, or a batch's channel."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

import tinygrad_edu as engine
from tinygrad_edu import DTypeError, ShapeError, Term, TinygradError, reshape, sqrt

from ..checks import NotNegative, Shape, Size, data_of, explaining, shown, size, sizes
from .arguments import operand

SEVERAL = "more than one number a channel in training"


@explaining
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: NotNegative = 1e-5,
) -> Any:
    """(x - mean) / √(var + eps) · weight + bias, with the mean and variance of each channel: (N, C, ...) -> the same.

    Args:
        input: channels lie along axis 1.
        running_mean, running_var: arrays (C,). In training they move, in place, towards the mean and the variance of the batch
            (over count - 1), if they are not None; otherwise they are the mean and the variance.
        weight, bias: (C,), or None for 1 and 0.
        training: whether to take the mean and the variance of the batch.
        momentum: share of the batch in the new running_mean and running_var.
        eps: added to the variance.

    Raises:
        ShapeError: if shapes do not fit; in training for a single number a channel.
        DTypeError: in training for running statistics that are not arrays of floats.
        TinygradError: without running statistics, if not in training.

    See Ioffe & Szegedy, ICML 2015.
    """
    return _over_channels(
        "batch_norm", input, (running_mean, running_var), weight, bias, training, momentum, eps, along=(0,)
    )


@explaining
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: NotNegative = 1e-5) -> Any:
    """layer_norm over groups of neighbouring channels of each example: (N, C, ...) -> the same.

    Args:
        input: channels lie along axis 1.
        num_groups: divides C.
        weight, bias: (C,), or None for 1 and 0.
        eps: added to the variance.

    Raises ShapeError if shapes do not fit. See Wu & He, "Group Normalization" (2018).
    """
    x = operand("group_norm", input)
    shape = _channels("group_norm", x, weight=weight, bias=bias)
    groups = size("group_norm", "num_groups", num_groups)
    if shape[1] % groups:
        raise ShapeError(
            f"group_norm: got num_groups={groups} and an input of shape {shape}, expected a divisor of axis 1"
        )
    y = reshape(engine.layer_norm(reshape(x, (shape[0], groups, prod(shape[1:]) // groups)), eps=eps), shape)
    return _scaled(y, *_beside_channels(shape, weight, bias))


@explaining
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: NotNegative = 1e-5,
) -> Any:
    """batch_norm of each example by itself: (N, C, L, ...) -> the same. use_input_stats is its `training`.

    Other arguments and errors are those of batch_norm; running statistics move towards the mean of those of the examples.
    See Ulyanov et al., "Instance Normalization" (2016).
    """
    return _over_channels(
        "instance_norm", input, (running_mean, running_var), weight, bias, use_input_stats, momentum, eps, along=()
    )


@explaining
def layer_norm(
    input: Any, normalized_shape: Size, weight: Any = None, bias: Any = None, eps: NotNegative = 1e-5
) -> Any:
    """(x - mean(x)) / √(var(x) + eps) · weight + bias, over the last axes: (..., *normalized_shape) -> the same.

    Args:
        input: any shape that ends in normalized_shape.
        normalized_shape: sizes of the last axes, or the size of the last one.
        weight, bias: of normalized_shape, or None for 1 and 0.
        eps: added to the variance.

    Raises ShapeError if shapes do not fit. See Ba, Kiros & Hinton, "Layer Normalization" (2016).
    """
    x = operand("layer_norm", input)
    axes = _last_axes("layer_norm", x, normalized_shape, weight=weight, bias=bias)
    return engine.layer_norm(x, axis=axes, weight=weight, bias=bias, eps=eps)


@explaining
def rms_norm(input: Any, normalized_shape: Size, weight: Any = None, eps: NotNegative | None = None) -> Any:
    """x / √(mean(x²) + eps) · weight, over the last axes: (..., *normalized_shape) -> the same.

    Args:
        input: any shape that ends in normalized_shape.
        normalized_shape: sizes of the last axes, or the size of the last one.
        weight: of normalized_shape, or None for 1.
        eps: None for the distance from 1 to the next number of the input's dtype.

    Raises ShapeError if shapes do not fit. See Zhang & Sennrich, "Root Mean Square Layer Normalization" (2019).
    """
    x = operand("rms_norm", input)
    axes = _last_axes("rms_norm", x, normalized_shape, weight=weight)
    if eps is None:
        eps = float(np.finfo(x.dtype if x.dtype.kind == "f" else float).eps)
    return _scaled(engine.rms_norm(x, axis=axes, eps=eps), weight, None)


def _last_axes(name: str, x: Any, normalized_shape: Size, **parameters: Any) -> Shape:
    """The axes that normalized_shape names. Raises ShapeError unless x ends in it, and parameters have it or are None."""
    expected = sizes(name, "normalized_shape", normalized_shape)
    if x.shape[-len(expected) :] != expected:
        raise ShapeError(f"{name}: got an input of shape {x.shape}, expected its last axes to be {expected}")
    _require_shape(name, expected, parameters)
    return tuple(range(-len(expected), 0))


def _channels(name: str, x: Any, **parameters: Any) -> Shape:
    """The shape of x. Raises ShapeError unless it has an axis of channels, and parameters a number for each, or are None."""
    shape: Shape = x.shape
    if len(shape) < 2:
        raise ShapeError(f"{name}: got an input of shape {shape}, expected (N, C, ...)")
    _require_shape(name, shape[1:2], parameters)
    return shape


def _require_shape(name: str, expected: Shape, parameters: dict[str, Any]) -> None:
    for what, given in parameters.items():
        if given is not None and getattr(given, "shape", None) != expected:
            raise ShapeError(f"{name}: got {what}={shown(given)}, expected an array of shape {expected}")


def _beside_channels(shape: Shape, *parameters: Any) -> list[Any]:
    """Numbers a channel, in a shape that broadcasts over (N, C, ...)."""
    if len(shape) == 2:
        return list(parameters)
    return [p if p is None else reshape(p, (-1, *[1] * (len(shape) - 2))) for p in parameters]


def _scaled(y: Any, weight: Any, bias: Any) -> Any:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def _over_channels(
    name: str,
    input: Any,
    running: tuple[Any, Any],
    weight: Any,
    bias: Any,
    training: bool,
    momentum: float,
    eps: float,
    along: Shape,
) -> Any:
    """batch_norm and instance_norm, which differ in whether examples, `along` axis 0, are taken together."""
    x, (mean, var) = operand(name, input), running
    shape = _channels(name, x, running_mean=mean, running_var=var, weight=weight, bias=bias)
    weight, bias = _beside_channels(shape, weight, bias)
    if not training:
        if mean is None or var is None:
            raise TinygradError(
                f"{name}: got no running statistics, expected running_mean and running_var, or training"
            )
        mean, var = _beside_channels(shape, mean, var)
        return _scaled((x - mean) / sqrt(var + eps), weight, bias)
    over = (*along, *range(2, len(shape)))
    if prod([shape[i] for i in over]) < 2:
        raise ShapeError(
            f"{name}: got an input of shape {shape}, expected {SEVERAL}; train on batches of two examples or more, "
            "or call eval() to use the running statistics (of the function: training=False)"
        )
    for given in running:
        if given is not None and not (isinstance(given, (np.ndarray, Term)) and given.dtype.kind == "f"):
            raise DTypeError(
                f"{name}: got running statistics {shown(given)}, expected arrays of floats, to change in place"
            )
    y = engine.layer_norm(x, axis=over, weight=weight, bias=bias, eps=eps)
    if mean is not None:
        _move(mean, np.mean(data_of(x), over), momentum)
    if var is not None:
        _move(var, np.var(data_of(x), over, ddof=1), momentum)
    return y


def _move(running: Any, seen: Any, momentum: float) -> None:
    """Move running statistics, in place, towards those of a batch, or the mean of those of its examples."""
    running += momentum * (np.mean(seen.reshape(-1, *running.shape), 0) - running if seen.ndim > 1 else seen - running)
