"""Linear, an affine map with learned weights; and Bilinear, a map of two inputs that is linear in each."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import Value

from . import init
from .checks import float_type, generator, size
from .functional import bilinear, linear
from .module import Module


class Linear(Module):
    """y = x Wᵀ + b: (..., in_features) -> (..., out_features).

    Args:
        in_features, out_features: sizes of the last axis of input and output.
        bias: False leaves b out.
        rng: random generator for the initial weights, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        weight: (out_features, in_features), initially uniform on ±1/√in_features, as in PyTorch.
        bias: (out_features,), initially likewise; or None.

    Raises ShapeError for a size that is no positive integer.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        inputs, outputs = size("Linear", "in_features", in_features), size("Linear", "out_features", out_features)
        rng, bound, dtype = generator("Linear", rng), 1 / sqrt(inputs), float_type("Linear", dtype)
        weight = init.uniform((outputs, inputs), -bound, bound, rng, dtype)
        self.weight = Value(np.asfortranarray(weight), name="W", copy=False)  # the order in which x Wᵀ is fastest
        self.bias = Value(init.uniform((outputs,), -bound, bound, rng, dtype), name="b") if bias else None

    def forward(self, x: Any) -> Any:
        """x: (..., in_features) -> (..., out_features). Raises ShapeError if the last axis of x has another size."""
        return linear(x, self.weight, self.bias)

    def describe(self) -> str:
        """in_features, out_features."""
        out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}" + ("" if self.bias is not None else ", bias=False")


class Bilinear(Module):
    """y_o = x1 · W_o · x2 + b_o: (..., in1_features), (..., in2_features) -> (..., out_features).

    Args:
        in1_features, in2_features, out_features: sizes of the last axes of both inputs and the output.
        bias: False leaves b out.
        rng: random generator for the initial weights, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        weight: (out_features, in1_features, in2_features), initially uniform on ±1/√in1_features, as in PyTorch.
        bias: (out_features,), initially likewise; or None.

    Raises ShapeError for a size that is no positive integer.
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        sizes = {"out_features": out_features, "in1_features": in1_features, "in2_features": in2_features}
        shape = tuple([size("Bilinear", name, n) for name, n in sizes.items()])
        rng, bound, dtype = generator("Bilinear", rng), 1 / sqrt(in1_features), float_type("Bilinear", dtype)
        self.weight = Value(init.uniform(shape, -bound, bound, rng, dtype), name="W")
        self.bias = Value(init.uniform(shape[:1], -bound, bound, rng, dtype), name="b") if bias else None

    def forward(self, x1: Any, x2: Any) -> Any:
        """x1: (..., in1_features), x2: (..., in2_features) -> (..., out_features). Raises ShapeError where they do not fit."""
        return bilinear(x1, x2, self.weight, self.bias)

    def describe(self) -> str:
        """in1_features, in2_features, out_features."""
        out, in1, in2 = self.weight.shape
        return f"{in1}, {in2}, {out}" + ("" if self.bias is not None else ", bias=False")
