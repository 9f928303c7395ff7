"""Layers and losses as functions, under PyTorch's names where it has them.

A loss takes predictions, targets, and reduction="mean", "sum" or "none". The `Module`s of nn with similar names call these.
"""

from ..metrics import accuracy
from .attention import scaled_dot_product_attention
from .classification import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, nll_loss
from .convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from .distributions import gaussian_nll_loss, kl_div
from .images import fold, pad, pixel_shuffle, pixel_unshuffle, unfold
from .layers import bilinear, linear
from .margin import (
    cosine_embedding_loss,
    cosine_similarity,
    hinge_embedding_loss,
    hinge_loss,
    multi_margin_loss,
    zero_one_loss,
)
from .penalties import l1_penalty, l2_penalty
from .pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
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
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "fold",
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
    "max_pool1d",
    "max_pool2d",
    "mse_loss",
    "msle_loss",
    "multi_margin_loss",
    "nll_loss",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "rmse_loss",
    "sae_loss",
    "scaled_dot_product_attention",
    "smooth_l1_loss",
    "sse_loss",
    "unfold",
    "zero_one_loss",
]
