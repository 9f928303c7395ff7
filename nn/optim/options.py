"""What each option of an optimiser may be: one table, whichever optimiser has the option."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, TypeGuard

from tinygrad_edu import TinygradError

Test = Callable[[Any], bool]


def _real(x: Any) -> TypeGuard[float]:
    return isinstance(x, Real)


POSITIVE: tuple[Test, str] = (lambda x: _real(x) and x > 0, "a positive number")
NOT_NEGATIVE: tuple[Test, str] = (lambda x: _real(x) and x >= 0, "a number of at least 0")
BELOW_ONE: tuple[Test, str] = (lambda x: _real(x) and 0 <= x < 1, "a number in [0, 1)")
UP_TO_ONE: tuple[Test, str] = (lambda x: _real(x) and 0 <= x <= 1, "a number in [0, 1]")
COUNT: tuple[Test, str] = (lambda x: isinstance(x, Integral) and int(x) > 0, "a positive integer")
FLAG: tuple[Test, str] = (lambda x: x in (True, False), "True or False")

EXPECTED = {
    "lr": POSITIVE,
    "weight_decay": NOT_NEGATIVE,
    "momentum": BELOW_ONE,
    "dampening": UP_TO_ONE,
    "nesterov": FLAG,
    "betas": (
        lambda x: isinstance(x, (tuple, list)) and len(x) == 2 and all(_real(b) and 0 <= b < 1 for b in x),
        "two numbers in [0, 1)",
    ),
    "alpha": BELOW_ONE,
    "eps": POSITIVE,
    "centered": FLAG,
    "amsgrad": FLAG,
    "lr_decay": NOT_NEGATIVE,
    "initial_accumulator_value": NOT_NEGATIVE,
    "max_iter": COUNT,
    "max_eval": COUNT,
    "tolerance_grad": NOT_NEGATIVE,
    "tolerance_change": NOT_NEGATIVE,
    "history_size": COUNT,
    "line_search_fn": (lambda x: x in (None, "strong_wolfe"), "None or 'strong_wolfe'"),
}


def check(optimiser: str, options: Mapping[str, Any]) -> None:
    """Raise TinygradError for the first option outside its domain; those that are not in the table pass."""
    for name, value in options.items():
        test, expected = EXPECTED.get(name, (None, ""))
        if test is not None and not test(value):
            raise TinygradError(f"{optimiser}: got {name}={value!r}, expected {expected}")
