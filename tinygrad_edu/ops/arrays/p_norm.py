"""p_norm: the p-norm of vectors, from which norms and standard deviations are composed."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np

from ...data import operand_array, to_floating
from ...definition import operation
from ...domain import NONZERO, Sample, Shape
from ...errors import UnsupportedError
from ...op import AXIS, rule
from ...signatures import Array, Axis, Plain
from ...term import Term
from ..numbers.arithmetic import abs, sign
from ..numbers.length import component
from .reduction import along_axes_with_numbers, kept

_total: Any = np.add.reduce


def _every_p(shape: Shape) -> Iterator[Sample]:
    for s in along_axes_with_numbers(shape):
        for p in (2, 3, 1.5, -1):
            yield Sample((shape,), s.params | {"p": p})


def _p_norm_rule(g: Any, y: Any, x: Any, p: float, axis: Axis, keepdims: bool) -> Any:
    return component(kept(g, x, axis, keepdims), x, kept(y, x, axis, keepdims), p)


@operation(
    accumulates=True,
    symbol="‖x‖",
    domain=(NONZERO,),
    slices=AXIS,
    samples=_every_p,
    numpy=lambda x, p=2, axis=None, keepdims=False: np.sum(np.abs(x) ** p, axis=axis, keepdims=keepdims) ** (1 / p),
    rules=(rule(_p_norm_rule, says=lambda g, y, x, p, axis, keepdims: g * sign(x) * (abs(x) / y) ** (p - 1)),),
)
def p_norm(x: Array, /, p: float = 2, axis: Axis = None, keepdims: bool = False) -> Plain:
    """(Σ |x|**p)**(1/p) over axes, without overflow or underflow; Euclidean length for p = 2.

    At x = 0 the gradient is 0, higher derivatives are NaN. p is finite and not 0. Raises UnsupportedError for other p, which
    `norm` supports.
    """
    x = operand_array(to_floating(x))
    if p == 2 and axis is None and not keepdims:
        squares = np.vdot(x, x)  # a third of the time
        if 1e-30 < squares < np.inf:
            return np.sqrt(squares)
    if not p or not isfinite(p):
        raise UnsupportedError(f"got p={p}, expected a finite number other than 0; use norm(x, ord={p})")
    if isinstance(x, Term):  # not on_numbers, which is a tenth of the time
        return x.called("p_norms", p_norms, (x, p, axis, keepdims), {})
    return p_norms(x, p, axis, keepdims)


def p_norms(x: Array, p: float, axis: Axis, keepdims: bool) -> Any:
    """(Σ |x|**p)**(1/p) over axes, of x scaled where that overflows or underflows."""
    try:
        return _unscaled(x, p, axis, keepdims)
    except FloatingPointError:
        return _scaled(x, p, axis, keepdims)


def _sum_of_powers(x: Array, p: float, axis: Axis, keepdims: bool) -> Any:
    return _total(x * x if p == 2 else np.abs(x) ** p, axis=axis, keepdims=keepdims)


@np.errstate(over="raise", under="raise", divide="ignore")  # the processor's own check: it costs nothing
def _unscaled(x: Array, p: float, axis: Axis, keepdims: bool) -> Any:
    y = _sum_of_powers(x, p, axis, keepdims)
    return np.sqrt(y) if p == 2 else y ** (1 / p)


@np.errstate(all="ignore")
def _scaled(x: Array, p: float, axis: Axis, keepdims: bool) -> Any:
    """The p-norm computed from x scaled by its dominant element: the largest, or the smallest if p < 0."""
    scale = (np.max if p > 0 else np.min)(np.abs(x), axis=axis, keepdims=True)
    scale = np.where((scale > 0) & (scale < np.inf), scale, 1)
    y = _sum_of_powers(x / scale, p, axis, True) ** (1 / p) * scale
    return y if keepdims else np.squeeze(y, axis)
