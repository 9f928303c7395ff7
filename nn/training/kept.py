"""Kept: copies of a model's buffers and random generators, so that a refused step leaves no trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..module import Module
from ..places import places


class Kept:
    """Buffers and random generators of a model, as they were at the last `keep`."""

    def __init__(self, model: Module) -> None:
        self.model = model
        self._look()

    def _look(self) -> None:
        """Find and copy the buffers and generators, with the lists and dicts that hold buffers."""
        self.model._settle()
        modules = [module for _, module in self.model.named_modules()]
        held = [place for module in modules for place in places(vars(module))]
        buffers = {id(array) for _, array in self.model.named_buffers()}
        self.names = [(module, module._buffers) for module in modules]
        self.holders = [place for place in held if any(id(inner.item) in buffers for inner in places(place.item))]
        self.arrays = [(holder, key, item, item.copy()) for holder, key, item, _ in held if id(item) in buffers]
        self.generators = [item.bit_generator for _, _, item, _ in held if isinstance(item, np.random.Generator)]
        self.states = [generator.state for generator in self.generators]

    def keep(self) -> None:
        """Copy the current buffers and generator states."""
        if self._others():
            self._look()
            return
        if self.arrays:
            self.arrays = [(held, key, held[key], _copied(held[key], copy)) for held, key, _, copy in self.arrays]
        if self.generators:
            self.states = [generator.state for generator in self.generators]

    def _others(self) -> bool:
        """Whether forward() registered buffers, or replaced a list or dict of them."""
        for module, names in self.names:
            if module._buffers is not names:
                return True
        return bool(self.holders) and any(holder[key] is not item for holder, key, item, _ in self.holders)

    def restore(self) -> None:
        """Restore the copies; remove buffers that were registered since."""
        for module, names in self.names:
            for name in (module._buffers or frozenset()) - (names or frozenset()):
                delattr(module, name)
            module._buffers = names
        for holder, key, item, _ in self.holders:
            if holder[key] is not item:
                holder[key] = item
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
