"""Operations that leave the numbers as they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ..domain import REAL, Sample
from ..errors import DTypeError
from ..op import rule
from ..registry import elementwise, operation
from ..signatures import Array, Plain


@operation(
    rules=(rule("g", lambda g, y, x, dtype: g),),
    samples=lambda shape: [Sample((shape,), {"dtype": "float64"})],
    numpy=lambda x, dtype: np.asarray(x).astype(dtype),
    also=(np.astype,),
)
def astype(x: Array, dtype: DTypeLike) -> Plain:
    """x in another floating-point type; the gradient comes back in the type of x. float makes a Python float of a scalar.

    Raises DTypeError for any other type, which has no gradient.
    """
    if np.dtype(dtype).kind != "f":
        raise DTypeError(
            f"astype: got {np.dtype(dtype)}, expected a floating-point type; use value.data.astype for numbers"
        )
    return np.asarray(x).astype(dtype)


@elementwise(domain=(REAL,), numpy=lambda x: x, rules=(None,))
def detach(x: Array) -> Plain:
    """x as a constant: the same data, no gradient, no inputs."""
    return x


@elementwise(
    symbol="+x",
    domain=(REAL,),
    analytic=True,
    also=(np.copy, np.real, np.real_if_close, np.conjugate),
    rules=(rule("1", lambda g, y, x: g),),
)
def positive(x: Array) -> Plain:
    """Elementwise +x: the same numbers."""
    return +x
