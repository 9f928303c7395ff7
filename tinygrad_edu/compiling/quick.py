"""A quick test whether captured variables and containers hold the very objects that they held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import call, is_
from typing import Any

import numpy as np


def quick_test(
    places: Sequence[Any], containers: Sequence[Any], watched: Sequence[tuple[np.ndarray[Any, Any], bytes]]
) -> Callable[[], bool]:
    """A test whether all variables and containers hold the same objects as when this is called, and arrays the same numbers.

    It is true only if nothing has changed; an equal number in place of another makes it false too.

    Args:
        places: variables, with what they hold; see `captures.Place`.
        containers: with their contents; see `captures.Container`.
        watched: arrays, with the bytes of their numbers. More may be added later.
    """
    reads, before = [place.read for place in places], [place.before for place in places]
    holders = [container.holder for container in containers]
    lengths = [x if type(x) is int else len(x[0] if type(x) is tuple else x) for _, _, x in containers]
    listed: list[Iterable[Any]] = []
    contents: list[Any] = []
    for _, holder, held in containers:
        if type(held) is tuple:
            listed += [holder.keys(), holder.values()]
            contents += [*held[0], *held[1]]
        elif type(held) is list:
            listed.append(holder)
            contents += held

    def same_containers() -> bool:
        return [*map(len, holders)] == lengths and all(map(is_, chain.from_iterable(listed), contents))

    def same() -> bool:
        try:
            if not all(map(is_, map(call, reads), before)) or (holders and not same_containers()):
                return False
        except (ValueError, AttributeError, RuntimeError):  # deleted, or changed by another thread meanwhile
            return False
        return not watched or all(x.tobytes() == numbers for x, numbers in watched)

    return same
