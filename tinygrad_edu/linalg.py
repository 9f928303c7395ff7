"""Linear algebra under np.linalg's names: `from tinygrad_edu import linalg`, then linalg.solve(a, b).

Every function takes Values and arrays; stacks of matrices lie in the last two axes, as in np.linalg.
"""

from .ops.arrays.shape import matrix_transpose
from .ops.matrices.contraction import tensordot
from .ops.matrices.decomposition import QRResult, cholesky, qr
from .ops.matrices.determinant import SlogdetResult, det, slogdet
from .ops.matrices.eigenvalues import EighResult, eigh, eigvalsh
from .ops.matrices.inverses import inv, matrix_power, solve
from .ops.matrices.least_squares import lstsq, pinv
from .ops.matrices.norm import matrix_diagonal as diagonal
from .ops.matrices.norm import matrix_norm, norm, vector_norm
from .ops.matrices.norm import matrix_trace as trace
from .ops.matrices.products import matmul, multi_dot, outer
from .ops.matrices.singular_values import SVDResult, svd, svdvals
from .ops.matrices.vectors import cross, vecdot

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
