"""Gradient checks: `check_gradients` for functions of Values, `check_vjp` for a hand-written gradient of any function.

Wrong gradients of any size are found, and correct ones pass, at kinks too: examination.py compares numbers, laws.py checks the
laws. All random numbers come from a seed, which every message states.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np

from ..errors import GradientError, InconclusiveError, UnsupportedError
from ..modes import no_grad
from ..transforms import vjp as pullback
from ..tree import leaves, rebuild
from . import laws
from .examination import ENOUGH, examine
from .explanation import diagnosis
from .laws import Pull
from .problem import Findings, Problem, Verdict
from .report import Element, GradientReport, ranked
from .slopes import Vector, central
from .subject import Function, Subject, constant, parts

Mode: TypeAlias = Literal["screen", "full"]
PATTERN = 2_000  # largest size for which all slopes are computed to recognise a mistake


def check_vjp(
    f: Function,
    vjp: Function,
    *inputs: Any,
    argnums: int | Sequence[int] | None = None,
    mode: Mode = "screen",
    complex_step: bool = False,
    seed: int = 0,
) -> GradientReport:
    """Check a hand-written gradient against the function's values.

    Args:
        f: function of the inputs; returns a number, an array, or a tuple or list of these. Any library may compute it.
        vjp: function of (g, *inputs), with g weights shaped like f's result; returns for each input the gradient of sum(g * f),
            an array of the input's shape and dtype, in a tuple (or bare, for one input), or None for inputs not checked.
        inputs: numbers or arrays of floats, at which to check. They are not modified.
        argnums: positions of the inputs to check; all if None. The others may be anything, such as labels.
        mode: "screen" checks many numbers with one random direction, and single numbers where it disagrees; "full" checks
            every number.
        complex_step: compute slopes from f(x + ih), exact to the last digit, for analytic f that accepts complex numbers. It is
            silently wrong for abs, max, norm and the like, so it is compared with a real difference first.
        seed: seed of the weights and directions.

    Returns:
        a `GradientReport`; print it.

    Raises:
        GradientError: if a number is wrong, or a law is broken: the shape and dtype of each gradient, linearity in g,
            determinism, unchanged inputs. The message states the place, both numbers, and the mistake if it is a common one;
            the error's `report` lists all numbers.
        InconclusiveError: a GradientError, if no number can be compared: the inputs are empty; f overflows, jumps, or no longer
            changes.
        DTypeError: if an input to check is not made of real numbers.

    >>> print(check_vjp(np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), np.array([0.5, -1.0])))
    tanh: 2 compared, 0 wrong, 0 subgradients, 0 inconclusive (seed=0); laws: shape and dtype, ...
    """
    __tracebackhide__ = True  # pytest shows the caller's line instead
    subject = Subject(_name_of(f), f, inputs, argnums, seed)
    gradients, pull, kept = laws.of_any(subject, vjp)
    return _report(subject, gradients, pull, kept, mode, complex_step)


def check_gradients(
    f: Function,
    *inputs: Any,
    order: int = 1,
    argnums: int | Sequence[int] | None = None,
    mode: Mode = "screen",
    seed: int = 0,
) -> GradientReport:
    """Check the gradients of a function of Values against its values.

    Args:
        f: function of Values; may be written with methods, this package's functions or NumPy's.
        inputs: numbers or arrays of floats, at which to check, and dictionaries of them such as `model.state_dict()`.
        order: 2 checks the gradients of the gradients too, and so on.
        argnums, mode, seed: as for `check_vjp`.

    Other Values that f uses, such as a model's parameters, accumulate gradients as in any backward().

    Returns:
        a `GradientReport` of the first order; higher orders only raise.

    Raises:
        GradientError: as for `check_vjp`, and for these laws: two backward passes add up, recording changes no result, the
            adjoint identity <Jv, w> = <v, Jᵀw>, and from the second order on a symmetric Hessian.

    >>> check_gradients(lambda x: x.tanh().sum(), np.array([0.5, -1.0])).compared
    2
    """
    __tracebackhide__ = True
    if order < 1:
        raise UnsupportedError(f"check_gradients: order={order}, expected 1 or more")
    name = _name_of(f)
    f, inputs, argnums, names = _spread(f, inputs, argnums)

    def values(*arrays: Any) -> Any:
        with no_grad():
            return f(*[constant(x) for x in arrays])

    subject = Subject(name, values, inputs, argnums, seed, names)

    def vjp(cotangent: Any, *arrays: Any) -> list[Any]:
        given = subject.leaves(arrays)
        laws.backward(parts(f(*given)), iter(cotangent if subject.several else [cotangent]))
        for i in subject.argnums:
            leaf = given[i]
            given[i] = np.zeros_like(leaf.data)[()] if leaf.grad is None else leaf.grad
        return given

    gradients, pull, kept = laws.of_any(subject, vjp)
    kept += [
        laws.recording_changes_nothing(subject, f),
        laws.accumulates(subject, f, gradients),
        laws.adjoint(subject, f),
    ]
    if order > 1:
        kept.append(laws.symmetric(subject, f))
    report = _report(subject, gradients, pull, kept, mode)
    if order > 1:
        function, chosen, _ = laws.of_chosen(subject, f)
        with suppress(InconclusiveError):  # at kinks there is no second derivative
            check_gradients(_gradient_of(function, subject), *chosen, order=order - 1, mode=mode, seed=seed + 1)
    return report


def _spread(
    f: Function, inputs: tuple[Any, ...], argnums: int | Sequence[int] | None
) -> tuple[Function, tuple[Any, ...], Any, Sequence[str]]:
    """f as a function of the arrays in dictionaries, these arrays, their positions for argnums, and what they are called."""
    if not any(isinstance(x, dict) for x in inputs):
        return f, inputs, argnums, ()
    flat = [
        (i, f"{i}{path}", leaf)
        for i, x in enumerate(inputs)
        for path, leaf in (leaves(x) if isinstance(x, dict) else [("", x)])
    ]
    chosen = range(len(inputs)) if argnums is None else np.atleast_1d(argnums).tolist()
    places = [k for k, (i, _, _) in enumerate(flat) if i in chosen]

    def function(*arrays: Any) -> Any:
        given = iter(arrays)
        return f(*[rebuild(x, given) if isinstance(x, dict) else next(given) for x in inputs])

    return function, tuple([leaf for _, _, leaf in flat]), places, [name for _, name, _ in flat]


def _report(
    subject: Subject, gradients: list[Any], pull: Pull, kept: list[str], mode: Mode, complex_step: bool = False
) -> GradientReport:
    """Compare the gradients with slopes; raise GradientError if one is wrong, or if the check is inconclusive."""
    __tracebackhide__ = True
    if mode not in ("screen", "full"):
        raise UnsupportedError(f"{subject.name}: mode={mode!r}, expected 'screen' or 'full'")
    problem = subject.problem(gradients, complex_step)
    with np.errstate(all="ignore"):
        found = examine(problem, mode == "full")
        if not subject.guessed:
            _accept_zeros(problem, found)
    elements = []
    for k in np.flatnonzero((found.verdicts != Verdict.RIGHT) | np.isfinite(found.slopes)).tolist():
        numbers = float(problem.gradient[k]), float(found.slopes[k]), float(found.errors[k])
        elements.append(Element(*subject.place(k), *numbers, found.verdicts[k]))
    inconclusive = int(np.sum(found.verdicts == Verdict.INCONCLUSIVE))
    report = GradientReport(
        name=subject.name,
        seed=subject.seed,
        cotangent=subject.cotangent(subject.weights),
        compared=found.verdicts.size - inconclusive,
        subgradients=int(np.sum(found.verdicts == Verdict.SUBGRADIENT)),
        inconclusive=inconclusive,
        elements=ranked(elements),
        laws=tuple(kept),
        names=tuple(subject.names),
    )
    if report.wrong:
        raise GradientError(_message(report, subject, problem, pull), report)
    if not report.compared:
        raise InconclusiveError(f"{report.name}: {_why_nothing(subject)}\n{report}", report)
    return report


def _accept_zeros(problem: Problem, found: Findings) -> None:
    """In a gradient of 0 up to rounding, as of softmax(x).sum(), accept the numbers whose slopes are 0 up to rounding."""
    if np.all(np.abs(problem.gradient) <= problem.floor):
        zeros = np.abs(found.slopes) + found.errors <= problem.floor
        found.verdicts[zeros & (found.verdicts == Verdict.INCONCLUSIVE)] = Verdict.RIGHT


def _why_nothing(subject: Subject) -> str:
    """Why a check compared no number, and the remedy."""
    if not any(prod(shape) for shape in subject.shapes):
        shapes = ", ".join([str(shape) for shape in subject.shapes])
        return f"nothing is compared, since the inputs to check are empty, of shape {shapes}; pass arrays with numbers"
    why = "does the function overflow there, jump, or no longer change in its last digit?"
    return f"nothing can be told at these inputs: {why} Check it at others"


def _message(report: GradientReport, subject: Subject, problem: Problem, pull: Pull) -> str:
    """The worst number, the count of wrong numbers, the likely mistake, and the table."""
    worst = report.wrong[0]
    i = worst.argument
    many = sum(e.argument == i for e in report.wrong)
    count = f"at least {many}" if len(report.wrong) >= ENOUGH else f"{many}"
    place = f" at {list(worst.index)}" if worst.index else ""
    start = f"{report.name}: the gradient of input {subject.names[i]}{place} is {worst.claimed:.8g}"
    if abs(worst.claimed - worst.slope) <= 1.01 * worst.error:  # wrong only together with others
        low, high = worst.slope - worst.error, worst.slope + worst.error
        return (
            f"{start}, between the slopes to both sides of a kink, {low:.8g} and {high:.8g}; but together the "
            f"{len(report.wrong)} numbers at kinks are no subgradient: for example, shares of a tie must add up to 1\n{report}"
        )
    if laws.ignores_cotangent(subject, pull, i):
        hint: str | None = "it ignores the incoming gradient g: multiply by it"
    else:
        hint = None if report.subgradients else _pattern(subject, problem, i)
    return (
        f"{start}, but the slope there is {worst.slope:.8g} ± {worst.error:.1e} (ratio {worst.ratio_text}); "
        f"{count} of {np.size(subject.inputs[i])} numbers are wrong"
        f"{': ' + hint if hint else ''}\n{report}"
    )


def _pattern(subject: Subject, problem: Problem, i: int) -> str | None:
    """The common mistake that matches one input's gradient, from the slopes of all its numbers."""
    part = subject.argnums.index(i)
    shape, end = subject.shapes[part], subject.ends[part]
    count = int(np.prod(shape))
    if count > PATTERN:
        return None
    slopes: Vector = np.empty(count)
    with np.errstate(all="ignore"):
        for k in range(count):
            line = problem.line(np.ones(1), np.array([end - count + k]))
            slopes[k] = central(line, problem.weights, problem.precision, 0.0).value
    claimed = problem.gradient[end - count : end].reshape(shape)
    arrays = [*[subject.inputs[i] for i in subject.argnums], *subject.results]
    sizes = {n for a in arrays for n in (*np.shape(a), np.size(a))}
    return diagnosis(claimed, slopes.reshape(shape), sizes)


def _gradient_of(f: Function, subject: Subject) -> Function:
    """The gradients of the weighted sum of f, as a function of Values."""

    def gradients(*inputs: Any) -> tuple[Any, ...]:
        found: tuple[Any, ...] = pullback(f, *inputs)[1](subject.cotangent(subject.weights))
        return found

    gradients.__name__ = f"gradient of {subject.name}"
    return gradients


def _name_of(f: Function) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    return "function" if name == "<lambda>" else str(name)
