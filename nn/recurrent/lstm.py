"""LSTM: a recurrent network with a memory that it writes to and reads from through gates, and its cell."""

from __future__ import annotations

from typing import Any

from tinygrad_edu import sigmoid, split, tanh

from ..functional import linear
from .base import Cell, Recurrence, Recurrent, State


class _Gated(Recurrence):
    gates = 4
    states = ("h", "c")

    def cell(self, x: Any, state: State, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> State:
        """(h, c) -> (o tanh(c), c) with c = f c + i g."""
        h, c = state
        i, f, g, o = split(linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh), 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c


class LSTM(_Gated, Recurrent):
    """Long short-term memory: for each step x of a sequence, with the gates i (input), f (forget) and o (output),

        i = σ(W_ii x + b_ii + W_hi h + b_hi)
        f = σ(W_if x + b_if + W_hf h + b_hf)
        g = tanh(W_ig x + b_ig + W_hg h + b_hg)
        o = σ(W_io x + b_io + W_ho h + b_ho)
        c ← f c + i g
        h ← o tanh(c)

    Arguments, attributes, initial weights and errors as for `RNN`, without a nonlinearity; hx and h_n are pairs (h, c). The
    weights have 4 · hidden_size rows: those of i, f, g and o one below the other, as in PyTorch.

    See Hochreiter & Schmidhuber, "Long Short-Term Memory" (1997); f is of Gers, Schmidhuber & Cummins (2000).
    """


class LSTMCell(_Gated, Cell):
    """One step of an `LSTM`: x, (h, c) -> (h, c).

    Args:
        input_size, hidden_size: numbers in x and in h.
        bias: False leaves b_ih and b_hh out.
        rng: random generator for the initial weights, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        weight_ih, weight_hh, bias_ih, bias_hh: as weight_ih_l0, ... of `LSTM`.

    Raises ShapeError for a size that is no positive integer.
    """
