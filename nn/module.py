"""Module: a part of a network that has parameters. A plain tree; nothing is registered behind the scenes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinygrad_edu import DTypeError, TinygradError, Value, tree_map

from .checks import Explaining, data_of, explained, explaining, float_type, plain_array
from .elsewhere import MODULE, Elsewhere
from .generators import named_generators, restore, states_of
from .loading import assign, fitted
from .running import observer
from .summary import Summary, summarize


class Module(Explaining):
    """Base of all layers and networks.

    A subclass sets Values, Modules, arrays, or lists, tuples and dicts of these as attributes, and defines `forward`. They are
    found by walking the attributes in the order in which they were set; one that occurs twice counts once. A leaf Value is a
    parameter; a computed one is not (write Value(0.1 * array), not Value(array) * 0.1). A writeable array of numbers that is
    there before the module is first called is a buffer: saved with the parameters, not trained. Arrays that appear later, as
    those that `forward` leaves to be looked at, are none, unless `register_buffer` says so.

    Attributes:
        training: whether dropout and batch norm do what they do in training; see `train` and `eval`.
    """

    training = True
    _buffers: frozenset[str] | None = None  # the paths of the buffers, from the first call on

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """What `forward` returns. Every module runs through here, so that `observing` has one place to look."""
        if self._buffers is None:
            self._settle()
        watch = observer.get()
        try:
            if watch is None:
                return self.forward(*inputs, **options)
            watch.enter(self, inputs, options)
            output = self.forward(*inputs, **options)
        except BaseException as error:
            known = explained(error, type(self).forward, (self, *inputs), options)
            if watch is not None:
                watch.leave(self, inputs, None, known)
            if known is error:
                raise  # with a traceback that shows each module once
            raise known from error
        watch.leave(self, inputs, output, None)
        return output

    def forward(self, *inputs: Any, **options: Any) -> Any:
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

    def _leaves(self) -> Iterator[tuple[str, Any]]:
        """All parameters and buffers as (path, Value or array), such as ("0.weight", ...), each once.

        Raises TinygradError if two have the same path.
        """
        seen: set[int | str] = set()
        for prefix, module in self.named_modules():
            known = module._buffers
            for path, item in _items(vars(module)):
                if known is not None and path not in known and isinstance(item, np.ndarray):
                    continue  # what forward() left
                if not isinstance(item, Module) and id(item) not in seen:
                    path = f"{prefix}.{path}" if prefix else path
                    if path in seen:
                        raise TinygradError(f"{type(self).__name__}: two parameters have the path {path!r}; rename one")
                    seen |= {id(item), path}
                    yield path, item

    def _settle(self) -> None:
        """The arrays that are there now are the buffers of this module, and of those inside it."""
        for _, module in self.named_modules():
            if module._buffers is None:
                arrays = [path for path, item in _items(vars(module)) if isinstance(item, np.ndarray)]
                module._buffers = frozenset(arrays)

    def register_buffer(self, name: str, array: Any) -> None:
        """Set an array as an attribute that is a buffer, also after the first call.

        Raises TinygradError for a name that is not one, or names something else, DTypeError unless the array is of real numbers.
        """
        if not isinstance(name, str) or not name.isidentifier() or not _is_buffer(getattr(self, name, np.zeros(0))):
            raise TinygradError(
                f"register_buffer: got the name {name!r:.60}, expected that of a new attribute, or of an array"
            )
        numbers = np.array(plain_array("register_buffer", name, data_of(array)))
        if numbers.dtype.kind not in "biuf":
            raise DTypeError(f"register_buffer: {name} is of {numbers.dtype}, expected real numbers")
        setattr(self, name, numbers)
        if self._buffers is not None:
            self._buffers |= {name}

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """All parameters, which are the leaf Values, as (path, Value), such as ("0.weight", ...), each once."""
        return ((path, item) for path, item in self._leaves() if isinstance(item, Value))

    def named_buffers(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """All buffers, which are arrays, as (path, array), such as ("1.running_mean", ...), each once."""
        return ((path, item) for path, item in self._leaves() if not isinstance(item, Value))

    def parameters(self) -> list[Value]:
        """All parameters, each once."""
        return [value for _, value in self.named_parameters()]

    @explaining
    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for value in self.parameters():
            value.zero_grad()

    # -- Modes ---------------------------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Have this module and all inside it behave as in training, or with False as in use; returns the module."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """`train(False)`: dropout passes everything, batch norm uses its running statistics."""
        return self.train(False)

    def freeze(self, frozen: bool = True) -> Self:
        """Let no gradient flow to the parameters, so that optimisers leave them as they are; False lets it flow to all."""
        for value in self.parameters():
            if value.dtype.kind == "f":
                value.requires_grad = not frozen
                value.zero_grad()
        return self

    @explaining
    def astype(self, dtype: DTypeLike) -> Self:
        """Turn the parameters, and buffers of floats, into another float type, in place; gradients are forgotten.

        Raises DTypeError for a type that is not of floats. Give the model to a new optimiser afterwards.
        """
        dtype = float_type("astype", dtype)
        for value in self.parameters():
            if value.dtype.kind == "f":
                value.raw = np.asarray(value.data).astype(dtype)[()]  # not by assigning data, whose dtype stays
                value.zero_grad()
                value.mark_changed()
        done: dict[int, NDArray[Any]] = {}
        for _, module in self.named_modules():
            vars(module).update(_converted(vars(module), dtype, done))
        return self

    # -- State ---------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """A copy of all parameters and buffers by path, as plain arrays."""
        return {path: np.array(data_of(item), order="C") for path, item in self._leaves()}

    @explaining
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy arrays into the parameters and buffers of the same paths, whose dtype stays. NaN loads like any number.

        A shared parameter may be under any of its paths, as from PyTorch, or under several with equal numbers.

        Raises:
            ShapeError: if an entry is missing, unexpected or of another shape; lists what does not fit.
            DTypeError: if a cast would lose more than by rounding: 1e300 as float32, floats as integers, complex numbers.
            Nothing is changed then.
        """
        own = dict(self._leaves())
        new = fitted(own, state, lambda path: _at(self, path))
        for path, item in own.items():
            assign(item, new[path])

    def generator_state(self) -> dict[str, Any]:
        """Where the generators are from which dropout draws, by path, as plain data that JSON holds; a shared one once.

        Saved beside `state_dict()` and loaded by `load_generator_state`, it gives the masks that training would have drawn next.
        """
        return states_of(named_generators(self))

    @explaining
    def load_generator_state(self, state: Mapping[str, Any]) -> None:
        """Put the generators where they were when `generator_state` was called. Those that are shared stay shared.

        Raises TinygradError for a state of other paths or other kinds of generators; nothing is changed then.
        """
        restore("load_generator_state", named_generators(self), state)

    def __repr__(self) -> str:
        name = type(self).__name__
        lines = [f"  ({path}): {module!r}".replace("\n", "\n  ") for path, module in self.children()]
        return "\n".join([f"{name}({self.describe()}", *lines, ")"]) if lines else f"{name}({self.describe()})"

    def summary(self, *inputs: Any) -> Summary:
        """A table of all modules inside with their parameters, and if inputs are given, the shapes of the outputs.

        print(model.summary(x))
        """
        return summarize(self, inputs)

    def describe(self) -> str:
        """The arguments that repr shows."""
        return ""

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in MODULE]


for _name, _remedy in MODULE.items():
    setattr(Module, _name, Elsewhere(_name, _remedy))


def _converted(item: Any, dtype: np.dtype[Any], done: dict[int, NDArray[Any]]) -> Any:
    """An attribute, or what a list, tuple or dict of them holds, its float buffers of another dtype; `done`, by id, once."""
    if isinstance(item, (dict, list, tuple)):
        return tree_map(lambda leaf: _converted(leaf, dtype, done), item)
    return done.setdefault(id(item), item.astype(dtype)) if _is_buffer(item) and item.dtype.kind == "f" else item


def _is_buffer(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.dtype.kind in "biuf" and item.flags.writeable


def _items(container: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The leaf Values, buffers and Modules among the attributes, those in lists, tuples and dicts included, with dotted paths."""
    for name, item in container.items():
        if isinstance(item, Module) or _is_buffer(item) or (isinstance(item, Value) and item.grad_fn is None):
            yield name, item
        elif isinstance(item, dict):
            inside = {f"{name}.{key}": inner for key, inner in item.items()}
            if len(inside) < len(item):
                raise TinygradError(f"Module: two keys of {name} read alike, {', '.join(inside)}; rename one")
            yield from _items(inside)
        elif isinstance(item, (list, tuple)):
            yield from _items({f"{name}.{i}": inner for i, inner in enumerate(item)})
        elif isinstance(item, (set, frozenset)) and any(isinstance(inner, (Module, Value)) for inner in item):
            raise TinygradError(f"Module: the attribute {name} is a set, which has no order; keep layers in a list")


def _at(item: Any, path: str) -> Any:
    """What a dotted path leads to, also on a second way; None if nothing."""
    for part in str(path).split("."):
        inside = vars(item) if isinstance(item, Module) else item
        if isinstance(inside, dict):
            item = inside.get(part)
        elif isinstance(inside, (list, tuple)) and part in map(str, range(len(inside))):
            item = inside[int(part)]
        else:
            return None
    return item
