"""Where and with what the figures were measured."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypedDict

import numpy  # noqa: F401  # loads the BLAS that threadpool_info looks for
from threadpoolctl import threadpool_info

DISTRIBUTIONS = (
    "tinygrad-edu",
    "numpy",
    "micrograd",
    "autograd",
    "mygrad",
    "torch",
    "jax",
    "jaxlib",
    "numba",
    "scikit-learn",
)


class Environment(TypedDict):
    """Machine, versions, date."""

    date: str
    cpu: str
    cores: int
    system: str
    python: str
    blas: str
    versions: dict[str, str]


def environment() -> Environment:
    """Of this process and this moment."""
    blas = [
        f"{lib['internal_api']} {lib['version']}, kernel {lib.get('architecture', 'unknown')}"
        for lib in threadpool_info()
    ]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "blas": "; ".join(blas) or "unknown",
        "versions": {name: _version(name) for name in DISTRIBUTIONS},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
