"""`python -m benchmarks.agreement`: compare all ops with PyTorch, print and write the table; 1 if one disagrees."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from . import elementwise, linalg, more, neural, reduction, shape
from .comparison import TOLERANCE, Comparison, compare
from .report import markdown

RESULTS = Path(__file__).parent.parent / "results" / "agreement.md"
FAMILIES = (elementwise, reduction, shape, linalg, neural, more)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description="Every op beside PyTorch.")
    parser.add_argument("--only", metavar="NAME", help="one op; printed only")
    options = parser.parse_args()
    from tinygrad_edu import registry

    torch_rows = {name: row for family in FAMILIES for name, row in family.TORCH.items()}
    reasons = {name: reason for family in FAMILIES for name, reason in family.EXCEPTIONS.items()}
    names = [name for name in registry if options.only in (None, name)]
    missing = [name for name in names if name not in torch_rows and name not in reasons]
    console = Console()
    results: list[Comparison] = []
    for name in names:
        if name in torch_rows:
            results.append(compare(registry[name].op, torch_rows[name]))
            worst = results[-1]
            if not worst.agrees:
                console.print(f"[red]{name}: {worst.forward:.1e} {worst.first:.1e} {worst.second:.1e}[/]  {worst.call}")
    text = markdown(results, {name: reasons[name] for name in names if name in reasons}, TOLERANCE)
    console.print(text, markup=False)
    if missing:
        console.print(f"[red]no row for {', '.join(missing)}[/]")
    if options.only is None:
        RESULTS.write_text(text, encoding="utf-8")
    return int(bool(missing) or not all(result.agrees for result in results))


if __name__ == "__main__":
    sys.exit(main())
