"""Losses of real numbers, as modules: prediction and target of the same shape -> scalar, or that shape unreduced.

All raise ShapeError if the shapes differ or are empty.
"""

from __future__ import annotations

from typing import Never

from .. import functional
from ..checks import NOT_NEGATIVE, POSITIVE, checked
from .base import Loss


class MSELoss(Loss):
    """Squared error; see `functional.mse_loss`. Args: reduction, "mean", "sum" or "none"."""

    function = staticmethod(functional.mse_loss)


class HalfMSELoss(Loss):
    """Half the squared error; see `functional.half_mse_loss`. Args: reduction, "mean", "sum" or "none"."""

    function = staticmethod(functional.half_mse_loss)


class SSELoss(Loss):
    """Sum of squared errors; see `functional.sse_loss`. Args: reduction, "sum", "mean" or "none"."""

    function = staticmethod(functional.sse_loss)

    def __init__(self, *given: Never, reduction: str = "sum") -> None:
        super().__init__(*given, reduction=reduction)


class RMSELoss(Loss):
    """Root of the reduced squared error; see `functional.rmse_loss`. Args: reduction, "mean", "sum" or "none"."""

    function = staticmethod(functional.rmse_loss)


class L1Loss(Loss):
    """Absolute error; see `functional.l1_loss`. Args: reduction, "mean", "sum" or "none"."""

    function = staticmethod(functional.l1_loss)


class SAELoss(Loss):
    """Sum of absolute errors; see `functional.sae_loss`. Args: reduction, "sum", "mean" or "none"."""

    function = staticmethod(functional.sae_loss)

    def __init__(self, *given: Never, reduction: str = "sum") -> None:
        super().__init__(*given, reduction=reduction)


class HuberLoss(Loss):
    """Squared error that turns straight; see `functional.huber_loss`.

    Args:
        reduction: "mean", "sum" or "none".
        delta: where it turns. Raises TinygradError unless > 0.
    """

    function, options = staticmethod(functional.huber_loss), ("delta",)

    def __init__(self, *given: Never, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(*given, reduction=reduction)
        self.delta = checked("HuberLoss", "delta", delta, POSITIVE)


class SmoothL1Loss(Loss):
    """Absolute error that is smooth at 0; see `functional.smooth_l1_loss`.

    Args:
        reduction: "mean", "sum" or "none".
        beta: where it turns straight. Raises TinygradError unless >= 0.
    """

    function, options = staticmethod(functional.smooth_l1_loss), ("beta",)

    def __init__(self, *given: Never, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(*given, reduction=reduction)
        self.beta = checked("SmoothL1Loss", "beta", beta, NOT_NEGATIVE)


class LogCoshLoss(Loss):
    """ln cosh of the error; see `functional.log_cosh_loss`. Args: reduction, "mean", "sum" or "none"."""

    function = staticmethod(functional.log_cosh_loss)


class MSLELoss(Loss):
    """Squared error of ln(1 + x); see `functional.msle_loss`. Args: reduction, "mean", "sum" or "none".

    Its call raises TinygradError unless all numbers are > -1.
    """

    function = staticmethod(functional.msle_loss)


class MAPELoss(Loss):
    """Absolute error in percent of the target; see `functional.mape_loss`. Args: reduction, "mean", "sum" or "none".

    Its call raises TinygradError if a target is 0.
    """

    function = staticmethod(functional.mape_loss)
