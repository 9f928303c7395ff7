"""For benchmarks.per_op: calls of about n x n numbers where an op's own samples are of fixed sizes; why some take long."""

from __future__ import annotations

from typing import Any

import numpy as np

Call = tuple[tuple[Any, ...], dict[str, Any]]


def cases(n: int) -> dict[str, Call]:
    """Inputs and parameters by op."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, n, n))
    regular = x / (2 * np.sqrt(n)) + np.eye(n)  # whose determinant does not overflow
    positive = x @ x.T + n * np.eye(n)
    rows, others = rng.standard_normal((2, n * n // 3, 3))
    image, line = x[None, None], x[None]
    kernel, row = rng.standard_normal((1, 1, 3, 3)), rng.standard_normal((n, n, 3)) / n
    square = {name: ((regular,), {}) for name in ("inv", "det", "cofactor", "slogdet", "packed_slogdet")}
    symmetric = {name: ((positive,), {}) for name in ("cholesky", "eigvalsh", "packed_eigh")}
    pools = {name: ((image,), {"kernel_size": 2}) for name in ("max_pool2d", "avg_pool2d")}
    pools |= {name: ((line,), {"kernel_size": 2}) for name in ("max_pool1d", "avg_pool1d")}
    mixed: dict[str, Call] = {
        "solve": ((regular, y), {}),
        "matrix_power": ((regular,), {"n": 3}),
        "cross": ((rows, others), {}),
        "conv2d": ((image, kernel), {"padding": 1}),
        "conv1d": ((line, row), {"padding": 1}),
        "conv_transpose2d": ((image, kernel), {"padding": 1}),
        "conv_transpose1d": ((line, row), {"padding": 1}),
        "unfold": ((image,), {"kernel_size": 3, "padding": 1}),
        "fold": ((rng.standard_normal((1, 9, n * n)),), {"output_size": (n, n), "kernel_size": 3, "padding": 1}),
        "dsplit": ((np.stack([x, y], axis=-1),), {"indices_or_sections": 2}),
        "einsum": ((x, y), {"subscripts": "ij,jk->ik"}),
        "matmul": ((x, y), {}),
        "norm": ((x,), {}),
    }
    return square | symmetric | pools | mixed


_TWO = "the gradients of two inputs and g itself, each as large as the result: memory is the bound"
_CHEAP = "the forward is among the cheapest there is; the gradient reads g, x and y, and writes as much"
_JOINED = "the parts are copied out of g, one by one"
REASONS = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide"), _TWO),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), _TWO + "; two comparisons for each, to find ties"),
    **dict.fromkeys(("negative", "abs", "square", "clip", "positive"), _CHEAP),
    **dict.fromkeys(
        ("max", "min", "ptp"), "comparing, counting ties and writing a whole array, where the forward writes one number"
    ),
    **dict.fromkeys(("hstack", "vstack", "column_stack", "concatenate", "dstack", "append"), _JOINED),
    "arctan2": "a hypot and four divisions for numbers of any size; NumPy's arctan2 is no dearer than one hypot",
    "arcsinh": "a hypot, which takes longer than NumPy's arcsinh",
    "cumprod": "checks for zeros, then a running sum backwards and two more passes",
    "dot": "two products of matrices, where the forward is one",
    "inner": "two products of matrices, where the forward is one",
    "cholesky": "two solves of a full matrix, n³ each, where the forward is n³/3",
    "dsplit": _JOINED + ", along the last axis",
    "flatten": "the forward is a view, where NumPy's is a copy",
    "index_multiply": "products of all factors but one, which must be right at zeros",
    "tile": "a sum over the copies",
    "diff": "the forward is one subtraction of views; the gradient writes two padded arrays and adds them",
    "cumulative_prod": "as cumprod",
    "block": "the parts are copied out of g, block by block",
    **dict.fromkeys(("matvec", "vecmat"), "an outer product for the matrix, where the forward reads it once"),
    "cofactor": "it is the gradient of det, so this is det's second derivative",
    "max_pool1d": "finds the place of each largest number, and scatters",
    "index_max": "finding which of the numbers won, with ties among repeats",
    "index_min": "finding which of the numbers won, with ties among repeats",
    "unstack": "each part's gradient is an array of the whole size; stack them, or slice, where that matters",
    "embedding": "the forward reads a few rows; the gradient is a whole table",
}
VIEW = "the forward is a view, which moves no numbers; the gradient is an array"
FORWARD = {
    **dict.fromkeys(("nanmedian", "nanquantile", "nanpercentile"), "counts and moves NaN aside along each axis"),
    "interp": "finds the segments, then weighs both ends, which gradient flows to; NumPy does both in C",
    **dict.fromkeys(("nanmax", "nanmin"), "a pass to replace NaN, where NumPy's fmax skips it"),
    "logit": "two logarithms, exact near 1/2 and at both ends; the formula beside it is neither",
    "hardtanh": "two passes, where np.clip makes one; on (8, 8) np.clip takes longer",
    "tensordot": "reshaped to a product of matrices, of which little is left to do",
    "delete": "reads what stays, by places",
    "resize": "reads by places",
    "logsumexp": "keeps the digits that the largest term would hide",
    "gradient": "differences and both ends are joined, where NumPy writes in place",
    "eigvalsh": "computes the eigenvectors too, which its gradient needs",
}
