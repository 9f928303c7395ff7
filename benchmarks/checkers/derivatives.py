"""`python -m benchmarks.checkers.derivatives`: numerical_gradient beside jacobi, a library of numerical derivatives.

On the functions of jacobi's own tests, and at random distances of 1e-10 to 0.1 from the end of a domain or a pole: the relative
error, and how often it exceeds the error that each one states. Writes benchmarks/results/derivatives.md and prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from tinygrad_edu.testing import numerical_gradient

RESULTS = Path(__file__).parents[1] / "results" / "derivatives.md"
POINTS = 1000
Function: TypeAlias = Callable[[Any], Any]

# As in jacobi's tests and documentation: a function and its derivative, of numbers around 1 to 3.
OWN: dict[str, tuple[Function, Function]] = {
    "exp(x)": (np.exp, np.exp),
    "x^2": (lambda x: x**2, lambda x: 2 * x),
    "1/x": (lambda x: x**-1.0, lambda x: -(x**-2.0)),
    "sqrt(x + 1)": (lambda x: (x + 1) ** 0.5, lambda x: 0.5 * (x + 1) ** -0.5),
    "sin(x)/x": (lambda x: np.sin(x) / x, lambda x: (np.cos(x) - np.sin(x) / x) / x),
    "x": (lambda x: x, lambda x: 1.0),
}
# The end is at 0, or at -1 for log1p and at 1 for the last.
ENDS: dict[str, tuple[Function, Function, float]] = {
    "log(x)": (np.log, lambda x: 1 / x, 0.0),
    "sqrt(x)": (np.sqrt, lambda x: 0.5 / np.sqrt(x), 0.0),
    "cbrt(x)": (np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2), 0.0),
    "1/x": (lambda x: 1 / x, lambda x: -1 / x**2, 0.0),
    "x^-2": (lambda x: x**-2.0, lambda x: -2 * x**-3.0, 0.0),
    "log1p(x)": (np.log1p, lambda x: 1 / (1 + x), -1.0),
    "1/(x - 1)": (lambda x: 1 / (x - 1), lambda x: -1 / (x - 1) ** 2, 1.0),
}


def row(name: str, f: Function, slope: Function, points: list[float]) -> str:
    from jacobi import jacobi

    cells = [name]
    for method in (numerical_gradient, jacobi):
        errors, stated = [], []
        for x in points:
            value, error = method(f, x)
            errors.append(abs(value - slope(x)) / abs(slope(x)))
            stated.append(error / abs(slope(x)))
        beyond = np.mean(np.array(errors) > np.array(stated) + np.finfo(float).eps)
        cells += [f"{np.median(errors):.0e}", f"{np.max(errors):.0e}", f"{100 * beyond:.0f}"]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    rng = np.random.default_rng(0)
    heads = [
        "function",
        *[f"{name}, {what}" for name in ("ours", "jacobi") for what in ("median", "largest", "% beyond")],
    ]
    lines = [
        "# Numerical derivatives",
        "",
        "Written by `python -m benchmarks.checkers.derivatives`: `numerical_gradient` beside jacobi 0.9.2, at their defaults.",
        f"Relative errors at {POINTS:,} random points: the median, the largest, and how often it exceeds the stated error.",
    ]
    for title, rows in (
        ("From 1 to 3", [row(n, f, d, list(rng.uniform(1, 3, POINTS))) for n, (f, d) in OWN.items()]),
        (
            "1e-10 to 0.1 from an end or a pole",
            [row(n, f, d, list(at + 10 ** rng.uniform(-10, -1, POINTS))) for n, (f, d, at) in ENDS.items()],
        ),
    ):
        lines += ["", f"## {title}", "", f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}", *rows]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        sys.exit(main())
