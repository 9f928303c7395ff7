"""What neural networks need fused, for speed or for stability."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domain import Sample
from ..op import rule
from ..registry import operation
from ..signatures import Array, Plain, Shape
from .exponential import exp
from .linalg import rows
from .reduction import sum


def _each_axis(shape: Shape) -> Iterator[Sample]:
    return (Sample((shape,), {"axis": axis}) for axis in range(-1, len(shape)) if shape and all(shape))


def _shifted(x: Array, axis: int) -> Any:
    """x less its largest along the axis: the same softmax, and e**x cannot overflow."""
    return x - np.maximum.reduce(x, axis=axis, keepdims=True)


@operation(
    samples=_each_axis,
    numpy=lambda x, axis: np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True),
    rules=(rule("y (g - Σ g y)", lambda g, y, x, axis: y * (g - sum(g * y, axis=axis, keepdims=True))),),
)
def softmax(x: Array, axis: int = -1) -> Plain:
    """e**x / Σ e**x along an axis of at least one number; each slice sums to 1."""
    y = np.exp(_shifted(x, axis))
    y /= np.add.reduce(y, axis=axis, keepdims=True)
    return y


@operation(
    samples=_each_axis,
    numpy=lambda x, axis: np.log(np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)),
    rules=(rule("g - e^y Σ g", lambda g, y, x, axis: g - exp(y) * sum(g, axis=axis, keepdims=True)),),
)
def log_softmax(x: Array, axis: int = -1) -> Plain:
    """ln softmax(x) along an axis, exact where softmax would underflow."""
    shifted = _shifted(x, axis)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


@operation(
    symbol="xWᵀ + b",
    samples=lambda shape: [Sample((shape, (2, shape[-1]), (2,)), {})] if shape else [],
    numpy=lambda x, weight, bias: x @ weight.T + bias,
    rules=(
        rule("g @ W", lambda g, y, x, weight, bias: g @ weight),
        rule("(xᵀ @ g)ᵀ", lambda g, y, x, weight, bias: (rows(x).mT @ rows(g)).mT),
        rule("g, summed over rows", lambda g, y, x, weight, bias: g),
    ),
)
def linear(x: Array, weight: Array, bias: Array) -> Plain:
    """A layer's affine map x @ weight.T + bias: (..., in), (out, in), (out,) -> (..., out).

    Fused to save two nodes a layer. Fastest with a weight in Fortran order, whose transpose BLAS reads row by row; its gradient
    comes in that order too.
    """
    y: Plain = np.matmul(x, weight.T)
    y += bias
    return y


def _labelled(shape: Shape) -> Iterator[Sample]:
    if len(shape) == 2 and all(shape):
        yield Sample((shape,), {"labels": np.arange(shape[0]) % shape[1]})


@operation(
    symbol="CE",
    samples=_labelled,
    numpy=lambda x, labels: (
        -np.mean(np.log(np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True))[range(len(x)), labels])
    ),
    rules=(
        rule(
            "(softmax(x) - one-hot) g / batch",
            lambda g, y, x, labels: (softmax(x) - (labels[:, None] == np.arange(x.shape[1]))) * (g / len(labels)),
        ),
    ),
)
def cross_entropy(x: Array, labels: NDArray[np.integer]) -> Plain:
    """Mean of -ln softmax(x)[label] over rows: logits (batch, classes) and integer labels (batch,) -> scalar.

    Fused because its gradient is then one subtraction: log_softmax, indexing and mean took twice the time.
    """
    shifted = _shifted(x, 1)
    chosen = shifted[np.arange(len(labels)), labels]
    return (np.log(np.add.reduce(np.exp(shifted), axis=1)) - chosen).mean()
