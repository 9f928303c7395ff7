"""One training step of micrograd's two-moons demo: a graph of 65,481 numbers.

The demo's own text (its notebook), with micrograd's own nn.py: 100 points, an MLP 2-16-16-1, hinge loss with L2 of 1e-4,
gradient descent. For our engine micrograd.nn is given our Value in place of its own, and nothing else changes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from ..work import COMPILED, OURS, Job, Work, flat, timed


def demo(value: Any) -> Job:
    import random

    import micrograd.nn
    import numpy as np
    from sklearn.datasets import make_moons

    np.random.seed(1337)  # as the demo does
    random.seed(1337)
    X, y = make_moons(n_samples=100, noise=0.1)
    y = y * 2 - 1
    micrograd.nn.Value = value
    model = micrograd.nn.MLP(2, [16, 16, 1])
    k = 0

    def step() -> float:
        nonlocal k
        inputs = [list(map(value, row)) for row in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        reg_loss = 1e-4 * sum(p * p for p in model.parameters())
        loss = data_loss + reg_loss
        model.zero_grad()
        loss.backward()
        learning_rate = 1.0 - 0.9 * min(k, 100) / 100
        k += 1
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        return float(loss.data)

    losses = [step() for _ in range(3)]
    return timed(step, flat(losses, [p.grad for p in model.parameters()]))


def micrograd() -> Job:
    from micrograd.engine import Value

    return demo(Value)


def ours() -> Job:
    from tinygrad_edu import Value

    return demo(Value)


def compiled() -> Job:
    """The same arithmetic as a function of the parameters, in the demo's order; it runs by levels."""
    import random

    import numpy as np
    from sklearn.datasets import make_moons

    from tinygrad_edu import compile, relu, value_and_grad

    np.random.seed(1337)
    random.seed(1337)
    X, y = make_moons(n_samples=100, noise=0.1)
    signs, points = (y * 2 - 1).tolist(), X.tolist()
    sizes = [2, 16, 16, 1]
    layers = [
        [[random.uniform(-1, 1) for _ in range(n)] + [0.0] for _ in range(m)]  # a neuron's weights and bias
        for n, m in pairwise(sizes)
    ]

    def score(layers: Any, point: Any) -> Any:
        for k, layer in enumerate(layers):
            sums = [sum((w * x for w, x in zip(neuron, point, strict=False)), neuron[-1]) for neuron in layer]
            point = [relu(x) for x in sums] if k < len(layers) - 1 else sums
        return point[0]

    def loss(layers: Any) -> Any:
        losses = [relu(1 + -sign * score(layers, point)) for sign, point in zip(signs, points, strict=True)]
        squares = sum(w * w for layer in layers for neuron in layer for w in neuron)
        return sum(losses) * (1.0 / len(losses)) + 1e-4 * squares

    run = compile(value_and_grad(loss))
    k = 0

    def step() -> float:
        nonlocal k, layers, gradients
        value, gradients = run(layers)
        learning_rate = 1.0 - 0.9 * min(k, 100) / 100
        k += 1
        layers = [
            [[w - learning_rate * d for w, d in zip(*pair, strict=True)] for pair in zip(*both, strict=True)]
            for both in zip(layers, gradients, strict=True)
        ]
        return float(value)

    gradients: Any = None
    losses = [step() for _ in range(3)]
    return timed(step, flat(losses, [d for layer in gradients for neuron in layer for d in neuron]))


MOONS = Work(
    name="moons",
    title="two-moons step, 65,481 nodes",
    reference="micrograd",
    hold=0.17,
    rounds=11,
    jobs={"micrograd": micrograd, OURS: ours, COMPILED: compiled},
)
