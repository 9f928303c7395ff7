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
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from time import sleep

from rich.console import Console
from rich.table import Table

from . import power
from .training import contents, train

LOSSES = ("nothing", "everything", "data", "some", "some", "some")
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


def signals(home: Path, number: signal.Signals, times: int, random: Random) -> tuple[int, int, bool]:
    """Runs that took `times` signals together: how many signals, how many runs, and whether all ended alike."""
    pause, signalled, runs = 0.01, 0, 0
    expected = train(home / "whole")
    files, alike = contents(home / "whole"), True
    while signalled < times:
        folder, runs = home / f"{number.name}-{runs}", runs + 1
        while True:
            process = started(folder, pause)
            try:
                out, _ = process.communicate(timeout=random.uniform(0, 1.0) if signalled < times else None)
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                signalled += 1
                process.communicate()
                alike &= number is signal.SIGKILL or not (folder / "lock").exists()
                continue
            alike &= out == f"{expected}\n" and contents(folder) == files
            break
    return signalled, runs, alike


def second(home: Path) -> str:
    """What a second process in a run is told."""
    first = started(home / "shared", 0.05)
    try:
        while not list(home.glob("shared/epoch-*")):
            sleep(0.01)
        process = started(home / "shared", 0)
        _, error = process.communicate()
        return error.strip().splitlines()[-1].replace(str(home), "...").replace(str(first.pid), "PID")
    finally:
        first.kill()
        first.communicate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    table, right = Table("what happens", "times", "runs that went on", "with the same bytes"), True
    with tempfile.TemporaryDirectory() as place:
        count, tried, alike = faults(Path(place) / "faults")
        for kind in tried:
            table.add_row(kind, f"ahead of each of {count} operations", str(tried[kind]), str(alike[kind]))
            right &= tried[kind] == alike[kind]
        for name, number in SIGNALS.items():
            times, runs, same = signals(Path(place) / name, number, asked.kills, Random(asked.seed))
            table.add_row(name, f"{times}, at random moments", str(runs), str(runs if same else "no"))
            right &= same
        Console().print(table)
        print("a second process:", said := second(Path(place)))
    return 0 if right and "is training" in said else 1


if __name__ == "__main__":
    sys.exit(main())
