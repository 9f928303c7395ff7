"""What a model's calls change besides its parameters, kept so that a refused step leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..module import Module


class Kept:
    """Buffers and random generators of a model, as they were at the last `keep`."""

    def __init__(self, model: Module) -> None:
        held = [place for _, module in model.named_modules() for place in _places(vars(module))]
        buffers = {id(array) for _, array in model.named_buffers()}
        arrays = [(container, key) for container, key, item in held if id(item) in buffers]
        self.arrays = [(container, key, container[key], container[key].copy()) for container, key in arrays]
        self.generators = [item.bit_generator for _, _, item in held if isinstance(item, np.random.Generator)]
        self.states = [generator.state for generator in self.generators]

    def keep(self) -> None:
        """Take note of how they are now."""
        if self.arrays:
            self.arrays = [(held, key, held[key], _copied(held[key], copy)) for held, key, _, copy in self.arrays]
        if self.generators:
            self.states = [generator.state for generator in self.generators]

    def restore(self) -> None:
        """Put them back."""
        for container, key, array, copy in self.arrays:
            array[...] = copy
            if container[key] is not array:  # forward() assigned another one
                container[key] = array
        for generator, state in zip(self.generators, self.states, strict=True):
            generator.state = state


def _copied(array: Any, copy: Any) -> Any:
    """A copy of an array, in the memory of an older copy if it fits."""
    if array.shape != copy.shape or array.dtype != copy.dtype:
        return array.copy()
    np.copyto(copy, array)
    return copy


def _places(container: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(container, key, item) of what a module's attributes hold, also in lists, tuples and dicts."""
    for key, item in container.items() if isinstance(container, dict) else enumerate(container):
        yield container, key, item
        if isinstance(item, (dict, list, tuple)):
            yield from _places(item)
