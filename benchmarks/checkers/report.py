"""The tables as Markdown, and whether the promises hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..environment import environment
from .cases import CASES
from .hard import HARD
from .single import MISTAKES
from .timing import INPUTS, OUTPUTS, Time

FAST_LIMIT, SLOW_LIMIT = 3.0, 1.0  # ours over torch's


class Tables(NamedTuple):
    """What was measured; shares from 0 to 1."""

    checkers: list[str]
    seeds: int
    caught: dict[str, dict[str, float]]
    missed: dict[str, list[tuple[str, str, float]]]
    alarms: dict[str, dict[str, float | None]]
    inconclusive: dict[str, dict[str, float]]
    single: dict[str, dict[float, float]]
    times: dict[str, Time]


def markdown(found: Tables) -> str:
    """The whole report."""
    versions = environment()["versions"]
    lines = [
        "# Gradient checkers",
        "",
        "Written by `python -m benchmarks.checkers`, whose modules say how. The same functions in NumPy, gradients by hand,",
        f"mistakes, points and seeds ({found.seeds} of each) for all, at their default settings. Functions: "
        f"{', '.join(case.name for case in CASES)}.",
        f"NumPy {versions['numpy']}, torch {versions['torch']}, jax {versions['jax']}, autograd {versions['autograd']}; "
        "chainer, mygrad and naive (one random number of the",
        "gradient of f.sum()) are their methods, re-stated in methods.py.",
        "",
        "## Wrong gradients caught, %",
        "",
        "That nothing can be told counts as missed. `transposed` leaves out the sliding product, whose inputs are not square;",
        "`missing broadcast sum` is of layer norm, the weighted sum and divide; `outside the subdifferential` of max and relu.",
        "",
        *table(
            "mistake",
            found.checkers,
            ((k, [percent(row[c]) for c in found.checkers]) for k, row in found.caught.items()),
        ),
        "",
        *[
            f"- {name} misses {listed(found.missed[name])}"
            for name in found.checkers
            if name.startswith("ours") and found.missed.get(name)
        ],
        "",
        "## Right gradients rejected, %",
        "",
        "A checker that rejects right ones at a tie or kink catches wrong ones there by accident. - means not run: it looks",
        f"at every number. {', '.join(f'{k}: {hard.seeds} seeds' for k, hard in HARD.items() if hard.seeds)}.",
        "",
        *table(
            "point", found.checkers, ((k, [percent(row[c]) for c in found.checkers]) for k, row in found.alarms.items())
        ),
        "",
        "Numbers of which ours says that nothing can be told, %:",
        "",
        *table(
            "point",
            own := [name for name in found.checkers if name.startswith("ours")],
            ((k, [percent(row.get(c)) for c in own]) for k, row in found.inconclusive.items()),
        ),
        "",
        "## Ours on float32",
        "",
        f"Gradients wrong by a factor, rejected, %, over all functions, both modes and {found.seeds // 2} seeds:",
        "",
        *table(
            "function",
            [f"1 + {mistake:g}" for mistake in MISTAKES],
            ((way, [percent(row[m]) for m in MISTAKES]) for way, row in found.single.items()),
        ),
        "",
    ]
    if found.times:
        lines += [
            "## Time",
            "",
            f"tanh(A x), {INPUTS:,} inputs, {OUTPUTS:,} results, one thread, processor time; the ratio is the median",
            "over rounds.",
            "",
            "| checker | ms | over torch's |",
            "| --- | ---: | --- |",
            *[
                f"| {name} | {time.seconds * 1e3:.1f} | {time.ratio:.2f} ({'slow' if name in WHOLE_TIMED else 'fast'}) |"
                for name, time in found.times.items()
            ],
            "",
        ]
    return "\n".join([*lines, "## Holds", "", *[f"- {line}" for line in holds(found)]]) + "\n"


WHOLE_TIMED = ("ours, full", "torch slow")


def holds(found: Tables) -> Iterable[str]:
    """Promises of our checker."""
    for name in found.checkers:
        if name.startswith("ours"):
            yield said(f"{name} catches every mistake", all(row[name] == 1 for row in found.caught.values()))
            yield said(f"{name} rejects no right gradient", not any(row[name] for row in found.alarms.values()))
    right = all(row[m] == caught for row in found.single.values() for m, caught in MISTAKES.items())
    yield said("on float32, 1e-2 and 1.5e-3 are caught, and 9e-7 passes", right)
    for name, limit, peer in (("ours", FAST_LIMIT, "fast"), ("ours, full", SLOW_LIMIT, "slow")):
        if name in found.times:
            yield said(f"{name} takes at most {limit:g} times torch's {peer} mode", found.times[name].ratio <= limit)


def said(promise: str, kept: bool) -> str:
    return f"{promise}: {'yes' if kept else 'NO'}"


def listed(missed: list[tuple[str, str, float]]) -> str:
    return "; ".join(f"{fault} of {case} ({percent(1 - share)}%)" for fault, case, share in missed)


def percent(share: float | None) -> str:
    """Never rounded to 0 or 100."""
    if share is None:
        return "-"
    if 0 < share < 0.01 or 0.99 < share < 1:
        return f"{100 * share:.1f}"
    return f"{100 * share:.0f}"


def table(first: str, heads: list[str], rows: Iterable[tuple[str, list[str]]]) -> list[str]:
    lines = [f"| {first} | {' | '.join(heads)} |", f"| --- |{' ---: |' * len(heads)}"]
    return lines + [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
