"""GRU: a recurrent network whose memory has gates, and its cell."""

from __future__ import annotations

from typing import Any

from tinygrad_edu import sigmoid, split, tanh

from ..functional import linear
from .base import Cell, Recurrence, Recurrent, State


class _Gated(Recurrence):
    gates = 3

    def cell(self, x: Any, state: State, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> State:
        """(h,) -> ((1 - z) n + z h,)."""
        (h,) = state
        x_r, x_z, x_n = split(linear(x, weight_ih, bias_ih), 3, axis=-1)
        h_r, h_z, h_n = split(linear(h, weight_hh, bias_hh), 3, axis=-1)
        r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
        n = tanh(x_n + r * h_n)
        return ((1 - z) * n + z * h,)


class GRU(_Gated, Recurrent):
    """Gated recurrent unit: for each step x of a sequence, with the gates r (reset) and z (update),

        r = σ(W_ir x + b_ir + W_hr h + b_hr)
        z = σ(W_iz x + b_iz + W_hz h + b_hz)
        n = tanh(W_in x + b_in + r (W_hn h + b_hn))
        h ← (1 - z) n + z h

    Arguments, attributes, initial weights and errors as for `RNN`, without a nonlinearity. The weights have 3 · hidden_size
    rows: those of r, z and n one below the other, as in PyTorch.

    See Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014), whose r is inside the product W_hn (r h).
    """


class GRUCell(_Gated, Cell):
    """One step of a `GRU`: (x, h) -> h.

    Args:
        input_size, hidden_size: numbers in x and in h.
        bias: False leaves b_ih and b_hh out.
        rng: random generator for the initial weights, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        weight_ih, weight_hh, bias_ih, bias_hh: as weight_ih_l0, ... of `GRU`.

    Raises ShapeError for a size that is no positive integer.
    """
