"""What each option of an optimiser may be: one table, whichever optimiser has the option."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from numbers import Integral
from typing import Any

import numpy as np

from tinygrad_edu import TinygradError

from ..checks import SHARE, Domain, checked, is_real

POSITIVE: Domain = (lambda x: is_real(x) and 0 < x < inf, "a positive number, finite")
NOT_NEGATIVE: Domain = (lambda x: is_real(x) and 0 <= x < inf, "a number of at least 0, finite")
BELOW_ONE: Domain = (lambda x: is_real(x) and 0 <= x < 1, "a number in [0, 1)")
COUNT: Domain = (lambda x: isinstance(x, Integral) and int(x) > 0, "a positive integer")
FLAG: Domain = (lambda x: x in (True, False), "True or False")

EXPECTED: dict[str, Domain] = {
    "lr": NOT_NEGATIVE,
    "weight_decay": NOT_NEGATIVE,
    "l1": NOT_NEGATIVE,
    "maximize": FLAG,
    "momentum": BELOW_ONE,
    "dampening": SHARE,
    "nesterov": FLAG,
    "betas": (
        lambda x: isinstance(x, (tuple, list)) and len(x) == 2 and all(BELOW_ONE[0](b) for b in x),
        "two numbers in [0, 1)",
    ),
    "alpha": BELOW_ONE,
    "eps": POSITIVE,
    "centered": FLAG,
    "amsgrad": FLAG,
    "decoupled_weight_decay": FLAG,
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
    """Raise TinygradError for the first option outside its domain, or options that do not go together; others pass."""
    for name, value in options.items():
        if name in EXPECTED:
            checked(optimiser, name, value, EXPECTED[name])
    if options.get("nesterov") and (not options["momentum"] or options["dampening"]):
        got = f"momentum={options['momentum']}, dampening={options['dampening']}"
        raise TinygradError(f"{optimiser}: nesterov=True got {got}, expected a positive momentum and dampening 0")


def check_eps(optimiser: str, options: Mapping[str, Any], dtype: np.dtype[Any]) -> None:
    """Raise TinygradError if eps may round to 0 in the dtype of a parameter: then a gradient of 0 would be divided by 0."""
    if "eps" in options and options["eps"] < (least := float(np.finfo(dtype).tiny)):
        got, expected = f"eps={options['eps']} and a parameter of {dtype}", f"eps of at least {least:.0e}"
        raise TinygradError(f"{optimiser}: got {got}, expected {expected}; pass eps=1e-4, or train in float32")
