"""Layers and losses as functions, under PyTorch's names where it has them.

A loss takes the input, which is the prediction, the target, and reduction="mean", "sum" or "none". Arguments have PyTorch's order
and defaults. From the place on where PyTorch has the deprecated `size_average` and `reduce`, they are taken by name only: by
position a number would mean something else there. The `Module`s of nn with similar names call these functions.
"""

from ..metrics import accuracy
from .attention import scaled_dot_product_attention
from .classification import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, nll_loss
from .distances import (
    cosine_embedding_loss,
    cosine_similarity,
    normalize,
    pairwise_distance,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from .distributions import gaussian_nll_loss, kl_div, poisson_nll_loss
from .layers import linear
from .margin import (
    hinge_embedding_loss,
    hinge_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
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
    "margin_ranking_loss",
    "mse_loss",
    "msle_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "pairwise_distance",
    "poisson_nll_loss",
    "rmse_loss",
    "sae_loss",
    "scaled_dot_product_attention",
    "smooth_l1_loss",
    "soft_margin_loss",
    "sse_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "zero_one_loss",
]
