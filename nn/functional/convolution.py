"""Convolutions as functions, with PyTorch's arguments; inputs may lack the batch."""

from __future__ import annotations

from typing import Any

import tinygrad_edu

from ..checks import Size


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlation along one axis: (N, C, L), (O, C / groups, K) -> (N, O, L').

    bias: (O,), or None. padding: an integer, "same" (at stride 1) or "valid". See `nn.Conv1d`. Raises ShapeError where arguments
    do not fit.
    """
    return tinygrad_edu.conv1d(input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """conv1d for images: (N, C, H, W), (O, C / groups, KH, KW) -> (N, O, H', W'). Sizes are integers, or pairs."""
    return tinygrad_edu.conv2d(input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Any:
    """Transposed conv1d: (N, C, L), (C, O / groups, K) -> (N, O, L').

    L' = (L - 1) stride - 2 padding + dilation (K - 1) + 1 + output_padding. output_padding is less than stride. Raises ShapeError
    where arguments do not fit.
    """
    return tinygrad_edu.conv_transpose1d(input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Any:
    """conv_transpose1d for images: (N, C, H, W), (C, O / groups, KH, KW) -> (N, O, H', W'). Sizes are integers, or pairs."""
    return tinygrad_edu.conv_transpose2d(input, weight, bias, stride, padding, output_padding, groups, dilation)
