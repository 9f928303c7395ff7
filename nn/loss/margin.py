"""Losses that are 0 once the right answer leads by a margin, and the similarity of directions, as modules."""

from __future__ import annotations

from typing import Any, Never

from .. import functional
from ..checks import INTEGER, checked
from ..functional.margin import EXPONENT
from ..module import Module
from .base import Loss


class CosineSimilarity(Module):
    """Cosine of the angle between vectors; see `functional.cosine_similarity`.

    Args:
        axis: along which the vectors lie.
        eps: the smallest length that counts.
    """

    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        self.axis = checked("CosineSimilarity", "axis", axis, INTEGER)
        self.eps = checked("CosineSimilarity", "eps", eps)

    def forward(self, x1: Any, x2: Any) -> Any:
        """Two shapes that broadcast -> their common shape without the axis. Raises ShapeError if they do not."""
        return functional.cosine_similarity(x1, x2, self.axis, self.eps)

    def describe(self) -> str:
        """axis, eps."""
        return f"axis={self.axis}, eps={self.eps}"


class _MarginLoss(Loss):
    """A loss whose only option is a margin."""

    options = ("margin",)

    def __init__(self, margin: float, *given: Never, reduction: str) -> None:
        super().__init__(*given, reduction=reduction)
        self.margin = checked(type(self).__name__, "margin", margin)


class CosineEmbeddingLoss(_MarginLoss):
    """Pulls pairs into the same direction, or apart; see `functional.cosine_embedding_loss`.

    (..., size), twice, and labels ±1 (...) -> scalar, or (...) unreduced.

    Args:
        margin: how similar strangers may be, from -1 to 1.
        reduction: "mean", "sum" or "none".
    """

    function = staticmethod(functional.cosine_embedding_loss)

    def __init__(self, margin: float = 0.0, *given: Never, reduction: str = "mean") -> None:
        super().__init__(margin, *given, reduction=reduction)


class HingeLoss(_MarginLoss):
    """max(0, margin - target · prediction); see `functional.hinge_loss`.

    Scores and labels ±1 of any shape -> scalar, or that shape unreduced.

    Args:
        margin: the lead that suffices.
        reduction: "mean", "sum" or "none".
    """

    function = staticmethod(functional.hinge_loss)

    def __init__(self, margin: float = 1.0, *given: Never, reduction: str = "mean") -> None:
        super().__init__(margin, *given, reduction=reduction)


class HingeEmbeddingLoss(_MarginLoss):
    """Of distances between pairs that belong together or not; see `functional.hinge_embedding_loss`.

    Distances and labels ±1 of any shape -> scalar, or that shape unreduced.

    Args:
        margin: the distance of strangers that suffices.
        reduction: "mean", "sum" or "none".
    """

    function = staticmethod(functional.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, *given: Never, reduction: str = "mean") -> None:
        super().__init__(margin, *given, reduction=reduction)


class MultiMarginLoss(Loss):
    """Hinge loss of several classes; see `functional.multi_margin_loss`.

    Scores (batch, classes), labels (batch,) -> scalar, or (batch,) unreduced.

    Args:
        p: exponent. Raises TinygradError unless 1 or 2.
        margin: the lead over each other class that suffices.
        weight: (classes,), all 1 if None.
        reduction: "mean", "sum" or "none".
    """

    function, options = staticmethod(functional.multi_margin_loss), ("p", "margin", "weight")

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, *given: Never, reduction: str = "mean"
    ) -> None:
        super().__init__(*given, reduction=reduction)
        self.p, self.weight = checked("MultiMarginLoss", "p", p, EXPONENT), self.buffer("weight", weight)
        self.margin = checked("MultiMarginLoss", "margin", margin)
