"""Parameters of functions and modules of nn beside those of PyTorch's: name, order, place and default."""

from __future__ import annotations

import re
from inspect import Parameter, signature
from itertools import takewhile
from typing import Any

ABSENT = {"size_average", "reduce", "inplace", "_stacklevel", "max_norm", "norm_type", "scale_grad_by_freq", "sparse"}
ABSENT_IN = {(name, "weight") for name in ("mse_loss", "l1_loss", "huber_loss")} | {("normalize", "out")}
ADDED = {("dropout", "rng")}
OTHER_DEFAULT = {(name, "dim") for name in ("softmax", "softmin", "log_softmax")}


def misfits(name: str, ours: Any, theirs: Any) -> list[str]:
    """How our parameters differ: in name, order, place or default. From the place of an absent one on they go by name."""
    mine = {key: each for key, each in parameters(ours).items() if (name, key) not in ADDED}
    order = list(parameters(theirs).values())
    kept = [each for each in order if each.name not in ABSENT and (name, each.name) not in ABSENT_IN]
    if sorted(mine) != sorted(each.name for each in kept):
        return [f"{list(mine)} for {[each.name for each in kept]}"]
    same = [mine[each.name].default == each.default or (name, each.name) in OTHER_DEFAULT for each in kept]
    found = [each.name for each, equal in zip(kept, same, strict=True) if not equal]
    by_position = [each.name for each in mine.values() if each.kind is Parameter.POSITIONAL_OR_KEYWORD]
    if by_position != [each.name for each in order][: len(by_position)]:
        found.append(f"{by_position} by position")
    before = [each.name for each in takewhile(lambda each: each.name not in ABSENT, order)]
    by_name = [each.name for each in order if each.kind is Parameter.KEYWORD_ONLY]
    if missed := set(before) & set(mine) - set(by_position) - set(by_name):
        found.append(f"{sorted(missed)} by name only")
    return found


def parameters(function: Any) -> dict[str, Parameter]:
    """The parameters of a function or class; of PyTorch's in C as the first line of their documentation has them."""
    try:
        return dict(signature(function).parameters)
    except ValueError:
        listed = re.match(r"\s*\w+\((.*?)\) ->", function.__doc__ or "")
        assert listed, function
        return dict(signature(eval(f"lambda {listed[1]}: None")).parameters)
