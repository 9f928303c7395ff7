"""MultiheadAttention: attention by several heads, each in a projection of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import ShapeError, Value, dropout, matmul, mean, split, swapaxes

from . import init
from .checks import PROBABILITY, checked, data_of, float_type, generator, plain_array, size
from .functional import linear
from .functional.attention import attention_weights, causal_mask
from .linear import Linear
from .module import Module


class MultiheadAttention(Module):
    """Attention by several heads, each in a projection of its own of queries, keys and values:

        head_i = softmax(Q_i K_iᵀ / √d) V_i    with Q_i = q W_qᵢᵀ + b_qᵢ, likewise K_i and V_i, d = embed_dim / num_heads
        output = (head_1 ... head_h side by side) W_outᵀ + b_out

    Args:
        embed_dim: size of queries and outputs.
        num_heads: must divide embed_dim.
        dropout: probability with which weights are dropped in training.
        bias: False leaves all biases out.
        kdim, vdim: sizes of keys and values; embed_dim if None.
        batch_first: whether batches are (batch, length, size) rather than (length, batch, size).
        rng: random generator for the initial weights and dropout, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        in_proj_weight: (3 · embed_dim, embed_dim), those of queries, keys and values one below the other; None if kdim or vdim
            is another size, where q_proj_weight, k_proj_weight, v_proj_weight (embed_dim, size) take its place. Initially
            Xavier uniform, as in PyTorch.
        in_proj_bias: (3 · embed_dim,), initially 0; or None.
        out_proj: a Linear, whose bias is initially 0.

    Raises:
        ShapeError: for a size that is no positive integer, or num_heads that do not divide embed_dim.
        TinygradError: for a dropout outside 0 to 1.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        E = self.embed_dim = size("MultiheadAttention", "embed_dim", embed_dim)
        self.num_heads = size("MultiheadAttention", "num_heads", num_heads)
        self.kdim = E if kdim is None else size("MultiheadAttention", "kdim", kdim)
        self.vdim = E if vdim is None else size("MultiheadAttention", "vdim", vdim)
        if E % num_heads:
            got = f"embed_dim={E} and num_heads={num_heads}"
            raise ShapeError(f"MultiheadAttention: got {got}, expected a multiple of the heads, which share it equally")
        self.dropout = checked("MultiheadAttention", "dropout", dropout, PROBABILITY)
        self.batch_first, self.rng = batch_first, generator("MultiheadAttention", rng)
        dtype = float_type("MultiheadAttention", dtype)

        def weight(*shape: int) -> Value:
            data = init.xavier_uniform(shape, self.rng, dtype=dtype)
            return Value(np.asfortranarray(data), copy=False)  # as in Linear

        self.in_proj_weight = None
        if self.kdim == self.vdim == E:
            self.in_proj_weight = weight(3 * E, E)
        else:
            self.q_proj_weight, self.k_proj_weight = weight(E, E), weight(E, self.kdim)
            self.v_proj_weight = weight(E, self.vdim)
        self.in_proj_bias = Value(np.zeros(3 * E, dtype)) if bias else None
        self.out_proj = Linear(E, E, bias, rng=self.rng, dtype=dtype)
        if self.out_proj.bias is not None:
            self.out_proj.bias.data[...] = 0

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Queries (L, N, embed_dim), keys (S, N, kdim), values (S, N, vdim) -> (output, weights).

        N, the batch, comes first if batch_first, and may be missing. Masks as in PyTorch: booleans say where NOT to look,
        unlike those of `scaled_dot_product_attention`; numbers are added. A query that may look nowhere attends to nothing:
        its weights are 0, and its output the bias of out_proj (PyTorch gives NaN if need_weights).

        Args:
            key_padding_mask: (N, S), or (S,) without a batch: of the keys, for all queries.
            need_weights: False returns None in place of the weights.
            attn_mask: (L, S), or one for each example and head, (N · num_heads, L, S).
            average_attn_weights: False returns the weights of each head.
            is_causal: query i looks at keys 0 to i; attn_mask, where given, counts as well.

        Returns:
            output: like the queries.
            weights: (N, L, S), the mean of the heads; or (N, num_heads, L, S); without N if there is no batch.

        Raises:
            ShapeError: if the shapes do not fit.
            DTypeError: for a mask of integers.
        """
        inputs = self._batches(query, key, value)
        (N, L, E), S, H = inputs[0].shape, inputs[1].shape[1], self.num_heads
        batched = np.ndim(query) == 3
        masks = [causal_mask(L, S)] if is_causal else []
        masks += self._masks(attn_mask, key_padding_mask, N if batched else None, L, S)
        heads = [x.reshape(N, x.shape[1], H, E // H) for x in self._projected(inputs)]
        q, k, v = [swapaxes(x, 1, 2) for x in heads]  # (N, heads, length, E / heads)
        weights = attention_weights("MultiheadAttention", q, k, masks)
        weights = dropout(weights, p=self.dropout, rng=self.rng, training=self.training)
        output = self.out_proj(swapaxes(matmul(weights, v), 1, 2).reshape(N, L, E))
        output = output[0] if not batched else output if self.batch_first else swapaxes(output, 0, 1)
        if not need_weights:
            return output, None
        weights = mean(weights, axis=1) if average_attn_weights else weights
        return output, weights if batched else weights[0]

    def _batches(self, *inputs: Any) -> list[Any]:
        """Queries, keys and values as (N, length, size). Raises ShapeError if they do not fit together."""
        arrays = [plain_array("MultiheadAttention", "input", x) for x in inputs]
        shapes, sizes = [x.shape for x in arrays], [self.embed_dim, self.kdim, self.vdim]
        if {len(shape) for shape in shapes} in ({2}, {3}) and [shape[-1] for shape in shapes] == sizes:
            arrays = [x[None] if x.ndim == 2 else x if self.batch_first else swapaxes(x, 0, 1) for x in arrays]
            q, k, v = [x.shape for x in arrays]
            if q[0] == k[0] and k[:2] == v[:2]:
                return arrays
        order = "N, {0}" if self.batch_first else "{0}, N"
        expected = [f"({order.format(length)}, {n})" for length, n in zip("LSS", sizes, strict=True)]
        raise ShapeError(
            f"MultiheadAttention: got query, key, value of shapes {', '.join(map(str, shapes))}, "
            f"expected {', '.join(expected)}, or the same without the batch N"
        )

    def _masks(self, attn_mask: Any, key_padding_mask: Any, batch: int | None, L: int, S: int) -> list[Any]:
        """Those given, as (L, S), (N, heads, L, S) or (N, 1, 1, S), where booleans say where to look."""
        masks, N, H = [], 1 if batch is None else batch, self.num_heads
        if attn_mask is not None:
            mask = _flipped("attn_mask", attn_mask, [(L, S), (N * H, L, S)])
            masks.append(mask if mask.ndim == 2 else mask.reshape(N, H, L, S))
        if key_padding_mask is not None:
            mask = _flipped("key_padding_mask", key_padding_mask, [(S,) if batch is None else (batch, S)])
            masks.append(mask.reshape(N, 1, 1, S))
        return masks

    def _projected(self, inputs: list[Any]) -> list[Any]:
        """x W_xᵀ + b_x for queries, keys and values x."""
        if self.in_proj_weight is not None:
            weights = split(self.in_proj_weight, 3)
        else:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        biases = (None,) * 3 if self.in_proj_bias is None else split(self.in_proj_bias, 3)
        return [linear(x, weight, bias) for x, weight, bias in zip(inputs, weights, biases, strict=True)]

    def describe(self) -> str:
        """embed_dim, num_heads."""
        return f"{self.embed_dim}, {self.num_heads}"


def _flipped(name: str, mask: Any, shapes: list[tuple[int, ...]]) -> Any:
    """A mask whose booleans say where to look, from one whose booleans say where not to. Raises ShapeError for other shapes."""
    if np.shape(mask) not in shapes:
        expected = " or ".join(map(str, shapes))
        raise ShapeError(f"MultiheadAttention: got {name} of shape {np.shape(mask)}, expected {expected}")
    mask = plain_array("MultiheadAttention", "mask", mask)
    return ~np.asarray(data_of(mask)) if mask.dtype == bool else mask
