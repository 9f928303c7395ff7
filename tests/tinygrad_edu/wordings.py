"""What the words of `says=` mean: for each wording the gradient that it states, in NumPy, written from the words alone.

Each is a function of (g, y, *arrays, **params) for the gradient of the array whose rule has these words; for an operation of any
number of arrays it returns a list, one for each. Where shapes broadcast, the words leave the sum over broadcast axes unsaid.
"""

from functools import reduce
from itertools import accumulate, product

import numpy as np


def summed_to(share, x):
    """The share summed over the axes along which x was broadcast."""
    share = np.sum(share, axis=tuple(range(np.ndim(share) - np.ndim(x))))
    return np.sum(share, axis=tuple([i for i, n in enumerate(np.shape(x)) if n == 1]), keepdims=True).reshape(x.shape)


def spread(reduced, axis, keepdims):
    """A reduction, with the reduced axes back at size 1."""
    return reduced if keepdims or axis is None else np.expand_dims(reduced, axis)


def unit(x):
    return np.eye(x.shape[-1])


def sym(x):
    return (x + x.mT) / 2


def diag(x):
    return x[..., None] * unit(x)


def over_differences(x):
    """F = 1 / (x_j - x_i), 0 for i = j."""
    gaps = x[..., None, :] - x[..., :, None]
    return np.where(unit(x), 0, 1 / (gaps + unit(x)))


# -- Arrays ------------------------------------------------------------------------------------------------------------


def axes_back(g, y, x, axes):
    back = np.empty(x.shape)
    back.transpose(axes)[...] = g
    return back


def sums_to_the_end(g, y, x, axis):
    return np.flip(np.cumsum(np.flip(g, axis or 0), axis or 0), axis or 0).reshape(x.shape)


def sorted_back(g, y, x, axis, **_):
    x, shape = (x.ravel(), x.shape) if axis is None else (x, x.shape)
    back = np.empty(x.shape)
    np.put_along_axis(back, np.argsort(x, axis or 0, kind="stable"), g, axis or 0)
    return back.reshape(shape)


def shared_among_ties(g, y, x, axis, keepdims):
    tied = x == spread(y, axis, keepdims)
    return tied * spread(g, axis, keepdims) / np.sum(tied, axis=axis, keepdims=True)


def equal_to_the_result(y, x, values, index):
    """How many numbers, of x and of the values, are equal to each number of the result."""
    count = np.where(x == y, 1, 0)
    np.add.at(count, index, values == y[index])
    return count


def zero_at(g, y, x, values, index):
    g = np.array(g)
    g[index] = 0
    return g


def last_of_each_place(g, y, x, values, index):
    writer, numbers = np.empty(x.shape, int), np.arange(g[index].size).reshape(g[index].shape)
    writer[index] = numbers
    return summed_to(np.where(writer[index] == numbers, g[index], 0), values)


def added_to_zeros(g, y, x, index):
    total = np.zeros(x.shape)
    np.add.at(total, index, g)
    return total


def at_ranks(g, y, x, ranks):
    share = np.zeros(x.shape)
    for row, rank in zip(g, ranks, strict=True):
        for column, number in enumerate(row):
            share[np.argsort(x[:, column], kind="stable")[rank], column] += number
    return share


# -- Matrices ----------------------------------------------------------------------------------------------------------


def as_matrices(g, a, b):
    """The three of a product as matrices: a vector is a row on the left, a column on the right."""
    g = g[..., None] if b.ndim == 1 else g
    g = g[..., None, :] if a.ndim == 1 else g
    return g, a[None, :] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b


def product_left(g, y, a, b):
    G, A, B = as_matrices(g, a, b)
    return summed_to(G @ B.mT, A).reshape(a.shape)


def product_right(g, y, a, b):
    G, A, B = as_matrices(g, a, b)
    return summed_to(A.mT @ G, B).reshape(b.shape)


def columns(b, *of_its_shape):
    return [x[..., None] if b.ndim == 1 else x for x in of_its_shape]


def solved_left(g, y, a, b):
    g, y = columns(b, g, y)
    return summed_to(-(np.linalg.inv(a.mT) @ g) @ y.mT, a)


def solved_right(g, y, a, b):
    (g,) = columns(b, g)
    return summed_to(np.linalg.inv(a.mT) @ g, *columns(b, b)).reshape(b.shape)


def least_squares_left(g, y, a, b, rcond):
    (g, y, b), inverse = columns(b, g, y, b), np.linalg.pinv(a)
    z = inverse.T @ g
    return -z @ y.T + (b - a @ y) @ (inverse @ z).T + (inverse.T @ y) @ (g - a.T @ z).T


def cholesky(g, y, x, upper):
    g, y = (g.mT, y.mT) if upper else (g, y)
    half = np.tril(y.mT @ g)
    half = half - half * unit(x) / 2
    return sym(np.linalg.inv(y).mT @ half @ np.linalg.inv(y))


def unpacked(packed, *shapes):
    ends = [*accumulate([int(np.prod(shape)) for shape in shapes])]
    parts = np.split(packed, ends[:-1], axis=-1)
    return [part.reshape(*packed.shape[:-1], *shape) for part, shape in zip(parts, shapes, strict=True)]


def qr(g, y, x):
    m, n = x.shape[-2:]
    k = min(m, n)
    (Q, R), (gQ, gR) = [unpacked(packed, (m, k), (k, n)) for packed in (y, g)]
    b, T, gT, gS = x[..., k:], R[..., :k], gR[..., :k], gR[..., k:]
    gQ = gQ + b @ gS.mT
    M = T @ gT.mT - gQ.mT @ Q
    copyltu = np.tril(M) + np.tril(M, -1).mT
    return np.concatenate([(gQ + Q @ copyltu) @ np.linalg.inv(T).mT, Q @ gS], axis=-1)


def eigh(g, y, x, UPLO):
    n = x.shape[-1]
    (w, v), (gw, gv) = [unpacked(packed, (n,), (n, n)) for packed in (y, g)]
    return sym(v @ (diag(gw) + over_differences(w) * (v.mT @ gv)) @ v.mT)


def svd(g, y, x):
    m, n = x.shape[-2:]
    k = min(m, n)
    (u, s, vh), (gu, gs, gvh) = [unpacked(packed, (m, k), (k,), (k, n)) for packed in (y, g)]
    F, s, v, gv = over_differences(s**2), diag(s), vh.mT, gvh.mT
    inverse = np.linalg.inv(s)
    inner = F * (u.mT @ gu - gu.mT @ u) @ s + s @ (F * (v.mT @ gv - gv.mT @ v)) + diag(gs)
    left = (np.eye(m) - u @ u.mT) @ gu @ inverse @ v.mT
    return u @ inner @ v.mT + left + u @ inverse @ gv.mT @ (np.eye(n) - v @ v.mT)


def pinv(g, y, x, rcond):
    m, n = x.shape[-2:]
    outside = (np.eye(m) - x @ y) @ g.mT @ y @ y.mT + y.mT @ y @ g.mT @ (np.eye(n) - y @ x)
    return -y.mT @ g @ y.mT + outside


def cross_product(a, b, axis_a, axis_b, x, axis):
    """a ⨯ b along their axes, laid out as x, whose axis it is."""
    found = np.cross(np.moveaxis(a, axis_a, -1), np.moveaxis(b, axis_b, -1))
    return np.moveaxis(summed_to(found, np.moveaxis(x, axis, -1)), -1, axis)


def einsum(g, y, *operands, subscripts):
    """By the sum over every number of every letter; an ellipsis has the letters Y and Z."""
    words, _, output = subscripts.partition("->")
    inputs = [
        word.replace("...", "YZ"[2 - x.ndim + len(word.replace("...", "")) :])
        for word, x in zip(words.split(","), operands, strict=True)
    ]
    letters = "".join(inputs)
    if "->" not in subscripts:
        output = "".join(sorted(c for c in letters if letters.count(c) == 1))
    words = [output.replace("...", "YZ"), *inputs]
    sizes = dict.fromkeys(letters, 0)
    for word, x in zip(inputs, operands, strict=True):
        sizes |= {c: max(n, sizes[c]) for c, n in zip(word, x.shape, strict=True)}
    grid = dict(zip(sizes, np.indices(tuple(sizes.values())), strict=True))

    def place(word, x):
        return tuple([grid[c] % n for c, n in zip(word, x.shape, strict=True)])

    factors = [x[place(word, x)] for word, x in zip(words, (g, *operands), strict=True)]
    shares = [np.zeros(x.shape) for x in operands]
    for i, share in enumerate(shares):
        others = [factor for j, factor in enumerate(factors) if j != i + 1]
        np.add.at(share, place(inputs[i], share), reduce(np.multiply, others))
    return shares


# -- Networks ----------------------------------------------------------------------------------------------------------


def softmax(x, axis=None):
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


def correlated(g, y, x, other):
    """Σ g[i+j] other[j] over all j, g padded on both sides to the full convolution."""
    n, m = np.size(x), np.size(other)
    full = np.zeros(n + m - 1)
    start = (full.size - g.size) // 2
    full[start : start + g.size] = g
    return np.reshape([sum(full[i + j] * np.ravel(other)[j] for j in range(m)) for i in range(n)], np.shape(x))


def window(x, place, kernel, stride, padding, dilation):
    """The indices of the numbers of x in one window."""
    starts = [i * step - before for i, step, (before, _) in zip(place, stride, padding, strict=True)]
    inside = [
        [i for i in range(at, at + k * d, d) if 0 <= i < n]
        for at, k, n, d in zip(starts, kernel, x.shape[2:], dilation, strict=True)
    ]
    return list(product(*inside))


def copied(g, y, x, kernel, **how):
    """Each g added at the number of x that it is a copy of."""
    total = np.zeros(x.shape)
    for n, c, tap, *place in np.ndindex(g.shape):
        within = np.unravel_index(tap, kernel)
        sides = zip(place, within, how["stride"], how["padding"], how["dilation"], strict=True)
        at = tuple(i * s - before + j * d for i, j, s, (before, _), d in sides)
        if all(0 <= i < size for i, size in zip(at, x.shape[2:], strict=True)):
            total[(n, c, *at)] += g[(n, c, tap, *place)]
    return total


def pooled(first_largest):
    def share(g, y, x, **how):
        total = np.zeros(x.shape)
        for image in np.ndindex(x.shape[:2]):
            for place in np.ndindex(g.shape[2:]):
                seen = window(x, place, **how)
                chosen = [max(seen, key=x[image].__getitem__)] if first_largest else seen
                for at in chosen:
                    total[image][at] += g[image][place]
        return total

    return share


MEANING = {
    # arrays
    "g in the shape of x": lambda g, y, x, shape: g.reshape(x.shape),
    "g with the axes back in place": axes_back,
    "g, repeated along the axes": lambda g, y, x, axis, keepdims: np.broadcast_to(spread(g, axis, keepdims), x.shape),
    "g, summed over new and stretched axes": lambda g, y, x, shape: summed_to(g, x),
    "g where x = y, shared equally among ties": shared_among_ties,
    "Σ of g from each place to the end": sums_to_the_end,
    "(Σ of g y from each place to the end) / x": lambda g, y, x, axis: sums_to_the_end(g * y, y, x, axis) / x,
    "g, rolled back": lambda g, y, x, shift, axis: np.roll(g, np.negative(shift), axis),
    "g, each number back where it came from": sorted_back,
    "the part of g where x lies": lambda g, y, *arrays, axis: [
        part.reshape(x.shape)
        for part, x in zip(
            np.split(g, [*accumulate(x.size if axis is None else x.shape[axis] for x in arrays)][:-1], axis or 0),
            arrays,
            strict=True,
        )
    ],
    "the slice of g where x lies": lambda g, y, *arrays, axis: list(np.moveaxis(g, axis, 0)),
    "zeros with g added at the index": added_to_zeros,
    "g[index] for each index": lambda g, y, *parts, shape, indices: [
        summed_to(g[index], part) for index, part in zip(indices, parts, strict=True)
    ],
    "g, 0 at the index": zero_at,
    "g[index], 0 for a value overwritten": last_of_each_place,
    "g[index]": lambda g, y, x, values, index: summed_to(g[index], values),
    "g where x = y, shared equally with the values equal to y": lambda g, y, x, values, index: np.divide(
        g, equal_to_the_result(y, x, values, index), out=np.zeros(x.shape), where=x == y
    ),
    "g[index] where values = y[index], shared equally with x and other values equal to y": lambda g, y, x, v, index: (
        summed_to(np.where(v == y[index], g[index] / equal_to_the_result(y, x, v, index)[index], 0), v)
    ),
    "g at the places of the numbers of these ranks, 0 elsewhere": at_ranks,
    # matrices
    "g @ bᵀ": product_left,
    "aᵀ @ g": product_right,
    "einsum of g with the other operands, onto its own letters": einsum,
    "-(aᵀ⁻¹ g) yᵀ": solved_left,
    "aᵀ⁻¹ g": solved_right,
    "-(a⁺ᵀ g) yᵀ + (b - a y) (a⁺ a⁺ᵀ g)ᵀ + a⁺ᵀ y (g - aᵀ a⁺ᵀ g)ᵀ": least_squares_left,
    "a⁺ᵀ g": lambda g, y, a, b, rcond: np.linalg.pinv(a).T @ g,
    "-yᵀ g yᵀ + (1 - x y) gᵀ y yᵀ + yᵀ y gᵀ (1 - y x)": pinv,
    "(Σ g y · y - y gᵀ y) / det(x)": lambda g, y, x: (
        (np.sum(g * y, axis=(-2, -1), keepdims=True) * y - y @ g.mT @ y) / np.linalg.det(x)[..., None, None]
    ),
    "g x⁻¹ᵀ for ln |det|, 0 for the sign": lambda g, y, x: g[..., 1, None, None] * np.linalg.inv(x).mT,
    "sym(y⁻ᵀ Φ(yᵀ g) y⁻¹), y and g transposed if upper, Φ the lower triangle with half the diagonal": cholesky,
    "(gQ + Q copyltu(R gRᵀ - gQᵀ Q)) R⁻ᵀ, copyltu(M) M's lower triangle, mirrored; if x = [a b] is wide, R = [T S], "
    "for a with T and gQ + b gSᵀ as R and gQ, and Q gS for b": qr,
    "sym(v (diag(gw) + F·(vᵀgv)) vᵀ), F = 1 / (w_j - w_i), 0 for i = j": eigh,
    "u (F·(uᵀgu - guᵀu) s + s F·(vᵀgv - gvᵀv) + diag(gs)) vᵀ + (1 - uuᵀ) gu s⁻¹ vᵀ + u s⁻¹ gvᵀ (1 - vvᵀ), "
    "F = 1 / (s_j² - s_i²), 0 for i = j": svd,
    "b ⨯ g": lambda g, y, a, b, axisa, axisb, axisc: cross_product(b, g, axisb, axisc, a, axisa),
    "g ⨯ a": lambda g, y, a, b, axisa, axisb, axisc: cross_product(g, a, axisc, axisa, b, axisb),
    # networks
    "g · softmax(x)": lambda g, y, x, axis, keepdims: spread(g, axis, keepdims) * softmax(x, axis),
    "g, summed over rows": lambda g, y, x, weight, bias: np.sum(g, axis=tuple(range(g.ndim - 1))),
    "(softmax(x) - one-hot) g / batch": lambda g, y, x, labels: (
        (softmax(x, 1) - np.eye(x.shape[1])[labels]) * g / len(x)
    ),
    "g - mean(g)": lambda g, y, x, axis: g - np.mean(g, axis, keepdims=True),
    "(g - y mean(g y)) / √(mean(x²) + ε)": lambda g, y, x, axis, eps: (
        (g - y * np.mean(g * y, axis, keepdims=True)) / np.sqrt(np.mean(x * x, axis, keepdims=True) + eps)
    ),
    "Σ g[i+j] v[j] over all j, g padded to the full convolution": lambda g, y, a, v, mode: correlated(g, y, a, v),
    "Σ g[i+j] a[j] over all j, g padded to the full convolution": lambda g, y, a, v, mode: correlated(g, y, v, a),
    "each g added at the first largest number of its window": pooled(first_largest=True),
    "each g added at the place that it was copied from": copied,
    "each g added at all numbers of its window": pooled(first_largest=False),
}
