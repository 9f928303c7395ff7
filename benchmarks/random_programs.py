"""`python -m benchmarks.random_programs [COUNT [FIRST]]`: COUNT random programs of arrays, compiled, beside the recorded runs.

Programs of reductions, indices, shapes, where, updates, matrices, elementwise functions, Python's numbers, float32 and float64,
several memory layouts, and an array around the program that changes in place between calls. The program of number i is drawn from
the seed i, so a failure is shown by its number: `python -m benchmarks.random_programs 1 i`.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_edu as te
from tinygrad_edu import UnreadableError, compile, value_and_grad
from tinygrad_edu.compiling.results import equal

Step = Callable[..., Any]
_LARGEST = 20.0  # beyond it results are squashed
_STEPS = 7

ONE: list[Step] = [  # of one result
    te.tanh, te.sigmoid, te.softplus, np.sin, np.exp, te.relu, abs, np.square, te.erf, te.gelu, np.arctan, np.sign,
    lambda x: np.sqrt(x * x + 1), lambda x: np.log(x * x + 0.5), lambda x: -x, lambda x: 2 * x - 1, lambda x: x / 3,
    lambda x: x**3, lambda x: (x * x + 1) ** -0.5, lambda x: 2.0**x, lambda x: 1 / (1 + x * x), lambda x: np.clip(x, -1, 1),
    lambda x: te.where(x > 0, x, 0.1 * x), lambda x: x * (x > 0.2), lambda x: np.maximum(x, 0.5), lambda x: x % 1.5,
]  # fmt: skip
TWO: list[Step] = [  # of two that broadcast
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / (y * y + 1), np.maximum, np.minimum,
    lambda x, y: te.where(x > y, x, y), lambda x, y: te.where(x < 0, x * y, y - x), np.hypot, np.arctan2, np.logaddexp,
    lambda x, y: (x * x + 1) ** y, lambda x, y: np.copysign(x, y), lambda x, y: x * 2 - y / 2,
]  # fmt: skip
REDUCED: list[Step] = [  # along an axis
    np.sum, np.mean, np.max, np.min, np.var, np.std, te.logsumexp, np.prod, np.median, te.nanmax, np.ptp,
    lambda x, axis, keepdims: te.quantile(x, 0.3, axis=axis, keepdims=keepdims),
    lambda x, axis, keepdims: te.linalg.norm(x, axis=axis, keepdims=keepdims),
]  # fmt: skip
ALONG: list[Step] = [  # along an axis, in the shape of x
    lambda x, axis: np.cumsum(x, axis=axis), lambda x, axis: np.sort(x, axis=axis), lambda x, axis: np.flip(x, axis),
    lambda x, axis: np.roll(x, 1, axis=axis), lambda x, axis: te.softmax(x, axis=axis),
    lambda x, axis: te.log_softmax(x, axis=axis), lambda x, axis: te.layer_norm(x, axis=axis),
    lambda x, axis: x - x.mean(axis=axis, keepdims=True), lambda x, axis: x / (1 + abs(x).max(axis=axis, keepdims=True)),
    lambda x, axis: np.cumprod(np.tanh(x) + 1.5, axis=axis), lambda x, axis: x * (x == x.max(axis=axis, keepdims=True)),
]  # fmt: skip
OF_ARRAYS: list[Step] = [  # of one with axes
    lambda x: x[0], lambda x: x[-1:], lambda x: x[::-1], lambda x: x[..., 0], lambda x: x[None], lambda x: x.T,
    lambda x: x[[0, -1, 0]], lambda x: x.reshape(-1), np.ravel, lambda x: x[..., ::2], lambda x: np.concatenate([x, 2 * x]),
    lambda x: np.stack([x, x * x], axis=-1), lambda x: np.tile(x, 2), lambda x: np.repeat(x, 2, axis=0), lambda x: np.pad(x, 1),
    lambda x: x[te.argsort(x.reshape(len(x), -1)[:, 0])], lambda x: te.take(x, x.argmax() % x.shape[0], axis=0),
    lambda x: te.at(x, 0).set(0.5), lambda x: te.at(x, [0, -1, 0]).add(x[0]),
    lambda x: te.at(x, ...).multiply(2.0), lambda x: np.broadcast_to(x, (2, *x.shape)), lambda x: np.expand_dims(x, -1),
    lambda x: np.diff(x, axis=0) if len(x) > 1 else x, lambda x: x.swapaxes(0, -1), lambda x: np.squeeze(x[:1], 0),
]  # fmt: skip
OF_ROWS: list[Step] = [  # of one with two axes
    lambda x: x @ x.T, lambda x: x.T @ x, lambda x: x[np.arange(len(x)), x.argmax(axis=1)], lambda x: np.diagonal(x),
    lambda x: np.einsum("ij,ik->jk", x, x), lambda x: te.linalg.slogdet(x @ x.T + 2 * np.eye(len(x)))[1],
    lambda x: te.linalg.solve(x @ x.T + 2 * np.eye(len(x)), x), lambda x: te.linalg.inv(x @ x.T + 2 * np.eye(len(x))),
    lambda x: te.linalg.cholesky(x @ x.T + 2 * np.eye(len(x))), lambda x: np.tril(x), lambda x: np.trace(x),
    lambda x: te.linalg.eigh(x @ x.T + np.diag(np.arange(1.0, 1 + len(x))))[0], lambda x: np.outer(x[0], x[:, 0]),
    lambda x: te.cross_entropy(x, np.arange(len(x)) % x.shape[1]), lambda x: np.tensordot(x, x, axes=2),
    lambda x: te.linalg.det(x @ x.T + np.eye(len(x))), lambda x: te.linalg.svd(x @ x.T + np.diag(np.arange(1.0, 1 + len(x))))[1],
]  # fmt: skip


class Program:
    """A random function of arrays, with inputs.

    Attributes:
        inputs: its arguments.
        around: an array that it uses from outside.
    """

    def __init__(self, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        dtype: Any = rng.choice([float, float, np.float32])
        n, m = rng.integers(1, 5, 2)
        shapes: list[Any] = [(), (m,), (n, m), (n, 1), (n, m), (2, n, m)]
        self.inputs = [self._drawn(shapes[rng.integers(len(shapes))], dtype) for _ in range(rng.integers(1, 4))]
        self.around = rng.normal(size=(m,)).astype(dtype)
        self.steps: list[tuple[Step, list[int], dict[str, Any]]] = []
        results: list[Any] = [*self.inputs, self.around, 0.5]
        while len(self.steps) < _STEPS:
            step, places, params = self._step(results)
            y = step(*[results[i] for i in places], **params)
            if np.size(y) and np.size(y) <= 200 and np.isfinite(y).all() and np.ndim(y) <= 4:
                self.steps.append((step, places, params))
                results.append(y)
                if np.max(np.abs(y)) > _LARGEST:
                    self.steps.append((te.tanh, [len(results) - 1], {}))
                    results.append(np.tanh(y))

    def _drawn(self, shape: Any, dtype: Any) -> Any:
        x = np.asarray(self.rng.normal(size=shape), dtype)
        if not shape:
            return float(x) if dtype is float else x[()]
        kind = self.rng.integers(4)
        return np.asfortranarray(x) if kind == 1 else np.repeat(x, 2, axis=-1)[..., ::2] if kind == 2 else x

    def _step(self, results: list[Any]) -> tuple[Step, list[int], dict[str, Any]]:
        """A step whose operands fit; latest results are likelier."""
        rng, count = self.rng, len(results)
        places = [int(count - 1 - min(rng.geometric(0.3) - 1, count - 1)) for _ in range(2)]
        x, y = results[places[0]], results[places[1]]
        axes = np.ndim(x)
        kinds = [ONE, TWO, ONE, TWO] + [REDUCED, ALONG, OF_ARRAYS, OF_ARRAYS] * (axes > 0) + [OF_ROWS] * 3 * (axes == 2)
        kind = kinds[rng.integers(len(kinds))]
        step = kind[rng.integers(len(kind))]
        if kind is TWO:
            try:
                np.broadcast_shapes(np.shape(x), np.shape(y))
            except ValueError:
                return te.tanh, places[:1], {}
            return step, places, {}
        axis = int(rng.integers(-axes, axes)) if axes else 0
        if kind is REDUCED:
            return step, places[:1], {"axis": axis, "keepdims": bool(rng.integers(2))}
        return step, places[:1], {"axis": axis} if kind is ALONG else {}

    def __call__(self, *inputs: Any) -> Any:
        results = [*inputs, self.around, 0.5]
        for step, places, params in self.steps:
            results.append(step(*[results[i] for i in places], **params))
        total = 0.0
        for y in results[len(inputs) + 2 :]:
            total = total + np.sum(y * y) if np.ndim(y) else total + y * y
        return total + np.sum(inputs[0])

    def moved(self, by: float) -> list[Any]:
        """Other arguments of the same kinds."""
        return [type(x)(x * by) if not isinstance(x, np.ndarray) else moved_array(x, by) for x in self.inputs]


def moved_array(x: Any, by: float) -> Any:
    """An array times a number, in the layout of x."""
    y = x.copy() if x.flags.c_contiguous or x.flags.f_contiguous else np.repeat(x, 2, axis=-1)[..., ::2]
    y[...] = x * by
    return y


def outcome(seed: int) -> str:
    """Whether the bits of value and gradients agree on several numbers, and whether the compiled program itself gave them."""
    program = Program(seed)
    f = value_and_grad(lambda *inputs: program(*inputs), tuple(range(len(program.inputs))))
    compiled = compile(f)
    try:
        for by in (1.0, 1.0, 0.9, 1.1, -0.7):
            inputs = program.moved(by)
            if by == 1.1:
                program.around *= 1.5
            for _ in range(2):
                if not equal(compiled(*inputs), f(*inputs)):
                    return "different"
    except UnreadableError as error:
        return f"refused: {str(error).rpartition('`: ')[2][:90]}"
    except Exception as error:
        return f"raised: {type(error).__name__}: {error}"[:120]
    if not compiled.eager:
        return "equal"
    return "fell back" if sum(compiled.eager.values()) > 4 else "fell back for some numbers"


def main() -> int:
    """0, or 1 if a program computed something else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.random_programs", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=10_000)
    parser.add_argument("first", nargs="?", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    found: Counter[str] = Counter()
    for seed in range(given.first, given.first + given.count):
        name = outcome(seed)
        found[name] += 1
        if not name.startswith(("equal", "fell back for some")):
            print(seed, name, flush=True)
    for name, count in found.most_common():
        print(f"{count:6,} {name}")
    return int(found["different"] > 0)


if __name__ == "__main__":
    sys.exit(main())
