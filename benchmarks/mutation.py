"""`python -m benchmarks.mutation`: every gradient rule made wrong in many ways; how many the op's own test notices.

A mutant that returns what the right rule returns, on every call of the test, is equivalent: it is listed, with the reason that
it changes nothing there. So are mutants of the engine's un-broadcasting. `--code` is about the code outside the rules.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from tinygrad_edu import Op, registry, share
from tinygrad_edu.testing.strategies import OpCall, check_call, fixed_calls

from . import code_mutation

RESULTS = Path(__file__).parent / "results" / "mutation.md"
CALLS = 12
Apply = Callable[..., Any]


def changed_input(k: int) -> Callable[[Apply, int], Apply]:
    """The rule fed another number in place of input k."""

    def mutate(apply: Apply, first: int) -> Apply:
        def wrong(*args: Any, **params: Any) -> Any:
            place = first + 2 + k
            if place >= len(args) or np.asarray(args[place]).dtype.kind != "f":
                return apply(*args, **params)
            return apply(*args[:place], args[place] * 1.1, *args[place + 1 :], **params)

        return wrong

    return mutate


def swapped(apply: Apply, first: int) -> Apply:
    """The rule fed its two inputs the wrong way round."""

    def wrong(*args: Any, **params: Any) -> Any:
        a, b = first + 2, first + 3
        if len(args) != b + 1:
            return apply(*args, **params)
        return apply(*args[:a], args[b], args[a], **params)

    return wrong


def of_share(change: Callable[[Any], Any]) -> Callable[[Apply, int], Apply]:
    """The rule's answer changed."""
    return lambda apply, _: lambda *args, **params: change(apply(*args, **params))


def of_argument(place: int, change: Callable[[Any], Any]) -> Callable[[Apply, int], Apply]:
    """The rule fed another incoming gradient (place 0) or result (place 1)."""

    def mutate(apply: Apply, first: int) -> Apply:
        i = first + place
        return lambda *args, **params: apply(*args[:i], change(args[i]), *args[i + 1 :], **params)

    return mutate


MUTATIONS: dict[str, Callable[[Apply, int], Apply]] = {
    "sign": of_share(lambda s: -s),
    "factor 2": of_share(lambda s: 2 * s),
    "factor 1.0001": of_share(lambda s: 1.0001 * s),
    "dropped": of_share(lambda s: 0 * s),
    "ignores g": of_argument(0, lambda g: np.ones_like(g)[()]),
    "wrong result": of_argument(1, lambda y: y * 1.1),
    "wrong first input": changed_input(0),
    "wrong second input": changed_input(1),
    "inputs swapped": swapped,
}


def main() -> int:
    killed: Counter[str] = Counter()
    equivalent: Counter[str] = Counter()
    survivors: list[str] = []
    for name, function in registry.items():
        if function.op.derived or not any(function.op.rules):
            continue
        calls = drawn(function.op)
        right = function.op.rules
        assert not noticed(calls), name
        for i, rule in enumerate(right):
            for kind, mutate in MUTATIONS.items():
                if rule is None:
                    continue
                mutant = rule._replace(apply=mutate(rule.apply, 0))
                before = shares(calls)
                object.__setattr__(function.op, "rules", (*right[:i], mutant, *right[i + 1 :]))
                try:
                    if same(before, shares(calls)):
                        equivalent[kind] += 1
                    elif noticed(calls):
                        killed[kind] += 1
                    else:
                        survivors.append(f"{name}, rule {i}: {kind}")
                finally:
                    object.__setattr__(function.op, "rules", right)
    engine = unbroadcasting()
    text = markdown(killed, equivalent, survivors, engine)
    print(text)
    _, heading, code = RESULTS.read_text(encoding="utf-8").partition(code_mutation.HEADING)
    RESULTS.write_text(text + ("\n" + heading + code if heading else ""), encoding="utf-8")
    return int(bool(survivors) or not all(engine.values()))


def drawn(op: Op) -> list[OpCall]:
    """A few calls of an op with numbers that gradient flows to."""
    calls = fixed_calls(op, CALLS, min_side=2)
    return [call for call in calls if call.differentiable and all(np.size(x) for x in call.inputs)]


def shares(calls: list[OpCall]) -> list[Any]:
    """All gradients for fixed random weights; None where the rule fails."""
    found: list[Any] = []
    for call in calls:
        y = call(*call.inputs)
        weights = np.random.default_rng(0).uniform(0.5, 1.5, np.shape(y))[()]
        try:
            with np.errstate(all="ignore"):
                found += [v.grad for v in call.backward(call.inputs, weights)]
        except Exception:
            found.append(None)
    return found


def same(a: list[Any], b: list[Any]) -> bool:
    """Whether two lists of gradients agree to rounding."""
    pairs = zip(a, b, strict=False)
    return len(a) == len(b) and all(y is not None and np.allclose(x, y, rtol=1e-9, atol=1e-12) for x, y in pairs)


def noticed(calls: list[OpCall]) -> bool:
    """Whether the check of one of the calls fails."""
    for call in calls:
        try:
            with np.errstate(all="ignore"):
                check_call(call)
        except Exception:
            return True
    return False


def unbroadcasting() -> dict[str, bool]:
    """Whether mutants of the engine's own part in a gradient are noticed."""
    calls = [OpCall(registry["multiply"].op, (np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -1.5])), {})]
    right = share._conform

    def first_slice(g: Any, data: Any, op: Op) -> Any:
        return g[0] if np.ndim(g) > np.ndim(data) else right(g, data, op)

    def mean(g: Any, data: Any, op: Op) -> Any:
        return g.mean(axis=0) if np.ndim(g) > np.ndim(data) else right(g, data, op)

    def nothing(g: Any, data: Any, op: Op) -> Any:
        return g

    found = {}
    for name, mutant in (("first slice only", first_slice), ("mean for sum", mean), ("left out", nothing)):
        with patch.object(share, "_conform", mutant):
            found[name] = noticed(calls)
    return found


def markdown(killed: Counter[str], equivalent: Counter[str], survivors: list[str], engine: dict[str, bool]) -> str:
    """Killed, equivalent and surviving mutants by kind."""
    total = killed.total() + len(survivors)
    lines = [
        "# Mutants of the op table",
        "",
        f"{total} mutants of the rules that change a gradient, {killed.total()} noticed by their op's own test",
        f"({100 * killed.total() / total:.1f}%). Equivalent: the gradients are the same on every call (the rule does not use",
        "what was changed, or is 0). Written by `python -m benchmarks.mutation`.",
        "",
        "| mutation | noticed | equivalent |",
        "| --- | ---: | ---: |",
    ]
    lines += [f"| {kind} | {killed[kind]} | {equivalent[kind]} |" for kind in MUTATIONS]
    lines += ["", "Un-broadcasting, mutated in the engine:", ""]
    lines += [f"- {name}: {'noticed' if found else '**not noticed**'}" for name, found in engine.items()]
    lines += ["", "Survivors:", "", *([f"- {s}" for s in survivors] or ["none"])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(code_mutation.main(sys.argv[2:]) if sys.argv[1:2] == ["--code"] else main())
