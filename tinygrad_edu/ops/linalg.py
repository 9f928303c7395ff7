"""Linear algebra: products of vectors and matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import Sample, Shape
from ..errors import ShapeError
from ..op import rule
from ..registry import operation
from ..signatures import Array, Plain


def _products(shape: Shape) -> Iterator[Sample]:
    """Every pairing of vectors, matrices and stacks whose left operand has this shape."""
    if shape:
        *stack, n = shape
        for right in ((n,), (n, 2), (1, n, 3), (2, 1, n, 2)):
            yield Sample((shape, right), {})
        if len(stack) == 2:
            yield Sample((shape, (stack[0], n, 2)), {})


def rows(x: Any) -> Any:
    """A stack of matrices as one matrix of all their rows: (..., n) -> (rows, n)."""
    return x if len(x.shape) == 2 else x.reshape((prod(x.shape[:-1]), x.shape[-1]))


def _left(g: Any, a: Any, b: Any) -> Any:
    """The gradient of a @ b with respect to a: g @ bᵀ, with the axes that vectors lack put in."""
    if len(b.shape) == 1:
        return g[..., None] * b if len(a.shape) > 1 else g * b
    if len(a.shape) == 1:
        return matmul(b, g[..., None])[..., 0]
    return g @ b.mT


def _right(g: Any, a: Any, b: Any) -> Any:
    """The gradient of a @ b with respect to b: aᵀ @ g, with the axes that vectors lack put in."""
    if len(a.shape) == 1:
        return a[:, None] * g[..., None, :] if len(b.shape) > 1 else g * a
    if len(b.shape) == 1:
        return (a.mT @ g[..., None])[..., 0]
    if len(b.shape) == 2:  # one product over all of the stack, and nothing left to sum
        return rows(a).mT @ rows(g)
    return a.mT @ g


@operation(
    symbol="@",
    analytic=True,
    samples=_products,
    rules=(
        rule("g @ bᵀ", lambda g, y, a, b: _left(g, a, b)),
        rule("aᵀ @ g", lambda g, y, a, b: _right(g, a, b)),
    ),
)
def matmul(a: Array, b: Array) -> Plain:
    """Matrix product a @ b: (..., n, k) @ (..., k, m) -> (..., n, m); leading axes broadcast, vectors lose their axis.

    Raises ShapeError if the inner sizes differ or an operand is a scalar.
    """
    try:
        return np.matmul(a, b)
    except ValueError as error:
        left, right = np.shape(a), np.shape(b)
        if not left or not right:
            raise ShapeError(
                f"matmul: got shapes {left} @ {right}, expected vectors or matrices; use * for scalars"
            ) from error
        if left[-1] != right[-2 if len(right) > 1 else 0]:
            fits = len(right) > 1 and left[-1] == right[-1]
            remedy = "transpose the right operand?" if fits else "transpose an operand, or reshape it?"
            raise ShapeError(f"matmul: inner sizes differ, {left} @ {right}; {remedy}") from error
        raise ShapeError(
            f"matmul: the leading axes of {left} @ {right} do not broadcast; sizes must be equal or 1"
        ) from error


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _explicit(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """Subscripts with the ellipses and the output spelled out: one word an operand, and the output's word."""
    words, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = words.split(",")
    if not arrow:
        letters = words.replace(",", "").replace(".", "")
        output = ("..." if "..." in words else "") + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    free = "".join(c for c in _LETTERS if c not in subscripts)
    hidden = [
        ndim - len(word.replace("...", "")) if "..." in word else 0 for word, ndim in zip(inputs, ndims, strict=True)
    ]
    longest = max(hidden)
    inputs = [word.replace("...", free[longest - n : longest]) for word, n in zip(inputs, hidden, strict=True)]
    return inputs, output.replace("...", free[:longest])


def _einsum_rule(i: int, g: Any, operands: tuple[Any, ...], subscripts: str) -> Any:
    """The gradient for operand i: einsum of g with the other operands, onto the letters of operand i.

    A letter that only operand i has is stretched by a factor of ones; a letter that it has twice is led to a diagonal by an
    identity matrix.
    """
    inputs, output = _explicit(subscripts, [len(shape_of(x)) for x in operands])
    words = [output, *(w for j, w in enumerate(inputs) if j != i)]
    factors = [g, *(x for j, x in enumerate(operands) if j != i)]
    free = iter([c for c in _LETTERS if c not in "".join(inputs)])
    target = ""
    for letter, size in zip(inputs[i], shape_of(operands[i]), strict=True):
        if letter in target:
            twin = next(free)
            words.append(letter + twin)
            factors.append(np.eye(size))
            target += twin
        else:
            if not any(letter in word for word in words):
                words.append(letter)
                factors.append(np.ones(size))
            target += letter
    return einsum(",".join(words) + "->" + target, *factors)


def _einsum_call(subscripts: str, *operands: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
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
    symbol="einsum",
    analytic=True,
    call=_einsum_call,
    samples=_contractions,
    numpy=np.einsum,
    rules=(
        rule(
            "einsum of g with the other operands",
            lambda i, g, y, *operands, subscripts: _einsum_rule(i, g, operands, subscripts),
        ),
    ),
)
def einsum(*operands: Array, subscripts: str) -> Plain:
    """Sum of products by Einstein's convention: einsum("ij,jk->ik", a, b); repeated letters, implicit output and ... too."""
    return np.einsum(subscripts, *operands, optimize=True)
