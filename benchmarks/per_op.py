"""`python -m benchmarks.per_op`: every op's forward and gradient beside NumPy's bare forward, on (8, 8) and (512, 512), float64.

Inputs are drawn from the op's own domain and first fitting sample. Processor time, medians over rounds taken in turns. Theory
(Griewank & Walther, section 3.3): function and gradient together cost at most 4 to 5 times the function, so long as time goes
into arithmetic; on (8, 8) it goes into Python. The C library is told to keep freed memory, in all columns alike: else the first
touch of every page of a new array, not the arithmetic, is what is measured, once more than one array is alive at a time.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, NamedTuple

import numpy as np
from rich.progress import track

from tinygrad_edu import Op, Sample, Value, registry
from tinygrad_edu.testing.strategies import OpCall, points

from .per_op_cases import FORWARD, REASONS, VIEW, cases
from .rounds import ONE_THREAD

RESULTS = Path(__file__).parent / "results" / "per_op.md"
SHAPES = ((8, 8), (512, 512))
ROUNDS, TURN = 7, 4e-3
ROOM = 6 * 2**30  # bytes; results that need more are left out
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**30)}
QUICK = 2e-5  # seconds in which nobody writes 512 x 512 numbers
LIMIT, SLOW = 6.0, 3.0  # gradient over forward, and forward over NumPy's; what is above is explained


class Row(NamedTuple):
    """Ratios of one op on one shape: forward and gradient over NumPy's forward, and gradient over forward.

    Attributes:
        bare: seconds of NumPy's forward.
    """

    bare: float
    forward: float
    gradient: float
    over_forward: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.per_op", description="Every op beside NumPy.")
    parser.add_argument("--only", metavar="NAME", help="ops whose name contains NAME; printed only")
    options = parser.parse_args()
    settings = ONE_THREAD | KEEP_MEMORY
    if not settings.items() <= os.environ.items():  # they count from the start of a process
        return subprocess.run(
            [sys.executable, "-m", "benchmarks.per_op", *sys.argv[1:]], env=os.environ | settings
        ).returncode
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    rows: dict[str, list[Row | None]] = {}
    with np.errstate(all="ignore"):
        for name in track([name for name in registry if (options.only or "") in name], disable=bool(options.only)):
            rows[name] = [measured(registry[name].op, shape) for shape in SHAPES]
    text = markdown(rows)
    print(text)
    if not options.only:
        RESULTS.write_text(text, encoding="utf-8")
    return 0


def measured(op: Op, shape: tuple[int, int]) -> Row | None:
    """The op's ratios; None if it has no sample of about this size, no NumPy counterpart, or no gradient."""
    try:
        return ratios(op, drawn(op, shape))
    except MemoryError:  # diagflat of 512 x 512 numbers has 2^36
        return None


def ratios(op: Op, call: OpCall | None) -> Row | None:
    """The times of one call."""
    if call is None or op.numpy is None or not call.differentiable:
        return None
    values = [Value(x, copy=False) if i in call.differentiable else x for i, x in enumerate(call.inputs)]
    y = call(*values)
    if not isinstance(y, Value) or not y.requires_grad:
        return None
    weights = np.ones(y.shape) if y.shape else 1.0

    def forward_and_gradient() -> None:
        for v in values:
            if isinstance(v, Value):
                v.grad = None
        call(*values).backward(weights, retain_graph=False)

    bare, forward, both = seconds([bare_forward(call), lambda: call(*values), forward_and_gradient])
    gradient = max(both - forward, 0.0)
    return Row(bare, forward / bare, gradient / bare, gradient / forward)


def bare_forward(call: OpCall) -> Callable[[], Any]:
    """NumPy's forward; where NumPy has none, the op's own on plain arrays."""
    function = call.op.numpy
    if call.op.name in cases(2) and not isinstance(function, np.ufunc) and not hasattr(function, "_implementation"):
        return lambda: call(*call.inputs)
    return call.counterpart


def drawn(op: Op, shape: tuple[int, int]) -> OpCall | None:
    """A call on arrays of the shape, or of about as many numbers."""
    given = cases(shape[0]).get(op.name)
    if given is not None:
        return OpCall(op, *given)
    if op.samples is None:
        sample: Sample | None = Sample((shape,) * len(op.domain), {})
    else:
        found = [s for s in islice(op.samples(shape), 40) if total(s) <= 4 * np.prod(shape)]
        whole = [s for s in found if shape in s.shapes]
        sample = whole[0] if whole else None
    if sample is None:
        return None
    rng = np.random.default_rng(0)
    inputs: list[Any] = []
    for i, wanted in enumerate(sample.shapes):
        domain = op.domain[min(i, len(op.domain) - 1)]
        if domain.boolean:
            inputs.append(rng.random(wanted) < 0.5)
        elif domain.distinct:
            inputs.append(rng.permutation(int(np.prod(wanted))).reshape(wanted) / 8 + i / 64)
        else:
            inputs.append(rng.choice(points(domain), wanted))
    if sample.prepare is not None:
        inputs = list(sample.prepare(*inputs))
    return OpCall(op, tuple(inputs), sample.params, sample.keywords, sample.gauge)


def total(sample: Sample) -> int:
    return sum(int(np.prod(shape)) for shape in sample.shapes)


def seconds(steps: list[Callable[[], Any]]) -> list[float]:
    """The median processor time of each, over rounds taken in turns."""
    times: list[list[float]] = [[] for _ in steps]
    for round_ in range(ROUNDS + 1):  # the first warms up
        for step, found in zip(steps, times, strict=True):
            count, start = 0, process_time()
            while (spent := process_time() - start) < TURN:
                step()
                count += 1
            if round_:
                found.append(spent / count)
    return [median(found) for found in times]


def markdown(rows: dict[str, list[Row | None]]) -> str:
    """The table, and why some gradients take long."""
    large = [row[1].over_forward for row in rows.values() if row[1] is not None]
    within = sum(ratio <= LIMIT for ratio in large)
    lines = [
        "# Every op beside NumPy",
        "",
        "Forward and gradient over NumPy's bare forward, and gradient over forward. Written by `python -m benchmarks.per_op`,",
        f"whose text says how. On (512, 512) the gradient takes {median(large or [0]):.1f} forwards in the median;",
        f"{within} of {len(large)} ops are within {LIMIT:g}. - means: no call of about this size, or no gradient.",
        "",
        "| op | (8, 8): forward | gradient | gradient/forward | (512, 512): forward | gradient | gradient/forward | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for name, both in rows.items():
        cells = [
            cell for row in both for cell in (["-"] * 3 if row is None else [f"{number:.1f}" for number in row[1:]])
        ]
        why, large_row = "", both[1]
        if large_row is not None and large_row.over_forward > LIMIT:
            why = VIEW if large_row.bare < QUICK else REASONS.get(name, "not explained")
        elif large_row is not None and large_row.forward > SLOW and large_row.bare >= QUICK:
            why = "forward: " + FORWARD.get(name, "not explained")
        lines.append(f"| `{name}` | {' | '.join(cells)} | {why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
