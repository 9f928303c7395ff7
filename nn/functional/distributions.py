"""Negative log likelihoods of normal and Poisson distributions, and the divergence between two distributions."""

from __future__ import annotations

from math import inf, pi
from math import log as _ln
from typing import Any

import numpy as np

from tinygrad_edu import ShapeError, detach, exp, expand_dims, log, maximum, square, where

from ..checks import BatchReduction, Flag, NotNegative, Positive, Reduction, data_of, stretches
from .arguments import numbers, pair, require, require_probabilities, shape_of
from .reduction import loss_function, reduced


@loss_function
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: Flag = False, eps: Positive = 1e-6, reduction: Reduction = "mean"
) -> Any:
    """(ln v + (input - target)² / v) / 2, v = max(var, eps): minus the log likelihood of a normal distribution.

    As in PyTorch the gradient of var is that of v, below eps too: so it finds its way back. See Nix & Weigend, ICNN 1994.

    Args:
        input: means, any shape.
        target: what was seen, the same shape.
        var: variances, the same shape; or without its last axis, or with an axis of size 1 instead; or one number.
        full: add the constant ln(2π) / 2.
        eps: the smallest variance that counts.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes do not fit or are empty.
        TinygradError: if a variance is negative, or eps not > 0.
    """
    name = "gaussian_nll_loss"
    mean, target = pair(name, input, target)
    var = _fitting(name, numbers(name, "var", var, like=mean), shape_of(mean))
    require(name, "var", data_of(var) >= 0, "variances, 0 or more")
    v = var + detach(maximum(var, eps) - var)
    losses = (log(v) + square(mean - target) / v) * 0.5
    return reduced(name, losses + _ln(2 * pi) / 2 if full else losses, reduction)


def _fitting(name: str, var: Any, shape: tuple[int, ...]) -> Any:
    own = shape_of(var)
    if own in (shape, ()):
        return var
    if own == shape[:-1]:
        return expand_dims(var, axis=-1)
    if len(own) == len(shape) and stretches(own, shape):
        return var
    raise ShapeError(
        f"{name}: var has shape {own}, expected {shape}, {shape[:-1]}, or 1 in place of a size; reshape it"
    )


@loss_function
def kl_div(input: Any, target: Any, *, reduction: BatchReduction = "mean", log_target: Flag = False) -> Any:
    """t (ln t - input), 0 where t is 0: the Kullback-Leibler divergence of t from e**input, number by number.

    Args:
        input: log probabilities, any shape.
        target: probabilities t, the same shape; or their logarithms if log_target.
        reduction: "mean" over all numbers, "sum", "none", or "batchmean", the sum over the size of the first axis, which is
            the divergence itself.
        log_target: the target's logarithms are given.

    Raises:
        ShapeError: if the shapes differ or are empty, or have no first axis for "batchmean".
        TinygradError: if a probability is not from 0 to 1.
    """
    log_q, t = pair("kl_div", input, target)
    if log_target:
        possible = t > -inf
        p, log_p = exp(t), where(possible, t, 0.0)
    else:
        require_probabilities("kl_div", "target", t)
        possible = t > 0
        p, log_p = t, log(where(possible, t, 1.0))
    losses = p * (log_p - where(possible | np.isnan(data_of(log_q)), log_q, 0.0))  # 0 · -inf is 0, but NaN stays
    return reduced("kl_div", losses, reduction)


@loss_function
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: Flag = True,
    full: Flag = False,
    *,
    eps: NotNegative = 1e-8,
    reduction: Reduction = "mean",
) -> Any:
    """λ - target · ln λ of rates λ: the negative log likelihood of a Poisson distribution, without ln target!.

    Args:
        input: ln λ, any shape; or λ if log_input=False.
        target: counts, the same shape.
        log_input: the input is the logarithm of the rate.
        full: add Stirling's approximation of ln target! where the target is above 1.
        eps: added to λ in its logarithm if log_input=False.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: if the shapes differ or are empty.
        TinygradError: if a count or a rate is negative.
    """
    name = "poisson_nll_loss"
    x, t = pair(name, input, target)
    require(name, "target", data_of(t) >= 0, "counts, 0 or more")
    if not log_input:
        require(name, "input", data_of(x) >= 0, "rates, 0 or more; pass log_input=True for their logarithms")
    log_rate = x if log_input else x + eps
    impossible = (data_of(t) == 0) & (data_of(log_rate) == (-inf if log_input else 0))  # 0 ln 0 is 0
    log_rate = where(impossible, 0.0 if log_input else 1.0, log_rate)
    losses = exp(x) - t * log_rate if log_input else x - t * log(log_rate)
    if full:
        several = data_of(t) > 1
        n = where(several, t, 1.0)
        losses = losses + where(several, n * log(n) - n + log(n * (2 * pi)) * 0.5, 0.0)
    return reduced(name, losses, reduction)
