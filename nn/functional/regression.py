"""Losses of real numbers: how far predictions are from their targets, which have the same shape.

All take e = input - target, number by number, and then the reduction: "mean", "sum", "none" or "batchmean", the sum
over the size of the first axis, as in Σ‖e‖² / n (not of the root). All raise ShapeError if the shapes differ or are empty, and
TinygradError for any other reduction. Gradient flows to targets that are Values, too.
"""

from __future__ import annotations

from math import log, prod, sqrt
from typing import Any

from tinygrad_edu import abs, clip, log1p, logaddexp, norm, square

from ..checks import BatchReduction, NotNegative, Positive, Reduction, data_of
from .arguments import pair, require, shape_of
from .reduction import loss_function, part, reduced


def _error(name: str, input: Any, target: Any) -> Any:
    input, target = pair(name, input, target)
    return input - target


@loss_function
def mse_loss(input: Any, target: Any, *, reduction: BatchReduction = "mean") -> Any:
    """e², the squared error. Any shape -> scalar, or the same shape for reduction="none"."""
    return reduced("mse_loss", square(_error("mse_loss", input, target)), reduction)


@loss_function
def half_mse_loss(input: Any, target: Any, *, reduction: BatchReduction = "mean") -> Any:
    """e² / 2, whose gradient is e itself; with reduction="batchmean" Nielsen's quadratic cost."""
    return reduced("half_mse_loss", square(_error("half_mse_loss", input, target)) * 0.5, reduction)


@loss_function
def sse_loss(input: Any, target: Any, *, reduction: BatchReduction = "sum") -> Any:
    """Σ e², the sum of squared errors: `mse_loss` with another default."""
    return reduced("sse_loss", square(_error("sse_loss", input, target)), reduction)


@loss_function
def rmse_loss(input: Any, target: Any, *, reduction: Reduction = "mean") -> Any:
    """√ of the reduced squares: √(mean e²), √(Σ e²), or √e² = |e|. Where all e are 0 the gradient is 0."""
    error = _error("rmse_loss", input, target)
    if reduction == "none":
        return abs(error)
    length = norm(error)  # √(Σ e²), without overflow
    value = length / sqrt(prod(shape_of(error))) if reduction == "mean" else length
    return part(value, error, reduction, root=True)


@loss_function
def l1_loss(input: Any, target: Any, *, reduction: BatchReduction = "mean") -> Any:
    """|e|, the absolute error. Where e is 0 the gradient is 0."""
    return reduced("l1_loss", abs(_error("l1_loss", input, target)), reduction)


@loss_function
def sae_loss(input: Any, target: Any, *, reduction: BatchReduction = "sum") -> Any:
    """Σ |e|, the sum of absolute errors: `l1_loss` with another default."""
    return reduced("sae_loss", abs(_error("sae_loss", input, target)), reduction)


@loss_function
def huber_loss(input: Any, target: Any, reduction: BatchReduction = "mean", delta: Positive = 1.0) -> Any:
    """e² / 2 where |e| <= delta, else delta (|e| - delta / 2): outliers pull with the same force.

    Raises TinygradError unless delta > 0. See Huber, Annals of Mathematical Statistics 35 (1964).
    """
    return reduced("huber_loss", _huber(_error("huber_loss", input, target), delta), reduction)


def _huber(error: Any, delta: float) -> Any:
    clipped = clip(error, -delta, delta)  # also the derivative
    return clipped * (error - clipped * 0.5)


@loss_function
def smooth_l1_loss(input: Any, target: Any, *, reduction: BatchReduction = "mean", beta: NotNegative = 1.0) -> Any:
    """e² / (2 beta) where |e| < beta, else |e| - beta / 2: huber_loss / beta; for beta = 0 the absolute error.

    Raises TinygradError unless beta >= 0. See Girshick, Fast R-CNN, ICCV 2015.
    """
    error = _error("smooth_l1_loss", input, target)
    return reduced("smooth_l1_loss", _huber(error, beta) / beta if beta else abs(error), reduction)


@loss_function
def log_cosh_loss(input: Any, target: Any, *, reduction: BatchReduction = "mean") -> Any:
    """ln cosh e: nearly e² / 2 for small e, |e| - ln 2 for large ones; its derivative is tanh e. Without overflow."""
    error = _error("log_cosh_loss", input, target)
    return reduced("log_cosh_loss", logaddexp(error, -error) - log(2), reduction)


@loss_function
def msle_loss(input: Any, target: Any, *, reduction: BatchReduction = "mean") -> Any:
    """(ln(1 + input) - ln(1 + target))²: the squared error of orders of magnitude. Raises TinygradError unless all > -1."""
    input, target = pair("msle_loss", input, target)
    for what, x in (("input", input), ("target", target)):
        require("msle_loss", what, data_of(x) > -1, "> -1")
    return reduced("msle_loss", square(log1p(input) - log1p(target)), reduction)


@loss_function
def mape_loss(input: Any, target: Any, *, reduction: BatchReduction = "mean") -> Any:
    """100 |e / target|, the absolute error in percent. Raises TinygradError if a target is 0."""
    input, target = pair("mape_loss", input, target)
    require("mape_loss", "target", data_of(target) != 0, "none to be 0, of which there are no percents")
    return reduced("mape_loss", abs((input - target) / target) * 100, reduction)
