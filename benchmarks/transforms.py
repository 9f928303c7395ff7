"""`python -m benchmarks.transforms`: what checkpoint saves and costs, and what a Hessian and an hvp cost, over one gradient.

Time is processor time, the smallest of several runs, taken in turns; memory is what tracemalloc sees at its highest, less what
was there before.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

import nn
from tinygrad_edu import Value, checkpoint, grad, hessian, hvp, log_softmax, silu

RESULTS = Path(__file__).parent / "results" / "transforms.md"
LAYERS, WIDTH, BATCH = 50, 64, 4096
ROUNDS = 9


def main() -> None:
    text = "\n".join(["# Transforms", "", *checkpointing(), "", *second_order()]) + "\n"
    print(text)
    RESULTS.write_text(text, encoding="utf-8")


def checkpointing() -> list[str]:
    """A chain of layers h + silu(h W), whose results are larger than its weights, by three ways of keeping them."""
    rng = np.random.default_rng(0)
    weights = [Value((rng.standard_normal((WIDTH, WIDTH)) / 8).astype(np.float32)) for _ in range(LAYERS)]
    x = rng.standard_normal((BATCH, WIDTH)).astype(np.float32)

    def layer(h: Any, w: Any) -> Any:
        return h + silu(h @ w)

    def block(h: Any, ws: list[Any]) -> Any:
        for w in ws:
            h = layer(h, w)
        return h

    def chain(size: int, apply: Callable[[Any, list[Any]], Any]) -> Callable[[], Any]:
        def step() -> Any:
            h: Any = x
            for i in range(0, LAYERS, size):
                h = apply(h, weights[i : i + size])
            (h * h).mean().backward(retain_graph=False)
            gradients = [w.grad for w in weights]
            for w in weights:
                w.zero_grad()
            return gradients

        return step

    ways = {
        "without": chain(1, block),
        "checkpoint of each layer": chain(1, checkpoint(block)),
        "checkpoint of every 7 layers": chain(7, checkpoint(block)),
    }
    plain = ways["without"]()
    for step in ways.values():
        assert all(np.allclose(a, b, rtol=1e-4, atol=1e-6) for a, b in zip(plain, step(), strict=True))
    peaks, times = [peak(step) for step in ways.values()], seconds(list(ways.values()))
    rows = [f"## checkpoint: {LAYERS} layers h + silu(h W), {BATCH} × {WIDTH}, float32", ""]
    rows += ["| | peak memory | ratio | time, ratio |", "| --- | ---: | ---: | ---: |"]
    for name, size, time in zip(ways, peaks, times, strict=True):
        rows.append(f"| {name} | {size / 2**20:.1f} MiB | {size / peaks[0]:.2f} | {time / times[0]:.2f} |")
    return rows


def second_order() -> list[str]:
    """A Hessian of a small network's loss, and Hessian-vector products of a small and a large one's, over one gradient."""
    rows = ["## Second derivatives of a network's loss, over one gradient", ""]
    rows += ["| network | parameters | | time, ratio |", "| --- | ---: | --- | ---: |"]
    for sizes, batch in (([2, 3, 2, 1], 32), ([784, 120, 40, 10], 128)):
        loss, parameters = network(sizes, batch)
        count = sum(np.size(p) for p in parameters.values())
        direction = {path: np.ones_like(p) for path, p in parameters.items()}
        calls: dict[str, Callable[[], Any]] = {"gradient": lambda f=loss, p=parameters: grad(f)(p)}
        if count < 1000:
            calls["hessian"] = lambda f=loss, p=parameters: hessian(f)(p)
        calls["hvp"] = lambda f=loss, p=parameters, v=direction: hvp(f, (p,), (v,))
        times = seconds(list(calls.values()))
        shape = "-".join(map(str, sizes))
        for name, time in list(zip(calls, times, strict=True))[1:]:
            rows.append(f"| {shape}, batch {batch} | {count:,} | {name} | {time / times[0]:.1f} |")
    return rows


def network(sizes: list[int], batch: int) -> tuple[Callable[[Any], Any], dict[str, Any]]:
    """A network's cross-entropy or squared error as a function of its parameters, and the parameters."""
    rng = np.random.default_rng(0)
    model = nn.MLP(sizes, nn.Tanh, rng=rng)
    x, outputs = rng.standard_normal((batch, sizes[0])), sizes[-1]
    labels = rng.integers(outputs, size=batch)

    def loss(parameters: Any) -> Any:
        y = nn.functional_call(model, parameters, x)
        return (y * y).mean() if outputs == 1 else -log_softmax(y)[np.arange(batch), labels].mean()

    return loss, model.state_dict()


def peak(step: Callable[[], Any]) -> int:
    """Bytes above what was there before, at their highest."""
    gc.collect()
    tracemalloc.start()
    step()
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return highest


def seconds(steps: list[Callable[[], Any]]) -> list[float]:
    """The smallest processor time of each, taken in turns."""
    best = [float("inf")] * len(steps)
    for _ in range(ROUNDS):
        for i, step in enumerate(steps):
            start = process_time()
            step()
            best[i] = min(best[i], process_time() - start)
    return best


if __name__ == "__main__":
    main()
