"""Paths: the products of local derivatives from an output to the Values that it was computed from, written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tinygrad_edu import Value

_MOST_PATHS = 3  # to a Value, whose products are written out
_MOST_FACTORS = 6
_MOST_TOLD = 6  # Values
_LONGEST_LINE = 80  # characters of a product with its numbers; else those stand in the next line


class _Path(NamedTuple):
    """A product of local derivatives.

    Attributes:
        factors: as "∂y/∂v1".
        slopes: their numbers.
    """

    factors: tuple[str, ...] = ()
    slopes: tuple[str, ...] = ()


class Paths:
    """Collects the paths from an output, which `extend` is told of from the output to the leaves."""

    def __init__(self, output: Value) -> None:
        self.known: dict[int, list[_Path] | None] = {
            id(output): [_Path()]
        }  # by id; None for too many, or not of scalars

    def extend(self, value: Value, x: Value, partial: str, slope: str) -> None:
        """Add to the paths to x those through `value`, whose derivative by x is called `partial` and is the number `slope`."""
        before, here = self.known.get(id(value)), self.known.get(id(x), [])
        if before is None or here is None or not slope:
            self.known[id(x)] = None
            return
        longer = [_Path((*path.factors, partial), (*path.slopes, slope)) for path in before]
        fits = len(here) + len(longer) <= _MOST_PATHS and all(len(path.factors) <= _MOST_FACTORS for path in longer)
        self.known[id(x)] = [*here, *longer] if fits else None

    def lines(self, leaves: Sequence[tuple[Value, str, str]]) -> list[str]:
        """As "dy/da = ∂y/∂v1 · ∂v1/∂a = 0.8 · (−3) = −2.4", where there is more than one factor; none, if there are many leaves.

        Args:
            leaves: each with what its gradient is called, and the number.
        """
        told = [(name, paths, total) for x, name, total in leaves if (paths := self.known.get(id(x)))]
        lines = []
        for name, paths, total in told if len(told) <= _MOST_TOLD else []:
            if any(len(path.factors) > 1 for path in paths):
                symbols = f"{name} = {' + '.join(' · '.join(path.factors) for path in paths)}"
                products = [" · ".join([path.slopes[0], *map(factor, path.slopes[1:])]) for path in paths]
                numbers = f"= {' + '.join(products)} = {total}"
                is_short = len(symbols) + len(numbers) < _LONGEST_LINE
                lines += [f"{symbols} {numbers}"] if is_short else [symbols, numbers]
        return lines


def factor(text: str) -> str:
    """A number as a factor: in brackets if it is negative."""
    return f"({text})" if text.startswith("−") else text
