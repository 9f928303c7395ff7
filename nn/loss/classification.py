"""Losses of class probabilities, as modules. Their weights are buffers, which state_dict and astype see."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..functional.classification import checked_smoothing
from .base import Loss


class BCELoss(Loss):
    """Binary cross-entropy of probabilities; see `functional.binary_cross_entropy`.

    Args:
        weight: factors of the losses.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = self.buffer("weight", weight)

    def forward(self, prediction: Any, target: Any) -> Any:
        """Any shape, twice -> scalar, or that shape unreduced. Raises TinygradError if a number is not from 0 to 1."""
        return functional.binary_cross_entropy(prediction, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits of any size; see `functional.binary_cross_entropy_with_logits`.

    Args:
        weight: factors of the losses.
        reduction: "mean", "sum" or "none".
        pos_weight: factors of the losses of what is true.
    """

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction=reduction)
        self.weight = self.buffer("weight", weight)
        self.pos_weight = self.buffer("pos_weight", pos_weight)

    def forward(self, logits: Any, target: Any) -> Any:
        """Any shape, twice -> scalar, or that shape unreduced. Raises TinygradError if a target is not from 0 to 1."""
        return functional.binary_cross_entropy_with_logits(
            logits, target, weight=self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class NLLLoss(Loss):
    """Minus the log probabilities of labels; see `functional.nll_loss`.

    Args:
        weight: (classes,), all 1 if None.
        ignore_index: a label whose loss is 0.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight, self.ignore_index = self.buffer("weight", weight), ignore_index

    def forward(self, log_probabilities: Any, target: Any) -> Any:
        """(batch, classes, ...), labels (batch, ...) -> scalar, or (batch, ...). Raises ShapeError if they do not fit."""
        return functional.nll_loss(
            log_probabilities,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class CrossEntropyLoss(Loss):
    """Cross-entropy of logits and labels or probabilities; see `functional.cross_entropy`.

    Args:
        weight: (classes,), all 1 if None.
        ignore_index: a label whose loss is 0.
        reduction: "mean", "sum" or "none".
        label_smoothing: how much of the target is spread evenly. Raises TinygradError unless from 0 to 1.
    """

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight, self.ignore_index = self.buffer("weight", weight), ignore_index
        self.label_smoothing = checked_smoothing(label_smoothing, "CrossEntropyLoss")

    def forward(self, logits: Any, target: Any) -> Any:
        """(batch, classes, ...), labels (batch, ...) -> scalar, or (batch, ...). Raises ShapeError if they do not fit."""
        return functional.cross_entropy(
            logits,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
