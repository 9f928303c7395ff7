"""The processor time of `python -c "import engine"`, the whole process, beside `import numpy`, which this engine needs too."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from resource import RUSAGE_CHILDREN, getrusage

from ..work import HAND, OURS, Job, Work, flat

# Bytecode is cached, as it is for users; without it every import would compile its source anew.
CACHING = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _import(module: str) -> Callable[[], Job]:
    def measure(turn: float) -> float:
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True, env=CACHING)
        after = getrusage(RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

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
