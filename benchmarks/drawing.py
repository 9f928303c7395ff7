"""`python -m benchmarks.drawing [folder]`: how long a picture takes of graphs of 10 to 1,000,000 nodes, and what it folds.

Time is that of the clock, building the expression excluded: to fold and describe, and to render as SVG and as PNG, with
Graphviz and with graphviz-pure. Given a folder, the pictures stay there. Each must be there within 10 seconds.
"""

from __future__ import annotations

import builtins
import random
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import nn
from tinygrad_edu import Value, relu, tanh
from viz import Picture, graph
from viz.reading.recorded import recorded
from viz.writing import render

RESULTS = Path(__file__).parent / "results" / "drawing.md"
LIMIT = 10.0  # seconds
LIMIT_OF_MODELS = 2.0
ALL = render.engines()


def small() -> Value:
    """Ten nodes."""
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(5.5, name="c")
    return tanh(a * b + c) * a + 0.5


def network(samples: int, sizes: tuple[int, ...]) -> Value:
    """The loss of micrograd's two-moons demo, by sizes: an MLP of scalars on each sample, hinge loss, penalty on the weights."""
    rng = random.Random(0)
    layers = [
        [([Value(rng.uniform(-1, 1)) for _ in range(m)], Value(0.0)) for _ in range(n)] for m, n in pairwise(sizes)
    ]
    losses = []
    for _ in range(samples):
        sign, x = rng.choice((-1, 1)), [Value(rng.gauss(0, 1)) for _ in range(sizes[0])]
        for layer in layers:
            x = [builtins.sum((w * xi for w, xi in zip(ws, x, strict=True)), b) for ws, b in layer]
            x = [relu(xi) for xi in x] if layer is not layers[-1] else x
        losses.append(relu(1 + -sign * x[0]))
    parameters = [p for layer in layers for ws, b in layer for p in (*ws, b)]
    return builtins.sum(losses) * (1.0 / samples) + 1e-4 * builtins.sum(p * p for p in parameters)


def chain(steps: int) -> Value:
    """One operation after the other."""
    y = Value(0.5, name="x")
    for _ in range(steps):
        y = tanh(y)
    return y


def wide(terms: int) -> Value:
    """A sum of many products."""
    return builtins.sum(Value(i / terms) * 2 for i in range(terms))


def recurrent(steps: int) -> Value:
    """A neuron that feeds itself, one number of input at a time."""
    w, u, h = Value(0.5, name="w"), Value(0.9, name="u"), Value(0.0)
    for i in range(steps):
        h = tanh(w * Value(float(i % 3), requires_grad=False) + u * h)
    return h


def tangle(size: int) -> Value:
    """Operations on whatever was computed shortly before: nothing is alike."""
    rng = random.Random(0)
    values = [Value(rng.random()) for _ in range(5)]
    while len(values) < size:
        a, b = rng.choices(values[-20:], k=2)
        values.append(rng.choice((lambda a, b: a * b, lambda a, b: tanh(a + b), lambda a, b: a - b))(a, b))
    return values[-1]


CASES: dict[str, tuple[Callable[..., Value], tuple[Any, ...]]] = {
    "ten nodes": (small, ()),
    "a network's loss, 10 samples": (network, (10, (2, 4, 4, 1))),
    "a network's loss, 40 samples": (network, (40, (2, 8, 8, 1))),
    "recurrent neuron, 2,000 steps": (recurrent, (2_000,)),
    "nothing alike": (tangle, (10_000,)),
    "micrograd's demo loss": (network, (100, (2, 16, 16, 1))),
    "nothing alike, a million": (tangle, (925_000,)),
    "chain": (chain, (1_000_000,)),
    "wide sum": (wide, (250_000,)),
}


class Row(NamedTuple):
    """What one case took, in seconds; the slowest of SVG and PNG for each engine."""

    name: str
    recorded: int
    drawn: int
    folded: str
    drawing: float
    dot: float
    pure: float

    def seconds(self) -> float:
        """From a Value to a picture, with the slower engine."""
        return self.drawing + max(self.dot, self.pure)


def main(folder: Path) -> None:
    """Draw all, print the table and write it. Exits with 1 if one takes too long."""
    rows = []
    for name, (build, arguments) in CASES.items():
        rows.append(measured(name, build(*arguments), folder))
        print(rows[-1], flush=True)
    layers = transformer()
    said = f"\nTwelve layers of a transformer, by module: {layers:.2f} s to run and to draw.\n"
    RESULTS.write_text(table(rows) + said, encoding="utf-8")
    sys.exit(layers > LIMIT_OF_MODELS or any(row.seconds() > LIMIT for row in rows))


def transformer() -> float:
    """Seconds to run a model of 12 layers, and to draw it by module."""
    model = nn.Sequential(*[nn.TransformerEncoderLayer(8, 2, 16, rng=i) for i in range(12)])
    start = perf_counter()
    graph(model, np.ones((3, 2, 8)))
    return perf_counter() - start


def measured(name: str, value: Value, folder: Path) -> Row:
    if value.requires_grad:
        value.backward()
    start = perf_counter()
    picture = graph(value, title=name)
    drawing = perf_counter() - start
    nodes, folded = picture.drawing.nodes, picture.drawing.folded
    path = folder / f"{''.join(c if c.isalnum() else '_' for c in name)}.png"
    rendering = [slower(picture, engine, path) for engine in ("dot", "graphviz-pure")]
    return Row(name, recorded(value, numbers_inside=True).total(), len(nodes), folded, drawing, *rendering)


def slower(picture: Picture, engine: str, path: Path) -> float:
    """Seconds that an engine takes for the slower of SVG and PNG; NaN where it is not installed."""
    found = [program for program in ALL if Path(program).stem == engine]
    if not found:
        return float("nan")
    render.engines = lambda: found[:1]  # the only one there is, as in the tests
    times = []
    for draw in (picture.svg, lambda: picture.save(path)):
        start = perf_counter()
        draw()
        times.append(perf_counter() - start)
    return max(times)


def table(rows: list[Row]) -> str:
    """In Markdown."""
    lines = ["# Drawing", "", "Seconds by the clock, building the expression and its backward pass excluded.", ""]
    lines += ["| graph | recorded | drawn | to draw | dot | graphviz-pure | what is folded |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: | --- |"]
    for row in rows:
        folded = row.folded.partition(": ")[2] or "nothing"
        figures = f"{row.drawing:.2f} | {row.dot:.2f} | {row.pure:.2f}"
        lines.append(f"| {row.name} | {row.recorded:,} | {row.drawn} | {figures} | {folded} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    with TemporaryDirectory() as temporary:
        main(Path(temporary))
