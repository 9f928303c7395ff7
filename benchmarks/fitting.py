"""`python -m benchmarks.fitting`: what `nn.fit` costs beyond a loop written by hand, and a conv net's step beside PyTorch's.

Both loops serve the same shuffled batches and take the same steps, in turns in one process, and processor time counts. fit
draws its progress bar, to a terminal that keeps what is written in memory.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from rich.console import Console

import nn
from nn.functional import cross_entropy

RESULTS = Path(__file__).parent / "results" / "fitting.md"
ROUNDS = 15
OPTIMISERS: dict[str, Any] = {"SGD": nn.optim.SGD, "Adam": nn.optim.Adam}
RATE = 1e-7  # small, so that gradients stay alive: see workloads/mlp/problem.py


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def digits(batch: int, steps: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((batch * steps, 784), dtype=np.float32), rng.integers(0, 10, batch * steps)


def by_loop(model: Any, optimizer: Any, data: Any, batch: int, epochs: int) -> None:
    """What people write."""
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        for x, y in nn.batches(*data, batch_size=batch, rng=rng):
            optimizer.zero_grad()
            loss = cross_entropy(model(x), y)
            loss.backward(retain_graph=False)
            optimizer.step()


def by_fit(model: Any, optimizer: Any, data: Any, batch: int, epochs: int) -> None:
    with redirect_stdout(Terminal()):
        nn.fit(model, data, optimizer, batch_size=batch, epochs=epochs, rng=np.random.default_rng(0))


def seconds(run: Callable[..., None], *args: Any) -> float:
    start = process_time()
    run(*args)
    return process_time() - start


def overhead(optimiser: str, batch: int) -> tuple[float, float, float]:
    """(microseconds of a step by the loop, by fit, their ratio), each the least of all rounds: what others do only adds to it."""
    epochs, steps = 10, 4000 // batch + 20
    data = digits(batch, steps)
    model = nn.MLP((784, 100, 40, 10), rng=0, dtype=np.float32)  # one for both: where arrays lie makes some percent
    optimizer = OPTIMISERS[optimiser](model.parameters(), lr=RATE)
    runs = [(run, model, optimizer, data, batch, epochs) for run in (by_loop, by_fit)]
    for run in runs:
        run[0](*run[1:])
    times = []
    for i in range(ROUNDS):  # in turns, and each first as often as the other
        pair = {k: seconds(*runs[k]) for k in ((0, 1) if i % 2 else (1, 0))}
        times.append((pair[0], pair[1]))
    loop, fit = (min(t[k] for t in times) / (epochs * steps) * 1e6 for k in (0, 1))
    return loop, fit, fit / loop


def conv_net_steps() -> dict[str, float]:
    """Microseconds of a training step of examples/digits_conv.py's kind of net, batch 32, Adam, float32."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((32, 1, 8, 8), dtype=np.float32), rng.integers(0, 10, 32)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, rng=rng, dtype=np.float32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1, rng=rng, dtype=np.float32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 10, rng=rng, dtype=np.float32),
    )
    optimizer = nn.optim.Adam(model.parameters(), lr=RATE)

    def ours() -> None:
        optimizer.zero_grad()
        cross_entropy(model(x), y).backward(retain_graph=False)
        optimizer.step()

    jobs = {"tinygrad-edu": ours}
    with suppress(ImportError):
        jobs["torch"] = _torch_step(x, y)
    samples: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            job()
            samples[name].append(seconds(lambda job=job: [job() for _ in range(20)]) / 20 * 1e6)
    return {name: median(times) for name, times in samples.items()}


def _torch_step(x: Any, y: Any) -> Callable[[], None]:
    import torch

    torch.set_num_threads(1)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(16, 32, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(128, 10),
    )
    optimizer, images, labels = torch.optim.Adam(model.parameters(), lr=RATE), torch.tensor(x), torch.tensor(y)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


def main() -> int:
    rows = [(o, b, *overhead(o, b)) for o in OPTIMISERS for b in (32, 128, 512)]
    conv = conv_net_steps()
    ours, theirs = conv["tinygrad-edu"], conv.get("torch")
    beside = f"{ours / theirs:.2f} of the time of PyTorch" if theirs else "PyTorch is not installed"
    lines = [
        "# The cost of fit",
        "",
        "A training step of the network 784-100-40-10 in float32 by a bare loop and by `nn.fit` with its progress bar drawn;",
        f"least of {ROUNDS} runs, processor time. Beside NumPy by hand, PyTorch and JAX the bare loop's step is in results.md.",
        "Written by `python -m benchmarks.fitting`.",
        "",
        "| optimiser | batch | loop, µs | fit, µs | fit / loop | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        *[
            f"| {o} | {b} | {loop:.0f} | {fit:.0f} | {ratio:.3f} | {'ok' if ratio < 1.03 else 'OVER'} |"
            for o, b, loop, fit, ratio in rows
        ],
        "",
        "A step of a conv net on 8 x 8 images (16 and 32 kernels 3 x 3, max pools, linear), batch 32, Adam, float32:",
        f"{ours:.0f} µs, {beside}.",
        "",
    ]
    text = "\n".join(lines)
    Console().print(text, markup=False)
    RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
