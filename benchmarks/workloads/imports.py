"""How long `python -c "import engine"` takes, the whole process, beside `import numpy`, which this engine imports too."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter

from ..work import HAND, OURS, Job, Work, flat


def _import(module: str) -> Callable[[], Job]:
    def measure(turn: float) -> float:
        start = perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return perf_counter() - start

    def job() -> Job:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            raise ModuleNotFoundError(f"No module named {module!r}")
        measure(0.0)  # files into the cache, bytecode onto the disk
        return Job(flat([]), measure)

    return job


IMPORTS = Work(
    name="import",
    title="import, whole process",
    reference=HAND,
    hold=1.25,
    rounds=15,
    jobs={
        HAND: _import("numpy"),
        OURS: _import("tinygrad_edu"),
        "micrograd": _import("micrograd.engine"),
        "torch": _import("torch"),
        "jax jit": _import("jax"),
        "mygrad": _import("mygrad"),
        "autograd": _import("autograd.numpy"),
    },
)
