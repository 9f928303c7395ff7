"""Places: the items of a module's attributes, and of the lists, tuples and dicts among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple


class Place(NamedTuple):
    """An item of a dict, list or tuple: `container[key] is item`. The path is dotted."""

    container: Any
    key: Any
    item: Any
    path: str


def places(container: Any, prefix: str = "") -> Iterator[Place]:
    """The places in a dict, list or tuple, and in those inside it; none in anything else."""
    if isinstance(container, (dict, list, tuple)):
        for key, item in container.items() if isinstance(container, dict) else enumerate(container):
            path = f"{prefix}.{key}" if prefix else str(key)
            yield Place(container, key, item, path)
            yield from places(item, path)
