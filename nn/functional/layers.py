"""Layers as functions."""

from __future__ import annotations

from typing import Any

from tinygrad_edu import Value
from tinygrad_edu import linear as _linear


def linear(x: Any, weight: Value, bias: Value | None = None) -> Any:
    """x @ weight.T + bias: (..., in), (out, in), (out,) -> (..., out). Raises ShapeError if the last axis of x does not fit."""
    return _linear(x, weight, 0.0 if bias is None else bias)
