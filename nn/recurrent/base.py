"""Recurrent: what RNN, GRU and LSTM share, which is all but the formula of one step."""

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

State = tuple[Any, ...]  # (h,), or (h, c) for an LSTM
SHOWN = ("num_layers", "bias", "batch_first", "dropout", "bidirectional")  # by repr, if not the default


class Recurrent(Module):
    """Layers of cells, each of which goes through a sequence step by step; the next layer reads what it wrote.

    A subclass says how many blocks of rows its weights have (`gates`) and what it remembers (`states`), and defines `cell`.
    """

    gates: int
    states: tuple[str, ...] = ("h",)
    weight_ih_l0: Value

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        name = self.name = type(self).__name__
        self.input_size, self.hidden_size = size(name, "input_size", input_size), size(name, "hidden_size", hidden_size)
        self.num_layers = size(name, "num_layers", num_layers)
        self.dropout = checked(name, "dropout", dropout, PROBABILITY)
        if dropout and num_layers == 1:
            warn(f"{name}: dropout={dropout} acts between layers, and num_layers=1; leave it out", stacklevel=1)
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bidirectional
        self.rng = generator(name, rng)
        dtype = float_type(name, dtype)
        self.directions = ("", "_reverse") if bidirectional else ("",)
        rows, bound = self.gates * hidden_size, 1 / sqrt(hidden_size)
        for k in range(num_layers):
            columns = hidden_size * len(self.directions) if k else input_size
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, columns), "weight_hh": (rows, hidden_size)}
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
            for direction in self.directions:
                for what, shape in shapes.items():
                    weight = np.asfortranarray(init.uniform(shape, -bound, bound, self.rng, dtype))  # as in Linear
                    setattr(self, f"{what}_l{k}{direction}", Value(weight, copy=False))

    def cell(self, x: Any, state: State, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any) -> State:
        """The formula of one step: x (batch, inputs) and the last state -> the next, each array of (batch, hidden_size)."""
        raise TinygradError(f"{self.name}: define cell, the formula of one step")

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
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        parameters = [getattr(self, f"{name}_l{layer}{direction}", None) for name in names]
        hs = []
        for x in reversed(steps) if direction else steps:
            state = self.cell(x, state, *parameters)
            hs.append(state[0])
        return (hs[::-1] if direction else hs), state

    def _start(self, hx: Any, batch: int, batched: bool) -> list[list[State]]:
        """The first states, by layer and direction."""
        rows = self.num_layers * len(self.directions)
        shape = (rows, batch, self.hidden_size) if batched else (rows, self.hidden_size)
        if hx is None:
            dtype = self.weight_ih_l0.dtype
            hx = tuple(np.zeros(shape, dtype) for _ in self.states)
        elif len(self.states) == 1:
            hx = (hx,)
        got = [np.shape(part) for part in hx]
        if got != [shape] * len(self.states):
            expected = " and ".join(f"{name}_0 of shape {shape}" for name in self.states)
            raise ShapeError(f"{self.name}: got hx of shape {got}, expected {expected}; leave it out for zeros")
        parts = [plain_array(self.name, "hx", part) for part in hx]
        parts = parts if batched else [part[:, None] for part in parts]
        states = [tuple(part[i] for part in parts) for i in range(rows)]
        return [states[k : k + len(self.directions)] for k in range(0, rows, len(self.directions))]

    def describe(self) -> str:
        """input_size, hidden_size, and what differs from the defaults."""
        told = unusual(Recurrent.__init__, {name: getattr(self, name) for name in SHOWN})
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *told])
