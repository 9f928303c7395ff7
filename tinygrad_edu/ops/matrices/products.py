"""Products of vectors, matrices and stacks of them: matmul, and the operations composed of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from ...data import shape_of
from ...definition import derived, operation
from ...domain import Sample, Shape
from ...errors import ShapeError
from ...op import PRODUCT, rule
from ...signatures import Array, Plain
from ..arrays.shape import reshape
from ..numbers.arithmetic import multiply

__all__ = ["kron", "matmul", "matvec", "multi_dot", "outer", "vdot", "vecmat"]


def _products(shape: Shape) -> Iterator[Sample]:
    """Every pairing of vectors, matrices and stacks whose left operand has this shape."""
    if shape:
        *stack, n = shape
        for right in ((n,), (n, 2), (1, n, 3), (2, 1, n, 2)):
            yield Sample((shape, right))
        if len(stack) == 2:
            yield Sample((shape, (stack[0], n, 2)))


def rows(x: Any) -> Any:
    """A stack of matrices as one matrix of all their rows: (..., n) -> (rows, n)."""
    return x if len(x.shape) == 2 else x.reshape((prod(x.shape[:-1]), x.shape[-1]))


def _left(g: Any, a: Any, b: Any) -> Any:
    """The gradient of a @ b with respect to a: g @ bᵀ, with the missing axes of vectors inserted."""
    if len(b.shape) == 1:
        return g[..., None] * b if len(a.shape) > 1 else g * b
    if len(a.shape) == 1:
        return matmul(b, g[..., None])[..., 0]
    return g @ b.mT


def _right(g: Any, a: Any, b: Any) -> Any:
    """The gradient of a @ b with respect to b: aᵀ @ g, with the missing axes of vectors inserted."""
    if len(a.shape) == 1:
        return a[:, None] * g[..., None, :] if len(b.shape) > 1 else g * a
    if len(b.shape) == 1:
        return (a.mT @ g[..., None])[..., 0]
    if len(b.shape) == 2:  # one product over the whole stack, no sum afterwards
        return rows(a).mT @ rows(g)
    return a.mT @ g


@operation(
    symbol="@",
    analytic=True,
    slices=PRODUCT,
    samples=_products,
    also=(np.linalg.matmul,),
    rules=(
        rule(lambda g, y, a, b: _left(g, a, b), says="g @ bᵀ"),
        rule(lambda g, y, a, b: _right(g, a, b), says="aᵀ @ g"),
    ),
)
def matmul(a: Array, b: Array, /) -> Plain:
    """Matrix product a @ b: (..., n, k) @ (..., k, m) -> (..., n, m); leading axes broadcast, vectors lose their axis.

    Raises ShapeError if the inner sizes differ or an operand is a scalar.
    """
    try:
        return np.matmul(a, b)
    except ValueError as error:
        left, right = np.shape(a), np.shape(b)
        if not left or not right:
            raise ShapeError(f"got shapes {left} @ {right}, expected vectors or matrices; use * for scalars") from error
        if left[-1] != right[-2 if len(right) > 1 else 0]:
            fits = len(right) > 1 and left[-1] == right[-1]
            remedy = "transpose the right operand?" if fits else "transpose an operand, or reshape it?"
            raise ShapeError(f"inner sizes differ, {left} @ {right}; {remedy}") from error
        raise ShapeError(f"the leading axes of {left} @ {right} do not broadcast; sizes must be equal or 1") from error


def _any_two(shape: Shape) -> list[Sample]:
    return [Sample((shape, (3,))), Sample(((2,), shape)), Sample((shape, (2, 2)))]


def _of_one_size(shape: Shape) -> list[Sample]:
    return [Sample((shape, shape)), Sample((shape, (*shape[::-1], 1)))]


@derived(symbol="·", samples=_of_one_size)
def vdot(a: Array, b: Array, /) -> Plain:
    """Inner product of the flattened a and b, a scalar: sizes must be equal, shapes need not."""
    return matmul(reshape(a, (_size(a),)), reshape(b, (_size(b),)))


@derived(symbol="⊗", samples=_any_two, also=(np.linalg.outer,))
def outer(a: Array, b: Array, /) -> Plain:
    """Outer product of the flattened a and b: sizes n and m -> (n, m)."""
    return multiply(reshape(a, (_size(a), 1)), reshape(b, (1, _size(b))))


@derived(symbol="⊗", samples=_any_two)
def kron(a: Array, b: Array, /) -> Plain:
    """Kronecker product: a block b scaled by each element of a; sizes multiply per axis. Missing leading axes count as 1."""
    ndim = max(len(shape_of(a)), len(shape_of(b)))
    left, right = [(1,) * (ndim - len(shape_of(x))) + shape_of(x) for x in (a, b)]
    blocks = multiply(
        reshape(a, tuple([size for n in left for size in (n, 1)])),
        reshape(b, tuple([size for n in right for size in (1, n)])),
    )
    return reshape(blocks, tuple([n * m for n, m in zip(left, right, strict=True)]))


def _size(x: Any) -> int:
    return prod(shape_of(x))


def _chains(shape: Shape) -> Iterator[Sample]:
    if len(shape) > 1:
        n, m = shape[:2]
        yield Sample(((n, m), (m, 2)))
        yield Sample(((n, m), (m, 3), (3,)))
        yield Sample(((n,), (n, m), (m, 4), (4, 2)))
        yield Sample(((4, n), (n, m), (m, 1), (1, 3)))


@derived(symbol="@", listed=True, samples=_chains, numpy=np.linalg.multi_dot)
def multi_dot(*arrays: Array) -> Plain:
    """Product of two or more matrices, in the order with the fewest scalar multiplications.

    The first and the last may be vectors. See Cormen et al., Introduction to Algorithms, section 14.2 (4th edition). Raises
    ShapeError for fewer than two operands, or if an operand is not a matrix.
    """
    shapes = [shape_of(x) for x in arrays]
    ends = len(shapes) > 1 and 1 <= len(shapes[0]) <= 2 and 1 <= len(shapes[-1]) <= 2
    if not ends or any(len(shape) != 2 for shape in shapes[1:-1]):
        raise ShapeError(f"got shapes {shapes}, expected two or more matrices; only the ends may be vectors")
    sizes = [shapes[0][0] if len(shapes[0]) == 2 else 1, *[shape[0] for shape in shapes[1:]]]
    sizes.append(shapes[-1][1] if len(shapes[-1]) == 2 else 1)
    product = {(i, i + 1): x for i, x in enumerate(arrays)}
    for start, middle, end in _cheapest(sizes):
        product[start, end] = matmul(product[start, middle], product[middle, end])
    return product[0, len(arrays)]


def _cheapest(sizes: Sequence[int]) -> list[tuple[int, int, int]]:
    """The cheapest order for matrices of sizes[i] by sizes[i + 1]: (start, middle, end) per product, inner products first."""
    cost = {(i, i + 1): 0 for i in range(len(sizes) - 1)}
    cut = {}
    for length in range(2, len(sizes)):
        for start in range(len(sizes) - length):
            end = start + length
            prices = {
                i: cost[start, i] + cost[i, end] + sizes[start] * sizes[i] * sizes[end] for i in range(start + 1, end)
            }
            cut[start, end] = min(prices, key=prices.__getitem__)
            cost[start, end] = prices[cut[start, end]]
    order: list[tuple[int, int, int]] = []
    waiting = [(0, len(sizes) - 1)]
    while waiting:
        start, end = waiting.pop()
        if end - start > 1:
            middle = cut[start, end]
            order.append((start, middle, end))
            waiting += [(start, middle), (middle, end)]
    return order[::-1]


def _matrices_first(shape: Shape) -> Iterator[Sample]:
    if len(shape) > 1:
        yield Sample((shape, shape[-1:]))
        yield Sample((shape, (2, *[1] * (len(shape) - 2), shape[-1])))


def _vectors_first(shape: Shape) -> Iterator[Sample]:
    if len(shape) > 1:
        yield Sample((shape[-2:-1], shape))
        yield Sample(((2, *[1] * (len(shape) - 2), shape[-2]), shape))


# NumPy has matvec and vecmat from 2.2 on.
@derived(symbol="@", samples=_matrices_first, numpy=getattr(np, "matvec", lambda a, b: (a @ b[..., None])[..., 0]))
def matvec(a: Array, b: Array, /) -> Plain:
    """Each matrix of a times each vector of b: (..., n, k), (..., k) -> (..., n); leading axes broadcast.

    Raises ShapeError if the inner sizes differ, or an axis is missing.
    """
    _check(a, b, a, b)
    return matmul(a, b[..., None])[..., 0]


@derived(symbol="@", samples=_vectors_first, numpy=getattr(np, "vecmat", lambda a, b: (a[..., None, :] @ b)[..., 0, :]))
def vecmat(a: Array, b: Array, /) -> Plain:
    """Each vector of a times each matrix of b: (..., k), (..., k, m) -> (..., m); leading axes broadcast.

    Raises ShapeError if the inner sizes differ, or an axis is missing.
    """
    _check(a, b, b, a)
    return matmul(a[..., None, :], b)[..., 0, :]


def _check(a: Any, b: Any, matrices: Any, vectors: Any) -> None:
    inner = -1 if matrices is a else -2
    matrix, vector = shape_of(matrices), shape_of(vectors)
    if len(matrix) < 2 or not vector or matrix[inner] != vector[-1]:
        expected = "(..., n, k) and (..., k)" if matrices is a else "(..., k) and (..., k, m)"
        raise ShapeError(f"got shapes {shape_of(a)} and {shape_of(b)}, expected {expected}")
