"""Elementwise arithmetic: sums, products, powers, roots and signs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import operand_array, some
from ...definition import derived, elementwise, operation
from ...domain import NONZERO, POSITIVE, REAL, Sample
from ...errors import DTypeError
from ...op import rule
from ...signatures import Array, Plain
from .exponential import log

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = [
    "abs",
    "add",
    "astype",
    "cbrt",
    "detach",
    "divide",
    "float_power",
    "multiply",
    "negative",
    "positive",
    "power",
    "reciprocal",
    "sign",
    "sqrt",
    "square",
    "subtract",
]


@elementwise(
    symbol="+",
    analytic=True,
    rules=(lambda g, y, a, b: g, lambda g, y, a, b: g),
)
def add(a: Array, b: Array, /) -> Plain:
    """Elementwise sum a + b. Shapes broadcast."""
    return a + b


@elementwise(
    symbol="-",
    analytic=True,
    rules=(lambda g, y, a, b: g, lambda g, y, a, b: -g),
)
def subtract(a: Array, b: Array, /) -> Plain:
    """Elementwise difference a - b. Shapes broadcast."""
    return a - b


@elementwise(
    symbol="×",
    analytic=True,
    rules=(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
)
def multiply(a: Array, b: Array, /) -> Plain:
    """Elementwise product a * b. Shapes broadcast."""
    return a * b


@elementwise(
    symbol="÷",
    domain=(REAL, NONZERO),
    analytic=True,
    rules=(lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
)
def divide(a: Array, b: Array, /) -> Plain:
    """Elementwise quotient a / b. Shapes broadcast; b = 0 gives inf or NaN, as in NumPy."""
    return a / b


def _lowered(a: Any, b: Any) -> Any:
    """The exponent b - 1 of a in a derivative; 0 for 0 ** 0. A scalar stays a scalar, for which NumPy is faster."""
    zero = b == 0
    if zero is False or not some(zero):
        return b - 1
    return b - 1 + ((a == 0) & zero)


@elementwise(
    symbol="^",
    domain=(POSITIVE, REAL),
    analytic=True,
    rules=(
        rule(lambda g, y, a, b: g * b * power(a, _lowered(a, b)), says=lambda y, a, b: b * a ** (b - 1)),
        rule(lambda g, y, a, b: g * y * log(a + ((a == 0) & (b >= 0))), says=lambda y, a, b: y * log(a)),
    ),
)
def power(a: Array, b: Array, /) -> Plain:
    """Elementwise power a ** b. Shapes broadcast.

    a is any number if b is an integer, else a >= 0 (NaN below). At a = 0 every derivative with respect to a is exact: that of
    a**0 is 0. The derivative of 0**b with respect to b is 0 for b >= 0.
    """
    return a**b


@derived(symbol="^", domain=(POSITIVE, REAL))
def float_power(a: Array, b: Array, /) -> Plain:
    """Elementwise power a ** b in floating point, for integers too. Shapes broadcast. float32 stays float32, unlike in NumPy."""
    return power(a, b * 1.0)


@elementwise(symbol="neg", analytic=True, rules=(lambda g, y, x: -g,))
def negative(x: Array, /) -> Plain:
    """Elementwise -x."""
    return -x


@derived(symbol="1/x", domain=(NONZERO,))
def reciprocal(x: Array, /) -> Plain:
    """Elementwise 1 / x; inf at 0."""
    return divide(1.0, x)


@elementwise(symbol="|x|", domain=(NONZERO,), also=(np.fabs,), rules=(lambda g, y, x: g * sign(x),))
def abs(x: Array, /) -> Plain:
    """Elementwise absolute value |x|. At the kink x = 0 the gradient is 0."""
    return np.abs(x)


@elementwise(domain=(NONZERO,), rules=(lambda g, y, x: 0.0,))
def sign(x: Array, /) -> Plain:
    """Elementwise sign: -1, 0 or 1. Its gradient is 0 everywhere, including the jump at 0."""
    return np.sign(x)


@elementwise(symbol="√", domain=(POSITIVE,), analytic=True, rules=(lambda g, y, x: g / (2 * y),))
def sqrt(x: Array, /) -> Plain:
    """Elementwise square root of x >= 0 (NaN below). The gradient at 0 is inf."""
    return np.sqrt(x)


@elementwise(symbol="∛", scalar=math.cbrt, domain=(NONZERO,), rules=(lambda g, y, x: g / (3 * y * y),))
def cbrt(x: Array, /) -> Plain:
    """Elementwise cube root, of negative x too. The gradient at 0 is inf."""
    return np.cbrt(x)


@elementwise(symbol="x²", analytic=True, rules=(lambda g, y, x: g * (2 * x),))
def square(x: Array, /) -> Plain:
    """Elementwise square x * x."""
    return x * x


@operation(
    rules=(lambda g, y, x, dtype: g,),
    samples=lambda shape: [Sample((shape,), {"dtype": "float64"})],
    numpy=lambda x, dtype: np.asarray(x).astype(dtype),
    also=(np.astype,),
)
def astype(x: Array, /, dtype: DTypeLike) -> Plain:
    """x cast to a floating-point dtype; the gradient has the dtype of x. float casts a scalar to a Python float.

    Raises DTypeError for any other dtype, which has no gradient.
    """
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise DTypeError(f"got {dtype}, expected a floating-point type; for plain data use value.data.astype")
    return operand_array(x).astype(dtype if dtype.isnative else dtype.newbyteorder("="))


@elementwise(numpy=lambda x: x, rules=(None,))
def detach(x: Array, /) -> Plain:
    """x as a constant: a copy of its data, without gradient and inputs."""
    return np.array(x) if isinstance(x, np.ndarray) else x


@elementwise(
    symbol="+x",
    analytic=True,
    also=(np.copy, np.real, np.real_if_close, np.conjugate),
    rules=(lambda g, y, x: g,),
)
def positive(x: Array, /) -> Plain:
    """Elementwise +x: x unchanged."""
    return +x
