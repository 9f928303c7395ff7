"""Losses between distributions, as modules."""

from __future__ import annotations

from typing import Never

from .. import functional
from ..checks import POSITIVE, checked
from ..functional.distributions import KL_REDUCTIONS
from .base import Loss


class GaussianNLLLoss(Loss):
    """Minus the log likelihood of a normal distribution; see `functional.gaussian_nll_loss`.

    Means, targets and variances of any shape -> scalar, or that shape unreduced.

    Args:
        full: add the constant ln(2π) / 2.
        eps: the smallest variance that counts. Raises TinygradError unless > 0.
        reduction: "mean", "sum" or "none".
    """

    function, options = staticmethod(functional.gaussian_nll_loss), ("full", "eps")

    def __init__(self, *given: Never, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(*given, reduction=reduction)
        self.full, self.eps = full, checked("GaussianNLLLoss", "eps", eps, POSITIVE)


class KLDivLoss(Loss):
    """Kullback-Leibler divergence from log probabilities; see `functional.kl_div`.

    Log probabilities and targets of any shape -> scalar, or that shape unreduced.

    Args:
        reduction: "mean", "sum", "none", or "batchmean", which is the divergence itself.
        log_target: the targets are log probabilities too.
    """

    function, options = staticmethod(functional.kl_div), ("log_target",)

    def __init__(self, *given: Never, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(*given, reduction=reduction, known=KL_REDUCTIONS)
        self.log_target = log_target
