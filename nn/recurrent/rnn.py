"""RNN: the plain recurrent network, which remembers by feeding its output back."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import TinygradError, relu, tanh

from ..checks import unusual
from ..functional import linear
from .base import Recurrent, State

ACTIVATIONS = {"tanh": tanh, "relu": relu}


class RNN(Recurrent):
    """h ← tanh(W_ih x + b_ih + W_hh h + b_hh), for each step x of a sequence.

    Args:
        input_size: numbers in a step of the sequence.
        hidden_size: numbers in h.
        num_layers: each layer from the second on reads what the last one wrote.
        nonlinearity: "tanh" or "relu".
        bias: False leaves b_ih and b_hh out.
        batch_first: whether batches are (batch, time, ...) rather than (time, batch, ...); says nothing about h.
        dropout: probability with which numbers between layers are dropped in training.
        bidirectional: whether each layer also reads the sequence from its end, with weights of its own, "..._reverse".
        rng: random generator for the initial weights and dropout, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0: of the first layer, (hidden_size, inputs), (hidden_size,
            hidden_size) and (hidden_size,), initially uniform on ±1/√hidden_size, as in PyTorch; then weight_ih_l0_reverse,
            ..., weight_ih_l1, ...

    Raises:
        ShapeError: for a size that is no positive integer.
        TinygradError: for an unknown nonlinearity, or a dropout outside 0 to 1.

    See Elman, "Finding Structure in Time" (1990).
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        if nonlinearity not in ACTIVATIONS:
            raise TinygradError(f"RNN: got nonlinearity={nonlinearity!r}, expected 'tanh' or 'relu'")
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng=rng, dtype=dtype
        )
        self.nonlinearity = nonlinearity

    def cell(self, x: Any, state: State, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> State:
        """(h,) -> (tanh(W_ih x + b_ih + W_hh h + b_hh),)."""
        (h,) = state
        return (ACTIVATIONS[self.nonlinearity](linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)),)

    def describe(self) -> str:
        """input_size, hidden_size, and what differs from the defaults."""
        return ", ".join([super().describe(), *unusual(RNN.__init__, {"nonlinearity": self.nonlinearity})])
