"""Losses as modules: settings in the constructor, (prediction, target) in the call. The formulas are in `nn.functional`."""

from .classification import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, NLLLoss
from .distributions import GaussianNLLLoss, KLDivLoss
from .margin import CosineEmbeddingLoss, CosineSimilarity, HingeEmbeddingLoss, HingeLoss, MultiMarginLoss
from .regression import (
    HalfMSELoss,
    HuberLoss,
    L1Loss,
    LogCoshLoss,
    MAPELoss,
    MSELoss,
    MSLELoss,
    RMSELoss,
    SAELoss,
    SmoothL1Loss,
    SSELoss,
)

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
    "MultiMarginLoss",
    "NLLLoss",
    "RMSELoss",
    "SAELoss",
    "SSELoss",
    "SmoothL1Loss",
]
