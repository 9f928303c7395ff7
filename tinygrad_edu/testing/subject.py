"""The subject of a check: a function at a point, its results there, and their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..data import raw_of, refuse_foreign
from ..errors import DTypeError, GradientError, UnsupportedError
from ..node import Node
from ..value import Value
from .problem import Problem

Function: TypeAlias = Callable[..., Any]
# The relative rounding error allowed in a gradient.
NOISE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5, np.dtype(np.float16): 1e-2}
ROUNDED = 1e-13  # a result this small beside the largest may be a rounding error
BUDGET = 200_000  # the number of function evaluations


class Subject:
    """A function at a point.

    Args:
        name: name of the function, for messages.
        f: function of plain numbers and arrays.
        inputs: the point.
        argnums: positions of the inputs to check; None for all.
        seed: seed of the weights and directions.
        names: what the inputs are called in messages; () for their positions.

    Attributes:
        inputs: float scalars and arrays of floats; unchecked inputs of other types unchanged. The arrays are the caller's:
            pass `copies` to functions.
        results: f's results there, as arrays; `several` if they were a tuple or list.
        typical: the (lower) median magnitude of their numbers, without those that may be rounding errors of the largest.
        guessed: whether `typical` is a guess, since all results are tiny.
        weights: random weights of the results, smaller for larger numbers, so that all derivatives are visible.

    Raises:
        DTypeError: if an input to check is not made of real numbers.
    """

    def __init__(
        self,
        name: str,
        f: Function,
        inputs: tuple[Any, ...],
        argnums: int | Sequence[int] | None,
        seed: int,
        names: Sequence[str] = (),
    ) -> None:
        self.name, self.f, self.seed = name, f, seed
        self.names = names or [str(i) for i in range(len(inputs))]
        chosen = range(len(inputs)) if argnums is None else np.atleast_1d(argnums).tolist()
        self.argnums = tuple(dict.fromkeys(chosen))
        if not self.argnums or not all(isinstance(i, int) and 0 <= i < len(inputs) for i in self.argnums):
            got = f"argnums={argnums!r}" if inputs else "no inputs"
            raise UnsupportedError(
                f"{name}: got {got}, expected positions of inputs, from 0 to {max(len(inputs) - 1, 0)}"
            )
        if not isinstance(seed, (int, np.integer)) or seed < 0:
            raise UnsupportedError(f"{name}: seed={seed!r}, expected a whole number from 0 on")
        self.inputs = [
            _input(name, self.names[i], x) if i in self.argnums or _floats(x) else x for i, x in enumerate(inputs)
        ]
        self.rng = np.random.default_rng(seed)
        results = f(*self.copies())
        self.several = isinstance(results, (tuple, list))
        self.results = [np.asarray(raw_of(y)) for y in parts(results)]
        if not self.results or any(y.dtype.kind not in "fiub" for y in self.results):
            raise DTypeError(
                f"{name}: f returned {type(results).__name__}, expected a number, an array, or a tuple of these"
            )
        numbers = np.concatenate([np.abs(np.ravel(y)[np.isfinite(np.ravel(y))].astype(float)) for y in self.results])
        # If all results are near 0, they may be differences of numbers near 1.
        largest = float(np.max(numbers, initial=0.0))
        numbers = np.sort(numbers[numbers > ROUNDED * largest])
        self.guessed = 0 < largest <= 1e-10
        self.typical = float(numbers[(numbers.size - 1) // 2]) if largest > 1e-10 else 1.0
        self.weights = self.new_weights()

    def copies(self) -> list[Any]:
        """Copies of the inputs, for a function that might modify them."""
        return [np.array(x) if isinstance(x, np.ndarray) else x for x in self.inputs]

    def leaves(self, arrays: Sequence[Any]) -> list[Any]:
        """The inputs as Values; unchecked ones are constants."""
        return [Value(x, copy=False) if i in self.argnums else constant(x) for i, x in enumerate(arrays)]

    def new_weights(self) -> list[NDArray[Any]]:
        """Newly drawn weights, distributed as `weights`."""
        weights = []
        for y in self.results:
            drawn = self.rng.uniform(0.5, 1.5, y.shape) * self.rng.choice([-1.0, 1.0], y.shape)
            with np.errstate(all="ignore"):
                size = np.where(np.isfinite(y), np.maximum(np.abs(y.astype(float)), 1e-3 * self.typical), 1.0)
            weights.append(np.asarray(drawn / size, y.dtype if y.dtype.kind == "f" else float))
        return weights

    def cotangent(self, weights: list[NDArray[Any]]) -> Any:
        """Weights as a vjp takes them: shaped like f's result."""
        plain = [w if w.ndim else w[()] for w in weights]
        return tuple(plain) if self.several else plain[0]

    def noise(self, i: int) -> float:
        """The relative rounding error allowed in the gradient of input i, from the coarsest dtype involved."""
        dtypes = [np.asarray(self.inputs[i]).dtype, *[y.dtype for y in self.results]]
        return max(NOISE.get(dtype, 1e-10) for dtype in dtypes)

    @property
    def floor(self) -> float:
        """The absolute error allowed in a gradient of 0, whose terms may cancel: 100 rounding errors of the weighted results."""
        with np.errstate(all="ignore"):
            sizes = [
                np.abs(w) * self.typical + np.abs(w) * np.where(np.isfinite(y), np.abs(y), 0)
                for w, y in zip(self.weights, self.results, strict=True)
            ]
        coarsest = max(
            (float(np.finfo(y.dtype if y.dtype.kind == "f" else float).eps) for y in self.results), default=0.0
        )
        return 100 * coarsest * max((float(np.max(s, initial=0.0)) for s in sizes), default=0.0)

    def fail(self, message: str) -> NoReturn:
        """Raise GradientError about this function."""
        __tracebackhide__ = True
        raise GradientError(f"{self.name}: {message} (seed={self.seed})")

    # -- All chosen inputs in one vector -------------------------------------------------------------------------------

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the chosen inputs."""
        return [np.shape(self.inputs[i]) for i in self.argnums]

    @property
    def ends(self) -> list[int]:
        """The end of each chosen input in the vector of all."""
        return [int(end) for end in np.cumsum([prod(shape) for shape in self.shapes])]

    def place(self, k: int) -> tuple[int, tuple[int, ...]]:
        """Element k of the vector, as (input, index in it)."""
        part = int(np.searchsorted(self.ends, k, side="right"))
        shape, start = self.shapes[part], self.ends[part - 1] if part else 0
        index = np.unravel_index(k - start, shape) if shape else ()
        return self.argnums[part], tuple([int(i) for i in index])

    def problem(self, gradients: list[Any], complex_step: bool) -> Problem:
        """The function and its gradients as a Problem of vectors, in float64 (or complex, for the complex step)."""
        shapes, ends = self.shapes, self.ends

        def function(x: NDArray[Any]) -> NDArray[Any]:
            full = [x.astype(float) if isinstance(x, np.ndarray) and _floats(x) else x for x in self.copies()]
            for i, shape, end in zip(self.argnums, shapes, ends, strict=True):
                full[i] = x[end - prod(shape) : end].reshape(shape)[()]
            rows = [np.ravel(raw_of(y)) for y in parts(self.f(*full))]
            return np.concatenate([row.astype(float) if row.dtype.kind in "iub" else row for row in rows])

        start = np.concatenate([np.ravel(self.inputs[i]).astype(float) for i in self.argnums])
        with np.errstate(all="ignore"):
            here = function(start)
        coarsest = here.dtype
        dtyped = [
            x for x in map(np.asarray, (*[self.inputs[i] for i in self.argnums], *self.results)) if x.dtype.kind == "f"
        ]
        return Problem(
            function,
            start,
            here,
            gradient=np.concatenate([np.ravel(gradients[i]).astype(float) for i in self.argnums]),
            weights=np.concatenate([np.ravel(w).astype(float) for w in self.weights]),
            precision=4 * float(np.finfo(coarsest).eps),
            noise=max(self.noise(i) for i in self.argnums),
            spacing=max(float(np.finfo(x.dtype).eps) for x in dtyped),
            rng=self.rng,
            budget=BUDGET,
            complex_step=complex_step,
            floor=self.floor,
        )


def parts(y: Any) -> list[Any]:
    """A function's results as a list."""
    return list(y) if isinstance(y, (tuple, list)) else [y]


def constant(x: Any) -> Any:
    """An unchecked input for a function of Values: floats as a constant Value, anything else unchanged."""
    return Value(x, requires_grad=False, copy=False) if _floats(x) else x


def _floats(x: Any) -> bool:
    return np.asarray(raw_of(x)).dtype.kind == "f" if isinstance(x, (float, np.generic, np.ndarray, Node)) else False


def _input(name: str, i: str, x: Any) -> Any:
    """An input as a Python float, a NumPy float scalar or an array of floats."""
    kind = type(x).__name__
    try:
        refuse_foreign(x)
    except DTypeError as error:
        error.operation = f"{name}: input {i}"
        raise
    x = np.asarray(raw_of(x))
    if x.dtype.kind not in "fiu":
        got = x.dtype if x.dtype != object else f"a {kind}"
        remedy = "pass numbers and arrays one by one, and name those to check in argnums="
        raise DTypeError(f"{name}: input {i} is {got}, expected real numbers; {remedy}")
    x = x if x.dtype.kind == "f" else x.astype(float)
    return x if x.ndim else float(x) if x.dtype == float else x[()]
