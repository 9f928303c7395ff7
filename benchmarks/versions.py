"""`python -m benchmarks.versions OTHER`: this checkout beside another one, such as a clone at an earlier commit.

For each work a process of each checkout at a time, turns interleaved; then the next pair of processes, since addresses and
hashes move a process by a few per cent. The ratio of a pair is that of its medians; printed are the median over the pairs and
their range. Each checkout runs its own `benchmarks`, in this Python.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from .rounds import Worker
from .work import OURS, Work
from .workloads import WORKS

HERE = Path(__file__).parent.parent
TURNS = 9  # of each process


def ratio(work: Work, other: Path) -> float:
    """This checkout's figure over the other's, from one process each."""
    workers = [Worker(work, OURS, folder) for folder in (HERE, other)]
    try:
        for worker in workers:
            worker.receive()
        samples: dict[Worker, list[float]] = {worker: [] for worker in workers}
        for number in range(TURNS):
            for worker in workers if number % 2 == 0 else workers[::-1]:
                samples[worker].append(worker.measure(work.turn))
    finally:
        for worker in workers:
            worker.close()
    ours, theirs = [median(samples[worker]) for worker in workers]
    return ours / theirs


def main() -> int:
    """0, or 1 if some work takes more than 3% longer here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("other", type=Path, help="the folder of the other checkout")
    parser.add_argument("--processes", type=int, default=7, help="pairs of processes for each work")
    parser.add_argument("--only", default="", metavar="NAME", help="works whose name contains NAME")
    options = parser.parse_args()
    table = Table("work", "this / other", "range over processes")
    slower = 0
    for work in WORKS.values():
        if options.only in work.name and OURS in work.jobs:
            ratios = sorted(ratio(work, options.other.resolve()) for _ in range(options.processes))
            slower += median(ratios) > 1.03
            table.add_row(work.name, f"{median(ratios):.3f}", f"{ratios[0]:.3f} to {ratios[-1]:.3f}")
            print(
                f"{work.name}: {median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})", file=sys.stderr, flush=True
            )
    Console().print(table)
    return int(slower > 0)


if __name__ == "__main__":
    sys.exit(main())
