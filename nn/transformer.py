"""TransformerEncoderLayer: attention among the places of a sequence, then a small network at each place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import ShapeError, TinygradError, gelu, relu

from .attention import MultiheadAttention
from .checks import generator, size
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

ACTIVATIONS = {"relu": relu, "gelu": gelu}


class TransformerEncoderLayer(Module):
    """One layer of a transformer's encoder:

        x ← norm1(x + attention(x))        x ← norm2(x + network(x))        or, if norm_first,
        x ← x + attention(norm1(x))        x ← x + network(norm2(x))

    with network(x) = W_2 activation(W_1 x + b_1) + b_2, and dropout after attention, activation and network.

    Args:
        d_model: size of x at each place.
        nhead: heads of the attention; must divide d_model.
        dim_feedforward: hidden units of the network.
        dropout: probability for all dropout, that of attention's weights included.
        activation: "relu", "gelu", or a function of its own.
        layer_norm_eps: eps of both norms.
        batch_first: whether batches are (batch, length, d_model) rather than (length, batch, d_model).
        norm_first: see above; easier to train in deep networks (Xiong et al., 2020).
        bias: False leaves all biases out.
        rng: random generator for the initial weights and dropout, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        self_attn, linear1, dropout, linear2, norm1, norm2, dropout1, dropout2: its modules, as in PyTorch.

    Raises:
        ShapeError: for a size that is no positive integer, or an nhead that does not divide d_model.
        TinygradError: for an unknown activation, or a dropout outside 0 to 1.

    See Vaswani et al., "Attention Is All You Need" (2017), section 3.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        if not callable(activation) and activation not in ACTIVATIONS:
            raise TinygradError(
                f"TransformerEncoderLayer: got activation={activation!r}, expected 'relu', 'gelu' or a function"
            )
        size("TransformerEncoderLayer", "dim_feedforward", dim_feedforward)
        rng = generator("TransformerEncoderLayer", rng)  # a Generator stays itself
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, rng=rng, dtype=dtype
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, rng=rng, dtype=dtype)
        self.dropout = Dropout(dropout, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, bias, rng=rng, dtype=dtype)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout, rng=rng), Dropout(dropout, rng=rng)
        self.activation = activation if callable(activation) else ACTIVATIONS[activation]
        self.norm_first = norm_first

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """src: (length, batch, d_model), or (batch, length, d_model) if batch_first, or (length, d_model) -> the same.

        Args:
            src_mask, src_key_padding_mask, is_causal: attn_mask, key_padding_mask and is_causal of `MultiheadAttention`.

        Raises ShapeError if the shapes do not fit, DTypeError for a mask of integers.
        """
        if np.ndim(src) not in (2, 3) or np.shape(src)[-1] != self.self_attn.embed_dim:
            d_model = self.self_attn.embed_dim
            raise ShapeError(
                f"TransformerEncoderLayer: got src of shape {np.shape(src)}, expected 2 or 3 axes, the last of size {d_model}"
            )

        def attention(x: Any) -> Any:
            return self.dropout1(self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0])

        def network(x: Any) -> Any:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        if self.norm_first:
            x = src + attention(self.norm1(src))
            return x + network(self.norm2(x))
        x = self.norm1(src + attention(src))
        return self.norm2(x + network(x))
