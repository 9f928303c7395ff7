"""`python -m benchmarks.compiled_ops`: every op compiled, and what its programs are made of.

Calls of every op: forward, with a vector-Jacobian product, and to second order. Each program is compared with the op itself to
the last bit. results/compiled_ops.md says how many programs call functions, have guards, or left a call to the op, and why.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tinygrad_edu import UnreadableError, registry
from tinygrad_edu.testing.calls import OpCall
from tinygrad_edu.testing.compiling import (
    COPIED,
    GUARDED,
    REFUSED,
    Made,
    compiled_call,
    first_order,
    forward,
    second_order,
)
from tinygrad_edu.testing.strategies import fixed_calls

RESULTS = Path(__file__).parent / "results" / "compiled_ops.md"


def every_op() -> dict[str, list[Made]]:
    """What the programs of each op are made of: forward, first order, second order."""
    found = {}
    for name, public in registry.items():
        calls = fixed_calls(public.op, 8)
        found[name] = [made(calls, forward), made(calls, first_order), Made()]
        if public.op.differentiable:
            found[name][2] = made(calls[:4], second_order)
    return found


def made(calls: list[OpCall], order: Callable[[OpCall], Any]) -> Made:
    """What the programs of some calls are made of."""
    all_of_them = Made()
    for call in calls:
        with suppress(UnreadableError):
            compiled = compiled_call(call, order)
            if compiled is not None:
                all_of_them.add(compiled)
    return all_of_them


def table(found: dict[str, list[Made]]) -> str:
    """The counts, and the ops whose programs are not of expressions alone, with the reason."""
    lines = [
        "# Every op compiled",
        "",
        "Calls of every op, compiled and compared with the op itself to the last bit, on the numbers that they were compiled for",
        "and on others. Written by `python -m benchmarks.compiled_ops`.",
        "",
        "| ops | forward | first order | second order |",
        "| --- | ---: | ---: | ---: |",
    ]
    for title, counted in (
        ("compiled", lambda part: part.programs),
        ("that import more than NumPy when saved", lambda part: part.imported),
        ("that call functions, whose source `save` copies", lambda part: part.copied),
        ("with guards", lambda part: part.guards),
        ("that left a call to the op itself", lambda part: part.eager),
        ("programs in all", None),
    ):
        counts = [
            sum(part.programs for part in parts) if counted is None else sum(bool(counted(part)) for part in parts)
            for parts in zip(*found.values(), strict=True)
        ]
        lines.append(f"| {title} | {' | '.join(map(str, counts))} |")
    lines += ["", "## Exceptions", "", "| op | functions called | guards | why |", "| --- | --- | ---: | --- |"]
    for name, parts in found.items():
        copied = sorted(set().union(*[part.copied for part in parts]))
        guards = set().union(*[part.guards for part in parts])
        reasons = [COPIED[function] for function in copied] + [
            held[name] for held in (GUARDED, REFUSED) if name in held
        ]
        if reasons:
            count = "refused" if name in REFUSED else len(guards) or ""
            lines.append(f"| `{name}` | {', '.join(copied)} | {count} | {'; '.join(dict.fromkeys(reasons))} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    text = table(every_op())
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
