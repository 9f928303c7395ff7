"""What neural networks need fused, for speed or for stability."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import floating, shape_of
from ..domain import Sample, Shape
from ..errors import ShapeError
from ..op import rule
from ..registry import operation
from ..signatures import Array, Plain
from .axes import along_each_axis, checked_axis
from .exponential import exp
from .integers import integers
from .products import rows
from .reduction import sum


def _with_numbers(shape: Shape) -> Iterator[Sample]:
    return along_each_axis(shape) if all(shape) else iter(())


def _shifted(name: str, x: Array, axis: int) -> Any:
    """x less its largest along the axis: the same softmax, and e**x cannot overflow."""
    x = floating(x)
    if not shape_of(x)[checked_axis(name, shape_of(x), axis)]:
        raise ShapeError(f"{name}: got nothing along axis {axis} of shape {shape_of(x)}, expected at least one number")
    return x - np.maximum.reduce(x, axis=axis, keepdims=True)


@operation(
    samples=_with_numbers,
    numpy=lambda x, axis: np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True),
    rules=(rule("y (g - Σ g y)", lambda g, y, x, axis: y * (g - sum(g * y, axis=axis, keepdims=True))),),
)
def softmax(x: Array, axis: int = -1) -> Plain:
    """e**x / Σ e**x along an axis of at least one number; each slice sums to 1. Raises ShapeError for any other axis."""
    y = np.exp(_shifted("softmax", x, axis))
    y /= np.add.reduce(y, axis=axis, keepdims=True)
    return y


@operation(
    samples=_with_numbers,
    numpy=lambda x, axis: np.log(np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)),
    rules=(rule("g - e^y Σ g", lambda g, y, x, axis: g - exp(y) * sum(g, axis=axis, keepdims=True)),),
)
def log_softmax(x: Array, axis: int = -1) -> Plain:
    """ln softmax(x) along an axis, exact where softmax would underflow. Raises ShapeError as softmax does."""
    shifted = _shifted("log_softmax", x, axis)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


@operation(
    symbol="xWᵀ + b",
    samples=lambda shape: [Sample((shape, (2, shape[-1]), (2,)))] if shape else [],
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
    comes in that order too. Raises ShapeError where the sizes do not fit.
    """
    if not shape_of(x) or len(shape_of(weight)) != 2 or shape_of(x)[-1] != shape_of(weight)[1]:
        raise ShapeError(
            f"linear: got an input of shape {shape_of(x)} and a weight of shape {shape_of(weight)}, "
            "expected (..., in) and (out, in); reshape the input, or build the layer for its last size"
        )
    y: Plain = np.matmul(x, weight.T)
    if y.ndim and getattr(bias, "dtype", y.dtype) == y.dtype and y.dtype.kind == "f":
        y += bias  # in place: y is new
        return y
    return y + bias


def _labelled(shape: Shape) -> Iterator[Sample]:
    if len(shape) == 2 and all(shape):
        yield Sample((shape,), {"labels": np.arange(shape[0]) % shape[1]})


def _checked_labels(x: Array, labels: Any) -> Any:
    """The labels as an array of integers that fit the logits x."""
    classes = integers("cross_entropy", "labels", labels)
    if np.ndim(x) != 2 or classes.shape != x.shape[:1] or not classes.size:
        raise ShapeError(
            f"cross_entropy: got logits {np.shape(x)} and labels {classes.shape}, "
            "expected (batch, classes) and (batch,), at least one"
        )
    if classes.min() < 0 or classes.max() >= x.shape[1]:
        got = f"labels from {classes.min()} to {classes.max()}"
        raise ShapeError(f"cross_entropy: got {got}, expected 0 to {x.shape[1] - 1} for logits of shape {x.shape}")
    return classes


@operation(
    symbol="CE",
    samples=_labelled,
    numpy=lambda x, labels: (
        -np.mean(np.log(np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True))[range(len(x)), labels])
    ),
    rules=(
        rule(
            "(softmax(x) - one-hot) g / batch",
            lambda g, y, x, labels: (
                (softmax(x) - (np.reshape(labels, (-1, 1)) == np.arange(x.shape[1]))) * (g / len(labels))
            ),
        ),
    ),
)
def cross_entropy(x: Array, labels: NDArray[np.integer]) -> Plain:
    """Mean of -ln softmax(x)[label] over rows: logits (batch, classes) and integer labels (batch,) -> scalar.

    Fused because its gradient is then one subtraction: log_softmax, indexing and mean took twice the time.

    Raises:
        ShapeError: if the shapes do not match, the batch is empty, or a label is out of range.
        DTypeError: if the labels are not integers.
    """
    labels = _checked_labels(x, labels)
    shifted = _shifted("cross_entropy", x, 1)
    chosen = shifted[np.arange(len(labels)), labels]
    return np.add.reduce(np.log(np.add.reduce(np.exp(shifted), axis=1)) - chosen) / len(labels)
