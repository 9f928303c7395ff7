"""The results as a table on the terminal, in Markdown for the docs, and in JSON for machines."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .environment import Environment
from .rounds import Result
from .work import COMPILED, HAND, NUMBA, OURS

ENGINES = (OURS, COMPILED, NUMBA, HAND, "micrograd", "torch", "jax jit", "jax eager", "mygrad", "autograd")
HEADINGS = {
    OURS: "tinygrad\n-edu",
    HAND: "NumPy\nby hand",
    "micrograd": "micro\n-grad",
    "jax jit": "jax\njit",
    "jax eager": "jax\neager",
}


def cell(result: Result, engine: str, digits: int = 2) -> str:
    """What the table shows for an engine: its ratio to the reference, or its bytes; empty where it does not take part."""
    if engine in result.missing:
        return "missing"
    if engine not in result.figures:
        return ""
    figures = result.figures[engine]
    if result.work.unit == "bytes":
        return f"{figures.sample:,.0f} B"
    return "1" if engine == result.work.reference else _number(figures.ratio, digits)


def verdict(result: Result) -> str:
    """Our engine's figure to hold, and whether it did; empty where none is held."""
    if result.work.hold is None:
        return ""
    hold = f"≤ {result.work.hold:.2f}" if result.work.unit == "seconds" else f"≤ {result.work.hold:.0f} B"
    return f"{hold} " + {True: "ok", False: "OVER", None: "not measured"}[result.held]


def spread(result: Result) -> str:
    """Quartiles of our ratio over the rounds."""
    if OURS not in result.figures or result.work.unit == "bytes":
        return ""
    low, high = result.figures[OURS].spread
    return f"{_number(low)}-{_number(high)}"


def table(results: Sequence[Result]) -> Table:
    """For the terminal; 130 columns wide."""
    title = "Time of one step as a share of the reference's (1 in each row); bytes where it says so"
    shown = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
    shown.add_column("work", min_width=28)
    for engine in ENGINES:
        style = "bold" if engine == OURS else None
        shown.add_column(HEADINGS.get(engine, engine), justify="right", style=style, no_wrap=True)
    shown.add_column("quartiles\n(ours)", justify="right", no_wrap=True)
    shown.add_column("hold (ours)", justify="right", no_wrap=True)
    for result in results:
        colour = {True: "green", False: "red", None: "yellow"}[result.held]
        cells = [cell(result, engine) for engine in ENGINES]
        shown.add_row(result.work.title, *cells, spread(result), f"[{colour}]{verdict(result)}[/]")
    return shown


def skipped(results: Sequence[Result]) -> list[str]:
    """A line for each engine that did not take part though it was asked to."""
    return [
        f"skipped in {result.work.name}: {engine} ({reason})"
        for result in results
        for engine, reason in result.missing.items()
    ]


def markdown(results: Sequence[Result], about: Environment) -> str:
    """The table for README and docs, with what it was measured on."""
    header = ["work", *ENGINES, "quartiles (ours)", "hold (ours)"]
    lines = [
        "# Benchmarks",
        "",
        "Time of one step as a share of the reference's (1 in each row); less is faster. Bytes where it says so.",
        "Medians of the ratios within each of 5 to 41 rounds; one process and one thread per engine.",
        "Written by `python -m benchmarks`, whose folder says what is measured and why it is fair.",
        "",
        "| " + " | ".join(header) + " |",
        "| --- |" + " ---: |" * (len(header) - 1),
    ]
    for result in results:
        cells = [cell(result, engine) for engine in ENGINES]
        cells[0] = f"**{cells[0]}**"
        lines.append(f"| {' | '.join([result.work.title, *cells, spread(result), verdict(result)])} |")
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines += [
        "",
        f"{about['date']}; {about['cpu']}, {about['cores']} cores; {about['system']}; Python {about['python']}; {about['blas']}.",
        f"{versions}.",
        "",
        *[f"- {line}" for line in skipped(results)],
    ]
    return "\n".join(lines).rstrip() + "\n"


def as_json(results: Sequence[Result], about: Environment) -> str:
    """Everything measured, round by round."""
    works = {
        result.work.name: {
            "title": result.work.title,
            "unit": result.work.unit,
            "reference": result.work.reference,
            "hold": result.work.hold,
            "held": result.held,
            "missing": result.missing,
            "engines": {
                engine: {
                    "median": f"{figures.sample:.4g}",
                    "median ratio": f"{figures.ratio:.4g}",
                    "samples": [f"{x:.4g}" for x in figures.samples],
                    "ratios": [f"{x:.4g}" for x in figures.ratios],
                }
                for engine, figures in result.figures.items()
            },
        }
        for result in results
    }
    return json.dumps({"environment": about, "works": works}, indent=1, ensure_ascii=False) + "\n"


def write(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old one or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(partial, path)


def _number(ratio: float, digits: int = 2) -> str:
    return f"{ratio:.{digits}f}" if ratio < 10 else f"{ratio:.0f}"
