"""Operations of neural networks that are fused for speed or numerical stability."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...binding import named
from ...data import shape_of, to_floating
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import ShapeError, TinygradError
from ...op import AXIS, PRODUCT, rule
from ...randomness import generator
from ...signatures import Array, Plain
from ..arrays.axes import along_each_axis, checked_axis, integers
from ..arrays.indexing import getitem
from ..arrays.reduction import sum
from ..matrices.products import rows
from ..numbers.exponential import exp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = ["cross_entropy", "dropout", "embedding", "linear", "log_softmax", "one_hot", "softmax"]


def _with_numbers(shape: Shape) -> Iterator[Sample]:
    return along_each_axis(shape) if all(shape) else iter(())


def _shifted(x: Array, axis: int) -> Any:
    """x minus its maximum along the axis: the same softmax, and e**x cannot overflow."""
    x = to_floating(x)
    if not shape_of(x)[checked_axis(shape_of(x), axis)]:
        raise ShapeError(f"axis {axis} of shape {shape_of(x)} is empty, expected at least one number")
    return x - np.maximum.reduce(x, axis=axis, keepdims=True)


@operation(
    accumulates=True,
    slices=AXIS,
    samples=_with_numbers,
    numpy=lambda x, axis: np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True),
    rules=(lambda g, y, x, axis: y * (g - sum(g * y, axis=axis, keepdims=True)),),
)
def softmax(x: Array, /, axis: int = -1) -> Plain:
    """e**x / Σ e**x along an axis; each slice sums to 1. Raises ShapeError for an empty or missing axis."""
    y = np.exp(_shifted(x, axis))
    y /= np.add.reduce(y, axis=axis, keepdims=True)
    return y


@operation(
    accumulates=True,
    slices=AXIS,
    samples=_with_numbers,
    numpy=lambda x, axis: np.log(np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)),
    rules=(lambda g, y, x, axis: g - exp(y) * sum(g, axis=axis, keepdims=True),),
)
def log_softmax(x: Array, /, axis: int = -1) -> Plain:
    """ln softmax(x) along an axis, accurate where softmax underflows. Raises ShapeError as softmax does."""
    shifted = _shifted(x, axis)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


@operation(
    symbol="xWᵀ + b",
    slices=PRODUCT,
    samples=lambda shape: [Sample((shape, (2, shape[-1]), (2,)))] if shape else [],
    numpy=lambda x, weight, bias: x @ weight.T + bias,
    rules=(
        lambda g, y, x, weight, bias: g @ weight,
        lambda g, y, x, weight, bias: (rows(x).mT @ rows(g)).mT,
        rule(lambda g, y, x, weight, bias: g, says="g, summed over rows"),
    ),
)
def linear(x: Array, weight: Array, bias: Array, /) -> Plain:
    """Affine map of a layer, x @ weight.T + bias: (..., in), (out, in), (out,) -> (..., out).

    Fused to save two nodes per layer. Fastest with a weight in Fortran order, whose transpose BLAS reads row by row; the
    gradient has that order too. Raises ShapeError if the sizes do not fit.
    """
    if not shape_of(x) or len(shape_of(weight)) != 2 or shape_of(x)[-1] != shape_of(weight)[1]:
        raise ShapeError(
            f"got an input of shape {shape_of(x)} and a weight of shape {shape_of(weight)}, "
            "expected (..., in) and (out, in); reshape the input, or build the layer with in = the input's last size"
        )
    y: Plain = np.matmul(x, weight.T)
    if y.ndim and getattr(bias, "dtype", y.dtype) == y.dtype and y.dtype.kind == "f":
        y += bias  # in place: y is new
        return y
    moved: Plain = y + bias
    if shape_of(moved) != shape_of(y):
        raise ShapeError(
            f"got a bias of shape {shape_of(bias)}, expected one number per output, {shape_of(weight)[:1]}"
        )
    return moved


def _labelled(shape: Shape) -> Iterator[Sample]:
    if len(shape) == 2 and all(shape):
        yield Sample((shape,), {"labels": np.arange(shape[0]) % shape[1]})


def _checked_labels(x: Array, labels: Any) -> Any:
    """The labels as an array of integers that fit the logits x."""
    classes = integers("labels", labels)
    if np.ndim(x) != 2 or classes.shape != x.shape[:1] or not classes.size:
        raise ShapeError(
            f"got logits {np.shape(x)} and labels {classes.shape}, expected (batch, classes) and (batch,), at least one"
        )
    if classes.min() < 0 or classes.max() >= x.shape[1]:
        got = f"labels from {classes.min()} to {classes.max()}"
        raise ShapeError(f"got {got}, expected 0 to {x.shape[1] - 1} for logits of shape {x.shape}")
    return classes


@operation(
    accumulates=True,
    symbol="CE",
    slices="->",
    samples=_labelled,
    numpy=lambda x, labels: (
        -np.mean(np.log(np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True))[range(len(x)), labels])
    ),
    rules=(
        rule(
            lambda g, y, x, labels: (
                (softmax(x) - (np.reshape(labels, (-1, 1)) == np.arange(x.shape[1]))) * (g / len(labels))
            ),
            says="(softmax(x) - one-hot) g / batch",
        ),
    ),
)
def cross_entropy(x: Array, /, labels: NDArray[np.integer]) -> Plain:
    """Mean of -ln softmax(x)[label] over rows: logits (batch, classes) and integer labels (batch,) -> scalar.

    Fused because its gradient is then one subtraction; log_softmax, indexing and mean take twice the time.

    Raises:
        ShapeError: if the shapes do not match, the batch is empty, or a label is out of range.
        DTypeError: if the labels are not integers.
    """
    labels = _checked_labels(x, labels)
    shifted = _shifted(x, 1)
    chosen = shifted[np.arange(len(labels)), labels]
    return np.add.reduce(np.log(np.add.reduce(np.exp(shifted), axis=1)) - chosen) / len(labels)


def _choices(shape: Shape) -> Iterator[Sample]:
    yield Sample((shape,), {"rng": 3})
    yield Sample((shape,), {"p": 0.25, "rng": 1})
    yield Sample((shape,), {"p": 1.0, "rng": 0})
    yield Sample((shape,), {"p": 0.0})
    yield Sample((shape,), {"training": False})


def _formula(x: Any, p: float = 0.5, rng: Any = None, training: bool = True) -> Any:
    if not training or not p:
        return x
    keep = np.random.default_rng(rng).random(np.shape(x), np.float32) >= p
    return x * 0.0 if p == 1 else x * keep / (1 - p)


@derived(samples=_choices, numpy=_formula)
def dropout(x: Array, /, p: float = 0.5, rng: np.random.Generator | int | None = None, training: bool = True) -> Plain:
    """Each element of x is set to 0 with probability p, else divided by 1 - p, which keeps the mean. x itself if not training.

    Args:
        rng: the source of randomness: a generator, which is advanced, or a seed.

    Raises TinygradError without rng, and for p outside 0 to 1. See Srivastava et al., "Dropout" (2014).
    """
    if not isinstance(p, (int, float, np.number)) or not 0 <= p <= 1:
        raise TinygradError(f"got p={p!r}, expected a probability from 0 to 1")
    if not training or not p:
        return x
    if rng is None:
        raise TinygradError("rng is missing; pass rng=np.random.default_rng(seed), or training=False")
    keep = generator(rng).random(shape_of(x), np.float32) >= p
    x = to_floating(x)
    scale = np.multiply(keep, 1 / (1 - p) if p < 1 else 0.0, dtype=getattr(x, "dtype", float))
    return x * (scale if shape_of(x) else scale.item())


def _lookups(shape: Shape) -> Iterator[Sample]:
    if len(shape) == 2 and shape[0]:
        last = shape[0] - 1
        for indices in (last, [0, last, 0], np.array([[last], [last]]), np.zeros((0,), int)):
            yield Sample((shape,), {"indices": indices})


@derived(samples=_lookups, numpy=lambda weight, indices: weight[np.asarray(indices)])
def embedding(weight: Array, /, indices: ArrayLike) -> Plain:
    """Rows of a table: weight (count, size), integers (...) -> (..., size). Gradients of repeated rows add up.

    Raises:
        ShapeError: if the weight is not a matrix.
        DTypeError: if the indices are not plain integers.
        IndexError: if an index is outside 0 to count - 1.
    """
    if len(shape_of(weight)) != 2:
        raise ShapeError(f"got a weight of shape {shape_of(weight)}, expected (count, size), one row per index")
    return getitem(weight, integers("indices", indices, shape_of(weight)[0]))


@named("one_hot")
def one_hot(labels: ArrayLike, num_classes: int | None = None, dtype: DTypeLike = float) -> Array:
    """Rows of 0 with 1 at the label: integers (...) -> (..., num_classes), plain numbers.

    num_classes defaults to the largest label plus one. Raises DTypeError and IndexError as embedding does.
    """
    if num_classes is None:
        num_classes = int(np.max(integers("labels", labels), initial=-1)) + 1
    classes = integers("labels", labels, num_classes)
    return np.asarray(classes[..., None] == np.arange(num_classes)).astype(dtype)
