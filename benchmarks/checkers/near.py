"""`python -m benchmarks.checkers.near`: our checker near the end of a domain, near a pole, and at bends of a small scale.

Functions with their gradients by hand, at many distances. A right gradient must pass, and a wrong one be caught: 0, a thousandth
too large, of the wrong sign; in one number alone, and beside an ordinary number. Writes benchmarks/results/checkers_near.md.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from tinygrad_edu.errors import GradientError, InconclusiveError
from tinygrad_edu.testing import check_vjp

from .cases import Array, Inputs, Vjp
from .report import table

DISTANCES = tuple([float(f"1e-{k}") for k in range(1, 13)])
ANSWERS = ["right", "wrong", "inconclusive"]
RESULTS = Path(__file__).parents[1] / "results" / "checkers_near.md"
ORDINARY = 0.7  # the distance of a number far from the end


class Near(NamedTuple):
    """A function with its gradient, and where to check it; `ordinary` is a number far from the end, for elementwise functions."""

    f: Callable[..., Array]
    vjp: Vjp
    x: Array
    ordinary: float | None = None


Place: TypeAlias = Callable[[float], Near]  # from a distance


def end(f: Callable[[Array], Array], slope: Callable[[Array], Array], at: float = 0.0, side: int = 1) -> Place:
    """An elementwise function whose domain or smoothness ends at a number; `side` is where the function goes on."""
    return lambda d: Near(f, lambda g, x: (g * slope(x),), at + side * np.array([d]), at + side * ORDINARY)


def bend(f: Callable[[Array], Array], slope: Callable[[Array], Array], at: float) -> Place:
    """f(x / d) at x = at · d: all that it does happens within a few d of 0."""
    return lambda d: Near(lambda x: f(x / d), lambda g, x: (g * slope(x / d) / d,), np.array([at * d]))


def strict_sqrt(x: Array) -> Array:
    """Raises below 0, as `math` does."""
    return np.array([math.sqrt(v) for v in x])


def inverse(d: float) -> Near:
    def vjp(g: Array, m: Array) -> Inputs:
        y = np.linalg.inv(m)
        return (-y.T @ g @ y.T,)

    return Near(np.linalg.inv, vjp, d * np.array([[2.0, 1.0], [1.0, 3.0]]))


def log_determinant(d: float) -> Near:
    matrix = d * np.array([[2.0, 1.0], [0.5, 3.0]])
    return Near(lambda m: np.linalg.slogdet(m)[1], lambda g, m: (g * np.linalg.inv(m).T,), matrix)


def share(d: float) -> Near:
    def vjp(g: Array, x: Array) -> Inputs:
        total = np.sum(x)
        return ((g - np.sum(g * x) / total) / total,)

    return Near(lambda x: x / np.sum(x), vjp, d * np.array([1.0, 2.0, 4.0]))


def cross_entropy(d: float) -> Near:
    target = np.array([0.5, 0.25, 0.25])
    p = np.array([d, 0.6 - d, 0.4])
    return Near(lambda p: -np.sum(target * np.log(p)), lambda g, p: (-g * target / p,), p)


def length(d: float) -> Near:
    return Near(
        lambda x: np.sqrt(np.sum(x * x)), lambda g, x: (g * x / np.sqrt(np.sum(x * x)),), d * np.array([1.0, -2.0, 2.0])
    )


NEAR: dict[str, Place] = {
    "log(x)": end(np.log, lambda x: 1 / x),
    "sqrt(x)": end(np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "sqrt(x), raising below 0": end(strict_sqrt, lambda x: 0.5 / np.sqrt(x)),
    "cbrt(x)": end(np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2)),
    "x^0.1": end(lambda x: x**0.1, lambda x: 0.1 * x**-0.9),
    "x^1.5": end(lambda x: x**1.5, lambda x: 1.5 * np.sqrt(x)),
    "1/x": end(lambda x: 1 / x, lambda x: -1 / x**2),
    "1/x from the left": end(lambda x: 1 / x, lambda x: -1 / x**2, side=-1),
    "x^-2": end(lambda x: x**-2.0, lambda x: -2 * x**-3.0),
    "1/sqrt(x)": end(lambda x: 1 / np.sqrt(x), lambda x: -0.5 * x**-1.5),
    "x log(x)": end(lambda x: x * np.log(x), lambda x: np.log(x) + 1),
    "log(x)^2": end(lambda x: np.log(x) ** 2, lambda x: 2 * np.log(x) / x),
    "log(sin(x))": end(lambda x: np.log(np.sin(x)), lambda x: 1 / np.tan(x)),
    "1/tanh(x)": end(lambda x: 1 / np.tanh(x), lambda x: -1 / np.sinh(x) ** 2),
    "1/expm1(x)": end(lambda x: 1 / np.expm1(x), lambda x: -np.exp(x) / np.expm1(x) ** 2),
    "log|x| from the left": end(lambda x: np.log(np.abs(x)), lambda x: 1 / x, side=-1),
    "logit(x)": end(lambda x: np.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), at=1.0, side=-1),
    "log1p(x)": end(np.log1p, lambda x: 1 / (1 + x), at=-1.0),
    "1/(x - 1)": end(lambda x: 1 / (x - 1), lambda x: -1 / (x - 1) ** 2, at=1.0),
    "(x + 3)^-2": end(lambda x: (x + 3) ** -2.0, lambda x: -2 * (x + 3) ** -3.0, at=-3.0),
    "sqrt(x - 100)": end(lambda x: np.sqrt(x - 100), lambda x: 0.5 / np.sqrt(x - 100), at=100.0),
    "arccos(x)": end(np.arccos, lambda x: -1 / np.sqrt((1 - x) * (1 + x)), at=1.0, side=-1),
    "arccosh(x)": end(np.arccosh, lambda x: 1 / np.sqrt((x - 1) * (x + 1)), at=1.0),
    "arctanh(x)": end(np.arctanh, lambda x: 1 / ((1 - x) * (1 + x)), at=-1.0),
    "tan(x)": end(np.tan, lambda x: 1 + np.tan(x) ** 2, at=math.pi / 2, side=-1),
    "tanh(x/d)": bend(np.tanh, lambda u: 1 / np.cosh(u) ** 2, at=0.1),
    "exp(-(x/d)^2)": bend(lambda u: np.exp(-u * u), lambda u: -2 * u * np.exp(-u * u), at=0.5),
    "sqrt((x/d)^2 + 1)": bend(lambda u: np.sqrt(u * u + 1), lambda u: u / np.sqrt(u * u + 1), at=0.2),
    "1/((x/d)^2 + 1)": bend(lambda u: 1 / (u * u + 1), lambda u: -2 * u / (u * u + 1) ** 2, at=1.0),
    "length": length,
    "inverse of a matrix": inverse,
    "log of a determinant": log_determinant,
    "shares of a sum": share,
    "cross-entropy": cross_entropy,
}


FAULTS: dict[str, Callable[[Array], Array]] = {
    "0": np.zeros_like,
    "x 1.001": lambda g: 1.001 * g,
    "sign": np.negative,
}


def variants(near: Near) -> Iterator[tuple[str, Near, int | slice]]:
    """The point, and the same beside an ordinary number: with the numbers that a fault changes."""
    yield "alone", near, slice(None)
    if near.ordinary is not None:
        both = near._replace(x=np.array([near.ordinary, near.x[0]]))
        yield "beside an ordinary number", both, 1
        yield "the ordinary number", both, 0


def changed(vjp: Vjp, fault: Callable[[Array], Array], place: int | slice) -> Vjp:
    """The gradient with a fault in some of its numbers."""

    def wrong(g: Array, x: Array) -> Inputs:
        (gradient,) = vjp(g, x)
        gradient = gradient.copy()
        gradient[place] = fault(gradient[place])
        return (gradient,)

    return wrong


def answer(near: Near, vjp: Vjp, place: int | slice, mode: str, seed: int) -> str:
    """What the checker says of the chosen numbers: right, wrong, or inconclusive."""
    try:
        report = check_vjp(near.f, vjp, near.x, mode=mode, seed=seed)  # type: ignore[arg-type]
    except InconclusiveError:
        return "inconclusive"
    except GradientError:
        return "wrong"
    chosen = set(np.atleast_1d(np.arange(near.x.size)[place]).tolist())
    unknown = {int(np.ravel_multi_index(e.index, near.x.shape)) for e in report.elements if e.verdict == "inconclusive"}
    return "inconclusive" if chosen & unknown else "right"


def grid(
    distances: tuple[float, ...] = DISTANCES, modes: tuple[str, ...] = ("screen", "full"), seeds: int = 1
) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Counts of (fault, answer) over all functions, distances, variants, modes and seeds; and the answers not hoped for."""
    counts: Counter[tuple[str, str]] = Counter()
    notable = []
    for name, place in NEAR.items():
        for d in distances:
            for variant, near, chosen in variants(place(d)):
                for mode in modes:
                    for seed in range(seeds):
                        hopes = {"none": ("right", near.vjp)}
                        hopes |= {key: ("wrong", changed(near.vjp, fault, chosen)) for key, fault in FAULTS.items()}
                        for fault, (hope, vjp) in hopes.items():
                            said = answer(near, vjp, chosen, mode, seed)
                            counts[fault, said] += 1
                            if said != hope:
                                notable.append(
                                    f"{name} at {d:.0e}, {variant}, {mode}, seed {seed}, fault {fault}: {said}"
                                )
    return counts, notable


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.checkers.near", description="Our checker near the end of a domain."
    )
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    with np.errstate(all="ignore"):
        counts, notable = grid(seeds=options.seeds)
    alarms = counts["none", "wrong"]
    missed = sum(counts[fault, "right"] for fault in FAULTS)
    lines = [
        "# The checker near ends and poles",
        "",
        f"Written by `python -m benchmarks.checkers.near`: {len(NEAR)} functions at {len(DISTANCES)} distances, 0.1 to 1e-12,",
        "from the end of their domain, a pole, or a bend; in both modes, alone and beside an ordinary number. The answers to",
        "right gradients, and to those with a number that is 0, a thousandth too large, or of the wrong sign:",
        "",
        *table(
            "gradient",
            ANSWERS,
            ((fault, [str(counts[fault, said]) for said in ANSWERS]) for fault in ("none", *FAULTS)),
        ),
        "",
        f"Right ones called wrong: {alarms}; wrong ones passed: {missed}. Inconclusive numbers, in mode full:",
        "",
        *[f"- {line}" for line in notable if ", full," in line],
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.seeds == 1:
        RESULTS.write_text(text, encoding="utf-8")
    return int(alarms + missed > 0)


if __name__ == "__main__":
    sys.exit(main())
