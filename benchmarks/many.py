"""`python -m benchmarks.many`: backward through operations of many arrays, and through the rows of one, at 1,000 and 10,000.

Ten times as many should take ten times as long. einsum stops at NumPy's own limit of 63 operands.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import tinygrad_edu as te
from tinygrad_edu import Value

ROUNDS = 5
WIDTH = 8  # numbers of each array


def _leaves(n: int) -> list[Value]:
    return [Value(row) for row in np.random.default_rng(0).normal(size=(n, WIDTH))]


def _rows(n: int) -> Value:
    return Value(np.random.default_rng(0).normal(size=(n, WIDTH)))


def _einsum(n: int) -> Value:
    y: Value = te.einsum(",".join(["i"] * n) + "->i", *_leaves(n)).sum()
    return y


WORKS: dict[str, tuple[Callable[[int], Any], tuple[int, int]]] = {
    "concatenate": (lambda n: te.concatenate(_leaves(n)).sum(), (1_000, 10_000)),
    "stack": (lambda n: te.stack(_leaves(n)).sum(), (1_000, 10_000)),
    "array": (lambda n: te.array([[x[0], x[1]] for x in _leaves(n)]).sum(), (1_000, 10_000)),
    "rows of a Value": (lambda n: te.stack([row * 2.0 for row in _rows(n)]).sum(), (1_000, 10_000)),
    "unstack": (lambda n: te.stack([row * 2.0 for row in te.unstack(_rows(n))]).sum(), (1_000, 10_000)),
    "indexing one array": (lambda n: sum([x.sum() for x in _rows(n)], start=Value(0.0)), (1_000, 10_000)),
    "einsum": (_einsum, (6, 60)),
}


def seconds(build: Callable[[int], Any], n: int) -> float:
    """Median time of backward."""
    times = []
    for _ in range(ROUNDS):
        y = build(n)
        start = perf_counter()
        y.backward(retain_graph=False)
        times.append(perf_counter() - start)
    return median(times)


def main() -> None:
    """Print the table."""
    table = Table("backward of", "arrays", "ms", "arrays", "ms", "ratio")
    for name, (build, (few, many)) in WORKS.items():
        first, second = seconds(build, few), seconds(build, many)
        table.add_row(
            name, f"{few:,}", f"{first * 1e3:.2f}", f"{many:,}", f"{second * 1e3:.2f}", f"{second / first:.1f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
