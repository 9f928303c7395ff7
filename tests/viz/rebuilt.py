"""What a drawing of a model says, read back from its plain data, and held against a recording of the same run.

`complaints` is the law. A complaint begins with the kind of what is wrong: "inputs", "boxes", "dependencies", ...
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator
from itertools import chain
from typing import Any

import numpy as np
from recorded_run import Call, Item, Recording

from tinygrad_edu import Value
from viz import Drawing, DrawnNode, Kind

_OUTSIDE = (Kind.LEAF, Kind.DATA)
_BOX = (Kind.MODULE, Kind.FAILED)


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def last(path: str) -> str:
    return path.rpartition(".")[2]


class Recorded:
    """The same words about a recording as `Drawn` has about a drawing."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._terms: dict[Item, Hashable] = {}
        self._closures: dict[Item, frozenset[Item]] = {}
        self.passing: dict[Item, list[Call]] = {}  # the boxes that return an item as it was given
        for call in recording.passing:
            self.passing.setdefault(recording.merged(("call", call)), []).append(call)
        times: Counter[str] = Counter()
        self.numbers: dict[Call, int] = {}  # which call of its module it is
        for call in recording.calls:
            if not call.inner:
                self.numbers[call] = times[call.key]
                times[call.key] += 1

    def operands(self, x: Value) -> list[Item]:
        return [self.recording.item(operand) for operand in x.inputs if isinstance(operand, (Value, np.ndarray))]

    def term(self, item: Item) -> Hashable:
        """How an item was computed, in full: the operation, the frames around it, its operands in order, its parameters."""
        item = self.recording.merged(item)
        if item not in self._terms:
            self._terms[item] = self._term(item)
        return self._terms[item]

    def _term(self, item: Item) -> Hashable:
        kind, what = item
        if kind == "call":
            return kind, what.key, self.numbers[what]
        if kind != "operation":
            return item
        home = self.recording.home(what)
        trail = (*home.trail, home.key) if home and home.around else ()
        operands = self.operands(what)
        return kind, what.grad_fn.name, trail, *terms_and_parameters([(x, self.term(x)) for x in operands])

    def closure(self, item: Item) -> frozenset[Item]:
        """All inputs, constants, parameters and modules that an item depends on. A box speaks for the parameters of its own module."""
        item = self.recording.merged(item)
        if item not in self._closures:
            self._closures[item] = frozenset()  # for a box that also returns what it was given
            kind, what = item
            calls = [*self.passing.get(item, ()), *([what] if kind == "call" else [])]
            sources = [source for call in calls for source in self.recording.sources(call)]
            sources += self.operands(what) if kind == "operation" else []
            own: set[Item] = {("call", what.key)} if kind == "call" else set()
            own |= {(kind, last(what))} if kind == "parameter" else {item} if kind in ("input", "constant") else set()
            self._closures[item] = frozenset(own.union(*(self.closure(x) for x in sources)))
        return self._closures[item]


def terms_and_parameters(operands: list[tuple[Item, Hashable]]) -> tuple[Hashable, Hashable]:
    """Terms in order; parameters by the ends of their paths, as they may be told without an arrow."""
    return (
        tuple(term for item, term in operands if item[0] != "parameter"),
        tuple(sorted({last(str(item[1])) for item, _ in operands if item[0] == "parameter"})),
    )


class Drawn:
    """What a drawing says: of each node which input, parameter, call or operation it is, and what it depends on."""

    def __init__(self, drawing: Drawing, recorded: Recorded) -> None:
        self.drawing, self.recorded, self.recording = drawing, recorded, recorded.recording
        self.nodes = {node.id: node for node in drawing.nodes}
        self.sources: dict[str, list[str]] = {node.id: [] for node in drawing.nodes}
        for edge in drawing.edges:
            self.sources[edge.target].append(edge.source)
        self.inputs = {node.id: leaf for leaf in self.recording.leaves for node in self.named(leaf.keys)}
        self.calls = self._calls()
        self.trails = self._trails()
        self._terms: dict[str, Hashable] = {}
        self._closures: dict[str, frozenset[Item]] = {}

    def of(self, *kinds: Kind) -> list[DrawnNode]:
        return [node for node in self.drawing.nodes if node.kind in kinds]

    def named(self, keys: tuple[str, ...]) -> list[DrawnNode]:
        """The nodes of an input: named by the user's word, by the argument, or by the keys within it."""
        tail = [word for key in keys[len(keys) > 1 :] for word in words(key)]
        names = [(node, name) for node in self.of(*_OUTSIDE) for name in re.split(", | = ", node.name)]
        return [node for node, name in names if words(name)[-len(tail) :] == tail and tail]

    def parameter(self, node: DrawnNode) -> str:
        """The end of the path of the parameter that a node is; "" if it is none."""
        if node.id in self.inputs or node.kind not in (Kind.PARAMETER, *_OUTSIDE):
            return ""
        return last(node.name) if last(node.name) in map(last, self.recording.parameters.values()) else ""

    def told(self, node: DrawnNode) -> set[str]:
        """The ends of the paths of parameters that a node's notes tell, as in "with weight[0:8], bias"."""
        notes = [re.sub(r"\[[^]]*\]", "", note[5:]) for note in node.notes if note.startswith("with ")]
        return {last(name) for note in notes for name in note.split(", ")}

    def _calls(self) -> dict[str, list[str]]:
        """For each box the modules called."""
        return {
            node.id: [
                self.recording.keys[self.recording.places[path]] if path in self.recording.places else path
                for path in node.calls
            ]
            for node in self.of(*_BOX)
        }

    def _trails(self) -> dict[str, tuple[str, ...]]:
        groups = {group.id: group for group in self.drawing.groups}
        trails = {}
        for group in self.drawing.groups:
            around, trail = group, list[str]()
            while around is not None:
                path = around.title.partition(": ")[0]
                place = self.recording.places.get(path)
                trail.insert(0, self.recording.keys[place] if place is not None else path)
                around = groups.get(around.parent)
            trails |= dict.fromkeys(group.nodes, tuple(trail))
        return trails

    def call(self, node: DrawnNode) -> Call | None:
        """The call that a box of a single one stands for: the first of this module that no box before it stands for."""
        if len(self.calls.get(node.id, ())) != 1:
            return None
        (key,) = self.calls[node.id]
        before = list(self.calls)[: list(self.calls).index(node.id)]
        number = sum(self.calls[id].count(key) for id in before)
        found = [call for call, n in self.recorded.numbers.items() if call.key == key and n == number]
        return found[0] if found else None

    def term(self, id: str) -> Hashable:
        if id not in self._terms:
            self._terms[id] = self._term(self.nodes[id])
        return self._terms[id]

    def item(self, id: str) -> Item:
        """What a source is, for telling parameters apart."""
        node = self.nodes[id]
        if name := self.parameter(node):
            return "parameter", name
        call = self.call(node)
        return self.recording.merged(("call", call)) if call else ("other", id)

    def _term(self, node: DrawnNode) -> Hashable:
        if node.id in self.inputs:
            return "input", self.inputs[node.id].same
        if call := self.call(node):
            return self.recorded.term(("call", call))
        if node.kind is Kind.CONSTANT or node.kind in _OUTSIDE:
            return "constant" if node.kind is Kind.CONSTANT else "value", _shape(node)
        operands = [(self.item(id), self.term(id)) for id in self.sources[node.id]]
        terms, parameters = terms_and_parameters(operands)
        told = tuple(sorted({*parameters, *self.told(node)}))
        return "operation", *node.ops, self.trails.get(node.id, ()), terms, told

    def closure(self, id: str) -> frozenset[Item]:
        if id not in self._closures:
            node = self.nodes[id]
            own: set[Item] = {("parameter", name) for name in (self.parameter(node), *self.told(node)) if name}
            own |= self.recorded.closure(("input", self.inputs[id].same)) if id in self.inputs else set()
            own |= {("constant", _shape(node))} if node.kind is Kind.CONSTANT else set()
            passing = {call.key for call in self.recording.passing}
            own |= {("call", key) for key in self.calls.get(id, ()) if key not in passing}
            if (call := self.call(node)) and call in self.recording.passing:
                own |= self.recorded.closure(("call", call))
            self._closures[id] = frozenset(own.union(*(self.closure(x) for x in self.sources[id])))
        return self._closures[id]


def _shape(node: DrawnNode) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", node.form.partition(")")[0])))


def shown(*terms: Any) -> str:
    """Terms as people write them: "multiply(call m1, exp[log_s])"; of long ones the beginning."""

    def one(term: Any, depth: int) -> str:
        if not isinstance(term, tuple) or term[0] != "operation":
            return " ".join(map(str, term)) if isinstance(term, tuple) else str(term)
        *_, operands, parameters = term
        inside = ", ".join([*(one(x, depth - 1) for x in operands), *parameters]) if depth else "..."
        return f"{' → '.join(term[1:-3])}({inside})"

    return "; ".join(sorted(one(term, 4) for term in terms))


def complaints(recording: Recording, drawing: Drawing, is_whole: bool) -> list[str]:
    """All that a drawing says which the recording does not, or the other way round.

    Args:
        is_whole: whether nothing was folded, so that direct sources are compared, in their order; else what each depends on.
    """
    recorded = Recorded(recording)
    drawn = Drawn(drawing, recorded)
    said = [_inputs(drawn), _parameters(drawn), _counts(drawn), _passing(drawn), _failed(drawn, is_whole)]
    said += [_boxes(drawn), _operations(drawn)] if is_whole else [_dependencies(drawn)]
    said += [] if recording.error else [_outputs(drawn, is_whole)]
    return list(chain.from_iterable(said))


def _inputs(drawn: Drawn) -> Iterator[str]:
    for leaf in drawn.recording.leaves:
        found = drawn.named(leaf.keys)
        if len(found) != 1:
            yield f"inputs: {'.'.join(leaf.keys)} is drawn {len(found)} times"


def _outputs(drawn: Drawn, is_whole: bool) -> Iterator[str]:
    nodes, outputs = drawn.of(Kind.OUTPUT), drawn.recording.outputs
    if len(nodes) != len(outputs):
        yield f"outputs: {len(outputs)} came out, {len(nodes)} are drawn"
        return
    if len({node.name for node in nodes}) < len(nodes):
        yield "outputs: two have one name"
    for node, (keys, x) in zip(nodes, outputs, strict=True):
        tail = [key for key in keys if not key.isdigit()]
        if not set(tail) <= set(words(node.name)):
            yield f"outputs: {'.'.join(keys)} is called {node.name!r}"
        item = drawn.recording.item(x)
        if is_whole and [drawn.term(id) for id in drawn.sources[node.id]] != [drawn.recorded.term(item)]:
            yield f"dependencies: the output {node.name!r} does not come from what it is"
        if not is_whole and drawn.closure(node.id) != drawn.recorded.closure(item):
            yield _differ(f"the output {node.name!r}", drawn.recorded.closure(item), drawn.closure(node.id))


def _parameters(drawn: Drawn) -> Iterator[str]:
    recording = drawn.recording
    boxed = {p for keys in drawn.calls.values() for key in keys for p in _own(recording, key)}
    alone = Counter(filter(None, map(drawn.parameter, drawn.drawing.nodes)))
    told = {name for node in drawn.drawing.nodes for name in drawn.told(node)}
    same = Counter(map(last, recording.parameters.values()))
    for path in sorted(recording.used()):
        if path not in boxed and last(path) not in told | alone.keys():
            yield f"parameters: {path} is not there"
        if alone[last(path)] > same[last(path)]:
            yield f"parameters: {path} has several nodes"


def _own(recording: Recording, key: str) -> set[str]:
    module = recording.places.get(key)
    return set() if module is None else {recording.parameters[p] for p in module.parameters()}


def _counts(drawn: Drawn) -> Iterator[str]:
    """Operations by name and calls by module, those of folded nodes and inside boxes included."""
    recording = drawn.recording
    if not recording.error:
        expected = Counter(x.grad_fn.name for x in recording.operations if x.grad_fn)
        yield from _compared("counts", expected, Counter(op for node in drawn.drawing.nodes for op in node.ops))
    raised = Counter(
        call.key for call in recording.calls if not call.inner and call.results is None and call is not recording.failed
    )
    calls = Counter(call.key for call in recording.calls if not call.inner and call is not recording.failed) - raised
    boxes = Counter(key for node in drawn.of(Kind.MODULE) for key in drawn.calls[node.id])
    yield from _compared("boxes", calls, boxes - (raised & (boxes - calls)))


def _compared(kind: str, expected: Counter[Any], drawn: Counter[Any]) -> Iterator[str]:
    for what, n in sorted((expected - drawn).items(), key=str):
        yield f"{kind}: {n} × {shown(what)} is missing"
    for what, n in sorted((drawn - expected).items(), key=str):
        yield f"{kind}: {n} × {shown(what)} is too many"


def _passing(drawn: Drawn) -> Iterator[str]:
    """What a module passes on goes on from its box."""
    leaving = {edge.source for edge in drawn.drawing.edges}
    for node in drawn.of(Kind.MODULE):
        if (
            (call := drawn.call(node)) in drawn.recording.passing
            and node.id not in leaving
            and not drawn.recording.error
        ):
            yield f"passing: no arrow leaves {call.key if call else ''}"


def _failed(drawn: Drawn, is_whole: bool) -> Iterator[str]:
    error, failed = drawn.recording.error, drawn.of(Kind.FAILED)
    if len(failed) != (error is not None):
        yield f"failed: {len(failed)} nodes are marked"
    for node in failed if error else ():
        message = "".join(f"{type(error).__name__}: {error}".split())[:100]
        if message not in "".join("".join(node.notes).split()):
            yield f"failed: the message is not there: {node.notes}"
        items = {drawn.recording.item(x) for x in drawn.recording.operands}
        if is_whole:
            given, sources = set(map(drawn.recorded.term, items)), set(map(drawn.term, drawn.sources[node.id]))
            if not given <= sources:
                yield f"failed: it was given {shown(*given)}, drawn {shown(*sources)}"
        elif not frozenset().union(*map(drawn.recorded.closure, items)) <= drawn.closure(node.id):
            yield "failed: what it was given does not lead to it"


def _boxes(drawn: Drawn) -> Iterator[str]:
    """The direct sources of each box, and the frames around it."""
    for node in drawn.of(Kind.MODULE):
        call = drawn.call(node)
        if call is None:
            continue
        trail = drawn.trails.get(node.id, ())
        if trail != call.trail:
            yield f"frames: {call.key} is in {call.trail}, drawn in {trail}"
        items = drawn.recording.sources(call)
        expected = {drawn.recorded.term(item) for item in items if item[0] != "parameter"}
        parameters = {last(item[1]) for item in items if item[0] == "parameter"}
        sources = [(drawn.item(id), drawn.term(id)) for id in drawn.sources[node.id]]
        terms = {term for item, term in sources if item[0] != "parameter"}
        told = {last(str(item[1])) for item, _ in sources if item[0] == "parameter"} | drawn.told(node)
        if terms != expected:
            yield f"dependencies: {call.key} comes from {shown(*expected)}, drawn from {shown(*terms)}"
        if told != parameters and call not in drawn.recording.passing:
            yield f"dependencies: {call.key} reads the parameters {sorted(parameters)}, drawn {sorted(told)}"


def _operations(drawn: Drawn) -> Iterator[str]:
    expected = Counter(drawn.recorded.term(("operation", x)) for x in drawn.recording.drawn())
    found = Counter(drawn.term(node.id) for node in drawn.of(Kind.RESULT))
    held = drawn.recording._reached(getattr(drawn.recording, "held", []))
    also = Counter(drawn.recorded.term(("operation", x)) for x in held)
    found -= also & (found - expected)
    missing, extra = expected - found, found - expected
    # what is computed from what is wrong already is no fault of its own
    yield from _compared("dependencies", _first(missing), Counter())
    yield from _compared("dependencies", Counter(), _first(extra))


def _first(terms: Counter[Any]) -> Counter[Any]:
    return Counter({term: n for term, n in terms.items() if not any(inner in terms for inner in _within(term))})


def _within(term: Any) -> Iterator[Any]:
    for inner in term[-2] if term[0] == "operation" else ():
        yield inner
        yield from _within(inner)


def _dependencies(drawn: Drawn) -> Iterator[str]:
    """What each node depends on, through folded ones too; of what is folded with others, what the first and all depend on."""
    recorded, recording = drawn.recorded, drawn.recording
    of_calls: dict[str, list[frozenset[Item]]] = {}
    for call in recording.boxes():
        of_calls.setdefault(call.key, []).append(recorded.closure(("call", call)))
    of_operations: dict[str, list[frozenset[Item]]] = {}
    for x in recording.drawn():
        of_operations.setdefault(x.grad_fn.name if x.grad_fn else "", []).append(recorded.closure(("operation", x)))
    for node in drawn.of(Kind.MODULE, Kind.RESULT):
        keys = drawn.calls.get(node.id, node.ops[-1:])
        known = of_calls if node.kind is Kind.MODULE else of_operations
        closures = [closure for key in dict.fromkeys(keys) for closure in known.get(key, ())]
        found = drawn.closure(node.id)
        if node.count > 1:
            fits = any(closure <= found for closure in closures) and found <= frozenset().union(*closures)
        else:
            fits = found in closures
            if fits:
                known[keys[0]].remove(found)
        if closures and not fits and not recording.error:
            nearest = min(closures, key=lambda closure: len(closure ^ found))
            yield _differ(f"{node.name or node.symbol} {keys}", nearest, found)


def _differ(what: str, expected: frozenset[Item], drawn: frozenset[Item]) -> str:
    return f"dependencies: {what}: missing {sorted(expected - drawn, key=str)}, too many {sorted(drawn - expected, key=str)}"
