"""Taking turns: a worker process per engine, rounds of one turn each, ratios within a round."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

from .work import OURS, Answer, Work

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NPROC": "1",  # XLA's thread pool
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
}


class DisagreementError(Exception):
    """An engine computed something else than the reference, so its time would mean nothing."""


class Worker:
    """The process that runs one engine, in this checkout or another; see worker.py."""

    def __init__(self, work: Work, engine: str, folder: Path | None = None) -> None:
        self.engine = engine
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", work.name, engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_THREAD,
            cwd=folder,  # of another checkout
        )

    def receive(self) -> Any:
        """Its next message; raises RuntimeError if it died, having said why on standard error."""
        assert self.process.stdout is not None
        try:
            return pickle.load(self.process.stdout)
        except EOFError:
            raise RuntimeError(f"{self.engine}: its process ended with code {self.process.wait()}") from None

    def measure(self, turn: float) -> float:
        """One sample."""
        assert self.process.stdin is not None
        pickle.dump(turn, self.process.stdin)
        self.process.stdin.flush()
        return float(self.receive())

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


@dataclass
class Figures:
    """What one engine took, round by round: samples in the work's unit, and ratios to the reference of the same round."""

    samples: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    @property
    def sample(self) -> float:
        """Median sample."""
        return median(self.samples)

    @property
    def ratio(self) -> float:
        """Median ratio."""
        return median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """Quartiles of the ratio."""
        low, _, high = quantiles(self.ratios, n=4)
        return low, high


@dataclass
class Result:
    """One row of the table, measured."""

    work: Work
    figures: dict[str, Figures]
    missing: dict[str, str]  # engine -> why it was skipped

    @property
    def held(self) -> bool | None:
        """Whether our engine kept to its figure; None if it was not measured, or there is none."""
        if self.work.hold is None or OURS not in self.figures:
            return None
        ours = self.figures[OURS]
        return (ours.ratio if self.work.unit == "seconds" else ours.sample) <= self.work.hold


@contextmanager
def _workers(work: Work) -> Iterator[list[Worker]]:
    workers: list[Worker] = []
    try:
        workers += [Worker(work, engine) for engine in work.jobs]
        yield workers
    finally:
        for worker in workers:
            worker.close()


def measure(work: Work, rounds: Iterable[int]) -> Result:
    """Run a work.

    Args:
        rounds: 0, 1, ...; each engine gets one turn in each, and every other round goes through the engines backwards.

    Raises:
        DisagreementError: if an answer differs from the reference's by more than the work's tolerance.
        RuntimeError: if a worker died, or the reference is not installed.
    """
    with _workers(work) as workers:
        answers = {worker: worker.receive() for worker in workers}
        missing = {worker.engine: str(answer) for worker, answer in answers.items() if isinstance(answer, ImportError)}
        present = {worker: answer for worker, answer in answers.items() if worker.engine not in missing}
        reference = next((worker for worker in present if worker.engine == work.reference), None)
        if reference is None:
            raise RuntimeError(f"{work.name}: the reference, {work.reference}, is missing: {missing[work.reference]}")
        for worker, answer in present.items():
            _agree(work, worker.engine, answer, present[reference])

        figures = {worker.engine: Figures() for worker in present}
        for number in rounds:
            order = list(present) if number % 2 == 0 else list(present)[::-1]
            samples = {worker.engine: worker.measure(work.turn) for worker in order}
            for engine, sample in samples.items():
                figures[engine].samples.append(sample)
                figures[engine].ratios.append(sample / samples[work.reference])
    return Result(work, figures, missing)


def _agree(work: Work, engine: str, answer: Answer, expected: Answer) -> None:
    if answer.shape != expected.shape:
        raise DisagreementError(
            f"{work.name}: {engine} returned {answer.size} numbers, {work.reference} {expected.size}"
        )
    off = float(np.linalg.norm(answer - expected))
    length = float(np.linalg.norm(expected))
    if not off <= work.tolerance * length:  # also if either is NaN
        raise DisagreementError(
            f"{work.name}: {engine} is {off / (length or 1):.1e} away from {work.reference}, at most {work.tolerance:.0e} "
            "of the length of the answer is allowed"
        )
