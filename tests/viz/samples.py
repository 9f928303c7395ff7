"""Pictures that several files test, and what a program prints under different seeds of hashing."""

from __future__ import annotations

import os
import subprocess
import sys

from tinygrad_edu import Value, relu, tanh
from viz import Picture, graph


def readme() -> Picture:
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(5.5, name="c")
    y = tanh(a * b + c)
    y.backward()
    return graph(y, {"y": y}, title="y = tanh(a*b + c)")


def micrograd() -> Picture:
    a, b = Value(-4.0, name="a"), Value(2.0, name="b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + relu(b + a)
    d += 3 * d + relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return graph(g)


def printed_under_two_hash_seeds(code: str) -> list[bytes]:
    """What the code prints when sets and dictionaries of strings are in one order, and in another."""
    return [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
