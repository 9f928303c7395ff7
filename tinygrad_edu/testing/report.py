"""The report of a check, printed as a table with the worst numbers first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .problem import Verdict

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Element:
    """One number of a gradient that was examined individually.

    Attributes:
        argument: position of the input, from 0; arrays in dictionaries count one by one.
        index: index of the number in the input.
        claimed: the claimed gradient.
        slope: the slope from function values; at a kink the mean of the one-sided slopes.
        error: error bar of `slope`.
        verdict: see `Verdict`.
    """

    argument: int
    index: tuple[int, ...]
    claimed: float
    slope: float
    error: float
    verdict: Verdict

    @property
    def ratio(self) -> float:
        """claimed / slope; NaN for 0 / 0."""
        return self.claimed / self.slope if self.slope else float("inf") if self.claimed else float("nan")

    @property
    def ratio_text(self) -> str:
        """The ratio in five digits; near 1 its difference from 1."""
        return f"{self.ratio:.5g}" if not 1e-9 < abs(self.ratio - 1) < 1e-4 else f"1{self.ratio - 1:+.1e}"


@dataclass(frozen=True)
class GradientReport:
    """The result of a check.

    Attributes:
        name: name of the function.
        seed: seed of the weights and directions.
        cotangent: g, as a vjp takes it: the numbers are those of the gradient of sum(g * f).
        compared: count of numbers compared with the function's values, including subgradients.
        subgradients, inconclusive: counts of numbers between the one-sided slopes at a kink, and of inconclusive numbers.
        elements: the numbers examined individually, the worst first.
        laws: the laws that were checked.
        names: what each input is called: its position, or "0['0.weight']" in a dictionary.
    """

    name: str
    seed: int
    cotangent: Any
    compared: int
    subgradients: int
    inconclusive: int
    elements: tuple[Element, ...]
    laws: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def wrong(self) -> tuple[Element, ...]:
        """The numbers that are wrong."""
        return tuple([e for e in self.elements if e.verdict is Verdict.WRONG])

    def __str__(self) -> str:
        counts = [f"{self.compared} compared", f"{len(self.wrong)} wrong"]
        counts += [f"{self.subgradients} subgradients", f"{self.inconclusive} inconclusive"]
        lines = [f"{self.name}: {', '.join(counts)} (seed={self.seed}); laws: {', '.join(self.laws)}"]
        shown = [e for e in self.elements if e.verdict is not Verdict.RIGHT][:SHOWN]
        if shown:
            lines.append("  of sum(g * f), with random weights g, which are report.cotangent:")
            lines.append(f"  {'argument':<16} {'gradient':>14} {'slope':>14} {'± error':>9} {'ratio':>10}  verdict")
        for e in shown:
            place = f"{self.names[e.argument]}{list(e.index) if e.index else ''}"
            numbers = f"{e.claimed:>14.8g} {e.slope:>14.8g} {e.error:>9.1e} {e.ratio_text:>10}"
            lines.append(f"  {place:<16} {numbers}  {e.verdict}")
        hidden = sum(e.verdict is not Verdict.RIGHT for e in self.elements) - len(shown)
        return "\n".join([*lines, f"  and {hidden} more"] if hidden > 0 else lines)


def ranked(elements: list[Element]) -> tuple[Element, ...]:
    """The worst first: wrong before inconclusive before the rest, and by the distance from the slope."""
    order = {Verdict.WRONG: 0, Verdict.INCONCLUSIVE: 1, Verdict.SUBGRADIENT: 2, Verdict.RIGHT: 3}

    def badness(e: Element) -> tuple[int, float]:
        apart = abs(e.claimed - e.slope)
        return order[e.verdict], -apart if apart == apart else float("-inf")

    return tuple(sorted(elements, key=badness))
