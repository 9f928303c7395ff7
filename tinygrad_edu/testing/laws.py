"""Laws that the gradients of every function obey. Each check raises GradientError, or returns the law's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..data import raw_of
from ..modes import no_grad
from ..node import Node
from ..transforms import jvp, vjp
from ..value import Value
from .subject import Function, Subject, constant, parts

Pull = Callable[[Any], list[Any]]  # from a cotangent to one gradient per input, None where not checked


def pull_of(subject: Subject, function: Function) -> Pull:
    """A user's vjp as a function of the cotangent alone, which returns a list of arrays."""

    def pull(cotangent: Any) -> list[Any]:
        with np.errstate(all="ignore"):
            gradients = function(cotangent, *subject.copies())
        if gradients is None:
            subject.fail("the vjp returned None; does it return anything?")
        if not isinstance(gradients, (tuple, list)):
            gradients = (gradients,)
        if len(gradients) != len(subject.inputs):
            expected = f"expected {len(subject.inputs)}, one per input"
            subject.fail(f"the vjp returned {len(gradients)} gradients, {expected}")
        return [None if i not in subject.argnums else np.asarray(raw_of(g)) for i, g in enumerate(gradients)]

    return pull


def ignores_cotangent(subject: Subject, pull: Pull, i: int) -> bool:
    """Whether the gradient of input i does not depend on the cotangent."""
    of_ones = pull(subject.cotangent([np.ones_like(w) for w in subject.weights]))[i]
    return bool(np.any(of_ones)) and bool(np.allclose(of_ones, pull(subject.cotangent(subject.weights))[i], atol=0))


def inputs_unchanged(subject: Subject, function: Function) -> str:
    """The gradient does not modify its inputs."""
    given = subject.copies()
    with np.errstate(all="ignore"):
        function(subject.cotangent(subject.weights), *given)
    for i in subject.argnums:
        if not np.array_equal(given[i], subject.inputs[i], equal_nan=True):
            subject.fail(f"the gradient changes its input {subject.names[i]}; work on a copy")
    return "inputs unchanged"


def shape_and_dtype(subject: Subject, gradients: list[Any]) -> str:
    """A gradient has the shape and dtype of its input."""
    for i in subject.argnums:
        x, g = np.asarray(subject.inputs[i]), gradients[i]
        if g.shape != x.shape:
            remedy = "is a sum over the axes along which it was broadcast missing?"
            if g.shape == x.shape[::-1]:
                remedy = "is it transposed?"
            elif g.size == x.size:
                remedy = "reshape it"
            elif g.ndim < x.ndim:
                remedy = "was too much summed?"
            subject.fail(
                f"the gradient of input {subject.names[i]} has shape {g.shape}, but the input has {x.shape}; {remedy}"
            )
        if g.dtype != x.dtype:
            subject.fail(f"the gradient of input {subject.names[i]} is {g.dtype}, but the input is {x.dtype}")
    return "shape and dtype"


def deterministic(subject: Subject, pull: Pull, gradients: list[Any]) -> str:
    """The function and its gradient return the same results when called again."""
    for y, expected in zip(parts(subject.f(*subject.copies())), subject.results, strict=True):
        if not np.array_equal(raw_of(y), expected, equal_nan=True):
            subject.fail("the function returns other results when called again; give its random numbers a fixed seed")
    again = pull(subject.cotangent(subject.weights))
    for i in subject.argnums:
        if not np.array_equal(gradients[i], again[i], equal_nan=True):
            subject.fail(
                f"the gradient of input {subject.names[i]} differs when computed again; give its random numbers a fixed seed"
            )
    return "deterministic"


def linear(subject: Subject, pull: Pull, gradients: list[Any]) -> str:
    """The gradient for 2 g + h is 2 times that for g, plus that for h."""
    other = subject.new_weights()
    both = [np.asarray(2 * a + b, a.dtype) for a, b in zip(subject.weights, other, strict=True)]
    second, total = pull(subject.cotangent(other)), pull(subject.cotangent(both))
    for i in subject.argnums:
        with np.errstate(all="ignore"):
            expected = 2 * gradients[i] + second[i]
            sizes = np.abs(gradients[i]) * 2 + np.abs(second[i])
            size = float(np.max(sizes, initial=0.0, where=np.isfinite(expected)))
            apart = np.abs(total[i] - expected) > 10 * subject.noise(i) * size + subject.floor
        if np.any(apart):
            hint = "; it ignores g: multiply by it" if ignores_cotangent(subject, pull, i) else ""
            subject.fail(
                f"the gradient of input {subject.names[i]} is not linear in the incoming gradient g: for 2 g + h it is not "
                f"2 times that for g plus that for h{hint}"
            )
    return "linear"


def of_any(subject: Subject, function: Function) -> tuple[list[Any], Pull, list[str]]:
    """The gradients for the subject's weights, the function for other weights, and the laws above, which were checked."""
    pull = pull_of(subject, function)
    gradients = pull(subject.cotangent(subject.weights))
    kept = [
        shape_and_dtype(subject, gradients),
        inputs_unchanged(subject, function),
        deterministic(subject, pull, gradients),
        linear(subject, pull, gradients),
    ]
    return gradients, pull, kept


# -- Of functions of Values --------------------------------------------------------------------------------------------


def backward(results: list[Any], weights: Iterator[Any]) -> None:
    """Run backward from all results, each with its weights."""
    for y, weight in zip(results, weights, strict=True):
        if isinstance(y, Value) and y.requires_grad:
            y.backward(weight)


def recording_changes_nothing(subject: Subject, f: Function) -> str:
    """f computes the same numbers when recorded, up to a few ulp: the order of sums may differ."""
    for y, expected in zip(parts(f(*subject.leaves(subject.copies()))), subject.results, strict=True):
        ulp = np.finfo(expected.dtype).eps if expected.dtype.kind == "f" else 0.0
        largest = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
        if not np.allclose(raw_of(y), expected, rtol=0.0, atol=16 * ulp * largest, equal_nan=True):
            subject.fail("it computes other numbers when recorded than under no_grad()")
    return "recording changes nothing"


def accumulates(subject: Subject, f: Function, once: list[Any]) -> str:
    """Two backward passes add up."""
    leaves = subject.leaves(subject.copies())
    for _ in range(2):
        backward(parts(f(*leaves)), (w if w.ndim else w[()] for w in subject.weights))
    for i in subject.argnums:
        twice = 0.0 if leaves[i].grad is None else leaves[i].grad
        if not np.allclose(twice, 2 * once[i], rtol=10 * subject.noise(i), atol=subject.floor, equal_nan=True):
            subject.fail(
                f"a second backward() does not add the gradient of input {subject.names[i]} to the first one's"
            )
    return "accumulates"


def of_chosen(subject: Subject, f: Function) -> tuple[Function, list[Any], list[Any]]:
    """f as a function of the checked inputs only, these inputs, and a random direction for each."""
    chosen = [subject.inputs[i] for i in subject.argnums]

    def function(*xs: Any) -> Any:
        full = list(subject.inputs)
        for i, x in zip(subject.argnums, xs, strict=True):
            full[i] = x
        return f(*[x if isinstance(x, Node) else constant(x) for x in full])

    directions = [np.asarray(subject.rng.choice([-1.0, 1.0], np.shape(x)), np.asarray(x).dtype)[()] for x in chosen]
    return function, chosen, directions


def adjoint(subject: Subject, f: Function) -> str:
    """<Jv, w> = <v, Jᵀw>: J by jvp, which differentiates the rules, and Jᵀ by vjp, which applies them."""
    function, chosen, directions = of_chosen(subject, f)
    with no_grad(), np.errstate(all="ignore"):
        _, pull = vjp(function, *chosen)
        gradients = pull(subject.cotangent(subject.weights))
        _, change = jvp(function, tuple(chosen), tuple(directions))
    left = [np.asarray(c) * w for c, w in zip(parts(change), subject.weights, strict=True)]
    right = [np.asarray(g) * v for g, v in zip(gradients, directions, strict=True)]
    if _apart(subject, left, right):
        reason = "a rule is not linear in g, or its own gradient is wrong"
        subject.fail(f"<Jv, w> = {_sum(left):.8g}, but <v, Jᵀw> = {_sum(right):.8g}: {reason}")
    return "adjoint"


def symmetric(subject: Subject, f: Function) -> str:
    """<u, Hv> = <v, Hu>, with H the Hessian of the weighted sum of f's results."""
    function, chosen, u = of_chosen(subject, f)
    *_, v = of_chosen(subject, f)

    def first(*xs: Any) -> Any:
        return vjp(function, *xs)[1](subject.cotangent(subject.weights))

    with no_grad(), np.errstate(all="ignore"):
        _, pull = vjp(first, *chosen)
        left = [np.asarray(h) * d for h, d in zip(pull(tuple(v)), u, strict=True)]
        right = [np.asarray(h) * d for h, d in zip(pull(tuple(u)), v, strict=True)]
    if _apart(subject, left, right):
        reason = "the gradients of two rules are inconsistent"
        subject.fail(
            f"the Hessian is not symmetric, <u, Hv> = {_sum(left):.8g}, but <v, Hu> = {_sum(right):.8g}: {reason}"
        )
    return "symmetric Hessian"


def _sum(terms: list[Any]) -> float:
    with np.errstate(all="ignore"):
        return float(sum(np.sum(t) for t in terms))


def _apart(subject: Subject, left: list[Any], right: list[Any]) -> bool:
    """Whether two sums, both finite, differ by more than rounding."""
    a, b = _sum(left), _sum(right)
    size = _sum([np.abs(t) for t in (*left, *right)])
    count = sum(np.size(t) for t in left + right)
    apart = abs(a - b) > max(map(subject.noise, subject.argnums)) * size + count * subject.floor
    return bool(np.isfinite(a) and np.isfinite(b) and apart)
