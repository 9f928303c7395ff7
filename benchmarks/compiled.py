"""`python -m benchmarks.compiled [NAME]`: compiled functions beside the recorded run and beside NumPy written by hand.

Each in a process that holds it alone, in many short rounds of one turn each; medians of the ratios within a round. NAME chooses
the works that have it in their name.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from statistics import median

from .rounds import Figures, measure
from .work import COMPILED, HAND, OURS, Work
from .workloads import WORKS

BARS: dict[str, tuple[float | None, float | None]] = {  # at most this much of the time by hand, and of the recorded run
    "scalar": (None, None),
    "small-array": (1.35, None),
    "mlp-sgd-32": (1.02, None),
    "mlp-sgd-128": (1.02, None),
    "mlp-sgd-512": (1.02, None),
    "mlp-adam-32": (1.08, None),
    "mlp-adam-128": (1.06, None),
    "mlp-adam-512": (1.03, None),
    "layer-norm": (1.4, 0.62),
    "logsumexp": (None, 0.85),
    "recurrent": (1.05, None),
    "rk4": (None, 0.29),
}


def chosen(name: str) -> list[Work]:
    """The works with this in their name, without the other engines."""
    works = WORKS
    return [
        replace(
            works[key],
            jobs={engine: job for engine, job in works[key].jobs.items() if engine in (HAND, OURS, COMPILED)},
        )
        for key in BARS
        if name in key
    ]


def ratio(a: Figures, b: Figures) -> float:
    """The median over the rounds of the time of a in that of b."""
    return median(x / y for x, y in zip(a.samples, b.samples, strict=True))


def main() -> None:
    """Print a row for each work."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help=f"of {', '.join(BARS)}")
    parser.add_argument("--rounds", type=int, default=41)
    options = parser.parse_args()
    print(f"{'':14}{'microseconds':>14}{'of by hand':>12}{'bar':>6}{'of recorded':>13}{'bar':>6}")
    for work in chosen(options.name):
        reference = HAND if HAND in work.jobs else OURS
        figures = measure(replace(work, reference=reference, tolerance=1e-3), range(options.rounds)).figures
        ours, hand, recorded = figures[COMPILED], figures.get(HAND), figures[OURS]
        cells = [f"{ours.sample * 1e6:14.1f}"]
        for other, bar, width in zip((hand, recorded), BARS[work.name], (12, 13), strict=True):
            cells.append(f"{ratio(ours, other):{width}.3f}" if other else " " * width)
            cells.append(f"{bar:6.2f}" if bar else " " * 6)
        print(f"{work.name:14}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
