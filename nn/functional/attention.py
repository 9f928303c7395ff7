"""Attention, as a function: each query gathers the values whose keys resemble it."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError, TinygradError, matmul, softmax, swapaxes, where

from ..checks import data_of, explaining, plain_array, stretches
from .layers import dropout


@explaining
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    rng: np.random.Generator | int | None = None,
) -> Any:
    """softmax(scale · q kᵀ) v: queries (..., L, E), keys (..., S, E), values (..., S, V) -> (..., L, V).

    Args:
        attn_mask: stretched to (..., L, S). Booleans: whether a query looks at a key. Numbers: added to scale · q kᵀ; -inf
            where it does not look. A query that looks at no key gets zeros.
        dropout_p: probability with which weights are dropped; 0 in use.
        is_causal: query i looks at keys 0 to i.
        scale: 1/√E if None.
        rng: random generator for dropout, or a seed for one; unseeded if None.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: for a mask of integers, which could mean either.
        TinygradError: for attn_mask with is_causal, and for a dropout_p outside 0 to 1.

    See Vaswani et al., "Attention Is All You Need" (2017), section 3.2.1.
    """
    if attn_mask is not None and is_causal:
        raise TinygradError(
            "scaled_dot_product_attention: got attn_mask and is_causal, expected one: put both into the mask"
        )
    q, k, v = np.shape(query), np.shape(key), np.shape(value)
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        got = f"query {q}, key {k} and value {v}"
        raise ShapeError(f"scaled_dot_product_attention: got {got}, expected (..., L, E), (..., S, E) and (..., S, V)")
    masks = [causal_mask(q[-2], k[-2])] if is_causal else [] if attn_mask is None else [attn_mask]
    weights = attention_weights("scaled_dot_product_attention", query, key, masks, scale)
    return matmul(dropout(weights, dropout_p, rng=rng), value)


def causal_mask(queries: int, keys: int) -> Any:
    """(L, S): whether the key is no later than the query."""
    return np.tri(queries, keys, dtype=bool)


def attention_weights(name: str, query: Any, key: Any, masks: list[Any], scale: float | None = None) -> Any:
    """softmax(scale · q kᵀ) among the keys that all masks let a query look at, 0 elsewhere: (..., L, S)."""
    scale = 1 / sqrt(np.shape(query)[-1]) if scale is None else scale
    scores = matmul(query, swapaxes(key, -1, -2)) * scale
    seen: Any = True
    for given in masks:
        mask = _checked_mask(name, given, scores.shape)
        if mask.dtype.kind == "b":
            seen = seen & data_of(mask)
        else:
            scores, seen = scores + mask, seen & (data_of(mask) != -np.inf)
    if np.all(seen):
        return softmax(scores, axis=-1)
    lowest = np.finfo(scores.dtype).min / 2  # -inf less -inf would be NaN in a row of nothing else
    return where(seen, softmax(where(seen, scores, lowest), axis=-1), 0.0)


def _checked_mask(name: str, mask: Any, scores: tuple[int, ...]) -> Any:
    """A Value or an array. Raises DTypeError unless of booleans or floats, ShapeError unless it stretches to the scores."""
    mask = plain_array(name, "mask", mask)
    if mask.dtype.kind not in "bf":
        raise DTypeError(f"{name}: got a mask of {mask.dtype}, expected booleans, or floats to add; use astype")
    if not stretches(mask.shape, scores):
        raise ShapeError(f"{name}: got a mask of shape {mask.shape}, expected one that stretches to {scores}")
    return mask
