"""The op table, one family of operations a file."""

from .activation import relu, sigmoid, softplus
from .arithmetic import (
    abs,
    add,
    clip,
    divide,
    maximum,
    minimum,
    multiply,
    negative,
    positive,
    power,
    sign,
    sqrt,
    square,
    subtract,
    where,
)
from .convolution import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from .correlation import conv, conv_transpose, conv_weight
from .cumulative import cumprod, cumsum, prod
from .difference import diff, gradient, trapezoid
from .dropout import dropout
from .embedding import embedding, one_hot
from .exponential import exp, log, log1p
from .identity import astype, detach
from .indexing import at, getitem, index_add, index_set, scatter
from .linalg import einsum, matmul
from .nan import nanmax, nanmean, nanmin, nanstd, nansum, nanvar
from .neural import cross_entropy, linear, log_softmax, softmax
from .norm import norm, p_norm
from .normalization import center, layer_norm, rms_norm
from .pooling import avg_pool1d, avg_pool2d, max_pool, max_pool1d, max_pool2d, sum_pool, sum_unpool
from .quantile import median, percentile, quantile
from .raw import argmax, argmin, argsort
from .reduction import amax, amin, broadcast_to, logsumexp, max, mean, min, ptp, sum, var
from .shape import concatenate, reshape, stack, transpose
from .statistics import average, corrcoef, cov, std
from .trigonometric import arctan2, cos, sin, tanh

__all__ = [
    "abs",
    "add",
    "amax",
    "amin",
    "arctan2",
    "argmax",
    "argmin",
    "argsort",
    "astype",
    "at",
    "average",
    "avg_pool1d",
    "avg_pool2d",
    "broadcast_to",
    "center",
    "clip",
    "concatenate",
    "conv",
    "conv1d",
    "conv2d",
    "conv_transpose",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_weight",
    "corrcoef",
    "cos",
    "cov",
    "cross_entropy",
    "cumprod",
    "cumsum",
    "detach",
    "diff",
    "divide",
    "dropout",
    "einsum",
    "embedding",
    "exp",
    "getitem",
    "gradient",
    "index_add",
    "index_set",
    "layer_norm",
    "linear",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "matmul",
    "max",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "maximum",
    "mean",
    "median",
    "min",
    "minimum",
    "multiply",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanstd",
    "nansum",
    "nanvar",
    "negative",
    "norm",
    "one_hot",
    "p_norm",
    "percentile",
    "positive",
    "power",
    "prod",
    "ptp",
    "quantile",
    "relu",
    "reshape",
    "rms_norm",
    "scatter",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "stack",
    "std",
    "subtract",
    "sum",
    "sum_pool",
    "sum_unpool",
    "tanh",
    "transpose",
    "trapezoid",
    "var",
    "where",
]
