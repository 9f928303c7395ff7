"""Activations as modules: a function of each number, but for the two softmaxes. They have no parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tinygrad_edu import (
    TinygradError,
    UnsupportedError,
    elu,
    gelu,
    hardtanh,
    leaky_relu,
    log_softmax,
    mish,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    step,
    tanh,
)

from .checks import INTEGER, checked, shown
from .module import Module


class _Activation(Module):
    """function(x, *options), where the options are attributes."""

    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]] = ()

    def forward(self, x: Any) -> Any:
        """x: any shape -> the same."""
        return self.function(x, *[getattr(self, name) for name in self.options])

    def describe(self) -> str:
        """The options."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.options)


class Identity(_Activation):
    """x itself."""

    def forward(self, x: Any) -> Any:
        """x: any shape -> the same."""
        return x


class Step(_Activation):
    """1 if x >= 0, else 0, the unit of McCulloch & Pitts (1943). Its gradient is 0 everywhere."""

    function = staticmethod(step)


class Sigmoid(_Activation):
    """1 / (1 + e**-x)."""

    function = staticmethod(sigmoid)


class LogSigmoid(_Activation):
    """ln(1 / (1 + e**-x)), exact where the sigmoid would underflow."""

    function = staticmethod(lambda x: -softplus(-x))


class Tanh(_Activation):
    """tanh(x)."""

    function = staticmethod(tanh)


class Hardtanh(_Activation):
    """x limited to [min_val, max_val]. Raises TinygradError unless min_val < max_val."""

    function, options = staticmethod(hardtanh), ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        if not checked("Hardtanh", "min_val", min_val) < checked("Hardtanh", "max_val", max_val):
            raise TinygradError(f"Hardtanh: got min_val={min_val} and max_val={max_val}, expected min_val < max_val")
        self.min_val, self.max_val = min_val, max_val


class Softsign(_Activation):
    """x / (1 + |x|)."""

    function = staticmethod(softsign)


class ReLU(_Activation):
    """max(x, 0)."""

    function = staticmethod(relu)


class LeakyReLU(_Activation):
    """x if x > 0, else negative_slope · x."""

    function, options = staticmethod(leaky_relu), ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = checked("LeakyReLU", "negative_slope", negative_slope)


class ELU(_Activation):
    """x if x > 0, else alpha (e**x - 1). See Clevert et al., ICLR 2016."""

    function, options = staticmethod(elu), ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = checked("ELU", "alpha", alpha)


class SELU(_Activation):
    """ELU scaled so that mean 0 and variance 1 are kept through layers. See Klambauer et al., NeurIPS 2017."""

    function = staticmethod(selu)


class Softplus(_Activation):
    """ln(1 + e**(beta x)) / beta, a smooth relu. Raises TinygradError for beta = 0."""

    function, options = staticmethod(lambda x, beta: softplus(beta * x) / beta), ("beta",)

    def __init__(self, beta: float = 1.0) -> None:
        if not checked("Softplus", "beta", beta):
            raise TinygradError("Softplus: got beta=0, expected another number")
        self.beta = beta


class SiLU(_Activation):
    """x / (1 + e**-x), also called swish."""

    function = staticmethod(silu)


class Mish(_Activation):
    """x tanh(ln(1 + e**x)). See Misra, BMVC 2020."""

    function = staticmethod(mish)


class GELU(_Activation):
    """x Φ(x), Φ the distribution of a normal deviate; approximate="tanh" for a quicker formula. Hendrycks & Gimpel (2016)."""

    function, options = staticmethod(gelu), ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        if not isinstance(approximate, str) or approximate not in ("none", "tanh"):
            raise UnsupportedError(f"GELU: got approximate={shown(approximate)}, expected 'none' or 'tanh'")
        self.approximate = approximate


class Softmax(_Activation):
    """e**x / Σ e**x along an axis, so that each slice sums to 1. Raises ShapeError if x does not have the axis."""

    function, options = staticmethod(softmax), ("axis",)

    def __init__(self, axis: int = -1) -> None:
        self.axis = checked("Softmax", "axis", axis, INTEGER)


class LogSoftmax(_Activation):
    """ln softmax(x) along an axis, exact where softmax would underflow. Raises ShapeError if x does not have the axis."""

    function, options = staticmethod(log_softmax), ("axis",)

    def __init__(self, axis: int = -1) -> None:
        self.axis = checked("LogSoftmax", "axis", axis, INTEGER)
