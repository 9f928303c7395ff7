"""Layers as functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_edu import ShapeError, Value, moveaxis, reshape, sum
from tinygrad_edu import linear as _linear

from ..checks import explaining, plain_array


def linear(x: Any, weight: Value, bias: Value | None = None) -> Any:
    """x @ weight.T + bias: (..., in), (out, in), (out,) -> (..., out). Raises ShapeError if the last axis of x does not fit."""
    return _linear(x, weight, 0.0 if bias is None else bias)


@explaining
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y_o = input1 · W_o · input2 + bias_o: (..., in1), (..., in2), (out, in1, in2), (out,) -> (..., out).

    Raises ShapeError if shapes do not fit.
    """
    x1, x2 = plain_array("bilinear", "input1", input1), plain_array("bilinear", "input2", input2)
    shape = np.shape(weight)
    if (
        not x1.ndim
        or len(shape) != 3
        or x1.shape[:-1] != x2.shape[:-1]
        or (x1.shape[-1:], x2.shape[-1:]) != (shape[1:2], shape[2:])
    ):
        got = f"inputs of shape {x1.shape} and {x2.shape} and a weight of shape {shape}"
        raise ShapeError(f"bilinear: got {got}, expected (..., in1), (..., in2) and (out, in1, in2)")
    if bias is not None and np.shape(bias) != shape[:1]:
        raise ShapeError(f"bilinear: got a bias of shape {np.shape(bias)}, expected {shape[:1]}")
    out, in1, in2 = shape
    rows = _linear(x1, reshape(moveaxis(weight, 1, 2), (out * in2, in1)), 0.0)  # (..., out * in2), one BLAS product
    y = sum(reshape(rows, (*x1.shape[:-1], out, in2)) * x2[..., None, :], axis=-1)
    return y if bias is None else y + bias
