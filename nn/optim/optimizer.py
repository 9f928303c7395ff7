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
        if not isinstance(parameters, Iterable) or isinstance(parameters, Value):
            got = type(parameters).__name__
            raise TinygradError(
                f"{type(self).__name__}: got {got}, expected several parameters; pass model.parameters()"
            )
        self.parameters = list(parameters)
        if not self.parameters:
            raise TinygradError(f"{type(self).__name__}: got no parameters; pass model.parameters()")
        for p in self.parameters:
            if not isinstance(p, Value) or p.grad_fn is not None:
                raise GraphError(f"{type(self).__name__}: got {p!r}, expected leaf Values; pass model.parameters()")
        self.parameters = list(dict.fromkeys(self.parameters))  # each once
        if not lr > 0:
            raise TinygradError(f"{type(self).__name__}: got lr={lr}, expected a positive number")
        self.lr = lr
        self.steps = 0
        self._buffers: list[dict[str, NDArray[Any]]] = [{} for _ in self.parameters]
        self._updates = [0] * len(self.parameters)  # of each parameter, which may have sat out some steps

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient, in its own memory.

        A graph recorded before refuses backward() from then on, as its numbers are gone.
        """
        self.steps += 1
        for i, (p, buffers) in enumerate(zip(self.parameters, self._buffers, strict=True)):
            if p.grad is None:
                continue
            self._updates[i] += 1
            data, g = p.data, p.grad.data if isinstance(p.grad, Value) else p.grad
            if not isinstance(data, np.ndarray):  # a scalar, which has no memory to change
                data, g = np.asarray(data), np.asarray(g)
            self.update(data, g, buffers, self._updates[i])
            if not data.ndim:
                p.data = float(data) if data.dtype == float else data[()]
            p.mark_changed()

    def update(self, data: NDArray[Any], g: NDArray[Any], buffers: dict[str, NDArray[Any]], t: int) -> None:
        """Change `data` in place, given its gradient g, this parameter's own buffers (empty at first), and its step t from 1."""
        raise TinygradError(f"{type(self).__name__}: define update(self, data, g, buffers, t)")
