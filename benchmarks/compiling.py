"""`python -m benchmarks.compiling [COUNT | ops]`: random programs compiled, and how long compiling takes; or every op compiled.

`ops` compiles calls of every op: forward, with a vector-Jacobian product, and to second order. It writes
results/compiling.md: how many programs call functions, have guards, or left a call to the function itself.

COUNT random expressions of elementwise operations, with shared results and broadcasting: value and gradients of the compiled
program beside those of the recorded run, on the numbers that it was compiled with and on others. Then the times of tracing and
compiling, beside one recorded step.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings

import nn
from tinygrad_edu import UnreadableError, Value, compile, registry, value_and_grad
from tinygrad_edu.testing.calls import Expression, OpCall
from tinygrad_edu.testing.compiling import (
    COPIED,
    GUARDED,
    REFUSED,
    Made,
    compiled_call,
    first_order,
    forward,
    second_order,
)
from tinygrad_edu.testing.strategies import expressions, fixed_calls

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


def every_op() -> dict[str, list[Made]]:
    """What the programs of each op are made of: forward, first order, second order."""
    found = {}
    for name, public in registry.items():
        calls = fixed_calls(public.op, 8)
        found[name] = [made(calls, forward), made(calls, first_order), Made()]
        if public.op.differentiable:
            found[name][2] = made(calls[:4], second_order)
    return found


def made(calls: list[OpCall], order: Callable[[OpCall], Any]) -> Made:
    """What the programs of some calls are made of."""
    all_of_them = Made()
    for call in calls:
        with suppress(UnreadableError):
            compiled = compiled_call(call, order)
            if compiled is not None:
                all_of_them.add(compiled)
    return all_of_them


def table(found: dict[str, list[Made]]) -> str:
    """The counts, and the ops whose programs are not of expressions alone, with the reason."""
    lines = [
        "# Every op compiled",
        "",
        "Calls of every op, compiled and compared with the op itself to the last bit, on the numbers that they were compiled for",
        "and on others. Written by `python -m benchmarks.compiling ops`.",
        "",
        "| ops | forward | first order | second order |",
        "| --- | ---: | ---: | ---: |",
    ]
    for title, counted in (
        ("compiled", lambda part: part.programs),
        ("that import more than NumPy when saved", lambda part: part.imported),
        ("that call functions, whose source `save` copies", lambda part: part.copied),
        ("with guards", lambda part: part.guards),
        ("that left a call to the op itself", lambda part: part.eager),
        ("programs in all", None),
    ):
        counts = [
            sum(part.programs for part in parts) if counted is None else sum(bool(counted(part)) for part in parts)
            for parts in zip(*found.values(), strict=True)
        ]
        lines.append(f"| {title} | {' | '.join(map(str, counts))} |")
    lines += ["", "## Exceptions", "", "| op | functions called | guards | why |", "| --- | --- | ---: | --- |"]
    for name, parts in found.items():
        copied = sorted(set().union(*[part.copied for part in parts]))
        guards = set().union(*[part.guards for part in parts])
        reasons = [COPIED[function] for function in copied] + [
            held[name] for held in (GUARDED, REFUSED) if name in held
        ]
        if reasons:
            count = "refused" if name in REFUSED else len(guards) or ""
            lines.append(f"| `{name}` | {', '.join(copied)} | {count} | {'; '.join(dict.fromkeys(reasons))} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """0, or 1 if a program computed something else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiling", description=__doc__)
    parser.add_argument("count", nargs="?", default="10000", help="random programs, or ops")
    given = parser.parse_args().count
    warnings.simplefilter("ignore")
    if given == "ops":
        text = table(every_op())
        (Path(__file__).parent / "results" / "compiling.md").write_text(text, encoding="utf-8")
        print(text)
        return 0
    count = int(given)
    found = random_programs(count)
    print(f"{found.total()} random programs: " + ", ".join(f"{n} {name}" for name, n in found.items()))
    for name, (compiling, recorded) in times().items():
        print(f"{name}: compiled in {compiling:.1f} ms; a recorded step takes {recorded:.2f} ms")
    return int(found["different"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
