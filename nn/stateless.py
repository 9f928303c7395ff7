"""functional_call: a module as a function of its parameters, without a state of its own."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np

from tinygrad_edu import ShapeError, tree_map

from .checks import explaining
from .module import Module


@explaining
def functional_call(module: Module, parameters: Mapping[str, Any], *inputs: Any, **options: Any) -> Any:
    """What the module computes with other parameters in place of its own, which stay as they are.

    It makes of a network a function of its parameters, for the transforms of tinygrad_edu:

        start = {path: value.data for path, value in model.named_parameters()}
        grad(lambda parameters: loss(functional_call(model, parameters, x), y))(start)

    Args:
        parameters: Values or arrays by path, also of buffers; those left out stay as they are.
        inputs, options: what to call the module with.

    Raises:
        ShapeError: if a path is unknown or a shape differs.
    """
    own: dict[str, Any] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    wrong = [f"unexpected {path}" for path in parameters if path not in own]
    for path, item in own.items():
        if path in parameters and np.shape(parameters[path]) != np.shape(item):
            wrong.append(f"{path} should have shape {np.shape(item)}")
    if wrong:
        raise ShapeError(f"functional_call: {'; '.join(wrong)}; the module has {', '.join(own) or 'no parameters'}")
    other: Module = replaced(module, {id(own[path]): value for path, value in parameters.items()})
    return other(*inputs, **options)


def replaced(item: Any, twins: dict[int, Any]) -> Any:
    """A copy of a module, or of what it holds, with the twins of some items in their places; it adds its copies to the twins.

    Buffers that have none are copied, so that running statistics of the module itself stay.
    """
    if isinstance(item, (dict, list, tuple)):
        return tree_map(lambda leaf: replaced(leaf, twins), item)
    if isinstance(item, (Module, np.ndarray)) and id(item) not in twins:
        twin = twins[id(item)] = copy(item)
        if isinstance(item, Module):
            vars(twin).update({name: replaced(inner, twins) for name, inner in vars(item).items()})
    return twins.get(id(item), item)
