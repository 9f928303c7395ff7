"""Activations as modules: one element-wise function each."""

from __future__ import annotations

from typing import Any

from tinygrad_edu import relu, sigmoid, tanh

from .module import Module


class ReLU(Module):
    """max(x, 0), element by element."""

    def forward(self, x: Any) -> Any:
        """x: any shape -> the same."""
        return relu(x)


class Tanh(Module):
    """tanh(x), element by element."""

    def forward(self, x: Any) -> Any:
        """x: any shape -> the same."""
        return tanh(x)


class Sigmoid(Module):
    """1 / (1 + e**-x), element by element."""

    def forward(self, x: Any) -> Any:
        """x: any shape -> the same."""
        return sigmoid(x)
