"""`python -m benchmarks.checkers`: our gradient checker beside others', on the same functions, mistakes and seeds.

Writes benchmarks/results/checkers.md and prints it. Caught means that the checker says that the gradient is wrong; that it
cannot tell counts as missed. Every checker runs at its default settings, for first derivatives in reverse mode.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from zlib import crc32

import numpy as np
from rich.progress import track

from ..rounds import ONE_THREAD
from .cases import CASES, Inputs
from .faults import FAULTS, OUTSIDE
from .hard import HARD
from .peers import WHOLE, Checker, checkers
from .report import Tables, markdown
from .single import single_precision
from .timing import times

RESULTS = Path(__file__).parents[1] / "results" / "checkers.md"
SEEDS = 50


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.checkers", description="Gradient checkers side by side."
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many points and mistakes; fewer are printed only")
    parser.add_argument("--only", metavar="NAME", help="checkers whose name contains NAME; printed only")
    options = parser.parse_args()
    if not ONE_THREAD.items() <= os.environ.items():  # they count from the start of a process
        command = [sys.executable, "-m", "benchmarks.checkers", *sys.argv[1:]]
        return subprocess.run(command, env=os.environ | ONE_THREAD).returncode
    chosen = {name: check for name, check in checkers().items() if (options.only or "") in name}
    with np.errstate(all="ignore"):
        caught, missed = detection(chosen, options.seeds)
        alarms, inconclusive = false_alarms(chosen, options.seeds)
        precise = single_precision(options.seeds // 2)
        spent = times(chosen) if not options.only else {}
    text = markdown(Tables(list(chosen), options.seeds, caught, missed, alarms, inconclusive, precise, spent))
    print(text)
    if not options.only and options.seeds == SEEDS:
        RESULTS.write_text(text, encoding="utf-8")
    return 0


def generator(*what: object) -> np.random.Generator:
    """Seeded by a name and a number, the same on every machine."""
    return np.random.default_rng([crc32(str(part).encode()) for part in what])


def detection(
    chosen: dict[str, Checker], seeds: int
) -> tuple[dict[str, dict[str, float]], dict[str, list[tuple[str, str, float]]]]:
    """Per fault and checker the share of wrong gradients caught; and per checker where it misses some."""
    hits: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    missed: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    for fault in track(FAULTS, description="mistakes"):
        for case in CASES:
            answers: dict[str, list[float]] = defaultdict(list)
            for seed in range(seeds):
                rng = generator(fault, case.name, seed)
                inputs: Inputs = (case.ties if fault == OUTSIDE and case.ties else case.draw)(rng)
                wrong = FAULTS[fault](case, inputs, rng)
                if wrong is None:
                    break
                for name, check in chosen.items():
                    answers[name].append(check(case.f, wrong, inputs, seed).rejected)
            for name, found in answers.items():
                hits[fault][name] += found
                if fmean(found) < 1:
                    missed[name].append((fault, case.name, fmean(found)))
    return {fault: {name: fmean(found) for name, found in row.items()} for fault, row in hits.items()}, missed


def false_alarms(
    chosen: dict[str, Checker], seeds: int
) -> tuple[dict[str, dict[str, float | None]], dict[str, dict[str, float]]]:
    """Per hard case and checker the share of right gradients rejected, and of numbers that ours cannot tell."""
    alarms: dict[str, dict[str, float | None]] = {}
    inconclusive: dict[str, dict[str, float]] = {}
    for name_of_case, hard in track(HARD.items(), description="right ones"):
        alarms[name_of_case], inconclusive[name_of_case] = {}, {}
        for name, check in chosen.items():
            if hard.large and name in WHOLE:
                alarms[name_of_case][name] = None
                continue
            answers = [
                check(hard.f, hard.vjp, hard.draw(generator(name_of_case, seed)), seed)
                for seed in range(min(seeds, hard.seeds or seeds))
            ]
            alarms[name_of_case][name] = fmean(answer.rejected for answer in answers)
            if name.startswith("ours"):
                inconclusive[name_of_case][name] = fmean(answer.inconclusive for answer in answers)
    return alarms, inconclusive


if __name__ == "__main__":
    sys.exit(main())
