"""Captures: what a function uses besides its arguments, and whether that is still what a program was compiled with.

The variables around a function are followed: closures, globals and attributes that its code names, defaults, objects, and
functions that it calls. Float arrays are read by reference: a program refers to the array itself. All else is part of a program,
so it is compiled anew when a variable refers to another object, or a container or an array of integers has other contents.
"""

from __future__ import annotations

import random
import sys
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy, deepcopy
from functools import partial
from operator import is_
from types import CellType, CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..errors import UnreadableError
from ..node import Node
from .lines import OURS
from .moving import moved
from .quick import form_of, quick_test

_MISSING = object()
_MANY = 10_000  # variables that are followed, and entries of a container that are compared
_FIXED = set(sys.stdlib_module_names) - {"__main__"} | OURS | {"scipy", "matplotlib", "pytest", "_pytest"}
_ANY_NAME = {
    "getattr",
    "attrgetter",
    "vars",
    "__dict__",
    "asdict",
    "astuple",
}  # which read attributes that code does not name
_PLAIN = {float, int, str, bool, complex, bytes, type(None)}


class Place(NamedTuple):
    """A variable: its name, how to read and to assign it, and what it refers to."""

    name: str
    read: Callable[[], Any]
    assign: Callable[[Any], None]
    before: Any


class Container(NamedTuple):
    """A list, a dictionary, a set, or the attributes of an object; and what it contains."""

    name: str
    holder: Any
    contents: Any


class Captures:
    """What f uses: a function, or a list of objects.

    Args:
        given: objects that are not followed, since what they hold is passed to f as arguments.

    Attributes:
        arrays: the arrays among it, with their names.
        watched: those whose numbers are part of a program, with these numbers.
    """

    def __init__(self, f: Any, given: Sequence[Any] = ()) -> None:
        self._given = {id(x): x for x in given}
        self.arrays: dict[int, tuple[str, np.ndarray[Any, Any]]] = {}
        self.watched: list[tuple[np.ndarray[Any, Any], bytes]] = []
        self._places: list[Place] = []
        self._containers: list[Container] = []
        self._generators: list[Any] = []
        self._gradients: list[tuple[str, Node]] = []  # Values of which no code names the gradient
        self._absent: list[tuple[dict[str, Any], set[str]]] = []  # globals that code names and nothing defines
        self._names: set[str] = set()
        before = -1
        while len(self._names) > before:  # a function that is found names further attributes of objects met before
            before = len(self._names)
            self.arrays.clear()
            self._places.clear()
            self._containers.clear()
            self._generators.clear()
            self._gradients.clear()
            self._absent.clear()
            self._seen: dict[int, Any] = {}
            self._visit("f", f)
        for _, x in self.arrays.values():
            if x.dtype.kind != "f":
                self.watch(x)
        self._forms = {id(x): form_of(x) for _, x in self.arrays.values()}

    def watch(self, x: np.ndarray[Any, Any]) -> None:
        """The numbers of a captured array are part of the program."""
        if all(x is not known for known, _ in self.watched):
            self.watched.append((x, x.tobytes()))

    def changed(self) -> str:
        """The name of a variable that is another object, or has other contents; "" if there is none."""
        for name, read, _, before in self._places:
            try:
                now = read()
            except (ValueError, AttributeError):  # it was deleted
                return name
            if now is not before and not _same(now, before):
                return name
        for container in self._containers:
            if not _same_contents(container.holder, container.contents):
                return _entry(container)
        for held, names in self._absent:
            if not held.keys().isdisjoint(names):
                return next(iter(held.keys() & names))
        for name, x in self.arrays.values():
            if form_of(x) != self._forms[id(x)]:
                return name
        moved = next((x for x, numbers in self.watched if x.tobytes() != numbers), None)
        return "" if moved is None else next((name for name, x in self.arrays.values() if x is moved), "an array")

    def unchanged(self) -> Callable[[], bool]:
        """A quick test that is true only if nothing has changed."""
        arrays = [x for _, x in self.arrays.values()]
        return quick_test(self._places, self._containers, self._absent, arrays, self.watched, _same_contents)

    @contextmanager
    def kept(self) -> Iterator[list[str]]:
        """While this is open f may run; then all is as before. It yields a list of what f has changed, complete at its end."""
        found: list[str] = []
        numbers = [x.copy() for _, x in self.arrays.values()]
        gradients = [x.raw_grad for _, x in self._gradients]
        with self.draws_kept() as drawn:
            try:
                yield found
            finally:
                for (name, value), before in zip(self._gradients, gradients, strict=True):
                    if value.raw_grad is not before:
                        found.append(f"the gradient of {name}")
                        value.raw_grad = before
                for place in self._places:
                    if place.read() is not place.before:
                        found.append(place.name)
                        place.assign(place.before)
                for container in self._containers:
                    if not _same_contents(container.holder, container.contents):
                        found.append(_entry(container))
                        _refill(container)
                for held, names in self._absent:
                    for name in names & held.keys():
                        found.append(name)
                        del held[name]
                for (name, x), before in zip(self.arrays.values(), numbers, strict=True):
                    if x.tobytes() != before.tobytes():
                        found.append(name)
                        x[...] = before
        found += drawn

    @contextmanager
    def draws_kept(self) -> Iterator[list[str]]:
        """While this is open random numbers may be drawn; then the generators are as before, also those of NumPy and Python."""
        found: list[str] = []
        generators = [*self._generators, np.random, random]
        states = [_state(generator) for generator in generators]
        try:
            yield found
        finally:
            for generator, state in zip(generators, states, strict=True):
                if not _equal_states(_state(generator), state):
                    found.append(DRAWS)
                    _set_state(generator, state)

    # -- Following variables -------------------------------------------------------------------------------------------

    def _visit(self, name: str, x: Any) -> None:
        """An object, and what it refers to."""
        if type(x) in _PLAIN or id(x) in self._seen or id(x) in self._given:
            return
        self._seen[id(x)] = x
        if isinstance(x, _CONTAINERS):
            self._containers.append(Container(name, x, _contents(x)))
        if isinstance(x, FunctionType):
            self._function(x)
        elif isinstance(x, MethodType):
            self._visit("self", x.__self__)
            self._visit(name, x.__func__)
        elif isinstance(x, partial):
            for part in (x.func, x.args, x.keywords):
                self._visit(name, part)
        elif isinstance(x, np.ndarray):
            self.arrays[id(x)] = name, x
        elif isinstance(x, (np.random.Generator, np.random.RandomState, random.Random)):
            self._generators.append(x)
        elif isinstance(x, Node):
            called = x.extra.get("name", name) if x.extra else name
            self._place(called, partial(getattr, x, "raw"), partial(setattr, x, "raw"))
            if "grad" in self._names:
                self._place(called, partial(getattr, x, "raw_grad"), partial(setattr, x, "raw_grad"))
            else:  # a training changes it in each step
                self._gradients.append((called, x))
        elif isinstance(x, _BUFFERS):
            return
        elif isinstance(x, (dict, MappingProxyType)):
            for key, part in list(x.items())[:_MANY]:
                self._visit(key if isinstance(key, str) and key.isidentifier() else name, part)
        elif isinstance(x, (list, tuple, set, frozenset, deque)):
            for i, part in enumerate(list(x)[:_MANY]):
                self._visit(f"{name}_{i}", part)
        elif isinstance(x, (staticmethod, classmethod)):
            self._visit(name, x.__func__)
        elif isinstance(x, property):
            self._visit(name, x.fget)
        elif isinstance(x, (ModuleType, type)):
            self._namespace(x)
        elif not isinstance(x, np.generic):
            self._object(name, x)

    def _function(self, f: FunctionType) -> None:
        cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        if _root(f) in _FIXED:  # of a transform: what it holds stays, and may be the user's
            for name, cell in cells:
                self._visit(name, _cell(cell))
            return
        for name, cell in cells:
            is_empty = _cell(cell) is _MISSING
            read = partial(_cell, cell) if is_empty else partial(getattr, cell, "cell_contents")
            self._place(name, read, partial(setattr, cell, "cell_contents"))
        self._place(f.__name__, partial(getattr, f, "__code__"), partial(setattr, f, "__code__"))  # autoreload sets it
        for name in ("__defaults__", "__kwdefaults__"):
            if getattr(f, name):
                self._place("default", partial(getattr, f, name), partial(setattr, f, name))
        named = _names(f.__code__)
        self._names |= named
        self._items(f.__globals__, named)
        self._absent.append((f.__globals__, named - f.__globals__.keys()))
        self._visit("f", vars(f))

    def _object(self, name: str, x: Any) -> None:
        if _root(type(x)) in _FIXED - {"nn", "types", "collections"}:
            self._visit(name, getattr(x, "__wrapped__", None))  # a compiled or cached function
            return
        if hasattr(x, "__dict__"):
            own = vars(x)
            if _root(type(x)) not in _FIXED:
                self._seen |= {id(part): part for key, part in own.items() if self._is_unread(key, part)}
            self._visit(name, own)
        for cls in type(x).__mro__:
            for slot in _slots(cls):
                if hasattr(x, slot):
                    self._place(slot, partial(getattr, x, slot, _MISSING), partial(setattr, x, slot))
        self._visit("class", type(x))

    def _is_unread(self, key: str, part: Any) -> bool:
        """Whether an attribute is a list or dictionary of plain data that no code names, such as what a callback notes."""
        if type(part) not in (list, dict) or key[0] == "_" or self._names & {key, *_ANY_NAME}:
            return False
        return all(type(x) in _PLAIN for x in (part.values() if type(part) is dict else part))

    def _namespace(self, x: Any) -> None:
        """The attributes of a module or a class that code names; of a class its operators too."""
        if isinstance(x, ModuleType):
            if x.__name__.partition(".")[0] not in _FIXED:
                self._items(vars(x), self._names)
            return
        own = [vars(cls) for cls in x.__mro__ if _root(cls) not in _FIXED]
        for key in dict.fromkeys(key for held in own for key in held if key in self._names or _is_operator(key, held)):
            self._place(key, partial(_of_class, x, key), partial(setattr, x, key))
        self._visit("class", type(x))

    def _items(self, held: Any, keys: Any) -> None:
        for key in list(keys):
            if key in held:
                self._place(key, partial(held.get, key, _MISSING), partial(held.__setitem__, key))

    def _place(self, name: str, read: Callable[[], Any], assign: Callable[[Any], None]) -> None:
        x = read()
        if isinstance(x, ModuleType) and x.__name__.partition(".")[0] in _FIXED:
            return
        if len(self._places) >= _MANY:
            raise UnreadableError(f"compile: the function uses more than {_MANY:,} variables; pass them as arguments")
        self._places.append(Place(name, read, assign, x))
        self._visit(name, x)

    # -- A world with other numbers ------------------------------------------------------------------------------------

    def elsewhere(self, f: Callable[..., Any], by: float) -> tuple[Callable[..., Any], dict[int, np.ndarray[Any, Any]]]:
        """The function f made again around copies of what it uses, whose float arrays are moved; by id, these arrays."""
        arrays: dict[int, np.ndarray[Any, Any]] = {}
        known: dict[int, Any] = {}

        def again(x: Any) -> Any:
            if id(x) not in known:
                known[id(x)] = x
                known[id(x)] = self._again(x, again, known, by)
                if isinstance(x, np.ndarray) and known[id(x)] is not x:
                    arrays[id(x)] = known[id(x)]
            return known[id(x)]

        return again(f), arrays

    def _again(self, x: Any, again: Callable[[Any], Any], known: dict[int, Any], by: float) -> Any:
        if id(x) not in self._seen or isinstance(x, (type, ModuleType)):
            return x
        if isinstance(x, np.ndarray):
            return moved(x, by) if x.dtype.kind == "f" and type(x) is np.ndarray else x
        if isinstance(x, FunctionType):
            if _root(x) in _FIXED and not x.__closure__:
                return x
            held = x.__globals__
            if _root(x) not in _FIXED:
                if id(held) not in known:
                    known[id(held)] = dict(held)
                held = known[id(held)]
            cells = [CellType() for _ in x.__closure__ or ()]
            made = known[id(x)] = FunctionType(x.__code__, held, x.__name__, None, tuple(cells))
            for own, cell in zip(x.__closure__ or (), cells, strict=True):
                with suppress(ValueError):  # still empty
                    cell.cell_contents = again(own.cell_contents)
            made.__defaults__, made.__kwdefaults__ = again(x.__defaults__), again(x.__kwdefaults__)
            made.__dict__.update(vars(x))
            if held is not x.__globals__:
                for name in _names(x.__code__):
                    if name in x.__globals__:
                        held[name] = again(x.__globals__[name])
            return made
        if isinstance(x, MethodType):
            return MethodType(again(x.__func__), again(x.__self__))
        if type(x) is partial:
            return partial(again(x.func), *map(again, x.args), **{key: again(part) for key, part in x.keywords.items()})
        if isinstance(x, (np.random.Generator, np.random.RandomState, random.Random)):
            return deepcopy(x)
        if type(x) in (list, tuple, set):
            return type(x)([again(part) for part in x])
        if type(x) is dict:
            return {key: again(part) for key, part in x.items()}
        if isinstance(x, Node):
            if x.grad_fn is not None:
                return x
            twin = copy(x)
            twin.raw = again(x.raw)
            return twin
        if not hasattr(x, "__dict__"):
            return x
        made = known[id(x)] = copy(x)
        vars(made).update({key: again(part) for key, part in vars(x).items()})
        return made


DRAWS = "random numbers"


@contextmanager
def generators_kept(generators: Sequence[np.random.Generator]) -> Iterator[None]:
    """While this is open random numbers are drawn; then the generators are as before."""
    states = [generator.bit_generator.state for generator in generators]
    try:
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state


_CONTAINERS = (dict, MappingProxyType, list, set, deque, bytearray, array, memoryview)
_BUFFERS = (bytearray, array, memoryview)
_UNCALLED = {"__init__", "__new__", "__repr__", "__str__", "__init_subclass__", "__del__"}  # by a call of an object


def _is_operator(key: str, held: Any) -> bool:
    """Whether Python calls this function of a class by itself, for an operator; or a Module's __call__, which is ours."""
    if key == "forward":
        return True
    return key[:2] == "__" == key[-2:] and key not in _UNCALLED and isinstance(held[key], FunctionType)


def _root(x: Any) -> str:
    """The package that defines a function or a class; a wrapper's own, not that of what it wraps."""
    if isinstance(x, FunctionType):
        return str(x.__globals__.get("__name__", "")).partition(".")[0]
    return str(getattr(x, "__module__", None) or "").partition(".")[0]


def _cell(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _slots(cls: type) -> list[str]:
    slots = vars(cls).get("__slots__", ())
    return [slot for slot in ([slots] if isinstance(slots, str) else slots) if not slot.startswith("__")]


def _names(code: CodeType) -> set[str]:
    """The names that a function's code looks up, also by text, as in globals()["rate"]; with those of the functions inside it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
        elif isinstance(constant, str) and constant.isidentifier():
            names.add(constant)
    return names


def _same(a: Any, b: Any) -> bool:
    """Whether two objects are equal constants; 0.0 and -0.0, 1 and 1.0 differ, NaN equals NaN."""
    return type(a) is type(b) and type(a) in _PLAIN and (a == b or a != a) and repr(a) == repr(b)


def _of_class(cls: type, key: str) -> Any:
    """An attribute as a class holds it."""
    return next((vars(base)[key] for base in cls.__mro__ if key in vars(base)), _MISSING)


def _contents(x: Any) -> Any:
    """The entries of a container: of a dictionary its keys and values; of a very large one how many."""
    if isinstance(x, _BUFFERS):
        return bytes(x)
    if len(x) > _MANY:
        return len(x)
    return (list(x), list(x.values())) if isinstance(x, (dict, MappingProxyType)) else list(x)


def _same_contents(x: Any, before: Any) -> bool:
    if type(before) is bytes:
        return bytes(x) == before
    if type(before) is int or len(x) > _MANY:
        return bool(len(x) == before)
    if type(before) is tuple:
        return _same_entries(x, before[0]) and _same_entries(x.values(), before[1])
    return _same_entries(x, before)


def _same_entries(now: Collection[Any], before: list[Any]) -> bool:
    if len(now) != len(before):
        return False
    return all(map(is_, now, before)) or all(a is b or _same(a, b) for a, b in zip(now, before, strict=True))


def _entry(container: Container) -> str:
    """The name of the entry that has changed, or of the container."""
    if type(container.contents) is tuple:
        before = dict(zip(*container.contents, strict=True))
        for key, x in container.holder.items():
            if isinstance(key, str) and key.isidentifier() and before.get(key, _MISSING) is not x:
                return key
    return container.name


def _refill(container: Container) -> None:
    """Put the entries of a container back."""
    x, before = container.holder, container.contents
    if isinstance(x, MappingProxyType):
        return
    if type(before) is bytes:
        memoryview(x).cast("B")[:] = before
    elif isinstance(x, list) and type(before) is list:
        x[:] = before
    elif isinstance(x, deque) and type(before) is list:
        x.clear()
        x.extend(before)
    elif type(before) is not int:
        x.clear()
        x.update(zip(*before, strict=True) if isinstance(x, dict) else before)


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.getstate() if hasattr(generator, "getstate") else generator.get_state(legacy=False)


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif hasattr(generator, "setstate"):
        generator.setstate(state)
    else:
        generator.set_state(state)


def _equal_states(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(_equal_states(x, b[key]) for key, x in a.items())
    return bool(np.all(a == b))
