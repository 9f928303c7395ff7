"""What an optimiser saves, in PyTorch's layout, and whether something saved fits one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from tinygrad_edu import Value

from ..checks import printable, shown
from ..loading import loss_of

OFF = {
    "l1": 0.0,
    "maximize": False,
}  # options that may be missing, as from PyTorch or from older versions; they are off then
EXTRAS = {"name", "initial_lr"}  # what a group may have besides its optimiser's options; the second is of schedules


def pack(groups: Sequence[Mapping[str, Any]], states: Mapping[Value, Mapping[str, Any]]) -> dict[str, Any]:
    """Copies of the groups and of the states that are not empty, with parameters replaced by their numbers."""
    index = {p: i for i, p in enumerate(states)}
    return {
        "state": {index[p]: {name: _copied(item) for name, item in own.items()} for p, own in states.items() if own},
        "param_groups": [
            {key: [index[p] for p in item] if key == "params" else deepcopy(item) for key, item in group.items()}
            for group in groups
        ],
    }


def _copied(item: Any) -> Any:
    return np.array(item, order="C") if isinstance(item, np.ndarray) else deepcopy(item)


def wrong_groups(own: Sequence[Mapping[str, Any]], saved: Sequence[Mapping[str, Any]], options: set[str]) -> list[str]:
    """What does not fit in saved groups. Unknown options may be there if they are off, as PyTorch's `foreach` is."""
    if len(own) != len(saved):
        return [f"got {len(saved)} groups, expected {len(own)}"]
    wrong = []
    for i, (mine, group) in enumerate(zip(own, saved, strict=True)):
        got, expected = len(group.get("params", ())), len(mine["params"])
        wrong += [f"group {i} has {got} parameters, expected {expected}"] if got != expected else []
        wrong += [f"group {i} is missing {key}" for key in sorted(options - set(OFF) - set(group))]
        strange = set(group) - options - EXTRAS - {"params"}
        wrong += [f"group {i} has {printable(str(key))}={shown(group[key])}" for key in strange if group[key]]
    return wrong


def placed(groups: Sequence[Mapping[str, Any]], states: Mapping[Any, Any]) -> tuple[dict[int, Any], list[str]]:
    """The states by the places of their parameters in the groups, and what does not fit."""
    names = [i for group in groups for i in group.get("params", ())]
    wrong = [f"unexpected state of parameter {shown(i)}" for i in states if i not in names]
    wrong += ["a parameter is in two groups"] if len(set(names)) < len(names) else []
    return {place: states[i] for place, i in enumerate(names) if i in states}, wrong


def wrong_states(parameters: Sequence[Value], saved: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """What does not fit in saved states: arrays of other shapes than their parameters', and casts that lose numbers."""
    return [
        f"{printable(str(name))} of parameter {i} {reason}"
        for i, p in enumerate(parameters)
        for name, item in saved.get(i, {}).items()
        if (reason := _wrong_count(item) if name == "step" else misfit(item, p.shape, p.dtype))
    ]


def misfit(item: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str | None:
    """Why an array that was saved cannot be one of a shape and dtype; None if it can."""
    if np.shape(item) != shape:
        return f"has shape {np.shape(item)}, expected {shape}"
    return loss_of(np.asarray(item), dtype)


def _wrong_count(item: Any) -> str | None:
    try:
        right = np.ndim(item) == 0 and int(item) == item and item >= 0
    except (TypeError, ValueError, OverflowError):  # text, NaN, infinity
        right = False
    return None if right else f"is {shown(item)}, expected an integer from 0 on"
