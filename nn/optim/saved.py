"""What an optimiser saves, in PyTorch's layout, and whether something saved fits one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from tinygrad_edu import Value

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
    """What does not fit in saved groups. Unknown options may be there if they are off, as PyTorch's `maximize` is."""
    if len(own) != len(saved):
        return [f"got {len(saved)} groups, expected {len(own)}"]
    wrong = []
    for i, (mine, group) in enumerate(zip(own, saved, strict=True)):
        got, expected = len(group.get("params", ())), len(mine["params"])
        wrong += [f"group {i} has {got} parameters, expected {expected}"] if got != expected else []
        wrong += [f"group {i} is missing {key}" for key in sorted(options - set(group))]
        wrong += [
            f"group {i} has {key}={group[key]!r}" for key in set(group) - options - EXTRAS - {"params"} if group[key]
        ]
    return wrong


def wrong_states(parameters: Sequence[Value], saved: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """What does not fit in saved states: parameters that there are not, and arrays of other shapes than theirs."""
    wrong = [f"unexpected state of parameter {i!r}" for i in saved if i not in range(len(parameters))]
    return wrong + [
        f"{name} of parameter {i} has shape {np.shape(item)}, expected {p.shape}"
        for i, p in enumerate(parameters)
        for name, item in saved.get(i, {}).items()
        if name != "step" and np.shape(item) != p.shape
    ]
