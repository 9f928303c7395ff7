"""Losses of class probabilities, as modules. Their weights are buffers, which state_dict and astype see."""

from __future__ import annotations

from typing import Any, Never

from .. import functional
from ..checks import SHARE, checked
from .base import Loss


class BCELoss(Loss):
    """Binary cross-entropy of probabilities; see `functional.binary_cross_entropy`.

    Prediction and target of any shape -> scalar, or that shape unreduced.

    Args:
        weight: factors of the losses.
        reduction: "mean", "sum" or "none".
    """

    function, options = staticmethod(functional.binary_cross_entropy), ("weight",)

    def __init__(self, weight: Any = None, *given: Never, reduction: str = "mean") -> None:
        super().__init__(*given, reduction=reduction)
        self.weight = self.buffer("weight", weight)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits of any size; see `functional.binary_cross_entropy_with_logits`.

    Logits and target of any shape -> scalar, or that shape unreduced.

    Args:
        weight: factors of the losses.
        reduction: "mean", "sum" or "none".
        pos_weight: factors of the losses of what is true.
    """

    function = staticmethod(functional.binary_cross_entropy_with_logits)
    options = ("weight", "pos_weight")

    def __init__(self, weight: Any = None, *given: Never, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(*given, reduction=reduction)
        self.weight = self.buffer("weight", weight)
        self.pos_weight = self.buffer("pos_weight", pos_weight)


class NLLLoss(Loss):
    """Minus the log probabilities of labels; see `functional.nll_loss`.

    Log probabilities (batch, classes, ...), labels (batch, ...) -> scalar, or (batch, ...) unreduced.

    Args:
        weight: (classes,), all 1 if None.
        ignore_index: a label whose loss is 0.
        reduction: "mean", "sum" or "none".
    """

    function, options = staticmethod(functional.nll_loss), ("weight", "ignore_index")

    def __init__(self, weight: Any = None, *given: Never, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(*given, reduction=reduction)
        self.weight, self.ignore_index = self.buffer("weight", weight), ignore_index


class CrossEntropyLoss(Loss):
    """Cross-entropy of logits and labels or probabilities; see `functional.cross_entropy`.

    Logits (batch, classes, ...), labels (batch, ...) -> scalar, or (batch, ...) unreduced.

    Args:
        weight: (classes,), all 1 if None.
        ignore_index: a label whose loss is 0.
        reduction: "mean", "sum" or "none".
        label_smoothing: how much of the target is spread evenly. Raises TinygradError unless from 0 to 1.
    """

    function, options = staticmethod(functional.cross_entropy), ("weight", "ignore_index", "label_smoothing")

    def __init__(
        self,
        weight: Any = None,
        *given: Never,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(*given, reduction=reduction)
        self.weight, self.ignore_index = self.buffer("weight", weight), ignore_index
        self.label_smoothing = checked("CrossEntropyLoss", "label_smoothing", label_smoothing, SHARE)
