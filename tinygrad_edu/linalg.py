"""Linear algebra under np.linalg's names: `from tinygrad_edu import linalg`, then linalg.solve(a, b).

Every function takes Values and arrays, and stacks of matrices in the last two axes of an array, as np.linalg's do.
"""

from .ops import (
    cholesky,
    cross,
    det,
    eigh,
    eigvalsh,
    inv,
    lstsq,
    matmul,
    matrix_norm,
    matrix_power,
    matrix_transpose,
    multi_dot,
    norm,
    outer,
    pinv,
    qr,
    slogdet,
    solve,
    svd,
    svdvals,
    tensordot,
    vecdot,
    vector_norm,
)
from .ops import matrix_diagonal as diagonal
from .ops import matrix_trace as trace
from .ops.decomposition import QRResult
from .ops.determinant import SlogdetResult
from .ops.eigenvalues import EighResult
from .ops.singular_values import SVDResult

__all__ = [
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
