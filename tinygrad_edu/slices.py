"""The zero rule of whole-array operations: a slice whose gradient is exactly 0 contributes 0, whatever it holds.

Rules multiply the gradient g by numbers, and 0 · NaN is NaN. Where an operation has a result that is not finite, `harmless`
replaces, in the slices whose g is 0, the operands by finite numbers, computes the result again and hands the rule those. Its
share of such a slice is then 0; all others are unchanged. `Op.slices` says how an operation divides into slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ops
from .data import raw_of
from .errors import DefinitionError
from .op import AXIS, PRODUCT, Op
from .ops.arrays.axes import checked_axes
from .ops.matrices.contraction import LETTERS, explicit
from .recording import apply
from .share import conform


def harmless(op: Op, given: tuple[Any, ...], params: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a rule, (g, y, *arrays), with finite numbers in the slices that are not finite and whose g is 0.

    g is a constant there, so that higher derivatives obey the rule too. All other slices are unchanged.
    """
    g, y, *xs = given
    dead, plain = np.equal(raw_of(g), 0), [np.asarray(raw_of(x)) for x in xs]
    if not np.any(dead):
        return given
    find = _idle_factors if op.slices == PRODUCT else _idle_slices
    found = find(op, dead, np.asarray(raw_of(y)), plain, params)
    if not any(np.any(idle) for idle, _ in found):
        return given
    xs = [ops.where(idle, numbers, x) if np.any(idle) else x for x, (idle, numbers) in zip(xs, found, strict=True)]
    finite = apply(op, tuple(xs), params)
    mended = ~np.isfinite(raw_of(y)) & np.isfinite(raw_of(finite))
    return ops.where(dead & mended, 0.0, g), finite, *xs


def _idle_factors(op: Op, dead: Any, y: Any, xs: Sequence[Any], params: dict[str, Any]) -> list[tuple[Any, Any]]:
    """For each factor of a product, a mask of the elements that are not finite and enter only terms whose g is 0; and 0.

    The rule itself tells which g reach an element: with positive factors its share is 0 only if all those g are 0.
    """
    live = np.where(dead, 0.0, 1.0)[()]
    draw = np.random.default_rng(0).uniform
    factors = [draw(1.0, 2.0, x.shape) if x.shape else 1.5 for x in xs]
    every = op.shares and op.shares.apply(live, y, *factors, **params)
    found = []
    for i, x in enumerate(xs):
        idle = ~np.isfinite(x)
        if np.any(idle):
            share = every[i] if every else op.rules[i].apply(live, y, *factors, **params)  # type: ignore[union-attr]
            idle &= conform(share() if callable(share) else share, factors[i], op) == 0
        found.append((idle, 0.0))
    return found


def _idle_slices(op: Op, dead: Any, y: Any, xs: Sequence[Any], params: dict[str, Any]) -> list[tuple[Any, Any]]:
    """For each array, a mask of the elements that enter only dead slices of y that are not finite; and regular numbers.

    A slice of y or of an array spans its core axes: those without an index in common with the other.
    """
    words, output = _indices(op, xs, y.ndim, params)
    core = tuple([i for i, letter in enumerate(output.ljust(y.ndim)) if not any(letter in word for word in words)])
    dropped = dead.all(core, keepdims=True) & ~np.isfinite(y).all(core, keepdims=True)
    found = []
    for x, word in zip(xs, words, strict=True):
        at = _places(word, output, x.ndim)
        others = tuple([i for i in range(y.ndim) if i not in at])
        found.append((_gathered(dropped.all(others, keepdims=True), at), _regular(x, at)))
    return found


def _indices(op: Op, xs: Sequence[Any], ndim: int, params: dict[str, Any]) -> tuple[list[str], str]:
    """The indices of each array and of the result in this call."""
    if op.slices == AXIS:
        word = LETTERS[: xs[0].ndim]
        along = checked_axes(xs[0].shape, params[AXIS]) if word else ()
        output = "".join(["." if i in along else letter for i, letter in enumerate(word)])
        return [word], output if len(word) == ndim else output.replace(".", "")
    text = op.slices(*xs, **params) if callable(op.slices) else op.slices or ""
    words, output = explicit(text, [x.ndim for x in xs])
    axes = [*[x.ndim for x in xs], ndim]
    if any(len(word) > n for word, n in zip((*words, output), axes, strict=True)):
        raise DefinitionError(
            f"{op.name}: slices={text!r} has more indices than the arrays and the result axes, {axes}"
        )
    return words, output


def _places(word: str, output: str, ndim: int) -> list[int]:
    """For each axis of an array the axis of y with the same index; -1 for a core axis."""
    places: list[int] = []
    for letter in word.ljust(ndim):
        i = output.find(letter)
        places.append(-1 if i in places else i)
    return places


def _gathered(y: Any, at: Sequence[int]) -> Any:
    """An array with the axes of y at these places, and size 1 along core axes; y is of size 1 along all others."""
    places = sorted(i for i in at if i >= 0)
    axes = y.reshape([y.shape[i] for i in places]).transpose([places.index(i) for i in at if i >= 0])
    return axes.reshape([y.shape[i] if i >= 0 else 1 for i in at])


def _regular(x: Any, at: Sequence[int]) -> Any:
    """Numbers at which an operation is regular, for each slice of x: ones, or a diagonal matrix with distinct values near 1."""
    dtype = x.dtype if x.dtype.kind == "f" else float
    sizes = [n for n, i in zip(x.shape, at, strict=True) if i < 0]
    if len(sizes) != 2:
        return np.ones((), dtype)
    matrix = np.eye(*sizes, dtype=dtype) * np.linspace(0.5, 1.5, sizes[1], dtype=dtype)
    return matrix.reshape([n if i < 0 else 1 for n, i in zip(x.shape, at, strict=True)])
