"""The table of agreement."""

from __future__ import annotations

from .comparison import Comparison


def markdown(results: list[Comparison], reasons: dict[str, str], tolerance: float) -> str:
    """Compared, agreed, and the exceptions with their reasons."""
    agreed = sum(result.agrees for result in results)
    rows = [
        "# Agreement with PyTorch",
        "",
        f"{len(results)} ops compared, {agreed} agree within {tolerance:g}; {len(reasons)} not compared. Shown is the largest",
        "difference over all calls, relative to the largest number of the answer (at least 1), in float64. Written by",
        "`python -m benchmarks.agreement`.",
        "",
        "| op | calls | forward | gradient | second gradient | |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for r in results:
        verdict = "" if r.agrees else "**differs**"
        rows.append(f"| `{r.name}` | {r.calls} | {r.forward:.0e} | {r.first:.0e} | {r.second:.0e} | {verdict} |")
    rows += ["", "| not compared | why |", "| --- | --- |"]
    rows += [f"| `{name}` | {reason} |" for name, reason in sorted(reasons.items())]
    return "\n".join(rows) + "\n"
