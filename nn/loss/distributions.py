"""Losses between distributions, as modules."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..functional.distributions import KL_REDUCTIONS, checked_eps
from .base import Loss


class GaussianNLLLoss(Loss):
    """Minus the log likelihood of a normal distribution; see `functional.gaussian_nll_loss`.

    Args:
        full: add the constant ln(2π) / 2.
        eps: the smallest variance that counts. Raises TinygradError unless > 0.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, checked_eps(eps, "GaussianNLLLoss")

    def forward(self, prediction: Any, target: Any, var: Any) -> Any:
        """Means, targets and variances of any shape -> scalar, or that shape unreduced. Raises ShapeError if they do not fit."""
        return functional.gaussian_nll_loss(
            prediction, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class KLDivLoss(Loss):
    """Kullback-Leibler divergence from log probabilities; see `functional.kl_div`.

    Args:
        reduction: "mean", "sum", "none", or "batchmean", which is the divergence itself.
        log_target: the targets are log probabilities too.
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction, known=KL_REDUCTIONS)
        self.log_target = log_target

    def forward(self, prediction: Any, target: Any) -> Any:
        """Log probabilities and targets of any shape -> scalar, or that shape unreduced. Raises ShapeError if shapes differ."""
        return functional.kl_div(prediction, target, reduction=self.reduction, log_target=self.log_target)
