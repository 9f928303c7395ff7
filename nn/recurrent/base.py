"""What recurrent layers and their cells share, which is all but the formula of one step."""

from __future__ import annotations

from math import sqrt
from typing import Any
from warnings import warn

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import ShapeError, TinygradError, Value, concatenate, stack, swapaxes
from tinygrad_edu import dropout as drop

from .. import init
from ..checks import PROBABILITY, checked, float_type, generator, plain_array, size, unusual
from ..module import Module

NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
State = tuple[Any, ...]  # (h,), or (h, c) for an LSTM
SHOWN = ("num_layers", "bias", "batch_first", "dropout", "bidirectional")  # by repr, if not the default


class Recurrence(Module):
    """The formula of one step, by which a state follows from an input and the last state: of a layer and of its cell.

    A subclass says how many blocks of rows its weights have (`gates`) and what it remembers (`states`), and defines `cell`.
    """

    gates: int
    states: tuple[str, ...] = ("h",)
    bias: bool

    def _sized(self, input_size: int, hidden_size: int, bias: bool) -> None:
        name = self.name = type(self).__name__
        self.input_size, self.hidden_size = size(name, "input_size", input_size), size(name, "hidden_size", hidden_size)
        self.bias = bias

    def _add_parameters(self, columns: int, suffix: str, rng: np.random.Generator, dtype: np.dtype[Any]) -> None:
        """weight_ih, weight_hh, bias_ih and bias_hh with a suffix, for inputs of so many numbers."""
        rows, bound = self.gates * self.hidden_size, 1 / sqrt(self.hidden_size)
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, columns), "weight_hh": (rows, self.hidden_size)}
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if self.bias else {}
        for what, shape in shapes.items():
            weight = np.asfortranarray(init.uniform(shape, -bound, bound, rng, dtype))  # as in Linear
            setattr(self, f"{what}{suffix}", Value(weight, copy=False))

    def _parameters(self, suffix: str) -> list[Any]:
        return [getattr(self, f"{name}{suffix}", None) for name in NAMES]

    def cell(self, x: Any, state: State, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> State:
        """The formula of one step: x (batch, inputs) and the last state -> the next, each array of (batch, hidden_size)."""
        raise TinygradError(f"{self.name}: define cell, the formula of one step")

    def _state(self, hx: Any, shape: tuple[int, ...], dtype: np.dtype[Any], when: str = "") -> State:
        """hx as a tuple of arrays of a shape, zeros for None. Raises ShapeError for other shapes."""
        if hx is None:
            return tuple([np.zeros(shape, dtype) for _ in self.states])
        parts = hx if len(self.states) > 1 else (hx,)
        got = [np.shape(part) for part in parts]
        if got != [shape] * len(self.states):
            expected = " and ".join(f"{name}{when} of shape {shape}" for name in self.states)
            raise ShapeError(f"{self.name}: got hx of shape {got}, expected {expected}; leave it out for zeros")
        return tuple([plain_array(self.name, "hx", part) for part in parts])


class Cell(Recurrence):
    """One step of a recurrent network, to be called for each step of a sequence."""

    weight_ih: Value

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        self._sized(input_size, hidden_size, bias)
        self._add_parameters(self.input_size, "", generator(self.name, rng), float_type(self.name, dtype))

    def forward(self, x: Any, hx: Any = None) -> Any:
        """x: (batch, input_size), or (input_size,) -> the next state.

        Args:
            hx: the last state, None for zeros: h of (batch, hidden_size), without the batch if x has none; (h, c) for an LSTM.

        Returns:
            h, like hx; (h, c) for an LSTM.

        Raises ShapeError if x has other axes or another last size, or hx another shape.
        """
        x = plain_array(self.name, "x", x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            expected = f"(batch, {self.input_size}) or ({self.input_size},)"
            raise ShapeError(f"{self.name}: got x of shape {x.shape}, expected {expected}")
        state = self._state(hx, (*x.shape[:-1], self.hidden_size), self.weight_ih.dtype)
        state = self.cell(x, state, *self._parameters(""))
        return state if len(state) > 1 else state[0]

    def describe(self) -> str:
        """input_size, hidden_size, and what differs from the defaults."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class Recurrent(Recurrence):
    """Layers of cells, each of which goes through a sequence step by step; the next layer reads what it wrote."""

    weight_ih_l0: Value

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        self._sized(input_size, hidden_size, bias)
        name = self.name
        self.num_layers = size(name, "num_layers", num_layers)
        self.dropout = checked(name, "dropout", dropout, PROBABILITY)
        if dropout and num_layers == 1:
            warn(f"{name}: dropout={dropout} acts between layers, and num_layers=1; leave it out", stacklevel=1)
        self.batch_first, self.bidirectional = batch_first, bidirectional
        self.rng = generator(name, rng)
        dtype = float_type(name, dtype)
        self.directions = ("", "_reverse") if bidirectional else ("",)
        for k in range(num_layers):
            columns = hidden_size * len(self.directions) if k else input_size
            for direction in self.directions:
                self._add_parameters(columns, f"_l{k}{direction}", self.rng, dtype)

    def forward(self, x: Any, hx: Any = None) -> tuple[Any, Any]:
        """x: (time, batch, input_size), or (batch, time, input_size) if batch_first, or (time, input_size) -> (output, h_n).

        Args:
            hx: what to remember at first, None for zeros: h_0 of (layers · directions, batch, hidden_size), without the batch
                if x has none; (h_0, c_0) for an LSTM. The two directions of a layer are neighbours, forward first.

        Returns:
            output: h of the last layer after each step, its directions side by side, in the layout of x.
            h_n: h of all layers after their last step, like h_0; (h_n, c_n) for an LSTM.

        Raises:
            ShapeError: if x has other axes, another last size, or no steps; if hx has another shape.
        """
        x = plain_array(self.name, "x", x)
        batched = x.ndim == 3
        swapped = self.batch_first and batched
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or not x.shape[int(swapped)]:
            order = "batch, time" if self.batch_first else "time, batch"
            expected = f"({order}, {self.input_size}) or (time, {self.input_size}), of at least one step"
            raise ShapeError(f"{self.name}: got x of shape {x.shape}, expected {expected}")
        x = x[:, None] if not batched else swapaxes(x, 0, 1) if swapped else x  # (time, batch, input_size)
        steps, ends = [x[t] for t in range(x.shape[0])], []
        start = self._start(hx, x.shape[1], batched)
        for layer, states in enumerate(start):  # one state for each direction
            if layer:
                steps = [drop(h, p=self.dropout, rng=self.rng, training=self.training) for h in steps]
            runs = [self._run(steps, state, layer, d) for state, d in zip(states, self.directions, strict=True)]
            ends += [end for _, end in runs]  # h, or h and c, of (batch, hidden_size)
            pairs = zip(*[hs for hs, _ in runs], strict=True)  # each h forward and h backward of a time
            steps = [concatenate(pair, axis=-1) for pair in pairs] if len(runs) > 1 else runs[0][0]
        output, final = stack(steps), [stack(parts) for parts in zip(*ends, strict=True)]
        if not batched:
            output, final = output[:, 0], [part[:, 0] for part in final]
        return swapaxes(output, 0, 1) if swapped else output, tuple(final) if len(final) > 1 else final[0]

    def _run(self, steps: list[Any], state: State, layer: int, direction: str) -> tuple[list[Any], State]:
        """One layer in one direction: h at each place of the sequence, and the last state."""
        parameters = self._parameters(f"_l{layer}{direction}")
        hs = []
        for x in reversed(steps) if direction else steps:
            state = self.cell(x, state, *parameters)
            hs.append(state[0])
        return (hs[::-1] if direction else hs), state

    def _start(self, hx: Any, batch: int, batched: bool) -> list[list[State]]:
        """The first states, by layer and direction."""
        rows = self.num_layers * len(self.directions)
        shape = (rows, batch, self.hidden_size) if batched else (rows, self.hidden_size)
        parts = self._state(hx, shape, self.weight_ih_l0.dtype, "_0")
        parts = parts if batched else tuple([part[:, None] for part in parts])
        states = [tuple(part[i] for part in parts) for i in range(rows)]
        return [states[k : k + len(self.directions)] for k in range(0, rows, len(self.directions))]

    def describe(self) -> str:
        """input_size, hidden_size, and what differs from the defaults."""
        told = unusual(Recurrent.__init__, {name: getattr(self, name) for name in SHOWN})
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *told])
