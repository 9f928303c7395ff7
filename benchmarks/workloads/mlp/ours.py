"""This engine's training step, as its users write it with the nn package."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .problem import SIZES, Array, Optimiser, Step


def train(
    optimiser: Optimiser, rate: float, images: Array, labels: Array, weights: list[Array]
) -> tuple[Step, Callable[[], list[Array]]]:
    import nn

    model = nn.MLP(SIZES, nn.ReLU, dtype=np.float32)
    parameters = model.parameters()
    for p, w in zip(parameters, weights, strict=True):
        p.data[...] = w.T  # ours are (out, in), in the memory order that the layer chose
    optimizer = {"SGD": nn.optim.SGD, "Adam": nn.optim.Adam}[optimiser](parameters, lr=rate)

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward(retain_graph=False)
        optimizer.step()
        return loss.item()

    return step, lambda: [p.data.T for p in parameters]
