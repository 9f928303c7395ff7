"""`python -m benchmarks`: measure, print the table, write the results."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from . import chart, report
from .environment import environment
from .rounds import DisagreementError, Result, measure
from .workloads import WORKS

RESULTS = Path(__file__).parent / "results"
QUICK_ROUNDS = 5
WIDTH = 130  # of the table


def main() -> int:
    """0, or 1 if an engine computed something else than its reference, or died."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="This engine beside its peers.")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds; results are printed only")
    parser.add_argument(
        "--only", metavar="NAME", help=f"works whose name contains NAME, of {', '.join(WORKS)}; printed only"
    )
    parser.add_argument(
        "--collector", choices=("on", "off"), default="on", help="Python's garbage collector; printed only if off"
    )
    options = parser.parse_args()
    os.environ["BENCHMARK_COLLECTOR"] = options.collector  # for the workers
    chosen = [work for work in WORKS.values() if (options.only or "") in work.name]
    if not chosen:
        parser.error(f"--only: no work has {options.only!r} in its name; there are {', '.join(WORKS)}")

    console = Console()
    console.width = max(console.width, WIDTH)
    results: list[Result] = []
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            for work in chosen:
                rounds = QUICK_ROUNDS if options.quick else work.rounds
                ticks = progress.track(range(rounds), description=work.name)
                results.append(measure(work, ticks))
    except (DisagreementError, RuntimeError) as error:
        console.print(f"[bold red]{error}[/]")
        return 1
    console.print(report.table(results))
    for line in report.skipped(results):
        console.print(line)
    if not (options.quick or options.only or options.collector == "off"):
        about = environment()
        report.write(RESULTS / "results.json", report.as_json(results, about))
        report.write(RESULTS / "results.md", report.markdown(results, about))
        report.write(RESULTS / "results.png", chart.png(results, about))
        console.print(f"written to {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
