"""Sharing out many calls of one function over processes, with what they have done shown meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any, TypeAlias

import numpy as np

from .field import Array

Task: TypeAlias = Callable[[int], float]

_WORTH = 2.0  # seconds of work from which on processes are worth their start
_CHUNKS = 16  # for each process, so that none waits long for the last one


def shared(title: str, task: Task, count: int, workers: int | None, progress: bool) -> Array:
    """[task(0), task(1), ..., task(count - 1)].

    Processes are forked, as only these can call a lambda or a model in memory: each is a copy of this one. Where that is not safe
    (Windows, macOS), or in a process that may have no children, this process does all. BLAS has one thread in any case, since
    threads of several processes wait for each other (twice the time of one process was measured), and the numbers are the same.
    A call that raises an error is repeated here, so that its traceback shows the user's lines.

    Args:
        title: stands beside the bar.
        task: called with each number; it returns a float.
        count: how many calls.
        workers: processes; None for one on each processor, if the work takes more than a few seconds.
        progress: draw a bar on a terminal, or print a line after each quarter elsewhere.
    """
    results, left = np.empty(count), list(range(count))
    with single_threaded(), Counting(title, count, progress) as counting:
        if workers is None:
            begun = monotonic()
            results[0] = task(left.pop(0))
            counting(1)
            workers = processors() if (monotonic() - begun) * count > _WORTH else 1
        if workers > 1 and may_fork():
            left = _forked(task, results, left, min(workers, max(len(left), 1)), counting)
        for k in left:
            results[k] = task(k)
            counting(1)
    return results


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def may_fork() -> bool:
    """Whether processes can be forked safely: macOS's libraries do not survive it."""
    return sys.platform == "linux" and not multiprocessing.current_process().daemon


def single_threaded() -> AbstractContextManager[Any]:
    """BLAS with one thread while this is open, if threadpoolctl is installed."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    return threadpool_limits(1)  # type: ignore[no-any-return]


def _forked(task: Task, results: Array, left: list[int], workers: int, counting: Counting) -> list[int]:
    """Results from processes, each of which gets some numbers at a time. Returns those that none answered."""
    context = multiprocessing.get_context("fork")
    size = max(len(left) // (workers * _CHUNKS), 1)
    waiting = [left[i : i + size] for i in range(0, len(left), size)][::-1]
    given: dict[Any, list[int]] = {}
    unanswered: list[int] = []
    processes = []
    try:
        for _ in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(task, theirs), daemon=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of threads: no process waits for one
                process.start()
            processes.append(process)
            theirs.close()
            given[ours] = []
            _give(given, ours, waiting)
        while given:
            ready: list[Any] = wait(list(given))
            for ours in ready:
                try:
                    answers = ours.recv()
                except (EOFError, OSError):  # the process was killed
                    unanswered += given.pop(ours)
                    continue
                for k, answer in zip(given[ours], answers, strict=True):
                    results[k] = task(k) if answer is None else answer
                    counting(1)
                _give(given, ours, waiting)
    finally:
        for process in processes:
            process.terminate()
            process.join()
    return unanswered + [k for chunk in waiting for k in chunk]


def _give(given: dict[Any, list[int]], ours: Any, waiting: list[list[int]]) -> None:
    """Send the next numbers to a process, or let it go."""
    given[ours] = waiting.pop() if waiting else []
    try:
        ours.send(given[ours])
    except OSError:
        waiting.append(given[ours])
        given[ours] = []
    if not given[ours]:
        del given[ours]
        ours.close()


def _work(task: Task, connection: Connection) -> None:
    """What a process does: answer until no numbers come. None stands for an error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process, which ends this one
    while numbers := connection.recv():
        answers: list[float | None] = []
        for k in numbers:
            try:
                answers.append(task(k))
            except Exception:
                answers.append(None)
        connection.send(answers)


class Counting:
    """A rich progress bar on a terminal; elsewhere a line after each quarter; nothing if not wanted."""

    def __init__(self, title: str, total: int, wanted: bool) -> None:
        self.title, self.total, self.wanted, self.done = title, total, wanted, 0
        self.due = 0.0
        self.bar: Any = None

    def __enter__(self) -> Counting:
        if self.wanted:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

            self.console = Console()
            if self.console.is_terminal:
                columns = (self.title, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
                self.bar = Progress(*columns, console=self.console, auto_refresh=False)
                self.task = self.bar.add_task("", total=self.total)
                self.bar.start()
        return self

    def __call__(self, more: int) -> None:
        """So many more calls are done."""
        before, self.done = self.done, self.done + more
        if self.bar is not None:
            if monotonic() > self.due or self.done == self.total:
                self.due = monotonic() + 0.1
                self.bar.update(self.task, completed=self.done)
                self.bar.refresh()
        elif self.wanted and 4 * self.done // self.total > 4 * before // self.total:
            text = f"{self.title}: {self.done:,} of {self.total:,} points"
            self.console.print(text, highlight=False, soft_wrap=True)

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.stop()
