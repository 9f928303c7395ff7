"""`python -m benchmarks.compiling [COUNT]`: random programs compiled, and how long compiling takes.

COUNT random expressions of elementwise operations, with shared results and broadcasting: value and gradients of the compiled
program, in both forms, beside those of the recorded run, on the numbers that it was compiled with and on others. Then the times
of tracing and compiling, and of compiled steps beside other engines and the compilers of JAX and Numba, as far as installed. The
result is written to results/compiling.md.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings

import nn
from tinygrad_edu import Compiled, Value, compile, value_and_grad
from tinygrad_edu.compiling.runs import traced_run
from tinygrad_edu.testing.calls import Expression
from tinygrad_edu.testing.strategies import expressions

from .emitted import by_numba
from .environment import environment
from .report import cell, write
from .rounds import measure
from .work import COMPILED, NUMBA, OURS
from .workloads import WORKS, scalar
from .workloads.mlp import ours, peers, problem

RESULTS = Path(__file__).parent / "results" / "compiling.md"
TURNS = 9
ROUNDS = 5
ENGINES = (COMPILED, NUMBA, OURS, "micrograd", "torch", "jax jit")


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


def milliseconds(step: Callable[[], Any], turns: int = TURNS) -> float:
    """The shortest of some turns, in processor time."""

    def turn() -> float:
        start = process_time()
        step()
        return (process_time() - start) * 1e3

    return min(turn() for _ in range(turns))


def once(make: Callable[[], Callable[[], Any]]) -> str:
    """The time of a first call, which compiles; of a peer, if it is installed."""
    try:
        return f"{milliseconds(make(), 1):,.0f} ms"
    except ImportError as error:
        return f"missing: {error.name}"


def of_scalars(f: scalar.Expression) -> list[str]:
    """The times of an expression of numbers: a recorded step, tracing, compiling, a compiled step; peers' first calls."""

    def values(a: Any, b: Any, c: Any, d: Any) -> Any:
        return f((a, b, c, d), lambda x: x.relu())

    def by_jax() -> Callable[[], Any]:
        import jax

        jax.jit(lambda x: x + 1)(1.0)  # starts it
        compiled = jax.jit(jax.value_and_grad(lambda *leaves: f(leaves, jax.nn.relu), (0, 1, 2, 3)))
        return lambda: compiled(*scalar.LEAVES)

    def numba() -> Callable[[], Any]:
        program = by_numba(compiled)
        return lambda: program(*scalar.LEAVES)

    recorded = value_and_grad(values, (0, 1, 2, 3))
    compiled = scalar.program(f)
    return [
        f"{milliseconds(lambda: recorded(*scalar.LEAVES)):.2f} ms",
        f"{milliseconds(lambda: traced_run(recorded, scalar.LEAVES, {})):.1f} ms",
        f"{milliseconds(lambda: compile(recorded)(*scalar.LEAVES)):.1f} ms",
        f"{milliseconds(lambda: compiled(*scalar.LEAVES)):.2f} ms",
        once(by_jax) if f is scalar.expression else "",  # of the other JAX takes more than a minute
        once(numba),
    ]


def of_mlp() -> list[str]:
    """The same of a training step."""
    images, labels = problem.batch(32)
    given = "SGD", 0.01, images, labels
    recorded, compiled = (make(*given, problem.first_weights())[0] for make in (ours.train, ours.compiled))
    compiled()
    compiled()
    model = nn.MLP(problem.SIZES, nn.ReLU, dtype=np.float32)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.01)
    program: Compiled = nn.compile_step(model, nn.functional.cross_entropy, optimizer).program
    arguments = dict(model.named_parameters()), {}, (), images, labels
    plain = {name: p.data for name, p in arguments[0].items()}, *arguments[1:]
    return [
        f"{milliseconds(recorded):.2f} ms",
        f"{milliseconds(lambda: traced_run(program.function, plain, {})):.1f} ms",
        f"{milliseconds(lambda: nn.compile_step(model, nn.functional.cross_entropy, optimizer)(images, labels)):.1f} ms",
        f"{milliseconds(compiled):.2f} ms",
        once(lambda: peers.jax(*given, problem.first_weights())[0]),
        "",  # Numba has no max(axis=1), nor z[rows, labels]
    ]


def table() -> list[str]:
    """The times of all programs, as rows of Markdown."""
    rows = {
        "1,000 operations on numbers": of_scalars(scalar.expression),
        "the same, none repeated": of_scalars(scalar.distinct),
        "a step of an MLP 784-100-40-10, batch 32": of_mlp(),
    }
    head = [
        "program",
        "recorded step",
        "tracing",
        "compiling, all told",
        "compiled step",
        "jax.jit",
        "numba of the source",
    ]
    lines = [f"| {' | '.join(head)} |", "| --- |" + " ---: |" * (len(head) - 1)]
    return lines + [f"| {' | '.join([name, *times])} |" for name, times in rows.items()]


def beside() -> list[str]:
    """Steps of compiled functions of numbers, and of a small array, as a share of the reference's time, as rows of Markdown."""
    lines = [f"| work | {' | '.join(ENGINES)} |", "| --- |" + " ---: |" * len(ENGINES)]
    for name in (*[work.name for work in scalar.SCALARS], "small-array"):
        result = measure(WORKS[name], range(ROUNDS))
        lines.append(f"| {result.work.title} | {' | '.join(cell(result, engine, 3) for engine in ENGINES)} |")
    return lines


def main() -> int:
    """0, or 1 if a program computed something else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiling", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=10_000, help="random programs")
    count = parser.parse_args().count
    warnings.simplefilter("ignore")
    found = random_programs(count)
    lines = ["# Compiling", ""]
    lines += [
        f"{found.total():,} random programs: " + ", ".join(f"{n:,} {name}" for name, n in found.items()) + ".",
        "",
    ]
    lines += [
        'Processor time, the shortest of some turns. "Compiling, all told" is the first call: two traced runs, the source, and',
        "the comparison with a recorded step. Of the peers the first call, which compiles.",
        "",
    ]
    lines += [*table(), ""]
    lines += [
        f"Time of a step as a share of the reference's (1 in each row), medians of {ROUNDS} rounds, a process for each.",
        "",
    ]
    lines += beside()
    about = environment()
    packages = ("numpy", "micrograd", "torch", "jax", "numba")
    versions = ", ".join(f"{name} {about['versions'][name]}" for name in packages)
    lines += ["", f"{about['date']}; {about['cpu']}, {about['cores']} cores; Python {about['python']}, {versions}."]
    text = "\n".join(lines) + "\n"
    print(text)
    write(RESULTS, text)
    return int(found["different"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
