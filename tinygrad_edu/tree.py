"""Trees of numbers: nested tuples, lists and dictionaries, taken apart into leaves and put together again.

What is neither of these is a leaf; None is a tree without leaves. Dictionaries keep their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf, with the way to it: "[0]['weight']"."""
    if isinstance(tree, dict):
        for key, child in tree.items():
            yield from leaves(child, f"{path}[{key!r}]")
    elif isinstance(tree, (tuple, list)):
        for i, child in enumerate(tree):
            yield from leaves(child, f"{path}[{i}]")
    elif tree is not None:
        yield path, tree


def rebuild(tree: Any, values: Iterator[Any]) -> Any:
    """The same tree with other leaves, taken one by one from `values`."""
    if isinstance(tree, dict):
        return {key: rebuild(child, values) for key, child in tree.items()}
    if isinstance(tree, (tuple, list)):
        children = [rebuild(child, values) for child in tree]
        return type(tree)(*children) if hasattr(tree, "_fields") else type(tree)(children)  # _fields: a NamedTuple
    return None if tree is None else next(values)
