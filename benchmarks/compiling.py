"""`python -m benchmarks.compiling [COUNT]`: random programs compiled, and how long compiling takes.

COUNT random expressions of elementwise operations, with shared results and broadcasting: value and gradients of the compiled
program, in both forms, beside those of the recorded run, on the numbers that it was compiled with and on others. Then the
times of tracing and compiling, beside one recorded step.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings

import nn
from tinygrad_edu import Value, compile, value_and_grad
from tinygrad_edu.testing.calls import Expression
from tinygrad_edu.testing.strategies import expressions

from .workloads import scalar


def outcome(expression: Expression) -> str:
    """Whether the bits of value and gradients agree, twice, and whether the compiled program itself gave them."""

    def loss(*inputs: Any) -> Any:
        y = expression(*inputs)
        return y.sum() if isinstance(y, Value) else np.sum(y)

    f = value_and_grad(loss, tuple(range(len(expression.inputs))))
    compiled = compile(f)
    compiled(*expression.inputs)
    for scale in (1.0, 0.9):
        numbers = [x * scale for x in expression.inputs]
        expected = f(*numbers)
        compiled(*numbers)
        if not same(compiled(*numbers), expected):
            return "different"
        if not compiled.eager and not same(compiled._latest().program.loaded(readable=True)(*numbers), expected):
            return "different"
    return "fell back" if compiled.eager else "equal"


def same(a: Any, b: Any) -> bool:
    """Whether value and gradients are equal to the last bit; NaN equals NaN."""
    numbers = [(a[0], b[0]), *zip(a[1], b[1], strict=True)]
    return all(np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in numbers)


def random_programs(count: int) -> Counter[str]:
    """How many of so many programs have which outcome."""
    found: Counter[str] = Counter()

    @settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(expressions())
    def collect(expression: Expression) -> None:
        found[outcome(expression)] += 1

    collect()
    return found


def milliseconds(step: Callable[[], Any]) -> float:
    """The median of five turns."""

    def turn() -> float:
        start = perf_counter()
        step()
        return (perf_counter() - start) * 1e3

    return median(turn() for _ in range(5))


def times() -> dict[str, tuple[float, float]]:
    """For some programs the milliseconds to compile them, and those of a recorded step."""

    def scalars(a: Any, b: Any, c: Any, d: Any) -> Any:
        return scalar.expression((a, b, c, d), lambda x: x.relu())

    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(32, 784)).astype(np.float32), rng.integers(0, 10, 32)
    model = nn.MLP((784, 100, 40, 10), nn.ReLU, dtype=np.float32, rng=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.01)
    f = value_and_grad(scalars, (0, 1, 2, 3))

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return {
        "1,000 operations on numbers": (
            milliseconds(lambda: compile(f)(*scalar.LEAVES)),
            milliseconds(lambda: f(*scalar.LEAVES)),
        ),
        "a step of an MLP 784-100-40-10": (
            milliseconds(lambda: nn.compile_step(model, nn.functional.cross_entropy, optimizer)(images, labels)),
            milliseconds(step),
        ),
    }


def main() -> int:
    """0, or 1 if a program computed something else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiling", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=10_000, help="random programs")
    count = parser.parse_args().count
    warnings.simplefilter("ignore")
    found = random_programs(count)
    print(f"{found.total()} random programs: " + ", ".join(f"{n} {name}" for name, n in found.items()))
    for name, (compiling, recorded) in times().items():
        print(f"{name}: compiled in {compiling:.1f} ms; a recorded step takes {recorded:.2f} ms")
    return int(found["different"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
