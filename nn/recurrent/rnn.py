"""RNN: the plain recurrent network, which remembers by feeding its output back, and its cell."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import relu, tanh

from ..checks import checked, one_of
from ..functional import linear
from .base import Cell, Recurrence, Recurrent, State

ACTIVATIONS = {"tanh": tanh, "relu": relu}


class _Plain(Recurrence):
    gates = 1

    def _choose(self, nonlinearity: str) -> None:
        self.nonlinearity = checked(type(self).__name__, "nonlinearity", nonlinearity, one_of(*ACTIVATIONS))

    def cell(self, x: Any, state: State, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> State:
        """(h,) -> (tanh(W_ih x + b_ih + W_hh h + b_hh),)."""
        (h,) = state
        return (ACTIVATIONS[self.nonlinearity](linear(x, weight_ih, bias_ih) + linear(h, weight_hh, bias_hh)),)

    def describe(self) -> str:
        """input_size, hidden_size, and what differs from the defaults."""
        told = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity!r}"
        return f"{super().describe()}{told}"


class RNN(_Plain, Recurrent):
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

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        self._choose(nonlinearity)
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias=bias,
            batch_first=batch_first,
            dropout=dropout,
            bidirectional=bidirectional,
            rng=rng,
            dtype=dtype,
        )


class RNNCell(_Plain, Cell):
    """One step of an `RNN`: (x, h) -> h.

    Args:
        input_size, hidden_size: numbers in x and in h.
        bias: False leaves b_ih and b_hh out.
        nonlinearity: "tanh" or "relu".
        rng: random generator for the initial weights, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Attributes:
        weight_ih, weight_hh, bias_ih, bias_hh: as weight_ih_l0, ... of `RNN`.

    Raises ShapeError for a size that is no positive integer, TinygradError for an unknown nonlinearity.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        self._choose(nonlinearity)
        super().__init__(input_size, hidden_size, bias=bias, rng=rng, dtype=dtype)
