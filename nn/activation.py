"""Activations as modules: functions of each number, except Softmax, Softmin, LogSoftmax and GLU, which act along an axis."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import TinygradError, Value, heaviside

from . import functional
from .checks import REAL, checked, float_type, refuse, size
from .module import Module


class _Activation(Module):
    """function(x, *settings): the constructor's parameters are those of the function after its first, and kept as attributes.

    Raises TinygradError for a setting that is not as the function's signature says.
    """

    function: ClassVar[Callable[..., Any]]
    settings: ClassVar[tuple[str, ...]]

    if TYPE_CHECKING:

        def __init__(self, *settings: Any, **named: Any) -> None: ...

    def __init_subclass__(cls, function: Callable[..., Any] | None = None, **options: Any) -> None:
        if function is not None:
            _, *settings = signature(function).parameters.values()
            settings = [each for each in settings if each.kind is Parameter.POSITIONAL_OR_KEYWORD]
            cls.function, cls.settings = staticmethod(function), tuple([each.name for each in settings])
            if "__init__" not in vars(cls):
                cls.__init__ = _constructor(settings)  # type: ignore[method-assign]
        super().__init_subclass__(**options)

    def forward(self, x: Any) -> Any:
        """x: any shape -> the same."""
        return self.function(x, *[getattr(self, name) for name in self.settings])

    def describe(self) -> str:
        """The settings."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.settings)


def _constructor(settings: list[Parameter]) -> Callable[..., None]:
    """An `__init__` with these parameters, which sets them as attributes."""
    parameters = Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *settings])
    annotations = {each.name: each.annotation for each in settings}

    def __init__(self: Module, *args: Any, **named: Any) -> None:  # noqa: N807
        given = parameters.bind(self, *args, **named)
        given.apply_defaults()
        del given.arguments["self"]
        for name, setting in given.arguments.items():
            refuse(type(self).__name__, name, annotations[name], setting)
        vars(self).update(given.arguments)

    vars(__init__)["__signature__"] = parameters
    return __init__


class CELU(_Activation, function=functional.celu):
    """x if x > 0, else alpha (e**(x / alpha) - 1), alpha > 0. See Barron (2017)."""


class ELU(_Activation, function=functional.elu):
    """x if x > 0, else alpha (e**x - 1). See Clevert et al., ICLR 2016."""


class GELU(_Activation, function=functional.gelu):
    """x Φ(x), Φ the distribution of a normal deviate; approximate="tanh" for a quicker formula. Hendrycks & Gimpel (2016)."""


class GLU(_Activation, function=functional.glu):
    """a σ(b), where a and b are the halves of x along the axis dim. See Dauphin et al., ICML 2017."""

    def forward(self, x: Any) -> Any:
        """x: any shape -> the same, but half the size along dim. Raises ShapeError if that is odd."""
        return super().forward(x)


class Hardshrink(_Activation, function=functional.hardshrink):
    """x if |x| > lambd, else 0."""


class Hardsigmoid(_Activation, function=functional.hardsigmoid):
    """(x + 3) / 6 limited to [0, 1]."""


class Hardswish(_Activation, function=functional.hardswish):
    """x hardsigmoid(x). See Howard et al. (2019)."""


class Hardtanh(_Activation, function=functional.hardtanh):
    """x limited to [min_val, max_val]. Raises TinygradError unless min_val < max_val."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        if not checked("Hardtanh", "min_val", min_val) < checked("Hardtanh", "max_val", max_val):
            raise TinygradError(f"Hardtanh: got min_val={min_val} and max_val={max_val}, expected min_val < max_val")
        self.min_val, self.max_val = min_val, max_val


class Heaviside(_Activation, function=lambda x: heaviside(x, 1.0)):
    """1 if x >= 0, else 0, the unit of McCulloch & Pitts (1943). Its gradient is 0 everywhere."""


class Identity(_Activation, function=lambda x: x):
    """x itself."""


class LeakyReLU(_Activation, function=functional.leaky_relu):
    """x if x > 0, else negative_slope · x."""


class LogSigmoid(_Activation, function=functional.logsigmoid):
    """ln(1 / (1 + e**-x)), exact where the sigmoid would underflow."""


class LogSoftmax(_Activation, function=functional.log_softmax):
    """ln softmax(x) along the axis dim, exact where softmax would underflow. Raises ShapeError if x does not have the axis."""


class Mish(_Activation, function=functional.mish):
    """x tanh(ln(1 + e**x)). See Misra, BMVC 2020."""


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
    """max(x, 0)."""


class ReLU6(_Activation, function=functional.relu6):
    """x limited to [0, 6]."""


class SELU(_Activation, function=functional.selu):
    """ELU scaled so that mean 0 and variance 1 are kept through layers. See Klambauer et al., NeurIPS 2017."""


class Sigmoid(_Activation, function=functional.sigmoid):
    """1 / (1 + e**-x)."""


class SiLU(_Activation, function=functional.silu):
    """x / (1 + e**-x), also called swish."""


class Softmax(_Activation, function=functional.softmax):
    """e**x / Σ e**x along the axis dim, so that each slice sums to 1. Raises ShapeError if x does not have the axis."""


class Softmin(_Activation, function=functional.softmin):
    """softmax of -x along the axis dim. Raises ShapeError if x does not have the axis."""


class Softplus(_Activation, function=functional.softplus):
    """ln(1 + e**(beta x)) / beta, a smooth relu; x itself where beta x > threshold. Raises TinygradError for beta = 0."""


class Softshrink(_Activation, function=functional.softshrink):
    """x moved towards 0 by lambd, and 0 within that distance. Raises TinygradError for lambd < 0."""


class Softsign(_Activation, function=functional.softsign):
    """x / (1 + |x|)."""


class Tanh(_Activation, function=functional.tanh):
    """tanh(x)."""


class Tanhshrink(_Activation, function=functional.tanhshrink):
    """x - tanh(x)."""


class Threshold(_Activation, function=functional.threshold):
    """x if x > threshold, else a value."""
