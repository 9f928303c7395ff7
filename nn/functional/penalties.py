"""Regularisation as a loss: a price on large parameters, to be added to the loss of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tinygrad_edu import TinygradError, Value, abs, sum, vdot

from ..checks import explaining
from ..module import Module
from .arguments import shape_of

Parameters = Module | Mapping[str, Any] | Iterable[Any]


@explaining
def l2_penalty(parameters: Parameters, strength: float, include_bias: bool = True) -> Any:
    """strength / 2 · Σ w², whose gradient is strength · w: what optimisers with weight_decay=strength add to the gradient of w.

    Nielsen's book has λ / (2n) Σ w² over weights without biases, n the size of the training set: this is
    l2_penalty(model, λ / n, include_bias=False). Krogh & Hertz, NIPS 1991.

    Args:
        parameters: a module, a dict of Values or arrays by path, or some of them one by one.
        strength: 0 or more.
        include_bias: False leaves out those named bias, and all with one axis or fewer, such as the scales of a norm.

    Returns:
        a scalar.

    Raises:
        TinygradError: if the strength is negative, or there are no parameters.
    """
    return _penalty("l2_penalty", parameters, strength, include_bias, lambda w: vdot(w, w)) * 0.5


@explaining
def l1_penalty(parameters: Parameters, strength: float, include_bias: bool = True) -> Any:
    """strength · Σ |w|, whose gradient has the same size however small w is (Tibshirani 1996).

    Steps along its gradient go past 0 and back, so that weights become small, not 0. For exact zeros, leave it out and pass the
    strength to the optimiser: SGD(..., l1=strength), or Adam.

    Args and errors as for `l2_penalty`.
    """
    return _penalty("l1_penalty", parameters, strength, include_bias, lambda w: sum(abs(w)))


def _penalty(name: str, parameters: Parameters, strength: float, biases: bool, price: Callable[[Any], Any]) -> Any:
    if not strength >= 0:
        raise TinygradError(f"{name}: got strength={strength}, expected 0 or more")
    total: Any = 0.0
    chosen = [w for path, w in _named(parameters) if biases or (len(shape_of(w)) > 1 and path.split(".")[-1] != "bias")]
    if not chosen:
        raise TinygradError(f"{name}: got no parameters to weigh, expected a module or some of its parameters")
    for w in chosen:
        total = total + price(w)
    return total * strength


def _named(parameters: Parameters) -> list[tuple[str, Any]]:
    if isinstance(parameters, Module):
        return list(parameters.named_parameters())
    if isinstance(parameters, Mapping):
        return list(parameters.items())
    return [("", w) for w in ([parameters] if isinstance(parameters, Value) else parameters)]
