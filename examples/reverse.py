"""A transformer learns to say digits in reverse.

Each digit becomes a vector, to which a vector for its place is added. One layer of attention then has to find, for each place,
the place as far from the other end. Training sequences are random, and so are those that it is tried on: of 10¹⁰ sequences it
sees two in a million.

    python examples/reverse.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn
from tinygrad_edu import no_grad

LENGTH, DIGITS, SIZE = 10, 10, 32
SEED = 0


class Reverser(nn.Module):
    """Digits (batch, LENGTH) -> for each place the logits of the digits, (batch, LENGTH, DIGITS)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.digits = nn.Embedding(DIGITS, SIZE, rng=rng)
        self.places = nn.Embedding(LENGTH, SIZE, rng=rng)
        self.layer = nn.TransformerEncoderLayer(SIZE, 2, 64, dropout=0.0, batch_first=True, rng=rng)
        self.read = nn.Linear(SIZE, DIGITS, rng=rng)

    def forward(self, x: Any) -> Any:
        """Logits of the digits said."""
        return self.read(self.layer(self.digits(x) + self.places(np.arange(LENGTH))))


def reverse(model: Reverser, sequences: NDArray[Any]) -> NDArray[Any]:
    """(n, LENGTH) -> the same: what the model says."""
    with no_grad():
        return np.argmax(model(sequences).data, axis=-1)


def train(model: Reverser, rng: np.random.Generator, steps: int = 300) -> list[float]:
    """The loss at each step, on sequences that are new each time."""
    optimizer = nn.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(steps):
        x = rng.integers(DIGITS, size=(64, LENGTH))
        loss = nn.functional.cross_entropy(model(x).reshape(-1, DIGITS), x[:, ::-1].ravel())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main() -> float:
    """Train and show; returns the share of sequences in which every digit is right."""
    rng = np.random.default_rng(SEED)
    model = Reverser(rng)
    print(model)
    losses = train(model, rng)
    for step in range(0, len(losses), 50):
        print(f"step {step:3}  loss {losses[step]:.6f}")
    tried = rng.integers(DIGITS, size=(10_000, LENGTH))
    said = reverse(model, tried)
    for x, y in zip(tried[:5], said[:5], strict=True):
        print(f"{''.join(map(str, x))} -> {''.join(map(str, y))}")
    share = float(np.mean(np.all(said == tried[:, ::-1], axis=1)))
    print(f"sequences reversed without a mistake: {share:.2%} of {len(tried)}")
    return share


if __name__ == "__main__":
    main()
