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
from .exponential import exp, log, log1p
from .identity import astype, detach
from .indexing import at, getitem, index_add, index_set, scatter
from .linalg import einsum, matmul
from .neural import cross_entropy, linear, log_softmax, softmax
from .reduction import broadcast_to, logsumexp, max, mean, min, norm, sum, var
from .shape import concatenate, reshape, stack, transpose
from .trigonometric import arctan2, cos, sin, tanh

__all__ = [
    "abs",
    "add",
    "arctan2",
    "astype",
    "at",
    "broadcast_to",
    "clip",
    "concatenate",
    "cos",
    "cross_entropy",
    "detach",
    "divide",
    "einsum",
    "exp",
    "getitem",
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
    "min",
    "minimum",
    "multiply",
    "negative",
    "norm",
    "positive",
    "power",
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
    "subtract",
    "sum",
    "tanh",
    "transpose",
    "var",
    "where",
]
