"""The run under test: batches of 7, dropout, BatchNorm, Adam, a cosine schedule by step, noise by a generator of the user's.

`python -m benchmarks.kills.training FOLDER` trains, or goes on, and prints a checksum of all that has to be equal.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from time import sleep

import numpy as np

import nn
from nn.training import step, watch

EPOCHS = 8


def train(folder: Path, epochs: int = EPOCHS, pause: float = 0.0, examples: int = 70) -> str:
    """Train in a folder, from its last checkpoint on; a checksum of weights, history and the next number of each generator.

    Args:
        folder: of the run.
        epochs: how many.
        pause: seconds to sleep in each step, so that there is time for a kill.
        examples: how many.
    """
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=examples)
    x = rng.normal(size=(examples, 5)) + y[:, None]
    model = nn.Sequential(
        nn.Linear(5, 8, rng=rng), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3, rng=rng), nn.Linear(8, 3, rng=rng)
    )
    optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
    schedule = nn.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * 10)
    order, noise = np.random.default_rng(1), np.random.default_rng(2)

    def loss(output, target):
        if pause and model.training:
            sleep(pause)
        scale = 1 + 0.1 * noise.normal() if model.training else 1.0
        return nn.functional.cross_entropy(output * scale, target)

    history = nn.fit(
        model,
        (x, y),
        optimizer,
        loss=loss,
        metrics=[nn.metrics.accuracy],
        epochs=epochs,
        batch_size=7,
        rng=order,
        validation=(x[:20], y[:20]),
        patience=epochs,
        on_step=schedule,
        run=folder,
        resume=True,
        generators=[noise],
        progress=False,
    )
    if history.interrupted:
        return "interrupted"
    found = sha256(repr((history.curves, history.epochs, history.steps, history.best_epoch)).encode())
    for path, array in model.state_dict().items():
        found.update(path.encode() + array.tobytes())
    found.update(repr([generator.random() for generator in (order, noise, rng)]).encode())
    return found.hexdigest()


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of all checkpoints."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("*/*"))}


for module in (step, watch):  # the times in the history are none
    module.perf_counter = lambda: 0.0

if __name__ == "__main__":
    print("begun", flush=True)
    print(train(Path(sys.argv[1]), pause=float(sys.argv[2])), flush=True)
