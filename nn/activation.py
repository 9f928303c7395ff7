"""Activations as modules: functions of each number, except Softmax, Softmin, LogSoftmax and GLU, which act along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import TinygradError, Value, heaviside

from . import functional
from .checks import REAL, checked, float_type, size
from .module import Module
from .settings import Calling


class _Activation(Calling):
    """Base of the activations: one input."""

    def forward(self, x: Any) -> Any:
        """x: any shape -> the same, except GLU's: half the size along dim. Raises what the function raises."""
        return super().forward(x)


class CELU(_Activation, function=functional.celu):
    """Exponential linear unit with a slope that is continuous for any alpha."""


class ELU(_Activation, function=functional.elu):
    """Exponential linear unit."""


class GELU(_Activation, function=functional.gelu):
    """Gaussian error linear unit."""


class GLU(_Activation, function=functional.glu):
    """Gated linear unit."""


class Hardshrink(_Activation, function=functional.hardshrink):
    """Small numbers replaced by 0."""


class Hardsigmoid(_Activation, function=functional.hardsigmoid):
    """Sigmoid made of straight lines."""


class Hardswish(_Activation, function=functional.hardswish):
    """SiLU made of straight lines."""


class Hardtanh(_Activation, function=functional.hardtanh):
    """Identity within limits. The constructor refuses min_val = max_val."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        if not checked("Hardtanh", "min_val", min_val) < checked("Hardtanh", "max_val", max_val):
            raise TinygradError(f"Hardtanh: got min_val={min_val} and max_val={max_val}, expected min_val < max_val")
        self.min_val, self.max_val = min_val, max_val


class Heaviside(_Activation, function=lambda x: heaviside(x, 1.0)):
    """1 if x >= 0, else 0, the unit of McCulloch & Pitts (1943). Its gradient is 0 everywhere."""


class Identity(_Activation, function=lambda x: x):
    """x itself."""


class LeakyReLU(_Activation, function=functional.leaky_relu):
    """Rectified linear unit with a slope below 0."""


class LogSigmoid(_Activation, function=functional.logsigmoid):
    """Logarithm of the sigmoid."""


class LogSoftmax(_Activation, function=functional.log_softmax):
    """Logarithm of softmax."""


class Mish(_Activation, function=functional.mish):
    """Self-regularized unit, smooth and not monotonic."""


class PReLU(Module):
    """x if x > 0, else weight · x, where the weight is learned: (N, C, ...) -> the same. See He et al., ICCV 2015.

    Args:
        num_parameters: 1, or C for a weight for each channel.
        init: initial weight.
        dtype: of the weight.

    Attributes:
        weight: (num_parameters,).

    Raises ShapeError for num_parameters below 1.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike = float) -> None:
        shape = size("PReLU", "num_parameters", num_parameters)
        start, dtype = checked("PReLU", "init", init, REAL), float_type("PReLU", dtype)
        self.weight = Value(np.full(shape, start, dtype), name="a")

    def forward(self, x: Any) -> Any:
        """x: (N, C, ...) -> the same. Raises ShapeError unless there is one weight, or one a channel."""
        return functional.prelu(x, self.weight)

    def describe(self) -> str:
        """num_parameters."""
        return f"num_parameters={self.weight.size}"


class ReLU(_Activation, function=functional.relu):
    """Rectified linear unit."""


class ReLU6(_Activation, function=functional.relu6):
    """Rectified linear unit, limited."""


class SELU(_Activation, function=functional.selu):
    """Scaled exponential linear unit."""


class Sigmoid(_Activation, function=functional.sigmoid):
    """Logistic function."""


class SiLU(_Activation, function=functional.silu):
    """Sigmoid linear unit."""


class Softmax(_Activation, function=functional.softmax):
    """Normalized exponentials along an axis."""


class Softmin(_Activation, function=functional.softmin):
    """Softmax that favours small numbers."""


class Softplus(_Activation, function=functional.softplus):
    """Smooth rectified linear unit."""


class Softshrink(_Activation, function=functional.softshrink):
    """Numbers moved towards 0."""


class Softsign(_Activation, function=functional.softsign):
    """Sigmoid without exponentials."""


class Tanh(_Activation, function=functional.tanh):
    """Hyperbolic tangent."""


class Tanhshrink(_Activation, function=functional.tanhshrink):
    """Numbers less their hyperbolic tangent."""


class Threshold(_Activation, function=functional.threshold):
    """Numbers up to a threshold replaced."""
