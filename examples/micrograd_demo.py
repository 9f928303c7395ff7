"""micrograd's two-moons demo, with micrograd's own nn.py running on our Value in place of its own.

Needs `pip install micrograd==0.1.0 scikit-learn`. Same data, seeds, network (337 parameters), loss and learning rates as the
demo notebook in micrograd's repository; ends at 100% accuracy and the notebook's final loss, in a fraction of its time.

    python examples/micrograd_demo.py [steps]
"""

from __future__ import annotations

import random
import sys
from typing import Any

import micrograd.nn
import numpy as np
from sklearn.datasets import make_moons

import tinygrad_edu


def train(
    value: Any, steps: int = 100, samples: int = 100, hidden: tuple[int, ...] = (16, 16)
) -> list[tuple[float, float]]:
    """(loss, accuracy) of each step, with `value` as the class of all numbers."""
    micrograd.nn.Value = value
    np.random.seed(1337)
    random.seed(1337)
    points, signs = make_moons(n_samples=samples, noise=0.1)
    signs = signs * 2 - 1
    model = micrograd.nn.MLP(2, [*hidden, 1])
    seen = []
    for k in range(steps):
        scores = [model([value(x) for x in point]) for point in points]
        losses = [(1 + -sign * score).relu() for sign, score in zip(signs, scores, strict=True)]  # the hinge
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        right = [(sign > 0) == (score.data > 0) for sign, score in zip(signs, scores, strict=True)]
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
        seen.append((loss.data, float(np.mean(right))))
    return seen


if __name__ == "__main__":
    history = train(tinygrad_edu.Value, int(sys.argv[1]) if len(sys.argv) > 1 else 100)
    for step in range(0, len(history), 10):
        print(f"step {step:3}  loss {history[step][0]:.6f}  accuracy {history[step][1]:.0%}")
    print(f"after {len(history)} steps: loss {history[-1][0]!r}, accuracy {history[-1][1]:.0%}")
