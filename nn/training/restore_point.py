"""RestorePoint: the last weights known to be finite, for a gradient that is not finite beside a finite loss."""

from __future__ import annotations

from copy import deepcopy
from types import TracebackType
from warnings import warn

import numpy as np

from tinygrad_edu import Value

from ..module import Module
from ..optim import Optimizer
from ..optim.vector import place, vector
from .interrupts import Interrupts
from .kept import Kept

INTERVAL = 100  # fewest steps between two copies, each of which takes a few percent of the time of a step


class RestorePoint:
    """Parameters, optimiser state, buffers and random generators as they were at the start of an epoch.

    A pass over the gradients of each step would take 3% of its time (784-100-40-10, batch 32), so a gradient that is NaN or
    infinite beside a finite loss is noticed when its weights are: in the next loss, or at the end of the epoch. As a context,
    this puts the finite weights back when training ends, however it ends. The learning rate stays.
    """

    def __init__(self, model: Module, optimizer: Optimizer, interrupts: Interrupts) -> None:
        self.model, self.optimizer, self.interrupts = model, optimizer, interrupts
        self.broken = False  # an error interrupted an update

    def keep(self) -> None:
        """Copy everything, at the start of an epoch, unless there is a recent copy."""
        if self.optimizer.steps - self.steps >= INTERVAL:
            self._copy()

    def _copy(self) -> None:
        self.steps = self.optimizer.steps
        self.trained = [p for p in self.optimizer.state if p.requires_grad]
        self.weights = vector(self.trained) if self.trained else np.zeros(0)
        self.states = {p: deepcopy(state) for p, state in self.optimizer.state.items()}
        self.kept = Kept(self.model)

    def __enter__(self) -> RestorePoint:
        self._copy()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.interrupts.hold()  # to the end
        if not np.isfinite(self.weights).all() or (not self.broken and finite(self.trained)):
            return
        place(self.trained, self.weights)
        for p, state in self.states.items():
            self.optimizer.state[p].clear()
            self.optimizer.state[p].update(state)
        undone, self.optimizer.steps = self.optimizer.steps - self.steps, self.steps
        self.kept.restore()
        what = "an update ended midway" if self.broken else "a gradient was not finite, though its loss was"
        note = f"fit: {what}; weights and optimiser are as they were {undone} steps before"
        if error is None or isinstance(error, KeyboardInterrupt):
            warn(note, stacklevel=1)
        else:
            error.add_note(note)


def finite(parameters: list[Value]) -> bool:
    """Whether all entries of the parameters are finite."""
    return all(np.isfinite(p.data).all() for p in parameters)
