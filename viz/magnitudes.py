"""Magnitudes: the sizes of gradients as shades, and the words that explain the shades. Every writer takes both from here."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from math import inf, isfinite, log10

from .drawing import DrawnNode
from .text import number
from .theme import SCALE

ZERO = 0  # the shade of gradients that are 0 throughout; the others are 1 to `_STRONGEST`
_STRONGEST = len(SCALE) - 1


def magnitude(gradients: Iterable[float]) -> float | None:
    """log10 of the largest |gradient|, -inf if all are 0; None if there are none, or if one is NaN or infinite."""
    sizes = [abs(float(g)) for g in gradients]
    if not sizes or not all(map(isfinite, sizes)):
        return None
    largest = max(sizes)
    return log10(largest) if largest else -inf


def shades(nodes: Sequence[DrawnNode]) -> dict[str, int]:
    """For nodes with a magnitude, their places in `SCALE`, by id: equally spaced between the logarithms of the extremes."""
    known = {node.id: node.magnitude for node in nodes if node.magnitude is not None}
    low, high = _extremes(known.values())
    span = 0.0 if _shown(low) == _shown(high) else high - low  # what reads the same looks the same
    return {
        id: ZERO if x == -inf else 1 + round((_STRONGEST - 1) * ((x - low) / span)) if span else _STRONGEST
        for id, x in known.items()
    }


def scale(nodes: Sequence[DrawnNode]) -> str:
    """What the shades mean; "" where there are none."""
    known = [node.magnitude for node in nodes if node.magnitude is not None]
    if not known:
        return ""
    zero = "a gradient of 0 has no fill and a dotted border" if -inf in known else ""
    if not any(map(isfinite, known)):
        return f"{zero[0].upper()}{zero[1:]}; there is no other."
    low, high = map(_shown, _extremes(known))
    sizes = f"from {low} to {high} on a logarithmic scale" if low != high else f"here all {high}"
    return (
        f"{'; '.join(filter(None, (f'Fill strength and border width show the size of the gradient, {sizes}', zero)))}."
    )


def _extremes(known: Iterable[float]) -> tuple[float, float]:
    finite = [x for x in known if x != -inf]
    return min(finite, default=0.0), max(finite, default=0.0)


def _shown(x: float) -> str:
    try:
        return number(10**x)
    except OverflowError:  # by rounding, of the largest number there is
        return number(sys.float_info.max)
