"""The process of one engine for one work: `python -m benchmarks.worker WORK ENGINE`.

It does the work once and writes its answer to standard output, then reads the length of a turn from standard input and
writes a sample, turn by turn, until the input ends. All messages are pickles.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys

from .workloads import WORKS


def main(work: str, engine: str) -> None:
    """Answer, then measure on demand."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get into the messages

    def send(message: object) -> None:
        pickle.dump(message, channel)
        channel.flush()

    try:
        job = WORKS[work].jobs[engine]()
    except ImportError as error:
        send(error)
        return
    send(job.answer)
    off = os.environ.get("BENCHMARK_COLLECTOR") == "off" or not WORKS[work].collector
    if off:
        gc.disable()
    while True:
        if off:
            gc.collect()  # not timed
        try:
            turn = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        send(job.measure(turn))


if __name__ == "__main__":
    main(*sys.argv[1:])
