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
    power,
    sign,
    sqrt,
    square,
    subtract,
    where,
)
from .contraction import dot, einsum, inner, tensordot
from .decomposition import cholesky, qr
from .determinant import cofactor, det, slogdet
from .eigenvalues import eigh, eigvalsh
from .exponential import exp, log, log1p
from .identity import astype, detach
from .indexing import at, getitem, index_add, index_set, scatter
from .least_squares import least_squares, lstsq, pinv
from .linalg import inv, matrix_power, solve
from .neural import cross_entropy, linear, log_softmax, softmax
from .products import cross, kron, matmul, multi_dot, outer, vdot, vecdot
from .reduction import broadcast_to, logsumexp, max, mean, min, norm, sum, var
from .shape import concatenate, reshape, stack, transpose
from .singular_values import svd, svdvals
from .trigonometric import arctan2, cos, sin, tanh

__all__ = [
    "abs",
    "add",
    "arctan2",
    "astype",
    "at",
    "broadcast_to",
    "cholesky",
    "clip",
    "cofactor",
    "concatenate",
    "cos",
    "cross",
    "cross_entropy",
    "det",
    "detach",
    "divide",
    "dot",
    "eigh",
    "eigvalsh",
    "einsum",
    "exp",
    "getitem",
    "index_add",
    "index_set",
    "inner",
    "inv",
    "kron",
    "least_squares",
    "linear",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "lstsq",
    "matmul",
    "matrix_power",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "multi_dot",
    "multiply",
    "negative",
    "norm",
    "outer",
    "pinv",
    "power",
    "qr",
    "relu",
    "reshape",
    "scatter",
    "sigmoid",
    "sign",
    "sin",
    "slogdet",
    "softmax",
    "softplus",
    "solve",
    "sqrt",
    "square",
    "stack",
    "subtract",
    "sum",
    "svd",
    "svdvals",
    "tanh",
    "tensordot",
    "transpose",
    "var",
    "vdot",
    "vecdot",
    "where",
]
