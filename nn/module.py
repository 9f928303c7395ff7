"""Module: a part of a network that has parameters. A plain tree; nothing is registered behind the scenes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import ShapeError, TinygradError, Value


class Module:
    """Base of all layers and networks.

    A subclass sets Values, Modules, or lists, tuples and dicts of these as attributes, and defines `forward`. Parameters are
    found by walking the attributes in the order in which they were set; one that occurs twice counts once.
    """

    def __call__(self, *inputs: Any) -> Any:
        """What `forward` returns. Every module runs through here, so that drawings by layer have one place to look."""
        return self.forward(*inputs)

    def forward(self, *inputs: Any) -> Any:
        """The computation of this module, to be defined by each subclass."""
        raise TinygradError(f"{type(self).__name__}: define forward(self, x), which this module computes when called")

    def children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside this one, as (attribute path, module)."""
        return ((path, item) for path, item in _items(vars(self)) if isinstance(item, Module))

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module, under the name `prefix`, and all inside it, outermost first, each once."""
        return self._walk(prefix, set())

    def _walk(self, prefix: str, seen: set[int]) -> Iterator[tuple[str, Module]]:
        if id(self) not in seen:
            seen.add(id(self))
            yield prefix, self
            for path, module in self.children():
                yield from module._walk(f"{prefix}.{path}" if prefix else path, seen)

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """All parameters, which are the leaf Values, as (path, Value), such as ("layers.0.weight", ...), each once."""
        seen: set[Value] = set()
        for prefix, module in self.named_modules():
            for path, item in _items(vars(module)):
                if isinstance(item, Value) and item.grad_fn is None and item not in seen:
                    seen.add(item)
                    yield (f"{prefix}.{path}" if prefix else path), item

    def parameters(self) -> list[Value]:
        """All parameters, each once."""
        return [value for _, value in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for value in self.parameters():
            value.zero_grad()

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """A copy of all parameters by path, as plain arrays."""
        return {path: np.array(value.data, order="C") for path, value in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy arrays into the parameters of the same paths.

        Raises:
            ShapeError: if an entry is missing, unexpected or of another shape; lists all of them, and changes nothing.
        """
        own = dict(self.named_parameters())
        wrong = [f"missing {path}" for path in own if path not in state]
        wrong += [f"unexpected {path}" for path in state if path not in own]
        for path, value in own.items():
            if path in state and np.shape(state[path]) != value.shape:
                wrong.append(f"{path} has shape {np.shape(state[path])}, expected {value.shape}")
        if wrong:
            raise ShapeError(f"load_state_dict: {'; '.join(wrong)}; build the model as it was when its state was saved")
        for path, value in own.items():
            if value.shape:
                value.data[...] = state[path]  # keeps the memory order
            else:
                value.data = Value(np.asarray(state[path], value.dtype)).data
            value.mark_changed()

    def __repr__(self) -> str:
        name = type(self).__name__
        lines = [f"  ({path}): {module!r}".replace("\n", "\n  ") for path, module in self.children()]
        return "\n".join([f"{name}({self.describe()}", *lines, ")"]) if lines else f"{name}({self.describe()})"

    def describe(self) -> str:
        """The arguments that repr shows."""
        return ""


def functional_call(module: Module, parameters: Mapping[str, Any], *inputs: Any) -> Any:
    """What the module computes with other parameters in place of its own, which stay as they are.

    It makes of a network a function of its parameters, for the transforms of tinygrad_edu:

        grad(lambda parameters: loss(functional_call(model, parameters, x), y))(model.state_dict())

    Args:
        parameters: Values or arrays by path, as in `named_parameters`; those left out stay as they are.
        inputs: what to call the module with.

    Raises:
        ShapeError: if a path is unknown or a shape differs.
    """
    own = dict(module.named_parameters())
    wrong = [f"unexpected {path}" for path in parameters if path not in own]
    for path, value in own.items():
        if path in parameters and np.shape(getattr(parameters[path], "data", parameters[path])) != value.shape:
            wrong.append(f"{path} should have shape {value.shape}")
    if wrong:
        raise ShapeError(f"functional_call: {'; '.join(wrong)}; the module has {', '.join(own) or 'no parameters'}")
    other: Module = _replaced(module, {own[path]: value for path, value in parameters.items()})
    return other(*inputs)


def _replaced(item: Any, new: Mapping[Value, Any]) -> Any:
    """A copy of a module, or of what it holds, with other Values in the places of some."""
    if isinstance(item, Value):
        return new.get(item, item)
    if isinstance(item, Module):
        twin = copy(item)
        vars(twin).update({name: _replaced(inner, new) for name, inner in vars(item).items()})
        return twin
    if isinstance(item, Mapping):
        return {key: _replaced(inner, new) for key, inner in item.items()}
    return type(item)([_replaced(inner, new) for inner in item]) if type(item) in (list, tuple) else item


def _items(container: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The Values and Modules among the attributes, those in lists, tuples and dicts included, with dotted paths."""
    for name, item in container.items():
        if isinstance(item, (Value, Module)):
            yield name, item
        elif isinstance(item, Mapping):
            yield from _items({f"{name}.{key}": inner for key, inner in item.items()})
        elif isinstance(item, (list, tuple)):
            yield from _items({f"{name}.{i}": inner for i, inner in enumerate(item)})
