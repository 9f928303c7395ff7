"""Work: what is measured, by whom, against whom, and the figure to hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import process_time
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

OURS = "tinygrad-edu"
COMPILED = "compiled"  # ours, by tinygrad_edu.compile
NUMBA = "numba"  # numba.njit of the text that tinygrad_edu.compile writes
HAND = "NumPy by hand"

Answer = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Job:
    """One engine doing the work.

    Args:
        answer: the numbers it computed (value, gradients, ...), in the same order as every other engine.
        measure: one sample in the work's unit, given how many seconds a turn should take.
    """

    answer: Answer
    measure: Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Work:
    """One row of the table.

    Args:
        name: what --only is matched against.
        title: what the table says.
        reference: the engine whose figure is 1.
        jobs: for each engine a function that imports it, does the work once and returns the Job. Nothing else imports an
            engine, since a process holds only the one it measures.
        hold: the most that our engine may take: of the reference's seconds, or in bytes; None where no figure is held.
        tolerance: how far an answer may be from the reference's, as a share of its length.
        unit: what `Job.measure` returns.
        rounds: how many samples of each engine make the median.
        turn: seconds that a sample takes at least; long where the garbage collector's rare full passes must average out.
        collector: whether Python's garbage collector is on.
    """

    name: str
    title: str
    reference: str
    jobs: dict[str, Callable[[], Job]]
    hold: float | None = None
    tolerance: float = 1e-9
    unit: Literal["seconds", "bytes"] = "seconds"
    rounds: int = 41
    turn: float = 0.03
    collector: bool = True


def timed(step: Callable[[], Any], answer: Answer) -> Job:
    """The Job whose sample is the mean time of `step`, over as many steps as fill a turn.

    It is processor time: all engines run on one thread, and what other processes do meanwhile is not theirs to answer for.
    """

    def measure(turn: float) -> float:
        steps, spent = 0, 0.0
        start = process_time()
        while spent < turn:
            for _ in range(batch):
                step()
            steps += batch
            spent = process_time() - start
        return spent / steps

    for _ in range(3):  # caches, compilers
        step()
    start = process_time()
    step()
    batch = max(1, int(1e-3 / (process_time() - start)))  # looks at the clock about once a millisecond
    return Job(answer, measure)


def flat(*arrays: Any) -> Answer:
    """Numbers and arrays of any engine in one row."""
    return np.concatenate([np.ravel(np.asarray(a, dtype=np.float64)) for a in arrays])
