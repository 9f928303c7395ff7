"""Shortening the steps of a run: what reads as one thing is drawn as one.

Four ways, all of them on the tree of steps: `mentions` of parameters inside the one operation that uses them, `chains` of
operations that only hand on to the next, `repeats` of modules that are equal and stand in a row, and, where the picture is still
too large, `closed` modules that keep their inside to themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from nn.calls import own_parameters

from ..drawing import Kind
from ..reading.steps import OUTSIDE, Step
from ..text import form, index

_LONGEST_CHAIN = 4  # operations; more would be a line too long to read
_LONGEST_BLOCK = 8  # steps that repeat together, such as linear, norm, activation and dropout
_LEAST_SAVED = 4  # steps that a repeat of two saves at least; else its frame costs more than it saves
_INNER = (Kind.RESULT, Kind.MODULE)


def mentions(steps: list[Step], outputs: Sequence[Step]) -> None:
    """Mention a module's own parameter in the operation of that module that uses it, if there is one: "with scale".

    So also parts of a parameter, each in the operation that uses it: "with weight[0:8]". An operation on parameters alone keeps
    them as its sources.
    """
    uses = _uses([*steps, *outputs])
    for group in _groups(steps):
        parameters = [step for step in group.inside if step.kind is Kind.PARAMETER]
        if not parameters or group.module is None:
            continue
        here, own = set(group.inside), set(map(id, own_parameters(group.module).values()))

        def takes_more(step: Step, here: set[Step] = here) -> bool:
            return step in here and step.kind is Kind.RESULT and not all(map(_parameter_of, step.sources))

        gone: set[Step] = set()
        for p in parameters:
            if id(p.result) in own:
                parts = uses[p] if all(_parameter_of(user) is p for user in uses[p]) else [p]
                if all(len(uses[part]) == 1 and takes_more(uses[part][0]) for part in parts):
                    gone |= {p, *parts}
        for step in group.inside:
            told = [source for source in step.sources if source in gone] if step not in gone else []
            if told:
                step.weights = tuple(_mention(source, group.path) for source in told)
                step.ops = [op for source in told for op in source.ops] + step.ops
                kept = [i for i, source in enumerate(step.sources) if source not in gone]
                is_sole = len(kept) == 1 and len(step.sources) > 2  # what is mentioned tells the other operands
                step.roles = [""] if is_sole else [step.roles[i] for i in kept]
                step.sources = [step.sources[i] for i in kept]
        group.inside = [step for step in group.inside if step not in gone]


def _parameter_of(step: Step) -> Step | None:
    """The parameter that a step is, or a part of; None for others."""
    if step.kind is Kind.PARAMETER:
        return step
    is_part = step.op is not None and step.op.name == "getitem" and step.sources[0].kind is Kind.PARAMETER
    return step.sources[0] if is_part and len(step.sources) == 1 else None


def _mention(step: Step, around: str) -> str:
    """A parameter or a part of one, by its path in the module around it."""
    if step.kind is Kind.PARAMETER:
        return step.path.removeprefix(f"{around}." if around else "")
    return f"{_mention(step.sources[0], around)}[{index(step.result)}]"


def chains(steps: list[Step], outputs: Sequence[Step]) -> None:
    """Draw operations that only hand on to the next one as one with it, in all groups among the steps."""
    uses = _uses([*steps, *outputs])
    for group in _groups(steps):
        here, merged = set(group.inside), set()
        for step in group.inside:
            before = step.sources[0] if len(step.sources) == 1 else None
            if before is None or before not in here or not step.kind is before.kind is Kind.RESULT:
                continue
            if len(uses[before]) == 1 and len(before.chain) + 1 < _LONGEST_CHAIN:
                step.chain, step.sources, step.roles = [*before.chain, before], before.sources, before.roles
                step.weights = (*before.weights, *step.weights)
                merged.add(before)
        group.inside = [step for step in group.inside if step not in merged]


def repeats(steps: list[Step], outputs: Sequence[Step]) -> dict[Step, Step]:
    """Draw equal blocks of steps that follow one another once, outer ones first.

    The first block stays, its steps listing their `copies`; what a block of several steps is put into is a FOLD.

    Returns:
        for each step that is not drawn, the one that stands for it.
    """
    uses = _uses([*steps, *outputs])
    stands: dict[Step, Step] = {}
    waiting = list(steps)
    while waiting:
        group = waiting.pop()
        group.inside = _folded(group.inside, uses, stands)
        waiting += [step for step in group.inside if step.inside]
    return stands


def closed(steps: Sequence[Step], most: int) -> tuple[set[Step], int]:
    """Which modules to draw without their inside so that at most `most` nodes are left, the deepest first.

    Returns the modules, and how deep the picture goes then; the outermost level is never closed.
    """
    depths = dict.fromkeys(steps, 0)
    for step in list(steps):
        for inner in step.within():
            depths.update((child, depths[inner] + 1) for child in inner.inside)
    deepest = max(depths.values(), default=0)
    for depth in range(deepest, 0, -1):
        shut = {step for step, d in depths.items() if d == depth and step.inside}
        if sum(d <= depth and (step in shut or not step.inside) for step, d in depths.items()) <= most:
            return shut, depth
    return {step for step, d in depths.items() if d == 1 and step.inside}, 1


def _groups(steps: Sequence[Step]) -> list[Step]:
    """All steps that have an inside, outermost first."""
    return [step for top in steps for step in top.within() if step.inside]


def _uses(steps: Iterable[Step]) -> dict[Step, list[Step]]:
    """For each step, those that are computed from it; groups aside, as what is inside them uses it."""
    uses: dict[Step, list[Step]] = defaultdict(list)
    for top in steps:
        for step in top.within():
            for source in dict.fromkeys([] if step.inside else step.sources):
                uses[source].append(step)
    return uses


def _folded(steps: list[Step], uses: dict[Step, list[Step]], stands: dict[Step, Step]) -> list[Step]:
    """The steps of one group, repeats drawn once."""
    names = [_signature(step) for step in steps]
    kept, i = [], 0
    while i < len(steps):
        runs = ((size, _length(steps, names, i, size, uses)) for size in range(1, _LONGEST_BLOCK + 1))
        size, count = max(runs, key=lambda run: run[0] * (run[1] - 1))
        blocks = [steps[i + k * size : i + (k + 1) * size] for k in range(count)]
        saved = (count - 1) * len(_flat(blocks[0]))
        if count > 2 or saved >= _LEAST_SAVED:
            _draw_once(blocks, stands)
            first = blocks[0]
            if size > 1:
                calls = [step for block in blocks for step in block if step.module is not None]
                path = " to ".join(dict.fromkeys([calls[0].path, calls[-1].path])) if calls else ""
                fold = Step(Kind.FOLD, path=path, inside=first)
                first = [fold]
            first[0].times = count
            kept += first
            i += count * size
        else:
            kept.append(steps[i])
            i += 1
    return kept


def _length(steps: list[Step], names: list[Hashable], start: int, size: int, uses: dict[Step, list[Step]]) -> int:
    """How often the block of `size` steps at `start` follows upon itself, each time fed by the last time only."""
    name = names[start : start + size]
    count = 1
    while names[start + count * size : start + (count + 1) * size] == name and len(name) == size:
        count += 1
    if count == 1:
        return 1
    blocks = [_flat(steps[start + k * size : start + (k + 1) * size]) for k in range(count)]
    wirings = [_wiring(block, before) for before, block in zip([[], *blocks], blocks, strict=False)]
    for k in range(1, count):
        near = {*blocks[k - 1], *blocks[k]}
        if (
            not _continues(wirings[0], wirings[k])
            or wirings[k] != wirings[1]
            or any(user not in near for step in blocks[k - 1] for user in uses[step] if not step.inside)
        ):
            return k
    return count


Wiring = list[list[tuple[str, int]]]


def _wiring(block: list[Step], before: list[Step]) -> Wiring:
    """For each step of a block where its sources are: at which place of the block itself, of the one before, or outside."""
    place = {step: ("before", i) for i, step in enumerate(before)} | {step: ("here", i) for i, step in enumerate(block)}
    return [[] if step.inside else [place.get(x, ("outside", id(x))) for x in step.sources] for step in block]


def _continues(first: Wiring, later: Wiring) -> bool:
    """Whether a later block takes from the one before it what the first block takes from outside, and something at all."""
    pairs = [pair for a, b in zip(first, later, strict=True) for pair in zip(a, b, strict=False)]
    handed = [a[0] == "outside" and b[0] == "before" for a, b in pairs]
    return any(handed) and all(on or a == b for on, (a, b) in zip(handed, pairs, strict=True))


def _flat(block: Sequence[Step]) -> list[Step]:
    return [inner for step in block for inner in step.within()]


def _draw_once(blocks: list[list[Step]], stands: dict[Step, Step]) -> None:
    for same in zip(*map(_flat, blocks), strict=True):
        for copy in same[1:]:
            stands[copy] = same[0]
        same[0].copies = [inner for step in same for inner in step.copies]


def _signature(step: Step) -> Hashable:
    """What a step does, for comparing: equal for modules of one type, with equal arguments and an equal inside."""
    forms, inside = tuple(map(form, step.results)), tuple(map(_signature, step.inside))
    if step.kind in OUTSIDE:
        return step.kind, forms, step.kind is not Kind.PARAMETER and step.path
    if step.kind not in _INNER:
        return step
    titles = tuple(x.title for x in (*step.chain, step))
    module = None if step.module is None else (type(step.module), step.module.describe())
    return step.kind, module, titles, len(step.weights), len(step.sources), forms, inside
