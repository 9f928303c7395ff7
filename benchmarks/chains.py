"""`python -m benchmarks.chains`: a long chain of products, forward and backward, in each engine that is installed.

Each engine runs in a process of its own. JAX gets a shorter chain, since its time grows more than linearly. The
question is whether an engine ends at all.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FACTOR = 1.0000001
OURS = "tinygrad-edu"
RESULTS = Path(__file__).parent / "results" / "chains.md"
STEPS = {
    "tinygrad-edu": 1_000_000,
    "micrograd": 1_000_000,
    "autograd": 1_000_000,
    "mygrad": 1_000_000,
    "torch": 1_000_000,
    "jax": 10_000,
}


def product(x: Any, steps: int) -> Any:
    for _ in range(steps):
        x = x * FACTOR
    return x


def by_backward(x: Any, steps: int) -> float:
    product(x, steps).backward()
    return float(x.grad)


def engines() -> dict[str, Callable[[], Callable[[int], float]]]:
    """For each engine a function that imports it, and returns the gradient as a function of the number of steps."""

    def ours() -> Callable[[int], float]:
        from tinygrad_edu import Value

        return lambda steps: by_backward(Value(1.0), steps)

    def micrograd() -> Callable[[int], float]:
        from micrograd.engine import Value

        return lambda steps: by_backward(Value(1.0), steps)

    def mygrad() -> Callable[[int], float]:
        import mygrad

        return lambda steps: by_backward(mygrad.tensor(1.0), steps)

    def torch() -> Callable[[int], float]:
        import torch

        torch.set_num_threads(1)
        return lambda steps: by_backward(torch.tensor(1.0, dtype=torch.float64, requires_grad=True), steps)

    def autograd() -> Callable[[int], float]:
        from autograd import grad

        return lambda steps: float(grad(lambda x: product(x, steps))(1.0))

    def jax() -> Callable[[int], float]:
        from jax import grad

        return lambda steps: float(grad(lambda x: product(x, steps))(1.0))

    found = {each.__name__: each for each in (micrograd, autograd, mygrad, torch, jax)}
    return {OURS: ours} | found


def one(name: str, steps: int) -> str:
    """What the chain in one engine comes to: "ends", or the name of its error."""
    try:
        gradient = engines()[name]()
    except ImportError:
        return "not installed"
    try:
        found = gradient(steps)
    except RecursionError as error:
        return type(error).__name__
    assert abs(found / FACTOR**steps - 1) < 1e-3, found  # JAX computes in float32
    return "ends"


def run(name: str, steps: int) -> str:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.chains", name, str(steps)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    rows = ["| engine | products | outcome |", "| --- | ---: | --- |"]
    rows += [f"| {name} | {steps:,} | {run(name, steps)} |" for name, steps in STEPS.items()]
    text = "\n".join(["# Long chains", "", "Written by `python -m benchmarks.chains`, which says how.", "", *rows, ""])
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(one(sys.argv[1], int(sys.argv[2])))
    else:
        main()
