"""What users call things: the names and titles that they give with a drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tinygrad_edu import DTypeError, Value


def check(names: Any, title: Any, caller: str = "graph") -> None:
    """Raises DTypeError, in the name of the function `caller`, unless they are a mapping and text, or None."""
    if names is not None and not isinstance(names, Mapping):
        raise DTypeError(
            f"{caller}: got names of type {type(names).__name__}, expected a mapping from name to Value; locals() is one"
        )
    if title is not None and not isinstance(title, str):
        raise DTypeError(f"{caller}: got a title of type {type(title).__name__}, expected text")


def by_id(names: Mapping[str, Any]) -> dict[int, str]:
    """What Values and arrays are called, by identity: the first of several names, IPython's _ and _12 last."""
    called: dict[int, str] = {}
    for name, x in sorted(names.items(), key=lambda item: str(item[0]).startswith("_")):
        if isinstance(x, (Value, np.ndarray)):
            called.setdefault(id(x), str(name))
    return called


def distinct(items: Iterable[Any], called: Mapping[int, str], own_first: bool = True) -> dict[int, str]:
    """What each of the items that has a name is called, by identity, no two alike.

    It is the name that a Value carries itself, else the user's. If several carry the same, those of the user come first,
    such as the paths of a model's parameters; a name that is still repeated is numbered.

    Args:
        items: Values and constants.
        called: what the user calls them.
        own_first: whether the name that a Value carries comes before the user's, where it tells enough.
    """
    own: dict[int, str] = {}
    for x in items:
        name = x.name if isinstance(x, Value) and x.extra else None
        if name or (called and id(x) in called):
            own[id(x)] = str(name or called[id(x)])
    if not own_first or len(set(own.values())) < len(own):
        own = {x: called.get(x, name) for x, name in own.items()}
    taken, counts = set(own.values()), Counter[str]()
    for x, name in own.items():
        counts[name] += 1
        while counts[name] > 1 and (numbered := f"{name} ({counts[name]})") in taken:
            counts[name] += 1
        if counts[name] > 1:
            own[x] = numbered
    return own


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def entry(name: str, at: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """What an entry of an array is called: θ₁, w₁₂ as in mathematics if the name is a letter and the array small, else w[0, 1].

    >>> entry("w", (0, 1), (3, 3)), entry("w", (0, 1), (1, 2)), entry("weight", (0, 1), (3, 3)), entry("loss", (), ())
    ('w₁₂', 'w₂', 'weight[0, 1]', 'loss')
    """
    long = [(i, n) for i, n in zip(at, shape, strict=True) if n > 1]  # an axis of one entry tells nothing
    if not long:
        return name
    if len(name) == 1 and len(long) <= 2 and max(n for _, n in long) <= 9:
        return name + "".join(str(i + 1) for i, _ in long).translate(_SUBSCRIPTS)
    return f"{name}[{', '.join(map(str, at))}]"


def symbol(letter: str, layer: int, *units: int) -> str:
    """A letter with its layer above and its units below, all counted from 1, as in the formulas of backpropagation.

    >>> symbol("a", 2, 1), symbol("w", 2, 1, 3), symbol("w", 2, 11, 3)
    ('a²₁', 'w²₁₃', 'w²₁₁,₃')
    """
    between = "" if all(unit < 10 for unit in units) else ","
    return letter + str(layer).translate(_SUPERSCRIPTS) + between.join(map(str, units)).translate(_SUBSCRIPTS)
