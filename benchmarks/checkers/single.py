"""Ours on functions of float32: which relative mistakes are caught, and which pass as rounding."""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

import numpy as np

from .cases import CASES, Array, Inputs, Vjp
from .peers import ours

MISTAKES = {1e-2: True, 1.5e-3: True, 9e-7: False}  # relative, and whether it is to be caught


def single_precision(seeds: int) -> dict[str, dict[float, float]]:
    """Per way of computing and mistake the share rejected, over all functions and both modes."""
    found: dict[str, dict[float, float]] = {}
    for way in ("float32 inputs, any precision inside", "float32 inside"):
        found[way] = {}
        for mistake in MISTAKES:
            rejected = []
            for case in CASES:
                f = case.f if way.endswith("any precision inside") else rounded(case.f)
                for seed in range(seeds):
                    rng = np.random.default_rng([crc32(case.name.encode()), seed])
                    inputs = tuple([x.astype(np.float32) for x in case.draw(rng)])
                    vjp = off_by(case.vjp, mistake)
                    rejected += [ours(mode)(f, vjp, inputs, seed).rejected for mode in ("screen", "full")]
            found[way][mistake] = float(np.mean(rejected))
    return found


def rounded(f: Callable[..., Array]) -> Callable[..., Array]:
    """The same, computed in float32 whatever it is given."""
    return lambda *xs: np.asarray(f(*[np.asarray(x, np.float32) for x in xs]))


def off_by(vjp: Vjp, mistake: float) -> Vjp:
    """Gradients with a relative mistake, computed in float64 and rounded once."""

    def wrong(g: Array, *xs: Array) -> Inputs:
        exact = vjp(np.asarray(g, float), *[np.asarray(x, float) for x in xs])
        return tuple([(gradient * (1 + mistake)).astype(np.float32) for gradient in exact])

    return wrong
