"""Products of vectors, matrices and stacks of them: matmul, and what is composed of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from ..data import shape_of
from ..domain import REAL, Sample, Shape
from ..errors import ShapeError
from ..op import rule
from ..registry import derived, operation
from ..signatures import Array, Plain
from .arithmetic import multiply
from .axes import checked_axis
from .shape import listed, moveaxis, reshape


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
    also=(np.linalg.matmul,),
    rules=(rule("g @ bᵀ", lambda g, y, a, b: _left(g, a, b)), rule("aᵀ @ g", lambda g, y, a, b: _right(g, a, b))),
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


def _any_two(shape: Shape) -> list[Sample]:
    return [Sample((shape, (3,))), Sample(((2,), shape)), Sample((shape, (2, 2)))]


def _of_one_size(shape: Shape) -> list[Sample]:
    return [Sample((shape, shape)), Sample((shape, (*shape[::-1], 1)))]


@derived(symbol="·", domain=(REAL, REAL), samples=_of_one_size)
def vdot(a: Array, b: Array) -> Plain:
    """Inner product of all numbers of a and b, read row by row: sizes must be equal, shapes need not. A scalar."""
    return matmul(reshape(a, (_size(a),)), reshape(b, (_size(b),)))


@derived(symbol="⊗", domain=(REAL, REAL), samples=_any_two, also=(np.linalg.outer,))
def outer(a: Array, b: Array) -> Plain:
    """Every product of a number of a and one of b, read row by row: sizes n and m -> (n, m)."""
    return multiply(reshape(a, (_size(a), 1)), reshape(b, (1, _size(b))))


@derived(symbol="⊗", domain=(REAL, REAL), samples=_any_two)
def kron(a: Array, b: Array) -> Plain:
    """Kronecker product: blocks b scaled by each number of a; axis by axis, sizes multiply. Missing leading axes count as 1."""
    ndim = max(len(shape_of(a)), len(shape_of(b)))
    left, right = [(1,) * (ndim - len(shape_of(x))) + shape_of(x) for x in (a, b)]
    blocks = multiply(
        reshape(a, tuple([size for n in left for size in (n, 1)])),
        reshape(b, tuple([size for n in right for size in (1, n)])),
    )
    return reshape(blocks, tuple([n * m for n, m in zip(left, right, strict=True)]))


def _size(x: Any) -> int:
    return prod(shape_of(x))


def _vectors(shape: Shape) -> Iterator[Sample]:
    yield Sample(((3,), (*shape, 3)))
    yield Sample(((*shape, 3), (*shape, 3)))
    if shape:
        yield Sample(((3, *shape), (*shape, 3)), {"axisa": 0, "axisc": 1})
        yield Sample(((3, *shape), (2, *shape, 3)), {"axisa": 0, "axisc": 0})
        yield Sample(((3, *shape), (3, *shape)), {"axis": 0})


def _cross_call(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    return (a, b), {"axisa": axisa, "axisb": axisb, "axisc": axisc}


def _from_right(axis: int, x: Any) -> int:
    """The same axis with a negative number, which it keeps where broadcasting puts other axes in front."""
    return axis if axis < 0 else axis - len(x.shape)


@operation(
    symbol="⨯",
    domain=(REAL, REAL),
    analytic=True,
    call=_cross_call,
    samples=_vectors,
    numpy=np.cross,
    also=(np.linalg.cross,),
    rules=(
        rule("b ⨯ g", lambda g, y, a, b, axisa, axisb, axisc: cross(b, g, axisb, axisc, _from_right(axisa, a))),
        rule("g ⨯ a", lambda g, y, a, b, axisa, axisb, axisc: cross(g, a, axisc, axisa, _from_right(axisb, b))),
    ),
)
def cross(a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1) -> Plain:
    """Cross product of 3-vectors, which lie along axisa and axisb; those of the result along axisc. Other axes broadcast.

    `axis`, if given, stands for all three. Vectors of two components, which NumPy deprecates, raise ShapeError.
    """
    for x, axis in ((a, axisa), (b, axisb)):
        size = shape_of(x)[checked_axis("cross", shape_of(x), axis)]
        if size != 3:
            got = f"{size} components along axis {axis} of shape {shape_of(x)}"
            raise ShapeError(f"cross: got vectors of {got}, expected 3; put 0 for a missing third")
    return np.cross(a, b, axisa, axisb, axisc)


def _along(shape: Shape) -> Iterator[Sample]:
    if shape:
        yield Sample((shape, shape))
        yield Sample((shape, shape[-1:]))
        yield Sample((shape, (2, *shape)), {"axis": -1})
        yield Sample((shape, shape), {"axis": 0})
        yield Sample((shape, (shape[0], 2, *shape[1:])), {"axis": 0})


def _vecdot_share(g: Any, x: Any, other: Any, axis: int) -> Any:
    """g times the other factor, where g has lost the axis that x and it were summed along."""
    if not shape_of(g):
        return g * other
    if axis == -1:
        return g[..., None] * other
    return moveaxis(g[..., None] * moveaxis(other, axis, -1), -1, _from_right(axis, x))


@operation(
    symbol="·",
    domain=(REAL, REAL),
    samples=_along,
    also=(np.linalg.vecdot,),
    rules=(
        rule("g · b", lambda g, y, a, b, axis: _vecdot_share(g, a, b, axis)),
        rule("g · a", lambda g, y, a, b, axis: _vecdot_share(g, b, a, axis)),
    ),
)
def vecdot(a: Array, b: Array, axis: int = -1) -> Plain:
    """Inner products of the vectors along an axis of both; the other axes broadcast. Raises ShapeError if sizes differ."""
    i, j = [checked_axis("vecdot", shape_of(x), axis) for x in (a, b)]
    if shape_of(a)[i] != shape_of(b)[j]:
        raise ShapeError(f"vecdot: got vectors of {shape_of(a)[i]} and {shape_of(b)[j]} components, expected as many")
    return np.vecdot(a, b, axis=axis)  # type: ignore[call-overload]  # NumPy's stubs lack axis


def _chains(shape: Shape) -> Iterator[Sample]:
    if len(shape) > 1:
        n, m = shape[:2]
        yield Sample(((n, m), (m, 2)))
        yield Sample(((n, m), (m, 3), (3,)))
        yield Sample(((n,), (n, m), (m, 4), (4, 2)))
        yield Sample(((4, n), (n, m), (m, 1), (1, 3)))


@derived(symbol="@", call=listed, samples=_chains, numpy=np.linalg.multi_dot)
def multi_dot(*arrays: Array) -> Plain:
    """Product of a list of two or more matrices, multiplied in the order that needs the fewest multiplications.

    The first and the last may be vectors. See Cormen et al., Introduction to Algorithms, section 14.2 (4th edition). Raises
    ShapeError if there are fewer than two, or an operand is not a matrix.
    """
    shapes = [shape_of(x) for x in arrays]
    ends = len(shapes) > 1 and 1 <= len(shapes[0]) <= 2 and 1 <= len(shapes[-1]) <= 2
    if not ends or any(len(shape) != 2 for shape in shapes[1:-1]):
        raise ShapeError(f"multi_dot: got shapes {shapes}, expected two or more matrices; only the ends may be vectors")
    sizes = [shapes[0][0] if len(shapes[0]) == 2 else 1, *[shape[0] for shape in shapes[1:]]]
    sizes.append(shapes[-1][1] if len(shapes[-1]) == 2 else 1)
    product = {(i, i + 1): x for i, x in enumerate(arrays)}
    for start, middle, end in _cheapest(sizes):
        product[start, end] = matmul(product[start, middle], product[middle, end])
    return product[0, len(arrays)]


def _cheapest(sizes: Sequence[int]) -> list[tuple[int, int, int]]:
    """How to multiply matrices of sizes[i] by sizes[i + 1]: (start, middle, end) for each product, inner ones first."""
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
