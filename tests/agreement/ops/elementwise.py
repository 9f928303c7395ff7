"""PyTorch's counterparts of the elementwise ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def clip(x: Tensor, a_min: Tensor, a_max: Tensor) -> Tensor:
    """Of one shape: torch.clamp cannot sum the gradient of a bound back to its shape."""
    return torch.clamp(*torch.broadcast_tensors(x, a_min, a_max))


def power(a: Tensor, b: Tensor) -> Tensor:
    """Of a > 0: torch.pow leaves out the mixed second derivative 1 / a at b = 0."""
    return torch.exp(b * torch.log(a))


def nan_to_num(x: Tensor, copy: bool = True, **replacements: Any) -> Tensor:
    """PyTorch always copies."""
    return torch.nan_to_num(x, **replacements)


def divmod_(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Two results."""
    return torch.div(a, b, rounding_mode="floor"), torch.remainder(a, b)


TORCH: dict[str, Callable[..., Any]] = {
    # arithmetic
    "abs": lambda x: torch.maximum(x, -x),  # the second gradient of torch.abs is a tensor without numbers
    "add": torch.add,
    "clip": clip,
    "divide": torch.divide,
    "float_power": power,
    "hypot": torch.hypot,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "multiply": torch.multiply,
    "negative": torch.negative,
    "positive": torch.positive,
    "power": power,
    "radial": lambda weight, x, length, p=2: weight * torch.sign(x) * (torch.abs(x) / length) ** (p - 1),
    "reciprocal": torch.reciprocal,
    "sign": torch.sign,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "subtract": torch.subtract,
    "where": torch.where,
    # selection
    "copysign": torch.copysign,
    "fmax": torch.fmax,
    "fmin": torch.fmin,
    "nan_to_num": nan_to_num,
    # rounding
    "ceil": torch.ceil,
    "divmod": divmod_,
    "floor": torch.floor,
    "floor_divide": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "fmod": torch.fmod,
    "remainder": torch.remainder,
    "round": lambda x, decimals=0: torch.round(x, decimals=decimals),
    "trunc": torch.trunc,
    # exponential, and logarithms of sums
    "exp": torch.exp,
    "exp2": torch.exp2,
    "expm1": torch.expm1,
    "log": torch.log,
    "log10": torch.log10,
    "log1p": torch.log1p,
    "log2": torch.log2,
    "logaddexp": torch.logaddexp,
    "logaddexp2": torch.logaddexp2,
    # error function
    "erf": torch.erf,
    "erfc": torch.erfc,
    # trigonometric
    "arccos": torch.arccos,
    "arccosh": torch.arccosh,
    "arcsin": torch.arcsin,
    "arcsinh": torch.arcsinh,
    "arctan": torch.arctan,
    "arctan2": torch.arctan2,
    "arctanh": torch.arctanh,
    "cos": torch.cos,
    "cosh": torch.cosh,
    "deg2rad": torch.deg2rad,
    "rad2deg": torch.rad2deg,
    "sin": torch.sin,
    "sinh": torch.sinh,
    "tan": torch.tan,
    "tanh": torch.tanh,
    # activation
    "elu": functional.elu,
    "gelu": functional.gelu,
    "hardtanh": functional.hardtanh,
    "leaky_relu": functional.leaky_relu,
    "logit": torch.logit,
    "mish": functional.mish,
    "relu": functional.relu,
    "selu": functional.selu,
    "sigmoid": torch.sigmoid,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "softsign": functional.softsign,
    # identity
    "astype": lambda x, dtype: x.to(getattr(torch, dtype)),
    "detach": Tensor.detach,
}

EXCEPTIONS: dict[str, str] = {
    "cbrt": "PyTorch has no cube root of negative numbers",
    "heaviside": "torch.heaviside has no gradient",
    "sinc": "the second gradient of torch.sinc at 0 is NaN; it is -π²/3",
}
