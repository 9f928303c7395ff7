"""`python -m benchmarks.constants`: what keeping the arrays of recorded calls costs, in time and in peak memory.

Each work runs with `snapshots.keep` and without it, in turns; printed are the ratio of the medians of processor time and the
peaks of memory that NumPy and Python allocate. Without it, an array that changes before backward gives wrong gradients.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import process_time

import numpy as np
from rich.console import Console
from rich.table import Table

import nn
from tinygrad_edu import Value, exp, norm, recording, unrolled, where

ROUNDS = 21
RNG = np.random.default_rng(0)


def logistic() -> None:
    """One full-batch step on (100000, 20)."""
    p = 1 / (1 + exp(-(EXAMPLES @ WEIGHTS)))
    (-(LABELS * np.log(p) + (1 - LABELS) * np.log(1 - p))).mean().backward(retain_graph=False)


def energies() -> None:
    """1 / distance summed over all pairs of 300 points."""
    difference = POINTS[FIRST] - POINTS[SECOND]
    (1 / norm(difference, axis=1)).sum().backward(retain_graph=False)


def masked() -> None:
    """One mask of 256 numbers in 1,000 steps of one graph."""
    state = STATE
    for _ in range(1000):
        state = where(MASK, state * 0.999, state)
    state.sum().backward(retain_graph=False)


def masked_large() -> None:
    """One mask of 40,000 numbers in 100 steps of one graph."""
    state = LARGE_STATE
    for _ in range(100):
        state = where(LARGE_MASK, state * 0.999, state)
    state.sum().backward(retain_graph=False)


def mlp(batch: int) -> Callable[[], None]:
    model = nn.Sequential(
        nn.Linear(784, 100, rng=0), nn.ReLU(), nn.Linear(100, 40, rng=1), nn.ReLU(), nn.Linear(40, 10, rng=2)
    )
    model.astype(np.float32)
    optimizer = nn.optim.SGD(model.parameters(), lr=1e-6)
    x, y = RNG.normal(size=(batch, 784)).astype(np.float32), RNG.integers(10, size=batch)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward(retain_graph=False)
        optimizer.step()

    return step


EXAMPLES, LABELS = RNG.normal(size=(100_000, 20)), RNG.integers(2, size=100_000).astype(float)
WEIGHTS, POINTS = Value(RNG.normal(size=20) / 10), Value(RNG.normal(size=(300, 3)))
FIRST, SECOND = np.triu_indices(300, 1)
STATE, MASK = Value(np.ones(256)), RNG.random(256) < 0.5
LARGE_STATE, LARGE_MASK = Value(np.ones(40_000)), RNG.random(40_000) < 0.5
WORKS: dict[str, Callable[[], None]] = {
    "logistic regression, (100000, 20)": logistic,
    "energies of 300 points": energies,
    "a mask of 256 in 1,000 steps": masked,
    "a mask of 40,000 in 100 steps": masked_large,
    **{f"MLP step, batch {batch}": mlp(batch) for batch in (32, 128, 512)},
}


@contextmanager
def as_before() -> Iterator[None]:
    """Record without keeping arrays."""
    kept = recording.keep
    recording.keep = unrolled.keep = lambda node: node
    try:
        yield
    finally:
        recording.keep = unrolled.keep = kept


def seconds(work: Callable[[], None], times: int) -> float:
    start = process_time()
    for _ in range(times):
        work()
    return process_time() - start


def peak(work: Callable[[], None]) -> float:
    """MiB allocated at most."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def main() -> int:
    table = Table("work", "time: kept / not kept", "peak MiB: kept", "not kept")
    for name, work in WORKS.items():
        work()
        times = max(1, int(0.02 / seconds(work, 1)))
        new, old = [], []
        for _ in range(ROUNDS):
            new.append(seconds(work, times))
            with as_before():
                old.append(seconds(work, times))
        most = peak(work)
        with as_before():
            table.add_row(name, f"{median(new) / median(old):.3f}", f"{most:.2f}", f"{peak(work):.2f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
