"""Mistakes to plant in a right gradient. What and where is drawn once for a seed, so that every checker sees the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from .cases import Array, Case, Inputs, Vjp

Fault: TypeAlias = Callable[[Case, Inputs, np.random.Generator], Vjp | None]  # None where it would be no mistake


def scaled(factor: float) -> Fault:
    """One input's gradient times a number."""

    def plant(case: Case, inputs: Inputs, rng: np.random.Generator) -> Vjp:
        return changed(case.vjp, int(rng.integers(len(inputs))), lambda gradient: gradient * factor)

    return plant


def one_element(factor: float) -> Fault:
    """One number of the gradient times a number; one that is not 0 anyway."""

    def plant(case: Case, inputs: Inputs, rng: np.random.Generator) -> Vjp:
        i = int(rng.integers(len(inputs)))
        gradient = case.vjp(rng.uniform(0.5, 1.5, np.shape(case.f(*inputs))), *inputs)[i]
        factors = np.ones(gradient.shape)
        factors.flat[rng.choice(np.flatnonzero(gradient))] = factor
        return changed(case.vjp, i, lambda gradient: gradient * factors)

    return plant


def ignores_cotangent(case: Case, inputs: Inputs, rng: np.random.Generator) -> Vjp:
    """As if every result had the weight 1."""
    return lambda g, *xs: case.vjp(np.ones_like(g), *xs)


def transposed(case: Case, inputs: Inputs, rng: np.random.Generator) -> Vjp | None:
    """The gradient of a square input."""
    if inputs[0].ndim != 2:
        return None
    return changed(case.vjp, 0, lambda gradient: gradient.T.copy())


def unsummed(case: Case, inputs: Inputs, rng: np.random.Generator) -> Vjp | None:
    """The right shape, but one slice instead of the sum over what broadcasting spread."""
    if case.broadcasts is None:
        return None
    k = int(rng.integers(inputs[0].shape[0]))
    return lambda g, *xs: case.vjp(g, *xs, total=lambda full, axis: np.take(full, k, axis))


def outside(case: Case, inputs: Inputs, rng: np.random.Generator) -> Vjp | None:
    """At ties and kinks, a number that is no subgradient."""
    return case.vjp_outside


def single(case: Case, inputs: Inputs, rng: np.random.Generator) -> Vjp:
    """Computed in float32, handed back as float64."""

    def vjp(g: Array, *xs: Array) -> Inputs:
        gradients = case.vjp(np.asarray(g, np.float32), *[x.astype(np.float32) for x in xs])
        return tuple([np.asarray(gradient, float) for gradient in gradients])

    return vjp


def changed(vjp: Vjp, i: int, change: Callable[[Array], Array]) -> Vjp:
    """The same gradients but for input i's."""

    def faulty(g: Any, *xs: Array) -> Inputs:
        gradients = list(vjp(g, *xs))
        gradients[i] = change(gradients[i])
        return tuple(gradients)

    return faulty


OUTSIDE = "outside the subdifferential"
FAULTS: dict[str, Fault] = {
    "x 1.01": scaled(1.01),
    "x 1.0001": scaled(1.0001),
    "factor 2": scaled(2.0),
    "one sign flipped": one_element(-1.0),
    "one element 0": one_element(0.0),
    "ignores the cotangent": ignores_cotangent,
    "transposed": transposed,
    "missing broadcast sum": unsummed,
    OUTSIDE: outside,
    "through float32": single,
}
