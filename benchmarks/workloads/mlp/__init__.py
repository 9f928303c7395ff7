"""Training steps of an MLP 784-100-40-10 in float32: relu, softmax cross-entropy, forward, backward and update.

Three batch sizes and two optimisers, beside NumPy written out by hand: the time beyond 1 is what the convenience costs.
"""

from __future__ import annotations

from functools import partial

from ...work import COMPILED, HAND, OURS, Work
from . import by_hand, ours, peers
from .problem import Optimiser, Trainer, job

TRAINERS: dict[str, Trainer] = {
    HAND: by_hand.train,
    OURS: ours.train,
    COMPILED: ours.compiled,
    "torch": peers.torch,
    "jax jit": peers.jax,
    "mygrad": peers.mygrad,
    "autograd": peers.autograd,
}
HOLDS: dict[tuple[Optimiser, int], float] = {
    ("SGD", 32): 1.35,
    ("SGD", 128): 1.15,
    ("SGD", 512): 1.10,
    ("Adam", 32): 1.5,
    ("Adam", 128): 1.3,
    ("Adam", 512): 1.15,
}

MLPS = [
    Work(
        name=f"mlp-{optimiser.lower()}-{size}",
        title=f"MLP, {optimiser}, batch {size}",
        reference=HAND,
        hold=hold,
        jobs={engine: partial(job, train, optimiser, size) for engine, train in TRAINERS.items()},
        tolerance=1e-3,
    )
    for (optimiser, size), hold in HOLDS.items()
]
