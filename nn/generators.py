"""The state of random generators as plain data: text, integers and lists, which JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from tinygrad_edu import TinygradError

from .checks import printable
from .loading import listed
from .places import places

Generators = Mapping[str, np.random.Generator]

PLACES = {"MT19937": 624, "Philox": 4}  # numbers in the buffer; NumPy would read beyond it without a check


def named_generators(model: Any) -> dict[str, np.random.Generator]:
    """The generators among the attributes of a model's modules, in lists, tuples and dicts too, by path; a shared one once."""
    found: dict[str, np.random.Generator] = {}
    seen: set[int] = set()
    for prefix, module in model.named_modules():
        for place in places(vars(module), prefix):
            if isinstance(place.item, np.random.Generator) and id(place.item.bit_generator) not in seen:
                seen.add(id(place.item.bit_generator))
                found[place.path] = place.item
    return found


def states_of(generators: Generators) -> dict[str, Any]:
    """The state of each generator, under its name."""
    return {name: _plain(generator.bit_generator.state) for name, generator in generators.items()}


def _plain(state: Any) -> Any:
    if isinstance(state, Mapping):
        return {key: _plain(item) for key, item in state.items()}
    return state.tolist() if isinstance(state, (np.ndarray, np.generic)) else state


def restore(caller: str, generators: Generators, states: Mapping[str, Any]) -> None:
    """Restore the states that `states_of` returned.

    Raises TinygradError, in the name of the function `caller`, for states of other names or kinds; nothing is changed then.
    """
    wrong = [f"missing {name}" for name in generators if name not in states]
    wrong += [f"unexpected {printable(str(name))}" for name in states if name not in generators]
    for name, generator in generators.items():
        if name in states and (reason := _misfit(generator, states[name])):
            wrong.append(f"{name} {reason}")
    if wrong:
        raise TinygradError(f"{caller}: {listed(wrong)}; build the generators as they were when their state was saved")
    for name, generator in generators.items():
        generator.bit_generator.state = states[name]


def _misfit(generator: np.random.Generator, state: Any) -> str | None:
    """The reason why a state does not fit a generator, tried on a copy; None if it fits."""
    kind = type(generator.bit_generator).__name__
    got = state.get("bit_generator") if isinstance(state, Mapping) else None
    if got != kind:
        return f"is a state of {printable(repr(got))}, expected one of {kind}"
    try:
        copy = deepcopy(generator.bit_generator)
        copy.state = state
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        return f"is no state of {kind} ({printable(str(error))})"
    inside = copy.state["state"] | copy.state
    place, places = inside.get("pos", inside.get("buffer_pos", 0)), PLACES.get(kind, 0)
    return None if 0 <= place <= places else f"is no state of {kind} (number {place} of {places})"
