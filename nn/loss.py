"""Losses as modules: settings in the constructor, (input, target) in the call.

Formulas, settings, their defaults and ranges are those of the functions in `nn.functional`.
"""

from __future__ import annotations

from typing import Any

from . import functional
from .settings import Calling

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HalfMSELoss",
    "HingeEmbeddingLoss",
    "HingeLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LogCoshLoss",
    "MAPELoss",
    "MSELoss",
    "MSLELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PairwiseDistance",
    "PoissonNLLLoss",
    "RMSELoss",
    "SAELoss",
    "SSELoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class Loss(Calling):
    """Base of the losses: the reduction may also be given in the call."""

    reduction: str

    def forward(self, *inputs: Any, reduction: str | None = None, **named: Any) -> Any:
        """The loss of inputs and targets. Raises what the function raises."""
        return super().forward(*inputs, reduction=reduction or self.reduction, **named)


class BCELoss(Loss, function=functional.binary_cross_entropy):
    """Binary cross-entropy of probabilities."""


class BCEWithLogitsLoss(Loss, function=functional.binary_cross_entropy_with_logits):
    """Binary cross-entropy of logits of any size."""


class CosineEmbeddingLoss(Loss, function=functional.cosine_embedding_loss):
    """Pulls pairs of vectors into the same direction, or apart."""


class CosineSimilarity(Calling, function=functional.cosine_similarity):
    """Cosine of the angle between vectors."""


class CrossEntropyLoss(Loss, function=functional.cross_entropy):
    """Cross-entropy of logits and labels or probabilities."""


class GaussianNLLLoss(Loss, function=functional.gaussian_nll_loss):
    """Negative log likelihood of a normal distribution."""


class HalfMSELoss(Loss, function=functional.half_mse_loss):
    """Half the squared error."""


class HingeEmbeddingLoss(Loss, function=functional.hinge_embedding_loss):
    """Hinge loss of distances between pairs that belong together, or do not."""


class HingeLoss(Loss, function=functional.hinge_loss):
    """Hinge loss of two classes."""


class HuberLoss(Loss, function=functional.huber_loss):
    """Squared error near 0, absolute error beyond."""


class KLDivLoss(Loss, function=functional.kl_div):
    """Kullback-Leibler divergence from log probabilities."""


class L1Loss(Loss, function=functional.l1_loss):
    """Absolute error."""


class LogCoshLoss(Loss, function=functional.log_cosh_loss):
    """Logarithm of the error's hyperbolic cosine."""


class MAPELoss(Loss, function=functional.mape_loss):
    """Absolute error in percent of the target."""


class MSELoss(Loss, function=functional.mse_loss):
    """Squared error."""


class MSLELoss(Loss, function=functional.msle_loss):
    """Squared error of ln(1 + x)."""


class MarginRankingLoss(Loss, function=functional.margin_ranking_loss):
    """Ranks the first input above the second, or below."""


class MultiLabelMarginLoss(Loss, function=functional.multilabel_margin_loss):
    """Hinge loss of several labels an example."""


class MultiLabelSoftMarginLoss(Loss, function=functional.multilabel_soft_margin_loss):
    """Binary cross-entropy of logits, averaged over the classes."""


class MultiMarginLoss(Loss, function=functional.multi_margin_loss):
    """Hinge loss of several classes."""


class NLLLoss(Loss, function=functional.nll_loss):
    """Negative log likelihood of labels."""


class PairwiseDistance(Calling, function=functional.pairwise_distance):
    """Distance between vectors."""


class PoissonNLLLoss(Loss, function=functional.poisson_nll_loss):
    """Negative log likelihood of a Poisson distribution."""


class RMSELoss(Loss, function=functional.rmse_loss):
    """Root of the reduced squared error."""


class SAELoss(Loss, function=functional.sae_loss):
    """Sum of absolute errors."""


class SSELoss(Loss, function=functional.sse_loss):
    """Sum of squared errors."""


class SmoothL1Loss(Loss, function=functional.smooth_l1_loss):
    """Absolute error that is smooth at 0."""


class SoftMarginLoss(Loss, function=functional.soft_margin_loss):
    """Logistic loss of two classes."""


class TripletMarginLoss(Loss, function=functional.triplet_margin_loss):
    """Pulls an anchor to its like, away from an unlike, by their distances."""


class TripletMarginWithDistanceLoss(Loss, function=functional.triplet_margin_with_distance_loss):
    """Triplet loss of distances by a function."""
