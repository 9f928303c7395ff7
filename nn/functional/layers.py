"""Layers as functions: linear, embedding and dropout."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tinygrad_edu as engine
from tinygrad_edu import ShapeError, detach, moveaxis, reshape, sum, where

from ..checks import INTEGER, Probability, checked, explaining, generator, is_integer, plain_array, shown


@explaining
def dropout(
    input: Any, p: Probability = 0.5, training: bool = True, *, rng: np.random.Generator | int | None = None
) -> Any:
    """Each number becomes 0 with probability p, and is otherwise divided by 1 - p, which keeps the mean.

    Args:
        input: any shape.
        p: probability, from 0 to 1.
        training: False for the input itself.
        rng: random generator, or a seed for one; unseeded if None.

    Raises TinygradError for any other p. See Srivastava et al., "Dropout" (2014).
    """
    return engine.dropout(input, p=p, rng=_unseeded() if rng is None else generator("dropout", rng), training=training)


@cache
def _unseeded() -> np.random.Generator:
    """One generator for all calls without rng=, so that `checkpoint` can repeat their masks."""
    return np.random.default_rng()


@explaining
def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Rows of a table: integers (...), (count, size) -> (..., size). Gradients of repeated rows add up.

    Args:
        input: integers from 0 to count - 1.
        weight: the table.
        padding_idx: a row that gets no gradient, or None. Negative ones count from the end.

    Raises:
        ShapeError: if the weight is not a matrix, or padding_idx is not one of its rows.
        DTypeError: for an input that is not of integers.
        IndexError: for an integer without a row.
    """
    rows = engine.embedding(weight, input)
    if padding_idx is None:
        return rows
    nothing = np.asarray(input)[..., None] == padding_row("embedding", padding_idx, np.shape(weight)[0])
    return where(nothing, detach(rows), rows)  # the same numbers; gradient flows to the others only


def padding_row(name: str, padding_idx: int, count: int) -> int:
    """The row from 0 on that padding_idx means. Raises ShapeError, in the name of a layer, if there is none."""
    if not is_integer(padding_idx) or not -count <= padding_idx < count:
        raise ShapeError(
            f"{name}: got padding_idx={shown(padding_idx)}, expected an integer from {-count} to {count - 1}"
        )
    return padding_idx % count


@explaining
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x @ weight.T + bias: (..., in), (out, in), (out,) -> (..., out). Raises ShapeError if the last axis of x does not fit."""
    return engine.linear(input, weight, 0.0 if bias is None else bias)


@explaining
def one_hot(tensor: Any, num_classes: int = -1) -> NDArray[np.integer[Any]]:
    """Rows of 0 with 1 at the label: integers (...) -> integers (..., num_classes).

    num_classes is the largest label plus one if -1. Raises DTypeError for labels that are not integers, IndexError for one that
    is negative or too large, ShapeError for -1 without labels.
    """
    inferred = checked("one_hot", "num_classes", num_classes, INTEGER) == -1
    if inferred and not np.size(tensor):
        raise ShapeError("one_hot: got no labels, expected at least one, or num_classes")
    return engine.one_hot(tensor, num_classes=None if inferred else num_classes, dtype=int)


@explaining
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y_o = input1 · W_o · input2 + bias_o: (..., in1), (..., in2), (out, in1, in2), (out,) -> (..., out).

    Raises ShapeError if shapes do not fit.
    """
    x1, x2 = plain_array("bilinear", "input1", input1), plain_array("bilinear", "input2", input2)
    shape = np.shape(weight)
    if (
        not x1.ndim
        or len(shape) != 3
        or x1.shape[:-1] != x2.shape[:-1]
        or (x1.shape[-1:], x2.shape[-1:]) != (shape[1:2], shape[2:])
    ):
        got = f"inputs of shape {x1.shape} and {x2.shape} and a weight of shape {shape}"
        raise ShapeError(f"bilinear: got {got}, expected (..., in1), (..., in2) and (out, in1, in2)")
    if bias is not None and np.shape(bias) != shape[:1]:
        raise ShapeError(f"bilinear: got a bias of shape {np.shape(bias)}, expected {shape[:1]}")
    out, in1, in2 = shape
    rows = engine.linear(
        x1, reshape(moveaxis(weight, 1, 2), (out * in2, in1)), 0.0
    )  # (..., out * in2), one BLAS product
    y = sum(reshape(rows, (*x1.shape[:-1], out, in2)) * x2[..., None, :], axis=-1)
    return y if bias is None else y + bias
