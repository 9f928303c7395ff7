"""The DOT text of twenty expressions, byte by byte, as in golden/. `VIZ_GOLDEN=write pytest tests/viz/test_golden.py` renews them."""

from __future__ import annotations

import builtins
import os
from pathlib import Path

import numpy as np
import pytest
from samples import micrograd, readme

from tinygrad_edu import Value, clip, concatenate, exp, log, maximum, no_grad, relu, sigmoid, where
from viz import Picture, graph

GOLDEN = Path(__file__).parent / "golden"


def shared() -> Picture:
    a, b = Value(2.0, name="a"), Value(3.0, name="b")
    y = a * b + a
    y.backward()
    return graph(y, derivatives=True)


def backward(y: Value) -> Value:
    with np.errstate(all="ignore"):
        y.backward()
    return y


def vanishing() -> Picture:
    y = Value(0.5, name="x")
    for _ in range(4):
        y = y * 0.25
    return graph(backward(y), magnitudes=True)


def unrecorded() -> Value:
    with no_grad():
        z = Value(2.0) * 3.0
    return Value(1.5) * z + Value(0.5, requires_grad=False)


def released() -> Value:
    y = Value(2.0) * 2.0
    y.backward(retain_graph=False)
    return y + 1.0


def changed() -> Value:
    a = Value(2.0, name="a")
    y = a * 3.0
    a.data = 4.0
    a.mark_changed()
    return y


X = np.array([[1.0, 2.0], [3.0, 4.0]])
EXPRESSIONS = {
    "leaf": lambda: graph(Value(1.0, name="x")),
    "square": lambda: graph((x := Value(3.0, name="x")) * x, title="A square & <more>"),
    "readme": readme,
    "micrograd": micrograd,
    "shared": shared,
    "no_gradient": lambda: graph(exp(Value(0.0)) - 1),
    "unrecorded": lambda: graph(unrecorded()),
    "released": lambda: graph(released()),
    "changed": lambda: graph(changed()),
    "matrices": lambda: graph(backward((X @ Value(X, name="w")).sum(axis=0)[0])),
    "layer": lambda: graph(backward(relu(X @ Value(X) + Value(np.ones(2))).sum())),
    "joined": lambda: graph(concatenate([Value([1.0]), Value([2.0]), np.array([3.0])])),
    "chosen": lambda: graph(where(X > 2, Value(X), Value(0.0))),
    "clipped": lambda: graph(clip(maximum(Value([0.5, 2.0]), 1.0), 0, 1.5)),
    "infinite": lambda: graph(backward(Value(1.0) / Value(np.array([0.0, 1.0])).sum() + log(Value(np.exp2(0.0))))),
    "not_a_number": lambda: graph(Value(float("nan"), name="x") * 2.0 + Value(1.0, name="b")),
    "vanishing": vanishing,
    "numbers_inside": lambda: graph(2 - Value(1.0) ** 3 / 4, detail="tensor"),
    "folded_sum": lambda: graph(
        backward(builtins.sum(Value(0.5 * i) * Value(1.0) for i in range(64))), title="64 products, folded"
    ),
    "hostile": lambda: graph(
        sigmoid(Value(0.0, name='"<b>\\N</b>&amp;\n\u202e')), names={"x": 1}, title='</script>"\\'
    ),
}


def test_there_are_twenty():
    assert len(EXPRESSIONS) == 20
    assert {path.stem for path in GOLDEN.glob("*.dot")} == set(EXPRESSIONS)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_text_is_the_same_byte_by_byte(name):
    path = GOLDEN / f"{name}.dot"
    text = EXPRESSIONS[name]().dot().encode()
    if os.environ.get("VIZ_GOLDEN") == "write":
        path.write_bytes(text)
    assert text == path.read_bytes()
