"""Random calls with hostile arguments raise the package's errors only, and name what was called; see benchmarks/fuzzing."""

import time

import numpy as np
import pytest

from tinygrad_edu import DTypeError, GraphError, ShapeError, Value

operations = pytest.importorskip("benchmarks.fuzzing.operations", reason="benchmarks/ is not here")
outcome = pytest.importorskip("benchmarks.fuzzing.outcome")


def failures(call, seed, count):
    for i in range(count):
        drawn = call(np.random.default_rng((seed, i)))
        found = outcome.judged(drawn)
        if found.kind not in ("", "hangs"):  # 2**62 parts take their time
            yield f"[{seed}, {i}] {drawn.text()}: {found.kind}: {found.error}"


def test_operations(monkeypatch):
    monkeypatch.setattr(outcome, "SECONDS", 0.5)
    assert list(failures(operations.call, 0, 4000)) == []


def test_calls_are_seeded_and_of_every_operation():
    first, again = (operations.call(np.random.default_rng(7)).text() for _ in range(2))
    assert first == again
    assert {operations.call(np.random.default_rng((1, i))).name for i in range(4000)} == set(operations.NAMES)


def test_most_calls_are_refused_and_many_are_right():
    found = [outcome.judged(operations.call(np.random.default_rng((2, i)))).refused for i in range(400)]
    assert 0.4 < np.mean(found) < 0.9


def raising(error, cause=None):
    def run(_=None):
        if cause is not None:
            try:
                raise cause
            except Exception:
                raise error  # noqa: B904
        raise error

    return run


def named(error, operation="op"):
    error.operation = operation
    return error


@pytest.mark.parametrize(
    ("run", "after", "kind"),
    [
        (lambda: 1.0, None, ""),
        (raising(ShapeError("op: got 1")), None, ""),
        (raising(named(DTypeError("got 1"))), None, ""),
        (raising(ShapeError("other: got 1")), None, "unnamed"),
        (raising(ShapeError("operation: got 1")), None, "unnamed"),
        (raising(ShapeError("op: odd"), ValueError("odd")), None, "foreign text alone"),
        (raising(ShapeError("op: odd; got 1"), ValueError("odd")), None, ""),
        (raising(AttributeError("odd")), None, "bare AttributeError"),
        (raising(ValueError("op: got 1")), None, "bare ValueError"),
        (lambda: Value([1.0, 2.0]).mark_changed(2), None, ""),  # Python's own: a wrong number of arguments
        (lambda: np.exp(Value(1.0), nonsense=1), None, ""),
        (lambda: Value(1.0).register_hook(1).x, None, "bare AttributeError"),
        (lambda: time.sleep(60), None, "hangs"),
        (lambda: 1.0, lambda _: Value(1.0) + {}, "backward: unnamed"),
        (lambda: 1.0, raising(DTypeError("backward: got 1")), "backward: DTypeError"),
        (lambda: 1.0, raising(ZeroDivisionError("odd")), "backward: bare ZeroDivisionError"),
        (lambda: 1.0, raising(GraphError("got 1")), "backward: unnamed"),
        (lambda: 1.0, raising(GraphError("backward: got 1")), ""),
    ],
)
def test_what_is_wrong_with_an_error(run, after, kind, monkeypatch):
    monkeypatch.setattr(outcome, "SECONDS", 0.2)
    call = outcome.Call("op", ("op",), run, after or (lambda _: None), str)
    assert outcome.judged(call).kind == kind
