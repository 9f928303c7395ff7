"""Layers and losses as functions, under PyTorch's names where it has them.

A loss takes predictions, targets, and reduction="mean", "sum" or "none". The `Module`s of nn with similar names call these.
"""

from ..metrics import accuracy
from .attention import scaled_dot_product_attention
from .classification import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, nll_loss
from .distributions import gaussian_nll_loss, kl_div
from .layers import linear
from .margin import (
    cosine_embedding_loss,
    cosine_similarity,
    hinge_embedding_loss,
    hinge_loss,
    multi_margin_loss,
    zero_one_loss,
)
from .penalties import l1_penalty, l2_penalty
from .regression import (
    half_mse_loss,
    huber_loss,
    l1_loss,
    log_cosh_loss,
    mape_loss,
    mse_loss,
    msle_loss,
    rmse_loss,
    sae_loss,
    smooth_l1_loss,
    sse_loss,
)

__all__ = [
    "accuracy",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "gaussian_nll_loss",
    "half_mse_loss",
    "hinge_embedding_loss",
    "hinge_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "linear",
    "log_cosh_loss",
    "mape_loss",
    "mse_loss",
    "msle_loss",
    "multi_margin_loss",
    "nll_loss",
    "rmse_loss",
    "sae_loss",
    "scaled_dot_product_attention",
    "smooth_l1_loss",
    "sse_loss",
    "zero_one_loss",
]
