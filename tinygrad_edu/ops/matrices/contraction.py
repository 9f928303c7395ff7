"""Sums of products over chosen axes: einsum by Einstein's convention; tensordot, dot and inner by matmul."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ...binding import Bound
from ...data import shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import ShapeError, UnsupportedError
from ...op import PRODUCT, rule
from ...signatures import Array, Plain
from ..arrays.axes import checked_axes
from ..arrays.shape import reshape, transpose
from ..numbers.arithmetic import multiply
from .products import matmul

__all__ = ["dot", "einsum", "inner", "tensordot"]

_SMALL = 2**16  # product of the operands' sizes up to which NumPy's plain loops take less time than a path to BLAS
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def explicit(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """Subscripts with ellipses and output written out: one word per operand, and the output's word."""
    words, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = words.split(",")
    if not arrow:
        letters = words.replace(",", "").replace(".", "")
        output = ("..." if "..." in words else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    free = "".join(c for c in LETTERS if c not in subscripts)
    hidden = [
        ndim - len(word.replace("...", "")) if "..." in word else 0 for word, ndim in zip(inputs, ndims, strict=True)
    ]
    longest = max(hidden)
    inputs = [word.replace("...", free[longest - n : longest]) for word, n in zip(inputs, hidden, strict=True)]
    return inputs, output.replace("...", free[:longest])


def _einsum_share(i: int, g: Any, operands: tuple[Any, ...], subscripts: str) -> Any:
    """The gradient for operand i: einsum of g with the other operands, onto the letters of operand i.

    A letter that only operand i has is broadcast by a factor of ones; a repeated letter becomes a diagonal through an identity
    matrix.
    """
    inputs, output = explicit(subscripts, [len(shape_of(x)) for x in operands])
    words = [output, *(w for j, w in enumerate(inputs) if j != i)]
    factors = [g, *(x for j, x in enumerate(operands) if j != i)]
    free = iter([c for c in LETTERS if c not in "".join(inputs)])
    target = ""
    for letter, size in zip(inputs[i], shape_of(operands[i]), strict=True):
        if letter in target:
            twin = next(free)
            words.append(letter + twin)
            factors.append(np.eye(size, dtype=operands[i].dtype))
            target += twin
        else:
            if not any(letter in word for word in words):
                words.append(letter)
                factors.append(np.ones(size, operands[i].dtype))
            target += letter
    return einsum(",".join(words) + "->" + target, *factors)


def _einsum_call(subscripts: str, *operands: Any) -> Bound:
    if not isinstance(subscripts, str):
        got = type(subscripts).__name__
        raise UnsupportedError(f"got subscripts of type {got}, expected text before the operands: 'ij,jk->ik'")
    return operands, {"subscripts": subscripts}


def _contractions(shape: Shape) -> Iterator[Sample]:
    n = shape[0] if shape else 2
    for subscripts, *shapes in (
        ("ij,jk->ik", (n, 3), (3, 2)),
        ("ij,jk", (n, 3), (3, 2)),
        ("i,i->", (n,), (n,)),
        ("ij->", (n, 3)),
        ("ij->ji", (n, 3)),
        ("ii->i", (n, n)),
        ("ii", (n, n)),
        ("i,j,k->kji", (n,), (3,), (2,)),
        ("...ij,...jk->...ik", (2, 1, n, 3), (4, 3, 2)),
        ("bi,ij,bj->b", (2, n), (n, 3), (2, 3)),
        ("i->i", (n,)),
    ):
        yield Sample(tuple(shapes), {"subscripts": subscripts})


@operation(
    accumulates=True,
    symbol="einsum",
    analytic=True,
    call=_einsum_call,
    slices=PRODUCT,
    samples=_contractions,
    numpy=np.einsum,
    shares=rule(
        lambda g, y, *operands, subscripts: [
            partial(_einsum_share, i, g, operands, subscripts) for i in range(len(operands))
        ],
        says="einsum of g with the other operands, onto its own letters",
    ),
)
def einsum(*operands: Array, subscripts: str) -> Plain:
    """Sum of products by Einstein's convention: einsum("ij,jk->ik", a, b); also repeated letters, implicit output and "...".

    Raises ShapeError if the subscripts do not fit the operands.
    """
    named = subscripts.count(",") + 1
    if named != len(operands):
        raise ShapeError(f"got {len(operands)}, expected {named} operands for {subscripts!r}")
    size = prod(map(np.size, operands))
    if not size:
        _check_diagonals(subscripts, operands)
    return np.einsum(subscripts, *operands, optimize=size > _SMALL)


def _check_diagonals(subscripts: str, operands: tuple[Array, ...]) -> None:
    """Raise ShapeError if a letter occurs twice in an operand with different sizes, which NumPy overlooks if one is 0."""
    words, _ = explicit(subscripts, [np.ndim(x) for x in operands])
    for word, x in zip(words, operands, strict=True):
        sizes = dict(zip(word, np.shape(x), strict=False))
        if any(sizes[letter] != n for letter, n in zip(word, np.shape(x), strict=False)):
            raise ShapeError(
                f"got an operand of shape {np.shape(x)} for {word!r}, expected equal sizes for equal letters"
            )


def _contracted(shape: Shape) -> Iterator[Sample]:
    last = len(shape) - 1
    yield Sample((shape, (2,)), {"axes": 0})
    if shape:
        yield Sample((shape, (shape[-1], 2)), {"axes": 1})
        yield Sample((shape, (2, shape[0])), {"axes": (0, -1)})
    if last > 0:
        yield Sample((shape, (*shape[-2:], 2)))
        yield Sample((shape, (2, shape[0], shape[last])), {"axes": ([last, 0], [2, 1])})


@derived(symbol="Σ⊗", samples=_contracted, also=(np.linalg.tensordot,))
def tensordot(a: Array, b: Array, /, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2) -> Plain:
    """Products of a and b, summed over pairs of axes: the other axes of a, then those of b, remain.

    Args:
        a, b: arrays.
        axes: the number of last axes of a to pair with the first axes of b; or a pair (axes of a, axes of b), each an integer
            or a list of integers.

    Raises ShapeError if axes do not exist or differ in size.
    """
    meeting = _meeting(shape_of(a), shape_of(b), axes)
    free = [[i for i in range(len(shape_of(x))) if i not in m] for x, m in zip((a, b), meeting, strict=True)]
    left, right = [tuple([shape_of(x)[i] for i in kept]) for x, kept in zip((a, b), free, strict=True)]
    summed = prod([shape_of(a)[i] for i in meeting[0]])
    rows_of_a = _laid_out(a, (*free[0], *meeting[0]), (prod(left), summed))
    columns_of_b = _laid_out(b, (*meeting[1], *free[1]), (summed, prod(right)))
    return reshape(matmul(rows_of_a, columns_of_b), left + right)


def _laid_out(x: Any, order: Shape, shape: Shape) -> Any:
    """x transposed to an order of axes, then reshaped; each step only if it changes x."""
    x = x if order == tuple(range(len(order))) else transpose(x, order)
    return x if shape_of(x) == shape else reshape(x, shape)


def _meeting(a: Shape, b: Shape, axes: Any) -> tuple[Shape, Shape]:
    """The axes of each operand that are summed over, as non-negative numbers."""
    try:
        on_a, on_b = (range(len(a) - axes, len(a)), range(axes)) if isinstance(axes, (int, np.integer)) else axes
        left, right = checked_axes(a, on_a), checked_axes(b, on_b)
    except (TypeError, ValueError):
        expected = "expected a number of axes, or a pair of axes or lists of axes"
        raise ShapeError(f"axes={axes!r} do not fit shapes {a} and {b}; {expected}") from None
    if [a[i] for i in left] != [b[i] for i in right]:
        raise ShapeError(f"axes {left} of {a} and {right} of {b} differ in size; name axes of equal sizes")
    return left, right


def _pairs(shape: Shape) -> Iterator[Sample]:
    """Every pairing of a scalar, vectors, matrices and stacks for dot: the last axis pairs with the second-to-last."""
    yield Sample(((), shape))
    yield Sample((shape, ()))
    if shape:
        n = shape[-1]
        for right in ((n,), (n, 2), (2, n, 1)):
            yield Sample((shape, right))


@derived(symbol="·", samples=_pairs)
def dot(a: Array, b: Array, /) -> Plain:
    """Sum over the last axis of a and the second-to-last of b: (..., n) and (*stack, n, m) -> (..., *stack, m).

    The product of scalars, the inner product of vectors, the matrix product. Stacks are combined in every pairing of their
    matrices, while matmul broadcasts them. Raises ShapeError if the sizes differ.
    """
    if not shape_of(a) or not shape_of(b):
        return multiply(a, b)
    if len(shape_of(a)) > 1 and len(shape_of(b)) > 2:
        return tensordot(a, b, (-1, -2))
    return matmul(a, b)


def _facing(shape: Shape) -> Iterator[Sample]:
    yield Sample(((), shape))
    if shape:
        n = shape[-1]
        yield from (Sample((shape, right)) for right in ((n,), (2, n), (2, 1, n)))


@derived(symbol="·", samples=_facing)
def inner(a: Array, b: Array, /) -> Plain:
    """Inner products over the last axes of both: (*left, n) and (*right, n) -> (*left, *right). Scalars multiply.

    Raises ShapeError if the sizes differ.
    """
    if not shape_of(a) or not shape_of(b):
        return multiply(a, b)
    return tensordot(a, b, (-1, -1))
