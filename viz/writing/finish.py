"""Finish: how a drawing is rendered, which is no part of what it says: its theme, its shape, its legend."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from tinygrad_edu import DTypeError

from ..drawing import Drawing
from ..theme import Theme, check_theme
from .arrange import has_units
from .legend import with_legend

_RATIOS = 0.1, 10.0


class Finish(NamedTuple):
    """What a picture is rendered with.

    Attributes:
        theme: the colours; None for light ones, which SVG and web pages exchange for dark ones where the reader's system is.
        ratio: width over height, which long drawings are wrapped for; None to leave them as long as they are.
        turns: whether the flow of the arrows may be changed for the ratio.
        legend: whether there is one.
    """

    theme: Theme | None = None
    ratio: float | None = None
    turns: bool = False
    legend: bool = False

    def shown(self, drawing: Drawing) -> Drawing:
        """The drawing with its legend, if it is to have one."""
        return with_legend(drawing) if self.legend else drawing


PLAIN = Finish()


def check(caller: str, finish: Finish, drawing: Drawing) -> None:
    """Raises DTypeError, in the name of the function `caller`, for what no drawing or this one cannot be rendered with."""
    check_theme(caller, finish.theme)
    if finish.legend not in (True, False):
        raise DTypeError(f"{caller}: got legend={finish.legend!r}, expected True or False")
    ratio = finish.ratio
    if ratio is None:
        return
    low, high = _RATIOS
    if (
        isinstance(ratio, bool)
        or not isinstance(ratio, (int, float))
        or not isfinite(ratio)
        or not low <= ratio <= high
    ):
        raise DTypeError(
            f"{caller}: got ratio={ratio!r}, expected width over height, a number from {low:g} to {high:g} such as 16 / 9"
        )
    if has_units(drawing):
        raise DTypeError(
            f"{caller}: got ratio= for a drawing of neurons, whose columns cannot be wrapped; leave ratio out"
        )
