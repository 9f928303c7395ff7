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
from .cumulative import cumprod, cumsum, prod
from .difference import diff, gradient, trapezoid
from .exponential import exp, log, log1p
from .identity import astype, detach
from .indexing import at, getitem, index_add, index_set, scatter
from .linalg import einsum, matmul
from .nan import nanmax, nanmean, nanmin, nanstd, nansum, nanvar
from .neural import cross_entropy, linear, log_softmax, softmax
from .norm import norm, p_norm
from .quantile import median, percentile, quantile
from .raw import argmax, argmin, argsort
from .reduction import broadcast_to, logsumexp, max, mean, min, ptp, sum, var
from .shape import concatenate, reshape, stack, transpose
from .statistics import average, corrcoef, cov, std
from .trigonometric import arctan2, cos, sin, tanh

__all__ = [
    "abs",
    "add",
    "arctan2",
    "argmax",
    "argmin",
    "argsort",
    "astype",
    "at",
    "average",
    "broadcast_to",
    "clip",
    "concatenate",
    "corrcoef",
    "cos",
    "cov",
    "cross_entropy",
    "cumprod",
    "cumsum",
    "detach",
    "diff",
    "divide",
    "einsum",
    "exp",
    "getitem",
    "gradient",
    "index_add",
    "index_set",
    "linear",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "matmul",
    "max",
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
    "p_norm",
    "percentile",
    "positive",
    "power",
    "prod",
    "ptp",
    "quantile",
    "relu",
    "reshape",
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
    "tanh",
    "transpose",
    "trapezoid",
    "var",
    "where",
]
