"""Is this gradient right? `check_gradients` for functions of Values, `check_vjp` for a hand-written gradient of any function.

Wrong ones are found whatever the size of the mistake, and right ones pass, at kinks as well: see examination.py for the numbers,
and the laws below for the rest. Nothing here is drawn but from a seed, which every message names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..data import data_of
from ..errors import DTypeError, GradientError
from ..node import Node
from ..recording import no_grad
from ..transforms import jvp
from ..transforms import vjp as pullback
from ..value import Value
from .diagnosis import diagnosis
from .examination import Findings, Problem, Verdict, examine
from .report import Element, GradientReport, ranked
from .slopes import central

Function: TypeAlias = Callable[..., Any]
Mode: TypeAlias = Literal["screen", "full"]
Row: TypeAlias = NDArray[np.float64]
NOISE = {
    np.dtype(np.float64): 1e-10,
    np.dtype(np.float32): 1e-5,
    np.dtype(np.float16): 1e-2,
}  # that a gradient may have
BUDGET = 200_000
PATTERN = 2_000  # the most numbers whose slopes are all computed to recognise a mistake


def check_vjp(
    f: Function,
    vjp: Function,
    *inputs: Any,
    argnums: int | Sequence[int] | None = None,
    mode: Mode = "screen",
    complex_step: bool = False,
    seed: int = 0,
) -> GradientReport:
    """Hold a hand-written gradient against the function's values.

    Args:
        f: function of the inputs; returns a number, an array, or a tuple or list of these. Any library may compute it.
        vjp: function of (g, *inputs), with g weights shaped like f's result; returns for each input the gradient of sum(g * f),
            an array of the input's shape and dtype, in a tuple (or bare, for one input), or None for inputs not checked.
        inputs: numbers or arrays of floats, where to check. They are not changed.
        argnums: positions of the inputs to check; all of them if None.
        mode: "screen" checks many numbers with one random direction and looks at single ones where something is off; "full"
            looks at each one.
        complex_step: take slopes from f(x + ih), exact to the last digit, where f is analytic and takes complex numbers. It is
            silently wrong for abs, max, norm and the like, so it is held against a real difference first.
        seed: of the weights and directions.

    Returns:
        a `GradientReport`; print it.

    Raises:
        GradientError: if a number is wrong, or a law is broken: the shape and dtype of each gradient, linear in g, the same
            twice, inputs unchanged. The message names the place and both numbers, and the mistake if it is a usual one.
        DTypeError: if an input is not of floats.

    >>> print(check_vjp(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), np.array([0.5, -1.0])))
    tanh: 2 compared, 0 wrong, 0 subgradients, 0 inconclusive (seed=0); laws: shape and dtype, ...
    """
    check = _Check(_name_of(f), f, inputs, argnums, seed)
    gradients = check.gradients(vjp)
    return check.report(gradients, vjp, mode, complex_step)


def check_gradients(
    f: Function,
    *inputs: Any,
    order: int = 1,
    argnums: int | Sequence[int] | None = None,
    mode: Mode = "screen",
    complex_step: bool = False,
    seed: int = 0,
) -> GradientReport:
    """Hold the gradients of a function of Values against its values.

    Args:
        f: function of Values; may be written with methods, this package's functions or NumPy's.
        inputs: numbers or arrays of floats, where to check.
        order: 2 checks the gradients of the gradients as well, and so on.
        argnums, mode, complex_step, seed: as for `check_vjp`.

    Returns:
        a `GradientReport`, of the highest order.

    Raises:
        GradientError: as `check_vjp`, and for these laws: two backward passes add up, recording changes no result, the adjoint
            identity <Jv, w> = <v, Jᵀw>, and from the second order on a symmetric Hessian.

    >>> check_gradients(lambda x: x.tanh().sum(), np.array([0.5, -1.0])).compared
    2
    """
    name = _name_of(f)

    def values(*arrays: Any) -> Any:
        with no_grad():
            return f(*[Value(x, requires_grad=False) for x in arrays])

    check = _Check(name, values, inputs, argnums, seed)

    def backward(g: Any, *arrays: Any) -> list[Any]:
        leaves = [Value(x, requires_grad=i in check.argnums) for i, x in enumerate(arrays)]
        results = _parts(f(*leaves))
        for y, weight in zip(results, g if check.several else [g], strict=True):
            if isinstance(y, Node) and y.tick >= 0:
                y.backward(weight)  # type: ignore[attr-defined]
        return [np.zeros_like(x.data)[()] if x.grad is None else x.grad for x in leaves]

    gradients = check.gradients(backward)
    check.unchanged_by_recording(f)
    check.accumulates(f, gradients)
    check.adjoint(f)
    report = check.report(gradients, backward, mode, complex_step)
    if order > 1:
        check_gradients(_gradient_of(f, check), *inputs, order=order - 1, argnums=argnums, mode=mode, seed=seed + 1)
    return report


class _Check:
    """One function at one point: weights of its results, and what is to be checked there."""

    def __init__(
        self, name: str, f: Function, inputs: tuple[Any, ...], argnums: int | Sequence[int] | None, seed: int
    ) -> None:
        self.name, self.f, self.seed = name, f, seed
        self.inputs = [_input(name, i, x) for i, x in enumerate(inputs)]
        every = range(len(inputs)) if argnums is None else [argnums] if isinstance(argnums, int) else argnums
        self.argnums = tuple(every)
        self.rng = np.random.default_rng(seed)
        self.results = [np.asarray(data_of(y)) for y in _parts(f(*self._copies()))]
        self.several = isinstance(f(*self._copies()), (tuple, list))
        self.laws: list[str] = []
        self.weights = [self._weights(y) for y in self.results]

    def _copies(self) -> list[Any]:
        return [np.array(x) if np.ndim(x) else x for x in self.inputs]

    def _weights(self, y: NDArray[Any]) -> NDArray[Any]:
        """Random weights, smaller for the larger results: the derivatives of all are to be seen."""
        sizes = np.abs(y[np.isfinite(y)].astype(float))
        typical = float(np.median(sizes[sizes > 0])) if np.any(sizes > 0) else 1.0
        with np.errstate(all="ignore"):
            shrink = np.where(np.isfinite(y), np.maximum(np.abs(y.astype(float)), 1e-3 * typical), 1.0)
        weights = self.rng.uniform(0.5, 1.5, y.shape) * self.rng.choice([-1.0, 1.0], y.shape) / shrink
        return np.asarray(weights, y.dtype if y.dtype.kind == "f" else float)

    def seeds(self, weights: list[NDArray[Any]]) -> Any:
        """The weights as a vjp takes them: shaped like f's result."""
        plain = [w if w.ndim else w[()] for w in weights]
        return tuple(plain) if self.several else plain[0]

    def fail(self, message: str) -> None:
        """Raise GradientError about this function."""
        raise GradientError(f"{self.name}: {message} (seed={self.seed})")

    # -- Laws ----------------------------------------------------------------------------------------------------------

    def gradients(self, vjp: Function) -> list[Any]:
        """What vjp returns for the weights, after the laws that need no slopes."""
        given = self._copies()
        before = [np.array(x) for x in given]
        first = self._called(vjp, self.seeds(self.weights), given)
        for i, (x, old) in enumerate(zip(given, before, strict=True)):
            if not np.array_equal(x, old, equal_nan=True):
                self.fail(f"the gradient changes its input {i}; work on a copy")
        self._shapes(first)
        again = self._called(vjp, self.seeds(self.weights), self._copies())
        other = [self._weights(y) for y in self.results]
        both = [np.asarray(2 * a + b, a.dtype) for a, b in zip(self.weights, other, strict=True)]
        second = self._called(vjp, self.seeds(other), self._copies())
        total = self._called(vjp, self.seeds(both), self._copies())
        for i in self.argnums:
            if not np.array_equal(first[i], again[i], equal_nan=True):
                self.fail(f"the gradient of input {i} is not the same twice; give its random numbers a fixed seed")
            noise = self._noise(i)
            with np.errstate(all="ignore"):
                expected = 2 * first[i] + second[i]
                apart = np.abs(total[i] - expected)
                size = float(np.max(np.abs(first[i]) * 2 + np.abs(second[i]), initial=0.0, where=np.isfinite(expected)))
            if np.any(apart > 10 * noise * size + 1e-300):
                self.fail(
                    f"the gradient of input {i} is not linear in the incoming gradient g: for 2 g + h it is not 2 times that "
                    f"for g plus that for h{self._ignored(vjp, i)}"
                )
        self.laws += ["shape and dtype", "inputs unchanged", "deterministic", "linear"]
        return first

    def _called(self, vjp: Function, g: Any, inputs: list[Any]) -> list[Any]:
        """One gradient per input, as arrays."""
        with np.errstate(all="ignore"):
            gradients = vjp(g, *inputs)
        if not isinstance(gradients, (tuple, list)):
            gradients = (gradients,)
        if len(gradients) != len(inputs):
            self.fail(f"the vjp returned {len(gradients)} gradients, expected {len(inputs)}, one per input")
        return [None if i not in self.argnums else np.asarray(data_of(g)) for i, g in enumerate(gradients)]

    def _shapes(self, gradients: list[Any]) -> None:
        for i in self.argnums:
            x, g = np.asarray(self.inputs[i]), gradients[i]
            if g.shape != x.shape:
                remedy = "is a sum over the axes along which it was broadcast missing?"
                if g.shape == x.shape[::-1]:
                    remedy = "is it transposed?"
                elif g.ndim < x.ndim:
                    remedy = "was too much summed?"
                self.fail(f"the gradient of input {i} has shape {g.shape}, but the input has {x.shape}; {remedy}")
            if g.dtype != x.dtype:
                self.fail(f"the gradient of input {i} is {g.dtype}, but the input is {x.dtype}")

    def _ignored(self, vjp: Function, i: int) -> str:
        """A hint if the gradient does not depend on g at all."""
        ones = [np.ones_like(w) for w in self.weights]
        constant = self._called(vjp, self.seeds(ones), self._copies())[i]
        same = np.any(constant) and np.allclose(
            constant, self._called(vjp, self.seeds(self.weights), self._copies())[i]
        )
        return "; it ignores g: multiply by it" if same else ""

    def unchanged_by_recording(self, f: Function) -> None:
        """Recording computes the same numbers."""
        recorded = _parts(f(*[Value(x) for x in self.inputs]))
        for y, expected in zip(recorded, self.results, strict=True):
            if not np.array_equal(data_of(y), expected, equal_nan=True):
                self.fail("recorded, it computes other numbers than under no_grad()")
        self.laws.append("recording changes nothing")

    def accumulates(self, f: Function, once: list[Any]) -> None:
        """Two backward passes add up."""
        leaves = [Value(x, requires_grad=i in self.argnums) for i, x in enumerate(self.inputs)]
        for _ in range(2):
            for y, w in zip(_parts(f(*leaves)), self.weights, strict=True):
                if isinstance(y, Node) and y.tick >= 0:
                    y.backward(w if w.ndim else w[()])  # type: ignore[attr-defined]
        for i in self.argnums:
            twice = 0.0 if leaves[i].grad is None else leaves[i].grad
            if not np.allclose(twice, 2 * once[i], rtol=10 * self._noise(i), atol=0, equal_nan=True):
                self.fail(f"a second backward() does not add the gradient of input {i} to the first one's")
        self.laws.append("accumulates")

    def adjoint(self, f: Function) -> None:
        """<Jv, w> = <v, Jᵀw>, with J v by jvp."""
        chosen = [self.inputs[i] for i in self.argnums]
        if not all(np.all(np.isfinite(y)) for y in self.results) or not chosen:
            return

        def of_chosen(*xs: Any) -> Any:
            full = list(self.inputs)
            for i, x in zip(self.argnums, xs, strict=True):
                full[i] = x
            return f(*[x if isinstance(x, Node) else Value(x, requires_grad=False) for x in full])

        directions = tuple([np.asarray(self.rng.choice([-1.0, 1.0], np.shape(x)), _dtype(x))[()] for x in chosen])
        with no_grad(), np.errstate(all="ignore"):
            _, pull = pullback(of_chosen, *chosen)
            gradients = pull(self.seeds(self.weights))
            _, change = jvp(of_chosen, tuple(chosen), directions)
        terms = [np.asarray(c) * w for c, w in zip(_parts(change), self.weights, strict=True)]
        others = [np.asarray(g) * v for g, v in zip(gradients, directions, strict=True)]
        left, right = sum(map(np.sum, terms)), sum(map(np.sum, others))
        size = sum(np.sum(np.abs(t)) for t in [*terms, *others])
        if np.isfinite(left) and np.isfinite(right) and abs(left - right) > self._noise(self.argnums[0]) * size:
            self.fail(
                f"<Jv, w> = {left:.8g}, but <v, Jᵀw> = {right:.8g}: a rule is not linear in g, or its own gradient is wrong"
            )
        self.laws.append("adjoint")

    # -- Numbers -------------------------------------------------------------------------------------------------------

    def report(self, gradients: list[Any], vjp: Function, mode: Mode, complex_step: bool) -> GradientReport:
        """Compare the gradients with slopes; raise GradientError if one is wrong."""
        elements: list[Element] = []
        compared = subgradients = inconclusive = 0
        shapes = [np.shape(self.inputs[i]) for i in self.argnums]
        ends = np.cumsum([prod(shape) for shape in shapes])
        problem = self._problem([np.ravel(gradients[i]).astype(float) for i in self.argnums], complex_step)
        with np.errstate(all="ignore"):
            found = examine(problem, mode == "full")
        compared = int(np.sum(found.verdicts != Verdict.INCONCLUSIVE))
        subgradients = int(np.sum(found.verdicts == Verdict.SUBGRADIENT))
        inconclusive = int(np.sum(found.verdicts == Verdict.INCONCLUSIVE))
        for k in np.flatnonzero((found.verdicts != Verdict.RIGHT) | np.isfinite(found.slopes)):
            part = int(np.searchsorted(ends, k, side="right"))
            place = np.unravel_index(k - (ends[part - 1] if part else 0), shapes[part] or (1,)) if shapes[part] else ()
            index = tuple([int(p) for p in place])
            numbers = (float(problem.gradient[k]), float(found.slopes[k]), float(found.errors[k]))
            elements.append(Element(self.argnums[part], index, *numbers, found.verdicts[k]))
        laws, ordered = tuple(self.laws), ranked(elements)
        report = GradientReport(self.name, self.seed, compared, subgradients, inconclusive, ordered, laws)
        if report.wrong:
            self._fail_with(report, problem, found, vjp)
        return report

    def _problem(self, gradients: list[Row], complex_step: bool) -> Problem:
        """The function of all chosen inputs in one row, in float64 or, for the complex step, complex."""
        shapes = [np.shape(self.inputs[i]) for i in self.argnums]
        ends = np.cumsum([prod(shape) for shape in shapes])

        def function(x: NDArray[Any]) -> NDArray[Any]:
            full = [x if not np.ndim(x) else np.asarray(x, _widest(x)) for x in self.inputs]
            for i, shape, end in zip(self.argnums, shapes, ends, strict=True):
                full[i] = x[end - prod(shape) : end].reshape(shape)[()]
            return np.concatenate([np.ravel(data_of(y)) for y in _parts(self.f(*full))])

        start = np.concatenate([np.ravel(self.inputs[i]).astype(float) for i in self.argnums])
        weights = np.concatenate([np.ravel(w).astype(float) for w in self.weights])
        with np.errstate(all="ignore"):
            coarsest = function(start).dtype
        precision = 4 * float(np.finfo(coarsest if coarsest.kind == "f" else float).eps)
        noise = max(self._noise(i) for i in self.argnums)
        gradient = np.concatenate(gradients)
        return Problem(function, start, gradient, weights, precision, noise, self.rng, BUDGET, complex_step)

    def _noise(self, i: int) -> float:
        dtypes = [np.dtype(_dtype(self.inputs[i])), *[y.dtype for y in self.results]]
        return max(NOISE.get(dtype, 1e-10) for dtype in dtypes)

    def _fail_with(self, report: GradientReport, problem: Problem, found: Findings, vjp: Function) -> None:
        worst = report.wrong[0]
        i = worst.argument
        same = [e for e in report.wrong if e.argument == i]
        size = int(np.size(self.inputs[i]))
        place = f" at {list(worst.index)}" if worst.index else ""
        hint = self._hint(i, problem, vjp)
        raise GradientError(
            f"{self.name}: the gradient of input {i}{place} is {worst.claimed:.8g}, but the slope there is {worst.slope:.8g} "
            f"± {worst.error:.1e} (ratio {worst.ratio:.5g}); {len(same)} of {size} numbers are wrong"
            f"{': ' + hint if hint else ''}\n{report}"
        )

    def _hint(self, i: int, problem: Problem, vjp: Function) -> str | None:
        """The usual mistake that one input's gradient looks like."""
        if self._ignored(vjp, i):
            return "it ignores the incoming gradient g: multiply by it"
        shape = np.shape(self.inputs[i])
        start = sum(int(np.size(self.inputs[j])) for j in self.argnums[: self.argnums.index(i)])
        if prod(shape) > PATTERN:
            return None
        slopes = np.empty(prod(shape))
        for k in range(prod(shape)):
            line = problem.line(np.ones(1), np.array([start + k]))
            slopes[k] = central(line, problem.weights, problem.precision, 0.0).value
        claimed = problem.gradient[start : start + prod(shape)].reshape(shape)
        arrays = [np.asarray(x) for x in (*self.inputs, *self.results)]
        sizes = {n for a in arrays for n in (*a.shape, a.size)}
        return diagnosis(claimed, slopes.reshape(shape), sizes)


def _gradient_of(f: Function, check: _Check) -> Function:
    """The gradients of the weighed sum of f, as a function of Values."""

    def gradients(*inputs: Any) -> tuple[Any, ...]:
        _, pull = pullback(f, *inputs)
        found: tuple[Any, ...] = pull(check.seeds(check.weights))
        return tuple([found[i] for i in check.argnums])

    gradients.__name__ = f"gradient of {check.name}"
    return gradients


def _name_of(f: Function) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    return "function" if name == "<lambda>" else str(name)


def _parts(y: Any) -> list[Any]:
    return list(y) if isinstance(y, (tuple, list)) else [y]


def _dtype(x: Any) -> Any:
    return getattr(x, "dtype", np.dtype(float))


def _widest(x: Any) -> Any:
    return float if x.dtype.kind == "f" else x.dtype


def _input(name: str, i: int, x: Any) -> Any:
    """An input as a Python float, a NumPy float scalar or an array of floats."""
    x = np.asarray(data_of(x))
    if x.dtype.kind not in "fiu":
        raise DTypeError(f"{name}: input {i} is {x.dtype}, expected real numbers")
    x = x if x.dtype.kind == "f" else x.astype(float)
    return x if x.ndim else float(x) if x.dtype == float else x[()]
