"""The random generators that a function draws from, so that it can be run again with the same numbers.

Operations get their generator from `generator`; numbers drawn in another way cannot be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import numpy as np

States: TypeAlias = dict[np.random.BitGenerator, Any]  # of each, the state before its first number

stand_in: ContextVar[Callable[[np.random.Generator], Any] | None] = ContextVar(
    "stand_in", default=None
)  # in a traced run
_noted: ContextVar[States | None] = ContextVar("noted", default=None)


def generator(rng: np.random.Generator | int | None) -> Any:
    """A generator itself, or a new one with this seed. Its state is noted in `noting`; a traced run has a stand-in for it."""
    if isinstance(rng, np.random.Generator):
        note(rng)
        instead = stand_in.get()
        if instead is not None:
            return instead(rng)
    return np.random.default_rng(rng)


def note(rng: np.random.Generator) -> None:
    """Note the state of a generator that may draw numbers next, inside `noting`."""
    states = _noted.get()
    if states is not None and rng.bit_generator not in states:
        states[rng.bit_generator] = rng.bit_generator.state


@contextmanager
def noting() -> Iterator[States]:
    """Collect the states of generators before their first numbers, also for an outer `noting`."""
    states: States = {}
    outer = _noted.get()
    token = _noted.set(states)
    try:
        yield states
    finally:
        _noted.reset(token)
        if outer is not None:
            outer.update({bits: state for bits, state in states.items() if bits not in outer})


@contextmanager
def repeating(states: States) -> Iterator[None]:
    """Draw the same numbers again: the generators start in these states, and return to their own at the end."""
    own = {bits: bits.state for bits in states}
    try:
        for bits, state in states.items():
            bits.state = state
        yield
    finally:
        for bits, state in own.items():
            bits.state = state
