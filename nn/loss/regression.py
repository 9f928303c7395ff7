"""Losses of real numbers, as modules: prediction and target of the same shape -> scalar, or that shape unreduced."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..functional.regression import checked_beta, checked_delta
from .base import Loss


class MSELoss(Loss):
    """Squared error; see `functional.mse_loss`. Args: reduction, "mean", "sum" or "none"."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """The reduced squares. Raises ShapeError if the shapes differ or are empty."""
        return functional.mse_loss(prediction, target, reduction=self.reduction)


class HalfMSELoss(Loss):
    """Half the squared error; see `functional.half_mse_loss`. Args: reduction, "mean", "sum" or "none"."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """Half the reduced squares. Raises ShapeError if the shapes differ or are empty."""
        return functional.half_mse_loss(prediction, target, reduction=self.reduction)


class SSELoss(Loss):
    """Sum of squared errors; see `functional.sse_loss`. Args: reduction, "sum", "mean" or "none"."""

    def __init__(self, *, reduction: str = "sum") -> None:
        super().__init__(reduction=reduction)

    def forward(self, prediction: Any, target: Any) -> Any:
        """The reduced squares. Raises ShapeError if the shapes differ or are empty."""
        return functional.sse_loss(prediction, target, reduction=self.reduction)


class RMSELoss(Loss):
    """Root of the reduced squared error; see `functional.rmse_loss`. Args: reduction, "mean", "sum" or "none"."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """The root. Raises ShapeError if the shapes differ or are empty."""
        return functional.rmse_loss(prediction, target, reduction=self.reduction)


class L1Loss(Loss):
    """Absolute error; see `functional.l1_loss`. Args: reduction, "mean", "sum" or "none"."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """The reduced distances. Raises ShapeError if the shapes differ or are empty."""
        return functional.l1_loss(prediction, target, reduction=self.reduction)


class SAELoss(Loss):
    """Sum of absolute errors; see `functional.sae_loss`. Args: reduction, "sum", "mean" or "none"."""

    def __init__(self, *, reduction: str = "sum") -> None:
        super().__init__(reduction=reduction)

    def forward(self, prediction: Any, target: Any) -> Any:
        """The reduced distances. Raises ShapeError if the shapes differ or are empty."""
        return functional.sae_loss(prediction, target, reduction=self.reduction)


class HuberLoss(Loss):
    """Squared error that turns straight; see `functional.huber_loss`.

    Args:
        reduction: "mean", "sum" or "none".
        delta: where it turns. Raises TinygradError unless > 0.
    """

    def __init__(self, *, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = checked_delta(delta, "HuberLoss")

    def forward(self, prediction: Any, target: Any) -> Any:
        """The reduced losses. Raises ShapeError if the shapes differ or are empty."""
        return functional.huber_loss(prediction, target, reduction=self.reduction, delta=self.delta)


class SmoothL1Loss(Loss):
    """Absolute error that is smooth at 0; see `functional.smooth_l1_loss`.

    Args:
        reduction: "mean", "sum" or "none".
        beta: where it turns straight. Raises TinygradError unless >= 0.
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = checked_beta(beta, "SmoothL1Loss")

    def forward(self, prediction: Any, target: Any) -> Any:
        """The reduced losses. Raises ShapeError if the shapes differ or are empty."""
        return functional.smooth_l1_loss(prediction, target, reduction=self.reduction, beta=self.beta)


class LogCoshLoss(Loss):
    """ln cosh of the error; see `functional.log_cosh_loss`. Args: reduction, "mean", "sum" or "none"."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """The reduced losses. Raises ShapeError if the shapes differ or are empty."""
        return functional.log_cosh_loss(prediction, target, reduction=self.reduction)


class MSLELoss(Loss):
    """Squared error of ln(1 + x); see `functional.msle_loss`. Args: reduction, "mean", "sum" or "none"."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """The reduced squares. Raises ShapeError if the shapes differ or are empty, TinygradError unless all are > -1."""
        return functional.msle_loss(prediction, target, reduction=self.reduction)


class MAPELoss(Loss):
    """Absolute error in percent of the target; see `functional.mape_loss`. Args: reduction, "mean", "sum" or "none"."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """The reduced percentages. Raises ShapeError if the shapes differ or are empty, TinygradError if a target is 0."""
        return functional.mape_loss(prediction, target, reduction=self.reduction)
