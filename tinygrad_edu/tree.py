"""Trees: nested tuples, lists and dictionaries, flattened into leaves and rebuilt.

Any other object is a leaf; None is a tree without leaves. Dictionaries keep their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

from .errors import ShapeError


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf, with its path: "[0]['weight']"."""
    if isinstance(tree, dict):
        for key, child in tree.items():
            yield from leaves(child, f"{path}[{key!r}]")
    elif isinstance(tree, (tuple, list)):
        for i, child in enumerate(tree):
            yield from leaves(child, f"{path}[{i}]")
    elif tree is not None:
        yield path, tree


def rebuild(tree: Any, values: Iterator[Any]) -> Any:
    """The same tree with other leaves, taken in order from `values`."""
    if isinstance(tree, dict):
        other = copy(tree)  # an OrderedDict or defaultdict stays one
        for key, child in tree.items():
            other[key] = rebuild(child, values)
        return other
    if isinstance(tree, (tuple, list)):
        children = [rebuild(child, values) for child in tree]
        return type(tree)(*children) if hasattr(tree, "_fields") else type(tree)(children)  # _fields: a NamedTuple
    return None if tree is None else next(values)


def tree_map(f: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """f applied to the corresponding leaves of trees, as a tree.

    Raises ShapeError if the trees have different leaves.

    >>> tree_map(lambda p, g: p - 0.1 * g, {"w": 1.0, "b": [2.0]}, {"w": 10.0, "b": [0.0]})
    {'w': 0.0, 'b': [2.0]}
    """
    tables = [dict(leaves(other)) for other in (tree, *others)]
    for table in tables[1:]:
        if table.keys() != tables[0].keys():
            differing = ", ".join(sorted(path or "the top" for path in table.keys() ^ tables[0].keys()))
            raise ShapeError(f"tree_map: the trees differ at {differing}; give them the same structure")
    return rebuild(tree, iter([f(*[table[path] for table in tables]) for path in tables[0]]))
