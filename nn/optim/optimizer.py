"""Optimizer: what all update rules share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import GraphError, TinygradError, Value


class Optimizer:
    """Holds parameters and changes them in place by a rule that a subclass defines in `update`.

    Args:
        parameters: leaf Values, usually `model.parameters()`.
        lr: learning rate, > 0. May be changed between steps.

    Raises:
        TinygradError: if there are no parameters, or lr is not a positive number.
        GraphError: if a parameter is a computed Value, which has no life of its own.
    """

    def __init__(self, parameters: Iterable[Value], lr: float) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise TinygradError(f"{type(self).__name__}: got no parameters; pass model.parameters()")
        for p in self.parameters:
            if not isinstance(p, Value) or p.grad_fn is not None:
                raise GraphError(f"{type(self).__name__}: got {p!r}, expected leaf Values; pass model.parameters()")
        if not lr > 0:
            raise TinygradError(f"{type(self).__name__}: got lr={lr}, expected a positive number")
        self.lr = lr
        self.steps = 0
        self._buffers: list[dict[str, NDArray[Any]]] = [{} for _ in self.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient, in its own memory.

        A graph recorded before refuses backward() from then on, as its numbers are gone.
        """
        self.steps += 1
        for p, buffers in zip(self.parameters, self._buffers, strict=True):
            if p.grad is None:
                continue
            data = np.asarray(p.data)  # the parameter's own memory, but for a scalar
            self.update(data, np.asarray(p.grad), buffers)
            if not data.ndim:
                p.data = float(data) if data.dtype == float else data[()]
            p.mark_changed()

    def update(self, data: NDArray[Any], g: NDArray[Any], buffers: dict[str, NDArray[Any]]) -> None:
        """Change `data` in place, given its gradient g and this parameter's own buffers (empty at first)."""
        raise TinygradError(f"{type(self).__name__}: define update(self, data, g, buffers)")
