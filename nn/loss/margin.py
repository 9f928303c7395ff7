"""Losses that are 0 once the right answer leads by a margin, and the similarity of directions, as modules."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..functional.margin import checked_p
from ..module import Module
from .base import Loss


class CosineSimilarity(Module):
    """Cosine of the angle between vectors; see `functional.cosine_similarity`.

    Args:
        axis: along which the vectors lie.
        eps: the smallest length that counts.
    """

    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        self.axis, self.eps = axis, eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """Two shapes that broadcast -> their common shape without the axis. Raises ShapeError if they do not."""
        return functional.cosine_similarity(x1, x2, self.axis, self.eps)

    def describe(self) -> str:
        """axis, eps."""
        return f"axis={self.axis}, eps={self.eps}"


class CosineEmbeddingLoss(Loss):
    """Pulls pairs into the same direction, or apart; see `functional.cosine_embedding_loss`.

    Args:
        margin: how similar strangers may be, from -1 to 1.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, x1: Any, x2: Any, target: Any) -> Any:
        """(..., size), twice, and labels ±1 (...) -> scalar, or (...). Raises ShapeError if they do not fit."""
        return functional.cosine_embedding_loss(x1, x2, target, margin=self.margin, reduction=self.reduction)


class HingeLoss(Loss):
    """max(0, margin - target · prediction); see `functional.hinge_loss`.

    Args:
        margin: the lead that suffices.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, prediction: Any, target: Any) -> Any:
        """Scores and labels ±1 of any shape -> scalar, or that shape unreduced. Raises ShapeError if the shapes differ."""
        return functional.hinge_loss(prediction, target, margin=self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(Loss):
    """Of distances between pairs that belong together or not; see `functional.hinge_embedding_loss`.

    Args:
        margin: the distance of strangers that suffices.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, prediction: Any, target: Any) -> Any:
        """Distances and labels ±1 of any shape -> scalar, or that shape unreduced. Raises ShapeError if the shapes differ."""
        return functional.hinge_embedding_loss(prediction, target, margin=self.margin, reduction=self.reduction)


class MultiMarginLoss(Loss):
    """Hinge loss of several classes; see `functional.multi_margin_loss`.

    Args:
        p: exponent. Raises TinygradError unless 1 or 2.
        margin: the lead over each other class that suffices.
        weight: (classes,), all 1 if None.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.p, self.margin, self.weight = checked_p(p, "MultiMarginLoss"), margin, self.buffer("weight", weight)

    def forward(self, scores: Any, target: Any) -> Any:
        """(batch, classes), labels (batch,) -> scalar, or (batch,). Raises ShapeError if they do not fit."""
        return functional.multi_margin_loss(
            scores, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )
