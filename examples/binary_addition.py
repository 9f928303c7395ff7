"""A recurrent network learns to add.

A GRU reads two binary numbers as we add them on paper, from their last digits on: at each step a bit of either. It says the
bit of their sum, so it has to carry. It learns from a tenth of all pairs of 7-bit numbers, and is tried on the others, and on
pairs of 24-bit numbers, which are longer than anything it has seen.

    python examples/binary_addition.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn
from tinygrad_edu import no_grad

BITS, LONGER, HIDDEN = 7, 24, 16
SEED = 0


class Adder(nn.Module):
    """Bits of two numbers, (time, batch, 2) -> for each bit of the sum the logits of 0 and 1, (time, batch, 2)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.gru = nn.GRU(2, HIDDEN, rng=rng)
        self.read = nn.Linear(HIDDEN, 2, rng=rng)

    def forward(self, x: Any) -> Any:
        """The bits said after each step."""
        return self.read(self.gru(x)[0])


def to_bits(numbers: NDArray[Any], count: int) -> NDArray[Any]:
    """(...) -> (count, ...): the bits of whole numbers, the least significant first."""
    return np.stack([numbers >> k & 1 for k in range(count)])


def from_bits(bits: NDArray[Any]) -> NDArray[Any]:
    """(count, ...) -> (...): the inverse of `to_bits`."""
    return np.sum([bit << k for k, bit in enumerate(bits)], axis=0)


def add(model: Adder, pairs: NDArray[Any], bits: int) -> NDArray[Any]:
    """(n, 2) -> (n,): the sums of pairs of numbers of so many bits, in the model's opinion."""
    with no_grad():
        logits = model(to_bits(pairs, bits + 1))
    return from_bits(np.argmax(logits.data, axis=-1))


def train(model: Adder, pairs: NDArray[Any], rng: np.random.Generator, epochs: int = 30) -> list[float]:
    """The mean loss of each epoch."""
    optimizer = nn.optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(epochs):
        steps = []
        for chosen in np.array_split(rng.permutation(pairs), len(pairs) // 32):
            logits = model(to_bits(chosen, BITS + 1))
            loss = nn.functional.cross_entropy(logits.reshape(-1, 2), to_bits(chosen.sum(axis=1), BITS + 1).ravel())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps.append(loss.item())
        losses.append(float(np.mean(steps)))
    return losses


def main() -> tuple[float, float]:
    """Train and show; returns the share of right sums, of unseen pairs and of pairs of longer numbers."""
    rng = np.random.default_rng(SEED)
    pairs = rng.permutation(np.stack(np.divmod(np.arange(4**BITS), 2**BITS), axis=1))  # all there are, (16384, 2)
    known, unseen = np.split(pairs, [len(pairs) // 10])
    model = Adder(rng)
    print(model)
    for epoch, loss in enumerate(train(model, known, rng), 1):
        if epoch % 5 == 0:
            print(f"epoch {epoch:2}  loss {loss:.6f}")
    longer = rng.integers(2**LONGER, size=(10_000, 2))
    for (a, b), c in zip(longer[:5], add(model, longer[:5], LONGER), strict=True):
        print(f"{a} + {b} = {c}{'' if a + b == c else f', but it is {a + b}'}")
    shares = []
    for what, tried, bits in (("unseen pairs of", unseen, BITS), ("pairs of", longer, LONGER)):
        shares.append(float(np.mean(add(model, tried, bits) == tried.sum(axis=1))))
        print(f"{what} {bits}-bit numbers added right: {shares[-1]:.2%} of {len(tried)}")
    return shares[0], shares[1]


if __name__ == "__main__":
    main()
