"""Random models as Python source, so that a failure shows a program that can be read and run: `print(sample(7))`.

Each has one feature for sure, by its number, and a few more at random. All data are of shape (3, 4), so that any two fit.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

COUNT = 60
HEAD = """\
import numpy as np
import nn
from nn.functional import cross_entropy, l2_penalty
from tinygrad_edu import ShapeError, Value, concatenate, exp, softmax, tanh
from tinygrad_edu import sum as total
X, Y = np.linspace(-1, 1, 12).reshape(3, 4), np.linspace(0, 2, 12).reshape(3, 4)
MASK, TARGET, LABELS = np.tri(3, 4), np.ones((3, 4)), np.array([0, 1, 2])
"""
PARTS = {
    "Gate": """\
class Gate(nn.Module):
    def __init__(self): self.inner = nn.Linear(4, 4, rng=0)
    def forward(self, x, *, gate): return self.inner(x) * gate
""",
    "Weighed": """\
class Weighed(nn.Module):
    def __init__(self): self.weight = Value(np.ones(4))
    def forward(self, x, by=None): return x * self.weight + by
""",
    "Split": """\
class Split(nn.Module):
    def __init__(self): self.inner = nn.Linear(4, 4, rng=0)
    def forward(self, x):
        h = self.inner(x)
        return {"plain": h, "bent": tanh(h)}
""",
    "Halves": """\
class Halves(nn.Module):
    def forward(self, x): return x * 0.5, tanh(x)
""",
    "Both": """\
class Both(nn.Module):
    def forward(self, x): return x, tanh(x)
""",
    "Reader": """\
class Reader(nn.Module):
    def forward(self, x): return x + tanh(self.memory)
""",
    "Table": """\
class Table(nn.Module):
    def __init__(self): self.rows = Value(np.ones((3, 4)))
    def forward(self): return self.rows
""",
    "Cell": """\
class Cell(nn.Module):
    def __init__(self): self.i, self.h = nn.Linear(4, 4, rng=0), nn.Linear(4, 4, rng=1)
    def forward(self, x, h): return tanh(self.i(x) + self.h(h))
""",
    "Learned": """\
class Learned(nn.Module):
    def __init__(self): self.log_s, self.inner = Value(np.zeros(4)), nn.Linear(4, 4, rng=0)
    def forward(self, x): return self.inner(x) * exp(self.log_s)
""",
    "Raises": """\
class Raises(nn.Module):
    def forward(self, x): raise KeyError("no such thing")
""",
}


@dataclass(frozen=True)
class Sample:
    """A model with what to call `viz.graph` with.

    Args:
        number: gives the same sample again.
        source: the program that makes it.
        feature: what it has for sure.
        fails: what fails: "module", "operation", "loss"; "" if the run succeeds.
        operands: of an operation that fails, the variables that it was given.
    """

    number: int
    source: str
    feature: str
    fails: str = ""
    operands: tuple[str, ...] = ()

    def made(self) -> dict[str, Any]:
        """`model`, `inputs`, `names` and `loss`."""
        space: dict[str, Any] = {"__name__": "made", "names": None, "loss": None}
        exec(compile(self.source, f"<sample {self.number}>", "exec"), space)
        return space

    def __str__(self) -> str:
        return f"{self.source}viz.graph(model, *inputs, names=names, loss=loss)  # {self.number}: {self.feature}"


@dataclass
class Body:
    """The class of the model while it is written."""

    rng: random.Random
    variables: list[str]
    setup: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    parts: dict[str, None] = field(default_factory=dict)
    unused: dict[str, None] = field(default_factory=dict)
    made: int = 0

    def any(self) -> str:
        """A variable; mostly one that was not used yet."""
        waiting = list(self.unused)
        chosen = self.rng.choice(waiting if waiting and self.rng.random() < 0.7 else self.variables)
        self.unused.pop(chosen, None)
        return chosen

    def new(self, *expressions: str) -> str:
        """Assign; returns the first of the new variables."""
        names = [f"h{self.made + i}" for i in range(len(expressions))]
        self.lines += [f"{name} = {expression}" for name, expression in zip(names, expressions, strict=True)]
        self.made += len(names)
        self.variables += names
        self.unused.update(dict.fromkeys(names))
        return names[0]

    def has(self, constructor: str) -> str:
        """An attribute of the model."""
        for part in PARTS:
            if f"{part}(" in constructor:
                self.parts[part] = None
        name = f"self.m{len(self.setup)}"
        self.setup.append(f"{name} = {constructor}")
        return name


LINEAR, VECTOR = "nn.Linear(4, 4, rng=0)", "Value(np.linspace(0.1, 1, 4))"


def _loop(b: Body, header: str, step: str) -> str:
    name = b.new(b.any())
    b.lines += [header, "    " + step.replace("?", name)]
    return name


def _rnn(b: Body) -> None:
    cell, x, name = b.has("Cell()"), b.any(), b.new(b.any())
    b.lines += ["for t in range(3):", f"    {name} = {cell}({x}[t] + MASK, {name})"]


def _caught(b: Body) -> None:
    broken, x, name = b.has("nn.Sequential(nn.Tanh(), nn.Linear(5, 4, rng=0))"), b.any(), b.new(b.any())
    b.lines += ["try:", f"    {name} = {broken}({x})", "except ShapeError:", f"    {name} = {b.has(LINEAR)}({name})"]


def _two_names(b: Body) -> None:
    first = b.has(LINEAR)
    b.new(f"{b.has(first)}(tanh({first}({b.any()})))")


def _tied(b: Body) -> None:
    layer = b.has(LINEAR)
    b.new(f"{layer}({b.any()}) @ {layer}.weight.T")


def _several(b: Body, part: str, first: str, second: str) -> None:
    whole = b.new(f"{b.has(part)}({b.any()})")
    b.variables.remove(whole)
    del b.unused[whole]
    b.new(f"{whole}[{first}]", f"{whole}[{second}]")


def _scaled(b: Body) -> None:
    blocks = f"zip({b.has(f'[{LINEAR} for _ in range(3)]')}, {b.has(f'[{VECTOR} for _ in range(3)]')}, strict=True)"
    _loop(b, f"for block, scale in {blocks}:", "? = tanh(block(?)) * scale")


def _unused(b: Body) -> None:
    b.lines.append(f"{b.has(LINEAR)}({b.any()})")


def _reads(b: Body) -> None:
    reader = b.has("Reader()")
    b.lines.append(f"{reader}.memory = {b.has(LINEAR)}({b.any()})")
    b.new(f"{reader}({b.any()})")


def _passes(b: Body) -> None:
    layer = b.has(b.rng.choice(["nn.Identity()", "nn.Dropout(0.5).eval()", "nn.Sequential(nn.Identity(), nn.Tanh())"]))
    b.new(f"{layer}({b.any()})")


def _around(b: Body) -> None:
    h = b.any()
    b.new(f"{b.has('nn.Residual(nn.Sequential(nn.Dropout(0.5).eval(), nn.Linear(4, 4, rng=0), nn.Identity()))')}({h})")


def _mixed(b: Body) -> None:
    weights = f"softmax({b.has('Value(np.array([0.0, 3.0]))')})"
    b.new(f"{weights}[0] * {b.has(LINEAR)}({b.any()}) + {weights}[1] * {b.has(LINEAR)}({b.any()})")


def _attention(b: Body) -> None:
    x = b.any()
    b.new(f"{b.has('nn.TransformerEncoderLayer(4, 2, 4, dropout=0.0, rng=0)')}({x}.reshape(3, 1, 4)).reshape(3, 4)")


def _gru(b: Body) -> None:
    b.new(f"{b.has('nn.GRU(4, 4, rng=0)')}({b.any()}.reshape(3, 1, 4))[0].reshape(3, 4)")


FEATURES: dict[str, Callable[[Body], Any]] = {
    "a layer": lambda b: b.new(f"{b.has(LINEAR)}({b.any()})"),
    "an operation of a parameter alone": lambda b: b.new(f"{b.any()} * exp({b.has(VECTOR)})"),
    "an activation": lambda b: b.new(f"{b.has('nn.' + b.rng.choice(['Tanh', 'ReLU', 'GELU']) + '()')}({b.any()})"),
    "the sum of a parameter": lambda b: b.new(f"{b.any()} + total({b.has(VECTOR)})"),
    "a norm": lambda b: b.new(f"{b.has('nn.LayerNorm(4)')}({b.any()})"),
    "mixing weights": _mixed,
    "numbers": lambda b: b.new(f"1.0 - {b.any()} / 2.5"),
    "a parameter between modules": lambda b: b.new(f"{b.any()} * {b.has(VECTOR)}"),
    "a shared module": lambda b: b.new("{0}(tanh({0}({1})))".format(b.has(LINEAR), b.any())),
    "two operations on parameters": lambda b: b.new(f"{b.any()} - {b.has(VECTOR)} * {b.has(VECTOR)}"),
    "two names of one module": _two_names,
    "a residual": lambda b: b.new(
        f"{b.has('nn.Residual(nn.Sequential(nn.Linear(4, 4, rng=0), nn.Tanh()))')}({b.any()})"
    ),
    "a module that passes on": _passes,
    "modules that pass on beside a path around": _around,
    "containers": lambda b: b.new(
        f"{b.has(f'nn.Sequential(nn.Sequential({LINEAR}, nn.ReLU()), {LINEAR})')}({b.any()})"
    ),
    "a parameter of a layer, used beside it": _tied,
    "a parameter as an argument": lambda b: b.new(f"{b.any()} + {b.has(LINEAR)}({b.has('Value(np.ones((3, 4)))')})"),
    "a module that returns its parameter": lambda b: b.new(f"{b.any()} * {b.has('Table()')}()"),
    "keyword arguments": lambda b: b.new(f"{b.has('Gate()')}({b.any()}, gate={b.any()})"),
    "keyword arguments of a layer": lambda b: b.new(f"{b.has('Weighed()')}({b.any()}, by={b.any()})"),
    "a dictionary of results": lambda b: _several(b, "Split()", '"plain"', '"bent"'),
    "a pair of results": lambda b: _several(b, "Halves()", "0", "1"),
    "a pair of an input and a result": lambda b: _several(b, "Both()", "0", "1"),
    "what a module reads elsewhere": _reads,
    "a result that nothing uses": _unused,
    "blocks with parameters between them": _scaled,
    "a recurrent loop": _rnn,
    "equal blocks": lambda b: _loop(b, f"for block in {b.has(f'[{LINEAR} for _ in range(5)]')}:", "? = block(?)"),
    "equal residual blocks": lambda b: _loop(
        b, f"for block in {b.has('[nn.MLP((4, 4, 4), rng=0) for _ in range(4)]')}:", "? = ? + block(?)"
    ),
    "learned blocks": lambda b: _loop(b, f"for block in {b.has('[Learned() for _ in range(3)]')}:", "? = block(?)"),
    "a loop of one module": lambda b: _loop(b, "for _ in range(4):", f"? = tanh({b.has(LINEAR)}(?))"),
    "views": lambda b: b.new("{0} @ tanh({0}.T @ {1})".format(b.any(), b.any())),
    "rows": lambda b: b.new(f"{b.any()} - {b.any()}[0]"),
    "a constant array": lambda b: b.new(f"{b.any()} * MASK"),
    "one operand twice": lambda b: b.new("{0} * {0}".format(b.any())),
    "several operands": lambda b: b.new(f"concatenate([{b.any()}, {b.any()}, {b.any()}])[:3]"),
    "an error that is caught": _caught,
    "attention": _attention,
    "a recurrent layer": _gru,
}

# For each kind of inputs: arguments of forward, what to call it with, the names, and how the arrays are got at.
INPUTS = {
    "one": ("x", "(X,)", None, ["x"]),
    "two": ("x, y", "(X, Y)", None, ["x", "y"]),
    "a dictionary": ("d", '({"image": X, "weight": Y},)', None, ['d["image"]', 'd["weight"]']),
    "a pair": ("pair", "((X, Y),)", None, ["pair[0]", "pair[1]"]),
    "a list": ("parts, x", "([X, Y], X + 1)", None, ["parts[0]", "parts[1]", "x"]),
    "nested": ("d", '({"first": (X, Y), "second": X + 1},)', None, ['d["first"][0]', 'd["first"][1]', 'd["second"]']),
    "named": ("x, y", "(X, Value(Y, name='mine'))", '{"called": X}', ["x", "y"]),
    "several of one argument": ("*terms", "(X, Y)", None, ["terms[0]", "terms[1]"]),
    "an array twice": ("x, y", "(X, X)", None, ["x", "y"]),
    "an array and a view of it": ("x, y", "(X, X.reshape(4, 3))", None, ["x", "y.reshape(3, 4)"]),
    "indices": ("words, x", "(np.array([0, 1, 1]), X)", None, ["self.embedding(words[::-1])", "x"]),
    "a list of numbers": ("x, y", "([[1.0, 2.0, 3.0, 4.0]] * 3, Y)", None, ["x", "y"]),
}
OUTPUTS = {
    "one": "{0}",
    "a pair": "{0}, {1}",
    "a dictionary": '{{"logits": {0}, "probability": {1}}}',
    "a list": "[{0}, {1}]",
    "nested": '{{"scores": ({0}, {1}), "number": 3}}',
    "an input": "{0}, {x}",
    "intermediate": '{{"result": {0}, "hidden": {1}}}',
}
LOSSES = {
    "a module": "lambda y: nn.MSELoss()(y, TARGET)",
    "a penalty": "lambda y: (y * y).mean() + l2_penalty(model, 0.1)",
    "of labels": "lambda y: cross_entropy(y, LABELS) * 0.5",
}
FAILURES = {
    "module": "self.bad(tanh({0}))",
    "operation": "{0} @ {1}",
    "inside": "self.bad({0})",
    "loss": "",
    "raised": "self.bad({0})",
}
BAD = {
    "module": "nn.Linear(5, 4, rng=0)",
    "inside": "nn.Sequential(nn.Tanh(), nn.Sequential(nn.Linear(4, 6, rng=0), nn.Linear(5, 4, rng=0)))",
    "raised": "Raises()",
}


def sample(number: int) -> Sample:
    """The random model of a number."""
    rng = random.Random(number)
    feature = list(FEATURES)[number % len(FEATURES)]
    arguments, inputs, names, leaves = list(INPUTS.values())[number % len(INPUTS)]
    fails = list(FAILURES)[number // 5 % len(FAILURES)] if number % 5 == 3 else ""
    b = Body(rng, list(leaves), unused=dict.fromkeys(leaves))
    if "self.embedding" in "".join(leaves):
        b.setup.append("self.embedding = nn.Embedding(2, 4, rng=0)")
    extra = rng.sample(list(FEATURES), rng.randint(1, 4))
    for each in [*extra[:1], feature, *extra[1:]]:
        FEATURES[each](b)
    operands: tuple[str, ...] = ()
    if fails and fails != "loss":
        operands = b.new(b.any()), b.new(f"tanh({b.any()})")
        b.new(FAILURES[fails].format(*operands))
        if fails in BAD:
            b.has(BAD[fails])
            b.setup[-1] = f"self.bad = {BAD[fails]}"
    has_loss = fails == "loss" or number % 4 == 1
    way = "one" if has_loss else list(OUTPUTS)[number % len(OUTPUTS)]
    inner = b.new(f"tanh({b.any()})")
    whole = b.new(" + ".join(b.unused))
    text = OUTPUTS[way].format(whole, inner, x=leaves[-1] if "embedding" not in leaves[-1] else "x")
    loss = rng.choice(list(LOSSES.values())) if has_loss else "None"
    loss = "lambda y: y * 2.0 @ y" if fails == "loss" else loss
    body = "\n        ".join([*b.lines, f"return {text}"])
    setup = "\n        ".join(b.setup or ["pass"])
    source = (
        HEAD
        + "".join(PARTS[part] for part in b.parts)
        + f"class Model(nn.Module):\n    def __init__(self):\n        {setup}\n"
        + f"    def forward(self, {arguments}):\n        {body}\n"
        + f"model, inputs, names = Model(), {inputs}, {names}\nloss = {loss}\n"
    )
    return Sample(number, source, feature, fails, operands if fails == "operation" else ())
