"""`python -m benchmarks.leaks`: memory and objects while steps repeat: 1,000 checkpointed steps, 10,000 training steps.

Each row gives the resident memory and the number of objects that Python's collector tracks, at four times; they stay constant
if nothing is kept from step to step.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import nn
from tinygrad_edu import Value, checkpoint

RNG = np.random.default_rng(0)
QUARTERS = 4


def checkpointed() -> Callable[[], None]:
    """A step through two checkpointed layers, one of them a closure over a new batch of 2 MB."""
    w = Value(RNG.normal(size=(512, 8)) / 20)

    def step() -> None:
        batch = RNG.normal(size=(512, 512))
        hidden = checkpoint(lambda w: np.tanh(batch @ w))(w)
        checkpoint(lambda h: (h * h).mean())(hidden).backward(retain_graph=False)
        w.zero_grad()

    return step


def training() -> Callable[[], None]:
    """A step of a small classifier, with dropout and BatchNorm, by Adam and a schedule."""
    model = nn.Sequential(
        nn.Linear(20, 16, rng=0), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(rng=0), nn.Linear(16, 3, rng=1)
    )
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)
    schedule = nn.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100_000)

    def step() -> None:
        x, y = RNG.normal(size=(32, 20)), RNG.integers(3, size=32)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward(retain_graph=False)
        optimizer.step()
        schedule.step()

    return step


def measured() -> str:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return f"{pages * os.sysconf('SC_PAGE_SIZE') / 2**20:.1f} MiB, {len(gc.get_objects()):,} objects"


def main() -> int:
    table = Table("work", *[f"after {i + 1}/{QUARTERS}" for i in range(QUARTERS)])
    for name, build, steps in (
        ("1,000 checkpointed steps", checkpointed, 1_000),
        ("10,000 training steps", training, 10_000),
    ):
        step, seen = build(), []
        for _ in range(QUARTERS):
            for _ in range(steps // QUARTERS):
                step()
            seen.append(measured())
        table.add_row(name, *seen)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
