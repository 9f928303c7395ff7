"""`python -m benchmarks.agreement_nn`: all of nn beside PyTorch, print and write the table; 1 if a case disagrees."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.progress import track

from . import initialisers, layers, losses, optimisers, schedules, sequences
from .case import TOLERANCE, Comparison, compare

RESULTS = Path(__file__).parent.parent / "results" / "agreement_nn.md"
FAMILIES = {
    "Layers": layers,
    "Sequences": sequences,
    "Losses": losses,
    "Initialisers": initialisers,
    "Optimisers, 100 steps each, and clipping": optimisers,
    "Schedules": schedules,
}


def section(title: str, results: list[Comparison], reasons: dict[str, str]) -> list[str]:
    """A family's table: settings compared and agreed, by name, and what was not compared."""
    groups: dict[str, list[Comparison]] = defaultdict(list)
    for result in results:
        groups[result.case.name].append(result)
    rows = [f"## {title}", "", "| name | compared | agree | furthest apart |", "| --- | ---: | ---: | ---: |"]
    for name, group in groups.items():
        worst = max(result.apart for result in group)
        rows.append(f"| {name} | {len(group)} | {sum(r.agrees for r in group)} | {worst:.0e} |")
    if reasons:
        rows += ["", "| not compared, or different on purpose | why |", "| --- | --- |"]
        rows += [f"| {name} | {reason} |" for name, reason in reasons.items()]
    return [*rows, ""]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement_nn", description="nn beside PyTorch.")
    parser.add_argument("--only", metavar="NAME", help="cases whose name contains this; printed only")
    options = parser.parse_args()
    console, sections, every = Console(), list[str](), list[Comparison]()
    for title, family in FAMILIES.items():
        chosen = [case for case in family.cases() if (options.only or "").lower() in case.name.lower()]
        results = [compare(case) for case in track(chosen, title, console=console)]
        for result in results:
            if not result.agrees:
                console.print(f"[red]{result.case.name} {result.case.setting}: {result.where} {result.apart:.1e}[/]")
        sections += section(title, results, family.EXCEPTIONS)
        every += results
    agreed = sum(result.agrees for result in every)
    text = "\n".join(
        [
            "# Agreement of nn with PyTorch",
            "",
            f"{len(every)} cases compared, {agreed} agree within {TOLERANCE:g} of their largest number, in float64: values,",
            "gradients of inputs and parameters, and states; layers' and sequences' state_dicts go to PyTorch and back.",
            "Written by `python -m benchmarks.agreement_nn`.",
            "",
            *sections,
        ]
    )
    console.print(text, markup=False)
    if options.only is None:
        RESULTS.write_text(text, encoding="utf-8")
    return int(agreed < len(every))


if __name__ == "__main__":
    sys.exit(main())
