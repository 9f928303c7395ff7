"""This engine's training step, as its users write it with the nn package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .problem import SIZES, Array, Optimiser, Step


def _model(optimiser: Optimiser, rate: float, weights: list[Array]) -> tuple[Any, Any, Callable[[], list[Array]]]:
    """The model with these weights, its optimiser, and what reads the weights."""
    import nn

    model = nn.MLP(SIZES, nn.ReLU, dtype=np.float32)
    parameters = model.parameters()
    for p, w in zip(parameters, weights, strict=True):
        p.data[...] = w.T  # ours are (out, in), in the memory order that the layer chose
    optimizer = {"SGD": nn.optim.SGD, "Adam": nn.optim.Adam}[optimiser](parameters, lr=rate)
    return model, optimizer, lambda: [p.data.T for p in parameters]


def train(
    optimiser: Optimiser, rate: float, images: Array, labels: Array, weights: list[Array]
) -> tuple[Step, Callable[[], list[Array]]]:
    import nn

    model, optimizer, read = _model(optimiser, rate, weights)

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward(retain_graph=False)
        optimizer.step()
        return loss.item()

    return step, read


def compiled(
    optimiser: Optimiser, rate: float, images: Array, labels: Array, weights: list[Array]
) -> tuple[Step, Callable[[], list[Array]]]:
    """The same by nn.compile_step."""
    import nn

    model, optimizer, read = _model(optimiser, rate, weights)
    step = nn.compile_step(model, nn.functional.cross_entropy, optimizer)
    return lambda: step(images, labels), read
