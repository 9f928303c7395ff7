"""`python -m benchmarks.kills [--kills 20] [--seed 0]`: runs that are killed end with the same bytes as one that is not.

1. A fault ahead of every operation on files (create, write, fsync, rename, unlink, rmdir, mkdir): a full disk; a kill; a power
   failure, after which nothing that was not synchronised is there, or only its names, or some of it.
2. kill -9, SIGTERM and Ctrl-C at random moments, each run until it ends.
3. A second process in a run.

Each run that goes on is compared with one that was left alone: weights, history, the next random numbers, every file.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from time import sleep

from . import power
from .training import contents, train

LOSSES = ("nothing", "everything", "data", "some", "some", "some")
RESULTS = Path(__file__).parents[1] / "results" / "kills.md"
KILLS = 20
HEAD = """# Runs that are killed

A small network (batches of 7, BatchNorm, dropout, Adam, a cosine schedule by step, patience) trains in a run until something
happens to it, and goes on with `resume=True` until it ends. Compared with a run that was left alone: weights, history, the next
numbers of all generators, and every file of the run, byte by byte. Written by `python -m benchmarks.kills`."""
FAULTS = ("a kill", "power failure: nothing later is there", "power failure: names without contents")
SIGNALS = {"kill -9": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "Ctrl-C": signal.SIGINT}


def faults(home: Path, epochs: int = 4) -> tuple[int, Counter[str], Counter[str]]:
    """How many operations a run takes, and by kind of fault, how many runs went on and how many ended alike."""
    tried, alike = Counter[str](), Counter[str]()
    (home / "whole").mkdir(parents=True)
    with power.recording(home / "whole") as operations:
        expected = train(home / "whole" / "run", epochs)
    files = contents(home / "whole" / "run")
    for i in range(len(operations) + 1):
        for seed, loss in enumerate(LOSSES):
            kind = [*FAULTS, *["power failure: some of it is there"] * 3][seed]
            folder = home / f"{i}-{seed}"
            power.after(operations[:i], home / "whole", folder, loss, Random(i * 10 + seed))
            with power.recording(folder):
                same = train(folder / "run", epochs) == expected and contents(folder / "run") == files
            tried[kind] += 1
            alike[kind] += same
        if i < len(operations):
            tried["a full disk"] += 1
            alike["a full disk"] += full_disk(home / f"{i}-full", i, epochs, expected) and (
                contents(home / f"{i}-full" / "run") == files
            )
    return len(operations), tried, alike


def full_disk(home: Path, place: int, epochs: int, expected: str) -> bool:
    """Whether a run whose operation at a place fails goes on to the same end. The removal of the lock may fail unnoticed."""
    home.mkdir()

    def fail(i: int, operation: power.Operation) -> None:
        if i == place:
            raise OSError(errno.ENOSPC, "No space left on device")

    with power.recording(home, fail):
        try:
            train(home / "run", epochs)
            refused = False
        except OSError as error:
            refused = error.errno == errno.ENOSPC
    with power.recording(home):
        return train(home / "run", epochs) == expected and (refused or place > 0)


def started(folder: Path, pause: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.kills.training", str(folder), str(pause)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def signals(home: Path, number: signal.Signals, times: int, random: Random) -> tuple[int, int, int]:
    """Runs that took `times` signals together: how many signals, how many runs, and how many of these ended alike."""
    signalled, runs, alike = 0, 0, 0
    expected = train(home / "whole")
    files = contents(home / "whole")
    while signalled < times:
        folder, runs = home / f"{number.name}-{runs}", runs + 1
        ended, in_order = False, True
        while not ended:
            process = started(folder, pause=0.01)
            try:
                out, _ = process.communicate(timeout=random.uniform(0, 1.0) if signalled < times else None)
                ended = True
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                signalled += 1
                process.communicate()
                in_order &= number is signal.SIGKILL or not (folder / "lock").exists()
        alike += in_order and out == f"{expected}\n" and contents(folder) == files
    return signalled, runs, alike


def second(home: Path) -> str:
    """What a second process in a run is told."""
    first = started(home / "shared", 0.05)
    try:
        while not list(home.glob("shared/epoch-*")):
            sleep(0.01)
        process = started(home / "shared", 0)
        _, error = process.communicate()
        return (
            error.strip()
            .splitlines()[-1]
            .partition(": ")[2]
            .replace(str(home), "...")
            .replace(str(first.pid), "PID")
            .replace(os.uname().nodename, "HOST")
        )
    finally:
        first.kill()
        first.communicate()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=KILLS, help="signals of each kind; results are printed only")
    parser.add_argument("--seed", type=int, default=0, help="of their moments; results are printed only")
    asked = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        count, tried, alike = faults(Path(place) / "faults")
        rows += [(kind, f"ahead of each of {count} operations", tried[kind], alike[kind]) for kind in tried]
        for name, number in SIGNALS.items():
            times, runs, same = signals(Path(place) / name, number, asked.kills, Random(asked.seed))
            rows.append((name, f"{times}, at random moments", runs, same))
        said = second(Path(place))
    lines = ["| what happens | when | runs that went on | with the same bytes |", "| --- | --- | ---: | ---: |"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    page = f"{HEAD}\n\n" + "\n".join(lines) + f"\n\nA second process in a run is told:\n\n```text\n{said}\n```\n"
    print(page)
    if (asked.kills, asked.seed) == (KILLS, 0):
        RESULTS.write_text(page, encoding="utf-8")
    return 0 if all(tried == alike for _, _, tried, alike in rows) and "is training" in said else 1


if __name__ == "__main__":
    sys.exit(main())
