"""Leaving a model as it was: drawing one must not train it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from nn import Module


def generators(model: Module) -> list[np.random.BitGenerator]:
    """The random generators that a model's modules hold."""
    held = [x for _, module in model.named_modules() for x in vars(module).values()]
    return [x.bit_generator for x in held if isinstance(x, np.random.Generator)]


@contextmanager
def left_as_it_was(model: Module, recorded: bool = True) -> Iterator[None]:
    """While this is open, frozen parameters are recorded too; then attributes, buffers and random generators are as before.

    Without recording frozen parameters stay frozen, and graphs recorded before stay valid.
    """
    frozen = [p for p in model.parameters() if recorded and not p.requires_grad and p.dtype.kind == "f"]
    attributes = [(vars(module), dict(vars(module))) for _, module in model.named_modules()]
    buffers = [(array, array.copy()) for _, array in model.named_buffers()]
    sources = generators(model)
    states = [source.state for source in sources]
    for parameter in frozen:
        parameter.requires_grad = True
    try:
        yield
    finally:
        for now, before in attributes:
            now.clear()
            now.update(before)
        for array, copy in buffers:
            array[...] = copy
        for source, state in zip(sources, states, strict=True):
            source.state = state
        for parameter in frozen:
            parameter.requires_grad = False
