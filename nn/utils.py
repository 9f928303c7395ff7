"""Clipping of gradients, between backward() and the optimiser's step."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError, Value

from .checks import data_of, explaining, ordered

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


@explaining
def clip_grad_norm_(
    parameters: Value | Iterable[Value],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients, g ← g min(1, max_norm / (‖g‖ + 1e-6)), where ‖g‖ is the norm of all of them as one vector.

    See Pascanu, Mikolov & Bengio, ICML 2013. Gradients change in their own memory; parameters without one are left out,
    and a shared one counts once.

    Args:
        parameters: Values, usually `model.parameters()`.
        max_norm: the largest norm to let pass, ≥ 0.
        norm_type: p > 0 of the norm; `math.inf` for the largest absolute value.
        error_if_nonfinite: refuse infinite and NaN gradients, which would make others 0 or NaN.

    Returns:
        ‖g‖ before.

    Raises:
        TinygradError: for arguments outside these, parameters in a set, or a norm that is not finite if error_if_nonfinite.
    """
    if not max_norm >= 0 or not norm_type > 0:
        got = f"max_norm={max_norm}, norm_type={norm_type}"
        raise TinygradError(f"clip_grad_norm_: got {got}, expected max_norm >= 0 and norm_type > 0")
    values = _with_gradient("clip_grad_norm_", parameters)
    norms = np.array([_norm(np.asarray(data_of(p.grad)), norm_type) for p in values])
    total = _norm(norms, norm_type)
    if error_if_nonfinite and not np.isfinite(total):
        raise TinygradError(
            f"clip_grad_norm_: the norm is {total}; look for the infinite or NaN gradient, or pass error_if_nonfinite=False"
        )
    factor = max_norm / (total + 1e-6)
    if not factor >= 1:
        for p in values:
            if isinstance(p.grad, np.ndarray):
                with np.errstate(invalid="ignore"):  # 0 times infinity, which was to be expected then
                    p.grad *= factor
            else:
                p.grad = p.grad * factor
    return total


@explaining
def clip_grad_value_(parameters: Value | Iterable[Value], clip_value: float) -> None:
    """Bring each number of all gradients into [-clip_value, clip_value], in their own memory.

    Raises TinygradError if clip_value < 0, or the parameters are a set.
    """
    if not clip_value >= 0:
        raise TinygradError(f"clip_grad_value_: got clip_value={clip_value}, expected a number of at least 0")
    for p in _with_gradient("clip_grad_value_", parameters):
        g = data_of(p.grad)
        clipped = np.clip(g, -clip_value, clip_value, out=g if isinstance(g, np.ndarray) else None)
        if not isinstance(g, np.ndarray):
            p.grad = type(g)(clipped)


def _with_gradient(caller: str, parameters: Value | Iterable[Value]) -> list[Value]:
    """Those that have a gradient, each once, however many models share it."""
    several = [parameters] if isinstance(parameters, Value) else ordered(caller, parameters)
    return [p for p in dict.fromkeys(several) if p.grad is not None]


def _norm(numbers: NDArray[Any], p: float) -> float:
    """(Σ |x|ᵖ)^(1/p), in units of the largest |x|, so that no power overflows or vanishes."""
    largest = float(np.max(np.abs(numbers), initial=0.0))
    if p == inf or not 0 < largest < inf:
        return largest
    return largest * float(np.sum(np.abs(numbers / largest) ** p, dtype=float) ** (1 / p))
