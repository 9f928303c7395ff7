"""Losses as modules: settings in the constructor, (input, target) in the call.

Formulas, settings, their defaults and ranges are those of the functions in `nn.functional`.
"""

from __future__ import annotations

from typing import Any

from . import functional
from .settings import Calling, settings_of

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


class BCELoss(Loss):
    """Binary cross-entropy of probabilities."""

    @settings_of(functional.binary_cross_entropy)
    def __init__(self) -> None: ...


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits of any size."""

    @settings_of(functional.binary_cross_entropy_with_logits)
    def __init__(self) -> None: ...


class CosineEmbeddingLoss(Loss):
    """Pulls pairs of vectors into the same direction, or apart."""

    @settings_of(functional.cosine_embedding_loss, 3)
    def __init__(self) -> None: ...


class CosineSimilarity(Calling):
    """Cosine of the angle between vectors."""

    @settings_of(functional.cosine_similarity)
    def __init__(self) -> None: ...


class CrossEntropyLoss(Loss):
    """Cross-entropy of logits and labels or probabilities."""

    @settings_of(functional.cross_entropy)
    def __init__(self) -> None: ...


class GaussianNLLLoss(Loss):
    """Negative log likelihood of a normal distribution."""

    @settings_of(functional.gaussian_nll_loss, 3)
    def __init__(self) -> None: ...


class HalfMSELoss(Loss):
    """Half the squared error."""

    @settings_of(functional.half_mse_loss)
    def __init__(self) -> None: ...


class HingeEmbeddingLoss(Loss):
    """Hinge loss of distances between pairs that belong together, or do not."""

    @settings_of(functional.hinge_embedding_loss)
    def __init__(self) -> None: ...


class HingeLoss(Loss):
    """Hinge loss of two classes."""

    @settings_of(functional.hinge_loss)
    def __init__(self) -> None: ...


class HuberLoss(Loss):
    """Squared error near 0, absolute error beyond."""

    @settings_of(functional.huber_loss)
    def __init__(self) -> None: ...


class KLDivLoss(Loss):
    """Kullback-Leibler divergence from log probabilities."""

    @settings_of(functional.kl_div)
    def __init__(self) -> None: ...


class L1Loss(Loss):
    """Absolute error."""

    @settings_of(functional.l1_loss)
    def __init__(self) -> None: ...


class LogCoshLoss(Loss):
    """Logarithm of the error's hyperbolic cosine."""

    @settings_of(functional.log_cosh_loss)
    def __init__(self) -> None: ...


class MAPELoss(Loss):
    """Absolute error in percent of the target."""

    @settings_of(functional.mape_loss)
    def __init__(self) -> None: ...


class MSELoss(Loss):
    """Squared error."""

    @settings_of(functional.mse_loss)
    def __init__(self) -> None: ...


class MSLELoss(Loss):
    """Squared error of ln(1 + x)."""

    @settings_of(functional.msle_loss)
    def __init__(self) -> None: ...


class MarginRankingLoss(Loss):
    """Ranks the first input above the second, or below."""

    @settings_of(functional.margin_ranking_loss, 3)
    def __init__(self) -> None: ...


class MultiLabelMarginLoss(Loss):
    """Hinge loss of several labels an example."""

    @settings_of(functional.multilabel_margin_loss)
    def __init__(self) -> None: ...


class MultiLabelSoftMarginLoss(Loss):
    """Binary cross-entropy of logits, averaged over the classes."""

    @settings_of(functional.multilabel_soft_margin_loss)
    def __init__(self) -> None: ...


class MultiMarginLoss(Loss):
    """Hinge loss of several classes."""

    @settings_of(functional.multi_margin_loss)
    def __init__(self) -> None: ...


class NLLLoss(Loss):
    """Negative log likelihood of labels."""

    @settings_of(functional.nll_loss)
    def __init__(self) -> None: ...


class PairwiseDistance(Calling):
    """Distance between vectors."""

    @settings_of(functional.pairwise_distance)
    def __init__(self) -> None: ...


class PoissonNLLLoss(Loss):
    """Negative log likelihood of a Poisson distribution."""

    @settings_of(functional.poisson_nll_loss)
    def __init__(self) -> None: ...


class RMSELoss(Loss):
    """Root of the reduced squared error."""

    @settings_of(functional.rmse_loss)
    def __init__(self) -> None: ...


class SAELoss(Loss):
    """Sum of absolute errors."""

    @settings_of(functional.sae_loss)
    def __init__(self) -> None: ...


class SSELoss(Loss):
    """Sum of squared errors."""

    @settings_of(functional.sse_loss)
    def __init__(self) -> None: ...


class SmoothL1Loss(Loss):
    """Absolute error that is smooth at 0."""

    @settings_of(functional.smooth_l1_loss)
    def __init__(self) -> None: ...


class SoftMarginLoss(Loss):
    """Logistic loss of two classes."""

    @settings_of(functional.soft_margin_loss)
    def __init__(self) -> None: ...


class TripletMarginLoss(Loss):
    """Pulls an anchor to its like, away from an unlike, by their distances."""

    @settings_of(functional.triplet_margin_loss, 3)
    def __init__(self) -> None: ...


class TripletMarginWithDistanceLoss(Loss):
    """Triplet loss of distances by a function."""

    @settings_of(functional.triplet_margin_with_distance_loss, 3)
    def __init__(self) -> None: ...
