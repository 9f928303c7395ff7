"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import ShapeError, TinygradError

from .activation import ReLU
from .linear import Linear
from .module import Module


class Sequential(Module):
    """One module after another: Sequential(a, b)(x) is b(a(x))."""

    def __init__(self, *layers: Module) -> None:
        for layer in layers:
            if not isinstance(layer, Module):
                raise TinygradError(
                    f"Sequential: got {layer!r}, expected modules one by one, as in Sequential(a, nn.ReLU(), b)"
                )
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        """x through all layers in turn."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Module:
        return self.layers[i]


class MLP(Sequential):
    """Multilayer perceptron: linear layers with an activation between each two.

    Args:
        sizes: of the input, the hidden layers and the output, such as (64, 100, 40, 10).
        activation: called once for each gap between two linear layers.
        rng: random generator for the initial weights, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Raises:
        ShapeError: if there are fewer than two sizes.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Callable[[], Module] = ReLU,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        if isinstance(activation, Module):
            got = f"{type(activation).__name__}()"
            raise TinygradError(
                f"MLP: got the module {got} as activation, expected its class: each gap gets one of its own"
            )
        if not isinstance(sizes, Sequence) or len(sizes) < 2:
            raise ShapeError(
                f"MLP: got sizes {sizes}, expected at least an input and an output size, as in MLP((2, 8, 1))"
            )
        rng = np.random.default_rng(rng)  # a Generator stays itself
        layers: list[Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [activation()] if layers else []
            layers.append(Linear(fan_in, fan_out, rng=rng, dtype=dtype))
        super().__init__(*layers)
