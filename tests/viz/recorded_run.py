"""One run of a model, recorded by the tests themselves, for the law of test_model_law.py: calls of modules, operations, what each
was computed from. Operations are found through `.inputs` alone, and belong to the innermost call during which they were recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from inspect import Parameter, signature
from traceback import walk_tb
from typing import Any, NamedTuple

import numpy as np
from random_models import Sample

import nn
from tinygrad_edu import Value

Item = tuple[
    Any, ...
]  # ("input", class), ("parameter", path), ("constant", shape), ("operation", Value), ("call", Call)
_ORDER = ("parameter", "input", "value", "constant", "operation", "call")


class Leaf(NamedTuple):
    """An array among the inputs.

    Attributes:
        keys: the argument of forward, then the keys and indices that lead to it; the user's name alone if there is one.
        same: equal for a Value given twice, and for integers that share their memory: no recording can tell these apart.
    """

    keys: tuple[str, ...]
    same: int


@dataclass(eq=False)
class Call:
    """A call of a module; `key` names the module, by its first path in the model or its type if it has none."""

    module: nn.Module
    key: str
    around: Call | None
    start: int
    end: int = 0
    inner: list[Call] = field(default_factory=list)
    given: list[Any] = field(default_factory=list)
    results: list[Any] | None = None  # None if it raised an error

    @property
    def trail(self) -> tuple[str, ...]:
        """The calls around it, outermost first, without the model's own."""
        return (*self.around.trail, self.around.key) if self.around and self.around.around else ()


def parts(tree: Any) -> Iterator[Any]:
    """The Values and arrays in tuples, lists and dictionaries."""
    for x in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (tuple, list)) else ():
        yield from parts(x)
    if isinstance(tree, (Value, np.ndarray)):
        yield tree


def keyed(tree: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The same with the keys and indices that lead to each."""
    if isinstance(tree, (Value, np.ndarray)):
        yield keys, tree
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, (tuple, list)) else ()
    for key, x in items:
        yield from keyed(x, (*keys, str(key)))


def memory(x: Any) -> int:
    """The array that the numbers are stored in, which views share."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return id(x)


class Recording:
    """Runs a sample, every input of floats as a Value that gradient flows to.

    Attributes:
        leaves: the arrays among the inputs.
        calls: in the order in which they began; the first is the model's own.
        outputs: keys and Value or array of each that came out; of a loss its result.
        error: what the run raised.
        failed: the innermost call that it was raised in; None if there is none, or after the model, in the loss.
        operations: all that were recorded and lead to an output, to a result of a call, or to an operand of what failed.
    """

    def __init__(self, sample: Sample) -> None:
        made = sample.made()
        self.model, loss = made["model"], made["loss"]
        self.parameters = {p: path for path, p in self.model.named_parameters()}
        self.places = dict(_places(self.model))  # every path of every module
        self.keys: dict[nn.Module, str] = {}
        for path, module in self.places.items():
            self.keys.setdefault(module, path)
        self._kept: list[Any] = []
        self._values: dict[int, Value] = {}  # of arrays, by id: one that is given twice is one input
        self._inputs: dict[Any, int] = {}
        self.leaves: list[Leaf] = []
        inputs = [self._wrapped(x) for x in made["inputs"]]
        self._name(made["inputs"], inputs, made["names"] or {})
        self.calls: list[Call] = []
        self.outputs: list[tuple[tuple[str, ...], Any]] = []
        self.error: Exception | None = None
        self.failed: Call | None = None
        self.operands: list[Any] = []
        self._run(inputs, loss, sample)
        roots = [x for call in self.calls for x in (call.results or [])] + self.operands
        self.operations = self._reached([*roots, *(x for _, x in self.outputs)])
        self._same: dict[Item, Item] = {}
        self._merge()

    # -- Running -------------------------------------------------------------------------------------------------------

    def _wrapped(self, x: Any) -> Any:
        if isinstance(x, list) and not any(True for _ in parts(x)):
            x = np.asarray(x)
        if isinstance(x, dict):
            return {key: self._wrapped(item) for key, item in x.items()}
        if isinstance(x, (tuple, list)):
            return type(x)(map(self._wrapped, x))
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return x
        self._kept.append(x)
        return self._values.setdefault(id(x), Value(x, copy=False))

    def _name(self, given: Any, inputs: list[Any], names: dict[str, Any]) -> None:
        arguments = list(signature(self.model.forward).parameters.values())
        by_user = {id(x): name for name, x in names.items()}
        same: dict[Any, int] = {}
        for i, (x, original) in enumerate(zip(inputs, given, strict=True)):
            argument = arguments[min(i, len(arguments) - 1)]
            first = argument.name, *([str(i)] if argument.kind is Parameter.VAR_POSITIONAL else [])
            originals = list(parts(original))
            for k, (keys, leaf) in enumerate(keyed(x, first)):
                name = by_user.get(id(originals[k])) if originals else None
                name = (leaf.name if isinstance(leaf, Value) else None) or name
                what = leaf if isinstance(leaf, Value) else memory(leaf)
                self._inputs[what] = same.setdefault(what, len(same))
                self.leaves.append(Leaf((name,) if name else keys, same[what]))
                self._kept.append(leaf)

    def _run(self, inputs: list[Any], loss: Any, sample: Sample) -> None:
        running: list[Call] = []
        ended: list[Call] = []

        def enter(module: nn.Module, *_: Any) -> None:
            around = running[-1] if running else None
            call = Call(module, self.keys.get(module, type(module).__name__), around, _now())
            if around:
                around.inner.append(call)
            self.calls.append(call)
            running.append(call)

        def leave(*_: Any) -> None:
            running[-1].end = _now()
            ended.append(running.pop())

        def look(_: nn.Module, given: Any, output: Any) -> None:
            ended[-1].given, ended[-1].results = list(parts(given)), list(parts(output))

        with nn.observing(look, enter, leave):
            try:
                output = self.model(*inputs)
                self.operands = list(parts(output))
                output = output if loss is None else loss(output)
                self.outputs = list(keyed(output))
            except Exception as error:
                self.error = error
                self._find(error, sample)

    def _find(self, error: Exception, sample: Sample) -> None:
        """What failed, and what it was given."""
        frames = [frame for frame, _ in walk_tb(error.__traceback__)]
        calls = [frame for frame in frames if frame.f_code is nn.Module.__call__.__code__]
        if calls:
            self.failed = [call for call in self.calls if call.module is calls[-1].f_locals["self"]][-1]
            self.failed.given = list(parts((calls[-1].f_locals["inputs"], calls[-1].f_locals["options"])))
            self.operands = self.failed.given
        if sample.operands:
            (forward,) = [frame for frame in frames if frame.f_code is type(self.model).forward.__code__]
            self.operands = [forward.f_locals[name] for name in sample.operands]
        self.held = [x for frame in frames for x in parts(list(frame.f_locals.values())) if isinstance(x, Value)]

    # -- What was computed from what -----------------------------------------------------------------------------------

    def _reached(self, roots: list[Any]) -> list[Value]:
        """All operations that the roots were computed by, in the order of recording."""
        found: dict[Value, None] = {}
        waiting = list(roots)
        while waiting:
            x = waiting.pop()
            if isinstance(x, Value) and x.inputs and x not in found:
                found[x] = None
                waiting += x.inputs
        return sorted(found, key=lambda x: abs(x.tick))

    def home(self, x: Value) -> Call | None:
        """The innermost call during which an operation was recorded."""
        around = [call for call in self.calls if call.start < abs(x.tick) < call.end]
        return around[-1] if around else None

    def item(self, x: Any) -> Item:
        """What a Value or array is: a result of the box that computed it, if one did. What is passed on is what it was."""
        if isinstance(x, np.ndarray):
            here = self._inputs.get(memory(x))
            return ("constant", x.shape) if here is None else ("input", here)
        if x in self._inputs or x in self.parameters:
            return self.merged(("input", self._inputs[x]) if x in self._inputs else ("parameter", self.parameters[x]))
        if not x.inputs:
            return ("value", x.shape)
        home = self.home(x)
        return self.merged(("call", home) if home and not home.inner else ("operation", x))

    def merged(self, item: Item) -> Item:
        """An item, and all that only passed it on, as one."""
        while item in self._same:
            item = self._same[item]
        return item

    def passes(self, call: Call) -> list[Item]:
        """What a call without others inside returned as it was given, or took from elsewhere."""
        items = [self.item(x) for x in call.results or [] if not self._made_in(call, x)]
        return [item for item in items if item[0] != "constant"]

    def _made_in(self, call: Call, x: Any) -> bool:
        return isinstance(x, Value) and bool(x.inputs) and call.start < abs(x.tick) < call.end

    def _merge(self) -> None:
        self.passing: set[Call] = set()
        for call in self.boxes():
            for item in self.passes(call):
                self.passing.add(call)
                pair = {self.merged(item), self.merged(("call", call))}
                first, *rest = sorted(pair, key=lambda x: (_ORDER.index(x[0]), getattr(x[1], "start", 0)))
                self._same.update(dict.fromkeys(rest, first))

    def boxes(self) -> list[Call]:
        """The calls in which no other module was called: each is drawn as a box. Those that raised an error are left out."""
        return [call for call in self.calls if not call.inner and call.results is not None]

    def drawn(self) -> list[Value]:
        """The operations outside of all boxes, each of which is drawn as a node."""
        return [x for x in self.operations if not (home := self.home(x)) or home.inner]

    def sources(self, call: Call) -> set[Item]:
        """What a box was given, and what it was computed from; without its own parameters, and constants of its own."""
        own = set(call.module.parameters())
        found = {self.item(x) for x in call.given}
        waiting, seen = list(call.results or ()), set[int]()
        while waiting:
            x = waiting.pop()
            if id(x) in seen or (isinstance(x, Value) and x in own and x not in self._inputs):
                continue
            seen.add(id(x))
            if self._made_in(call, x):
                waiting += [operand for operand in x.inputs if isinstance(operand, (Value, np.ndarray))]
            elif (item := self.item(x))[0] != "constant":
                found.add(item)
        return found

    def used(self) -> set[str]:
        """The paths of all parameters that the operations used."""
        return {
            self.parameters[x]
            for made in self.operations
            for x in made.inputs
            if isinstance(x, Value) and x in self.parameters
        }


def _now() -> int:
    return Value(0.0).tick


def _places(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    yield path, module
    for name, child in module.children():
        yield from _places(child, f"{path}.{name}" if path else name)
