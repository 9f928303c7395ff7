"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import ShapeError, TinygradError

from .activation import ReLU
from .checks import generator
from .dropout import Dropout
from .linear import Linear
from .module import Module


class Sequential(Module):
    """One module after another: Sequential(a, b)(x) is b(a(x)). An index gives a module, a slice a Sequential of them."""

    def __init__(self, *layers: Module) -> None:
        for layer in layers:
            if not isinstance(layer, Module):
                raise TinygradError(
                    f"Sequential: got {layer!r}, expected modules one by one, as in Sequential(a, nn.ReLU(), b)"
                )
        for i, layer in enumerate(layers):
            setattr(self, str(i), layer)  # PyTorch's paths: "0.weight"
        self._count = len(layers)

    def forward(self, x: Any) -> Any:
        """x through all layers in turn."""
        for layer in self:
            x = layer(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        return (vars(self)[str(i)] for i in range(self._count))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, i: int) -> Module: ...

    @overload
    def __getitem__(self, i: slice) -> Sequential: ...

    def __getitem__(self, i: int | slice) -> Module:
        layers = list(self)
        return Sequential(*layers[i]) if isinstance(i, slice) else layers[i]


class Residual(Module):
    """x + body(x): a path around the body, on which gradient passes unchanged (He et al., CVPR 2016).

    Args:
        body: a module whose output has its input's shape.
        shortcut: a module for the other path where the shapes differ; None for x itself.
    """

    def __init__(self, body: Module, shortcut: Module | None = None) -> None:
        for module in (body, shortcut):
            if module is not None and not isinstance(module, Module):
                raise TinygradError(f"Residual: got {module!r}, expected a module, as in Residual(Sequential(a, b))")
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Any) -> Any:
        """x -> x + body(x), of the body's shape. Raises ShapeError if the two shapes differ."""
        y, around = self.body(x), x if self.shortcut is None else self.shortcut(x)
        if np.shape(y) != np.shape(around):
            raise ShapeError(
                f"Residual: the body returned shape {np.shape(y)}, the path around it {np.shape(around)}; expected the same, so "
                "pass shortcut= a module that changes it"
            )
        return around + y


class MLP(Sequential):
    """Multilayer perceptron: linear layers, each but the last followed by a norm, an activation and dropout, where wanted.

    nn.MLP((784, 100, 40, 10), nn.Sigmoid, output=nn.Sigmoid)  # activations in all three layers

    Args:
        sizes: of the input, the hidden layers and the output, such as (64, 100, 40, 10).
        activation: called once for each gap between two linear layers.
        norm: called with the size of each hidden layer, such as nn.LayerNorm or nn.BatchNorm1d.
        dropout: probability with which hidden units are dropped in training.
        output: called once for the activation after the last layer; None for none, as losses of scores want it.
        rng: random generator for the initial weights and dropout, or a seed for one; unseeded if None.
        dtype: of the parameters.

    Raises:
        ShapeError: if there are fewer than two sizes, or one is no positive integer.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Callable[[], Module] = ReLU,
        norm: Callable[[int], Module] | None = None,
        dropout: float = 0.0,
        *,
        output: Callable[[], Module] | None = None,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        for what, factory in (("activation", activation), ("norm", norm), ("output", output)):
            if isinstance(factory, Module):
                got = f"{type(factory).__name__}()"
                raise TinygradError(
                    f"MLP: got the module {got} as {what}, expected its class: each gap gets one of its own"
                )
        if not isinstance(sizes, Sequence) or len(sizes) < 2:
            raise ShapeError(
                f"MLP: got sizes {sizes}, expected at least an input and an output size, as in MLP((2, 8, 1))"
            )
        rng = generator("MLP", rng)  # a Generator stays itself
        layers: list[Module] = []
        for fan_in, fan_out in pairwise(sizes):
            if layers:
                layers += [norm(fan_in).astype(dtype)] if norm is not None else []
                layers.append(activation())
                layers += [Dropout(dropout, rng=rng)] if dropout else []
            layers.append(Linear(fan_in, fan_out, rng=rng, dtype=dtype))
        layers += [output()] if output is not None else []
        super().__init__(*layers)
