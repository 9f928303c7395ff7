"""Origins: where NaN and infinity begin in a graph, and how many of them an array holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from math import isfinite
from typing import Any

import numpy as np

from tinygrad_edu import Value

from ..text import data_of
from .recorded import INSIDE, Recorded


def is_finite(data: Any) -> bool:
    """Whether no number is NaN or infinite."""
    return isfinite(data) if isinstance(data, (float, int)) else bool(np.isfinite(data).all())


def told(many: Sequence[Any]) -> Iterator[str]:
    """How many numbers of arrays are NaN or infinite, as "1 of 1000 NaN, first at [17]"; of several arrays without the place."""
    total = sum(map(np.size, many))
    for kind, test in (("NaN", np.isnan), ("infinite", np.isinf)):
        count = sum(int(np.count_nonzero(test(x))) for x in many)
        if count and total > 1:
            place = f", first at {_first(test(many[0]))}" if len(many) == 1 else ""
            yield f"{count} of {total} {kind}{place}"


def what(many: Sequence[Any]) -> str:
    """What numbers that are not finite are: "NaN" if one is."""
    return "NaN" if any(np.isnan(x).any() for x in many) else "infinity"


def arisen(results: Sequence[Any], given: Sequence[Any]) -> str:
    """What begins between these inputs and results, as "NaN arises here"; "" if nothing does."""
    if all(map(is_finite, results)):
        return ""
    nan, nan_before = (any(np.isnan(x).any() for x in some) for some in (results, given))
    infinite_before = not all(map(is_finite, given))
    if nan and not nan_before:
        return f"NaN arises here{', from infinity' * infinite_before}"
    return "" if nan or infinite_before else "infinity arises here"


def origins(record: Recorded, doubtful: Collection[int], gradients: bool = True) -> dict[int, str]:
    """What begins at which items: in values from inputs to results, in gradients from results to inputs.

    Args:
        record: an expression.
        doubtful: positions of gradients that did not come from this graph, about which nothing is said.
        gradients: whether gradients count at all.
    """
    items = record.items
    found: dict[int, str] = {}
    for i in _not_finite([data_of(x) for x in items]):
        x = items[i]
        if isinstance(x, Value) and x.inputs:
            begins = arisen([x.data], [data_of(items[k]) for k in record.inputs[i] if k != INSIDE])
        else:
            begins = f"{what([data_of(x)])} comes in here"
        if begins:
            found[i] = begins
    wrong = _not_finite([data_of(x.grad) if isinstance(x, Value) else None for x in items]) if gradients else []
    users = _users(record, wrong) if wrong else {}
    for i in wrong:
        if i not in found and i not in doubtful and (begins := _arisen_on_the_way_back(items[i], users.get(i, []))):
            found[i] = begins
    return found


def _not_finite(many: Sequence[Any]) -> list[int]:
    """The positions of numbers and arrays that are not finite."""
    return [i for i, x in enumerate(many) if x is not None and not (isfinite(x) if type(x) is float else is_finite(x))]


def _arisen_on_the_way_back(x: Value, users: Sequence[Value]) -> str:
    """What begins in the gradient of x, given the operations that use it; "" if it came from one of them, or from its numbers."""
    wrong = what([_grad(x)])
    if not users:
        return f"gradient: {wrong} comes in here" if is_finite(x.data) else ""
    if any(y.grad is None or not is_finite(_grad(y)) for y in users):
        return ""
    if not all(is_finite(data_of(v)) for y in users for v in (y, *y.inputs)):
        return ""
    symbols = {y.grad_fn.symbol for y in users if y.grad_fn is not None}
    return f"gradient: {wrong} arises here{f', behind {symbols.pop()}' if len(symbols) == 1 else ''}"


def _users(record: Recorded, wanted: Collection[int]) -> dict[int, list[Value]]:
    users: dict[int, list[Value]] = defaultdict(list)
    kept = set(wanted)
    for j, sources in enumerate(record.inputs):
        for i in kept.intersection(sources):
            users[i].append(record.items[j])
    return users


def _grad(x: Value) -> Any:
    return data_of(x.grad)


def _first(where: Any) -> str:
    return f"[{', '.join(map(str, np.argwhere(where)[0]))}]"
